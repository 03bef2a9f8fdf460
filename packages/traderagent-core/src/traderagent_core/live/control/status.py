"""How a run stands, as one document of JSON-able values: the same for a live process and for what it left behind."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from attrs import frozen

from traderagent_core.account.account import HOUSE, Account
from traderagent_core.account.ledger import Ledger
from traderagent_core.account.state import Order
from traderagent_core.engine.life_cycle import Flags
from traderagent_core.model.order import OrderStatus

ZERO = Decimal(0)
STOP_SLOT = "stop"
UNCONFIRMED = (OrderStatus.SUBMITTED, OrderStatus.UNKNOWN)


@frozen
class BotFacts:
    """One bot for the document. `seats` are its strategies; `price` is None while none is known."""

    name: str
    strategy: str
    symbol: str
    life_cycle: str
    seats: Sequence[Flags]
    stop_price: Decimal | None = None
    stop_placement: str = ""
    price: Decimal | None = None
    regime: str | None = None
    owner: str | None = None


def describe(bots: Sequence[BotFacts], account: Account) -> dict[str, Any]:
    """Bots with positions, protection, orders and profit; what the house holds; orders whose end is not known."""
    symbols = dict.fromkeys(bot.symbol for bot in bots)
    unconfirmed = [order for order in account.orders.values() if order.status in UNCONFIRMED]
    house = [account.ledgers.get((HOUSE, symbol)) for symbol in symbols]
    return {
        "bots": [_bot(bot, account) for bot in bots],
        "house": [_house(ledger) for ledger in house if ledger is not None and _has_anything(ledger)],
        "unconfirmed": [order.client_order_id for order in unconfirmed],
    }


def _bot(bot: BotFacts, account: Account) -> dict[str, Any]:
    names = {seat.name for seat in bot.seats}
    ledgers = [ledger for (owner, _), ledger in account.ledgers.items() if owner in names]
    orders = [order for order in account.orders.values() if order.want.plan.bot in names]
    held = sum((ledger.quantity for ledger in ledgers), ZERO)
    return {
        "name": bot.name,
        "strategy": bot.strategy,
        "symbol": bot.symbol,
        "life_cycle": bot.life_cycle,
        "why": _why(bot.seats),
        "price": text(bot.price),
        "position": {"quantity": text(held), "average_price": text(_average(ledgers, held))},
        "protection": _protection(bot, orders) if held else None,
        "orders": [_order(order) for order in orders],
        "pnl": _pnl(ledgers, bot.price),
        "regime": bot.regime,
        "owner": bot.owner,
    }


def _average(ledgers: Sequence[Ledger], held: Decimal) -> Decimal:
    holding = [ledger for ledger in ledgers if ledger.quantity]
    if len(holding) == 1:
        return holding[0].average_price
    return sum((each.position.cost for each in holding), ZERO) / held if held else ZERO


def _why(seats: Sequence[Flags]) -> str:
    """What keeps a bot from running, beside what its life cycle says."""
    found = ["quarantined" for seat in seats if seat.is_quarantined]
    found += [f"exiting: {seat.exit_reason}" for seat in seats if seat.exit_reason]
    return ", ".join(dict.fromkeys(found))


def _protection(bot: BotFacts, orders: Sequence[Order]) -> dict[str, Any]:
    """Where the stop is and who holds it: an order at the venue, or this process by watching the price."""
    resting = next((order for order in orders if order.want.slot.name == STOP_SLOT), None)
    if resting is not None:
        return {
            "stop_price": text(resting.price),
            "held_by": "venue",
            "placement": bot.stop_placement,
            "order": resting.client_order_id,
            "status": resting.status.value,
        }
    held_by = (
        "nobody" if bot.stop_price is None else "venue" if bot.stop_placement == "attached" else "process"
    )
    return {
        "stop_price": text(bot.stop_price),
        "held_by": held_by,
        "placement": bot.stop_placement,
        "order": None,
        "status": None,
    }


def _pnl(ledgers: Sequence[Ledger], price: Decimal | None) -> dict[str, Any]:
    """In quote currency. `total` is after fees and funding, at the last price; None while none is known."""
    is_flat = all(not ledger.quantity for ledger in ledgers)
    at = price if price is not None else ZERO if is_flat else None
    realized = sum((ledger.realized_pnl for ledger in ledgers), ZERO)
    total = None if at is None else sum((ledger.profit(at) for ledger in ledgers), ZERO)
    fees = sum((ledger.fees for ledger in ledgers), ZERO)
    funding = sum((ledger.funding for ledger in ledgers), ZERO)
    return {
        "realized": text(realized),
        "unrealized": None if total is None else text(total - realized + fees - funding),
        "fees": text(fees),
        "funding": text(funding),
        "total": text(total),
        "cycles": sum(ledger.cycles for ledger in ledgers),
    }


def _order(order: Order) -> dict[str, Any]:
    return {
        "client_order_id": order.client_order_id,
        "slot": order.want.slot.name,
        "purpose": order.purpose.value,
        "side": order.side.value,
        "type": order.type.value,
        "price": text(order.price),
        "quantity": text(order.quantity),
        "filled": text(order.filled),
        "status": order.status.value,
        "is_canceling": order.is_canceling,
    }


def _has_anything(ledger: Ledger) -> bool:
    return bool(ledger.quantity or ledger.realized_pnl or ledger.fees or ledger.funding)


def _house(ledger: Ledger) -> dict[str, Any]:
    return {
        "symbol": ledger.symbol,
        "quantity": text(ledger.quantity),
        "realized": text(ledger.realized_pnl),
        "fees": text(ledger.fees),
        "funding": text(ledger.funding),
    }


def text(amount: Decimal | None) -> str | None:
    """An amount as plain digits."""
    return None if amount is None else f"{amount:f}"

"""How bots stand, for people and screens: what the mark of a snapshot tells beside the snapshot itself."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from traderagent_core.account.state import Order
from traderagent_core.engine.codec import encode
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.member import Member
from traderagent_core.errors import DataError


def describe_engine(engine: Engine, coordinator: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Bots with their orders, position, risk and the state of their strategy, and the account; amounts as text.

    `coordinator` is what the driver knows of regimes, transitions and locks, as JSON-able values.
    """
    guard, setup = engine.guards.account, engine.setup
    equity = _equity(engine)
    account = {
        "balance": {"initial": _text(setup.balance), "current": _text(equity), "peak": _text(guard.peak)},
        "daily_loss": None if equity is None else _text(max(guard.day_start - equity, Decimal(0))),
        "modes": [watch.name for watch in guard.modes if watch.state.is_active],
        "coordinator": dict(coordinator or {}),
    }
    return {"account": account, "bots": {name: _bot(engine, each) for name, each in engine.members.items()}}


def _equity(engine: Engine) -> Decimal | None:
    """Not known while something is held and no price has come yet."""
    try:
        return engine.guards.equity()
    except DataError:
        return None


def _bot(engine: Engine, member: Member) -> dict[str, Any]:
    ledger = member.ledger
    live = [order for order in engine.account.orders.values() if order.want.plan.bot == member.name]
    return {
        "symbol": member.symbol,
        "orders": [_order(order) for order in live],
        "position": {"quantity": _text(ledger.quantity), "average_price": _text(ledger.average_price)},
        "realized_pnl": _text(ledger.realized_pnl),
        "fees": _text(ledger.fees),
        "funding": _text(ledger.funding),
        "cycles": ledger.cycles,
        "cycle_profit": _text(ledger.cycle_profit),
        "stop_price": _text(member.stop.price),
        "is_halted": member.is_halted,
        "is_paused": member.is_paused,
        "is_stopped": member.is_stopped,
        "is_quarantined": member.is_quarantined,
        "is_over_daily_loss": member.is_over_daily_loss,
        "halt_reason": member.exit_reason,
        "failures": len(member.failures),
        "strategy": encode(member.strategy.state),
    }


def _order(order: Order) -> dict[str, Any]:
    return {
        "level": order.want.slot.name,
        "purpose": order.purpose.value,
        "side": order.side.value,
        "price": _text(order.price),
        "quantity": _text(order.quantity),
        "filled": _text(order.filled),
        "status": order.status.value,
        "client_order_id": order.client_order_id,
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"

"""One account: the simulated exchange behind it, and what Bybit remembers about it beside that."""

import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from attrs import Factory, define
from traderagent_core.model import command as cmd
from traderagent_core.model.event import WatchCrossed
from traderagent_core.model.position import Position
from traderagent_core.venue.market import VenueMarket

from traderagent_bybit.codes import bad_parameter
from traderagent_bybit.sandbox.contracts import Contract, Leg
from traderagent_bybit.sandbox.exchange import PartingExchange
from traderagent_bybit.sandbox.numbers import ZERO
from traderagent_bybit.sandbox.records import ClosedTrade, Execution, Movement, Order
from traderagent_bybit.sandbox.tape import Place, Tape
from traderagent_bybit.sandbox.walker import Walker

NAMESPACE = uuid.UUID("6f0c1b52-3a57-5d0e-9a4b-0b1d5f7a9c11")
DEFAULT_LEVERAGE = Decimal(10)


@define(eq=False)
class LegState:
    """One position of a symbol: its market at the venue, and the position as executions made it."""

    contract: Contract
    leg: Leg
    market: VenueMarket
    walker: Walker
    position: Position = Factory(Position)
    orders: dict[str, Order] = Factory(dict)
    created_ms: int = 0
    updated_ms: int = 0
    seq: int = 0

    @property
    def quantity(self) -> Decimal:
        """Signed: negative is short."""
        return self.position.quantity

    @property
    def side(self) -> str:
        """Buy, Sell, or empty when flat."""
        return "" if not self.quantity else "Buy" if self.quantity > ZERO else "Sell"

    @property
    def last_price(self) -> Decimal:
        """The last price; mark and index are the same here."""
        return self.market.last_price()

    def reducible(self, side: str) -> Decimal:
        """What an order of this side can close."""
        return max(-self.quantity if side == "Buy" else self.quantity, ZERO)


@define(eq=False)
class SymbolState:
    """A symbol in an account: its legs and the mode it is in."""

    contract: Contract
    tape: Tape
    legs: dict[Leg, LegState]
    is_hedged: bool = False
    moves_price: bool = True
    """Whether a limit price outside the band is moved to its edge rather than refused."""

    def seek(self, place: Place) -> None:
        """Move all legs to a place with nothing met on the way."""
        price = self.tape.price(place)
        for leg in self.legs.values():
            leg.walker.seek(place, price)

    def active_legs(self) -> list[LegState]:
        """The legs that positions of the present mode are in."""
        names = (Leg.LONG, Leg.SHORT) if self.is_hedged else (Leg.BOTH,)
        return [self.legs[name] for name in names]


class Account:
    """State of one account. What it tells its owner gathers in `outbox` as (topic, row)."""

    def __init__(
        self, name: str, tapes: Mapping[str, tuple[Contract, Tape]], balance: Decimal, seed: int
    ) -> None:
        self.name = name
        self.seed = seed
        self.now_ms = 0
        instruments = [made for contract, _ in tapes.values() for made in contract.legs.values()]
        self.exchange = PartingExchange(instruments, balance=balance)
        self.symbols: dict[str, SymbolState] = {}
        self.legs: dict[str, LegState] = {}
        for symbol, (contract, tape) in tapes.items():
            self.symbols[symbol] = SymbolState(contract, tape, self._legs(contract, tape))
        self.orders: dict[str, Order] = {}
        self.links: dict[str, str] = {}
        self.spent_links: set[str] = set()
        self.open_orders: dict[str, Order] = {}
        self.executions: list[Execution] = []
        self.movements: list[Movement] = []
        self.closed_trades: list[ClosedTrade] = []
        self.coins: dict[str, Decimal] = {}
        self.outbox: list[tuple[str, dict[str, Any]]] = []
        self.crossed: list[WatchCrossed] = []
        """Prices that have come to where somebody other than an order waits for them."""
        self.moved_legs: dict[str, LegState] = {}
        self._counters: dict[str, int] = {}
        self.seq = 0

    def _legs(self, contract: Contract, tape: Tape) -> dict[Leg, LegState]:
        legs = {}
        for leg, instrument in contract.legs.items():
            market = self.exchange.markets[instrument.symbol]
            walker = Walker(self.exchange, market, tape)
            legs[leg] = self.legs[instrument.symbol] = LegState(contract, leg, market, walker)
            self.exchange.execute(cmd.SetLeverage(instrument.symbol, DEFAULT_LEVERAGE), 0)
        return legs

    # -- looking up -----------------------------------------------------------------------------------------

    def symbol(self, name: object) -> SymbolState:
        """The symbol of a request; 10001 when there is none."""
        state = self.symbols.get(name) if isinstance(name, str) else None
        if state is None:
            raise bad_parameter(
                f"params error: symbol invalid {name if isinstance(name, str) else ''}".rstrip()
            )
        return state

    def find_order(self, body: Mapping[str, Any]) -> Order | None:
        """The order that `orderId`, or else `orderLinkId`, names."""
        order_id = body.get("orderId") or self.links.get(str(body.get("orderLinkId") or ""))
        return self.orders.get(str(order_id)) if order_id else None

    def leg_of(self, order: Order) -> LegState:
        """The position that an order belongs to."""
        return self.symbols[order.contract.symbol].legs[order.leg]

    def orders_of(self, leg: LegState) -> list[Order]:
        """Open orders of one position, oldest first."""
        return list(leg.orders.values())

    # -- keeping --------------------------------------------------------------------------------------------

    def new_id(self, kind: str) -> str:
        """An identifier that a second run of the same requests gives again."""
        number = self._counters[kind] = self._counters.get(kind, 0) + 1
        return str(uuid.uuid5(NAMESPACE, f"{self.seed}/{self.name}/{kind}/{number}"))

    def keep(self, order: Order) -> None:
        """Remember a new order."""
        self.orders[order.order_id] = order
        if order.link_id:
            self.links[order.link_id] = order.order_id
            self.spent_links.add(order.link_id)
        if order.is_open:
            self.open(order)

    def open(self, order: Order) -> None:
        """Count an order among the open ones."""
        self.open_orders[order.order_id] = order
        self.leg_of(order).orders[order.order_id] = order

    def change(self, order: Order, status: str, *, cancel: str = "", reason: str = "") -> None:
        """Give an order a status and tell its owner."""
        order.status = status
        order.updated_ms = self.now_ms
        order.cancel_type = cancel or order.cancel_type
        order.reject_reason = reason or order.reject_reason
        if not order.is_open:
            self.open_orders.pop(order.order_id, None)
            self.leg_of(order).orders.pop(order.order_id, None)
        self.tell_order(order)

    def tell_order(self, order: Order) -> None:
        """Push an order as it is, and in the end the position that it belongs to."""
        self.outbox.append(("order", order.pushed()))
        leg = self.leg_of(order)
        self.moved_legs[leg.market.instrument.symbol] = leg

    def next_seq(self) -> int:
        """A number that grows with everything that happens in the account."""
        self.seq += 1
        return self.seq

    # -- money ----------------------------------------------------------------------------------------------

    @property
    def wallet_balance(self) -> Decimal:
        """USDT that is there when all positions are closed at their entry prices."""
        return self.exchange.flow + self.exchange.linear_cost

    def unrealized(self, legs: Iterable[LegState] | None = None) -> Decimal:
        """Profit and loss of open positions at the last prices."""
        chosen = self.legs.values() if legs is None else legs
        return sum(
            (leg.quantity * leg.last_price - leg.position.cost for leg in chosen if leg.quantity), ZERO
        )

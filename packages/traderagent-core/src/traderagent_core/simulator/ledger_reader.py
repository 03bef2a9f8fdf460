"""Reads the ledgers of a run back: positions, fees, funding, cycles and open notionals, record by record.

They are those of the account that wrote the records. Whose an order is and which fills completed a cycle is known
from the first reading, so that no wants have to be kept again.
"""

from collections.abc import Callable
from decimal import Decimal

from attrs import Factory, define

from traderagent_core.account.ledger import Ledger
from traderagent_core.account.state import Record
from traderagent_core.model.order import Side
from traderagent_core.simulator.record_reader import RecordReader, WantEntry

ZERO = Decimal(0)
BUY = Side.BUY


@define(eq=False)
class _OpenOrder:
    """An order that binds capital: it rests at a price and may add to the position."""

    ledger: Ledger
    is_buy: bool
    price: Decimal
    quantity: Decimal
    filled: Decimal = ZERO
    final_filled: Decimal | None = None

    def bind(self, quantity: Decimal) -> None:
        """So much more of it is open."""
        if self.is_buy:
            self.ledger.open_buys += self.price * quantity
        else:
            self.ledger.open_sells += self.price * quantity


@define(eq=False)
class LedgerReader:
    """Ledgers by bot and symbol, in the order of their first use; `touch` is told whose capital may have changed."""

    known: RecordReader
    touch: Callable[[Ledger], object]
    ledgers: dict[tuple[str, str], Ledger] = Factory(dict)
    _orders: dict[str, _OpenOrder] = Factory(dict)
    _fills: int = 0

    def handlers(self) -> dict[str, Callable[[Record], None]]:
        """What takes in each kind of record; others change no ledger."""
        return {
            "plan_granted": self._plan_granted,
            "order_submitted": self._order_submitted,
            "order_amended": self._order_amended,
            "order_ended": self._order_ended,
            "filled": self._filled,
            "foreign_filled": self._foreign_filled,
            "funding_booked": self._funding_booked,
            "ledger_handed_over": self._handed_over,
        }

    def ledger(self, bot: str, symbol: str) -> Ledger:
        """The ledger of a bot on an instrument."""
        ledger = self.ledgers.get((bot, symbol))
        if ledger is None:
            ledger = self.ledgers[bot, symbol] = Ledger(bot, symbol)
        return ledger

    def _plan_granted(self, record: Record) -> None:
        self.ledger(record[2], record[3])

    # -- orders ---------------------------------------------------------------------------------------------

    def _touched(self, want: WantEntry) -> Ledger:
        ledger = self.ledger(want.plan.bot, want.plan.symbol)
        self.touch(ledger)
        return ledger

    def _order_submitted(self, record: Record) -> None:
        _, _, order_id, want_id, _, _, price, quantity, reduce_only, _ = record
        want = self.known.wants[want_id - 1]
        ledger = self._touched(want)
        if price is not None and not reduce_only:
            order = self._orders[order_id] = _OpenOrder(ledger, want.leg.side is BUY, price, quantity)
            order.bind(quantity)

    def _order_amended(self, record: Record) -> None:
        _, _, order_id, price, quantity = record
        self._touched(self.known.owners[order_id])
        order = self._orders.get(order_id)
        if order is not None:
            order.bind(order.filled - order.quantity)
            order.price, order.quantity = price, quantity
            order.bind(quantity - order.filled)

    def _order_ended(self, record: Record) -> None:
        """The venue's word; final only when the fills say the same."""
        _, _, order_id, _, filled, _ = record
        self._touched(self.known.owners[order_id])
        order = self._orders.get(order_id)
        if order is not None:
            order.final_filled = filled
            self._end(order_id, order)

    def _end(self, order_id: str, order: _OpenOrder) -> None:
        """Whether an order is over; one that is whole binds nothing more."""
        if order.filled >= order.quantity:
            del self._orders[order_id]
        elif order.final_filled is not None and order.filled >= order.final_filled:
            order.bind(order.filled - order.quantity)
            del self._orders[order_id]

    # -- money ----------------------------------------------------------------------------------------------

    def _filled(self, record: Record) -> None:
        _, _, order_id, _, price, quantity, fee, *_ = record
        want = self.known.owners[order_id]
        ledger = self._touched(want)
        ledger.fees += fee
        ledger.position.apply(quantity if want.leg.side is BUY else -quantity, price)
        self._fills += 1
        ledger.cycles += self._fills in self.known.cycles
        order = self._orders.get(order_id)
        if order is not None:
            order.filled = order.filled + quantity if order.filled else quantity
            order.bind(-quantity)
            self._end(order_id, order)

    def _foreign_filled(self, record: Record) -> None:
        _, _, bot, symbol, _, side, price, quantity, fee = record
        ledger = self.ledger(bot, symbol)
        self._fills += 1
        ledger.fees += fee
        ledger.trade(quantity if side is BUY else -quantity, price)
        self.touch(ledger)

    def _funding_booked(self, record: Record) -> None:
        self.ledger(record[2], record[3]).funding += record[4]

    def _handed_over(self, record: Record) -> None:
        _, _, bot, symbol, heir, quantity, price = record
        giver, taker = self.ledger(bot, symbol), self.ledger(heir, symbol)
        giver.hand_over(taker, quantity, price)
        self.touch(giver)
        self.touch(taker)

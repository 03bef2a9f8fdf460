"""Reads the records of a run back into rows: fills, orders, trades, decisions."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar, overload

from attrs import Factory, define

from traderagent_core.account.state import Record
from traderagent_core.model.order import OrderType, Purpose, Side
from traderagent_core.model.plan import Leg
from traderagent_core.simulator.outcome import DecisionRow, FillRow, LevelRow, OrderRow
from traderagent_core.simulator.trades import Lot, TradeBook

ZERO = Decimal(0)
Row = TypeVar("Row")
EXIT_PURPOSES = (Purpose.EXIT, Purpose.STOP_LOSS, Purpose.TAKE_PROFIT)


class LazyRows(Sequence[Row]):
    """Rows that are only made when somebody looks at one; their number is known from the start."""

    def __init__(self, count: int, build: Callable[[], list[Row]]) -> None:
        self._count = count
        self._build = build
        self._rows: list[Row] | None = None

    def _all(self) -> list[Row]:
        if self._rows is None:
            self._rows = self._build()
        return self._rows

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Row]:
        return iter(self._all())

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        return self._all()[index]


@define(eq=False)
class WantEntry:
    """A want as the records tell it."""

    bot: str
    symbol: str
    slot: str
    leg_name: str
    purpose: Purpose
    side: Side
    quantity: Decimal
    origin: "WantEntry | None" = None
    lot: Lot | None = None
    filled: Decimal = ZERO


@define(eq=False)
class OrderEntry:
    """An order as the records tell it."""

    want: WantEntry
    submitted_ms: int
    type: OrderType
    price: Decimal | None
    quantity: Decimal
    status: str = "SUBMITTED"
    filled: Decimal = ZERO
    final_ms: int | None = None
    reason: str = ""


@define(eq=False)
class RecordReader:
    """One pass over the records; everything else is read off what it has kept."""

    plans: list[tuple[str, str, dict[str, Leg], Mapping[str, Any]]] = Factory(list)
    wants: list[WantEntry] = Factory(list)
    orders: dict[str, OrderEntry] = Factory(dict)
    fills: list[tuple[Record, WantEntry | None]] = Factory(list)
    decisions: list[DecisionRow] = Factory(list)
    trades: TradeBook = Factory(TradeBook)

    def read(self, records: Iterable[Record]) -> "RecordReader":
        """Take in all records of a run, from its first."""
        handlers = {
            name.removeprefix("_on_"): getattr(self, name) for name in dir(self) if name.startswith("_on_")
        }
        for record in records:
            handler = handlers.get(record[0])
            if handler is not None:
                handler(*record)
        return self

    # -- plans and wants ------------------------------------------------------------------------------------

    def _on_plan_granted(self, _: str, time_ms: int, bot: str, symbol: str, plan: Any, *rest: Any) -> None:
        factor, _mode, legs, reason = rest
        self.plans.append((bot, symbol, {leg.name: leg for leg in legs}, plan.evidence))
        if not plan.name.startswith("~"):
            evidence = {**plan.evidence, **({"factor": factor} if factor != 1 else {})}
            self._decide(time_ms, bot, "plan granted", plan.name, reason, _text(evidence))

    def _on_plan_rejected(
        self, _: str, time_ms: int, bot: str, name: str, reason: str, evidence: str
    ) -> None:
        self._decide(time_ms, bot, "plan rejected", name, reason, evidence)

    def _on_plan_closed(self, _: str, time_ms: int, plan_id: int, reason: str) -> None:
        bot, _symbol, legs, _evidence = self.plans[plan_id - 1]
        self._decide(time_ms, bot, "plan closed", next(iter(legs)), reason, "")

    def _on_want_granted(self, _: str, time_ms: int, plan_id: int, leg_name: str, *rest: Any) -> None:  # noqa: ARG002
        _prefix, quantity, _price, parent_id = rest
        bot, symbol, legs, _evidence = self.plans[plan_id - 1]
        leg = legs[leg_name]
        want = WantEntry(bot, symbol, leg.slot, leg_name, leg.purpose, leg.side, quantity)
        if parent_id:
            parent = self.wants[parent_id - 1]
            if parent.slot == leg.slot and parent.side is not leg.side and parent.origin is None:
                want.origin = parent
        self.wants.append(want)

    def _on_want_resized(self, _: str, time_ms: int, want_id: int, quantity: Decimal, *rest: Any) -> None:  # noqa: ARG002
        self.wants[want_id - 1].quantity = quantity

    def _on_want_blocked(self, _: str, time_ms: int, want_id: int, reason: str, retry: str) -> None:
        want = self.wants[want_id - 1]
        self._decide(time_ms, want.bot, "want blocked", want.slot, reason, f"retry={retry}")

    def _on_noted(self, _: str, time_ms: int, bot: str, reason: str, evidence: str) -> None:
        self._decide(time_ms, bot, "note", "", reason, evidence)

    def _on_plugin_failed(self, _: str, time_ms: int, bot: str, callback: str, error: str) -> None:
        self._decide(time_ms, bot, "plugin failed", callback, error, "")

    def _on_mode_changed(self, _: str, time_ms: int, mode: str, is_active: bool, reason: str) -> None:
        self._decide(time_ms, "", "mode on" if is_active else "mode off", mode, reason, "")

    def _decide(self, *values: Any) -> None:
        self.decisions.append(DecisionRow(*values))

    # -- orders and fills -----------------------------------------------------------------------------------

    def _on_order_submitted(self, _: str, time_ms: int, order_id: str, want_id: int, *rest: Any) -> None:
        _generation, kind, price, quantity, *_flags = rest
        self.orders[order_id] = OrderEntry(self.wants[want_id - 1], time_ms, kind, price, quantity)

    def _on_order_amended(self, _: str, time_ms: int, order_id: str, price: Any, quantity: Decimal) -> None:  # noqa: ARG002
        order = self.orders[order_id]
        order.price, order.quantity = price, quantity

    def _on_order_ended(self, _: str, time_ms: int, order_id: str, status: str, *rest: Any) -> None:
        order = self.orders[order_id]
        order.status, order.final_ms, order.reason = status, time_ms, rest[1]

    def _on_filled(self, *record: Any) -> None:
        _, time_ms, order_id, _trade, price, quantity, fee, *_ = record
        order = self.orders[order_id]
        want = order.want
        self.fills.append((record, want))
        order.filled += quantity
        order.final_ms = time_ms
        want.filled += quantity
        if want.purpose in EXIT_PURPOSES:
            self.trades.exit(want.bot, want.symbol, want.slot, time_ms, want.side, price, quantity, fee)
            return
        if want.lot is None:
            want.lot = self.trades.open(want.bot, want.symbol, want.slot, time_ms, want.side)
        want.lot.add(price, quantity, fee)
        origin = want.origin
        if origin is not None and origin.lot is not None and want.filled >= want.quantity:
            self.trades.cycle(origin.lot, want.lot, time_ms)

    def _on_foreign_filled(self, *record: Any) -> None:
        _, time_ms, bot, symbol, _trade, side, price, quantity, fee = record
        self.fills.append((record, None))
        self.trades.exit(bot, symbol, "", time_ms, side, price, quantity, fee)


def _text(evidence: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in evidence.items())


def fill_rows(reader: RecordReader) -> list[FillRow]:
    """One row for each execution."""
    rows = []
    for record, want in reader.fills:
        if want is None:
            _, time_ms, bot, symbol, trade_id, side, price, quantity, fee = record
            purpose = "LIQUIDATION" if bot else "FOREIGN"
            row = (
                time_ms,
                bot,
                symbol,
                "",
                purpose,
                side.value,
                price,
                quantity,
                fee,
                "TAKER",
                False,
                "",
                trade_id,
            )
        else:
            _, time_ms, order_id, trade_id, price, quantity, fee, liquidity, is_ambiguous = record
            place = (want.bot, want.symbol, want.slot, want.purpose.value, want.side.value)
            row = (time_ms, *place, price, quantity, fee, liquidity.value, is_ambiguous, order_id, trade_id)
        rows.append(FillRow(*row))
    return rows


def order_rows(reader: RecordReader) -> list[OrderRow]:
    """One row for each order, in the order of sending."""
    rows = []
    for order_id, order in reader.orders.items():
        want = order.want
        is_filled = order.filled >= order.quantity
        status = "FILLED" if is_filled else order.status if order.status != "SUBMITTED" else "OPEN"
        rows.append(
            OrderRow(
                order.submitted_ms,
                order.final_ms if status != "OPEN" else None,
                want.bot,
                want.symbol,
                want.slot,
                want.purpose.value,
                want.side.value,
                order.type.value,
                order.price,
                order.quantity,
                order.filled,
                status,
                order.reason,
                order_id,
            )
        )
    return rows


def level_rows(reader: RecordReader, end_ms: int) -> list[LevelRow]:
    """Where limit and stop orders rested, and from when to when."""
    return [
        LevelRow(row.bot, row.symbol, row.side, row.price, row.submitted_ms, row.final_ms or end_ms)
        for row in order_rows(reader)
        if row.price is not None
    ]

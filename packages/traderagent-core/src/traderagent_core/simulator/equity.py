"""The equity curve: one array pass over the closes, from the money and quantities that fills left behind."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from traderagent_core.account.state import Record
from traderagent_core.model.candle import Candles, FloatColumn, TimeColumn
from traderagent_core.model.order import Side
from traderagent_core.simulator.outcome import EquityCurve

BUY = Side.BUY


class _Steps:
    """Something that changes at times and stays in between."""

    def __init__(self) -> None:
        self.times: list[int] = []
        self.values: list[float] = []

    def add(self, time_ms: int, value: Decimal) -> None:
        self.times.append(time_ms)
        self.values.append(float(value))

    def at(self, closes: TimeColumn) -> FloatColumn:
        """The value at each close; changes at the time of a close count."""
        first = closes.searchsorted(np.array(self.times, dtype=np.int64))
        lengths = np.diff(np.concatenate(([0], first, [len(closes)])))
        return np.repeat(np.array([0.0, *self.values]), lengths)


def equity_curve(
    records: Sequence[Record],
    traded: Mapping[str, tuple[str, Side]],
    candles: Mapping[str, Candles],
    balance: Decimal,
    start_ms: int,
) -> EquityCurve:
    """Equity and exposure at each close from `start_ms` on; `traded` gives symbol and side of each order id."""
    money, held = _steps(records, traded, balance)
    closes = _closes(candles, start_ms)
    equity = np.full(len(closes), float(balance)) if not money.times else _from(money, closes, float(balance))
    exposure = np.zeros(len(closes))
    for symbol, steps in held.items():
        value = steps.at(closes)
        value *= _price_at(candles[symbol], closes)
        equity += value
        np.abs(value, out=value)
        exposure += value
    np.divide(exposure, equity, out=exposure, where=equity > 0)
    return EquityCurve(closes, equity, exposure)


def _from(steps: _Steps, closes: TimeColumn, start: float) -> FloatColumn:
    values = steps.at(closes)
    values[: int(closes.searchsorted(steps.times[0]))] = start
    return values


def _steps(
    records: Sequence[Record], traded: Mapping[str, tuple[str, Side]], balance: Decimal
) -> tuple[_Steps, dict[str, _Steps]]:
    """Cash flow so far and quantity held of each instrument, after each fill and funding."""
    money = _Steps()
    held: dict[str, _Steps] = {}
    flow = balance
    quantities: dict[str, Decimal] = {}
    for record in records:
        kind = record[0]
        if kind == "filled":
            _, time_ms, order_id, _, price, quantity, fee, *_ = record
            symbol, order_side = traded[order_id]
        elif kind == "foreign_filled":
            _, time_ms, _, symbol, _, order_side, price, quantity, fee = record
        elif kind == "funding_booked":
            flow += record[4]
            money.add(record[1], flow)
            continue
        else:
            continue
        signed = quantity if order_side is BUY else -quantity
        flow -= signed * price + fee
        quantities[symbol] = quantities.get(symbol, Decimal(0)) + signed
        money.add(time_ms, flow)
        held.setdefault(symbol, _Steps()).add(time_ms, quantities[symbol])
    return money, held


def _closes(candles: Mapping[str, Candles], start_ms: int) -> TimeColumn:
    columns = [series.open_time + series.duration_ms for series in candles.values()]
    closes = columns[0] if len(columns) == 1 else np.unique(np.concatenate(columns))
    return closes[closes.searchsorted(start_ms) :]


def _price_at(candles: Candles, closes: TimeColumn) -> FloatColumn:
    """The last close at each time; before the first candle its open, where nothing can be held yet."""
    own = candles.open_time + candles.duration_ms
    if len(own) >= len(closes) and np.array_equal(own[len(own) - len(closes) :], closes):
        return np.asarray(candles.close[len(own) - len(closes) :])
    index = own.searchsorted(closes, side="right") - 1
    return np.asarray(candles.close)[np.maximum(index, 0)]

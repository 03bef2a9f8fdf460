"""The equity curve: one array pass over the closes, from the money and quantities that fills left behind."""

from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from traderagent_core.model.candle import Candles, FloatColumn, TimeColumn
from traderagent_core.simulator.outcome import EquityCurve


class _Steps:
    """Something that changes at times and stays in between."""

    def __init__(self, start: float) -> None:
        self.times: list[int] = []
        self.values: list[float] = [start]

    def add(self, time_ms: int, value: Decimal) -> None:
        self.times.append(time_ms)
        self.values.append(float(value))

    def at(self, closes: TimeColumn) -> FloatColumn:
        """The value at each close; changes at the time of a close count."""
        first = closes.searchsorted(np.array(self.times, dtype=np.int64))
        lengths = np.diff(np.concatenate(([0], first, [len(closes)])))
        return np.repeat(np.array(self.values), lengths)


class MoneySteps:
    """Cash flow and quantities held after each fill and funding payment; money in quote currency."""

    def __init__(self, balance: Decimal) -> None:
        self._flow = balance
        self._quantities: dict[str, Decimal] = {}
        self.flow = _Steps(float(balance))
        self.held: dict[str, _Steps] = {}

    def fill(self, time_ms: int, symbol: str, signed: Decimal, price: Decimal, fee: Decimal) -> None:
        """Take in an execution; `signed` is its quantity, negative for a sale."""
        self.pay(time_ms, -signed * price - fee)
        held = self.held.get(symbol)
        if held is None:
            held = self.held[symbol] = _Steps(0.0)
            self._quantities[symbol] = Decimal(0)
        quantity = self._quantities[symbol] = self._quantities[symbol] + signed
        held.add(time_ms, quantity)

    def pay(self, time_ms: int, amount: Decimal) -> None:
        """Take in money."""
        self._flow += amount
        self.flow.add(time_ms, self._flow)


def equity_curve(money: MoneySteps, candles: Mapping[str, Candles], start_ms: int) -> EquityCurve:
    """Equity and exposure at each close of any of the instruments, from `start_ms` on."""
    closes = _closes(candles, start_ms)
    equity = money.flow.at(closes)
    exposure = np.zeros(len(closes))
    for symbol, steps in money.held.items():
        value = steps.at(closes)
        value *= _price_at(candles[symbol], closes)
        equity += value
        np.abs(value, out=value)
        exposure += value
    np.divide(exposure, equity, out=exposure, where=equity > 0)
    return EquityCurve(closes, equity, exposure)


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

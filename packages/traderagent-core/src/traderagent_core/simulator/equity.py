"""The equity curve: one array pass over the closes, from the money and quantities that fills left behind."""

from array import array
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise

import numpy as np

from traderagent_core.model.candle import Candles, FloatColumn, TimeColumn
from traderagent_core.simulator.outcome import EquityCurve

ZERO = Decimal(0)
DENSE = 200
"""Up to so many closes for each move, short stretches are laid out in one go; longer ones are filled one by one."""


class MoneySteps:
    """Money and quantities after every execution and payment of a run, to be turned into columns at its end.

    Sums are exact and in quote currency; they are kept as floats, which is what the columns are made of.
    """

    def __init__(self, balance: Decimal) -> None:
        self._flow = _Steps(balance)
        self._held: dict[str, _Steps] = {}

    def fill(self, time_ms: int, symbol: str, signed: Decimal, money: Decimal) -> None:
        """Take in an execution: `signed` is its quantity, negative for a sale, `money` what it brought in."""
        self._flow.move(time_ms, money)
        held = self._held.get(symbol)
        if held is None:
            held = self._held[symbol] = _Steps(ZERO)
        held.move(time_ms, signed)

    def pay(self, time_ms: int, amount: Decimal) -> None:
        """Take in money, such as funding."""
        self._flow.move(time_ms, amount)

    def flow_at(self, closes: TimeColumn) -> FloatColumn:
        """Balance and all money that has come in by each close."""
        return self._flow.at(closes)

    def held_at(self, closes: TimeColumn) -> dict[str, FloatColumn]:
        """Quantity held of each traded instrument at each close."""
        return {symbol: steps.at(closes) for symbol, steps in self._held.items()}


class _Steps:
    """The running sum of moves, taken in in order of time; a move at the time of a close counts there."""

    def __init__(self, start: Decimal) -> None:
        self._total = start
        self._times = array("q")
        self._totals = array("d", [float(start)])

    def move(self, time_ms: int, amount: Decimal) -> None:
        """Add to the sum."""
        self._total = total = self._total + amount
        self._times.append(time_ms)
        self._totals.append(float(total))

    def at(self, closes: TimeColumn) -> FloatColumn:
        """The sum at each close."""
        first = closes.searchsorted(np.array(self._times))
        if len(closes) < DENSE * len(first):
            lengths = np.diff(np.concatenate(([0], first, [len(closes)])))
            return np.repeat(np.array(self._totals), lengths)
        edges = [0, *first.tolist(), len(closes)]
        values = np.empty(len(closes))
        for (begin, end), total in zip(pairwise(edges), self._totals, strict=True):
            if end > begin:
                values[begin:end] = total
        return values


def equity_curve(money: MoneySteps, candles: Mapping[str, Candles], start_ms: int) -> EquityCurve:
    """Equity and exposure at each close of any of the instruments, from `start_ms` on."""
    closes = _closes(candles, start_ms)
    equity = money.flow_at(closes)
    exposure: FloatColumn | None = None
    for symbol, value in money.held_at(closes).items():
        value *= _price_at(candles[symbol], closes, is_only=len(candles) == 1)
        equity += value
        np.abs(value, out=value)
        if exposure is None:
            exposure = value
        else:
            exposure += value
    if exposure is None:
        return EquityCurve(closes, equity, np.zeros(len(closes)))
    if not len(equity) or equity.min() > 0:
        exposure /= equity
    else:
        np.divide(exposure, equity, out=exposure, where=equity > 0)
    return EquityCurve(closes, equity, exposure)


def _closes(candles: Mapping[str, Candles], start_ms: int) -> TimeColumn:
    columns = [series.open_time + series.duration_ms for series in candles.values()]
    closes = columns[0] if len(columns) == 1 else np.unique(np.concatenate(columns))
    return closes[closes.searchsorted(start_ms) :]


def _price_at(candles: Candles, closes: TimeColumn, *, is_only: bool) -> FloatColumn:
    """The last close at each time; before the first candle its open, where nothing can be held yet."""
    if is_only:
        return np.asarray(candles.close[len(candles) - len(closes) :])
    own = candles.open_time + candles.duration_ms
    index = own.searchsorted(closes, side="right") - 1
    return np.asarray(candles.close)[np.maximum(index, 0)]

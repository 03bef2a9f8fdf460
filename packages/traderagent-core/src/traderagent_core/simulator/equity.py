"""The equity curve: one array pass over the closes, from the money and quantities that fills left behind."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import accumulate, pairwise
from operator import itemgetter

import numpy as np

from traderagent_core.model.candle import Candles, FloatColumn, TimeColumn
from traderagent_core.simulator.outcome import EquityCurve

DENSE = 200
"""Up to so many closes for each move, short stretches are laid out in one go; longer ones are filled one by one."""


class MoneySteps:
    """Every execution and payment of a run, to be turned into columns at its end; money in quote currency."""

    def __init__(self, balance: Decimal) -> None:
        self.balance = balance
        self._fills: list[tuple[int, str, Decimal, Decimal, Decimal]] = []
        self._payments: list[tuple[int, Decimal]] = []

    def fill(self, time_ms: int, symbol: str, signed: Decimal, price: Decimal, fee: Decimal) -> None:
        """Take in an execution; `signed` is its quantity, negative for a sale."""
        self._fills.append((time_ms, symbol, signed, price, fee))

    def pay(self, time_ms: int, amount: Decimal) -> None:
        """Take in money, such as funding."""
        self._payments.append((time_ms, amount))

    def flow_at(self, closes: TimeColumn) -> FloatColumn:
        """Balance and all money that has come in by each close."""
        moves = [(time_ms, -signed * price - fee) for time_ms, _, signed, price, fee in self._fills]
        if self._payments:
            moves = sorted(moves + self._payments, key=itemgetter(0))
        return _stepped(moves, self.balance, closes)

    def held_at(self, closes: TimeColumn) -> dict[str, FloatColumn]:
        """Quantity held of each traded instrument at each close."""
        symbols = dict.fromkeys(fill[1] for fill in self._fills)
        moves = {
            symbol: [(fill[0], fill[2]) for fill in self._fills if fill[1] == symbol] for symbol in symbols
        }
        return {symbol: _stepped(own, Decimal(0), closes) for symbol, own in moves.items()}


def _stepped(moves: Sequence[tuple[int, Decimal]], start: Decimal, closes: TimeColumn) -> FloatColumn:
    """The exact running sum of moves at each close, as floats; a move at the time of a close counts."""
    sums = accumulate((amount for _, amount in moves), initial=start)
    first = closes.searchsorted(np.array([time_ms for time_ms, _ in moves], dtype=np.int64))
    if len(closes) < DENSE * len(moves):
        lengths = np.diff(np.concatenate(([0], first, [len(closes)])))
        return np.repeat(np.array([float(total) for total in sums]), lengths)
    edges = [0, *first.tolist(), len(closes)]
    values = np.empty(len(closes))
    for (begin, end), total in zip(pairwise(edges), sums, strict=True):
        if end > begin:
            values[begin:end] = float(total)
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

"""Made-up markets: seeded candles with the habits of real ones, for tests, benchmarks and the demo.

The returns show what is known of real ones (R. Cont, "Empirical properties of asset returns", Quantitative Finance 1,
2001): no linear autocorrelation, fat tails (Student t), volatility that comes in clusters (log-autoregressive, a fast
and a slow part), rare jumps. Highs and lows are extremes of a Brownian bridge between open and close
(P. Glasserman, "Monte Carlo Methods in Financial Engineering", 2003, section 6.4).

The same arguments give the same bytes within one major version of numpy, on machines of one kind: prices lie on a
tick grid, which hides the last bits in which exponentials may differ between processors in all but rare cases.
"""

from decimal import Decimal
from math import exp, floor, log, log10, sqrt

import numpy as np
from numpy.typing import NDArray

from traderagent_core.data.resampling import grid_offset_ms
from traderagent_core.errors import DataError
from traderagent_core.model.candle import Candles
from traderagent_core.model.timeframe import DAY_MS, HOUR_MS, timeframe_ms

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_YEAR_MS = 365 * DAY_MS
_TAIL_FREEDOM = 4.0  # degrees of freedom of the t distribution; crypto returns fit 3 to 5
_FAST, _SLOW = (4 * HOUR_MS, 0.45), (5 * DAY_MS, 0.55)  # half-life and deviation of the log volatility
_LEAST_HALF_LIFE = 5.0  # candles; keeps clusters visible on long timeframes
_REVERSION_HALF_LIFE_MS = DAY_MS
_DAYS_PER_JUMP = 30
_JUMP_DEVIATIONS = 25.0  # a jump, in deviations of an average candle's return
_LONGEST_JUMP = 0.25
_MEAN_GAP = 20.0
_MOST_ROWS = 100_000_000
_LAST_MS = 10**14  # the year 5138
_HIGHEST_LOG = 100.0
_EXACT = 2.0**53  # whole numbers below are exact as doubles


def generate_candles(
    *,
    symbol: str,
    timeframe: str,
    rows: int,
    seed: int,
    start_ms: int,
    price: float = 40_000.0,
    annual_volatility: float = 0.6,
    gaps: int = 0,
    jumps: int | None = None,
    reversion: float = 0.0,
    tick_size: Decimal | None = None,
    daily_turnover: float = 50_000_000.0,
) -> Candles:
    """`rows` candles from `start_ms` on, the first opening at `price` (quote currency).

    `annual_volatility` is a ratio (0.6 is 60 % a year). `gaps` is the number of holes in time, some tens of candles
    each. `jumps` is the number of sudden moves; None means about one in thirty days. `reversion` is the share of
    variance (0 to 1) that returns to a mean with a half-life of a day, so that grids trade. `tick_size` defaults to
    about a hundred-thousandth of the price; `daily_turnover` is in quote currency. Raises DataError when an argument
    is out of its range.
    """
    length = timeframe_ms(timeframe)
    _require_times(rows, start_ms, timeframe, gaps)
    _require_shape(price, annual_volatility, reversion)
    tick = _valid_tick(price, tick_size)
    random = np.random.Generator(np.random.PCG64(seed))
    open_time = _times(random, rows, start_ms, length, gaps)
    deviation = annual_volatility * sqrt(length / _YEAR_MS)
    deviations = deviation * _volatility(random, rows, length)
    returns = _returns(random, deviations, length, reversion)
    _add_jumps(random, returns, deviation, length, jumps)
    ticks = _ticks(random, returns, deviations, price, tick)
    opens, highs, lows, closes = (_prices(column, tick) for column in ticks)
    volume = _volumes(random, ticks, opens, daily_turnover * length / DAY_MS)
    return Candles(symbol, timeframe, open_time, opens, highs, lows, closes, volume)


def default_tick(price: float) -> Decimal:
    """A power of ten near a hundred-thousandth of the price."""
    return Decimal(10) ** (floor(log10(price)) - 5)


def _require_times(rows: int, start_ms: int, timeframe: str, gaps: int) -> None:
    length = timeframe_ms(timeframe)
    _require(1 <= rows <= _MOST_ROWS, f"rows is {rows}; expected 1 to {_MOST_ROWS:,}")
    is_on_grid = (start_ms - grid_offset_ms(timeframe)) % length == 0
    _require(
        is_on_grid,
        f"start {start_ms} is off the grid; expected whole {timeframe} steps (UTC, weeks on Mondays)",
    )
    end_ms = start_ms + (rows + 50 * gaps) * length
    _require(start_ms >= 0 and end_ms < _LAST_MS, "the times end too far in the future; expected fewer rows")
    _require(0 <= gaps < rows, f"gaps is {gaps}; expected fewer than the {rows} rows")


def _require_shape(price: float, annual_volatility: float, reversion: float) -> None:
    _require(0 < price < 1e12, f"price is {price}; expected more than 0")
    _require(
        0 < annual_volatility <= 10,
        f"annual volatility is {annual_volatility}; expected a ratio up to 10, 0.6 is 60 %",
    )
    _require(0 <= reversion <= 1, f"reversion is {reversion}; expected a share from 0 to 1")


def _valid_tick(price: float, tick_size: Decimal | None) -> Decimal:
    tick = default_tick(price) if tick_size is None else tick_size
    _require(0 < tick <= Decimal(price), f"tick size is {tick}; expected more than 0 and at most the price")
    return tick


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise DataError(f"cannot generate candles: {message}")


def _times(random: np.random.Generator, rows: int, start_ms: int, length: int, gaps: int) -> Ints:
    steps = np.ones(rows, dtype=np.int64)
    steps[0] = 0
    behind = random.choice(rows - 1, size=gaps, replace=False) + 1 if gaps else np.empty(0, dtype=np.int64)
    steps[behind] += random.geometric(1 / _MEAN_GAP, size=gaps)
    return start_ms + np.cumsum(steps) * length


def _volatility(random: np.random.Generator, rows: int, length: int) -> Floats:
    """A positive factor of mean square 1 that stays high or low for a while."""
    logs = np.zeros(rows)
    for half_life_ms, deviation in (_FAST, _SLOW):
        logs += deviation * _autoregression(random, rows, _memory(half_life_ms, length))
    variance = _FAST[1] ** 2 + _SLOW[1] ** 2
    logs -= variance  # the mean of exp(2x) for x normal with this variance is exp(2 * variance)
    return np.exp(logs, out=logs)


def _memory(half_life_ms: int, length: int) -> float:
    return float(exp(-log(2) / max(half_life_ms / length, _LEAST_HALF_LIFE)))


def _autoregression(random: np.random.Generator, rows: int, memory: float) -> Floats:
    """A stationary series x[t] = memory * x[t-1] + noise of variance 1."""
    noise = random.standard_normal(rows)
    noise[1:] *= sqrt(1 - memory * memory)
    return _filtered(noise, memory)


def _filtered(noise: Floats, memory: float) -> Floats:
    """x[t] = memory * x[t-1] + noise[t], in blocks: within one, powers of `memory` turn it into a running sum."""
    block = max(1, min(len(noise), int(20 / -log(memory))))
    padded = np.zeros(-(-len(noise) // block) * block)
    padded[: len(noise)] = noise
    rows = padded.reshape(-1, block)
    powers = memory ** np.arange(block)
    rows /= powers
    np.cumsum(rows, axis=1, out=rows)
    rows *= powers
    carry, decay = 0.0, memory * powers
    for row in rows:
        if carry:
            row += carry * decay
        carry = row[-1]
    return padded[: len(noise)]


def _returns(random: np.random.Generator, deviations: Floats, length: int, reversion: float) -> Floats:
    """Logarithmic returns: a walk, and where asked a part that is the change of a mean-reverting level."""
    scale = sqrt((1 - reversion) * (_TAIL_FREEDOM - 2) / _TAIL_FREEDOM)
    returns = random.standard_t(_TAIL_FREEDOM, size=len(deviations))
    returns *= scale
    returns *= deviations
    if reversion:
        noise = random.standard_normal(len(deviations))
        noise *= sqrt(reversion)
        noise *= deviations
        returns += np.diff(_filtered(noise, _memory(_REVERSION_HALF_LIFE_MS, length)), prepend=0.0)
    return returns


def _add_jumps(
    random: np.random.Generator, returns: Floats, deviation: float, length: int, jumps: int | None
) -> None:
    count = round(len(returns) * length / (_DAYS_PER_JUMP * DAY_MS)) if jumps is None else jumps
    if count <= 0:
        return
    at = random.choice(len(returns), size=min(count, len(returns)), replace=False)
    size = min(_LONGEST_JUMP, _JUMP_DEVIATIONS * deviation)
    returns[at] += size * random.uniform(0.5, 1.5, len(at)) * random.choice((-1.0, 1.0), len(at))


def _ticks(
    random: np.random.Generator, returns: Floats, deviations: Floats, price: float, tick: Decimal
) -> tuple[Ints, Ints, Ints, Ints]:
    """Open, high, low and close as whole ticks; each candle opens where the one before closed."""
    first = log(price)
    logs = np.cumsum(returns)
    logs += first
    _require(
        float(logs.max()) < _HIGHEST_LOG, "the price runs away; lower the volatility or the number of rows"
    )
    closes = _whole_ticks(np.exp(logs), tick)
    opens = np.empty_like(closes)
    opens[0], opens[1:] = _whole_ticks(np.array([price]), tick)[0], closes[:-1]
    up, down = (_bridge_extreme(random, returns, deviations, side) for side in (1.0, -1.0))
    start = logs - returns
    up += start
    highs = _whole_ticks(np.exp(up, out=up), tick)
    np.subtract(start, down, out=down)
    lows = _whole_ticks(np.exp(down, out=down), tick)
    np.maximum(highs, np.maximum(opens, closes), out=highs)
    np.minimum(lows, np.minimum(opens, closes), out=lows)
    return opens, highs, lows, closes


def _bridge_extreme(random: np.random.Generator, returns: Floats, deviations: Floats, side: float) -> Floats:
    """Distance from the open to the highest (side 1) or lowest (side -1) point of a bridge: inverse of its law."""
    reach = random.standard_exponential(len(returns))
    reach *= 2
    reach *= deviations
    reach *= deviations
    reach += returns * returns
    np.sqrt(reach, out=reach)
    reach += side * returns
    reach *= 0.5
    return reach


def _whole_ticks(prices: Floats, tick: Decimal) -> Ints:
    ticks = prices / float(tick)
    _require(float(ticks.max()) < _EXACT, "the price runs away; lower the volatility or the number of rows")
    return np.maximum(np.rint(ticks, out=ticks), 1.0).astype(np.int64)


def _prices(ticks: Ints, tick: Decimal) -> Floats:
    """The doubles nearest to whole multiples of the tick: one correctly rounded division of exact integers."""
    numerator, denominator = tick.as_integer_ratio()
    return (ticks * numerator).astype(np.float64) / denominator


def _volumes(
    random: np.random.Generator, ticks: tuple[Ints, Ints, Ints, Ints], price: Floats, turnover: float
) -> Floats:
    """Base units that grow with the range of the candle, in lots of a millionth of an average candle's volume."""
    spread = (ticks[1] - ticks[2] + 1).astype(np.float64)
    spread /= spread.mean()
    np.sqrt(spread, out=spread)
    spread *= np.exp(0.5 * random.standard_normal(len(spread)) - 0.125)
    average = turnover / float(price[0])
    decimals = max(0, 3 - floor(log10(average)))
    spread *= average * 10.0**decimals
    return np.maximum(np.rint(spread, out=spread), 1.0) / 10.0**decimals

"""Entry setups: a candle pattern with the zone behind it, the trends and the reward before it.

For strategies that want such entries and for reports; the filter's verdicts do not use them.
"""

from collections.abc import Iterable

from attrs import frozen

from traderagent_smc.analysis import TimeframeAnalysis
from traderagent_smc.candle_patterns import Pattern, find_patterns
from traderagent_smc.config import SetupConfig
from traderagent_smc.market import SymbolMarket
from traderagent_smc.valuation import Placed, Side, Valuation, value_zones

HALF = 0.5


@frozen
class Setup:
    """A pattern at the latest close of the base timeframe, with prices in quote currency.

    `reward` is R = |target - entry| / |entry - stop|; 0 when there is no target. `zone` names the zone behind it.
    """

    pattern: Pattern
    entry: float
    stop: float
    target: float | None
    reward: float
    trend: float
    confluence: float
    confidence: float
    zone: str | None
    is_proposed: bool


def find_setups(market: SymbolMarket) -> list[Setup]:
    """The setups of both directions at the latest candle of the base timeframe, the most confident first."""
    usable = market.usable
    if not usable:
        return []
    base, config = usable[-1], market.config
    valuation = value_zones(usable, config.proximity_atr)
    trends = {direction: trend_share(market, direction) for direction in (1, -1)}
    patterns = find_patterns(base.chart, base.atr, trends_up=trends[1] > HALF, trends_down=trends[-1] > HALF)
    setups = [_setup(pattern, market, base, valuation, trends[pattern.direction]) for pattern in patterns]
    return sorted((setup for setup in setups if setup is not None), key=lambda setup: -setup.confidence)


def trend_share(market: SymbolMarket, direction: int) -> float:
    """How far the trends of the higher timeframes agree, 0 to 1; no trend counts a half."""
    names = list(market.analyses)
    shares = market.config.setups.trend_weights
    weights = dict(zip(names[:-1] or names, (shares.high, shares.middle, shares.low), strict=False))
    total = sum(weights.values())
    if not total:
        return HALF
    agreed = sum(
        weight * (1.0 + direction * market.analyses[name].trend) / 2.0 for name, weight in weights.items()
    )
    return agreed / total


def _setup(
    pattern: Pattern, market: SymbolMarket, base: TimeframeAnalysis, valuation: Valuation, trend: float
) -> Setup | None:
    config, direction = market.config.setups, pattern.direction
    entry = base.chart.close[-1]
    strength, zone = _zone_behind(pattern, valuation.side(direction))
    edge = pattern.low if direction > 0 else pattern.high
    reach = market.config.proximity_atr * base.atr if base.atr == base.atr else 0.0
    if zone is not None:
        edge = zone.zone.bottom if direction > 0 else zone.zone.top
        reach = zone.reach
    stop = edge - direction * reach
    if (entry - stop) * direction <= 0.0:
        return None
    target = _target(entry, direction, market.usable, valuation)
    reward = abs(target - entry) / abs(entry - stop) if target is not None else 0.0
    confidence = setup_confidence(
        config, quality=pattern.quality, confluence=strength / 100.0, trend=trend, reward=reward
    )
    is_proposed = confidence >= config.least_confidence and reward >= config.least_reward
    name = None if zone is None else zone.identity
    return Setup(pattern, entry, stop, target, reward, trend, strength / 100.0, confidence, name, is_proposed)


def setup_confidence(
    config: SetupConfig, *, quality: float, confluence: float, trend: float, reward: float
) -> float:
    """0.4 · pattern + 0.3 · confluence + 0.2 · trend + 0.1 · min(1, R / 3), by default."""
    weights = config.weights
    return (
        weights.pattern * quality
        + weights.confluence * confluence
        + weights.trend * trend
        + weights.reward * min(1.0, reward / config.full_reward)
    )


def _zone_behind(pattern: Pattern, side: Side) -> tuple[float, Placed | None]:
    """The strongest live zone of the direction that the pattern's candles overlap."""
    best, chosen = 0.0, None
    for placed in side.placed:
        zone = placed.zone
        if zone.bottom < pattern.high and zone.top > pattern.low and side.strength(placed) > best:
            best, chosen = side.strength(placed), placed
    return best, chosen


def _target(
    entry: float, direction: int, analyses: Iterable[TimeframeAnalysis], valuation: Valuation
) -> float | None:
    """The nearest price ahead where opposite liquidity rests or an opposite zone begins."""
    levels = [
        placed.zone.bottom if direction > 0 else placed.zone.top
        for placed in valuation.side(-direction).placed
    ]
    for analysis in analyses:
        side = analysis.high_pools if direction > 0 else analysis.low_pools
        levels += [pool.level for pool in side.pools]
    ahead = [level for level in levels if (level - entry) * direction > 0.0]
    return min(ahead, key=lambda level: abs(level - entry)) if ahead else None

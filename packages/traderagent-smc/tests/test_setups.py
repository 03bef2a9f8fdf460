"""Setups: pattern, zone behind, trends and reward, put together."""

from collections.abc import Callable
from typing import Any

import pytest
from traderagent_smc.config import SetupConfig, SmcConfig
from traderagent_smc.market import SymbolMarket
from traderagent_smc.setups import find_setups, setup_confidence, trend_share
from traderagent_smc.zones import BLOCK, Merits, Zone

SMALL = SmcConfig.model_validate(
    {"timeframes": ["1d", "4h", "1h", "15m"], "swing_length": {"1d": 2, "4h": 3, "1h": 4, "15m": 4}}
)
SYMBOL = "ETH/USDT"
BULL = (2012.0, 2012.5, 2009.0, 2012.4)


@pytest.fixture
def market(make: Callable[..., Any], view_of: Callable[..., Any]) -> SymbolMarket:
    """Quiet candles around 2010, then a bullish pin bar; no zones but those that a test puts there."""
    view = view_of(make([*[(2010.0, 2010.5, 2009.5, 2010.0)] * 200, BULL]))
    found = SymbolMarket(SYMBOL, SMALL)
    found.advance(view)
    for analysis in found.analyses.values():
        analysis.book.alive.clear()
        analysis.atr = 4.0
    return found


def put(market: SymbolMarket, bottom: float, top: float, direction: int = 1) -> None:
    analysis = market.analyses["15m"]
    number = len(analysis.book.alive) + 1
    merits = Merits(0.8, 0.0, 1.0, has_grab=False)
    near, far = (top, bottom) if direction > 0 else (-bottom, -top)
    zone = Zone(BLOCK, direction, 0, top, bottom, analysis.count - 1, number, near, far, number, merits)
    analysis.book.alive[number] = zone


def test_confidence_is_the_weighted_sum() -> None:
    found = setup_confidence(SetupConfig(), quality=0.9, confluence=0.8, trend=0.5, reward=1.5)
    assert found == pytest.approx(0.4 * 0.9 + 0.3 * 0.8 + 0.2 * 0.5 + 0.1 * 0.5)
    assert setup_confidence(SetupConfig(), quality=0, confluence=0, trend=0, reward=99) == pytest.approx(0.1)


def test_trends_count_by_their_timeframe(market: SymbolMarket) -> None:
    assert trend_share(market, 1) == pytest.approx(0.5)
    market.analyses["1d"].structure.bias = 1
    market.analyses["1h"].structure.bias = -1
    assert trend_share(market, 1) == pytest.approx(0.4 + 0.2)
    assert trend_share(market, -1) == pytest.approx(0.2 + 0.2)


def test_a_setup_stands_on_the_zone_behind_it_and_aims_at_the_next_one_ahead(market: SymbolMarket) -> None:
    put(market, 2008.0, 2010.0)
    put(market, 2030.0, 2040.0, -1)
    put(market, 2025.0, 2026.0, -1)
    (setup,) = (each for each in find_setups(market) if each.pattern.name == "pin_bar")
    assert (setup.entry, setup.stop, setup.target) == (2012.4, 2007.0, 2025.0)
    assert setup.reward == pytest.approx(12.6 / 5.4)
    assert (setup.confluence, setup.zone) == (0.8, "15m:bullish:order_block:1")
    assert setup.is_proposed


def test_without_a_zone_the_stop_is_behind_the_pattern_and_without_a_target_nothing_is_proposed(
    market: SymbolMarket,
) -> None:
    (setup,) = (each for each in find_setups(market) if each.pattern.name == "pin_bar")
    assert (setup.stop, setup.target, setup.reward, setup.confluence) == (2008.0, None, 0.0, 0.0)
    assert not setup.is_proposed


def test_pools_ahead_are_targets(market: SymbolMarket) -> None:
    from traderagent_smc.swings import Swing

    side = market.analyses["4h"].high_pools
    side.take(5, Swing(3, 1, 2020.0, 5), None, 1.0)
    side.take(9, Swing(7, 1, 2020.5, 9), None, 1.0)
    (setup,) = (each for each in find_setups(market) if each.pattern.name == "pin_bar")
    assert setup.target == 2020.25


def test_no_candles_give_no_setups() -> None:
    assert find_setups(SymbolMarket(SYMBOL, SMALL)) == []

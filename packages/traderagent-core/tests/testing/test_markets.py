"""The made-up markets have the habits they are named for."""

from decimal import Decimal

import numpy as np
import pytest
from traderagent_core.testing.markets import MARKETS, market, with_other_future


@pytest.mark.parametrize("name", MARKETS)
@pytest.mark.parametrize(("price", "tick"), [(100.0, "0.01"), (42_000.0, "0.1"), (0.000_012, "0.00000001")])
def test_candles_are_possible_and_on_the_tick(name, price, tick):
    candles = market(name, price=price, tick_size=Decimal(tick), rows=300)
    assert len(candles) == 300
    assert candles.open[0] == pytest.approx(price, rel=2e-3)
    assert (candles.high >= np.maximum(candles.open, candles.close)).all()
    assert (candles.low <= np.minimum(candles.open, candles.close)).all()
    assert (candles.low > 0).all()
    assert (np.diff(candles.open_time) > 0).all()
    for value in (candles.high[7], candles.low[123], candles.close[-1]):
        assert Decimal(repr(float(value))) % Decimal(tick) == 0


def test_same_arguments_give_the_same_candles_and_another_seed_others():
    first, second = (
        market("ranging", seed=3),
        MARKETS["ranging"]("BTC/USDT", "1h", 600, 100.0, Decimal("0.01"), 3),
    )
    assert np.array_equal(first.close, second.close)
    assert not np.array_equal(first.close, market("ranging", seed=4).close)


def test_columns_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        market("ranging").close[0] = 1.0


def test_habits():
    assert market("rising").close[-1] > 140
    assert market("falling").close[-1] < 70
    assert np.ptp(market("flat").high - market("flat").low) == 0.0
    drops = np.diff(np.log(market("crash").close))
    assert drops.min() == pytest.approx(np.log(0.4), abs=0.05)
    minutes = market("crash", timeframe="1m")
    assert minutes.close[419] < 0.5 * minutes.close[359]
    assert (np.diff(market("gappy").open_time) > 3_600_000).sum() >= 3
    assert (np.diff(market("ranging").open_time) == 3_600_000).all()


def test_other_future_keeps_the_past_and_the_next_open_and_turns_the_rest():
    whole = market("ranging")
    other = with_other_future(whole, 200, Decimal("0.01"))
    assert np.array_equal(whole.close[:200], other.close[:200])
    assert whole.open[200] == other.open[200]
    start = whole.open[200]
    assert ((whole.close[200:] > start + 0.1) <= (other.close[200:] < start)).all()
    assert (other.high >= other.low).all()


def test_unknown_market_is_refused_with_the_names():
    with pytest.raises(KeyError, match="there are: ranging"):
        market("sideways")


def test_fixtures_arrive_with_the_plugin(market, run_strategy):
    from traderagent_core.model.instrument import Instrument
    from traderagent_core.testing.specimens import Ladder, LadderConfig

    run = run_strategy(Ladder, LadderConfig(), market("ranging", rows=200), Instrument("BTC/USDT"))
    assert not run.failures
    assert run.of("filled")

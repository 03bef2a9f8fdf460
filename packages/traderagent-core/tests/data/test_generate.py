from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core.data.columns import checksum, columns_of
from traderagent_core.data.generate import generate_candles
from traderagent_core.data.quality import inspect_series
from traderagent_core.errors import DataError
from traderagent_core.model.candle import Candles

Market = Callable[..., Candles]


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


@pytest.fixture(scope="module")
def minutes() -> Candles:
    return generate_candles(symbol="BTC/USDT", timeframe="1m", rows=300_000, seed=3, start_ms=0)


@given(
    timeframe=st.sampled_from(["1m", "15m", "1h", "1d"]),
    rows=st.integers(1, 400),
    seed=st.integers(0, 2**32),
    price=st.floats(1e-5, 1e5),
    volatility=st.floats(0.05, 5.0),
    reversion=st.floats(0, 1),
    jumps=st.integers(0, 5),
)
def test_candles_are_sound_whatever_the_arguments(
    timeframe: str, rows: int, seed: int, price: float, volatility: float, reversion: float, jumps: int
) -> None:
    candles = generate_candles(
        symbol="A/B",
        timeframe=timeframe,
        rows=rows,
        seed=seed,
        start_ms=0,
        price=price,
        annual_volatility=volatility,
        reversion=reversion,
        jumps=jumps,
        gaps=min(3, rows - 1),
    )
    report = inspect_series(columns_of(candles), timeframe=timeframe, name="x", place=str)
    assert report.is_sound
    assert report.count("gap") == min(3, rows - 1)
    assert len(candles) == rows
    assert (candles.volume > 0).all()


def test_same_seed_gives_the_same_bytes_and_another_does_not(market: Market) -> None:
    arguments = {"rows": 5_000, "gaps": 3, "jumps": 4, "reversion": 0.3}
    assert checksum(market(**arguments)) == checksum(market(**arguments))
    assert checksum(market(**arguments)) != checksum(market(**arguments, seed=8))


def test_prices_lie_on_the_tick_grid_as_nearest_doubles(market: Market) -> None:
    candles = market(tick_size=Decimal("0.05"), price=123.4)
    for price in (
        *candles.open.tolist(),
        *candles.high.tolist(),
        *candles.low.tolist(),
        *candles.close.tolist(),
    ):
        steps = round(price / 0.05)
        assert price == float(steps * Decimal("0.05"))


def test_each_candle_opens_where_the_one_before_closed(minutes: Candles) -> None:
    assert (minutes.open[1:] == minutes.close[:-1]).all()
    assert minutes.open[0] == 40_000.0


def test_returns_have_fat_tails(minutes: Candles) -> None:
    returns = np.diff(np.log(minutes.close))
    assert ((returns - returns.mean()) ** 4).mean() / returns.var() ** 2 > 5


def test_volatility_comes_in_clusters_and_returns_do_not_repeat(minutes: Candles) -> None:
    returns = np.diff(np.log(minutes.close))
    size = np.abs(returns)
    assert correlation(size[:-1], size[1:]) > 0.15
    assert correlation(size[:-100], size[100:]) > 0.1
    assert abs(correlation(returns[:-1], returns[1:])) < 0.02


def test_volume_grows_with_the_range(minutes: Candles) -> None:
    assert correlation(np.log(minutes.volume), np.log(minutes.high - minutes.low + 0.1)) > 0.4


def test_volatility_is_the_one_asked_for() -> None:
    calm = generate_candles(
        symbol="A/B", timeframe="1h", rows=200_000, seed=1, start_ms=0, annual_volatility=0.5, jumps=0
    )
    assert np.diff(np.log(calm.close)).std() * np.sqrt(24 * 365) == pytest.approx(0.5, rel=0.2)


def test_reversion_holds_prices_near_the_start(market: Market) -> None:
    arguments = {"timeframe": "1m", "rows": 200_000, "jumps": 0}
    spread = {share: float(np.log(market(**arguments, reversion=share).close).std()) for share in (0.0, 1.0)}
    assert spread[1.0] < 0.5 * spread[0.0]


def test_jumps_come_on_top_of_the_same_returns(market: Market) -> None:
    quiet, wild = (market(rows=20_000, timeframe="1m", jumps=count) for count in (0, 10))
    added = np.abs(np.diff(np.log(wild.close)) - np.diff(np.log(quiet.close)))
    assert (added > 0.005).sum() == 10
    assert np.sort(added)[-11] < 1e-4


def test_weeks_start_on_mondays(market: Market) -> None:
    assert market(timeframe="1w", rows=5).open_time[0] == 1_704_067_200_000
    with pytest.raises(DataError, match="weeks on Mondays"):
        market(timeframe="1w", rows=5, start_ms=0)


def test_price_that_runs_away_is_told() -> None:
    with pytest.raises(DataError, match="the price runs away; lower the volatility"):
        generate_candles(
            symbol="A/B", timeframe="1d", rows=500_000, seed=1, start_ms=0, annual_volatility=10.0, jumps=0
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": 0}, "rows is 0"),
        ({"start_ms": 1}, "start 1 is off the grid"),
        ({"price": 0.0}, "price is 0.0"),
        ({"price": float("inf")}, "price is inf"),
        ({"rows": 10**12}, "rows is 1000000000000"),
        ({"rows": 10**7, "timeframe": "1w"}, "too far in the future"),
        ({"annual_volatility": 60.0}, "expected a ratio"),
        ({"reversion": 2.0}, "a share from 0 to 1"),
        ({"gaps": 200}, "fewer than the 200 rows"),
        ({"tick_size": Decimal(50_000)}, "tick size is 50000"),
        ({"timeframe": "1y"}, "unknown timeframe"),
    ],
)
def test_argument_out_of_range_is_told(market: Market, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        market(**arguments)

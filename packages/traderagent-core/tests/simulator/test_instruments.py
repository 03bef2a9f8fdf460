"""Steps read off candles, and how they give way to what is configured."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core.config.load import load_config
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Market
from traderagent_core.simulator.instruments import make_instrument, observed_tick, usual_lot

D = Decimal


def make_candles(closes: list[float]) -> Candles:
    close = np.array(closes)
    times = np.arange(len(close), dtype=np.int64) * 3_600_000
    return Candles("BTC/USDT", "1h", times, close, close, close, close, np.ones(len(close)))


@pytest.mark.parametrize(
    ("closes", "tick"),
    [
        ([100.0, 100.5, 101.0], "0.1"),
        ([100.0, 110.0, 250.0], "1"),
        ([0.1, 0.25, 0.125], "0.001"),
        ([1e-07, 1.2e-07], "1E-8"),
        ([42000.1, 42000.25], "0.01"),
    ],
)
def test_the_tick_is_the_finest_step_that_closes_show(closes: list[float], tick: str) -> None:
    assert observed_tick(make_candles(closes)) == D(tick)


def test_only_recent_closes_count_for_the_tick() -> None:
    assert observed_tick(make_candles([1.125] + [100.5, 100.0] * 1000)) == D("0.1")


def test_a_market_that_never_moved_gets_five_digits() -> None:
    assert observed_tick(make_candles([100.0] * 50)) == D("0.01")
    assert observed_tick(make_candles([43210.0] * 50)) == D(1)
    assert observed_tick(make_candles([0.5] * 50)) == D("0.00001")


@given(prices=st.lists(st.integers(1, 10**9), min_size=2, max_size=50, unique=True), digits=st.integers(0, 8))
def test_every_close_lies_on_the_observed_tick(prices: list[int], digits: int) -> None:
    closes = [price / 10**digits for price in prices]
    tick = observed_tick(make_candles(closes))
    assert all(D(repr(close)) % tick == 0 for close in closes)
    assert tick >= D(1).scaleb(-digits)


@pytest.mark.parametrize(
    ("price", "lot"), [(42000.0, "0.000001"), (1.0, "0.1"), (0.1, "1"), (0.00001, "1"), (100.0, "0.001")]
)
def test_a_lot_is_worth_at_most_a_tenth_of_the_quote(price: float, lot: str) -> None:
    assert usual_lot(make_candles([price])) == D(lot)


def test_what_is_configured_wins_and_what_is_not_is_named(ladder: Callable[..., dict[str, Any]]) -> None:
    simulation = {
        "maker_fee": "0.0001",
        "instruments": {"BTC/USDT": {"tick_size": "0.5", "min_quantity": "0.001", "max_leverage": 20}},
    }
    config = load_config(ladder(market="linear", leverage=2, simulation=simulation))
    instrument, missing = make_instrument(
        config.bots[0], config.simulation, make_candles([42000.25, 42000.5])
    )
    assert instrument.market is Market.LINEAR
    assert (instrument.tick_size, instrument.lot_size) == (D("0.5"), D("0.000001"))
    assert (instrument.min_quantity, instrument.min_notional) == (D("0.001"), D(5))
    assert (instrument.maker_fee_ratio, instrument.taker_fee_ratio) == (D("0.0001"), D("0.00055"))
    assert instrument.max_leverage == 20
    assert missing == ["lot_size", "min_notional"]

"""Quantities to the last digit, stops and targets on the tick."""

from decimal import Decimal as D
from decimal import localcontext

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core import Instrument, Market
from traderagent_core.model.position import MONEY
from traderagent_trend.config import TrendConfig
from traderagent_trend.sizing import HEADROOM, Sized, size_problem, size_trade

BTC = Instrument("BTC/USDT", lot_size=D("0.0001"), min_notional=D(5))


def sized(
    price: object, atr: object, *, is_long: bool = True, instrument: Instrument = BTC, equity: object = 10_000,
    power: object = None, **keys: object,
) -> Sized:  # fmt: skip
    config = TrendConfig.model_validate(keys)
    money = D(str(equity))
    return size_trade(
        config, instrument, D(str(price)), D(str(atr)), is_long=is_long, equity=money,
        power=money if power is None else D(str(power)),
    )  # fmt: skip


def test_the_stop_takes_what_is_risked_to_the_last_lot() -> None:
    trade = sized(30_000, 300)
    assert (trade.stop, trade.target) == (D(29_400), D(30_900))
    assert trade.quantity == D("0.1666")  # 10 000 × 0.01 / 600 = 0.16666…
    assert not trade.is_capped


@pytest.mark.parametrize(
    ("atr", "stop", "target"),
    [
        ("150.001", "29699.99", "30450.01"),
        ("150.004", "29699.99", "30450.02"),
        ("150.005", "29699.99", "30450.02"),
    ],
)
def test_the_stop_of_a_long_trade_is_rounded_down_and_its_target_up(atr: str, stop: str, target: str) -> None:
    trade = sized(30_000, atr)
    assert (trade.stop, trade.target) == (D(stop), D(target))


def test_a_short_trade_is_the_mirror_image() -> None:
    trade = sized(30_000, "150.001", is_long=False, power=100_000)
    assert (trade.stop, trade.target) == (D("30300.01"), D("29549.99"))
    assert trade.quantity == D("0.3333")  # 100 / 300.01 = 0.33332…


def test_no_trade_takes_more_than_the_money_there_is() -> None:
    trade = sized(30_000, 30)  # 100 / 60 = 1.6666… would cost 50 000
    assert trade.is_capped
    assert trade.quantity == BTC.round_quantity(10_000 * HEADROOM / D("1.001") / 30_000)
    assert trade.quantity * 30_000 * D("1.001") <= 10_000
    assert sized(30_000, 30, power=100_000).quantity == D("1.6666")


def test_without_a_target_there_is_none() -> None:
    assert sized(30_000, 300, target_atr=None).target is None


def test_a_target_below_zero_becomes_the_least_price() -> None:
    trade = sized(100, 40, is_long=False)
    assert (trade.stop, trade.target) == (D(180), D("0.01"))


@settings(max_examples=300, deadline=None)
@given(
    price=st.decimals("0.0001", 100_000, places=4),
    share=st.decimals("0.0005", "0.3", places=6),
    is_long=st.booleans(),
    risk=st.decimals("0.001", "0.1", places=4),
    equity=st.decimals(0, 1_000_000, places=2),
    lot=st.sampled_from(["1", "0.001", "0.00001"]),
    tick=st.sampled_from(["0.0001", "0.01", "0.5"]),
)
def test_a_stop_never_costs_more_than_is_risked(
    price: D, share: D, is_long: bool, risk: D, equity: D, lot: str, tick: str
) -> None:
    instrument = evolve(BTC, lot_size=D(lot), tick_size=D(tick))
    with localcontext(MONEY):
        trade = sized(
            price, price * share, is_long=is_long, instrument=instrument, equity=equity, risk_per_trade=risk
        )
        assert trade.quantity * abs(trade.price - trade.stop) <= equity * risk
        assert trade.quantity * price <= equity
        assert trade.quantity % instrument.lot_size == 0
        if size_problem(trade, instrument, D(1)) is None:
            assert trade.stop < price if is_long else trade.stop > price
            if not trade.is_capped:
                one_more = trade.quantity + instrument.lot_size
                assert one_more * abs(trade.price - trade.stop) > equity * risk


@pytest.mark.parametrize(
    ("trade", "code"),
    [
        (sized(100, 0), "no_range"),
        (sized(100, "0.001"), None),
        (sized("100.005", 0), "no_range"),
        (sized(100, 50), "stop_below_zero"),
        (sized(100, 1, equity=3), "below_minimum"),
        (sized(100, 1, equity=-3), "below_minimum"),
        (sized(100, 20, equity="300"), "below_minimum"),
    ],
)
def test_what_cannot_be_traded_has_a_reason(trade: Sized, code: str | None) -> None:
    problem = size_problem(trade, BTC, D(1))
    assert (None if problem is None else problem[0]) == code


@pytest.mark.parametrize(("leverage", "is_too_far"), [(1, False), (10, False), (20, True), (50, True)])
def test_a_stop_that_a_liquidation_would_come_before_is_refused(leverage: int, is_too_far: bool) -> None:
    linear = evolve(BTC, market=Market.LINEAR, max_leverage=D(50))
    trade = sized(100, 3, instrument=linear)  # The stop is 6 % away, a liquidation 1 / leverage - 0.5 %.
    problem = size_problem(trade, linear, D(leverage))
    assert (problem is not None) is is_too_far
    if problem is not None:
        assert problem[0] == "stop_beyond_liquidation"

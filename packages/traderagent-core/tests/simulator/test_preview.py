"""A preview shows exactly the orders that the engine sends, and what they are worth."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from traderagent_core import Candles, DataError, load_config
from traderagent_core.indicators import Atr
from traderagent_core.model.position import money_context
from traderagent_core.simulator.outcome_rows import order_rows, read_orders
from traderagent_core.simulator.preparing import RunOptions, prepare
from traderagent_core.simulator.preview import BotPreview, preview
from traderagent_core.simulator.record_reader import RecordReader

D = Decimal
STEPS = {"tick_size": "0.01", "lot_size": "0.001", "min_notional": 5}
Make = Callable[..., dict[str, Any]]
MarketMaker = Callable[..., Candles]
Row = tuple[str, str, str, str, D | None, D]


def shown_at(config: dict[str, Any], candles: Candles, price: str | None = None) -> BotPreview:
    prices = {} if price is None else {candles.symbol: D(price)}
    (found,) = preview(load_config(config), {candles.symbol: candles}, prices)
    return found


def rows(shown: BotPreview) -> list[Row]:
    """What each order is; a market order has no price of its own."""
    return [
        (
            order.slot,
            order.purpose,
            order.side,
            order.type,
            None if order.type == "MARKET" else order.price,
            order.quantity,
        )
        for order in shown.orders
    ]


def sent_first(config: dict[str, Any], candles: Candles, start_ms: int) -> list[Row]:
    """The orders of a back-test over all candles, as they stand at its very start."""
    prepared = prepare(load_config(config), {candles.symbol: candles}, options=RunOptions(start_ms=start_ms))
    with money_context():
        prepared.driver.run(start_ms)
        reader = RecordReader(D(10000)).read(prepared.driver.records)
        orders = list(order_rows(read_orders(prepared.driver.records, reader)))
    assert {order.submitted_ms for order in orders} == {start_ms}
    return [
        (order.slot, order.purpose, order.side, order.type, order.price, order.quantity) for order in orders
    ]


@pytest.mark.parametrize("count", [60, 61, 150])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rungs": ["95.123", "96.456", "100.5", "104.2"], "quantity": "1.23456", "step": "0.777"},
        {"market_quantity": "2.5", "profit": "0.01"},
        {"atr_rungs": 5},
        {"market": "linear", "leverage": 3, "stop": "0.95", "market_quantity": "1"},
        {"average_of": 40},
    ],
)
def test_it_is_what_a_back_test_sends_at_that_close(
    ladder: Make, market: MarketMaker, changes: dict[str, Any], count: int
) -> None:
    candles = market("ranging")
    config = ladder(**changes, simulation={"instruments": {"BTC/USDT": STEPS}, "slippage": "0.001"})
    shown = shown_at(config, candles[:count])
    assert shown.price == D(repr(float(candles.close[count - 1])))
    assert rows(shown) == sent_first(config, candles, int(candles.open_time[count]))
    assert len(shown.orders) >= 4


def test_each_order_has_its_counter_and_the_profit_of_a_cycle(ladder: Make, market: MarketMaker) -> None:
    config = ladder(
        rungs=["95.5"], step="2.25", quantity="3", simulation={"maker_fee": "0.002", "taker_fee": "0.01"}
    )
    (order,) = shown_at(config, market("ranging")).orders
    assert (order.price, order.notional, order.counter_price) == (D("95.5"), D("286.5"), D("97.75"))
    assert order.profit_per_cycle == 3 * (D("97.75") - D("95.5")) - D("0.002") * 3 * (D("97.75") + D("95.5"))


def test_a_counter_at_a_ratio_of_the_fill_is_on_the_tick(ladder: Make, market: MarketMaker) -> None:
    steps = {"instruments": {"BTC/USDT": STEPS | {"tick_size": "0.5"}}}
    shown = shown_at(ladder(rungs=[95], profit="0.011", simulation=steps), market("ranging"))
    assert [order.counter_price for order in shown.orders] == [D("96.5")]


def test_funds_are_what_the_buys_cost(ladder: Make, market: MarketMaker) -> None:
    shown = shown_at(ladder(rungs=[90, 91], quantity="2", market_quantity="1"), market("ranging"))
    assert shown.funds_needed == 2 * (90 + 91) + shown.price


def test_evidence_problems_and_refusals_are_shown(ladder: Make, market: MarketMaker) -> None:
    candles = market("flat", price=700.0)
    shown = shown_at(ladder(rungs=[650], quantity="0.001"), candles)
    assert [problem.message for problem in shown.problems] == ["the price 700.0 is high"]
    assert shown.orders == []
    assert any("below" in refusal or "minimum" in refusal for refusal in shown.refusals)
    assert shown_at(ladder(), candles).evidence == {"rungs": 5}


def test_a_fatal_problem_does_not_hide_the_orders(ladder: Make, market: MarketMaker) -> None:
    shown = shown_at(ladder(), market("flat", price=2000.0))
    assert [problem.is_fatal for problem in shown.problems] == [True]
    assert len(shown.orders) == 5


# -- at another price ---------------------------------------------------------------------------------------


def test_at_its_own_price_the_market_stays_as_it_is(ladder: Make, market: MarketMaker) -> None:
    candles = market("ranging")
    own = repr(float(candles.close[-1]))
    for changes in ({}, {"atr_rungs": 4}, {"market_quantity": "1", "profit": "0.01"}):
        assert shown_at(ladder(**changes), candles, own) == shown_at(ladder(**changes), candles)


@pytest.mark.parametrize("price", ["98.76", "12345.67", "0.5"])
def test_the_market_is_moved_in_proportion(ladder: Make, market: MarketMaker, price: str) -> None:
    candles = market("ranging")
    config = ladder(atr_rungs=3, simulation={"instruments": {"BTC/USDT": STEPS | {"min_notional": "0.01"}}})
    shown = shown_at(config, candles, price)
    assert shown.price == D(price)
    atr = Atr(14).batch(candles)[-1] * float(price) / candles.close[-1]
    expected = [float(price) - atr * number for number in (1, 2, 3)]
    # Rungs are rounded down to the tick.
    assert all(
        0 <= want - float(order.price) < 0.0101 for want, order in zip(expected, shown.orders, strict=True)
    )


def test_steps_are_those_of_the_market_where_it_is(ladder: Make, market: MarketMaker) -> None:
    candles = market("ranging")
    shown = shown_at(ladder(rungs=["90.12345"], quantity="1.23456789"), candles, "99.123456789")
    (order,) = shown.orders
    assert shown.price == D("99.123456789")
    assert (order.price, order.quantity) == (D("90.12"), D("1.2345"))


def test_without_candles_a_price_is_enough(ladder: Make) -> None:
    config = load_config(ladder(average_of=100))
    (shown,) = preview(config, {}, {"BTC/USDT": D("99.5")})
    assert shown.price == D("99.5")
    assert [order.price for order in shown.orders] == [95, 96, 97, 98, 99]
    with pytest.raises(DataError, match="no candles of BTC/USDT and no price for it"):
        preview(config, {})


# -- data that end anywhere ---------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [400, 401, 402, 403])
def test_data_may_end_in_the_middle_of_a_candle_of_the_bot(
    ladder: Make, market: MarketMaker, count: int
) -> None:
    quarters = market("ranging", timeframe="15m", rows=600)[:count]
    shown = shown_at(ladder(average_of=20, timeframe="1h"), quarters)
    assert shown.price == D(repr(float(quarters.close[-1])))
    assert len(shown.orders) == 5


def test_several_bots_may_have_data_of_different_ends(ladder: Make, market: MarketMaker) -> None:
    config = ladder()
    (bot,) = config["bots"]
    config["bots"] = [bot, {**bot, "name": "other", "symbol": "ETH/USDT"}]
    candles = [market("ranging"), market("ranging", symbol="ETH/USDT", seed=2)[:500]]
    found = preview(load_config(config), {series.symbol: series for series in candles})
    assert [(shown.bot, shown.symbol) for shown in found] == [("bot", "BTC/USDT"), ("other", "ETH/USDT")]
    assert [shown.price for shown in found] == [D(repr(float(series.close[-1]))) for series in candles]
    assert [len(shown.orders) for shown in found] == [5, 5]


def test_too_few_candles_for_indicators_are_told(ladder: Make, market: MarketMaker) -> None:
    with pytest.raises(
        DataError, match=r"20 candles of BTC/USDT 1h are too few for its indicators sma\(50\)"
    ):
        shown_at(ladder(average_of=50), market("ranging")[:20])


# -- what comes later ---------------------------------------------------------------------------------------

SLEEPER = '''"""Waits for ever; its plan would buy once, twice more below, and sell in two parts."""

from decimal import Decimal as D

from pydantic import BaseModel, ConfigDict
from traderagent_core import (
    AverageTimes, FillTimes, Fixed, Held, Leg, Plan, Purpose, Side, Strategy, StrategySpec, hookimpl,
)


class SleeperConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sleeper(Strategy):
    @classmethod
    def sketch(cls, config, instrument, price):
        buy, sell = (Side.BUY, Purpose.SAFETY), (Side.SELL, Purpose.TAKE_PROFIT)
        legs = (
            Leg("a", "a", Side.BUY, Purpose.ENTRY, Fixed(D(2)), then=("b", "part")),
            Leg("b", "b", *buy, Fixed(D(3)), FillTimes(D("0.9"), "a"), then=("c",)),
            Leg("c", "c", *buy, Fixed(D(4)), FillTimes(D("0.8"), "a")),
            Leg("part", "part", *sell, Held(D("0.25")), AverageTimes(D("1.1")), then=("rest",)),
            Leg("rest", "rest", *sell, Held(), AverageTimes(D("1.2")), closes=True),
        )
        return Plan("deal", legs, ("a",), evidence={"steps": ({"step": 1}, {"step": 2})})

    def on_start(self, context):
        context.note("waiting")


@hookimpl
def traderagent_strategies():
    yield StrategySpec(name="sleeper", summary="Sleeps.", config_model=SleeperConfig, factory=Sleeper)
'''


def test_a_plan_that_waits_for_its_moment_is_sketched(tmp_path: Path) -> None:
    plugin = tmp_path / "sleeper.py"
    plugin.write_text(SLEEPER)
    bot = {"name": "bot", "symbol": "BTC/USDT", "strategy": "sleeper"}
    simulation = {"instruments": {"BTC/USDT": STEPS}}
    config = load_config({"plugins": [str(plugin)], "bots": [bot], "simulation": simulation})
    (shown,) = preview(config, {}, {"BTC/USDT": D(100)})
    assert shown.orders == []
    assert [(order.slot, order.type, order.price, order.quantity) for order in shown.later] == [
        ("a", "MARKET", 100, 2),
        ("b", "LIMIT", 90, 3),
        ("part", "LIMIT", 110, D("0.5")),
        ("c", "LIMIT", 80, 4),
        ("rest", "LIMIT", 120, 2),
    ]
    assert shown.funds_needed == 2 * 100 + 3 * 90 + 4 * 80
    assert shown.evidence == {"steps": ({"step": 1}, {"step": 2})}

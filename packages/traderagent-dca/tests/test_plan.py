"""The plan of a deal: which legs it has, and what a preview shows of it."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from traderagent_core import (
    At,
    AverageTimes,
    BreakEven,
    FillTimes,
    Fixed,
    Held,
    Instrument,
    Plan,
    Trail,
    load_config,
)
from traderagent_core.simulator.preview import preview
from traderagent_dca.config import DcaConfig
from traderagent_dca.strategy import DcaStrategy

Make = Callable[..., DcaConfig]


def plan_of(config: DcaConfig, instrument: Instrument, price: int = 100) -> Plan:
    return DcaStrategy.sketch(config, instrument, D(price))


def test_a_chain_of_safety_orders(config: Make, instrument: Instrument) -> None:
    made = config(price_deviation="0.02", max_steps=5, max_active_safety_orders=2)
    plan = plan_of(made, instrument)
    legs = {leg.name: leg for leg in plan.legs}
    assert plan.start == ("base",)
    assert legs["base"].then == ("so:01", "so:02", "tp")
    assert [legs[f"so:0{number}"].then for number in range(1, 5)] == [("so:03",), ("so:04",), (), ()]
    assert legs["so:03"].price == FillTimes(D("0.94"), "base")
    assert legs["so:03"].quantity == Fixed(D("1.0638"))
    assert (legs["tp"].price, legs["tp"].quantity, legs["tp"].closes) == (
        AverageTimes(D("1.02")),
        Held(),
        True,
    )


def test_a_chain_of_parts(config: Make, instrument: Instrument) -> None:
    steps = [{"gain": "0.005", "share": "0.4"}, {"gain": "0.01", "share": "0.3"}]
    legs = {leg.name: leg for leg in plan_of(config(take_profit_steps=steps, max_steps=1), instrument).legs}
    assert legs["base"].then == ("tp:1",)
    assert [legs[name].then for name in ("tp:1", "tp:2", "tp")] == [("tp:2",), ("tp",), ()]
    assert [legs[name].quantity for name in ("tp:1", "tp:2", "tp")] == [
        Held(D("0.4")),
        Held(D("0.5")),
        Held(),
    ]
    assert [legs[name].closes for name in ("tp:1", "tp:2", "tp")] == [False, False, True]


def test_stops(config: Make, instrument: Instrument) -> None:
    assert plan_of(config(), instrument).stop is None
    stop = plan_of(config(stop_loss_percentage="0.1"), instrument).stop
    assert stop is not None
    assert (stop.long, stop.short) == (AverageTimes(D("0.9")), None)
    keys = {"stop_loss_percentage": "0.1", "stop_loss_from": "base", "break_even_percentage": "0.01"}
    stop = plan_of(config(**keys, direction="short", trailing_deviation="0.005"), instrument).stop
    assert stop is not None
    assert (stop.long, stop.short) == (None, At(D(110)))
    assert stop.trail == Trail(D("0.02"), D("0.005"), D("0.0005"))
    assert isinstance(stop.break_even, BreakEven)
    fee = instrument.taker_fee_ratio
    assert abs(stop.break_even.offset_ratio - (1 - (1 - fee) / (1 + fee))) < D("1e-20")


def test_two_hundred_safety_orders_have_names_that_sort(config: Make, instrument: Instrument) -> None:
    plan = plan_of(config(max_safety_orders=200, price_deviation="0.004"), instrument)
    assert len(plan.legs) == 202
    assert plan.legs[-2].slot == "so:200"


@pytest.mark.parametrize("keys", [{"start": "immediate"}, {"trigger_percentage": "0.04"}])
def test_a_preview_shows_the_whole_ladder(keys: dict[str, Any]) -> None:
    section = {
        "amount_per_step": 150,
        "price_deviation": "0.04",
        "max_steps": 4,
        "take_profit_percentage": "0.08",
    }
    bot = {"name": "bot", "symbol": "BTC/USDT", "strategy": "dca"}
    dca = {**section, **keys, "max_active_safety_orders": 1, "stop_loss_percentage": "0.3"}
    steps = {"tick_size": "0.01", "lot_size": "0.00001", "min_notional": 5}
    config = load_config({"bots": [{**bot, "dca": dca}], "simulation": {"instruments": {"BTC/USDT": steps}}})
    (shown,) = preview(config, {}, {"BTC/USDT": D(60_000)})
    every = {order.slot: order for order in (*shown.orders, *shown.later)}
    assert sorted(every) == ["base", "so:01", "so:02", "so:03", "tp"]
    assert len(shown.orders) == (3 if "start" in keys else 0)
    assert [every[f"so:0{number}"].price for number in (1, 2, 3)] == [57_600, 55_200, 52_800]
    assert every["tp"].price == 64_800
    added = [order for slot, order in every.items() if slot != "tp"]
    assert shown.funds_needed == sum(order.notional for order in added)
    rows = shown.evidence["ladder"]
    assert [row["price"] for row in rows] == ["60000", "57600", "55200", "52800"]
    assert [row["funds"] for row in rows] == ["150", "299.76", "449.352", "599.304"]
    assert [row["average"] for row in rows] == ["60000", "58776.4705882", "57535.4673496", "56272.6760563"]
    assert rows[0]["break_even"] == "60120.1201201"
    assert [row["take_profit"] for row in rows] == ["64800", "63478.59", "62138.31", "60774.5"]
    assert [row["stop"] for row in rows] == ["42000", "41143.52", "40274.82", "39390.87"]


def test_a_preview_says_when_there_is_no_stop(config: Make, instrument: Instrument) -> None:
    rows = plan_of(config(), instrument).evidence["ladder"]
    assert {row["stop"] for row in rows} == {"none"}

"""The configuration: what is accepted, what a missing key means, and what is refused with which words."""

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from traderagent_core import ConfigError, load_config
from traderagent_dca.config import DcaConfig, Start


def loaded(section: dict[str, Any] | None) -> DcaConfig:
    bot = {
        "name": "bot",
        "symbol": "BTC/USDT",
        "strategy": "dca",
        **({} if section is None else {"dca": section}),
    }
    found = load_config({"bots": [bot]}).bots[0].strategy_config
    assert isinstance(found, DcaConfig)
    return found


def test_the_known_keys_are_enough() -> None:
    found = loaded(
        {
            "enabled": True,
            "trigger_percentage": "0.04",
            "amount_per_step": "150",
            "max_steps": 4,
            "take_profit_percentage": "0.08",
        }
    )
    assert found.start_on is Start.DROP
    assert (found.deviation, found.safety_orders) == (D("0.04"), 3)
    assert found.amounts == (D(150),) * 4
    assert found.take_profit_percentage == D("0.08")


def test_an_amount_is_enough() -> None:
    found = loaded({"amount_per_step": 50})
    assert found.start_on is Start.IMMEDIATE
    assert (found.deviation, found.safety_orders, found.active_safety_orders) == (D("0.02"), 4, 4)


@pytest.mark.parametrize(
    "section",
    [
        {"amount_per_step": 5, "max_safety_orders": 0},
        {"amount_per_step": 5, "max_safety_orders": 200, "price_deviation": "0.001"},
        {"amount_per_step": 5, "max_steps": 201, "price_deviation": "0.001"},
        {"amount_per_step": 5, "step_scale": "0.1", "volume_scale": 10},
        {"base_order_amount": 5, "max_steps": 1},
        {"base_order_amount": 5, "safety_order_amount": "7.5"},
        {"amount_per_step": 5, "safety_order_amount": "7.5", "max_active_safety_orders": 1},
        {"total_amount": 1000, "overlap": "0.25"},
        {"amount_per_step": 5, "max_steps": 4, "max_safety_orders": 3},
        {"amount_per_step": 5, "start": "ema_cross", "trigger_percentage": "0.03"},
        {"amount_per_step": 5, "direction": "short", "price_deviation": "0.5", "max_safety_orders": 10},
    ],
)
def test_the_limits_are_allowed(section: dict[str, Any]) -> None:
    assert len(loaded(section).amounts) == len(loaded(section).price_ratios) + 1


def test_a_short_deal_waits_for_a_high_rsi(config: Callable[..., DcaConfig]) -> None:
    assert config(start="rsi").rsi_bound == 30
    assert config(start="rsi", direction="short").rsi_bound == 70
    assert config(start="rsi", direction="short", rsi_threshold=60).rsi_bound == 60


STEPS = [{"gain": "0.01", "share": "0.5"}]

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "write amount_per_step for equal orders, base_order_amount with"),
    "no safety amount": ({"amount_per_step": None, "base_order_amount": 10}, "safety_order_amount is missing"),
    "percent": ({"trigger_percentage": "4%"}, "ratios are written as fractions: 0.04"),
    "trigger above one": ({"trigger_percentage": "4"}, "must be below 1"),
    "unknown start": ({"start": "dip"}, "expected one of immediate, drop, rsi, ema_cross"),
    "drop without trigger": ({"start": "drop"}, "start: drop needs trigger_percentage"),
    "too many steps": ({"max_steps": 202}, "must be at most 201"),
    "too many safety orders": ({"max_safety_orders": 201}, "must be at most 200"),
    "negative safety orders": ({"max_safety_orders": -1}, "must be at least 0"),
    "no active ones": ({"max_active_safety_orders": 0}, "must be at least 1"),
    "step scale": ({"step_scale": "0.05"}, "must be at least 0.1"),
    "volume scale": ({"volume_scale": "10.1"}, "must be at most 10"),
    "both counts": ({"max_steps": 4, "max_safety_orders": 4}, "max_steps 4 counts the base order and means 3"),
    "both amounts": ({"total_amount": 100}, "total_amount is shared out among all orders"),
    "both distances": ({"overlap": "0.1", "price_deviation": "0.02"}, "overlap says where the last"),
    "overlap of a chain": ({"overlap": "0.1", "deviation_from": "previous"}, "overlap is measured from the base"),
    "overlap of nothing": ({"overlap": "0.1", "max_steps": 1}, "overlap needs safety orders"),
    "below zero": (
        {"price_deviation": "0.3", "max_steps": 6},
        "safety order 4 of 5 would lie at or below a price of zero",
    ),
    "a step of all": (
        {"price_deviation": "0.6", "step_scale": 2, "deviation_from": "previous"},
        "safety order 2 of 4 would lie at or below",
    ),
    "slow ema": ({"ema_fast": 50, "ema_slow": 20}, "expected more than ema_fast 50"),
    "rsi": ({"rsi_threshold": 100}, "must be below 100"),
    "no gain": ({"take_profit_percentage": 0}, "must be above 0"),
    "shares": (
        {"take_profit_steps": [{"gain": "0.005", "share": "0.5"}, *STEPS]},
        "the shares add up to 1.0; expected less than 1",
    ),
    "falling gains": (
        {"take_profit_steps": [{"gain": "0.015", "share": "0.1"}, *STEPS]},
        "gains must rise from step to step",
    ),
    "gain beyond": (
        {"take_profit_steps": [{"gain": "0.02", "share": "0.1"}]},
        "the last gain 0.02 is not below take_profit_percentage 0.02",
    ),
    "steps from base": ({"take_profit_steps": STEPS, "take_profit_from": "base"}, "measured from the average"),
    "unknown step key": ({"take_profit_steps": [{"gain": "0.01", "part": "0.5"}]}, "unknown key"),
    "wide trail": ({"trailing_deviation": "0.02"}, "expected a distance that leaves a gain"),
    "trail from base": ({"trailing_deviation": "0.005", "take_profit_from": "base"}, "a trail begins from"),
    "late break-even": ({"break_even_percentage": "0.02"}, "expected less than take_profit_percentage 0.02"),
    "stop of all": ({"stop_loss_percentage": "1"}, "must be below 1"),
    "cool-down": ({"cooldown_candles": "soon"}, "expected a whole number"),
    "no deals": ({"max_deals": 0}, "must be at least 1"),
    "misspelt": ({"take_profit": "0.02"}, "take_profit"),
    "money": ({"amount_per_step": "1,500"}, "write it without commas: 1500"),
}  # fmt: skip


@pytest.mark.parametrize(("keys", "words"), BAD.values(), ids=BAD.keys())
def test_a_bad_configuration_is_told_in_words(keys: dict[str, Any], words: str) -> None:
    usual = {} if not keys else {"amount_per_step": 100, "take_profit_percentage": "0.02"}
    section = {key: value for key, value in {**usual, **keys}.items() if value is not None}
    with pytest.raises(ConfigError) as error:
        loaded(section)
    assert words in str(error.value)
    assert "dca" in str(error.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        loaded({"amount_per_step": "-1", "volume_scale": 11, "direction": "up"})
    assert all(key in str(error.value) for key in ("amount_per_step", "volume_scale", "direction"))


def test_a_missing_section_is_told() -> None:
    with pytest.raises(ConfigError, match="the section of 'dca' is missing"):
        loaded(None)

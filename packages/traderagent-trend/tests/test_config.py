"""What a configuration may say, and what a wrong one is told."""

from decimal import Decimal as D
from typing import Any

import pytest
from traderagent_core import ConfigError, load_config
from traderagent_trend.config import Direction, Entry, TrendConfig

BOT = {"name": "trend_btc", "symbol": "BTC/USDT", "strategy": "trend"}


def load(section: dict[str, Any], **keys: Any) -> TrendConfig:
    config = load_config({"bots": [{**BOT, "trend": section, **keys}]}).bots[0].strategy_config
    assert isinstance(config, TrendConfig)
    return config


def test_the_defaults_are_those_of_the_product() -> None:
    config = load({})
    assert (config.ema_fast_period, config.ema_slow_period, config.rsi_period) == (20, 50, 14)
    assert (config.atr_period, config.stop_atr, config.target_atr) == (14, D(2), D(3))
    assert config.entries == (Entry.PULLBACK, Entry.BREAKOUT)
    assert config.directions == (Direction.LONG,)
    assert config.rsi_confirmation
    assert config.volume_confirmation
    assert D("0.01") <= config.risk_per_trade <= D("0.02")
    assert None not in (config.max_consecutive_losses, config.max_daily_loss_ratio, config.max_daily_trades)


def test_a_bot_without_a_section_takes_the_defaults() -> None:
    assert load_config({"bots": [BOT]}).bots[0].strategy_config == TrendConfig()


@pytest.mark.parametrize(
    "section",
    [
        {"target_atr": None},
        {"trailing_from_r": None, "break_even_from_r": None},
        {"max_daily_trades": None, "max_daily_loss_ratio": None, "max_consecutive_losses": None},
        {"directions": ["long", "short"], "entries": ["crossover", "pullback", "breakout"]},
        {"risk_per_trade": "0.02", "stop_atr": "1.5", "target_atr": 6, "trailing_from_r": 2},
    ],
)
def test_what_can_be_wanted_is_accepted(section: dict[str, Any]) -> None:
    config = load(section)
    assert config == TrendConfig.model_validate(section)
    assert all((getattr(config, key) is None) is (value is None) for key, value in section.items())


def test_numbers_are_kept_to_the_last_digit() -> None:
    assert load({"stop_atr": 0.1, "target_atr": None}).stop_atr == D("0.1")
    assert load({"risk_per_trade": "0.0123456789012345678901"}).risk_per_trade == D(
        "0.0123456789012345678901"
    )


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({"ema_fast_period": 50}, "expected ema_slow_period 50 to be more than ema_fast_period 50"),
        ({"ema_slow_period": 20}, "expected ema_slow_period 20 to be more than ema_fast_period 20"),
        ({"ema_fast_period": 1}, "at least 2"),
        ({"ema_fast_periods": 10}, "ema_fast_period"),
        ({"entries": []}, "entries"),
        ({"entries": ["pullbak"]}, "pullback"),
        (
            {"entries": ["breakout", "breakout"]},
            "expected each name once; found a list\n    remove one breakout",
        ),
        ({"entries": "breakout"}, "entries"),
        ({"directions": []}, "directions"),
        ({"directions": ["both"]}, "long"),
        ({"directions": ["long", "short", "long"]}, "remove one long"),
        ({"risk_per_trade": "1 %"}, "ratios are written as fractions: 0.01"),
        ({"risk_per_trade": 1}, "0.1"),
        ({"risk_per_trade": 0}, "0"),
        ({"rsi_min": 80}, "expected rsi_max 75 to be more than rsi_min 80"),
        ({"rsi_max": 101}, "100"),
        ({"stop_atr": 0}, "stop_atr"),
        ({"stop_atr": -2}, "stop_atr"),
        ({"stop_atr": "two"}, "expected a number"),
        ({"target_atr": None, "trailing_from_r": None}, "expected target_atr or trailing_from_r"),
        ({"trailing_step_atr": 3}, "expected trailing_step_atr 3 to be at most trailing_atr 2"),
        ({"trailing_atr": "0.2"}, "expected trailing_step_atr 0.25 to be at most trailing_atr 0.2"),
        ({"max_daily_trades": 0}, "max_daily_trades"),
        ({"max_daily_loss_ratio": 600}, "1"),
        ({"max_consecutive_losses": 0}, "max_consecutive_losses"),
        ({"loss_pause_candles": 0}, "loss_pause_candles"),
        ({"volume_ratio": 0}, "volume_ratio"),
        ({"atr_period": 14.5}, "atr_period"),
    ],
)
def test_a_wrong_section_is_refused_by_its_key_and_rule(section: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        load(section)
    message = str(refusal.value)
    assert "bots[0].trend" in message
    assert says in message
    assert any(key in message for key in section)


@pytest.mark.parametrize(
    ("section", "never_says"),
    [
        ({"ema_fast_period": 60}, "found keys and values"),
        ({"directions": ["up"]}, "must not be empty"),
    ],
)
def test_nothing_is_said_that_helps_nobody(section: dict[str, Any], never_says: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        load(section)
    assert never_says not in str(refusal.value)


def test_every_key_says_what_it_means_and_none_is_required() -> None:
    schema = TrendConfig.model_json_schema()
    assert all(entry["description"].endswith(".") for entry in schema["properties"].values())
    assert "required" not in schema

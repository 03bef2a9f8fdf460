"""The effective configuration: everything said, no secrets, and it loads again to the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from traderagent_core.config.effective import effective
from traderagent_core.config.load import Config, load_config

SECRETS = """
from pydantic import BaseModel, SecretStr
from traderagent_core import Strategy, StrategySpec, hookimpl

class Config(BaseModel):
    api_token: str = ""
    word: SecretStr | None = None
    cap: float | None = 3.5
    size: int | None = None

class Quiet(Strategy):
    def on_start(self, context):
        pass

@hookimpl
def traderagent_strategies():
    yield StrategySpec(name="quiet", summary="Does nothing.", config_model=Config, factory=Quiet)
"""

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {}),
    "log level": ({}, {"log_level": "DEBUG"}),
    "times of calls": ({}, {"slow_call_ms": 20, "hung_call_ms": 5000}),
    "numbers": ({"rungs": ["95.50", 96, "1e2"], "step": "0.10", "quantity": 2}, {}),
    "limits": (
        {
            "market": "linear",
            "leverage": "2.5",
            "timeframe": "15m",
            "risk_management": {
                "max_position_size": 3000,
                "stop_loss_percentage": "0.12",
                "max_daily_loss": 60,
            },
        },
        {"risk_modes": {"drawdown": {}, "reduced": {}}, "disabled_plugins": ["nobody"]},
    ),
    "venue": (
        {
            "simulation": {
                "balance": "1e5",
                "maker_fee": "-0.0001",
                "taker_fee": 0,
                "slippage": "0.001",
                "latency_ms": 250,
                "path": "pessimistic",
                "funding_rate": "0.0001",
                "instruments": {"BTC/USDT": {"tick_size": "0.1", "lot_size": "1E-5", "max_leverage": 50}},
            }
        },
        {},
    ),
    "secrets": ({}, {"database_url": "sqlite:///x.db", "encryption_key": "${NOT_SET_ANYWHERE}"}),
}


def values(config: Config) -> dict[str, Any]:
    """What the strategy of the first bot is told."""
    assert config.bots[0].strategy_config is not None
    return dict(config.bots[0].strategy_config)


@pytest.mark.parametrize("name", CASES)
def test_it_loads_again_to_the_same(ladder: Callable[..., dict[str, Any]], name: str) -> None:
    bot, top = CASES[name]
    config = load_config({**ladder(**bot), **top})
    content = effective(config)
    again = load_config(json.loads(json.dumps(content)))
    assert again.sha256 == config.sha256
    assert effective(again) == content
    assert again.simulation == config.simulation
    # Compared by their values: a local file is loaded anew, and with it the class.
    assert values(again) == values(config)


def test_defaults_are_filled_in(ladder: Callable[..., dict[str, Any]]) -> None:
    content = effective(load_config(ladder()))
    (bot,) = content["bots"]
    assert content["simulation"]["path"] == "default"
    assert (bot["timeframe"], bot["market"], bot["capital_share"]) == ("1h", "spot", "1")
    assert bot["ladder"]["step"] == "1"


@pytest.mark.parametrize("section", [{"enabled": False}, {"enabled": False, "step": 2}, {"enabled": True}])
def test_a_section_of_a_strategy_that_is_not_used_is_kept(
    ladder: Callable[..., dict[str, Any]], quiet: Path, section: dict[str, Any]
) -> None:
    content = ladder()
    content["plugins"].append(str(quiet))
    content["bots"][0] |= {"strategy": "quiet", "ladder": section, "quiet": {}}
    config = load_config(content)
    assert load_config(effective(config)).sha256 == config.sha256


@pytest.fixture
def quiet(tmp_path: Path) -> Path:
    path = tmp_path / "quiet.py"
    path.write_text(SECRETS)
    return path


def test_secrets_are_left_out(quiet: Path) -> None:
    bot = {
        "name": "a",
        "symbol": "BTC/USDT",
        "strategy": "quiet",
        "quiet": {"api_token": "s3cret-one", "word": "s3cret-two"},
        "exchange": {"exchange_id": "bybit", "credentials_name": "s3cret-three", "sandbox": True},
    }
    config = load_config({"plugins": [str(quiet)], "bots": [bot], "encryption_key": "s3cret-four"})
    text = json.dumps(effective(config))
    assert "s3cret" not in text
    assert load_config(json.loads(text)).sha256 == config.sha256


def test_nothing_said_where_the_default_is_something_stays_said(quiet: Path) -> None:
    bot = {"name": "a", "symbol": "BTC/USDT", "strategy": "quiet", "quiet": {"cap": None}}
    config = load_config({"plugins": [str(quiet)], "bots": [bot]})
    (section,) = [section for section in effective(config)["bots"][0].items() if section[0] == "quiet"]
    assert section[1] == {"enabled": True, "cap": None}
    assert values(load_config(effective(config)))["cap"] is None


def test_the_distributions_of_plugins_in_use_are_known(ladder: Callable[..., dict[str, Any]]) -> None:
    config = load_config({**ladder(), "risk_modes": {"drawdown": {}}})
    assert config.distributions.keys() == {"local ladder", "traderagent-core"}
    assert load_config(ladder()).distributions == {"local ladder": ""}

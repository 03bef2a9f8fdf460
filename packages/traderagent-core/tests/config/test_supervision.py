"""Risk modes that are on unasked where strategies are chosen by regime, and how they are switched off."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest
from traderagent_core.config.effective import effective
from traderagent_core.config.load import Config, InvalidConfigError, load_config
from traderagent_core.host import PluginHost

ALL = {"halt", "reduced", "stress", "drawdown"}
GRID = {"lower_price": 1, "upper_price": 2, "grid_levels": 5}


@pytest.fixture(scope="module")
def load(host: Any) -> Callable[..., Config]:
    """Load one bot with the risk modes that the core really has."""
    real = attrs.evolve(host, risk_modes=PluginHost.discover([]).risk_modes)

    def load(strategy: str, modes: Any = None, **keys: Any) -> Config:
        bot = {"name": "a", "symbol": "BTC/USDT", "strategy": strategy, "grid": GRID, **keys}
        return load_config({"bots": [bot], "risk_modes": modes}, host=real, environ={})

    return load


def levels(config: Config) -> dict[str, dict[str, Any]]:
    return {part.name: part.config.model_dump() for part in config.risk_modes}


def test_auto_is_supervised_with_the_defaults_and_a_fixed_strategy_is_not(load: Any) -> None:
    assert levels(load("auto")) == {
        "halt": {"drawdown": Decimal("0.15")},
        "reduced": {
            "daily_loss": Decimal("0.05"),
            "size_factor": Decimal("0.5"),
            "no_entries_at": Decimal("0.10"),
        },
        "stress": {"size_factor": Decimal("0.5")},
        "drawdown": {"drawdown": Decimal("0.10"), "size_factor": Decimal("0.75")},
    }
    assert levels(load("grid")) == {}


def test_what_is_written_counts_and_one_mode_can_be_switched_off(load: Any) -> None:
    config = load("auto", {"stress": {"enabled": False}, "halt": {"drawdown": "0.25"}})
    assert levels(config).keys() == ALL - {"stress"}
    assert levels(config)["halt"] == {"drawdown": Decimal("0.25")}


@pytest.mark.parametrize("off", [(), ("stress",), ("drawdown", "halt", "reduced", "stress")])
def test_the_effective_configuration_keeps_what_is_off(load: Any, host: Any, off: tuple[str, ...]) -> None:
    config = load("auto", {name: {"enabled": False} for name in off})
    content = effective(config)["risk_modes"]
    again = load("auto", content)
    assert {part.name for part in again.risk_modes} == ALL - set(off)
    assert again.sha256 == config.sha256


@pytest.mark.parametrize(
    ("modes", "key", "said"),
    [
        (
            {"drawdown": {"drawdown": "0.2"}, "halt": {"drawdown": "0.2"}},
            "risk_modes.drawdown.drawdown",
            "never comes before the halt at 0.2",
        ),
        ({"reduced": {"daily_loss": "0.2"}}, "risk_modes.reduced.daily_loss", "no_entries_at 0.10 to be at"),
        (
            {"reduced": {"daily_loss": "0.05", "no_entries_at": "0.04"}},
            "risk_modes.reduced.no_entries_at",
            "at least daily_loss 0.05",
        ),
    ],
)
def test_levels_that_contradict_are_refused(load: Any, modes: Any, key: str, said: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        load("grid", modes)
    (problem,) = caught.value.problems
    assert problem.key == key
    assert said in problem.rule


def test_a_default_that_a_written_level_makes_useless_is_a_note(load: Any) -> None:
    config = load("auto", {"halt": {"drawdown": "0.08"}})
    assert any("never comes before the halt at 0.08" in note.rule for note in config.notes)


@pytest.mark.parametrize(
    ("keys", "modes", "is_noted"),
    [
        ({"dry_run": False, "exchange": {"exchange_id": "bybit"}}, None, True),
        ({"dry_run": False, "exchange": {"exchange_id": "bybit"}}, {"halt": {}}, False),
        ({"exchange": {"exchange_id": "bybit"}}, None, False),
        ({"dry_run": False}, None, False),
    ],
)
def test_real_orders_without_any_risk_mode_are_noted(
    load: Any, keys: Any, modes: Any, is_noted: bool
) -> None:
    notes = [note.rule for note in load("grid", modes, **keys).notes]
    assert any("nothing stops it" in note for note in notes) is is_noted

"""A stand-in for the plugin host, with strategies whose sections have every kind of key."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import Factory, frozen
from click.testing import CliRunner, Result
from pydantic import BaseModel, ConfigDict, Field, model_validator
from traderagent_core.config.fields import PositiveDecimal, RatioDecimal
from traderagent_core.contract.entry_filter import EntryFilter
from traderagent_core.contract.risk_mode import RiskMode
from traderagent_core.contract.strategy import Strategy
from traderagent_core.specs import (
    EntryFilterSpec,
    EventSinkSpec,
    ExchangeAdapterSpec,
    RiskModeSpec,
    StrategySpec,
)


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stops(Model):
    distance: RatioDecimal
    trailing: bool = False


class GridModel(Model):
    upper_price: PositiveDecimal = Field(description="Upper bound.")
    lower_price: PositiveDecimal = Field(description="Lower bound.")
    grid_levels: int = Field(ge=2, le=500, description="Number of levels.")
    amount_per_grid: PositiveDecimal = Field(default=Decimal(100), description="Quote per level.")
    profit_per_grid: Decimal | None = Field(default=None, gt=0, lt=1, description="Profit per cycle.")
    spacing: Literal["arithmetic", "geometric"] = Field(default="arithmetic", description="Kind of steps.")
    trailing_enabled: bool = Field(default=False, description="Follow the price.")
    recenter: PositiveDecimal | Literal["atr"] = Field(default=Decimal(1), description="Where to.")
    weights: list[PositiveDecimal] = Field(default=[], min_length=0, max_length=3, description="Weights.")
    label: str = Field(default="", max_length=5, description="A text.")
    stops: Stops | None = Field(default=None, description="Stops.")
    by_hour: dict[str, Stops] = Field(default={}, description="Stops by hour.")

    @model_validator(mode="after")
    def _check(self) -> "GridModel":
        if self.lower_price >= self.upper_price:
            raise ValueError(f"lower_price {self.lower_price} must be below upper_price {self.upper_price}")
        return self


class DcaModel(Model):
    trigger_percentage: RatioDecimal
    amount_per_step: PositiveDecimal
    max_steps: int
    take_profit_percentage: RatioDecimal


class QuietModel(Model):
    period: int = 14
    api_token: str = ""

    @model_validator(mode="after")
    def _check(self) -> "QuietModel":
        if self.period == 13:
            raise ZeroDivisionError("a defect of the plugin")
        if self.api_token == "wrong-token":
            raise ValueError(f"token {self.api_token!r} is refused")
        return self


@frozen
class StandIn:
    """What a PluginHost tells a configuration."""

    strategies: Mapping[str, StrategySpec] = Factory(dict)
    entry_filters: Mapping[str, EntryFilterSpec] = Factory(dict)
    exchange_adapters: Mapping[str, ExchangeAdapterSpec] = Factory(dict)
    risk_modes: Mapping[str, RiskModeSpec] = Factory(dict)
    event_sinks: Mapping[str, EventSinkSpec] = Factory(dict)
    plugins: tuple[Any, ...] = ()


GRID = StrategySpec("grid", "A ladder.", GridModel, Strategy)
DCA = StrategySpec("dca", "Buys dips.", DcaModel, Strategy)
QUIET = StrategySpec("quiet", "Needs no keys.", QuietModel, Strategy)
VOLUME = EntryFilterSpec("volume", "Wants volume.", QuietModel, EntryFilter)
MODES = {
    name: RiskModeSpec(name, "Limits something.", QuietModel, RiskMode)
    for name in ("drawdown", "halt", "reduced", "stress")
}


@pytest.fixture(scope="session")
def host() -> StandIn:
    return StandIn({"grid": GRID, "quiet": QUIET}, {"volume": VOLUME}, {}, MODES)


@pytest.fixture(scope="session")
def host_with_dca() -> StandIn:
    return StandIn({"grid": GRID, "dca": DCA}, {"volume": VOLUME}, {}, MODES)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write_config(text: str | bytes) -> Path:
        path = tmp_path / "bots.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_config


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, host: StandIn) -> Callable[..., Result]:
    """Run `config …` with the stand-in and an empty environment."""
    from traderagent_core.cli.config import config

    monkeypatch.setattr("traderagent_core.config.load.discover", lambda *_: host)
    monkeypatch.setattr("traderagent_core.config.load.os.environ", {"KEY": "very-secret-key", "LEVELS": "6"})

    def run(*args: str) -> Result:
        return CliRunner().invoke(config, list(args))

    return run


@pytest.fixture
def problems(
    command: Callable[..., Result], write: Callable[[str | bytes], Path]
) -> Callable[[str | bytes], list[dict[str, Any]]]:
    """All problems of a text, as both outputs of `config check` tell them."""

    def check(text: str | bytes) -> list[dict[str, Any]]:
        path = write(text)
        told, as_json = command("check", str(path)), command("check", str(path), "--json")
        assert (told.exit_code, as_json.exit_code) == (2, 2), told.output
        assert isinstance(told.exception, SystemExit)
        assert "Traceback" not in told.output
        found: list[dict[str, Any]] = json.loads(as_json.output)["problems"]
        for problem in found:
            assert f"{path}:{problem['line']}:{problem['column']}: {problem['key']}" in told.output
        return found

    return check

"""The two exchanges that the core brings, from their configuration: `simulated` and `paper`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from attrs import evolve
from pydantic import BaseModel, ConfigDict, Field

from traderagent_core.adapters.clocks import ReplayClock
from traderagent_core.adapters.paper import PaperAdapter
from traderagent_core.adapters.simulated import SimulatedAdapter
from traderagent_core.config.schema import SimulationConfig
from traderagent_core.contract.exchange_adapter import Surroundings
from traderagent_core.data.funding import FundingRates
from traderagent_core.data.loading import LoadedData, load_for_backtest
from traderagent_core.errors import ConfigError
from traderagent_core.model.instrument import Market
from traderagent_core.simulator.assumptions import constant_funding
from traderagent_core.simulator.instruments import instrument_of

START_AFTER_SHARE = 10
"""Without a start the first tenth of the recorded candles is history for indicators, and the rest is played."""


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SimulatedConfig(_Keys):
    """Recorded candles, played back."""

    data: Path | None = Field(
        default=None, description="File, folder or catalogue of candles. Default: the catalogue."
    )
    timeframe: str = Field(
        default="1h", description="Coarsest candles that will do; finer ones are preferred."
    )
    start: datetime | None = Field(
        default=None, description="Where the play begins, UTC. Default: after a tenth of the candles."
    )
    speed: Annotated[float, Field(gt=0, le=1_000_000)] = Field(
        default=60.0, description="How many times as fast as the clock on the wall."
    )


class PaperConfig(_Keys):
    """Prices of another exchange, with simulated fills."""

    source: Annotated[str, Field(min_length=1)] = Field(
        default="simulated", description="Exchange that prices, candles and instruments come from."
    )
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="Keys of that exchange's own section; its orders need no credentials.",
    )


def simulated_adapter(config: SimulatedConfig, surroundings: Surroundings) -> SimulatedAdapter:
    """Loads the candles of all symbols; raises DataError when there are none. It brings its own clock."""
    simulation = _simulation(surroundings)
    parts = [
        load_for_backtest(
            config.data, [symbol], config.timeframe, exchange=simulation.data_exchange, market=market.value
        )
        for symbol, market in surroundings.markets.items()
    ]
    loaded = LoadedData.joined(parts)
    instruments = [
        instrument_of(symbol, market, simulation, loaded.candles[symbol])[0]
        for symbol, market in surroundings.markets.items()
    ]
    start_ms = _start_ms(config.start, loaded.candles)
    return SimulatedAdapter(
        config,
        evolve(surroundings, simulation=simulation, clock=ReplayClock(start_ms, config.speed)),
        instruments,
        loaded.candles,
        funding=_funding(surroundings, simulation, loaded),
        start_ms=start_ms,
    )


def paper_adapter(config: PaperConfig, surroundings: Surroundings) -> PaperAdapter:
    """Builds the source beside it; raises ConfigError when nothing can build one."""
    if surroundings.build is None:
        raise ConfigError(
            f"paper: nothing here can build the exchange {config.source!r} that prices come from"
        )
    source = surroundings.build(config.source, config.settings)
    return PaperAdapter(config, evolve(surroundings, simulation=_simulation(surroundings)), source)


def _simulation(surroundings: Surroundings) -> SimulationConfig:
    found = surroundings.simulation
    return found if isinstance(found, SimulationConfig) else SimulationConfig()


def _funding(
    surroundings: Surroundings, simulation: SimulationConfig, loaded: LoadedData
) -> list[FundingRates]:
    """Of each linear symbol its recorded rates, or the configured constant."""
    rates = []
    for symbol, market in surroundings.markets.items():
        if market is Market.LINEAR and symbol in loaded.funding:
            rates.append(loaded.funding[symbol])
        elif market is Market.LINEAR and simulation.funding_rate:
            rates.append(constant_funding(loaded.candles[symbol], simulation.funding_rate))
    return rates


def _start_ms(start: datetime | None, candles: Mapping[str, Any]) -> int:
    if start is not None:
        aware = start if start.tzinfo is not None else start.replace(tzinfo=UTC)
        return int(aware.timestamp() * 1000)
    return max(int(series.open_time[len(series) // START_AFTER_SHARE]) for series in candles.values())

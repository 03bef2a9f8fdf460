"""A live run from a configuration: the exchange, its clock, and the folder of the run."""

import asyncio
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from attrs import evolve, frozen
from pydantic import BaseModel

from traderagent_core.adapters.building import build_adapter
from traderagent_core.adapters.clocks import ManualClock, ReplayClock, SystemClock
from traderagent_core.adapters.lockstep import LockstepAdapter
from traderagent_core.adapters.simulated import SimulatedAdapter
from traderagent_core.backtest import Request
from traderagent_core.config.effective import effective
from traderagent_core.config.load import Config, load_config
from traderagent_core.contract.exchange_adapter import ExchangeAdapter, Surroundings
from traderagent_core.data.loading import LoadedData
from traderagent_core.data.resampling import divides
from traderagent_core.errors import ConfigError, DataError
from traderagent_core.live.assembling import timeframes_of
from traderagent_core.live.control.panic import keep_panic
from traderagent_core.live.control.reception import Reception
from traderagent_core.live.control.start_up import StartUp
from traderagent_core.live.edits import keep_configuration
from traderagent_core.live.health import keep_health
from traderagent_core.live.lockstep import keep_lockstep
from traderagent_core.live.mirroring import Mirroring
from traderagent_core.live.running import Keeper, keep_reconciled, keep_time
from traderagent_core.live.session import (
    MANIFEST,
    Session,
    keep_room,
    keep_snapshots,
    trade,
    until,
    until_told,
)
from traderagent_core.live.sinks import build_lines, keep_sinks
from traderagent_core.live.stepper import Stepper
from traderagent_core.live.watchdog.board import Board
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.report.manifest import versions
from traderagent_core.report.text import jsonable
from traderagent_core.simulator.assumptions import funding_of
from traderagent_core.simulator.instruments import make_instrument
from traderagent_core.simulator.preparing import acknowledge_after_ms

FORMAT = 1
SIMULATED = ("simulated", "paper")
HISTORY_SHARE = 10
"""Without a start the first tenth of recorded candles is history for indicators."""

Tell = Callable[..., None]
Found = TypeVar("Found")


@frozen
class Recorded:
    """A run on recorded candles. `speed` is how many times as fast as the clock on the wall; None is lockstep.

    Bots start at the first close of their timeframe at or after `start_ms`, or after a tenth of the candles.
    """

    config: Config
    data: Path | None
    speed: float | None
    start_ms: int | None = None


def run_recorded(wish: Recorded, folder: Path, tell: Tell) -> Stepper:
    """Trade on paper on recorded candles, in a folder that holds no run yet; returns where it has come to."""
    loaded = Request(wish.config, wish.data).load()
    return asyncio.run(_play(wish, loaded, folder, tell))


async def _play(wish: Recorded, loaded: LoadedData, folder: Path, tell: Tell) -> Stepper:
    config, candles = wish.config, loaded.candles
    base = _one_timeframe(loaded)
    start_ms = wish.start_ms or _after_history(loaded)
    boot_ms = start_ms - timeframe_ms(base)
    end_ms = max(int(series.open_time[-1]) + series.duration_ms for series in candles.values())
    instruments = [make_instrument(bot, config.simulation, candles[bot.symbol])[0] for bot in config.bots]
    clock = ManualClock(boot_ms) if wish.speed is None else ReplayClock(boot_ms, wish.speed)
    markets = {bot.symbol: bot.market for bot in config.bots}
    surroundings = Surroundings(
        clock, markets, simulation=config.simulation, forced_slippage=_forced_slippage(config)
    )
    funding = list(funding_of(config, candles, list(loaded.funding.values())))
    arguments: tuple[Any, ...] = (None, surroundings, instruments, candles)
    options: dict[str, Any] = {"funding": funding, "start_ms": boot_ms}
    common: dict[str, Any] = {"folder": folder, "account": "simulated", "base": base, "tell": tell}
    common |= {"manifest": manifest_of(config, wish.data), "goes_on": False}
    common |= {"run_id": "sim", "history_ms": boot_ms, "start_ms": start_ms}
    common |= {"acknowledge_after_ms": acknowledge_after_ms(config.simulation)}
    if isinstance(clock, ManualClock):
        venue = LockstepAdapter(*arguments, **options)
        session = Session(config, venue, **common, grace_ms=0, quote=venue.quote, levels=venue.levels)
        return await trade(session, keep_lockstep(venue, clock, end_ms), until_told)
    session = _received(Session(config, SimulatedAdapter(*arguments, **options), **common))
    keepers = *_keepers(session), keep_configuration, keep_sinks(build_lines(config)), until(end_ms)
    return await trade(session, *keepers)


def _received(session: Session) -> Session:
    """The session with a reception, which overhears how far the start has come."""
    start_up, log = StartUp(session.config, session.folder), session.tell

    def tell(what: str, **values: Any) -> None:
        start_up.overhear(what, values)
        log(what, **values)

    return evolve(session, reception=Reception(session.folder, start_up), tell=tell)


def _keepers(session: Session) -> tuple[Keeper, ...]:
    assert session.reception is not None
    supervision = keep_health, keep_snapshots, keep_room, session.reception.keep
    return keep_time, keep_reconciled, *supervision, until_told


def _one_timeframe(loaded: LoadedData) -> str:
    found = {series.timeframe for series in loaded.candles.values()}
    if len(found) > 1:
        told = ", ".join(f"{symbol} {series.timeframe}" for symbol, series in loaded.candles.items())
        raise DataError(f"a run needs candles of one timeframe for all symbols; there are: {told}")
    return found.pop()


def _after_history(loaded: LoadedData) -> int:
    firsts = (int(each.open_time[len(each) // HISTORY_SHARE]) for each in loaded.candles.values())
    return max(firsts)


# -- exchanges ----------------------------------------------------------------------------------------------


def run_live(
    config: Config,
    folder: Path,
    credentials: Mapping[str, str],
    tell: Tell,
    database_url: str | None = None,
    board: Board | None = None,
) -> Stepper:
    """Trade at the exchange that the configuration names, or on paper at its prices, until it is told to end.

    A supervisor that has handed a `board` sees there which call of a plugin is under way.
    A database mirrors the journal, unless none is named; it may be down, and is caught up when it answers.
    """
    session = _received(evolve(_session(config, folder, credentials, tell), board=board))
    mirroring = None if database_url is None else Mirroring(database_url, session.account, folder)
    return asyncio.run(_trade_mirrored(session, mirroring))


async def _trade_mirrored(session: Session, mirroring: Mirroring | None) -> Stepper:
    sinks = keep_sinks(build_lines(session.config))
    keepers = *_keepers(session), keep_configuration, sinks
    if mirroring is None:
        return await trade(session, *keepers)
    try:
        return await trade(session, *keepers, mirroring.keep)
    finally:
        missing = await mirroring.finish()
        if missing:
            session.tell("database_behind", entries=missing)


def run_panic(
    config: Config, folder: Path, credentials: Mapping[str, str], tell: Tell, bot: str | None
) -> Stepper:
    """Take over a run whose process is gone, cancel and close everything of one bot or of all, and end."""
    if is_on_paper(config):
        raise ConfigError("a run on paper has nothing at an exchange: its orders ended with its process")
    session = _received(evolve(_session(config, folder, credentials, tell), starts_bots=False))
    return asyncio.run(trade(session, *_keepers(session), keep_panic(bot)))


def adapter_of(config: Config, credentials: Mapping[str, str]) -> ExchangeAdapter:
    """The adapter of the account that a configuration trades on; raises ConfigError when its bots want several."""
    bot = config.bots[0]
    if any((each.exchange, each.dry_run) != (bot.exchange, bot.dry_run) for each in config.bots):
        raise ConfigError("all bots of a run trade on one account: give them the same exchange and dry_run")
    surroundings = Surroundings(
        SystemClock(),
        {each.symbol: each.market for each in config.bots},
        environment=environment_of(config),
        credentials=credentials,
        simulation=config.simulation,
        forced_slippage=_forced_slippage(config),
    )
    return build_adapter(config.exchanges, *_exchange(config), surroundings)


def _session(config: Config, folder: Path, credentials: Mapping[str, str], tell: Tell) -> Session:
    adapter = adapter_of(config, credentials)
    base = _finest(config)
    return Session(
        config,
        adapter,
        folder,
        account_of(config),
        base,
        tell,
        manifest_of(config),
        goes_on=not is_on_paper(config),
    )


def _forced_slippage(config: Config) -> Decimal:
    return config.coordinator.transition.forced_slippage


def _finest(config: Config) -> str:
    """The timeframe of closed candles; raises ConfigError when another one cannot be built from it."""
    used = timeframes_of(config)
    base = min(used, key=timeframe_ms)
    odd = sorted(each for each in used if not divides(base, each))
    if odd:
        raise ConfigError(
            f"candles of {odd[0]} cannot be built from those of {base}, the finest timeframe in use; choose "
            f"timeframes of which the finest divides all others"
        )
    return base


def is_on_paper(config: Config) -> bool:
    """Whether no order of a configuration reaches an exchange."""
    bot = config.bots[0]
    return bot.dry_run or bot.exchange.exchange_id in SIMULATED


def environment_of(config: Config) -> str:
    """The environment of the exchange: main unless the configuration says otherwise."""
    exchange = config.bots[0].exchange
    return exchange.environment or ("demo" if exchange.sandbox else "main")


def account_of(config: Config) -> str:
    """The name of the account that a configuration trades on: that of its folder and its lock."""
    exchange = config.bots[0].exchange
    if is_on_paper(config):
        return f"paper-{'run' if config.path is None else config.path.stem}"
    name = "" if exchange.credentials_name is None else exchange.credentials_name.reveal()
    return f"{exchange.exchange_id}-{environment_of(config)}-{name}"


def _exchange(config: Config) -> tuple[str, BaseModel | dict[str, Any]]:
    """Name and section of the adapter; for a dry run that of paper, which stands on the exchange."""
    bot = config.bots[0]
    name, section = bot.exchange.exchange_id, bot.exchange_config
    if not bot.dry_run or name in SIMULATED:
        return name, {} if section is None else section
    settings = {} if section is None else section.model_dump(mode="json", exclude_unset=True)
    return "paper", {"source": name, "settings": settings}


# -- folders ------------------------------------------------------------------------------------------------


def manifest_of(config: Config, data: Path | None = None) -> dict[str, Any]:
    """What a replay needs beside the journal: the configuration without its secrets, versions, where data were."""
    return {
        "data": None if data is None else str(data.resolve()),
        "format": FORMAT,
        "file": None if config.path is None else str(config.path.resolve()),
        "presets": [str(preset.resolve()) for preset in config.presets],
        "configuration": jsonable(effective(config)),
        "configuration_sha256": config.sha256,
        "versions": versions(config.distributions),
    }


def configuration_of(folder: Path) -> Config:
    """The configuration that a run was started with last; raises ConfigError when it is not known."""
    return _of_manifest(folder, lambda manifest: load_config({**manifest["configuration"]}))


def started_with(folder: Path, file: Path | None = None) -> Config:
    """The configuration that a run was started with last, as its file is now, or another file over the same presets.

    Raises ConfigError when none is known.
    """
    given = _of_manifest(folder, lambda manifest: [Path(each) for each in manifest.get("presets", [])])
    named = file or _of_manifest(folder, lambda manifest: Path(manifest["file"]))
    return load_config(named, presets=given)


def data_of(folder: Path) -> Path | None:
    """The data that a run was made on, while they are there."""
    told = _of_manifest(folder, lambda manifest: manifest.get("data"))
    return Path(told) if told is not None and Path(told).exists() else None


def _of_manifest(folder: Path, take: Callable[[Mapping[str, Any]], Found]) -> Found:
    path = folder / MANIFEST
    try:
        return take(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {error.strerror or error}; name the folder of a run"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is no manifest of a run ({error!r})") from error

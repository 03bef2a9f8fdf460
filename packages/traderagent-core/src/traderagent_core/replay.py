"""Retraces what a run has recorded, and says where and why it first differs."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen

from traderagent_core.backtest import Request
from traderagent_core.config.load import Config
from traderagent_core.data.resampling import resample
from traderagent_core.errors import DataError
from traderagent_core.live.assembling import assemble, conditions_of
from traderagent_core.live.comparing import candle_cause
from traderagent_core.live.recovery import recorded_config
from traderagent_core.live.retracing import Difference, Retracer
from traderagent_core.live.tape import from_entry
from traderagent_core.live.watchdog.calls import Calls
from traderagent_core.live_run import configuration_of, data_of
from traderagent_core.model.candle import Candle
from traderagent_core.persistence.ended_calls import read_ended
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.persistence.journal.segments import find_segments


def tape_candles(folder: Path) -> Iterator[tuple[str, Candle]]:
    """All closed candles that the tape of a run tells, in its order, with their symbols."""
    for entry in read_entries(folder, 0):
        if entry.kind is EntryKind.EVENT:
            yield from from_entry(entry.value).candles


@frozen
class Replay:
    """What a replay has found: how many events were stepped again, and where it first differs, if anywhere.

    `candle` names the first candle of the tape that the data tell otherwise; empty when all are the same, or there
    are no data to compare them with.
    """

    events: int
    difference: Difference | None
    candle: str = ""


class _Silence:
    """A log of a stepper that nobody keeps."""

    def append(self, kind: EntryKind, payload: Any) -> int:  # noqa: ARG002
        return 0


def replay(folder: Path, data: Path | None = None) -> Replay:
    """Step a fresh engine along the tape of a run, to the first record that differs.

    The candles of the tape are compared with `data`, or with the data that the run was made on while they are there.
    Where the configuration was changed on the way, so it is here. Raises DataError when there is no run.
    """
    if not folder.is_dir() or not find_segments(folder):
        raise DataError(f"{folder} holds no run: it has no journal")
    config = configuration_of(folder)
    entries = read_entries(folder, 0)
    first = next((entry for entry in entries if entry.kind is EntryKind.SETUP), None)
    if first is None:
        raise DataError(f"{folder} holds no run yet: nothing was started")
    configured = partial(recorded_config, config)
    conditions = conditions_of(first.value)
    candle = _candle_cause(folder, config, data or data_of(folder), conditions.base)
    calls = Calls(read_ended(folder))
    retracer = Retracer(assemble(configured(first.value), conditions, _Silence(), calls), configured)
    for entry in entries:
        difference = retracer.take(entry)
        if difference is not None:
            return Replay(retracer.events, difference, candle)
    return Replay(retracer.events, None, candle)


def _candle_cause(folder: Path, config: Config, data: Path | None, base: str) -> str:
    if data is None:
        return ""
    loaded = Request(config, data).load().candles
    return candle_cause(tape_candles(folder), {name: resample(each, base) for name, each in loaded.items()})

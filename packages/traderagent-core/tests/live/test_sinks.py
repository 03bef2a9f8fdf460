"""Event sinks: each has a thread and a bounded queue of its own; whatever it does, the others and the run go on."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from traderagent_core import load_config
from traderagent_core.contract.event_sink import EventSink
from traderagent_core.data.csv_writing import write_csv
from traderagent_core.errors import PluginError
from traderagent_core.live import sinks
from traderagent_core.live.sinks import MOST_WAITING, Line, build_lines
from traderagent_core.live_run import Recorded, run_recorded
from traderagent_core.model.fact import Fact
from traderagent_core.testing import market

PATIENCE_SECONDS = 20.0
PLUGIN = """
import json
from pathlib import Path

from pydantic import BaseModel
from traderagent_core import EventSink, EventSinkSpec, hookimpl


class Settings(BaseModel):
    file: Path | None = None
    events: tuple[str, ...] = ()


class Writes(EventSink):
    def topics(self):
        return self.config.events

    def take(self, fact):
        with self.config.file.open("a") as stream:
            stream.write(json.dumps(fact.to_payload()) + "\\n")

    def close(self):
        with self.config.file.open("a") as stream:
            stream.write('{"event": "closed"}\\n')


class Raises(EventSink):
    def take(self, fact):
        raise RuntimeError("the chat is down")


class Hangs(EventSink):
    def take(self, fact):
        import threading
        threading.Event().wait()


def refuses(config):
    raise OSError("no such host")


@hookimpl
def traderagent_event_sinks():
    for name, factory in {"writes": Writes, "raises": Raises, "hangs": Hangs, "refuses": refuses}.items():
        yield EventSinkSpec(name=name, summary="For a test.", config_model=Settings, factory=factory)
"""


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


class Gate(EventSink):
    """Lets events through while its gate is open; raises those that say so."""

    def __init__(self) -> None:
        super().__init__(None)
        self.gate = threading.Event()
        self.got: list[int] = []
        self.is_closed = False

    def take(self, fact: Fact) -> None:
        assert self.gate.wait(PATIENCE_SECONDS)
        if fact.name == "BAD":
            raise ValueError(f"number {fact.time_ms}")
        self.got.append(fact.time_ms)

    def close(self) -> None:
        self.is_closed = True


def line_of(sink: Gate, *topics: str) -> tuple[Line, list[str]]:
    told: list[str] = []
    line = Line("gate", sink, frozenset(topics))
    line.start(lambda what, _: told.append(what))
    return line, told


def test_a_slow_sink_loses_the_oldest_events_and_delays_nobody() -> None:
    sink = Gate()
    line, _ = line_of(sink, "GOOD")
    line.put(Fact("GOOD", 0))
    until(lambda: not line._waiting)  # It holds the first one.
    for number in range(1, MOST_WAITING + 11):
        line.put(Fact("GOOD", number))
        line.put(Fact("OTHER", number))
    assert (line.describe()["waiting"], line.dropped) == (MOST_WAITING, 10)
    sink.gate.set()
    line.end()
    until(lambda: line.is_done)
    assert sink.got == [0, *range(11, MOST_WAITING + 11)]
    assert sink.is_closed


def test_the_third_failure_ends_it_and_a_single_one_does_not() -> None:
    sink = Gate()
    sink.gate.set()
    line, told = line_of(sink)
    for name, number in (("BAD", 1), ("GOOD", 2), ("BAD", 3), ("GOOD", 4)):
        line.put(Fact(name, number))
    until(lambda: sink.got == [2, 4])
    assert told == ["sink_failed", "sink_failed"]
    line.put(Fact("BAD", 5))
    until(lambda: line.is_done)
    assert told[-1] == "sink_quarantined"
    line.put(Fact("GOOD", 6))
    assert (sink.got, sink.is_closed, line.dropped) == ([2, 4], True, 0)
    assert line.describe()["last_error"] == "ValueError: number 5"


@pytest.fixture
def wish(tmp_path: Path, ladder_file: Path) -> Callable[..., Recorded]:
    """A run of a few seconds, with sinks of the plugin above."""
    plugin, data = tmp_path / "sinks.py", tmp_path / "data"
    plugin.write_text(PLUGIN)
    data.mkdir()
    candles = market("ranging", timeframe="5m", rows=400)
    write_csv(candles, data / "test_spot_BTC-USDT_5m.csv")
    bot = {"name": "bot", "symbol": "BTC/USDT", "strategy": "ladder", "timeframe": "5m"}

    def of(**event_sinks: Any) -> Recorded:
        plugins = [str(ladder_file), str(plugin)]
        config = load_config({"plugins": plugins, "bots": [bot], "event_sinks": event_sinks})
        return Recorded(config, data, 60_000.0)

    return of


def test_sinks_of_a_run_are_told_and_those_that_fail_or_hang_are_left_behind(
    wish: Callable[..., Recorded], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sinks, "LAST_SECONDS", 0.2)
    file, told = tmp_path / "told.jsonl", []
    given = wish(
        writes={"file": str(file), "events": ["BOT_STARTED", "ORDER_FILLED", "SINK_QUARANTINED"]},
        raises={},
        hangs={},
    )
    stepper = run_recorded(given, tmp_path / "run", lambda what, **values: told.append((what, values)))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    names = [line["event"] for line in lines]
    filled = [line["trade_id"] for line in lines if line["event"] == "ORDER_FILLED"]
    assert set(filled) == set(stepper.engine.account.seen_trades)
    assert len(filled) > 3
    assert (names.count("BOT_STARTED"), names.count("SINK_QUARANTINED"), names[-1]) == (1, 1, "closed")
    assert ("sink_quarantined", {"sink": "raises", "error": "RuntimeError: the chat is down"}) in told


def test_a_sink_that_cannot_be_built_stops_the_start_by_name(wish: Callable[..., Recorded]) -> None:
    with pytest.raises(PluginError, match=r"event sink 'refuses' of .*sinks.py.* no such host"):
        build_lines(wish(refuses={}).config)

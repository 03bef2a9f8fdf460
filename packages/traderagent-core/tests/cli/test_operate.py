"""`status`, `start`, `pause`, `resume`, `stop`, `panic`, `ack`, `reset`: words to a process, over its socket."""

import json
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import define
from traderagent_core.cli.main import run
from traderagent_core.data.csv_writing import write_csv
from traderagent_core.live.control.client import follow
from traderagent_core.live.control.place import NAME, find_place
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.testing import market

START = "from traderagent_core.cli.main import main; main()"
SYMBOLS = ("BTC/USDT", "ETH/USDT")


@define
class Running:
    """A process that trades on paper, fast, and commands about it."""

    process: subprocess.Popen[str]
    folder: Path
    capsys: Any = None
    heard: int = 0

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        code = run([*arguments, "--run-dir", str(self.folder)])
        return code, *self.capsys.readouterr()

    def status(self) -> dict[str, Any]:
        code, out, _ = self("status", "--json")
        assert code == 0
        return dict(json.loads(out))

    def lives(self) -> dict[str, str]:
        return {bot["name"]: bot["life_cycle"] for bot in self.status()["bots"]}

    def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first status of which something holds."""
        while not holds(found := self.status()):
            assert self.process.poll() is None
            time.sleep(0.05)
        return found

    def words(self) -> list[tuple[str, str, str]]:
        """The operator's words on the journal, less those that a test has not said."""
        entries = [each.value for each in read_entries(self.folder) if each.kind is EntryKind.RECORDS]
        records = [record["tuple"] for value in entries for record in value["root"]["list"]]
        notes = [record for record in records if record[0] == "noted" and record[3].startswith("operator_")]
        return [(bot, what, reason) for _, _, bot, what, reason in notes][self.heard :]


@contextmanager
def process(folder: Path, ladder_file: Path) -> Iterator[Running]:
    """Two bots on paper, of which `second` does not start by itself; given once `first` has started."""
    config, data = folder / "bots.yaml", folder / "data"
    data.mkdir()
    for symbol in SYMBOLS:
        file = data / f"test_spot_{symbol.replace('/', '-')}_5m.csv"
        write_csv(market("ranging", timeframe="5m", rows=8000, symbol=symbol), file)
    common = "strategy: ladder, timeframe: 5m, ladder: {}"
    config.write_text(
        f"plugins: [{ladder_file}]\nsimulation: {{balance: 10000}}\nbots:\n"
        f"- {{name: first, symbol: {SYMBOLS[0]}, {common}}}\n"
        f"- {{name: second, symbol: {SYMBOLS[1]}, auto_start: false, {common}}}\n"
    )
    where = folder / ("a folder with a rather long name, as folders of tests are wont to have " * 2) / "run"
    arguments = [
        "run",
        "--config",
        str(config),
        "--data",
        str(data),
        "--speed",
        "1000",
        "--run-dir",
        str(where),
    ]
    child = subprocess.Popen(
        [sys.executable, "-c", START, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while child.poll() is None and not (where / NAME).exists():
        time.sleep(0.02)
    try:
        yield Running(child, where)
    finally:
        if child.poll() is None:
            child.terminate()
        child.communicate(timeout=30)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, ladder_file: Path) -> Iterator[Running]:
    """One process for most tests; the last one ends it."""
    with process(tmp_path_factory.mktemp("shared"), ladder_file) as running:
        yield running


@pytest.fixture
def running(shared: Running, capsys: Any) -> Running:
    """The shared process, with its first bot running and its second one stopped."""
    shared.capsys = capsys
    shared("ack")
    shared("start", "--all")
    shared("resume", "--all")
    shared("stop", "second")
    shared.until(lambda found: found["bots"][0]["life_cycle"] == "RUNNING")
    shared.heard += len(shared.words())
    return shared


def test_a_bot_goes_through_its_life_by_an_operators_words(running: Running) -> None:
    assert running.lives() == {"first": "RUNNING", "second": "STOPPED"}
    assert running("pause", "first", "--reason", "lunch") == (0, "first: PAUSED\n", "")
    assert running("start", "second")[1] == "second: RUNNING\n"
    assert running("resume", "first")[1] == "first: RUNNING\n"
    assert running("pause", "--all")[1] == "first: PAUSED\nsecond: PAUSED\n"
    assert running("stop", "first")[1].splitlines()[-1] == "first: STOPPED"
    assert running.status()["bots"][0]["orders"] == []
    assert running("start", "first")[1] == "first: RUNNING\n"
    assert ("first", "operator_pause", "lunch") in running.words()


def test_panic_halts_and_only_an_acknowledgement_ends_that(running: Running) -> None:
    running.until(lambda found: bool(found["bots"][0]["orders"]))
    code, out, _ = running("panic", "--yes", "--reason", "fire")
    assert code == 0
    assert "BUY" in out.partition("closes")[0]
    assert out.endswith("everything is closed; `traderagent ack` when you have seen why\n")
    found = running.status()
    assert found["halt"]["stage"] == "AWAIT_ACK"
    assert found["halt"]["reason"] == "operator: fire"
    assert [(bot["life_cycle"], bot["orders"]) for bot in found["bots"]] == [("EMERGENCY", [])] * 2
    for word in ("start", "resume", "reset"):
        code, _, err = running(word, "first")
        assert code == 2
        assert "ack" in err
    assert running("stop")[0] == 2
    assert running("ack")[1] == "first: STOPPED\nsecond: STOPPED\n"
    assert running.status()["halt"] is None
    assert "no emergency" in running("ack")[2]
    assert running("start", "first")[1] == "first: RUNNING\n"
    assert running.process.poll() is None


def test_panic_for_one_bot_leaves_the_others(running: Running) -> None:
    running("start", "second")
    running.until(lambda found: bool(found["bots"][1]["orders"]))
    assert running("panic", "first", "--yes")[0] == 0
    assert running.lives() == {"first": "EMERGENCY", "second": "RUNNING"}
    assert running("reset", "first")[1] == "first: STOPPED\n"
    assert "nothing to reset" in running("reset", "first")[2]
    assert "nothing to reset" in running("reset", "second")[2]


def test_what_is_refused(running: Running) -> None:
    assert "this run has first, second" in running("pause", "third")[2]
    assert "name a bot, or write --all" in running("pause")[2]
    assert "not both" in running("stop", "first", "--all")[2]
    assert "it cannot pause now; `traderagent start` it first" in running("pause", "second")[2]
    assert running.words() == []


def talk(folder: Path, *lines: bytes) -> list[Any]:
    """Answers to lines, until the other side hangs up."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(20)
        connection.connect(str(find_place(folder)))
        with connection.makefile("rwb") as stream:
            answers = []
            for line in lines:
                stream.write(line + b"\n")
                stream.flush()
                answer = stream.readline()
                answers.append(json.loads(answer) if answer else None)
            return answers


def test_the_socket_is_its_owners_and_takes_any_nonsense(running: Running) -> None:
    mode = stat.S_IMODE(find_place(running.folder).stat().st_mode)
    assert mode == 0o600
    nonsense = [
        b"",
        b"{",
        b"[]",
        b"7",
        b'{"do": 7}',
        b'{"do": "fly"}',
        b'{"do": "pause", "bot": ["first"]}',
        b"\xff\xfe",
    ]
    answers = talk(running.folder, *nonsense, b'{"do": "status"}')
    assert [answer["ok"] for answer in answers] == [False] * len(nonsense) + [True]
    assert "there are ack, end" in answers[5]["error"]
    assert talk(running.folder, b"x" * 100_000) == [None]
    assert running.lives()["first"] == "RUNNING"


def test_events_are_told_as_they_happen(running: Running) -> None:
    heard: list[dict[str, Any]] = []
    has_begun = threading.Event()

    def listen() -> None:
        for event in follow(running.folder):
            heard.append(event)
            has_begun.set()
            if event["event"] == "BOT_STOPPED":
                return

    listener = threading.Thread(target=listen)
    listener.start()
    assert has_begun.wait(timeout=60)  # Prices come by themselves.
    running("pause", "first", "--reason", "lunch")
    running("resume", "first")
    running("stop", "first")
    listener.join(timeout=60)
    names = [event["event"] for event in heard]
    mine = [name for name in names if name.startswith("BOT_")]
    assert mine == ["BOT_PAUSED", "BOT_RESUMED", "BOT_STOPPING", "BOT_STOPPED"]
    assert "PRICE_UPDATED" in names
    assert next(event for event in heard if event["event"] == "BOT_PAUSED")["reason"] == "lunch"


def test_a_killed_run_is_shown_by_its_journal(tmp_path: Path, ladder_file: Path, capsys: Any) -> None:
    with process(tmp_path, ladder_file) as running:
        running.capsys = capsys
        _kill_and_look(running)


def _kill_and_look(running: Running) -> None:
    before = running.until(lambda found: bool(found["bots"][0]["orders"]))
    running.process.kill()
    running.process.wait()
    found = running.status()
    assert found["run"]["state"] == "down"
    assert [bot["life_cycle"] for bot in found["bots"]] == ["RUNNING", "STOPPED"]
    assert found["bots"][0]["orders"] != []
    assert found["now_ms"] <= before["now_ms"] + 60 * 60_000
    code, _, err = running("pause", "first")
    assert code == 2
    assert "no process answers" in err


def test_a_name_is_enough_where_only_one_run_has_it(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    accounts = tmp_path / "state" / "accounts"
    accounts.mkdir(parents=True)
    (accounts / "paper-bots").symlink_to(running.folder)
    monkeypatch.setenv("TRADERAGENT_STATE", str(tmp_path / "state"))
    assert run(["pause", "first"]) == 0
    assert run(["status", "second"]) == 0
    assert "second: STOPPED" in capsys.readouterr().out
    assert run(["pause", "nobody"]) == 2
    assert "no run with a bot 'nobody'" in capsys.readouterr().err
    (accounts / "another").symlink_to(running.folder)
    assert run(["status"]) == 2
    assert "more than one run" in capsys.readouterr().err


def test_the_process_ends_when_the_whole_run_was_stopped(running: Running) -> None:
    code, out, _ = running("stop")
    assert (code, set(out.splitlines()[-2:])) == (0, {"first: STOPPED", "second: STOPPED"})
    assert running.process.wait(timeout=30) == 0
    code, out, _ = running("status")
    assert code == 0
    assert out.startswith("run         down")
    assert run(["replay", str(running.folder)]) == 0

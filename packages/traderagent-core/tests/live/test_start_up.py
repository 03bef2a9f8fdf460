"""A run that comes up answers: how it stood, what it waits for; urgent words are kept until it is reconciled."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from traderagent_core import load_config
from traderagent_core.adapters.simulated import SimulatedAdapter
from traderagent_core.data.csv_writing import write_csv
from traderagent_core.errors import ExchangeUnavailableError
from traderagent_core.live.control import start_up
from traderagent_core.live.control.client import NotListeningError, RefusedByRunError, ask
from traderagent_core.live.control.start_up import StartUp
from traderagent_core.live_run import Recorded, run_recorded
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.persistence.payloads import records_of
from traderagent_core.testing import market

PATIENCE_SECONDS = 30.0


class Operator(threading.Thread):
    """Speaks to a run that waits for its exchange, and lets that answer in the end."""

    def __init__(self, folder: Path, answers: threading.Event, word: str) -> None:
        super().__init__()
        self.folder, self.answers, self.word = folder, answers, word
        self.heard: dict[str, Any] = {}
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            self.heard["status"] = self._until(lambda found: "maintenance" in str(found.get("waits_for")))
            for word in ("pause", "panic_plan", "is_closed", self.word):
                try:
                    self.heard[word] = ask(self.folder, word)
                except RefusedByRunError as error:
                    self.heard[word] = str(error)
            self.answers.set()
            if self.word == "panic":
                self.heard["after"] = self._until(
                    lambda found: (found["halt"] or {}).get("stage") == "AWAIT_ACK"
                )
                ask(self.folder, "ack")
                ask(self.folder, "end")
        except BaseException as error:
            self.failure = error
        finally:
            self.answers.set()

    def _until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                if holds(found := ask(self.folder, "status")):
                    return dict(found)
            except NotListeningError:
                pass
            time.sleep(0.02)
        raise AssertionError("that did not come")


@pytest.mark.parametrize("word", ["end", "panic"])
def test_a_word_that_came_before_the_reconciliation_is_carried_out_after_it(
    word: str, tmp_path: Path, ladder: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_up, "PATIENCE_SECONDS", 0.2)
    answers, positions = threading.Event(), SimulatedAdapter.positions

    async def reads(adapter: SimulatedAdapter) -> Any:
        if not answers.is_set():
            raise ExchangeUnavailableError("maintenance")
        return await positions(adapter)

    monkeypatch.setattr(SimulatedAdapter, "positions", reads)
    write_csv(market("ranging", timeframe="5m", rows=4000), tmp_path / "test_spot_BTC-USDT_5m.csv")
    folder = tmp_path / "run"
    operator = Operator(folder, answers, word)
    operator.start()
    run_recorded(
        Recorded(load_config(ladder(timeframe="5m")), tmp_path, 600.0), folder, lambda *_, **__: None
    )
    operator.join(PATIENCE_SECONDS)
    assert operator.failure is None
    heard = operator.heard
    assert [bot["life_cycle"] for bot in heard["status"]["bots"]] == ["STOPPED"]  # It has never been started.
    assert "is recovering and cannot pause yet" in heard["pause"]
    assert (heard["panic_plan"], heard["is_closed"]) == ({"orders": [], "positions": []}, False)
    records = [each.value for each in read_entries(folder) if each.kind is EntryKind.RECORDS]
    notes = [record[3] for value in records for record in records_of(value) if record[0] == "noted"]
    said = [what for what in notes if what.startswith("operator_")]
    assert said[0] == ("operator_stop" if word == "end" else "operator_halt")
    assert "operator_start" not in said


def test_before_its_first_start_a_run_tells_its_bots(
    tmp_path: Path, ladder: Callable[..., dict[str, Any]]
) -> None:
    answers = StartUp(load_config(ladder()), tmp_path)
    told = asyncio.run(answers.answer(b'{"do": "status"}'))
    (bot,) = told["value"]["bots"]
    assert (bot["life_cycle"], bot["orders"], told["value"]["halt"]) == ("STARTING", [], None)
    assert told["value"]["waits_for"].startswith("the exchange")
    assert json.loads(json.dumps(told)) == told
    assert not asyncio.run(answers.answer(b"fly"))["ok"]

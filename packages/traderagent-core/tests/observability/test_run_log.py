"""The log of a run: no secret in it whatever happens, and no flood."""

import json
import logging
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from traderagent_core.errors import ConfigError
from traderagent_core.observability import run_log as module
from traderagent_core.observability.flood import INTERVAL_SECONDS, MOST_MESSAGES, FloodFilter
from traderagent_core.observability.hiding import Hider
from traderagent_core.observability.run_log import FILE, run_log

CANARY = 'can"ary/of the secret'


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / FILE).read_text().splitlines()]


def leak(folder: Path) -> None:
    """Everything that may carry a secret by mistake, and an error that does."""
    with run_log(folder, "DEBUG", [CANARY]) as tell:
        url = f"http://x/?k={quote(CANARY, safe='')}"
        tell("told", text=f"key {CANARY}", url=url, inside=[{"deep": CANARY}])
        tell("named", api_key="another one", password=None)
        logging.getLogger("library").debug("signing with %s", CANARY)
        try:
            raise ConfigError(f"refused {CANARY}")
        except ConfigError as error:
            raise RuntimeError("failed", CANARY) from error


def test_a_canary_is_found_nowhere(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError) as caught:
        leak(tmp_path)
    assert CANARY not in f"{caught.value!r} {caught.value.__cause__!r}"
    text = (tmp_path / FILE).read_text()
    for form in (CANARY, json.dumps(CANARY)[1:-1], quote(CANARY, safe="")):
        assert form not in text
    found = {line["event"]: line for line in lines(tmp_path)}
    assert found["told"]["text"] == "key ***"
    assert found["named"]["api_key"] == "***"
    assert found["named"]["password"] is None
    assert found["signing with ***"]["logger"] == "library"
    assert "Traceback" in found["run_failed"]["exception"]


def test_the_level_holds_for_libraries_too(tmp_path: Path) -> None:
    with run_log(tmp_path, "WARNING") as tell:
        tell("recovered")
        tell("read_failed", error="x")
        logging.getLogger("library").info("chatter")
    assert [(line["event"], line["level"]) for line in lines(tmp_path)] == [("read_failed", "warning")]


def test_it_is_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 2_000)
    with run_log(tmp_path, "INFO") as tell:
        for number in range(400):
            tell("counted", word="abcdefghij"[number % 10] * (1 + number // 10))
    files = sorted(tmp_path.glob(f"{FILE}*"))
    assert len(files) == module.FILES
    assert all(path.stat().st_size <= 2_100 for path in files)


def record(message: Any) -> logging.LogRecord:
    return logging.LogRecord("run", logging.INFO, "", 0, message, None, None)


def test_the_same_message_comes_once_a_minute_with_its_count() -> None:
    now = 0.0
    flood = FloodFilter(lambda: now)
    written = []
    for second in range(180):
        now = float(second)
        told = record({"event": "read_failed", "error": f"no answer after {second} ms"})
        if flood.filter(told):
            written.append((second, told.repeated))  # type: ignore[attr-defined]
        assert flood.filter(record({"event": "other", "word": second})) is (second % INTERVAL_SECONDS == 0)
    assert written == [(0, 0), (60, 59), (120, 59)]


def test_what_is_remembered_of_messages_is_bounded() -> None:
    flood = FloodFilter(lambda: 0.0)
    for number in range(2 * MOST_MESSAGES):
        assert flood.filter(record("x" * number))
    assert len(flood._seen) == MOST_MESSAGES


def test_longer_secrets_are_hidden_first() -> None:
    assert Hider(["abcd", "abcdef", "ab"]).text("abcdef abcd ab") == "*** *** ab"

"""`traderagent doctor`: every check says what it found, and how to mend it; exit code 2 when one fails."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from traderagent_core.cli import checkup
from traderagent_core.cli.main import run


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRADERAGENT_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("ENCRYPTION_KEY", raising=False)
    return tmp_path / "state"


def findings(capsys: Any, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    code = run(["doctor", "--json", *arguments])
    found = json.loads(capsys.readouterr().out)
    assert code == (0 if all(each["is_ok"] for each in found) else 2)
    return code, {each["check"]: each for each in found}


def test_a_sound_machine(capsys: Any) -> None:
    code, found = findings(capsys)
    assert (code, list(found)) == (0, ["python", "plugins", "folder", "disk", "database"])


def test_a_configuration_on_paper_needs_no_keys(
    tmp_path: Path, ladder: Callable[..., dict[str, Any]], capsys: Any
) -> None:
    file = tmp_path / "bots.yaml"
    file.write_text(json.dumps(ladder()))
    code, found = findings(capsys, "--config", str(file))
    assert code == 0
    assert found["keys"]["found"] == "not needed on paper"
    assert found["account"]["found"] == "free"


@pytest.mark.parametrize(
    ("bot", "check", "told"),
    [
        ({"strategy": "laddr"}, "configuration", "ladder"),
        ({"dry_run": False, "exchange": {"exchange_id": "bybit"}}, "configuration", "bybit"),
    ],
)
def test_what_is_wrong_with_a_configuration(
    bot: dict[str, Any],
    check: str,
    told: str,
    tmp_path: Path,
    ladder: Callable[..., dict[str, Any]],
    capsys: Any,
) -> None:
    content = ladder()
    content["bots"][0] |= bot
    file = tmp_path / "bots.yaml"
    file.write_text(json.dumps(content))
    _, found = findings(capsys, "--config", str(file))
    if check in found and not found[check]["is_ok"]:
        assert told in found[check]["found"]
        assert found[check]["remedy"]
    else:  # Where the package is installed its keys are what is missing.
        assert "credentials_name" in found["keys"]["found"]


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(checkup, "LEAST_FREE", 10**18)
    code = run(["doctor"])
    out = capsys.readouterr().out
    assert code == 2
    assert "FAIL  disk" in out
    assert "-> free some" in out


def test_a_database_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/file/db")
    _, found = findings(capsys)
    assert not found["database"]["is_ok"]
    assert "start the database" in found["database"]["remedy"]

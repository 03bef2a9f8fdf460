"""`traderagent credentials`: keys go in unseen, stay unseen, and can be told to move to another key."""

import io
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from traderagent_core.persistence.vault.keys import new_key


@pytest.fixture
def vault(desk: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The desk with a key and a database of its own."""
    monkeypatch.setenv("ENCRYPTION_KEY", new_key().reveal())
    monkeypatch.setenv("TRADERAGENT_STATE", str(desk.folder / "state"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return desk


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts lines on standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def add(vault: Any, say: Callable[[str], None], name: str = "demo", *options: str) -> Any:
    say("KEY-hunter2\nSECRET-hunter2\nPASS-hunter2\n")
    return vault.run("credentials", "add", name, "--exchange", "bybit", *options)


def test_what_was_added_is_listed_without_its_keys(vault: Any, say: Callable[[str], None]) -> None:
    assert vault.run("credentials", "list").out.startswith("no credentials yet")
    printed = add(vault, say, "demo", "--environment", "demo")
    assert (printed.code, printed.out) == (0, "stored demo: bybit demo\n")
    listed = vault.run("credentials", "list")
    assert [line.split()[:3] for line in listed.out.splitlines()] == [
        ["name", "exchange", "environment"],
        ["demo", "bybit", "demo"],
    ]
    (row,) = json.loads(vault.run("credentials", "list", "--json").out)["credentials"]
    assert (row["name"], row["exchange"], row["environment"]) == ("demo", "bybit", "demo")
    everything = (
        (vault.folder / "state" / "traderagent.db").read_bytes() + listed.out.encode() + str(row).encode()
    )
    assert b"hunter2" not in everything


def test_a_name_that_is_taken_needs_replace(vault: Any, say: Callable[[str], None]) -> None:
    add(vault, say)
    refused = add(vault, say)
    assert refused.code == 2
    assert "--replace" in refused.err
    assert add(vault, say, "demo", "--replace", "--passphrase").code == 0


@pytest.mark.parametrize(
    ("lines", "missing"), [("", "API key"), ("k\n", "API secret"), ("k\ns\n", "Passphrase")]
)
def test_what_is_missing_on_standard_input_is_told(
    lines: str, missing: str, vault: Any, say: Callable[[str], None]
) -> None:
    say(lines)
    printed = vault.run("credentials", "add", "x", "--exchange", "okx", "--passphrase")
    assert printed.code == 2
    assert f"expected the {missing} on standard input" in printed.err


def test_without_a_key_nothing_is_asked(
    vault: Any, say: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ENCRYPTION_KEY")
    printed = add(vault, say)
    assert printed.code == 2
    assert "make one with `traderagent credentials key`" in printed.err


def test_rotation_needs_the_old_key_once_more(
    vault: Any, say: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    add(vault, say)
    monkeypatch.setenv("ENCRYPTION_KEY", vault.run("credentials", "key").out.strip())
    printed = vault.run("credentials", "rotate")
    assert printed.code == 2
    assert "api_key of the credentials demo cannot be opened" in printed.err


def test_rotation_moves_to_the_first_key(
    vault: Any, say: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    add(vault, say)
    old, fresh = os.environ["ENCRYPTION_KEY"], vault.run("credentials", "key").out.strip()
    monkeypatch.setenv("ENCRYPTION_KEY", f"{fresh},{old}")
    assert vault.run("credentials", "rotate").out == "encrypted anew with the first key: 1\n"
    monkeypatch.setenv("ENCRYPTION_KEY", old)
    assert vault.run("credentials", "rotate").code == 2
    monkeypatch.setenv("ENCRYPTION_KEY", fresh)
    assert vault.run("credentials", "rotate").code == 0


def test_removal_asks_first(vault: Any, say: Callable[[str], None]) -> None:
    add(vault, say)
    say("n\n")
    assert vault.run("credentials", "remove", "demo").code == 130
    assert vault.run("credentials", "remove", "demo", "--yes").out == "removed demo\n"
    printed = vault.run("credentials", "remove", "demo", "--yes")
    assert printed.code == 2
    assert "stored: none" in printed.err


def test_the_configuration_says_where_and_with_what(
    vault: Any,
    say: Callable[[str], None],
    ladder: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = Path(vault.folder / "key")
    key.write_text(new_key().reveal())
    key.chmod(0o600)
    monkeypatch.delenv("ENCRYPTION_KEY")
    monkeypatch.setenv("MY_DATABASE", f"sqlite:///{vault.folder}/own.db")
    content = {"database_url": "${MY_DATABASE}", "encryption_key": f"file:{key}", **ladder()}
    config = vault.configure(content, "live.yaml")
    assert add(vault, say, "demo", "--config", str(config)).code == 0
    connection = sqlite3.connect(vault.folder / "own.db")
    assert connection.execute("SELECT name FROM exchange_credentials").fetchall() == [("demo",)]
    connection.close()


def test_a_database_that_cannot_be_used_is_told(vault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://me:hunter2@host/db")
    printed = vault.run("credentials", "list")
    assert printed.code == 2
    assert "expected sqlite:///FILE or postgresql://" in printed.err
    assert "hunter2" not in printed.err

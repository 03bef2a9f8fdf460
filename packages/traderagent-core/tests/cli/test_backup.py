"""`traderagent backup` and `traderagent restore`."""

import json
from pathlib import Path
from typing import Any

import pytest
from traderagent_core.persistence.folders import account_folder
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.journal.lock import Owner
from traderagent_core.persistence.journal.reading import read_entries


@pytest.fixture
def kept(desk: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The desk with the journal of one account."""
    monkeypatch.setenv("TRADERAGENT_STATE", str(desk.folder / "state"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    journal = open_journal(desk.folder / "state")
    for number in range(3):
        journal.append(EntryKind.EVENT, number)
    journal.close()
    return desk


def open_journal(root: Path) -> Journal:
    owner = Owner("bybit-7", "testing", 1, 0)
    return Journal.open(account_folder(root, "bybit-7"), owner, reserve_bytes=0)


def entries(root: Path) -> list[Any]:
    return list(read_entries(account_folder(root, "bybit-7")))


def test_there_and_back(kept: Any) -> None:
    printed = kept.run("backup", "--out", "one.backup")
    assert printed.code == 0
    assert printed.out.splitlines() == [
        "wrote one.backup: 0 rows of the database",
        "  account bybit-7: 4 journal entries",
    ]
    assert (kept.folder / "one.backup").stat().st_mode & 0o077 == 0
    again = kept.run("restore", "one.backup", "--state", "elsewhere", "--json")
    assert again.code == 0
    assert json.loads(again.out)["accounts"] == {"bybit-7": 4}
    assert entries(kept.folder / "elsewhere") == entries(kept.folder / "state")


def test_a_backup_has_a_name_by_itself(kept: Any) -> None:
    assert json.loads(kept.run("backup", "--json").out)["accounts"] == {"bybit-7": 4}
    (path,) = kept.folder.glob("traderagent-*Z.backup")
    assert kept.run("restore", path, "--state", "elsewhere").code == 0


def test_nothing_to_back_up_is_told(kept: Any) -> None:
    printed = kept.run("backup", "--state", "mistyped", "--out", "x")
    assert printed.code == 2
    assert "there is nothing to back up" in printed.err
    assert not (kept.folder / "x").exists()


def test_a_live_account_is_not_overwritten(kept: Any) -> None:
    kept.run("backup", "--out", "one.backup")
    alive = open_journal(kept.folder / "state")
    printed = kept.run("restore", "one.backup")
    assert printed.code == 3
    assert "account bybit-7 is held by process 1 on testing" in printed.err
    alive.close()
    printed = kept.run("restore", "one.backup")
    assert printed.code == 2
    assert "journal of account bybit-7 already" in printed.err


def test_a_damaged_backup_is_told(kept: Any) -> None:
    kept.run("backup", "--out", "one.backup")
    content = (kept.folder / "one.backup").read_bytes()
    (kept.folder / "one.backup").write_bytes(content[:-20])
    printed = kept.run("restore", "one.backup", "--state", "elsewhere")
    assert printed.code == 2
    assert "one.backup: the backup cannot be read" in printed.err

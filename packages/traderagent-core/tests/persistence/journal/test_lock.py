import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from traderagent_core.errors import AccountHeldError
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.journal.lock import AccountLock, Owner

OpenJournal = Callable[..., Journal]
OWNER = Owner("bybit-7", "here", 1, 60_000)


def test_a_second_instance_is_refused_and_told_who_holds_the_account(
    open_journal: OpenJournal, folder: Path
) -> None:
    journal = open_journal()
    later = evolve(journal.owner, since_ms=journal.owner.since_ms + 90_000)
    with pytest.raises(
        AccountHeldError, match="account bybit-7 is held by process 4711 on testing, for 90 s"
    ) as caught:
        Journal.open(folder, later)
    assert caught.value.exit_code == 3
    assert caught.value.account == "bybit-7"


def test_another_process_is_refused(open_journal: OpenJournal, folder: Path) -> None:
    open_journal()
    program = (
        "import sys; from pathlib import Path; from traderagent_core.errors import AccountHeldError\n"
        "from traderagent_core.persistence.journal.lock import AccountLock, Owner\n"
        "try: AccountLock.take(Path(sys.argv[1]), Owner('bybit-7', 'there', 2, 0))\n"
        "except AccountHeldError as error: sys.exit(error.exit_code)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(folder)], check=False).returncode == 3


def test_the_lock_of_a_dead_process_is_free(folder: Path) -> None:
    folder.mkdir()
    program = (
        "import os, sys; from pathlib import Path; from traderagent_core.persistence.journal.lock import *\n"
        "AccountLock.take(Path(sys.argv[1]), Owner('bybit-7', 'there', 2, 0)); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(folder)], check=False).returncode == -9
    AccountLock.take(folder, OWNER).release()


def test_the_account_can_be_taken_again_after_closing(open_journal: OpenJournal) -> None:
    open_journal().close()
    assert open_journal().epoch == 2


def test_a_stolen_lock_stops_the_former_holder_before_it_sends(
    open_journal: OpenJournal, folder: Path
) -> None:
    former = open_journal()
    (folder / "lock").unlink()
    open_journal()
    former.append(EntryKind.EVENT, 1)
    with pytest.raises(AccountHeldError, match="removed or replaced"):
        former.sync()


def test_an_unreadable_lock_still_holds(folder: Path) -> None:
    folder.mkdir()
    lock = AccountLock.take(folder, OWNER)
    (folder / "lock").write_text("?", encoding="utf-8")
    with pytest.raises(AccountHeldError, match="has not said its name"):
        AccountLock.take(folder, OWNER)
    lock.release()

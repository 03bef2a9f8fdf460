from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core.persistence.folders import account_folder, accounts_in, state_root
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.journal.lock import Owner

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


@given(st.sets(names))
def test_every_account_has_a_folder_of_its_own_inside_the_root(accounts: set[str]) -> None:
    root = Path("/state")
    folders = {account_folder(root, account) for account in accounts}
    assert len(folders) == len(accounts)
    assert all(folder.resolve().parent == root / "accounts" for folder in folders)


@pytest.mark.parametrize("account", ["bybit-7", "okx/main.1", "..", ".", "a b%2E", "ünï"])
def test_accounts_are_found_by_their_names(account: str, tmp_path: Path) -> None:
    folder = account_folder(tmp_path, account)
    assert accounts_in(tmp_path) == []
    Journal.open(folder, Owner(account, "x", 1, 0), reserve_bytes=0).close()
    (tmp_path / "accounts" / "empty").mkdir()
    assert accounts_in(tmp_path) == [account]


def test_the_root_is_named_by_the_environment(tmp_path: Path) -> None:
    assert state_root({"TRADERAGENT_STATE": str(tmp_path)}) == tmp_path
    assert state_root({}) == Path.home() / ".traderagent" / "state"

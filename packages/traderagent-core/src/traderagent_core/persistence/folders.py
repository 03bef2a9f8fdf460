"""Where kept state lies on the disk: a root, and in it a folder for each exchange account."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote

from traderagent_core.persistence.journal.segments import find_segments

VARIABLE = "TRADERAGENT_STATE"
ACCOUNTS = "accounts"


def state_root(environ: Mapping[str, str]) -> Path:
    """The folder that TRADERAGENT_STATE names, else ~/.traderagent/state."""
    named = environ.get(VARIABLE)
    return Path(named).expanduser() if named else Path.home() / ".traderagent" / "state"


def account_folder(root: Path, account: str) -> Path:
    """The folder of an account's journal and snapshots; `account` is the venue's id."""
    return root / ACCOUNTS / quote(account, safe="").replace(".", "%2E")


def accounts_in(root: Path) -> list[str]:
    """Accounts that have a journal, by name."""
    folders = (path for path in (root / ACCOUNTS).glob("*") if path.is_dir())
    return sorted(unquote(path.name) for path in folders if find_segments(path))


def default_database_url(root: Path) -> str:
    """The database that is used when none is configured."""
    return f"sqlite:///{root / 'traderagent.db'}"

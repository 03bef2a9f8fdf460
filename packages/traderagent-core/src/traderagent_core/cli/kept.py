"""Where commands find kept state: options that several of them share, and what stands behind these."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

if TYPE_CHECKING:
    from traderagent_core.config.loaded import Config
    from traderagent_core.persistence.database.store import Store
    from traderagent_core.persistence.journal.lock import Owner
    from traderagent_core.persistence.vault.secret import Secret

Found = TypeVar("Found")


class Kept(NamedTuple):
    """Folder of journals, URL of the database, and how to get the encryption key when it is needed."""

    root: Path
    database_url: str
    key: "Callable[[], Secret]"

    def run(self, work: "Callable[[Store], Awaitable[Found]]", *, prepare: bool = True) -> Found:
        """Do something with the database; its tables are made or upgraded first unless told otherwise."""
        return asyncio.run(_with_store(self.database_url, work, prepare=prepare))


def kept_options(command: Callable[..., None]) -> Callable[..., None]:
    """`--config` and `--state`, given to the command as one `kept`."""

    @wraps(command)
    def with_kept(*, config: Path | None, state: Path | None, **options: Any) -> None:
        command(kept=find_kept(_loaded(config), state), **options)

    for option in (
        click.option(
            "--state",
            type=click.Path(path_type=Path),
            help="Folder of journals [default: $TRADERAGENT_STATE, or ~/.traderagent/state].",
        ),
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            help="Take database_url and encryption_key from this file; else $DATABASE_URL, $ENCRYPTION_KEY.",
        ),
    ):
        with_kept = option(with_kept)
    return with_kept


def find_kept(config: "Config | None", state: Path | None) -> Kept:
    """What a configuration says, or else the environment, or else the defaults."""
    from traderagent_core.persistence.folders import default_database_url, state_root

    root = state or state_root(os.environ)
    url, key = _configured(config) if config is not None else (None, None)
    database_url = url or os.environ.get("DATABASE_URL") or default_database_url(root)
    return Kept(root, database_url, key or _key_of_the_environment)


def this_process(now_ms: int) -> "Owner":
    """This process, as the owner of a lock."""
    from traderagent_core.persistence.journal.lock import Owner

    return Owner("", socket.gethostname(), os.getpid(), now_ms)


def _loaded(file: Path | None) -> "Config | None":
    from traderagent_core.config.load import load_config

    return None if file is None else load_config(file)


def _configured(config: "Config") -> "tuple[str | None, Callable[[], Secret] | None]":
    from traderagent_core.persistence.vault.keys import find_key

    url, key = config.database_url, config.encryption_key
    return None if url is None else url.reveal(), None if key is None else lambda: find_key(key.reveal())


def _key_of_the_environment() -> "Secret":
    from traderagent_core.persistence.vault.keys import find_key

    return find_key(os.environ.get("ENCRYPTION_KEY", ""))


async def _with_store(url: str, work: "Callable[[Store], Awaitable[Found]]", *, prepare: bool) -> Found:
    from traderagent_core.persistence.database.connect import Database
    from traderagent_core.persistence.database.store import Store

    async with Database.open(url) as database:
        store = Store(database)
        if prepare:
            await store.prepare()
        return await work(store)

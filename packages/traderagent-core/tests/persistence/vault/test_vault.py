from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from sqlalchemy import text
from traderagent_core.errors import VaultError
from traderagent_core.persistence.database.connect import Database
from traderagent_core.persistence.database.store import Store
from traderagent_core.persistence.vault.keys import Keys, new_key
from traderagent_core.persistence.vault.secret import Secret
from traderagent_core.persistence.vault.vault import (
    Credentials,
    Vault,
    list_credentials,
    remove_credentials,
)

Run = Callable[[Any], Any]
KEY = new_key()
NOW = datetime(2026, 11, 1, tzinfo=UTC)
BYBIT = Credentials("bybit_demo", "bybit", "demo", Secret("KEY-hunter2"), Secret("SECRET-hunter2"))
OKX = Credentials("okx", "okx", "", Secret("key"), Secret("secret"), Secret("pass"))


@asynccontextmanager
async def opened(url: str, key: Secret = KEY) -> AsyncIterator[tuple[Vault, Store]]:
    async with Database.open(url) as database:
        store = Store(database)
        await store.prepare()
        yield Vault(store, Keys.of(key)), store


def test_credentials_come_back_as_they_were(database_url: str, run: Run) -> None:
    async def check() -> None:
        async with opened(database_url) as (vault, store):
            for each in (OKX, BYBIT):
                await vault.add(each, NOW)
            assert await vault.get("bybit_demo") == BYBIT
            assert await vault.get("okx") == OKX
            listed = await list_credentials(store)
            assert [(info.name, info.exchange_id, info.environment) for info in listed] == [
                ("bybit_demo", "bybit", "demo"),
                ("okx", "okx", ""),
            ]

    run(check())


def test_the_database_holds_nothing_readable(database_url: str, run: Run) -> None:
    async def check() -> None:
        async with opened(database_url) as (vault, store):
            await vault.add(BYBIT, NOW)
            (row,) = await store.rows("exchange_credentials")
            assert "hunter2" not in str(row)
            assert KEY.reveal() not in str(row)
            assert row["api_key"] != row["api_secret"]

    run(check())


def test_a_name_is_replaced_only_when_asked(database_url: str, run: Run) -> None:
    async def check() -> None:
        async with opened(database_url) as (vault, store):
            await vault.add(BYBIT, NOW)
            changed = evolve(BYBIT, api_key=Secret("new"))
            with pytest.raises(VaultError, match=r"credentials 'bybit_demo' already, of bybit.*--replace"):
                await vault.add(changed, NOW)
            await vault.add(changed, NOW + timedelta(days=1), replace=True)
            assert await vault.get("bybit_demo") == changed
            (info,) = await list_credentials(store)
            assert (info.created_at, info.updated_at) == (NOW, NOW + timedelta(days=1))

    run(check())


def test_unknown_names_are_told_with_those_that_exist(database_url: str, run: Run) -> None:
    async def check() -> None:
        async with opened(database_url) as (vault, store):
            with pytest.raises(VaultError, match="stored: none"):
                await vault.get("x")
            await vault.add(BYBIT, NOW)
            with pytest.raises(VaultError, match="no credentials 'x'; stored: bybit_demo"):
                await vault.get("x")
            with pytest.raises(VaultError, match="no credentials 'x'"):
                await remove_credentials(store, "x")
            await remove_credentials(store, "bybit_demo")
            assert await list_credentials(store) == []

    run(check())


def test_rotation_moves_everything_to_the_first_key(database_url: str, run: Run) -> None:
    fresh = new_key()

    async def check() -> None:
        async with opened(database_url) as (vault, _):
            await vault.add(BYBIT, NOW)
            await vault.add(OKX, NOW)
        both = Secret(f"{fresh.reveal()},{KEY.reveal()}")
        async with opened(database_url, both) as (vault, _):
            assert await vault.rotate(NOW) == 2
        async with opened(database_url, fresh) as (vault, _):
            assert await vault.get("bybit_demo") == BYBIT
            assert await vault.get("okx") == OKX
        async with opened(database_url) as (vault, _):
            with pytest.raises(VaultError, match="cannot be opened"):
                await vault.get("okx")

    run(check())


def test_a_rotation_that_cannot_open_everything_changes_nothing(database_url: str, run: Run) -> None:
    async def check() -> None:
        async with opened(database_url) as (vault, _):
            await vault.add(BYBIT, NOW)
        other = new_key()
        async with opened(database_url, other) as (vault, store):
            await vault.add(OKX, NOW)
            before = await store.rows("exchange_credentials")
            with pytest.raises(VaultError, match="bybit_demo cannot be opened"):
                await vault.rotate(NOW)
            assert await store.rows("exchange_credentials") == before

    run(check())


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE exchange_credentials SET api_key = api_secret",
        "UPDATE exchange_credentials SET environment = 'main'",
        "UPDATE exchange_credentials SET exchange_id = 'okx'",
        "UPDATE exchange_credentials SET name = 'main'",
        "UPDATE exchange_credentials SET passphrase = api_key",
    ],
)
def test_ciphertexts_moved_in_the_database_are_refused(change: str, database_url: str, run: Run) -> None:
    async def check() -> None:
        async with opened(database_url) as (vault, store):
            await vault.add(BYBIT, NOW)
            async with store.database.writing() as connection:
                await connection.execute(text(change))
            (info,) = await list_credentials(store)
            with pytest.raises(VaultError, match="moved here"):
                await vault.get(info.name)

    run(check())

"""The vault: credentials by name, sealed field by field."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import define, frozen

from traderagent_core.errors import VaultError
from traderagent_core.persistence.vault.keys import Keys
from traderagent_core.persistence.vault.secret import Secret

if TYPE_CHECKING:
    from traderagent_core.persistence.database.store import Store

TABLE = "exchange_credentials"
FIELDS = ("api_key", "api_secret", "passphrase")


@frozen
class Credentials:
    """Keys of an account at an exchange. `environment` is demo, main or test, or empty where there is but one."""

    name: str
    exchange_id: str
    environment: str
    api_key: Secret
    api_secret: Secret
    passphrase: Secret | None = None


@frozen
class CredentialsInfo:
    """What may be shown of stored credentials. Times are aware, UTC."""

    name: str
    exchange_id: str
    environment: str
    created_at: datetime
    updated_at: datetime


@define(eq=False)
class Vault:
    """Stored credentials. What is sealed is bound to name, exchange and environment, and to its field."""

    _store: "Store"
    _keys: Keys

    async def add(self, credentials: Credentials, now: datetime, *, replace: bool = False) -> None:
        """Store credentials. Raises VaultError when the name is taken, unless they are to be replaced."""
        former = await self._store.rows(TABLE, name=credentials.name)
        if former and not replace:
            raise VaultError(
                f"there are credentials {credentials.name!r} already, of {former[0]['exchange_id']}; choose another"
                " name, or say --replace"
            )
        created = former[0]["created_at"] if former else now
        await self._store.write({TABLE: [self._sealed(credentials, created, now)]})

    async def get(self, name: str) -> Credentials:
        """Credentials, opened. Raises VaultError when there are none, or they cannot be opened."""
        return self._opened(await self._row(name))

    async def rotate(self, now: datetime) -> int:
        """Seal everything anew with the first key, all or nothing; returns how many credentials that were."""
        rows = await self._store.rows(TABLE)
        sealed = [self._sealed(self._opened(row), row["created_at"], now) for row in rows]
        await self._store.write({TABLE: sealed})
        return len(sealed)

    async def _row(self, name: str) -> dict[str, Any]:
        rows = await self._store.rows(TABLE, name=name)
        if not rows:
            raise await _unknown(self._store, name)
        return rows[0]

    def _sealed(self, given: Credentials, created: datetime, now: datetime) -> dict[str, Any]:
        owner = (given.name, given.exchange_id, given.environment)
        secrets: dict[str, Secret | None] = {field: getattr(given, field) for field in FIELDS}
        return {
            "name": given.name,
            "exchange_id": given.exchange_id,
            "environment": given.environment,
            **{field: secret and self._keys.seal(owner, field, secret) for field, secret in secrets.items()},
            "created_at": created,
            "updated_at": now,
        }

    def _opened(self, row: dict[str, Any]) -> Credentials:
        owner = (row["name"], row["exchange_id"], row["environment"])
        opened = {
            field: None if row[field] is None else self._keys.open(owner, field, row[field])
            for field in FIELDS
        }
        return Credentials(row["name"], row["exchange_id"], row["environment"], **opened)  # type: ignore[arg-type]


async def list_credentials(store: "Store") -> list[CredentialsInfo]:
    """What is stored, by name; needs no key."""
    return [
        CredentialsInfo(
            row["name"], row["exchange_id"], row["environment"], row["created_at"], row["updated_at"]
        )
        for row in await store.rows(TABLE)
    ]


async def remove_credentials(store: "Store", name: str) -> None:
    """Forget credentials; needs no key. Raises VaultError when there are none of this name."""
    if not await store.remove(TABLE, name=name):
        raise await _unknown(store, name)


async def _unknown(store: "Store", name: str) -> VaultError:
    stored = ", ".join(info.name for info in await list_credentials(store)) or "none"
    return VaultError(
        f"there are no credentials {name!r}; stored: {stored}; add them: `traderagent credentials add`"
    )

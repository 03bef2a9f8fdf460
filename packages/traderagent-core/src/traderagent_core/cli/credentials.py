"""`traderagent credentials`: keys of exchanges, encrypted in the database."""

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from traderagent_core.cli.kept import Kept, kept_options
from traderagent_core.errors import VaultError

if TYPE_CHECKING:
    from traderagent_core.persistence.database.store import Store
    from traderagent_core.persistence.vault.secret import Secret
    from traderagent_core.persistence.vault.vault import Vault


@click.group()
def credentials() -> None:
    """Store keys of exchanges, encrypted."""


@credentials.command(name="key")
def key_command() -> None:
    """Print a new encryption key.

    Keep it in ENCRYPTION_KEY, in a file of mode 0600, or in the system's keyring; never beside the database. Without
    it the credentials cannot be opened any more.
    """
    from traderagent_core.persistence.vault.keys import new_key

    click.echo(new_key().reveal())


@credentials.command(name="add")
@click.argument("name")
@click.option("--exchange", required=True, help="Exchange that the keys are of, such as bybit.")
@click.option(
    "--environment", type=click.Choice(("demo", "main", "test")), help="Environment that the keys are of."
)
@click.option("--passphrase", "has_passphrase", is_flag=True, help="The exchange wants a passphrase too.")
@click.option("--replace", is_flag=True, help="Replace credentials of this name.")
@kept_options
def add_command(
    *, kept: Kept, name: str, exchange: str, environment: str | None, has_passphrase: bool, replace: bool
) -> None:
    """Store the keys of an account under NAME.

    API key and secret are asked for, unseen. Where no terminal is they are read from standard input, a line each.
    """
    from traderagent_core.persistence.vault.vault import Credentials

    keys = kept.key()
    api_key, api_secret = _ask("API key"), _ask("API secret")
    passphrase = _ask("Passphrase") if has_passphrase else None
    given = Credentials(name, exchange, environment or "", api_key, api_secret, passphrase)

    async def work(store: "Store") -> None:
        await _vault(store, keys).add(given, datetime.now(UTC), replace=replace)

    kept.run(work)
    click.echo(f"stored {name}: {exchange}{f' {environment}' if environment else ''}")


@credentials.command(name="list")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object.")
@kept_options
def list_command(*, kept: Kept, is_json: bool) -> None:
    """List stored credentials, without their keys."""
    from traderagent_core.persistence.vault.vault import list_credentials

    found = kept.run(list_credentials)
    rows = [
        {
            "name": each.name,
            "exchange": each.exchange_id,
            "environment": each.environment,
            "created": each.created_at.isoformat(timespec="seconds"),
            "updated": each.updated_at.isoformat(timespec="seconds"),
        }
        for each in found
    ]
    if is_json:
        click.echo(json.dumps({"credentials": rows}, indent=2))
    elif not rows:
        click.echo("no credentials yet; add some with `traderagent credentials add NAME --exchange ID`")
    else:
        for row in (dict(zip(rows[0], rows[0], strict=True)), *rows):
            click.echo("  ".join(f"{row[key]:<{width}}" for key, width in _widths(rows).items()).rstrip())


@credentials.command(name="rotate")
@kept_options
def rotate_command(*, kept: Kept) -> None:
    """Encrypt all credentials anew with the first key.

    ENCRYPTION_KEY holds the new key, a comma, and the old one; afterwards the old one may be left out.
    """
    keys = kept.key()

    async def work(store: "Store") -> int:
        return await _vault(store, keys).rotate(datetime.now(UTC))

    click.echo(f"encrypted anew with the first key: {kept.run(work)}")


@credentials.command(name="remove")
@click.argument("name")
@click.confirmation_option(prompt="Forget these credentials?", help="Do not ask.")
@kept_options
def remove_command(*, kept: Kept, name: str) -> None:
    """Forget the credentials NAME."""
    from traderagent_core.persistence.vault.vault import remove_credentials

    kept.run(lambda store: remove_credentials(store, name))
    click.echo(f"removed {name}")


def _vault(store: "Store", key: "Secret") -> "Vault":
    from traderagent_core.persistence.vault.keys import Keys
    from traderagent_core.persistence.vault.vault import Vault

    return Vault(store, Keys.of(key))


def _ask(what: str) -> "Secret":
    """Never an argument of the command: those are seen by everybody on the machine, and kept by shells."""
    from traderagent_core.persistence.vault.secret import Secret

    if sys.stdin.isatty():
        return Secret(click.prompt(what, hide_input=True).strip())
    text = sys.stdin.readline().strip()
    if not text:
        raise VaultError(f"expected the {what} on standard input, a line for each; found none")
    return Secret(text)


def _widths(rows: list[dict[str, str]]) -> dict[str, int]:
    return {key: max(len(key), *(len(row[key]) for row in rows)) for key in rows[0]}

"""`traderagent backup` and `traderagent restore`: kept state in one file, and back."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from traderagent_core.cli.kept import Kept, kept_options, this_process

if TYPE_CHECKING:
    from traderagent_core.persistence.backup.archive import Manifest


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), help="File to write [default: traderagent-TIME.backup, here]."
)
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object.")
@kept_options
def backup(*, kept: Kept, out: Path | None, is_json: bool) -> None:
    """Write journals, snapshots and database to one file.

    Bots may go on trading meanwhile. Credentials stay encrypted, and the encryption key is not in the backup: keep it
    elsewhere.
    """
    from traderagent_core.persistence.backup.writing import write_backup

    now = datetime.now(UTC)
    path = out or Path(f"traderagent-{now:%Y%m%dT%H%M%SZ}.backup")
    now_ms = int(now.timestamp() * 1000)
    manifest = kept.run(lambda store: write_backup(kept.root, store, path, now_ms), prepare=False)
    _tell("wrote", path, manifest, is_json=is_json)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object.")
@kept_options
def restore(*, kept: Kept, file: Path, is_json: bool) -> None:
    """Restore journals, snapshots and database from FILE.

    Everything is checked first. Nothing is overwritten: accounts must have no journal, and the database must be
    empty; it may be of another kind than the one that was backed up. Exit code 3 when an instance holds an account.
    """
    from traderagent_core.persistence.backup.restoring import restore_backup

    owner = this_process(time.time_ns() // 1_000_000)
    manifest = kept.run(lambda store: restore_backup(file, kept.root, store, owner), prepare=False)
    _tell("restored", file, manifest, is_json=is_json)


def _tell(done: str, path: Path, manifest: "Manifest", *, is_json: bool) -> None:
    if is_json:
        accounts = {part.account: part.last_sequence for part in manifest.accounts}
        click.echo(
            json.dumps({"file": str(path), "accounts": accounts, "rows": dict(manifest.rows)}, indent=2)
        )
        return
    click.echo(f"{done} {path}: {sum(manifest.rows.values()):,} rows of the database")
    for part in manifest.accounts:
        click.echo(f"  account {part.account}: {part.last_sequence:,} journal entries")

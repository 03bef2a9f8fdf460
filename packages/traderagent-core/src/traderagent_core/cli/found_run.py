"""Which run a command is about: the folder that is named, or the one that has the bot, or the only one."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import click

from traderagent_core.errors import DataError

RUN_DIR = click.option(
    "--run-dir",
    type=click.Path(path_type=Path),
    help="Folder of the run [default: the one in $TRADERAGENT_STATE that has BOT, or the only one].",
)
REASON = click.option("--reason", default="", help="Why; kept in the journal.")


def find_run(run_dir: Path | None, bot: str | None) -> Path:
    """The folder of a run; raises DataError when there is none, or more than one."""
    if run_dir is not None:
        return run_dir
    from traderagent_core.persistence.folders import state_root

    root = state_root(os.environ)
    found = [folder for folder, bots in _runs(root) if bot is None or bot in bots]
    if len(found) == 1:
        return found[0]
    what = "run" if bot is None else f"run with a bot {bot!r}"
    if not found:
        raise DataError(f"no {what} in {root}; name the folder of one with --run-dir")
    told = "\n".join(f"  {folder}" for folder in found)
    raise DataError(f"more than one {what}; name the folder with --run-dir:\n{told}")


def bots_of_run(folder: Path) -> list[str]:
    """The names of the bots of a run, by its manifest; none when it has none."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return [bot["name"] for bot in manifest["configuration"]["bots"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _runs(root: Path) -> Iterator[tuple[Path, list[str]]]:
    from traderagent_core.persistence.folders import account_folder, accounts_in

    for account in accounts_in(root):
        folder = account_folder(root, account)
        yield folder, bots_of_run(folder)

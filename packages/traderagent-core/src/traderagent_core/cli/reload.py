"""`traderagent reload`: have a run take its edited configuration, or show what that would change."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from traderagent_core.cli.found_run import REASON, RUN_DIR, find_run

LONGEST = 40


@click.command()
@click.option("--plan", "is_plan", is_flag=True, help="Only show what would change.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@REASON
@RUN_DIR
def reload(*, is_plan: bool, as_json: bool, reason: str, run_dir: Path | None) -> None:
    """Have a run take its configuration as the file is now.

    The whole file is checked first. One with a problem, or with a change that this run cannot go over to, is refused
    and nothing is changed. A run looks for edits by itself, too; this tells what came of it.
    """
    from traderagent_core.live.control.client import ask

    folder = find_run(run_dir, None)
    plan = ask(folder, "reload_plan" if is_plan else "reload", None, reason)
    for line in [json.dumps(plan, indent=2)] if as_json else _lines(plan, is_plan=is_plan):
        click.echo(line)


def _lines(plan: Mapping[str, Any], *, is_plan: bool) -> Iterator[str]:
    if not plan["changes"]:
        yield "the run has this configuration already"
        return
    for change in plan["changes"]:
        when = "next start" if change["counts"] == "next start" else "now"
        yield f"{when:<12}{change['key']}: {_short(change['old'])} → {_short(change['new'])}"
    if plan["called"]:
        yield f"{'plans anew':<12}{', '.join(plan['called'])}"
    if is_plan:
        yield "only a plan: nothing was changed"


def _short(text: str | None) -> str:
    told = "nothing" if text is None else text
    return told if len(told) <= LONGEST else f"{told[: LONGEST - 1]}…"

"""`traderagent events`: what happens in a run, as it happens."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from traderagent_core.cli.found_run import RUN_DIR, find_run


@click.command()
@click.argument("bot", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
@RUN_DIR
def events(*, bot: str | None, as_json: bool, run_dir: Path | None) -> None:
    """Tell what happens in a run, as it happens.

    Of BOT and what concerns the whole account, or of all. It ends with the process of the run, or with Ctrl-C. One
    that reads too slowly loses the oldest events, and is told how many; the run never waits for it.
    """
    from traderagent_core.live.control.client import follow

    for event in follow(find_run(run_dir, bot)):
        whose = event.get("bot", "")
        if bot is None or not whose or whose.partition(":")[0] == bot:
            click.echo(json.dumps(event) if as_json else _line(event))


def _line(event: Mapping[str, Any]) -> str:
    values = dict(event)
    name, time_ms, bot = values.pop("event"), values.pop("time_ms", None), values.pop("bot", "")
    time = (
        "" if time_ms is None else datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    )
    told = " ".join(f"{key}={value}" for key, value in values.items() if value not in (None, ""))
    return f"{time} {name} {bot} {told}".strip()

"""`traderagent doctor`: look at everything that a launch needs, and say what to mend."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import click
from attrs import asdict, evolve

from traderagent_core.cli.checkup import (
    Finding,
    look_at_calls,
    look_at_database,
    look_at_exchange,
    look_at_machine,
    look_at_process,
)
from traderagent_core.errors import TraderAgentError

FAILED = 2


@click.command()
@click.option(
    "--config", type=click.Path(path_type=Path), help="Look at all that this configuration needs too."
)
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
@click.pass_context
def doctor(context: click.Context, *, config: Path | None, is_json: bool) -> None:
    """Check all that a launch needs.

    Python, plugins, folder, disk, account and database; with --config also the configuration, its keys, and by the
    exchange itself: clock, symbols, candles, money and rights to read. It sends no order, so the right to trade shows
    with the first one. Exit code 2 when something fails.
    """
    found = []
    for finding in _look(config):
        found.append(finding)
        if not is_json:
            click.echo(_line(finding))
    if is_json:
        click.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    context.exit(0 if all(finding.is_ok for finding in found) else FAILED)


def _line(finding: Finding) -> str:
    line = f"{'ok  ' if finding.is_ok else 'FAIL'}  {finding.check:<13}  {finding.found}"
    return line if finding.is_ok else f"{line}\n      {'':<13}  -> {finding.remedy}"


def _look(path: Path | None) -> Iterator[Finding]:
    from traderagent_core.cli.kept import find_kept
    from traderagent_core.persistence.folders import account_folder, state_root

    root = state_root(os.environ)
    if path is None:
        yield from look_at_machine(root)
        yield look_at_database(find_kept(None, None).database_url)
        return
    from traderagent_core.cli.run import credentials_of
    from traderagent_core.config.load import load_config
    from traderagent_core.live_run import account_of, is_on_paper
    from traderagent_core.observability.hiding import Hider

    try:
        config = load_config(path)
    except TraderAgentError as error:
        yield from look_at_machine(root)
        yield Finding("configuration", False, str(error), "`traderagent config check` shows every place")
        return
    folder = account_folder(root, account_of(config))
    yield from look_at_machine(folder)
    yield Finding("configuration", True, f"{path}: {', '.join(bot.name for bot in config.bots)}")
    yield look_at_process(folder)
    yield look_at_calls(folder, time.time_ns() // 1_000_000)
    yield look_at_database(find_kept(config, None).database_url)
    try:
        keys = credentials_of(config)
    except TraderAgentError as error:
        yield Finding("keys", False, str(error), "`traderagent credentials add`, and set ENCRYPTION_KEY")
        return
    yield Finding("keys", True, "not needed on paper" if is_on_paper(config) else "stored, and can be read")
    if config.bots[0].exchange.exchange_id not in ("simulated", "paper"):
        hider = Hider(keys.values())  # An exchange may repeat what it was sent.
        yield from (evolve(each, found=hider.text(each.found)) for each in look_at_exchange(config, keys))

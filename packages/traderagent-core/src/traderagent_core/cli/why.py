"""`traderagent why`: what held on a pair at a time of a finished run, and why something was done or left undone."""

from pathlib import Path

import click

from traderagent_core.cli.times import UTC_TIME


@click.command()
@click.argument("run_dir", type=click.Path(path_type=Path))
@click.option("--pair", help="The pair, such as BTC/USDT; needed where the run has traded several.")
@click.option("--at", "at_ms", type=UTC_TIME, help="The time; without it, the end of the run.")
def why(*, run_dir: Path, pair: str | None, at_ms: int | None) -> None:
    """Explain what the back-test in RUN_DIR decided."""
    from traderagent_core.report.why import explain

    click.echo(explain(run_dir, pair, at_ms))

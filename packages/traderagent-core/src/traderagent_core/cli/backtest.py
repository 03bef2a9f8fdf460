"""`traderagent backtest`: simulate a configuration on past candles and write the results."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from traderagent_core.cli.preset_option import preset_option
from traderagent_core.cli.times import UTC_TIME

if TYPE_CHECKING:
    from traderagent_core.backtest import Request

PATHS = ("default", "pessimistic", "optimistic", "next_candle")
OUT = Path("traderagent-out")


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="The configuration to simulate.")
@click.option(
    "--manifest", type=click.Path(path_type=Path), help="Run again what this result.json tells, instead."
)
@preset_option
@click.option("--data", type=click.Path(path_type=Path), help="A file, a folder or a catalogue of candles.")
@click.option("--from", "start_ms", type=UTC_TIME, help="Begin here; earlier candles warm indicators up.")
@click.option("--to", "end_ms", type=UTC_TIME, help="End before this time.")
@click.option("--path", type=click.Choice(PATHS), help="The way the price goes inside a candle.")
@click.option("--bounds", "with_bounds", is_flag=True, help="Run every path and report the range of results.")
@click.option(
    "--compare",
    "with_comparison",
    is_flag=True,
    help="Put buy and hold, cash and, for auto, each strategy alone beside it.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the results.  [default: traderagent-out/NAME]"
)
@click.option(
    "--json", "is_json", is_flag=True, help="Print one JSON object: metrics, assumptions, manifest."
)
def backtest(
    *,
    config: Path | None,
    manifest: Path | None,
    presets: Sequence[Path],
    out: Path | None,
    is_json: bool,
    **options: Any,
) -> None:
    """Simulate a configuration on past candles."""
    from traderagent_core.backtest import again, run_request

    if (config is None) == (manifest is None):
        raise click.UsageError("give either --config FILE or --manifest RESULT.json")
    if config is not None:
        request, name = _request(config, presets, options), config.stem
    else:
        assert manifest is not None
        _refuse_changes({"presets": presets or None, **options})
        request, name = again(manifest, options["data"]), manifest.resolve().parent.name
    _run(request, out or OUT / name, run_request, is_json=is_json)


def _refuse_changes(options: dict[str, Any]) -> None:
    """A run from a manifest is the same run; only where its data are may differ."""
    names = {"presets": "--preset", "start_ms": "--from", "end_ms": "--to", "path": "--path"}
    names |= {"with_bounds": "--bounds", "with_comparison": "--compare"}
    given = [name for key, name in names.items() if options[key] not in (None, False)]
    if given:
        raise click.UsageError(
            f"--manifest repeats a run as it was, so {' and '.join(given)} cannot go with it; use --config"
        )


def _request(config: Path, presets: Sequence[Path], options: dict[str, Any]) -> "Request":
    from traderagent_core.backtest import Request
    from traderagent_core.config.load import load_config

    return Request(load_config(config, presets=presets), **options)


def _run(request: "Request", out: Path, run_request: Any, *, is_json: bool) -> None:
    from traderagent_core.cli.progress import progress_bar

    loaded = request.load()
    for note in (*request.config.notes, *loaded.notes):
        click.echo(f"note: {note}", err=True)
    first_ms, last_ms = request.period(loaded)
    with progress_bar(first_ms, last_ms, is_wanted=not is_json) as progress:
        result = run_request(request, loaded, progress)
    written = result.write(out)
    if is_json:
        click.echo(result.to_json(), nl=False)
        return
    click.echo(result.table())
    click.echo(f"\nWritten to {out}: {', '.join(path.name for path in written)}")

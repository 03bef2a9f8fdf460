"""`traderagent data`: import, download, generate, list and check candles."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from traderagent_core.cli.times import UTC_TIME

if TYPE_CHECKING:
    from traderagent_core.data.catalogue import Catalogue
    from traderagent_core.data.importing import ImportedFile, ImportResult
    from traderagent_core.data.names import NameHints

BROKEN = 1
MOST_GAPS = 10
_WIDE = 160
_ANY_PATH = click.Path(path_type=Path)

catalogue_option = click.option(
    "--catalogue",
    "root",
    type=_ANY_PATH,
    help="Folder of the catalogue [default: $TRADERAGENT_CATALOGUE, or ~/.traderagent/catalogue].",
)
json_option = click.option("--json", "is_json", is_flag=True, help="Print one JSON object.")


def _series_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--market", help="Market where the name does not tell: spot, linear … [default: spot]."),
        click.option("--exchange", help="Exchange where the name does not tell, such as binance."),
        click.option("--timeframe", help="Timeframe (or mark-1h, funding); else told by name or rows."),
        click.option("--symbol", help="Symbol where the name does not tell, such as BTC/USDT."),
    ):
        command = option(command)
    return command


@click.group()
def data() -> None:
    """Import, download, generate, list and check candles."""


@data.command(name="import")
@click.argument("paths", nargs=-1, required=True, type=_ANY_PATH, metavar="PATH...")
@catalogue_option
@_series_options
@click.option("--keep-old", is_flag=True, help="Where bars differ from stored ones, keep the stored ones.")
@click.option("--downloaded-at", help="When the files were downloaded, if not just now: 2024-01-31T12:00Z.")
@json_option
def import_command(
    paths: tuple[Path, ...],
    *,
    root: Path | None,
    symbol: str | None,
    timeframe: str | None,
    exchange: str | None,
    market: str | None,
    keep_old: bool,
    downloaded_at: str | None,
    is_json: bool,
) -> None:
    """Import files, or folders of files, into the catalogue.

    Reads .csv, .csv.gz and .parquet in the usual layouts. Everything is imported, or nothing when a file is broken.
    """
    from traderagent_core.data.importing import import_files
    from traderagent_core.data.telling import imported_lines
    from traderagent_core.data.times import parse_time_ms

    with _progress(is_shown=not is_json) as on_file:
        result = import_files(
            _catalogue(root),
            paths,
            imported_at_ms=time.time_ns() // 1_000_000,
            told=_told(symbol, timeframe, exchange, market),
            downloaded_at_ms=parse_time_ms(downloaded_at) if downloaded_at else None,
            keep_old=keep_old,
            on_file=on_file,
        )
    click.echo(_as_json(_imported_as_dict(result)) if is_json else "\n".join(imported_lines(result)))


@data.command(name="download")
@click.option(
    "--config", type=_ANY_PATH, required=True, help="Its bots tell exchange, symbols and timeframes."
)
@click.option(
    "--from", "since_ms", type=UTC_TIME, required=True, help="The first candle opens here or later."
)
@click.option("--to", "until_ms", type=UTC_TIME, help="The last candle closes here or before [default: now].")
@click.option("--timeframe", help="This timeframe for all bots, instead of their own.")
@catalogue_option
def download_command(
    *, config: Path, since_ms: int, until_ms: int | None, timeframe: str | None, root: Path | None
) -> None:
    """Download candles of the bots' symbols into the catalogue.

    It needs no keys. What is stored is not asked for again, so a download that was interrupted goes on where it was.
    Gaps that the exchange itself has are told.
    """
    from traderagent_core.config.load import load_config
    from traderagent_core.data.times import iso
    from traderagent_core.downloading import download

    tell = partial(click.echo, err=True)
    for done in download(load_config(config), _catalogue(root), since_ms, until_ms, timeframe, tell):
        if done.info is None:
            click.echo(f"{done.key}: the exchange has no candles there")
            continue
        click.echo(
            f"{done.key}: {done.added:,} candles added, {done.info.rows:,} stored, {len(done.gaps)} gaps"
        )
        for gap in done.gaps[:MOST_GAPS]:
            click.echo(f"  from {iso(gap.open_time)} {gap.rows:,} are missing")
        if len(done.gaps) > MOST_GAPS:
            click.echo(f"  and {len(done.gaps) - MOST_GAPS} more")


@data.command(name="list")
@catalogue_option
@json_option
def list_command(*, root: Path | None, is_json: bool) -> None:
    """List the series of the catalogue."""
    catalogue = _catalogue(root)
    series = catalogue.series()
    if is_json:
        click.echo(
            _as_json({"catalogue": str(catalogue.root), "series": [info.to_dict() for info in series]})
        )
    elif not series:
        click.echo(f"no data yet in {catalogue.root}; fill it with `traderagent data import PATH`")
    else:
        from traderagent_core.data.times import iso

        heads = ("exchange", "market", "symbol", "kind", "first", "last", "rows", "restated")
        rows = [
            (
                *_key_words(info.key),
                iso(info.first_ms),
                iso(info.last_ms),
                f"{info.rows:,}",
                str(info.restated),
            )
            for info in series
        ]
        _print_table(heads, rows, numbers=2)


@data.command(name="check")
@click.argument("paths", nargs=-1, type=_ANY_PATH, metavar="[PATH]...")
@catalogue_option
@_series_options
@json_option
@click.pass_context
def check_command(
    context: click.Context,
    paths: tuple[Path, ...],
    *,
    root: Path | None,
    symbol: str | None,
    timeframe: str | None,
    exchange: str | None,
    market: str | None,
    is_json: bool,
) -> None:
    """Check files, or without a PATH everything in the catalogue; change nothing.

    Exit code 1 when something is found that an import would refuse.
    """
    from traderagent_core.data.checking import check_catalogue, check_files
    from traderagent_core.data.telling import checked_lines

    if paths:
        checked = check_files(paths, _told(symbol, timeframe, exchange, market))
    else:
        checked = check_catalogue(_catalogue(root))
    is_sound = all(each.is_sound for each in checked)
    if is_json:
        click.echo(_as_json({"is_sound": is_sound, "checked": [each.to_dict() for each in checked]}))
    else:
        click.echo("\n".join(line for each in checked for line in checked_lines(each)))
    if not is_sound:
        context.exit(BROKEN)


@data.command(name="generate")
@click.option("--symbol", required=True, help="Symbol of the made-up market, such as BTC/USDT.")
@click.option("--timeframe", default="1m", show_default=True, help="Timeframe of the candles.")
@click.option("--rows", type=click.IntRange(min=1), required=True, help="How many candles.")
@click.option(
    "--seed", type=click.IntRange(min=0), required=True, help="The same seed gives the same candles."
)
@click.option("--start", default="2024-01-01", show_default=True, help="Open time of the first candle (UTC).")
@click.option("--price", type=float, default=40_000.0, show_default=True, help="Price at the start.")
@click.option(
    "--volatility", type=float, default=0.6, show_default=True, help="Per year, as a ratio: 0.6 is 60 %."
)
@click.option(
    "--reversion", type=float, default=0.0, show_default=True, help="Share that returns to a mean, 0 to 1."
)
@click.option("--gaps", type=click.IntRange(min=0), default=0, show_default=True, help="Holes in time.")
@click.option("--out", type=_ANY_PATH, help="Write this .csv or .csv.gz file instead of the catalogue.")
@catalogue_option
def generate_command(
    *,
    symbol: str,
    timeframe: str,
    rows: int,
    seed: int,
    start: str,
    price: float,
    volatility: float,
    reversion: float,
    gaps: int,
    out: Path | None,
    root: Path | None,
) -> None:
    """Generate candles of a made-up market, into a file or the catalogue."""
    from traderagent_core.data.generate import generate_candles
    from traderagent_core.data.names import require_symbol
    from traderagent_core.data.times import parse_time_ms

    if out is not None and root is not None:
        raise click.UsageError("--out and --catalogue exclude each other; give one")
    candles = generate_candles(
        symbol=require_symbol(symbol),
        timeframe=timeframe,
        rows=rows,
        seed=seed,
        start_ms=parse_time_ms(start),
        price=price,
        annual_volatility=volatility,
        reversion=reversion,
        gaps=gaps,
    )
    if out is not None:
        from traderagent_core.data.csv_writing import write_csv

        write_csv(candles, out)
    else:
        _write_generated(_catalogue(root), candles, seed)
    click.echo(
        f"generated {rows:,} candles of {symbol} {timeframe}, seed {seed}: {out or _catalogue(root).root}"
    )


def _write_generated(catalogue: "Catalogue", candles: Any, seed: int) -> None:
    from traderagent_core.data.columns import checksum
    from traderagent_core.data.names import SeriesKey
    from traderagent_core.data.series_info import Source

    key = SeriesKey("generated", "spot", candles.symbol, candles.timeframe)
    now_ms = time.time_ns() // 1_000_000
    catalogue.write(key, candles, source=Source(f"generated, seed {seed}", checksum(candles), now_ms))


def _catalogue(root: Path | None) -> "Catalogue":
    from traderagent_core.data.catalogue import Catalogue

    return Catalogue() if root is None else Catalogue(root)


def _told(symbol: str | None, timeframe: str | None, exchange: str | None, market: str | None) -> "NameHints":
    from traderagent_core.data.names import NameHints, require_kind, require_symbol

    return NameHints(
        exchange=exchange,
        market=market,
        symbol=symbol and require_symbol(symbol),
        kind=timeframe and require_kind(timeframe),
    )


def _imported_as_dict(result: "ImportResult") -> dict[str, Any]:
    return {"files": [_file_as_dict(file) for file in result.files], "notes": list(result.notes)}


def _file_as_dict(file: "ImportedFile") -> dict[str, Any]:
    from attrs import asdict

    return {
        "path": str(file.path),
        "series": asdict(file.key),
        "rows": file.report.rows,
        "added": file.result.added,
        "restated": file.result.restated,
        "replaced": file.result.replaced,
        "restated_examples": [asdict(bar) for bar in file.result.examples],
        "checksum": file.result.info.checksum,
        "quality": file.report.to_dict(),
        "notes": list(file.notes),
    }


def _key_words(key: Any) -> tuple[str, str, str, str]:
    return key.exchange, key.market, key.symbol, key.kind


def _print_table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int) -> None:
    """A table; the last `numbers` columns are numbers. Where no terminal tells its width, lines are not cut."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for index, head in enumerate(heads):
        table.add_column(head, justify="right" if index >= len(heads) - numbers else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(width=None if Console().is_terminal else _WIDE).print(table)


@contextmanager
def _progress(*, is_shown: bool) -> Iterator[Callable[[Path, int], None]]:
    """A bar on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not (is_shown and console.is_terminal)) as bar:
        task = bar.add_task("importing", total=None)

        def on_file(path: Path, total: int) -> None:
            bar.update(task, total=total, advance=1, description=path.name)

        yield on_file


def _as_json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)

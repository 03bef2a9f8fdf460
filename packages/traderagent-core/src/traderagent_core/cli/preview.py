"""`traderagent preview`: every order that a configuration would place first, to the last digit."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

import click

from traderagent_core.cli.preset_option import preset_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from traderagent_core.config.loaded import Config
    from traderagent_core.model.candle import Candles
    from traderagent_core.simulator.preview import BotPreview, PreviewOrder

HEADER = ("slot", "purpose", "side", "type", "price", "quantity", "notional", "counter", "profit/cycle")
TEXTS = 4


def _positive(context: click.Context, parameter: click.Parameter, value: str | None) -> Decimal | None:  # noqa: ARG001
    if value is None:
        return None
    try:
        price = Decimal(value)
    except InvalidOperation:
        price = Decimal(0)
    if not price.is_finite() or price <= 0:
        raise click.BadParameter(f"{value!r} is not a price; write a positive number such as 42000.5")
    return price


@click.command()
@click.option(
    "--config", type=click.Path(path_type=Path), required=True, help="The configuration to look at."
)
@preset_option
@click.option(
    "--price", callback=_positive, help="Market price to start at, instead of the last close of the data."
)
@click.option("--data", type=click.Path(path_type=Path), help="Candles for indicators and the last price.")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def preview(
    context: click.Context,
    *,
    config: Path,
    presets: "Sequence[Path]",
    price: Decimal | None,
    data: Path | None,
    is_json: bool,
) -> None:
    """Show every order that a configuration would place."""
    from traderagent_core.config.load import load_config
    from traderagent_core.simulator.preview import preview as previews

    loaded = load_config(config, presets=presets)
    if price is not None and len(loaded.bots) > 1:
        raise click.UsageError("--price goes with a configuration of one bot; leave it out")
    prices = {} if price is None else {loaded.bots[0].symbol: price}
    found = previews(loaded, _candles(loaded, data, is_needed=price is None), prices)
    if is_json:
        click.echo(_json(found), nl=False)
    else:
        for shown in found:
            _echo(shown)
    if any(problem.is_fatal for shown in found for problem in shown.problems):
        context.exit(2)


def _candles(config: "Config", data: Path | None, *, is_needed: bool) -> "Mapping[str, Candles]":
    """The candles; none where a price was given and there are no data, which is then said."""
    from traderagent_core.backtest import Request
    from traderagent_core.errors import DataError

    try:
        return Request(config, data).load().candles
    except DataError:
        if is_needed or data is not None:
            raise
        click.echo(
            "note: no candles found, so price and quantity steps are assumed and indicators see a market that "
            "stands still; import data, or set simulation.instruments",
            err=True,
        )
        return {}


def _echo(shown: "BotPreview") -> None:
    idle = f", idle ({shown.idle})" if shown.idle else ""
    click.echo(f"{shown.bot}: {shown.strategy} on {shown.symbol} at {shown.price}{idle}")
    _echo_table([HEADER, *map(_row, shown.orders)], texts=TEXTS)
    click.echo(
        f"  orders: {len(shown.orders)}, funds needed before leverage and fees: {shown.funds_needed:f}"
    )
    if shown.later:
        click.echo("  later, when the plan comes to them:")
        _echo_table([HEADER, *map(_row, shown.later)], texts=TEXTS)
    for name, value in shown.evidence.items():
        _echo_evidence(name, value)
    for problem in shown.problems:
        word = "problem" if problem.is_fatal else "warning"
        click.echo(f"  {word}: {problem.message}" + (f"; {problem.remedy}" if problem.remedy else ""))
    for refusal in shown.refusals:
        click.echo(f"  {refusal}")


def _text(value: object) -> str:
    """Evidence as a person writes it: items with commas between them."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return str(value)


def _row(order: "PreviewOrder") -> tuple[str, ...]:
    values = (order.price, order.quantity, order.notional, order.counter_price, order.profit_per_cycle)
    numbers = ("" if value is None else f"{value:f}" for value in values)
    return order.slot, order.purpose, order.side, order.type, *numbers


def _echo_evidence(name: str, value: object) -> None:
    """A line, or a table where the rows of a plan's evidence have the same columns."""
    if isinstance(value, tuple) and value and all(isinstance(row, dict) for row in value):
        click.echo(f"  {name}:")
        _echo_table([tuple(value[0]), *(tuple(map(_text, row.values())) for row in value)], texts=1)
    else:
        click.echo(f"  {name}: {_text(value)}")


def _echo_table(rows: "Sequence[tuple[str, ...]]", *, texts: int) -> None:
    """Columns of text, the first `texts` of them to the left and the numbers after them to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            text.ljust(width) if column < texts else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  " + "  ".join(cells).rstrip())


def _json(found: "list[BotPreview]") -> str:
    import attrs

    from traderagent_core.report.text import dumps, jsonable

    return dumps({"bots": jsonable([attrs.asdict(shown) for shown in found])})

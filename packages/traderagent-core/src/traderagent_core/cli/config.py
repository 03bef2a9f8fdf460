"""`traderagent config`: check a configuration, show where its values come from, print its JSON Schema."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from traderagent_core.cli.preset_option import preset_option
from traderagent_core.errors import TraderAgentError

if TYPE_CHECKING:
    from traderagent_core.config.load import Bot, Config

MENDABLE = 2


@click.group()
def config() -> None:
    """Check a configuration; show it; print its schema."""


@config.command()
@click.argument("file", type=click.Path(path_type=Path))
@preset_option
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object with problems, notes and bots.")
@click.pass_context
def check(context: click.Context, file: Path, *, presets: Sequence[Path], is_json: bool) -> None:
    """Check FILE and tell every problem at once.

    Exit code 2 when there is one.
    """
    from traderagent_core.config.load import load_config

    try:
        loaded = load_config(file, presets=presets)
    except TraderAgentError as error:
        _tell_problems(file, error, is_json=is_json)
        context.exit(MENDABLE)
    click.echo(_as_json(_summary(file, loaded)) if is_json else "\n".join(_lines(file, loaded)))


@config.command()
@click.argument("file", type=click.Path(path_type=Path))
@preset_option
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object with values and origins.")
def show(file: Path, *, presets: Sequence[Path], is_json: bool) -> None:
    """Show every value that FILE comes to, and where it is from.

    That is a line of the file, a line of a preset, or a default. What is printed is a configuration again.
    Secrets are left out.
    """
    from traderagent_core.config.effective import effective
    from traderagent_core.config.load import load_config
    from traderagent_core.config.showing import origins, shown

    loaded = load_config(file, presets=presets)
    if is_json:
        content = {"file": str(file), "sha256": loaded.sha256, "values": effective(loaded)}
        click.echo(_as_json({**content, "origins": origins(loaded)}))
    else:
        click.echo(shown(loaded), nl=False)


@config.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file.")
def schema(*, out: Path | None) -> None:
    """Print the JSON Schema (draft 2020-12) of configurations, installed plugins included."""
    from traderagent_core.config.json_schema import config_schema
    from traderagent_core.host import PluginHost

    text = _as_json(config_schema(PluginHost.discover(None)))
    if out is None:
        click.echo(text)
        return
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise TraderAgentError(f"{out} cannot be written: {error.strerror}; choose another --out") from None
    click.echo(f"wrote {out}")


def _tell_problems(file: Path, error: TraderAgentError, *, is_json: bool) -> None:
    if is_json:
        click.echo(_as_json({"ok": False, "file": str(file), "problems": _problems(file, error)}))
    else:
        click.echo(str(error), err=True)


def _problems(file: Path, error: TraderAgentError) -> list[dict[str, Any]]:
    """A failing plugin has no position, but the same keys."""
    from traderagent_core.config.problems import ConfigProblem, InvalidConfigError

    if isinstance(error, InvalidConfigError):
        return [problem.as_dict() for problem in error.problems]
    return [ConfigProblem(str(file), None, None, "plugins", str(error)).as_dict()]


def _summary(file: Path, loaded: "Config") -> dict[str, Any]:
    return {
        "ok": True,
        "file": str(file),
        "sha256": loaded.sha256,
        "bots": [_bot(bot) for bot in loaded.bots],
        "filters": [part.name for part in loaded.filters],
        "risk_modes": [part.name for part in loaded.risk_modes],
        "event_sinks": [part.name for part in loaded.event_sinks],
        "notes": [note.as_dict() for note in loaded.notes],
        "problems": [],
    }


def _bot(bot: "Bot") -> dict[str, Any]:
    return {
        "name": bot.name,
        "symbol": bot.symbol,
        "market": bot.market.value,
        "timeframe": bot.timeframe,
        "strategy": bot.strategy,
        "sections": [name for name, section in bot.sections.items() if section.is_enabled],
        "exchange": bot.exchange.exchange_id,
        "dry_run": bot.dry_run,
    }


def _lines(file: Path, loaded: "Config") -> Sequence[str]:
    bots = [
        f"  {bot.name}: {bot.strategy} on {bot.symbol} ({bot.market.value}, {bot.timeframe}), "
        f"exchange {bot.exchange.exchange_id}{', paper' if bot.dry_run else ''}"
        for bot in loaded.bots
    ]
    parts = [
        f"  {label}: {', '.join(names)}"
        for label, names in (
            ("filters", [part.name for part in loaded.filters]),
            ("risk modes", [part.name for part in loaded.risk_modes]),
            ("event sinks", [part.name for part in loaded.event_sinks]),
        )
        if names
    ]
    notes = [f"note: {note}" for note in loaded.notes]
    return [f"ok: {file}", *bots, *parts, *notes]


def _as_json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)

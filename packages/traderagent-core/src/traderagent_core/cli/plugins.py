"""`traderagent plugins`: what is installed, what it offers, and what is broken and why."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from traderagent_core.host import PluginHost
    from traderagent_core.host.records import Offer, PluginInfo

COLUMNS = ("NAME", "VERSION", "DISTRIBUTION", "STATUS", "OFFERS")


@click.group(invoke_without_command=True)
@click.pass_context
def plugins(context: click.Context) -> None:
    """Show which plugins are installed, enabled or broken."""
    if context.invoked_subcommand is None:
        context.invoke(list_plugins, is_json=False, config=None)


@plugins.command("list")
@click.option("--json", "is_json", is_flag=True, help="Print JSON, with the schema of each configuration.")
@click.option("--config", type=click.Path(path_type=Path), help="Tell what this configuration enables.")
def list_plugins(*, is_json: bool, config: Path | None) -> None:
    """List plugins: version, distribution, what each offers, and why one is not enabled."""
    host = _host() if config is None else _host_of(config)
    if is_json:
        from traderagent_core.host.describe import plugin_dict

        _echo_json([plugin_dict(info) for info in host.plugins])
        return
    _echo_table([COLUMNS, *(_row(info) for info in host.plugins)])
    for info in host.plugins:
        if not info.is_enabled:
            click.echo(f"\n{info.describe()}")


@plugins.command()
@click.argument("name")
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
@click.option("--schema", "is_schema", is_flag=True, help="Print only the JSON Schema of its configuration.")
def show(name: str, *, is_json: bool, is_schema: bool) -> None:
    """Show one plugin, by its name or the name of something it offers, with its configuration keys."""
    from traderagent_core.host.describe import plugin_dict

    info = _find(_host(), name)
    if is_schema:
        _echo_json(_schemas(info.offering(name) or info.offers))
    elif is_json:
        _echo_json(plugin_dict(info))
    else:
        _echo_plugin(info)


@plugins.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Try every plugin; tell what is broken, why, and what would mend it. Exit code 1 when something is."""
    from traderagent_core.host.describe import schema_problem

    host = _host()
    problems = [info.describe() for info in host.failures]
    for info in host.plugins:
        for offer in info.offers if info.is_enabled else ():
            reason = schema_problem(offer.spec)
            if reason:
                problems.append(f"{info.label}: the configuration of {offer} has no JSON Schema: {reason}")
    for problem in problems:
        click.echo(problem)
    sound = len(host.plugins) - len(host.failures)
    click.echo(f"{sound} of {len(host.plugins)} plugins can be used.")
    if problems:
        context.exit(1)


def _host() -> "PluginHost":
    from traderagent_core.host import PluginHost

    return PluginHost.discover(None)


def _host_of(file: Path) -> "PluginHost":
    """The plugins as a run of this configuration would see them."""
    from traderagent_core.config.load import load_config
    from traderagent_core.config.plugin_list import is_path
    from traderagent_core.host import PluginHost

    config = load_config(file)
    if config.plugins is None:
        return PluginHost.discover(None, config.disabled_plugins)
    local = [file.parent / Path(name).expanduser() for name in config.plugins if is_path(name)]
    names = [name for name in config.plugins if not is_path(name)]
    return PluginHost.discover(names, config.disabled_plugins, local)


def _find(host: "PluginHost", name: str) -> "PluginInfo":
    from traderagent_core.errors import PluginError
    from traderagent_core.host.hints import did_you_mean

    found = [info for info in host.plugins if info.name == name]
    found += [info for info in host.plugins if info.offering(name)]
    if found:
        return found[0]
    known = sorted({info.name for info in host.plugins} | {offer.name for offer in _all_offers(host)})
    raise PluginError(
        f"unknown plugin {name!r}{did_you_mean(name, known) or '.'} Installed: {', '.join(known)}",
        plugin=name,
    )


def _all_offers(host: "PluginHost") -> Iterable["Offer"]:
    return (offer for info in host.plugins for offer in info.offers)


def _schemas(offers: Sequence["Offer"]) -> Any:
    """One schema by itself, several by kind and name."""
    from traderagent_core.host.describe import config_schema

    if len(offers) == 1:
        return config_schema(offers[0].spec)
    return {f"{offer.kind}:{offer.name}": config_schema(offer.spec) for offer in offers}


def _row(info: "PluginInfo") -> tuple[str, ...]:
    offers = ", ".join(f"{offer.kind.label} {offer.name}" for offer in info.offers)
    return info.name, info.version or "-", info.distribution, info.status.value, offers or "-"


def _echo_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _echo_plugin(info: "PluginInfo") -> None:
    click.echo(info.describe() if not info.is_enabled else f"{info.label} is enabled")
    click.echo(f"module: {info.module}")
    for offer in info.offers:
        click.echo(f"\n{offer.kind.label} {offer.name}: {offer.spec.summary}")
        _echo_keys(offer)


def _echo_keys(offer: "Offer") -> None:
    from traderagent_core.host.describe import config_keys
    from traderagent_core.specs import CommandSpec

    if isinstance(offer.spec, CommandSpec):
        click.echo(f"  traderagent {offer.name} --help tells its options")
        return
    rows = []
    for key in config_keys(offer.spec.config_model):
        default = "required" if key.default is None else f"default {key.default}"
        rows.append((key.path, f"{key.type}; {default}. {key.description}".rstrip()))
    formatter = click.HelpFormatter(width=click.get_current_context().max_content_width or 100)
    with formatter.indentation():
        formatter.write_dl(rows or [("-", "no configuration keys")])
    click.echo(formatter.getvalue(), nl=False)


def _echo_json(value: Any) -> None:
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))

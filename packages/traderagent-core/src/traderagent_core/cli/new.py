"""`traderagent new`: a package for a plugin of one's own, ready to install, test and back-test."""

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from traderagent_core.cli.scaffold import Names


@click.command()
@click.argument("kind", type=click.Choice(["strategy", "filter", "exchange", "risk-mode"]))
@click.argument("name")
@click.option(
    "--dir",
    "parent",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where to put the package's folder. [default: here]",
)
def new(kind: str, name: str, parent: Path) -> None:
    """Write a package for a plugin of your own.

    NAME is what configurations will call it, such as my-dip; the package is traderagent-my-dip.
    """
    from importlib.metadata import version

    from traderagent_core.cli.scaffold import KINDS, names_of, written

    names = names_of(name)
    _refuse_taken(names.name, is_section_of_bot=KINDS[kind].is_section_of_bot)
    folder = parent / names.distribution
    paths = written(KINDS[kind], names, version("traderagent-core"), folder)
    click.echo(f"Written to {folder}:")
    for path in paths:
        click.echo(f"  {path.relative_to(folder)}")
    _tell_next_steps(folder, names, (path.name for path in paths))


def _refuse_taken(name: str, *, is_section_of_bot: bool) -> None:
    """Raise PluginError where a plugin of that name could not be told from another one, or from a key."""
    from traderagent_core.errors import PluginError
    from traderagent_core.host import PluginHost
    from traderagent_core.host.known import package_of_plugin

    for info in PluginHost.discover(None).plugins:
        if info.name == name or info.offering(name):
            raise PluginError(f"the name {name!r} is taken by the {info.label}; choose another", plugin=name)
    package = package_of_plugin(name)
    if package is not None:
        raise PluginError(f"the name {name!r} is that of {package}; choose another", plugin=name)
    if is_section_of_bot and name in _bot_keys():
        raise PluginError(
            f"{name!r} has a meaning of its own in the configuration of a bot; choose another name",
            plugin=name,
        )


def _bot_keys() -> set[str]:
    from traderagent_core.config.bots import HYBRID
    from traderagent_core.config.schema import AUTO, BotConfig

    return {AUTO, HYBRID, *BotConfig.model_fields}


def _tell_next_steps(folder: Path, names: "Names", files: Iterable[str]) -> None:
    data = "example/generated_spot_BTC-USDT_5m.csv.gz"
    tried = (
        "  traderagent data generate --symbol BTC/USDT --timeframe 5m --rows 50000 --seed 7 --price 30000"
        f" --out {data}\n"
        f"  traderagent backtest --config example/backtest.yaml --data {data}"
    )
    click.echo(
        "\nNext, in a virtual environment:\n"
        f"  cd {shlex.quote(str(folder))}\n"
        '  pip install -e ".[test]"\n'
        "  pytest\n"
        f"  traderagent plugins show {names.name}\n"
        + (tried if "backtest.yaml" in files else "  traderagent config check example/bot.yaml")
    )

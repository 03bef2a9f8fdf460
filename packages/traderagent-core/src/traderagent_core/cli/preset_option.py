"""The option `--preset` of all commands that read a configuration."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

preset_option: Callable[[Function], Function] = click.option(
    "--preset",
    "presets",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A preset to lay under the configuration; of several the last counts.",
)

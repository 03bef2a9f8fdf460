"""Writes the package that `traderagent new` promises: what a name turns into, and templates filled with it."""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import NamedTuple

from traderagent_core.errors import PluginError

NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*\Z")
LONGEST_NAME = 20
PREFIX = "traderagent-"
SUFFIX = ".tmpl"


class Kind(NamedTuple):
    """What is particular to a kind of plugin: its templates, and words for those that all kinds share."""

    folders: tuple[str, ...]
    label: str
    role: str
    hook: str
    kit: str
    summary: str
    requirements: tuple[str, ...]
    is_section_of_bot: bool = False


KINDS: Mapping[str, Kind] = {
    "strategy": Kind(
        folders=("common", "strategy"),
        label="a strategy",
        role="Strategy",
        hook="traderagent_strategies",
        kit="StrategyConformance",
        summary="Buys dips below the mean and sells at a gain or at a stop.",
        requirements=("numpy>=2.2", "pydantic>=2.12"),
        is_section_of_bot=True,
    ),
    "filter": Kind(
        folders=("common", "filter", "buyer"),
        label="an entry filter",
        role="Filter",
        hook="traderagent_entry_filters",
        kit="EntryFilterConformance",
        summary="Holds entries back while candles are large against the price.",
        requirements=("pydantic>=2.12",),
    ),
    "risk-mode": Kind(
        folders=("common", "risk-mode", "buyer"),
        label="a risk mode",
        role="Mode",
        hook="traderagent_risk_modes",
        kit="RiskModeConformance",
        summary="Makes new exposure smaller in a drawdown, until most of it is made good.",
        requirements=("pydantic>=2.12",),
    ),
    "exchange": Kind(
        folders=("common", "exchange", "buyer"),
        label="an exchange adapter",
        role="Adapter",
        hook="traderagent_exchange_adapters",
        kit="ExchangeAdapterConformance",
        summary="Trades on an exchange with HTTP and a stream.",
        requirements=("aiohttp>=3.11", "attrs>=25.3", "numpy>=2.2", "pydantic>=2.12"),
    ),
}


class Names(NamedTuple):
    """What a name turns into: `my-dip` is traderagent-my-dip, traderagent_my_dip and MyDip."""

    name: str
    distribution: str
    package: str
    class_name: str


def names_of(text: str) -> Names:
    """The names that come from what the user wrote; raises PluginError for one that cannot be used."""
    name = text.removeprefix(PREFIX)
    if not NAME_PATTERN.match(name) or len(name) > LONGEST_NAME:
        raise PluginError(
            f"{text!r} cannot be a plugin's name: expected small letters and digits, beginning with a letter, words "
            f"joined by - or _, at most {LONGEST_NAME} characters; {_suggestion(name)}"
        )
    words = re.split("[-_]", name)
    return Names(
        name,
        PREFIX + name.replace("_", "-"),
        "traderagent_" + "_".join(words),
        "".join(word.capitalize() for word in words),
    )


def _class_prefix(kind: Kind, names: Names) -> str:
    """`MyDip` of MyDipStrategy; a plugin called my-filter has a MyFilter, not a MyFilterFilter."""
    return names.class_name.removesuffix(kind.role) or names.class_name


def _suggestion(name: str) -> str:
    """A name near to a wrong one."""
    near = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
    near = re.sub(r"[^a-z0-9]+", "-", near).lstrip("-0123456789")[:LONGEST_NAME].strip("-")
    return f"write {near!r}" if NAME_PATTERN.match(near) else "write 'my-plugin', for example"


def written(kind: Kind, names: Names, core_version: str, folder: Path) -> list[Path]:
    """Write all files of a package into a new folder and return their paths; raises PluginError if it exists."""
    if folder.exists():
        raise PluginError(f"{folder} exists already; choose another name, another --dir, or remove it")
    texts = dict(_rendered(kind, names, core_version))
    for path, text in texts.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return [folder / path for path in sorted(texts)]


def _rendered(kind: Kind, names: Names, core_version: str) -> Iterator[tuple[str, str]]:
    words = _words(kind, names, core_version)
    for folder in kind.folders:
        for path, template in _templates(files("traderagent_core.cli") / "templates" / folder):
            parts = (_renamed(part, names) for part in path.removesuffix(SUFFIX).split("/"))
            yield "/".join(parts), Template(template).substitute(words)


def _templates(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Paths and texts of the templates in a folder of the installed core."""
    for item in folder.iterdir():
        if item.is_dir():
            yield from _templates(item, f"{prefix}{item.name}/")
        elif item.name.endswith(SUFFIX):
            yield prefix + item.name, item.read_text(encoding="utf-8")


def _renamed(part: str, names: Names) -> str:
    return {"package": names.package, "name.md": f"{names.name}.md", "gitignore": ".gitignore"}.get(
        part, part
    )


def _words(kind: Kind, names: Names, core_version: str) -> dict[str, str]:
    core_range = _range(core_version)
    requirements = (f"traderagent-core{core_range}", *kind.requirements)
    return {
        "name": names.name,
        "distribution": names.distribution,
        "package": names.package,
        "Class": _class_prefix(kind, names),
        "title": " ".join(re.split("[-_]", names.name)).capitalize(),
        "label": kind.label,
        "hook": kind.hook,
        "kit": kind.kit,
        "summary": kind.summary,
        "core_range": core_range,
        "requirements": ", ".join(f'"{requirement}"' for requirement in requirements),
    }


def _range(core_version: str) -> str:
    """Versions of the core that keep what this one promises: `>=0.1,<0.2`, from 1.0 on `>=1.4,<2`."""
    major, minor = (int(part) for part in re.findall(r"\d+", core_version)[:2])
    return f">={major}.{minor},<{major + 1}" if major else f">=0.{minor},<0.{minor + 1}"

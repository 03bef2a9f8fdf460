"""docs/reference/configuration.md names every key with type, default and meaning; the examples of all pages load."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from traderagent_core.config.coordinator import (
    DEFAULT_ROUTES,
    AllocatorConfig,
    CoordinatorConfig,
    CorrelationConfig,
    RegimeConfig,
    RiskConfig,
    RouteConfig,
    TransitionConfig,
)
from traderagent_core.config.schema import (
    BotConfig,
    FileConfig,
    GeneralConfig,
    InstrumentConfig,
    SimulationConfig,
)
from traderagent_core.host import PluginHost
from traderagent_core.host.describe import config_keys

PAGE = "docs/reference/configuration.md"
PAGES = sorted(path.as_posix() for path in Path("docs").rglob("*.md"))


def models() -> Iterator[tuple[str, type[BaseModel]]]:
    """Heading and model of every section of the page."""
    yield "Top of the file", GeneralConfig
    yield "`simulation`", SimulationConfig
    yield "`simulation.instruments`", InstrumentConfig
    yield "`coordinator.regime`", RegimeConfig
    yield "`coordinator.router`", RouteConfig
    yield "`coordinator.allocator`", AllocatorConfig
    yield "`coordinator.correlation`", CorrelationConfig
    yield "`coordinator.transition`", TransitionConfig
    yield "`coordinator.risk`", RiskConfig
    yield "`bots`", BotConfig
    ours = [path.name.removeprefix("traderagent-") for path in Path("packages").iterdir()]
    host = PluginHost.discover(sorted(ours))
    for name, strategy in host.strategies.items():
        yield f"`bots: {name}`", strategy.config_model
    for name, entry_filter in host.entry_filters.items():
        yield f"`filters: {name}`", entry_filter.config_model
    for name, mode in host.risk_modes.items():
        yield f"`risk_modes: {name}`", mode.config_model


WORDS = {
    "LazyText": "text",
    "dict[text, InstrumentConfig]": "sections by symbol",
    "dict[text, integer]": "integers by timeframe",
    "dict[text, decimal]": "numbers by name",
    "dict[text, Any]": "values by key",
}
"""Types in a trader's words."""


def type_words(text: str) -> str:
    for name, words in WORDS.items():
        text = text.replace(name, words)
    return text


def key_rows(model: type[BaseModel], row: Callable[..., str]) -> list[str]:
    return [
        row(
            f"`{key.path}`",
            type_words(key.type),
            "required" if key.default is None else f"`{key.default}`" if key.default else "",
            key.description,
        )
        for key in config_keys(model)
    ]


def test_every_key_is_described(page: Callable[[str], Any], tables: Mapping[str, Callable[..., Any]]) -> None:
    reference = page(PAGE)
    for heading, model in models():
        reference.check_table(heading, key_rows(model, tables["row"]))


def test_no_section_is_about_a_part_that_is_gone(page: Callable[[str], Any]) -> None:
    known = {heading for heading, _ in models()}
    assert {heading for heading in page(PAGE).headings() if heading.startswith("`")} | {
        "Top of the file"
    } == known


def test_the_groups_of_the_file_are_named(page: Callable[[str], Any]) -> None:
    text = page(PAGE).section("Top of the file")
    assert [name for name in FileConfig.model_fields if f"`{name}`" not in text] == []


def test_the_groups_of_the_coordinator_are_described() -> None:
    told = {heading for heading, _ in models()}
    assert {f"`coordinator.{name}`" for name in CoordinatorConfig.model_fields} <= told


def test_every_regime_has_its_default_route_told(page: Callable[[str], Any]) -> None:
    text = page(PAGE).section("Default routes")
    for regime, route in DEFAULT_ROUTES.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{regime}` |")]
        told = [route.strategy, *route.parameters, *route.factors]
        told += [route.reserve.strategy] if route.reserve else []
        assert [word for word in told if f"`{word}`" not in line] == []


def test_every_key_has_a_description() -> None:
    lacking = [
        f"{heading} {key.path}"
        for heading, model in models()
        for key in config_keys(model)
        if not key.description
    ]
    assert lacking == []

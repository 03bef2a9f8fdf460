"""Presets and `bot_defaults`: which layer counts, where mistakes are told, and where each value is from."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core.config.layers import laid_over
from traderagent_core.config.load import Config, InvalidConfigError, load_config
from traderagent_core.config.tree import Problems, from_mapping
from traderagent_core.model.regime import Regime

GRID = "grid: {lower_price: 1, upper_price: 2, grid_levels: 5}"
VARIABLE = GRID.replace("5", '"${LEVELS}"')
BOTS = "bots:\n  - {name: a, symbol: BTC/USDT}\n  - {name: b, symbol: ETH/USDT}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Write files, `bots.yaml` first; returns its path."""

    def write(text: str, **presets: str) -> Path:
        for name, content in {"bots": text, **presets}.items():
            (tmp_path / f"{name}.yaml").write_text(content, encoding="utf-8")
        return tmp_path / "bots.yaml"

    return write


@pytest.fixture
def load(folder: Callable[..., Path], host: Any) -> Callable[..., Config]:
    def read(text: str, *given: str, **presets: str) -> Config:
        path = folder(text, **presets)
        paths = [path.parent / f"{name}.yaml" for name in given]
        return load_config(path, presets=paths, host=host, environ={"LEVELS": "7"})

    return read


@pytest.fixture
def problems(load: Callable[..., Config]) -> Callable[..., list[tuple[str, int | None, str, str]]]:
    """File, line, key and words of every problem."""

    def find(text: str, *given: str, **presets: str) -> list[tuple[str, int | None, str, str]]:
        with pytest.raises(InvalidConfigError) as caught:
            load(text, *given, **presets)
        return [
            (Path(each.file).name, each.line, each.key, f"{each.rule}; {each.hint}")
            for each in caught.value.problems
        ]

    return find


# -- which layer counts -------------------------------------------------------------------------------------


def test_the_bot_counts_before_its_defaults_the_file_before_presets_and_the_last_preset_before_others(
    load: Any,
) -> None:
    first = f"bot_defaults: {{strategy: grid, timeframe: 1m, leverage: 1, {GRID}}}\n"
    second = "bot_defaults: {timeframe: 2m, grid: {grid_levels: 6, label: x}}\n"
    third = (
        "bot_defaults: {grid: {label: y, amount_per_grid: 7}}\ncoordinator: {regime: {confirmations: 9}}\n"
    )
    text = (
        "preset: [first.yaml, second.yaml]\nbot_defaults: {grid: {grid_levels: 8}}\n"
        "bots:\n  - {name: a, symbol: BTC/USDT}\n  - {name: b, symbol: ETH/USDT, grid: {grid_levels: 9}}\n"
    )
    config = load(text, "third", first=first, second=second, third=third)
    one, other = (bot.strategy_config for bot in config.bots)
    assert (one.grid_levels, other.grid_levels, one.label, one.lower_price) == (8, 9, "y", Decimal(1))
    assert (one.amount_per_grid, config.bots[0].timeframe) == (Decimal(7), "2m")
    assert config.coordinator.regime.confirmations == 9


def test_a_file_with_a_preset_is_what_it_comes_to(load: Any) -> None:
    short = load("preset: p.yaml\n" + BOTS, p=f"bot_defaults: {{strategy: auto, {GRID}}}\n")
    bots = "".join(
        f"  - {{name: {name}, symbol: {symbol}/USDT, strategy: auto, {GRID}}}\n"
        for name, symbol in (("a", "BTC"), ("b", "ETH"))
    )
    assert short.sha256 == load(f"bots:\n{bots}").sha256
    assert short == load(f"bots:\n{bots}")


def test_a_route_is_one_thing(load: Any) -> None:
    preset = "coordinator: {router: {WIDE_RANGE: {strategy: grid, factors: {grid_levels: 2}}}}\n"
    text = f"coordinator: {{router: {{WIDE_RANGE: {{strategy: quiet}}}}}}\nbot_defaults: {{strategy: auto, {GRID}}}\n"
    routes = load(text + BOTS, "p", p=preset).coordinator.router
    assert (routes[Regime.WIDE_RANGE].strategy, routes[Regime.WIDE_RANGE].factors) == ("quiet", {})


def test_nothing_written_leaves_the_preset_and_false_switches_off(load: Any) -> None:
    preset = f"bot_defaults: {{strategy: quiet, {GRID}, quiet: {{period: 3}}}}\nfilters: {{volume: {{period: 4}}}}\n"
    text = "filters:\nbots:\n  - {name: a, symbol: BTC/USDT, quiet: , grid: {enabled: false}}\n"
    config = load(text, "p", p=preset)
    bot = config.bots[0]
    assert (bot.strategy_config.period, bot.sections["grid"].is_enabled) == (3, False)
    assert config.filters[0].config.period == 4


def test_a_preset_has_variables(load: Any) -> None:
    preset = f"bot_defaults: {{strategy: grid, {VARIABLE}}}\n"
    assert load(BOTS, "p", p=preset).bots[1].strategy_config.grid_levels == 7


trees = st.recursive(
    st.integers(0, 3), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, min_size=1), max_leaves=8
)


@given(upper=trees, lower=trees)
def test_every_value_is_that_of_the_upper_layer_or_not_written_there(upper: Any, lower: Any) -> None:
    problems = Problems("x")
    over, under = (from_mapping({"top": each}, problems) for each in (upper, lower))
    joined = laid_over(over, under)
    for path, node in joined.walk():
        if not node.children:
            above, below = (_at(tree, path) for tree in (over, under))
            assert node is (above or below)
    for path, node in over.walk():
        assert node.children or _at(joined, path) is node


def _at(node: Any, path: Any) -> Any:
    for part in path:
        node = node.child(part) if node is not None else None
    return node


# -- mistakes -----------------------------------------------------------------------------------------------


def test_a_mistake_in_a_preset_is_told_once_at_its_own_place(problems: Any) -> None:
    preset = (
        "bot_defaults:\n  strategy: grid\n  grid: {lower_price: 1, grid_levls: 5}\ncoordinator: {regim: {}}\n"
    )
    assert [found[:3] for found in problems("preset: p.yaml\nlog_level: x\n" + BOTS, p=preset)] == [
        ("bots.yaml", 2, "log_level"),
        ("p.yaml", 3, "bot_defaults.grid.upper_price"),
        ("p.yaml", 3, "bot_defaults.grid.grid_levls"),
        ("p.yaml", 4, "coordinator.regim"),
    ]


def test_a_mistake_of_one_bot_is_told_at_the_bot(problems: Any) -> None:
    preset = f"bot_defaults: {{strategy: grid, {GRID}}}\n"
    text = BOTS.replace("symbol: ETH/USDT", "symbol: ETH/USDT, grid: {grid_levels: 1}")
    (found,) = problems("preset: p.yaml\n" + text, p=preset)
    assert found[:3] == ("bots.yaml", 4, "bots[1].grid.grid_levels")


@pytest.mark.parametrize(
    ("preset", "line", "key", "said"),
    [
        ("simulation: {balance: 5}", 1, "simulation", "a preset does not have this key"),
        ("bots: []", 1, "bots", "write it in the configuration"),
        ("preset: other.yaml", 1, "preset", "a preset does not have this key"),
        ("coordinater: {}", 1, "coordinater", "did you mean 'coordinator'?"),
        ("grid: {}", 1, "grid", "sections of bots stand below bot_defaults"),
        ("bot_defaults:\n  dry_run: false", 2, "bot_defaults.dry_run", "nor whether they are real"),
        ("bot_defaults: {name: x}", 1, "bot_defaults.name", "every bot has its own"),
        ("bot_defaults: 5", 1, "bot_defaults", "expected keys and values"),
        ("filters: [a]", 1, "filters", "expected keys and values"),
        ("a: [", 1, "", "write [a, b]"),
        ("", 1, "", "the file has no keys"),
    ],
)
def test_what_a_preset_may_not_have(problems: Any, preset: str, line: int, key: str, said: str) -> None:
    text = f"preset: p.yaml\nbot_defaults: {{strategy: grid, {GRID}}}\n"
    (found,) = problems(text + BOTS, p=preset)
    assert found[:3] == ("p.yaml", line, key)
    assert said in found[3]


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("preset: none.yaml\n", "preset", "there is no such file: "),
        ("preset: [p.yaml, none.yaml]\n", "preset[1]", "there is no such file"),
        ("preset: 5\n", "preset", "expected"),
        ("preset: {a: b}\n", "preset", "expected the path of a preset, or a list of paths"),
        ("preset: .\n", "preset", "this is a folder"),
        ("preset: ${NONE}\n", "preset", "NONE is not set"),
    ],
)
def test_a_preset_that_is_not_there_is_told_where_it_is_named(
    problems: Any, text: str, key: str, said: str
) -> None:
    found = problems(f"{text}bot_defaults: {{strategy: grid, {GRID}}}\n{BOTS}", p="filters: {}")
    assert [each[:3] for each in found] == [("bots.yaml", 1, key)]
    assert said in found[0][3]


def test_no_preset_may_be_written_too(load: Any) -> None:
    for empty in ("", "[]"):
        assert load(f"preset: {empty}\nbot_defaults: {{strategy: grid, {GRID}}}\n{BOTS}").bots


def test_a_preset_given_beside_the_file_that_is_not_there(problems: Any) -> None:
    (found,) = problems(BOTS, "none")
    assert (found[0], found[1]) == ("none.yaml", None)


# -- where values are from ----------------------------------------------------------------------------------


def test_show_tells_the_origin_of_each_value_and_prints_a_configuration(
    command: Callable[..., Result], folder: Any, host: Any, tmp_path: Path
) -> None:
    preset = f"bot_defaults:\n  strategy: auto\n  {VARIABLE}\n"
    path = folder("preset: p.yaml\n" + BOTS + "encryption_key: ${KEY}\n", p=preset)
    text = command("show", str(path)).output
    told = {" ".join(line.split()) for line in text.splitlines()}
    assert {
        f"- name: a # {path}:3",
        f"strategy: auto # {path.parent / 'p.yaml'}:2",
        f"grid_levels: 6 # {path.parent / 'p.yaml'}:3 ${{LEVELS}}",
        "confirmations: 3 # default",
    } <= told
    assert "very-secret-key" not in text
    again = tmp_path / "again.yaml"
    again.write_text(text, encoding="utf-8")
    one, other = (load_config(each, host=host, environ={"LEVELS": "6", "KEY": "x"}) for each in (path, again))
    assert one.sha256 == other.sha256
    as_json = json.loads(command("show", str(path), "--json").output)
    assert as_json["sha256"] == one.sha256
    assert as_json["origins"]["bots[1].grid.grid_levels"].startswith(f"{path.parent / 'p.yaml'}:3")
    assert as_json["values"]["bots"][1]["grid"]["grid_levels"] == 6


def test_check_takes_presets_too(command: Callable[..., Result], folder: Any) -> None:
    path = folder(BOTS, p=f"bot_defaults: {{strategy: grid, {GRID}}}\n")
    assert command("check", str(path)).exit_code == 2
    assert command("check", str(path), "--preset", str(path.parent / "p.yaml")).exit_code == 0

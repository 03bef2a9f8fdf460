"""Which plugins a configuration has loaded: its list, its local paths, or whatever works."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from traderagent_core.config.load import InvalidConfigError, load_config
from traderagent_core.config.plugin_list import is_path
from traderagent_core.errors import PluginError

PLUGIN = """
from pydantic import BaseModel
from traderagent_core.contract.strategy import Strategy
from traderagent_core.hookspecs import hookimpl
from traderagent_core.specs import StrategySpec

class MineConfig(BaseModel):
    period: int = 3

class Mine(Strategy):
    def on_start(self, context):
        pass

@hookimpl
def traderagent_strategies():
    yield StrategySpec(name="mine", summary="A test.", config_model=MineConfig, factory=Mine)
"""
BOTS = "bots: [{name: a, symbol: BTC/USDT, strategy: quiet}]\n"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, host: Any) -> list[tuple[Any, ...]]:
    made: list[tuple[Any, ...]] = []

    def discover(allow: Any, disabled: Any = (), local: Any = ()) -> Any:
        made.append((allow, tuple(disabled), tuple(local)))
        if allow and "broken" in allow:
            raise PluginError("plugin 'broken' (broken 1.0) is broken: importing it failed")
        return host

    monkeypatch.setattr("traderagent_core.host.PluginHost.discover", discover)
    return made


def load(write: Callable[..., Path], text: str) -> Any:
    return load_config(write(text + BOTS), environ={})


def test_without_a_list_everything_that_works_may_be_named(
    calls: list[Any], write: Callable[..., Path]
) -> None:
    assert load(write, "disabled_plugins: [web]\n").bots[0].strategy == "quiet"
    assert calls == [(None, ("web",), ())]


def test_names_are_listed_and_paths_start_at_the_file(calls: list[Any], write: Callable[..., Path]) -> None:
    config = load(write, "plugins: [quiet, ./mine, /srv/other.py, third.py]\n")
    folder = config.path.parent
    assert calls == [(["quiet"], (), (folder / "mine", Path("/srv/other.py"), folder / "third.py"))]
    assert config.plugins == ("quiet", "./mine", "/srv/other.py", "third.py")


def test_a_listed_plugin_that_fails_is_a_problem_beside_the_others(
    calls: list[Any], write: Callable[..., Path]
) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        load(write, "plugins: [broken]\nlog_level: LOUD\n")
    first, second = caught.value.problems
    assert (first.line, first.key, first.rule.split(":")[0]) == (
        1,
        "plugins",
        "plugin 'broken' (broken 1.0) is broken",
    )
    assert second.key == "log_level"


def test_a_list_that_is_wrong_itself_is_the_only_problem(
    calls: list[Any], write: Callable[..., Path]
) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        load(write, "plugins: {quiet: true}\n")
    assert [problem.key for problem in caught.value.problems] == ["plugins"]


@pytest.mark.parametrize(
    ("name", "expected"), [("grid", False), ("my-grid", False), ("a/b", True), ("x.py", True)]
)
def test_paths_are_told_from_names(name: str, expected: bool) -> None:
    assert is_path(name) is expected


def test_a_local_plugin_is_loaded_by_the_host_itself(write: Callable[..., Path]) -> None:
    path = write(
        "plugins: [./mine.py]\nbots: [{name: a, symbol: BTC/USDT, strategy: mine, mine: {period: 5}}]\n"
    )
    (path.parent / "mine.py").write_text(PLUGIN)
    config = load_config(path, environ={})
    assert config.bots[0].strategy_config is not None
    assert config.bots[0].strategy_config.model_dump() == {"period": 5}


def test_a_local_plugin_that_is_not_there_is_named(write: Callable[..., Path]) -> None:
    path = write("plugins: [./mime.py]\nrisk_modes: {drawdown: }\nbots: []\n")
    with pytest.raises(InvalidConfigError) as caught:
        load_config(path, environ={})
    assert [problem.key for problem in caught.value.problems] == ["plugins", "bots"]
    assert "mime.py" in caught.value.problems[0].rule

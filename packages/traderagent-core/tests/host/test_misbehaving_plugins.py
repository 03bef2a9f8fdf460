"""Plugins that fail outside callbacks, while a run is built: an error by their name, never the end of the process."""

from collections.abc import Callable
from pathlib import Path

import pytest
from traderagent_core import generate_candles, load_config, simulate
from traderagent_core.errors import TraderAgentError

PLUGIN = """
import sys
import numpy as np
from pydantic import BaseModel, model_validator
from traderagent_core import Needs, Strategy, StrategySpec, Wake, hookimpl

class Config(BaseModel):
    {config}

class Bad(Strategy):
    def on_start(self, context):
        {start}
    {body}

@hookimpl
def traderagent_strategies():
    yield StrategySpec(name="bad", summary="Misbehaves.", config_model=Config, factory=Bad)
"""
FAILING = {"raises": "1 / 0", "exits": "sys.exit(1)"}
MARKING = "@classmethod\n    def needs(cls, config): return Needs(wake=Wake.CANDIDATES)\n    "
PLACES = {
    "needs": "@classmethod\n    def needs(cls, config): {}",
    "check": "@classmethod\n    def check(cls, *_): {}",
    "candidates": MARKING + "@classmethod\n    def candidates(cls, *_): {}",
    "its constructor": "def __init__(self, config): {}",
}
STRANGE = {
    "needs none": "@classmethod\n    def needs(cls, config): return None",
    "problems none": "@classmethod\n    def check(cls, *_): return None",
    "problems 5": "@classmethod\n    def check(cls, *_): return [5]",
    "too few marks": MARKING + "@classmethod\n    def candidates(cls, *_): return np.zeros(3, dtype=bool)",
    "marks none": MARKING + "@classmethod\n    def candidates(cls, *_): return None",
    "writes columns": MARKING + "@classmethod\n    def candidates(cls, _, columns): columns['close'][:] = 1",
    "a timeframe of its own": "@classmethod\n    def needs(cls, config): return Needs(timeframe='7x')",
}


@pytest.fixture
def said(tmp_path: Path) -> Callable[..., str]:
    """What is said of a run with such a plugin; any other exception fails the test."""

    def run(*, body: str = "", config: str = "x: int = 1", start: str = "pass") -> str:
        path = tmp_path / "bad.py"
        path.write_text(PLUGIN.format(body=body, config=config, start=start), encoding="utf-8")
        bot = {"name": "b", "symbol": "BTC/USDT", "strategy": "bad"}
        candles = generate_candles(
            symbol="BTC/USDT", timeframe="1h", rows=100, seed=1, start_ms=1_704_067_200_000
        )
        try:
            simulate(load_config({"plugins": [str(path)], "bots": [bot]}), candles)
        except TraderAgentError as error:
            return str(error)
        return ""

    return run


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("way", FAILING)
def test_a_plugin_that_fails_is_named_with_the_place(said: Callable[..., str], place: str, way: str) -> None:
    text = said(body=PLACES[place].format(FAILING[way]))
    assert "'bad'" in text or "'Bad'" in text
    assert f"failed in {place}" in text
    assert "tell its author" in text


@pytest.mark.parametrize("way", FAILING)
def test_a_model_that_fails_is_a_problem_of_its_section(said: Callable[..., str], way: str) -> None:
    text = said(config=f"@model_validator(mode='after')\n    def check(self): {FAILING[way]}")
    assert "the check of this section failed" in text


@pytest.mark.parametrize("answer", STRANGE)
def test_a_strange_answer_is_refused(said: Callable[..., str], answer: str) -> None:
    assert said(body=STRANGE[answer])


@pytest.mark.parametrize("way", FAILING)
def test_a_start_that_fails_ends_no_run(said: Callable[..., str], way: str) -> None:
    assert said(start=FAILING[way]) == ""

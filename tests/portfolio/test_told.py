"""What a run tells of its coordination: the result, the timeline and `why`."""

import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from traderagent_core import simulate
from traderagent_core.cli.main import run

TWO = ("BTC/USDT", "ETH/USDT")
MODES = {"halt": {"drawdown": "0.04"}, "stress": {}, "drawdown": {"drawdown": "0.02"}}


@pytest.fixture(scope="module")
def told(portfolio: Any, made: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    config = portfolio(
        TWO, risk_modes=MODES, simulation={"balance": 10000, "acknowledge_halt_after_hours": 24}
    )
    result = simulate(config, made(TWO, days=90, seed=3))
    folder = tmp_path_factory.mktemp("run")
    result.write(folder)
    return result, folder


def test_attribution_adds_up_to_the_profit_of_the_account(told: Any) -> None:
    result, _ = told
    found = result.to_dict()["coordination"]["attribution"]
    profit = result.outcome.final_equity - result.outcome.starting_balance
    assert Decimal(found["total"]) == profit
    for key in ("by_strategy", "by_symbol", "by_regime"):
        assert sum(map(Decimal, found[key].values())) == profit


def test_transitions_are_counted_with_what_they_cost(told: Any) -> None:
    result, _ = told
    summary = result.to_dict()["coordination"]["transitions"]
    rows = result.outcome.study.coordination.transitions
    assert summary["count"] == len(rows) == sum(summary["outcomes"].values())
    assert Decimal(summary["cost"]) == sum(row.fees + row.price_difference for row in rows)


def test_owners_and_regimes_leave_no_gap(told: Any) -> None:
    found = told[0].outcome.study.coordination
    for stretches in found.regimes.values():
        assert all(a.to_ms == b.from_ms for a, b in pairwise(stretches))
        assert stretches[-1].to_ms == found.end_ms
    assert found.halts
    assert sum(each.total for each in found.committed) > 0


def test_a_run_without_a_router_tells_nothing_of_it(made: Any) -> None:
    bot = {"name": "a", "symbol": "BTC/USDT", "strategy": "dca", "dca": {"amount_per_step": 100}}
    result = simulate({"bots": [bot]}, made(TWO[:1], days=5))
    assert "coordination" not in result.to_dict()


def test_why_names_regime_strategy_modes_and_reasons(told: Any, capsys: pytest.CaptureFixture[str]) -> None:
    _, folder = told
    timeline = json.loads((folder / "timeline.json").read_text())
    regime = timeline["regimes"]["btc"][5]
    assert run(["why", str(folder), "--pair", "BTC/USDT", "--at", regime["from"]]) == 0
    printed = capsys.readouterr().out
    assert f"regime: {regime['name']} since {regime['from']} (adx=" in printed
    assert "strategy: btc:" in printed
    assert "risk modes:" in printed
    assert "plan granted" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--pair", "XRP/USDT"], "has not traded 'XRP/USDT'"), ([], "which pair?")],
)
def test_why_says_which_pairs_there_are(
    told: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run(["why", str(told[1]), *arguments]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert "BTC/USDT" in printed


def test_why_of_a_folder_without_a_run_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["why", str(tmp_path)]) == 2
    assert "holds no finished back-test" in capsys.readouterr().err

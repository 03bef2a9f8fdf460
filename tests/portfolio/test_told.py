"""What a run tells of its coordination: the result, the timeline and `why`."""

import json
import shutil
import subprocess
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from traderagent_core import simulate
from traderagent_core.account.account import Account
from traderagent_core.cli.main import run
from traderagent_core.report.coordination_tables import _joined, coordination_tables
from traderagent_core.simulator import hearing, preparing
from traderagent_core.simulator.coordination import Stretch
from traderagent_core.simulator.record_log import RecordLog

TWO = ("BTC/USDT", "ETH/USDT")
MODES = {"halt": {"drawdown": "0.04"}, "stress": {}, "drawdown": {"drawdown": "0.02"}}
SECTIONS = {"risk_modes": MODES, "simulation": {"balance": 10000, "acknowledge_halt_after_hours": 24}}


@pytest.fixture(scope="module")
def told(portfolio: Any, made: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    result = simulate(portfolio(TWO, **SECTIONS), made(TWO, days=90, seed=3))
    folder = tmp_path_factory.mktemp("run")
    result.write(folder)
    return result, folder


def test_a_run_with_most_of_it_packed_tells_the_same(
    told: Any, portfolio: Any, made: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result, folder = told
    monkeypatch.setattr(preparing, "RecordLog", partial(RecordLog, most=500, block=150))
    monkeypatch.setattr(hearing, "MOST_STOPS", 12)
    monkeypatch.setattr(hearing, "MOST_ANSWERS", 12)
    monkeypatch.setattr(hearing, "BLOCK", 5)
    again = simulate(portfolio(TWO, **SECTIONS), made(TWO, days=90, seed=3))
    assert len(again.outcome.study._records.latest) <= 500 < len(again.outcome.study._records)
    again.write(tmp_path)
    names = sorted(path.name for path in folder.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    assert list(again.outcome.levels) == list(result.outcome.levels)
    decisions = list(result.outcome.decisions)
    for count in (1, 30, len(decisions) - 1, len(decisions) + 1):
        assert again.outcome.decisions[-count:] == decisions[-count:]


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


def test_tables_of_attribution_and_transitions_add_up(told: Any) -> None:
    result, _ = told
    found = result.outcome.study.coordination
    tables = {table.name: table for table in coordination_tables(found)}
    profit = result.outcome.final_equity - result.outcome.starting_balance
    for name in ("attribution_by_strategy", "attribution_by_pair", "attribution_by_regime", "attribution"):
        place = [column.name for column in tables[name].columns].index("profit")
        assert sum(row[place] for row in tables[name].rows) == profit
    assert sum(row[-1] for row in tables["transitions"].rows) == sum(each.cost for each in found.transitions)
    assert sum(row[1] for row in tables["transitions_by_outcome"].rows) == len(found.transitions)


def test_only_forced_closes_pay_a_penalty_and_it_is_that_of_the_configuration(told: Any) -> None:
    """0.001 of what was sold, but for ticks; the default of `coordinator.transition.forced_slippage`."""
    result, _ = told
    rows = result.outcome.study.coordination.transitions
    assert all(bool(row.penalty) is (row.outcome == "forced") for row in rows)
    forced = [row for row in rows if row.outcome == "forced"]
    assert forced
    fills = [fill for fill in result.outcome.fills if fill.slot == "exit"]
    for row in forced[:10]:
        own = [each for each in fills if (each.bot, each.time_ms) == (row.old, row.ended_ms)]
        worth = sum(fill.price * fill.quantity for fill in own)
        assert abs(row.penalty / worth - Decimal("0.001")) < Decimal("0.000002")


def test_committed_capital_is_what_the_ledgers_bind_at_the_worst_moment_of_each_step(told: Any) -> None:
    result, _ = told
    found = result.outcome.study.coordination
    account, most, now_ms, ledgers = Account(), {}, found.start_ms, {}

    def look(until_ms: int) -> None:
        bound = sum(
            max(own.position.cost + own.open_buys, own.open_sells - own.position.cost, abs(own.position.cost))
            for own in ledgers.values()
        )
        for step in range(now_ms // found.step_ms, (until_ms - 1) // found.step_ms + 1):
            most[step] = max(most.get(step, Decimal(0)), bound)

    for record in result.outcome.study._records:
        if record[1] > now_ms:
            look(record[1])
            now_ms = record[1]
        account.fold((record,))
        ledgers = account.ledgers
    look(found.end_ms + 1)
    assert [each.total for each in found.committed] == [most[step] for step in sorted(most)]
    for each in found.committed:
        assert sum(each.by_bot.values()) == sum(each.by_strategy.values()) == each.total


def test_the_page_shows_bands_capital_and_tables(told: Any, tmp_path: Path) -> None:
    _, folder = told
    page = (folder / "report.html").read_text()
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])["coordination"]
    timeline = json.loads((folder / "timeline.json").read_text())
    for symbol, bot in (("BTC/USDT", "btc"), ("ETH/USDT", "eth")):
        drawn = [data["regimes"][place] for _, _, place, _ in data["pairs"][symbol]["regimes"]]
        assert drawn == [each["name"] for each in timeline["regimes"][bot]]
        assert len(data["pairs"][symbol]["owners"]) == len(timeline["owners"][bot])
    sums = [sum(values) for values in zip(*(values for _, values in data["capital"]["parts"]), strict=True)]
    assert max(sums) == pytest.approx(max(float(each["total"]) for each in timeline["committed"]))
    assert all(used <= pool for used, pool in zip(sums, data["capital"]["pool"], strict=True))
    assert {table["name"] for table in data["tables"]} >= {"transitions", "modes", "halts", "attribution"}


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
def test_a_browser_draws_the_coordination_without_errors(told: Any, tmp_path: Path) -> None:
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
        " --disable-component-update --disable-sync --enable-logging=stderr --v=0 --virtual-time-budget=3000"
    )
    page = (told[1] / "report.html").as_uri()
    command = [str(CHROMIUM), *flags.split(), f"--user-data-dir={tmp_path}", "--dump-dom", page]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in done.stderr
    for text in ("Attribution by strategy", "Time in each risk mode", "</i>BEAR_TREND", "</i>active pool"):
        assert text in done.stdout


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


def test_a_pair_is_known_in_any_case(told: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["why", str(told[1]), "--pair", "btc/usdt"]) == 0
    assert capsys.readouterr().out.startswith("BTC/USDT, bot btc,")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--pair", "XRP/USDT"], "has not traded 'XRP/USDT'"),
        (["--pair", "btc"], "did you mean 'BTC/USDT'?"),
        ([], "which pair?"),
    ],
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


def test_regimes_are_told_through_a_halt_that_nobody_acknowledges(portfolio: Any, made: Any) -> None:
    candles = made(TWO, days=90, seed=3)
    halted = simulate(portfolio(TWO, risk_modes=MODES, simulation={"balance": 10000}), candles)
    free = simulate(
        portfolio(TWO, simulation={"balance": 10000}, risk_modes={"halt": {"enabled": False}}), candles
    )
    shown = [result.outcome.study.coordination for result in (halted, free)]
    halt = shown[0].halts[-1]
    assert halt.to_ms == shown[0].end_ms, "nobody has acknowledged it"
    assert shown[0].regimes == shown[1].regimes
    assert shown[0].regimes["btc"][-1].from_ms > halt.from_ms


def test_a_mode_that_says_more_while_it_is_on_was_on_once() -> None:
    changes = [
        Stretch("reduced", 0, 5, "loss=5 %"),
        Stretch("reduced", 5, 9, "loss=10 %"),
        Stretch("reduced", 20, 22),
    ]
    assert [(each.from_ms, each.to_ms) for each in _joined(changes)] == [(0, 9), (20, 22)]

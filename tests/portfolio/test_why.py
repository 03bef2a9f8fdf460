"""What `why` tells of a run that chooses strategies by regime is what the run had: capital, modes, transitions."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from traderagent_core import load_config, simulate
from traderagent_core.cli.main import run
from traderagent_core.coordinator.allocator import allocate
from traderagent_core.model.position import money_context
from traderagent_core.report.run_folder import RunFolder
from traderagent_core.report.text import iso
from traderagent_core.report.why import explain
from traderagent_core.report.why_capital import allocator_of, claims_at
from traderagent_core.testing.markets import START_MS

THREE = ("BTC/USDT", "ETH/USDT", "ADA/USDT")
MODES = {"drawdown": {"drawdown": "0.01"}, "reduced": {"daily_loss": "0.01", "no_entries_at": "0.03"}}
NUMBERS = re.compile(r"needed=([\d.]+), available=([\d.]+), committed=([\d.]+), pool=([\d.]+)")


@pytest.fixture(scope="module")
def tight(portfolio: Any, made: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A run whose orders often find the pool nearly used up."""
    from traderagent_core.config.effective import effective

    bot = {
        "grid": {"bounds": "atr", "atr_multiplier": 4, "grid_levels": 8, "amount_per_grid": 300},
        "dca": {"trigger_percentage": "0.02", "amount_per_step": 560, "max_steps": 4},
    }
    allocator = {"weights": {"btc": 3, "eth": 2, "ada": 2}, "soft_limit_ratio": "0.1"}
    config = portfolio(THREE, bot, risk_modes=MODES, coordinator={"allocator": allocator})
    result = simulate(config, made(THREE, days=60, seed=5), manifest={"configuration": effective(config)})
    folder = tmp_path_factory.mktemp("tight")
    result.write(folder, html=False)
    return result, folder


def test_the_capital_told_is_what_the_allocator_counted(tight: Any) -> None:
    """Its own numbers stand in the decisions; before the moment of a decision the account was as `why` tells it."""
    result, folder = tight
    read, checked = RunFolder.read(folder), 0
    config = allocator_of(read)
    assert config is not None
    moments: dict[int, int] = {}
    for row in result.outcome.decisions:
        moments[row.time_ms] = moments.get(row.time_ms, 0) + (row.what not in ("mode on", "mode off"))
    for row in result.outcome.decisions:
        numbers = NUMBERS.search(f"{row.reason} {row.evidence}")
        if numbers is None or moments[row.time_ms] > 1:
            continue
        with money_context():
            found = allocate(config, read.equity_at(row.time_ms), claims_at(read, row.time_ms - 1))
        bot = row.bot.partition(":")[0]
        _, available, committed, pool = map(Decimal, numbers.groups())
        # Dust that stays with strategies which let go is told too.
        assert 0 <= found.committed - committed + Decimal("0.01") < Decimal("0.3")
        # Equity of then is told after the order itself has paid its fee, at most 0.001 of the pool.
        assert abs(found.pool - pool) < pool * Decimal("0.001")
        assert abs(found.available(bot) - available) < pool * Decimal("0.001")
        checked += 1
    assert checked >= 5


def test_what_is_committed_last_is_what_the_account_binds_at_the_end(tight: Any) -> None:
    result, folder = tight
    read = RunFolder.read(folder)
    committed = {claim.bot: claim.committed for claim in claims_at(read, read.end_ms)}
    account = result.outcome.study._prepared.engine.account
    for bot in committed:
        own = [ledger for ledger in account.ledgers.values() if ledger.bot.partition(":")[0] == bot]
        bound = [
            max(
                each.position.cost + each.open_buys,
                each.open_sells - each.position.cost,
                abs(each.position.cost),
            )
            for each in own
        ]
        assert committed[bot] == sum(bound, Decimal(0))


def test_factors_of_modes_are_told_with_their_product(tight: Any) -> None:
    result, folder = tight
    scaled = [row for row in result.outcome.decisions if row.reason.startswith("drawdown+reduced")]
    scaled += [row for row in result.outcome.decisions if row.reason.startswith("reduced+drawdown")]
    assert scaled
    for row in scaled[:5]:
        pair = f"{row.bot.partition(':')[0].upper()}/USDT"
        told = explain(folder, pair, row.time_ms)
        assert re.search(r"modifiers: 0\.(75|5) × 0\.(5|75) = 0\.375 of every size that adds", told)
        assert row.name in told.partition("refused or scaled")[2]


def test_what_was_granted_whole_is_not_among_what_was_refused_or_scaled(tight: Any) -> None:
    result, folder = tight
    whole = [
        row
        for row in result.outcome.decisions
        if row.what == "plan granted" and "factor=" not in row.evidence
    ]
    assert whole
    for row in whole[:5]:
        told = explain(folder, f"{row.bot.partition(':')[0].upper()}/USDT", row.time_ms)
        weighty = told.partition("refused or scaled")[2].partition("decisions before")[0]
        assert f"{iso(row.time_ms)}  {row.bot}  plan granted  {row.name}" not in weighty


def test_the_limit_of_one_bot_is_told_of_that_bot_alone(portfolio: Any, made: Any, tmp_path: Path) -> None:
    bot = {"dca": {"trigger_percentage": "0.02", "amount_per_step": 560, "max_steps": 4}}
    off = {key: {"enabled": False} for key in ("halt", "reduced", "stress", "drawdown")}
    config = portfolio(THREE, bot | {"risk_management": {"max_daily_loss": 5}}, risk_modes=off)
    result = simulate(config, made(THREE, days=60, seed=5))
    result.write(tmp_path, html=False)
    modes, checked = result.outcome.study.coordination.modes, set()
    for name, stretches in modes.items():
        own = name.partition(":")[0]
        (time_ms, *_) = [each.from_ms for each in stretches if each.to_ms > each.from_ms]
        for pair in THREE:
            told = explain(tmp_path, pair, time_ms)
            other = pair.partition("/")[0].lower()
            is_on = any(
                each.from_ms <= time_ms < each.to_ms for each in modes.get(f"{other}:max_daily_loss", ())
            )
            assert (f"{other}:max_daily_loss since" in told) is is_on
            assert ("modifiers: nothing may be added" in told) is is_on
            checked.add(is_on)
        assert re.search(
            rf"{own}:max_daily_loss.*loss=[\d.]+, limit=5, entries=none",
            explain(tmp_path, f"{own.upper()}/USDT", time_ms),
        )
    assert checked == {True, False}


def test_a_transition_is_told_while_it_lasts(tight: Any) -> None:
    result, folder = tight
    rows = [row for row in result.outcome.study.coordination.transitions if row.ended_ms > row.began_ms]
    assert rows
    for row in rows[:5]:
        pair = f"{row.bot.upper()}/USDT"
        during = explain(folder, pair, (row.began_ms + row.ended_ms) // 2)
        assert f"transition: {row.old} lets go for {row.new} since {iso(row.began_ms)}" in during
        assert f"it ends at {iso(row.ended_ms)}: {row.outcome}, cost {row.cost:.4f}" in during
        assert f"strategy: {row.old} since" in during


def test_a_time_outside_the_run_is_refused(tight: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["why", str(tight[1]), "--pair", "BTC/USDT", "--at", "2001-01-01"]) == 2
    assert "give a time in it with --at" in capsys.readouterr().err


def test_a_run_of_one_strategy_tells_its_modes_and_decisions(made: Any, tmp_path: Path) -> None:
    bot = {"name": "a", "symbol": "BTC/USDT", "strategy": "dca", "dca": {"amount_per_step": 100}}
    simulate({"bots": [bot]}, made(THREE[:1], days=5)).write(tmp_path, html=False)
    told = explain(tmp_path, None, None)
    assert told.startswith(f"BTC/USDT, bot a, at {iso(START_MS + 5 * 86_400_000)}\n\nrisk modes: none\n")
    assert "regime" not in told
    assert "capital" not in told
    assert "plan granted" in told


def test_modes_of_a_run_with_one_strategy_are_told(portfolio: Any, made: Any, tmp_path: Path) -> None:
    grid = {"upper_price": "140", "lower_price": "60", "grid_levels": 9, "amount_per_grid": "500"}
    bot = {"name": "btc", "symbol": "BTC/USDT", "strategy": "grid", "timeframe": "1h", "grid": grid}
    config = load_config({"simulation": {"balance": 5000}, "bots": [bot], "risk_modes": MODES})
    result = simulate(config, made(("BTC/USDT",), days=60, seed=5))
    result.write(tmp_path, html=False)
    assert not (tmp_path / "timeline.json").exists()
    modes = [row for row in result.outcome.decisions if row.what.startswith("mode ")]
    assert modes[0].what == "mode on"
    off = next(row for row in modes if row.what == "mode off" and row.name == modes[0].name)
    told = explain(tmp_path, None, modes[0].time_ms)
    assert f"risk modes: {modes[0].name} since {iso(modes[0].time_ms)} ({modes[0].reason}" in told
    assert f"{modes[0].name} since" not in explain(tmp_path, None, off.time_ms)

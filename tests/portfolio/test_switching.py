"""Strategies that take turns on a pair: who may trade when, and that nothing is lost between them."""

import random
from decimal import Decimal
from typing import Any

import pytest
from traderagent_core.model.regime import Regime
from traderagent_core.model.timeframe import DAY_MS
from traderagent_core.simulator.preparing import RunOptions
from traderagent_core.testing.markets import START_MS

TWO = ("BTC/USDT", "ETH/USDT")


@pytest.mark.parametrize(("seed", "latency_ms"), [(1, 0), (20, 90_000)])
def test_every_event_leaves_one_owner_and_ledgers_that_are_the_account(
    watched: Any, portfolio: Any, made: Any, switches: Any, seed: int, latency_ms: int
) -> None:
    """Also on linear markets with a venue so slow that orders trade while they are taken back to hand over."""
    linear = {"market": "linear", "risk_management": {"stop_loss_percentage": "0.1"}} if latency_ms else {}
    config = portfolio(TWO, linear, simulation={"balance": 10000, "latency_ms": latency_ms})
    prepared = watched(config, made(TWO, seed=seed))
    assert prepared.driver.engine.steps > 500
    outcomes = {record[6] for record in switches(prepared) if record[0] == "transition_ended"}
    assert outcomes >= {"handed over", "wound down", "forced"}


def test_all_regimes_are_met_and_each_has_its_strategy(
    watched: Any, portfolio: Any, made: Any, switches: Any
) -> None:
    prepared = watched(portfolio(TWO), made(TWO, days=120))
    met = {record[5] for record in switches(prepared) if record[0] == "regime_changed"}
    assert met == {regime.value for regime in Regime}
    owners = {record[5].partition(":")[2] for record in switches(prepared) if record[0] == "owner_changed"}
    assert owners >= {
        "grid-tight-range",
        "grid-wide-range",
        "grid-quiet-transition",
        "dca-volatile-transition",
        "dca-bear-trend",
        "trend",
    }


def test_a_run_with_restarts_is_the_same_run(watched: Any, portfolio: Any, made: Any) -> None:
    chance = random.Random(7)
    config, candles = portfolio(TWO), made(TWO)
    plain = watched(config, candles)
    restarted = watched(config, candles, restart_at=lambda _: chance.random() < 0.05)
    assert list(map(repr, restarted.driver.records)) == list(map(repr, plain.driver.records))


def test_the_costs_of_transitions_are_what_the_ledgers_have_lost(
    watched: Any, portfolio: Any, made: Any, switches: Any
) -> None:
    prepared = watched(portfolio(TWO[:1]), made(TWO[:1]))
    ended = [record for record in switches(prepared) if record[0] == "transition_ended"]
    fees = sum((record[7] for record in ended), Decimal(0))
    paid = sum((ledger.fees for ledger in prepared.engine.account.ledgers.values()), Decimal(0))
    assert 0 < fees < paid


def test_the_first_strategy_begins_without_a_transition(
    watched: Any, portfolio: Any, made: Any, switches: Any
) -> None:
    prepared = watched(portfolio(TWO[:1]), made(TWO[:1], days=6))
    kinds = [record[0] for record in switches(prepared)][:2]
    assert kinds == ["regime_changed", "owner_changed"]


def test_a_strategy_is_started_once_for_each_time_that_it_becomes_the_owner(
    watched: Any, portfolio: Any, made: Any, switches: Any
) -> None:
    """Also where the regime is known when the bot starts: a grid that was laid twice would replace its own orders."""
    later = RunOptions(start_ms=START_MS + 20 * DAY_MS)
    prepared = watched(portfolio(TWO), made(TWO), options=later)
    ended = [record for record in prepared.driver.records if record[0] == "want_ended"]
    assert switches(prepared)[0][1] == later.start_ms
    assert not [record for record in ended if record[3] == "replaced"]


def test_a_regime_without_a_strategy_leaves_the_pair_to_nobody(
    watched: Any, portfolio: Any, made: Any, switches: Any
) -> None:
    config = portfolio(TWO[:1], {"trend": {"enabled": False}})
    prepared = watched(config, made(TWO[:1], days=120))
    owner, bull = None, 0
    for record in switches(prepared):
        if record[0] == "owner_changed":
            owner = record[5]
        elif record[0] == "regime_changed" and owner == "":
            bull += record[4] == Regime.BULL_TREND.value
    assert bull
    assert any(record[0] == "noted" and record[3] == "no_route" for record in prepared.driver.records)


def test_without_handing_over_every_position_is_wound_down(
    watched: Any, portfolio: Any, made: Any, switches: Any
) -> None:
    config = portfolio(TWO[:1], coordinator={"transition": {"hand_over": False}})
    prepared = watched(config, made(TWO[:1], days=30))
    outcomes = {record[6] for record in switches(prepared) if record[0] == "transition_ended"}
    assert outcomes == {"wound down", "forced"}


def test_a_forced_close_pays_its_slippage(watched: Any, portfolio: Any, made: Any) -> None:
    """Every one is worse than the same run without the penalty would have had it, from the first one on."""

    def first_forced(ratio: str) -> tuple[int, Decimal]:
        config = portfolio(TWO[:1], coordinator={"transition": {"forced_slippage": ratio}})
        prepared = watched(config, made(TWO[:1]))
        records = prepared.driver.records
        timeouts = [
            r[1] for r in records if r[0] == "noted" and r[3:] == ("exit_begun", "transition_timeout")
        ]
        fills = [r for r in records if r[0] == "filled" and r[1] == timeouts[0] and "-exit-" in r[2]]
        return timeouts[0], fills[0][4]

    (time_ms, fair), (later_ms, worse) = first_forced("0"), first_forced("0.01")
    assert time_ms == later_ms
    assert fair * Decimal("0.989") < worse < fair * Decimal("0.991")

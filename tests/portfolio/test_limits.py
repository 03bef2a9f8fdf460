"""The whole account under limits: shares of capital, risk modes, the emergency halt."""

import random
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from traderagent_core.account.account import Account
from traderagent_core.model.event import OperatorCommand
from traderagent_core.model.order import Purpose
from traderagent_core.model.position import money_context
from traderagent_core.model.timeframe import DAY_MS, HOUR_MS

FOUR = ("BTC/USDT", "ETH/USDT", "ADA/USDT", "XRP/USDT")
MODES = {
    "halt": {"drawdown": "0.04"},
    "reduced": {"daily_loss": "0.02"},
    "stress": {},
    "drawdown": {"drawdown": "0.02"},
}
ACK = {"balance": 20000, "acknowledge_halt_after_hours": 30}
DAY_HOURS = DAY_MS // HOUR_MS
ADDING = (Purpose.ENTRY, Purpose.SAFETY, Purpose.GRID_COUNTER)


def stages(prepared: Any) -> list[tuple[int, str]]:
    return [(record[1], record[2]) for record in prepared.driver.records if record[0] == "halt_changed"]


def halts(prepared: Any) -> list[tuple[int, int]]:
    """From when to when the account was halted; the last halt may last."""
    begun = [time_ms for time_ms, stage in stages(prepared) if stage == "FREEZE"]
    ended = [time_ms for time_ms, stage in stages(prepared) if stage == ""]
    return list(zip(begun, [*ended, prepared.end_ms + 1], strict=False))


@pytest.fixture(scope="module")
def halted(watched: Any, portfolio: Any, made: Any) -> Any:
    return watched(portfolio(FOUR, risk_modes=MODES, simulation=ACK), made(FOUR, days=90, seed=3))


def test_a_halt_goes_through_its_stages_in_order(halted: Any) -> None:
    names = [stage for _, stage in stages(halted)]
    assert names.count("FREEZE") >= 2
    follows = {"FREEZE": {"CLOSE"}, "CLOSE": {"AWAIT_ACK"}, "AWAIT_ACK": {"", "CLOSE"}, "": {"FREEZE"}}
    assert all(after in follows[before] for before, after in pairwise(names))


def test_nothing_is_entered_while_the_account_is_halted(halted: Any) -> None:
    wants, orders = {}, []
    number = 0
    for record in halted.driver.records:
        if record[0] == "plan_granted":
            plans = wants.setdefault("plans", [])
            plans.append(record)
        elif record[0] == "want_granted":
            number += 1
            wants[number] = wants["plans"][record[2] - 1][5 + 2]
            wants[number, "leg"] = next(leg for leg in wants[number] if leg.name == record[3])
        elif record[0] == "order_submitted":
            orders.append((record[1], wants[record[3], "leg"].purpose))
    for begun_ms, ended_ms in halts(halted):
        within = [purpose for time_ms, purpose in orders if begun_ms < time_ms < ended_ms]
        assert not [purpose for purpose in within if purpose in ADDING]


def test_a_halt_ends_flat_with_all_locks_released(halted: Any) -> None:
    awaited = [time_ms for time_ms, stage in stages(halted) if stage == "AWAIT_ACK"]
    assert awaited
    aborted = [r for r in halted.driver.records if r[0] == "transition_ended" and r[6] == "aborted"]
    begun = {time_ms for time_ms, stage in stages(halted) if stage == "FREEZE"}
    assert all(record[1] in begun for record in aborted)


def test_after_the_acknowledgement_pairs_start_cold(halted: Any) -> None:
    for _, ended_ms in halts(halted)[:-1]:
        after = [r for r in halted.driver.records if r[0] == "owner_changed" and r[1] >= ended_ms]
        assert after[0][4] == ""


def test_without_an_operator_a_halt_lasts(watched: Any, portfolio: Any, made: Any) -> None:
    config = portfolio(FOUR, risk_modes=MODES, simulation={"balance": 20000})
    prepared = watched(config, made(FOUR, days=90, seed=3))
    assert [stage for _, stage in stages(prepared)] == ["FREEZE", "CLOSE", "AWAIT_ACK"]
    assert not any(quantity > 1 for quantity in prepared.engine.account.net.values())
    assert not prepared.driver.engine.present.account.orders


def test_a_halted_run_with_restarts_is_the_same_run(
    watched: Any, portfolio: Any, made: Any, halted: Any
) -> None:
    chance = random.Random(11)
    config = portfolio(FOUR, risk_modes=MODES, simulation=ACK)
    candles = made(FOUR, days=90, seed=3)
    restarted = watched(config, candles, restart_at=lambda _: chance.random() < 0.006)
    assert list(map(repr, restarted.driver.records)) == list(map(repr, halted.driver.records))


def test_an_acknowledgement_without_a_halt_is_refused(portfolio: Any, made: Any) -> None:
    from traderagent_core.simulator.preparing import prepare

    prepared = prepare(portfolio(FOUR[:1]), made(FOUR[:1], days=5))
    _, records = prepared.engine.step(OperatorCommand(1, "*", "acknowledge"))
    assert ("noted", 1, "", "acknowledgement_refused", "stage=no halt") in records


@pytest.mark.parametrize("weights", [{}, {"btc": 3, "eth": 1, "ada": 0, "xrp": 1}])
def test_never_more_is_committed_than_the_active_pool(
    watched: Any, portfolio: Any, made: Any, weights: dict[str, int]
) -> None:
    """Orders that add are judged against the pool of the moment; only falling prices can bring it below."""
    grid = {"bounds": "atr", "atr_multiplier": 4, "grid_levels": 8, "amount_per_grid": 580}
    config = portfolio(
        FOUR, {"grid": grid}, coordinator={"allocator": {"weights": weights, "cold_start_trades": 0}}
    )
    prepared = watched(config, made(FOUR, days=45, seed=2))
    largest = prepared.driver.engine.largest_after_adding
    assert Decimal("0.3") < largest <= 1
    ledgers = prepared.engine.account.ledgers.values()
    traded = {ledger.bot.partition(":")[0] for ledger in ledgers if ledger.bought_quantity}
    assert traded == {"btc", "eth", "ada", "xrp"} - {bot for bot, weight in weights.items() if not weight}


def test_modes_multiply(watched: Any, portfolio: Any, made: Any) -> None:
    modes = {"drawdown": {"drawdown": "0.005"}, "reduced": {"daily_loss": "0.003", "no_entries_at": "0.9"}}
    prepared = watched(portfolio(FOUR, risk_modes=modes), made(FOUR, days=60, seed=3))
    factors = {record[6] for record in prepared.driver.records if record[0] == "plan_granted"}
    assert Decimal("0.375") in factors


def test_a_bot_of_one_strategy_keeps_its_budget_without_a_written_allocator(
    portfolio: Any, made: Any
) -> None:
    from traderagent_core import load_config
    from traderagent_core.simulator.preparing import prepare

    bot = {"name": "a", "symbol": "BTC/USDT", "strategy": "dca", "dca": {"amount_per_step": 100}}
    base: dict[str, Any] = {"bots": [bot], "simulation": {"balance": 10000}}
    plain = prepare(load_config(base), made(FOUR[:1], days=5))
    assert plain.engine.members["a"].context.budget == 10000
    written = prepare(load_config({**base, "coordinator": {"allocator": {}}}), made(FOUR[:1], days=5))
    assert written.engine.members["a"].context.budget == 10000 * Decimal("0.85") * Decimal("0.8")


def test_candles_beside_each_other_are_not_correlated(portfolio: Any, made: Any) -> None:
    from traderagent_core import DataError, simulate

    candles = made(FOUR[:2], days=20)
    late = candles["ETH/USDT"]
    candles["ETH/USDT"] = evolve(late, open_time=late.open_time + HOUR_MS // 2)
    with pytest.raises(
        DataError, match=r"ETH/USDT at 2024-\S+ opens 0:30:00 \(h:mm:ss\) later than one of BTC"
    ):
        simulate(portfolio(FOUR[:2]), candles)
    with pytest.raises(DataError, match=r"correlation.timeframe: 15m candles .* cannot be built from 1h"):
        simulate(portfolio(FOUR[:2], coordinator={"correlation": {"timeframe": "15m"}}), candles)
    off = {"stress": {"enabled": False}}
    assert simulate(portfolio(FOUR[:2], risk_modes=off), candles).outcome.events


def test_the_loss_of_the_day_is_that_of_the_bot_with_all_its_strategies(
    watched: Any, portfolio: Any, made: Any
) -> None:
    limit = Decimal(4)
    config = portfolio(FOUR, {"risk_management": {"max_daily_loss": limit}})
    candles = made(FOUR, days=40, seed=5)
    prepared = watched(config, candles)
    reached = [record[1:3] for record in prepared.driver.records if record[0] == "mode_changed" and record[3]]
    assert {name for _, name in reached} <= {f"{bot.name}:max_daily_loss" for bot in config.bots}
    alone = 0
    for time_ms, name in reached:
        bot = next(each for each in config.bots if name.startswith(f"{each.name}:"))
        midnight_ms = time_ms // DAY_MS * DAY_MS
        series, records = candles[bot.symbol], prepared.driver.records
        before = profits([record for record in records if record[1] < midnight_ms], series, midnight_ms)
        after = profits([record for record in records if record[1] <= time_ms], series, time_ms)
        lost = {member: before.get(member, 0) - profit for member, profit in after.items()}
        assert sum(lost.values()) >= limit
        alone += max(lost.values()) < limit
        entered = [r for r in records if r[0] == "plan_granted" and r[2].startswith(bot.name)]
        assert not [r for r in entered if time_ms < r[1] < midnight_ms + DAY_MS and ADDING[0] in purposes(r)]
    assert alone, "no day was lost by several strategies together"


def test_a_pair_whose_first_candle_is_yet_to_come_has_lost_nothing_of_the_day(
    watched: Any, portfolio: Any, made: Any
) -> None:
    config = portfolio(FOUR[:2], {"risk_management": {"max_daily_loss": 4}})
    whole = made(FOUR[:2], days=40, seed=5)
    late = whole["ETH/USDT"][12 * DAY_HOURS + 7 :]
    prepared = watched(config, whole | {"ETH/USDT": late})
    days = {record[1] // DAY_MS for record in prepared.driver.records if record[1] < late.open_time[0]}
    assert len(days) > 1, "no day ended before the first candle of the other pair"
    reached = {record[2] for record in prepared.driver.records if record[0] == "mode_changed" and record[3]}
    assert reached == {"btc:max_daily_loss", "eth:max_daily_loss"}


def profits(records: Any, candles: Any, close_ms: int) -> dict[str, Decimal]:
    """What records have made of each strategy on a symbol, at the price of a close."""
    account = Account()
    account.fold(records)
    price = Decimal(repr(float(candles.close[int(np.searchsorted(candles.open_time + HOUR_MS, close_ms))])))
    with money_context():
        return {
            member: ledger.profit(price)
            for (member, symbol), ledger in account.ledgers.items()
            if symbol == candles.symbol
        }


def purposes(granted: Any) -> set[Purpose]:
    return {leg.purpose for leg in granted[7]}

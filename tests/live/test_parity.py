"""By REST and sockets through the Bybit adapter a live run is the simulator's; what was changed on the way is named.

The long proof is `benchmarks/parity.py`.
"""

from collections.abc import Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from traderagent_bybit.lockstep import InTurn, in_lockstep
from traderagent_core import Candles, load_config
from traderagent_core.account.account import Account
from traderagent_core.model.order import OrderType
from traderagent_core.model.timeframe import DAY_MS, HOUR_MS
from traderagent_core.testing import market
from traderagent_core.testing.markets import START_MS, changing_market
from traderagent_core.testing.parity import Comparison, Parity

SIMULATION = {"funding_rate": "0.0001", "maker_fee": "0.0002", "taker_fee": "0.00055"}
GRID = {"upper_price": 108, "lower_price": 92, "grid_levels": 16, "amount_per_grid": 100}
DCA = {"amount_per_step": 150, "trigger_percentage": "0.01", "take_profit_percentage": "0.01"}
DCA_SHORT = {**DCA, "direction": "short"}
AUTO = {
    "grid": {"bounds": "atr", "atr_multiplier": 4, "grid_levels": 8, "amount_per_grid": 100},
    "dca": {"trigger_percentage": "0.03", "amount_per_step": 100, "max_steps": 4},
    "trend": {},
}
MODES = {"halt": {"drawdown": "0.015"}, "reduced": {"daily_loss": "0.01"}, "drawdown": {"drawdown": "0.01"}}
RANGING = market("ranging", timeframe="5m", rows=500)
SHORT = RANGING[:260]
FALLING = market("falling", timeframe="15m", rows=900, seed=4)
Compared = Callable[..., Comparison]


def config(strategy: str, sections: dict[str, Any], **more: Any) -> dict[str, Any]:
    simulation = {**SIMULATION, **more.pop("simulation", {})}
    bot = {
        "name": "bot",
        "symbol": "BTC/USDT",
        "strategy": strategy,
        "timeframe": "1h",
        "market": "linear",
        "leverage": 3,
        "risk_management": {"stop_loss_percentage": "0.10"},
        **sections,
    }
    return {"bots": [bot], "simulation": simulation, **more}


@pytest.fixture
def compared(tmp_path: Path) -> Compared:
    """Both runs over the same candles, or another exchange than the simulator's."""

    def compare(
        given: dict[str, Any], candles: Candles, start_ms: int, exchange: Callable[..., Any] = in_lockstep
    ) -> Comparison:
        return Parity(load_config(given), [candles], start_ms, InTurn, exchange).compare(tmp_path / "run")

    return compare


@pytest.mark.parametrize(
    ("strategy", "section", "simulation"),
    [
        ("grid", GRID, {}),
        ("dca", DCA, {}),
        ("grid", GRID, {"latency_ms": 400}),
        ("dca", DCA_SHORT, {"latency_ms": 700}),
    ],
    ids=["grid", "dca", "latency", "latency-at-the-market"],
)
def test_records_are_those_of_the_simulator(
    strategy: str, section: Any, simulation: Any, compared: Compared
) -> None:
    given = config(strategy, {strategy: section}, simulation=simulation)
    found = compared(given, RANGING, START_MS + 4 * HOUR_MS)
    assert found.difference == ""
    assert found.replay.difference is None
    assert found.count("filled") > 20


@pytest.mark.parametrize("most", [None, 100])
def test_a_trend_follower_whose_orders_are_large(most: int | None, compared: Compared) -> None:
    """An instrument without a limit has none at the sandbox; what is above one goes out in parts."""
    sizes = {"max_quantity": 150, "max_market_quantity": most} if most else {}
    simulation = {"instruments": {"BTC/USDT": sizes}}
    given = config("trend", {"trend": {"directions": ["short"]}}, simulation=simulation)
    given["bots"][0]["risk_management"] = {"stop_loss_percentage": "0.05"}
    found = compared(given, FALLING, START_MS + 4 * DAY_MS)
    assert found.difference == ""
    assert found.replay.difference is None
    largest = max(record[5] for record in found.live if record[0] == "filled" and "entry" in record[2])
    assert largest == most if most else largest > 500


def is_stopped_out(found: Comparison) -> bool:
    return any(record[0] == "noted" and record[3:] == ("exit_begun", "stop_loss") for record in found.live)


@pytest.mark.parametrize("direction", ["long", "short"])
@pytest.mark.parametrize("stop_ratio", ["0.05", "0.10"])
def test_a_grid_on_one_side_with_a_common_stop(direction: str, stop_ratio: str, compared: Compared) -> None:
    """At 5 % some of its levels lie beyond the stop that it begins with; each fill brings that stop back."""
    risk = {"stop_loss_percentage": stop_ratio}
    given = config("grid", {"grid": {**GRID, "direction": direction}, "risk_management": risk})
    found = compared(given, RANGING, START_MS + 4 * HOUR_MS)
    assert found.difference == ""
    assert found.replay.difference is None
    refused = [record for record in found.live if record[0] == "order_ended" and record[3] == "REJECTED"]
    assert refused == []
    assert is_stopped_out(found) is (stop_ratio == "0.05")
    assert found.count("order_amended") > 5


@pytest.mark.parametrize(
    ("grid", "row"),
    [
        ({"direction": "short"}, 100),
        ({"direction": "short", "upper_price": 112, "lower_price": 104}, 60),
        ({"direction": "long"}, 100),
        ({"direction": "long", "upper_price": 97, "lower_price": 90}, 60),
    ],
    ids=["short", "short-flat", "long", "long-flat"],
)
def test_a_gap_beyond_orders_and_their_stop(grid: dict[str, Any], row: int, compared: Compared) -> None:
    factor = 1.25 if grid["direction"] == "short" else 0.8
    columns = [column.copy() for column in (SHORT.open, SHORT.high, SHORT.low, SHORT.close)]
    for column in columns:
        column[row:] = (column[row:] * factor).round(2)
    jumping = Candles(SHORT.symbol, SHORT.timeframe, SHORT.open_time, *columns, SHORT.volume)
    found = compared(config("grid", {"grid": {**GRID, **grid}}), jumping, START_MS + 4 * HOUR_MS)
    assert found.difference == ""
    assert found.replay.difference is None
    assert is_stopped_out(found)


def test_a_trend_follower_behind_the_smc_filter(compared: Compared) -> None:
    candles = market("rising", timeframe="15m", rows=900, seed=4)
    given = config("trend", {"trend": {}}, filters={"smc": {}})
    found = compared(given, candles, START_MS + 4 * DAY_MS)
    assert found.difference == ""
    assert found.replay.difference is None
    assert found.count("plan_granted") + found.count("plan_rejected") > 0


def test_strategies_that_take_turns_and_a_halt(compared: Compared) -> None:
    given = config(
        "auto",
        AUTO,
        risk_modes=MODES,
        coordinator={"transition": {"forced_slippage": 0}},
        simulation={"balance": 3000, "acknowledge_halt_after_hours": 30},
    )
    found = compared(given, changing_market("BTC/USDT", 24, 3), START_MS + 4 * DAY_MS)
    assert found.difference == ""
    assert found.replay.difference is None
    assert min(found.count("transition_ended"), found.count("mode_changed"), found.count("halt_changed")) > 0


# -- hedge mode ----------------------------------------------------------------------------------------------


def both_sides(long: dict[str, Any], short: dict[str, Any]) -> dict[str, Any]:
    """A long and a short bot on one pair, at once; a grid has a stop of its own."""
    bots = []
    for side, section in (("long", long), ("short", short)):
        (bot,) = config(next(iter(section)), section)["bots"]
        risk = {} if "grid" in section else bot["risk_management"]
        bots.append({**bot, "name": side, "symbol": f"BTC/USDT:{side}", "risk_management": risk})
    return {"bots": bots, "simulation": SIMULATION}


def held_together(owner: Any) -> int:
    """How many executions of a sandbox's account have found the other position of their symbol open."""
    held = {"Buy": Decimal(0), "Sell": Decimal(0)}
    together = 0
    for each in owner.executions:
        if each.kind != "Trade":
            continue
        adds = each.side if not each.closed else {"Buy": "Sell", "Sell": "Buy"}[each.side]
        together += all(held.values())
        held[adds] += -each.quantity if each.closed else each.quantity
        assert held[adds] >= 0
    return together


@pytest.mark.parametrize(
    ("long", "short", "candles"),
    [
        ({"dca": DCA}, {"dca": DCA_SHORT}, RANGING),
        ({"dca": DCA}, {"grid": {**GRID, "direction": "short", "stop_loss_price": 114}}, RANGING),
        ({"grid": {**GRID, "direction": "long", "stop_loss_price": 80}}, {"dca": DCA_SHORT}, FALLING),
    ],
    ids=["dca", "dca-grid", "grid-dca"],
)
def test_a_long_and_a_short_bot_on_one_pair_trade_as_in_the_simulator(
    long: Any, short: Any, candles: Candles, tmp_path: Path
) -> None:
    """The sandbox is in hedge mode; in the end its two positions are what the ledgers say."""
    accounts = []

    @asynccontextmanager
    async def exchange(**given: Any) -> Any:
        async with in_lockstep(**given) as (adapter, hands):
            accounts.append(hands.desk.session.world.accounts["lockstep"])
            yield adapter, hands

    symbols = ["BTC/USDT:long", "BTC/USDT:short"]
    both = [evolve(candles, symbol=symbol) for symbol in symbols]
    given = load_config(both_sides(long, short))
    found = Parity(given, both, START_MS + 4 * DAY_MS // 3, InTurn, exchange).compare(tmp_path / "run")
    assert found.difference == ""
    assert found.replay.difference is None
    assert found.count("filled") > 20

    folded, (owner,) = Account(), accounts
    folded.fold(found.live)
    legs = owner.symbols["BTCUSDT"].active_legs()
    assert [folded.net_quantity(symbol) for symbol in symbols] == [leg.quantity for leg in legs]
    assert held_together(owner) > 5
    stops = {
        (order.leg.value, order.side) for order in owner.orders.values() if order.stop_kind == "StopLoss"
    }
    assert stops == {(1, "Sell"), (2, "Buy")}


def test_a_persons_position_on_the_other_side_changes_nothing(tmp_path: Path) -> None:
    """It is opened with a stop, liquidated, opened again and closed by hand, while a bot trades the long position."""
    acts = {
        20: {"side": "Sell", "qty": "3", "stopLoss": "130"},
        90: {"side": "Sell", "qty": "2"},
        200: {"side": "Buy", "qty": "4", "reduceOnly": True},
    }
    accounts = []

    @asynccontextmanager
    async def exchange(**given: Any) -> Any:
        async with in_lockstep(**given) as (adapter, hands):
            session, reads, read = hands.desk.session, count(1), adapter.candles
            accounts.append(session.world.accounts["lockstep"])

            async def candles(*args: Any) -> Candles:
                act = acts.get(next(reads))
                if act is not None:
                    body = {
                        "category": "linear",
                        "symbol": "BTCUSDT",
                        "orderType": "Market",
                        "positionIdx": 2,
                    }
                    session.apply("lockstep", "create", {**body, **act})
                    hands.desk.hub.flush()
                found: Candles = await read(*args)
                return found

            adapter.candles = candles
            yield adapter, hands

    given = both_sides({"dca": DCA}, {"dca": DCA_SHORT})
    given = {**given, "bots": given["bots"][:1], "risk_modes": {"drawdown": {"drawdown": "0.5"}}}
    series = [evolve(RANGING, symbol="BTC/USDT:long")]
    found = Parity(load_config(given), series, START_MS + 4 * HOUR_MS, InTurn, exchange).compare(
        tmp_path / "run"
    )
    assert found.difference == ""
    assert found.count("filled") > 20
    others = [each for each in accounts[0].executions if not each.link_id]
    trades = [(each.kind, each.side, each.quantity) for each in others if each.kind != "Funding"]
    assert trades == [
        ("Trade", "Sell", 3),
        ("BustTrade", "Buy", 3),
        ("Trade", "Sell", 2),
        ("Trade", "Buy", 2),
    ]
    assert {each.side for each in others if each.kind == "Funding"} == {"Buy", "Sell"}


# -- planted changes ----------------------------------------------------------------------------------------


def test_a_candle_that_the_exchange_has_otherwise_is_named(compared: Compared) -> None:
    """The low of one candle is deeper there, so a level is met that the simulator does not see met."""
    low = SHORT.low.copy()
    row = 200
    low[row] -= 6.0
    times, volume = SHORT.open_time, SHORT.volume
    other = Candles("BTC/USDT", "5m", times, SHORT.open, SHORT.high, low, SHORT.close, volume)

    def exchange(**given: Any) -> Any:
        return in_lockstep(**{**given, "candles": [other]})

    found = compared(config("grid", {"grid": GRID}), SHORT, START_MS + 4 * HOUR_MS, exchange)
    differs = f"differs: low {float(low[row])!r} on the live run's tape, {float(SHORT.low[row])!r}"
    assert "Cause: candle of BTC/USDT at 2024-01-01 16:40:00.000 " + differs in found.difference


def test_a_fee_that_the_exchange_takes_otherwise_is_named(compared: Compared) -> None:
    @asynccontextmanager
    async def exchange(**given: Any) -> Any:
        async with in_lockstep(**given) as (adapter, hands):
            for account in hands.desk.session.world.accounts.values():
                for each in account.exchange.markets.values():
                    each.instrument = evolve(each.instrument, maker_fee_ratio=Decimal("0.0003"))
            yield adapter, hands

    found = compared(config("grid", {"grid": GRID}), SHORT, START_MS + 4 * HOUR_MS, exchange)
    first = next(record for record in found.live if record[0] == "filled")
    assert f"Cause: fee of fill of order {first[2]}: " in found.difference


def test_a_latency_that_the_exchange_has_otherwise_is_named(compared: Compared) -> None:
    def exchange(**given: Any) -> Any:
        return in_lockstep(**{**given, "latency_ms": 150})

    found = compared(config("grid", {"grid": GRID}), SHORT, START_MS + 4 * HOUR_MS, exchange)
    first = next(record for record in found.live if record[0] == "order_accepted")
    assert f"Cause: latency of order {first[2]}: order accepted" in found.difference
    assert "150 ms apart" in found.difference
    assert found.replay.difference is None
    assert any(record[0] == "order_submitted" and record[5] is OrderType.STOP for record in found.live)

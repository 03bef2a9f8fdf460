"""The scenarios of `traderagent faults crash`: what the usual strategies do, step by step. Strategies are named, so
each scenario needs their packages.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from traderagent_core.config.load import load_config
from traderagent_core.config.loaded import Config
from traderagent_core.testing.faults.scenario import (
    Act,
    ByHand,
    Edit,
    End,
    Offline,
    Scenario,
    Shutdown,
    Word,
)

SYMBOL = "BTC/USDT"
STILL = ((0, 100.0),)
GRID = {"upper_price": 104, "lower_price": 96, "grid_levels": 5, "amount_per_grid": 100}
DCA = {
    "amount_per_step": 100,
    "price_deviation": "0.01",
    "max_steps": 4,
    "take_profit_percentage": "0.01",
    "stop_loss_percentage": "0.08",
}
TREND = {
    "entries": ["crossover"],
    "ema_fast_period": 3,
    "ema_slow_period": 8,
    "atr_period": 3,
    "rsi_confirmation": False,
    "volume_confirmation": False,
    "target_atr": "40",
    "max_daily_trades": 1,
}
RISK = {"stop_loss_percentage": "0.1"}


def config_of(strategy: str, section: Mapping[str, Any], **keys: Any) -> Config:
    """One bot on one linear contract, at minutes."""
    bot = {
        "name": "bot",
        "symbol": SYMBOL,
        "strategy": strategy,
        "market": "linear",
        "timeframe": "1m",
        "leverage": 3,
        strategy: dict(section),
        **keys,
    }
    return load_config({"bots": [bot]})


def grid(**keys: Any) -> Config:
    """A grid of five levels around 100."""
    return config_of("grid", {**GRID, **keys}, risk_management=RISK)


def dca(**keys: Any) -> Config:
    """Deals of a base order and three safety orders, one per cent apart."""
    return config_of("dca", {**DCA, **keys})


# -- grid ---------------------------------------------------------------------------------------------------


def grid_start() -> Scenario:
    """All levels of a grid are placed."""
    return Scenario("grid-start", grid(), STILL, 75, has_stops=True)


def counter_order() -> Scenario:
    """A level fills, its counter order is placed and fills, and the level comes back."""
    prices = ((0, 100.0), (75, 97.9), (150, 100.1))
    return Scenario("counter-order", grid(), prices, 225, has_stops=True)


def trailing_shift() -> Scenario:
    """The price leaves the range for good, and the grid follows it."""
    trailing = {
        "trailing_enabled": True,
        "trailing_cooldown_candles": 1,
        "trailing_shift_threshold_pct": "0.01",
    }
    prices = ((0, 100.0), (75, 107.0))
    return Scenario("trailing-shift", grid(**trailing), prices, 330, has_stops=True)


def reload() -> Scenario:
    """A grid with a level filled gets another range and other amounts while it trades."""
    edited = grid(upper_price=106, lower_price=94, grid_levels=7, amount_per_grid=80)
    prices = ((0, 100.0), (75, 97.9))
    return Scenario("reload", grid(), prices, 225, [Edit(150, edited)], has_stops=True)


def shutdown() -> Scenario:
    """The process is told to end with orders and a position, misses a fill, and is started again."""
    prices = ((0, 100.0), (75, 97.9), (151, 95.9))
    return Scenario("shutdown", grid(), prices, 225, [Shutdown(150)], has_stops=True)


def reconcile() -> Scenario:
    """Fills happen while the connection is lost, and somebody else trades on the account."""
    prices = ((0, 100.0), (77, 97.9), (160, 100.1))
    acts: list[Act] = [Offline(75, 10), ByHand(81, SYMBOL, Decimal("0.5"))]
    return Scenario("reconcile", grid(), prices, 235, acts, has_stops=True)


# -- DCA ----------------------------------------------------------------------------------------------------


def dca_ladder() -> Scenario:
    """A deal begins at the market, and two of its safety orders fill."""
    prices = ((0, 100.0), (75, 98.9), (150, 97.9))
    return Scenario("dca-ladder", dca(), prices, 225, has_stops=True)


def take_profit() -> Scenario:
    """A safety order fills, the take profit and the stop follow the average, and the take profit fills."""
    prices = ((0, 100.0), (75, 98.9), (150, 100.6))
    return Scenario("take-profit", dca(max_deals=1), prices, 225, has_stops=True)


def stop_loss() -> Scenario:
    """The price falls through all safety orders and the stop."""
    prices = ((0, 100.0), (75, 98.9), (150, 88.0))
    return Scenario("stop-loss", dca(max_deals=1), prices, 225, has_stops=True)


def halt() -> Scenario:
    """An emergency halt of the account with a position and orders; nobody acknowledges it."""
    prices = ((0, 100.0), (75, 98.9))
    return Scenario("halt", dca(), prices, 225, [Word(150, "panic")], has_stops=True)


def acknowledge() -> Scenario:
    """An emergency halt is acknowledged, and the bot is started again."""
    acts = [Word(75, "panic"), Word(150, "ack"), Word(225, "start")]
    return Scenario("acknowledge", dca(), STILL, 300, acts, has_stops=True)


def stop() -> Scenario:
    """An operator pauses a bot, lets it go on, and stops it."""
    acts = [Word(75, "pause"), Word(150, "resume"), Word(225, "stop")]
    return Scenario("stop", dca(), STILL, 300, acts, has_stops=True)


# -- trend --------------------------------------------------------------------------------------------------

FALLING = tuple(102 - 0.1 * minute for minute in range(30))


def missed_entry(whole: End, end: End) -> bool:
    """Nobody was there when the candle closed whose close is an entry: then there is no trade."""
    return not end.fills and not end.orders and whole.halt == end.halt


def trend_entry() -> Scenario:
    """A trend turns, and a position is opened with its stop and its target."""
    prices = ((0, 99.0), (40, 100.5))
    config = config_of("trend", TREND)
    return Scenario("trend-entry", config, prices, 140, (), FALLING, has_stops=True, allows=missed_entry)


def stop_move() -> Scenario:
    """The stop of a trend goes to break-even, then follows the price twice, then closes the position."""
    prices = ((0, 99.0), (40, 100.5), (135, 103.5), (210, 104.5), (285, 99.0))
    config = config_of("trend", TREND)
    return Scenario("stop-move", config, prices, 360, (), FALLING, has_stops=True, allows=missed_entry)


# -- from one strategy to another ---------------------------------------------------------------------------

SIDEWAYS = tuple(100.15 if minute % 4 in (1, 2) else 99.85 for minute in range(40))
RISING = ((0, 100.0), (75, 97.9), (130, 98.55), (190, 99.2), (250, 99.85))


def auto(**transition: Any) -> Config:
    """A grid in a market that goes sideways or falls, DCA in one that rises; regimes at minutes, soon decided."""
    strategies = {"grid": GRID, "dca": {**DCA, "take_profit_percentage": "0.05"}, "trend": {"target_atr": 40}}
    bot = {"name": "bot", "symbol": SYMBOL, "strategy": "auto", "market": "linear", "timeframe": "1m"}
    regime = {
        "regime_timeframe": "1m",
        "adx_period": 3,
        "atr_period": 3,
        "ema_fast_period": 3,
        "ema_slow_period": 8,
        "trend_exit_adx": 22,
        "trend_adx": 22,
        "confirmations": 1,
    }
    others = ("QUIET_TRANSITION", "VOLATILE_TRANSITION", "BEAR_TREND")
    router = {"BULL_TREND": {"strategy": "dca"}, **{name: {"strategy": "grid"} for name in others}}
    return load_config(
        {
            "bots": [{**bot, "leverage": 3, "risk_management": RISK, **strategies}],
            "coordinator": {"regime": regime, "router": router, "transition": transition},
        }
    )


def transition() -> Scenario:
    """The regime changes, and the position of a grid is handed over to DCA."""
    return Scenario("transition", auto(), RISING, 430, (), SIDEWAYS, has_stops=True)


def forced_transition() -> Scenario:
    """The same without handing over: the grid has a minute to let go, then its position is closed."""
    config = auto(hand_over=False, timeout_hours="0.01")
    return Scenario("forced-transition", config, RISING, 535, (), SIDEWAYS, has_stops=True)


SCENARIOS: Mapping[str, Callable[[], Scenario]] = {
    made.__name__.replace("_", "-"): made
    for made in (
        grid_start,
        counter_order,
        trailing_shift,
        dca_ladder,
        take_profit,
        stop_loss,
        trend_entry,
        stop_move,
        transition,
        forced_transition,
        halt,
        acknowledge,
        reconcile,
        reload,
        shutdown,
        stop,
    )
}
"""By the names that the command uses."""

"""The money of grids adds up to the last digit, counted a second time from the files of a result."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from traderagent_core import FundingRates, generate_candles, simulate

GRIDS: dict[str, dict[str, Any]] = {
    "spot": {},
    "geometric with a profit": {
        "spacing": "geometric",
        "profit_per_grid": "0.0077",
        "amount_per_grid": "133.33",
    },
    "half a level off": {"lower_price": "93.337", "upper_price": "107.71", "grid_levels": 29},
    "linear neutral": {"market": "linear", "leverage": 3},
    "linear short": {"market": "linear", "leverage": 2, "direction": "short", "grid_levels": 12},
    "trailing": {
        "trailing_enabled": True,
        "trailing_cooldown_candles": 2,
        "trailing_shift_threshold_pct": "0.005",
    },
    "guarded": {"trend_guard_enabled": True, "trend_guard_adx": 22, "trend_guard_resume_adx": 20},
    "stopped": {"stop_loss_price": 91, "take_profit_price": 109},
}
KEEPS_TO_COUNTERS = ("spot", "geometric with a profit", "half a level off", "linear neutral", "linear short")


@pytest.mark.parametrize("kind", ["ranging", "rising", "crash", "gappy"])
@pytest.mark.parametrize("name", GRIDS)
def test_every_account_of_the_money_agrees(
    desk: Any, grid: Callable[..., Any], market: Callable[..., Any], name: str, kind: str
) -> None:
    venue = "linear" if "market" in GRIDS[name] else "spot"
    data = desk.write(market(kind, rows=500), venue)
    simulation = {"slippage": "0.0005", "funding_rate": "0.00013"}
    books = desk.backtest(grid(**GRIDS[name], simulation=simulation), data)
    books.check()
    assert len(books.fills) > 5
    if name in KEEPS_TO_COUNTERS and kind in ("ranging", "gappy"):
        cycles = books.cycles()
        assert cycles == [(row["bot"], row["slot"], Fraction(row["gross_profit"])) for row in books.trades]
        assert len(cycles) == books.result["metrics"]["cycles"]
        assert sum(gain for _, _, gain in cycles) == books.money("cycle_profit")
        assert books.open_gain() == books.money("trend_pnl")


def test_an_exit_to_flat_leaves_nothing_open(
    desk: Any, grid: Callable[..., Any], market: Callable[..., Any]
) -> None:
    books = desk.backtest(grid(stop_loss_price=91), desk.write(market("crash")))
    books.check()
    assert books.fills[-1]["purpose"] in ("STOP_LOSS", "EXIT")
    assert Fraction(books.result["money"][0]["quantity"]) == 0
    assert {row["kind"] for row in books.trades} == {"cycle", "exit"}
    assert books.open_gain() == 0


def test_several_grids_share_one_account(
    desk: Any, grid: Callable[..., Any], market: Callable[..., Any]
) -> None:
    config = grid(market="linear", leverage=2)
    (bot,) = config["bots"]
    symbols = ["BTC/USDT", "ETH/USDT", "XRP/USDT"]
    config["bots"] = [{**bot, "name": symbol[:3].lower(), "symbol": symbol} for symbol in symbols]
    for kind, symbol in zip(["ranging", "gappy", "crash"], symbols, strict=True):
        data = desk.write(market(kind, symbol=symbol, seed=5), "linear")
    books = desk.backtest(config, data)
    books.check()
    for name in ("btc", "eth", "xrp"):
        own = [fill for fill in books.fills if fill["bot"] == name]
        gains = sum(map(books.price_gain, own), Fraction(0))
        fees = sum((Fraction(fill["fee"]) for fill in own), Fraction(0))
        assert gains - fees == books.money("net_profit", name)
        assert books.money("cycles", name) > 10


@pytest.mark.parametrize("path", ["default", "pessimistic", "optimistic", "next_candle"])
@pytest.mark.parametrize("seed", [1, 2])
def test_money_agrees_with_the_venue_under_every_path(grid: Callable[..., Any], path: str, seed: int) -> None:
    candles = generate_candles(
        symbol="BTC/USDT",
        timeframe="15m",
        rows=4000,
        seed=seed,
        start_ms=1_704_067_200_000,
        price=100.0,
        gaps=4,
    )
    times = candles.open_time[::32]
    rates = FundingRates("BTC/USDT", times, np.random.default_rng(seed).normal(0, 0.0007, len(times)))
    config = grid(market="linear", leverage=4, grid_levels=41, simulation={"latency_ms": 700})
    outcome = simulate(config, candles, funding=[rates], path=path).outcome
    (money,) = outcome.money
    flow = Fraction(outcome.starting_balance) + Fraction(money.funding)
    held = Fraction(0)
    for fill in outcome.fills:
        signed = Fraction(fill.quantity) * (1 if fill.side == "BUY" else -1)
        flow -= signed * Fraction(fill.price) + Fraction(fill.fee)
        held += signed
    assert held == Fraction(money.quantity)
    assert flow + held * Fraction(repr(float(candles.close[-1]))) == Fraction(outcome.final_equity)
    parts = [money.cycle_profit, money.trend_pnl, -money.fees, money.funding]
    assert sum(map(Fraction, parts)) == Fraction(outcome.final_equity) - Fraction(outcome.starting_balance)
    assert money.funding != 0
    assert len(outcome.fills) > 50

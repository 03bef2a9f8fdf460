"""A synthetic run whose money adds up: one bot per symbol buys and sells in turn at closes of a random walk."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from traderagent_core.model.candle import Candles
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.simulator.outcome import (
    BotMoney,
    DecisionRow,
    EquityCurve,
    FillRow,
    LevelRow,
    OrderRow,
    Outcome,
    TradeRow,
)

START_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z
FEE_RATIO = Decimal("0.001")
QUANTITY = Decimal("0.25")

MakeOutcome = Callable[..., Outcome]


def make_candles(symbol: str, count: int, timeframe: str, seed: int, start_ms: int = START_MS) -> Candles:
    rng = np.random.default_rng(seed)
    close = np.round(30_000 * np.exp(np.cumsum(rng.normal(0, 0.0008, count))), 2)
    opened = np.concatenate(([30_000.0], close[:-1]))
    spread = np.round(rng.random(count) * 10, 2)
    times = start_ms + np.arange(count, dtype=np.int64) * timeframe_ms(timeframe)
    high, low = np.maximum(opened, close) + spread, np.minimum(opened, close) - spread
    return Candles(symbol, timeframe, times, opened, high, low, close, np.ones(count))


def make_curve(equity: Sequence[float], timeframe: str, start_ms: int) -> EquityCurve:
    step = timeframe_ms(timeframe)
    times = start_ms + np.arange(1, len(equity) + 1, dtype=np.int64) * step
    return EquityCurve(times, np.array(equity, dtype=float), np.zeros(len(equity)))


def build_curve_outcome(
    equity: Sequence[float], *, balance: str = "100", timeframe: str = "1d", start_ms: int = START_MS
) -> Outcome:
    """A run that left nothing but its equity curve."""
    none = np.empty(0)
    candles = Candles("BTC/USDT", timeframe, none.astype(np.int64), none, none, none, none, none)
    curve = make_curve(equity, timeframe, start_ms)
    final = Decimal(repr(float(curve.equity[-1]))) if len(equity) else Decimal(balance)
    return Outcome({"BTC/USDT": candles}, Decimal(balance), final, curve, [], [], [], [], [], [])


def _fills(candles: Candles, bot: str, count: int) -> list[FillRow]:
    places = np.linspace(1, len(candles) - 2, count, dtype=int).tolist() if count else []
    return [_fill(candles, bot, number, place) for number, place in enumerate(places)]


def _fill(candles: Candles, bot: str, number: int, place: int) -> FillRow:
    price = Decimal(repr(float(candles.close[place])))
    side = "SELL" if number % 2 else "BUY"
    return FillRow(
        time_ms=int(candles.open_time[place]) + candles.duration_ms,
        bot=bot,
        symbol=candles.symbol,
        slot=f"grid:{number % 20:02}",
        purpose="GRID_COUNTER" if number % 2 else "STOP_LOSS" if number % 14 == 6 else "ENTRY",
        side=side,
        price=price,
        quantity=QUANTITY,
        fee=price * QUANTITY * FEE_RATIO,
        liquidity="MAKER",
        is_ambiguous=number % 10 == 3,
        client_order_id=f"{bot}-{number}",
        trade_id=f"t{number}",
    )


def _trade(bought: FillRow, sold: FillRow) -> TradeRow:
    gross = (sold.price - bought.price) * QUANTITY
    times = bought.time_ms, sold.time_ms
    fees = bought.fee + sold.fee
    return TradeRow(
        bought.bot, bought.symbol, "cycle", bought.slot, "LONG", *times, QUANTITY, bought.price, sold.price,
        gross, fees,
    )  # fmt: skip


def _order(fill: FillRow) -> OrderRow:
    return OrderRow(
        fill.time_ms - 60_000, fill.time_ms, fill.bot, fill.symbol, fill.slot, fill.purpose, fill.side, "LIMIT",
        fill.price, fill.quantity, fill.quantity, "FILLED", "", fill.client_order_id,
    )  # fmt: skip


def _money(candles: Candles, bot: str, fills: list[FillRow], trades: list[TradeRow]) -> BotMoney:
    last = Decimal(repr(float(candles.close[-1])))
    held = fills[-1] if len(fills) % 2 else None
    return BotMoney(
        bot=bot,
        symbol=candles.symbol,
        strategy="grid",
        cycles=len(trades),
        cycle_profit=sum((trade.gross_profit for trade in trades), Decimal(0)),
        trend_pnl=(last - held.price) * QUANTITY if held else Decimal(0),
        fees=sum((fill.fee for fill in fills), Decimal(0)),
        funding=Decimal("-1.5"),
        quantity=QUANTITY if held else Decimal(0),
        last_price=last,
    )


def _account(series: list[Candles], fills: list[list[FillRow]], balance: Decimal) -> EquityCurve:
    closes = series[0].open_time + series[0].duration_ms
    cash, value = np.full(len(closes), float(balance)), np.zeros(len(closes))
    for candles, own in zip(series, fills, strict=True):
        traded, held = np.zeros(len(closes)), np.zeros(len(closes))
        for fill in own:
            place = int(np.searchsorted(closes, fill.time_ms))
            sign = 1 if fill.side == "BUY" else -1
            held[place] += sign * float(fill.quantity)
            traded[place] -= sign * float(fill.quantity * fill.price) + float(fill.fee)
        cash += np.cumsum(traded)
        value += np.cumsum(held) * candles.close
    return EquityCurve(closes, cash + value, np.abs(value) / (cash + value))


def build_outcome(
    *,
    count: int = 4320,
    symbols: tuple[str, ...] = ("BTC/USDT",),
    fills: int = 41,
    timeframe: str = "1m",
    seed: int = 7,
    bot: str = "grid",
    balance: str = "100000",
) -> Outcome:
    series = [make_candles(symbol, count, timeframe, seed + i) for i, symbol in enumerate(symbols)]
    bots = [f"{bot}_{i}" if i else bot for i in range(len(series))]
    done = [_fills(candles, name, fills) for candles, name in zip(series, bots, strict=True)]
    trades = [[_trade(*pair) for pair in list(pairwise(own))[::2]] for own in done]
    money = [_money(*parts) for parts in zip(series, bots, done, trades, strict=True)]
    rows = sorted((fill for own in done for fill in own), key=lambda fill: fill.time_ms)
    return Outcome(
        candles={candles.symbol: candles for candles in series},
        starting_balance=Decimal(balance),
        final_equity=Decimal(balance) + sum((m.net_profit for m in money), Decimal(0)),
        equity=_account(series, done, Decimal(balance)),
        fills=rows,
        orders=[_order(fill) for fill in rows],
        trades=sorted((t for own in trades for t in own), key=lambda trade: trade.closed_ms),
        decisions=[
            DecisionRow(fill.time_ms, fill.bot, "plan", fill.slot, "ACCEPTED", "atr=1.2") for fill in rows
        ],
        levels=[
            LevelRow(fill.bot, fill.symbol, fill.side, fill.price, fill.time_ms - 3_600_000, fill.time_ms)
            for fill in rows
        ],
        money=money,
        assumptions={"path": "nearer_first", "maker_fee_ratio": FEE_RATIO, "warnings": ["Generated market."]},
        manifest={"seed": seed, "path": "nearer_first"},
        events=3 * len(rows),
    )


@pytest.fixture
def make_outcome() -> MakeOutcome:
    """Factory of consistent outcomes: `make_outcome(count=4320, symbols=("BTC/USDT",), fills=41, …)`."""
    return build_outcome


@pytest.fixture
def curve_outcome() -> MakeOutcome:
    """Factory of outcomes with an equity curve only: `curve_outcome(values, balance="100", timeframe="1d")`."""
    return build_curve_outcome

"""Public topics: what a subscriber is sent first, and what after time has passed."""

from collections.abc import Callable
from typing import Any

from attrs import Factory, define

from traderagent_bybit.codes import BybitError
from traderagent_bybit.sandbox import market_data
from traderagent_bybit.sandbox.numbers import fixed
from traderagent_bybit.sandbox.world import World

BOOK_DEPTHS = (1, 50, 200, 1000)
MOST_TRADES = 1000
MOST_KLINES = 1000
Message = dict[str, Any]


@define
class TopicState:
    """What a subscriber has been told of a topic."""

    time_ms: int
    row: dict[str, Any] = Factory(dict)
    updates: int = 0


def is_topic(world: World, topic: str) -> bool:
    """Whether a public topic exists."""
    parts = topic.split(".")
    kind, symbol = parts[0], parts[-1]
    if symbol not in world.tapes:
        return False
    if kind in ("tickers", "publicTrade", "allLiquidation"):
        return len(parts) == 2
    if kind == "orderbook":
        return len(parts) == 3 and parts[1].isdecimal() and int(parts[1]) in BOOK_DEPTHS
    return kind == "kline" and len(parts) == 3 and _is_interval(parts[1])


def _is_interval(text: str) -> bool:
    try:
        market_data.bucket(text, 0)
    except BybitError:
        return False
    return True


def news(world: World, topic: str, state: TopicState, *, is_first: bool) -> list[Message]:
    """Messages that bring a subscriber from `state` to now; the state is brought there."""
    kind, *middle, symbol = topic.split(".")
    found = _MAKERS[kind](world, topic, middle[0] if middle else "", symbol, state, is_first)
    state.time_ms = world.now_ms
    return found


def _ticker(
    world: World, topic: str, _: str, symbol: str, state: TopicState, is_first: bool
) -> list[Message]:
    row = market_data.ticker_row(world, symbol)
    changed = row if is_first else {key: value for key, value in row.items() if state.row.get(key) != value}
    if not changed:
        return []
    state.row = row
    state.updates += 1
    kind = "snapshot" if is_first else "delta"
    data = {"symbol": symbol, **changed}
    return [{"topic": topic, "type": kind, "data": data, "cs": state.updates, "ts": world.now_ms}]


def _book(
    world: World, topic: str, depth: str, symbol: str, state: TopicState, is_first: bool
) -> list[Message]:
    contract, _ = world.tapes[symbol]
    bids, asks = market_data.book_sides(contract, market_data.last_price(world, symbol), int(depth))
    row = {"b": dict(bids), "a": dict(asks)}
    if row == state.row:
        return []
    is_whole = is_first or depth == "1"
    sides = (
        {"b": bids, "a": asks} if is_whole else {side: _changes(state.row[side], row[side]) for side in row}
    )
    state.row = row
    state.updates += 1
    data = {"s": symbol, **sides, "u": state.updates, "seq": world.now_ms}
    kind = "snapshot" if is_whole else "delta"
    return [{"topic": topic, "type": kind, "ts": world.now_ms, "data": data, "cts": world.now_ms}]


def _changes(old: dict[str, str], new: dict[str, str]) -> list[list[str]]:
    gone = [[price, "0"] for price in old if price not in new]
    return gone + [[price, size] for price, size in new.items() if old.get(price) != size]


def _trades(
    world: World, topic: str, _: str, symbol: str, state: TopicState, is_first: bool
) -> list[Message]:
    if is_first:
        return []
    rows = market_data.trades_between(world, symbol, state.time_ms, world.now_ms, MOST_TRADES)
    data = [
        {
            "T": int(row["time"]),
            "s": symbol,
            "S": row["side"],
            "v": row["size"],
            "p": row["price"],
            "L": "PlusTick" if row["side"] == "Buy" else "MinusTick",
            "i": row["execId"],
            "BT": False,
            "RPI": False,
            "seq": int(row["seq"]),
        }
        for row in rows
    ]
    return [{"topic": topic, "type": "snapshot", "ts": world.now_ms, "data": data}] if data else []


def _klines(
    world: World, topic: str, interval: str, symbol: str, state: TopicState, is_first: bool
) -> list[Message]:
    now = world.now_ms
    contract, tape = world.tapes[symbol]
    if is_first or state.time_ms == now:
        return []
    start, end = market_data.bucket(interval, state.time_ms)
    found: list[Message] = []
    while start < now:
        bar = tape.bar(start, min(end, now))
        if bar is not None:
            data = {
                "start": start,
                "end": end - 1,
                "interval": interval,
                "open": fixed(bar.open, contract.tick),
                "close": fixed(bar.close, contract.tick),
                "high": fixed(bar.high, contract.tick),
                "low": fixed(bar.low, contract.tick),
                "volume": market_data.volume_text(bar.volume),
                "turnover": market_data.turnover_text(bar),
                "confirm": end <= now,
                "timestamp": min(end, now),
            }
            found.append({"topic": topic, "data": [data], "ts": now, "type": "snapshot"})
        start, end = market_data.bucket(interval, end)
    return found[-MOST_KLINES:]


def _nothing(*_: Any) -> list[Message]:
    return []


_MAKERS: dict[str, Callable[[World, str, str, str, TopicState, bool], list[Message]]] = {
    "tickers": _ticker,
    "orderbook": _book,
    "publicTrade": _trades,
    "kline": _klines,
    "allLiquidation": _nothing,
}

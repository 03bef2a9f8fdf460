"""Public market data, made from the tape: klines, tickers, order book, trades, funding history."""

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from traderagent_bybit.codes import bad_parameter
from traderagent_bybit.sandbox.account import NAMESPACE
from traderagent_bybit.sandbox.contracts import Contract
from traderagent_bybit.sandbox.numbers import fixed, money, plain
from traderagent_bybit.sandbox.placing import require_linear
from traderagent_bybit.sandbox.reading import DAY_MS, page, whole
from traderagent_bybit.sandbox.tape import Bar, Place, Tape
from traderagent_bybit.sandbox.world import FUNDING_MS, World, next_funding_ms

MINUTE_MS = 60_000
INTERVALS_MS = {
    **{str(minutes): minutes * MINUTE_MS for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)},
    "D": DAY_MS,
    "W": 7 * DAY_MS,
}
_MONDAY_MS = 4 * DAY_MS  # 1970-01-05
_BOOK_QUANTITY = Decimal(20_000)
"""Value of each level of the order book, in USDT; what trades is decided by the venue model, not by it."""


def market_of(world: World, query: Mapping[str, Any]) -> tuple[Contract, Tape]:
    """The contract and tape that a query names."""
    require_linear(query)
    found = world.tapes.get(str(query.get("symbol") or ""))
    if found is None:
        raise bad_parameter("params error: symbol invalid")
    return found


def instruments_info(world: World, query: Mapping[str, Any]) -> dict[str, Any]:
    """Contracts; of other categories there are none."""
    category = query.get("category")
    if category not in ("linear", "inverse", "spot", "option"):
        raise bad_parameter("params error: Category is invalid")
    is_shown = category == "linear" and query.get("status") in (None, "", "Trading")
    contracts = [contract for contract, _ in world.tapes.values()] if is_shown else []
    for key, name in (("symbol", "symbol"), ("baseCoin", "baseCoin")):
        if query.get(key):
            contracts = [contract for contract in contracts if contract.row()[name] == query[key]]
    if query.get("symbol") and is_shown and not contracts:
        raise bad_parameter("params error: symbol invalid")
    rows, cursor = page(contracts, query, usual=500, most=1000)
    return {"category": category, "list": [contract.row() for contract in rows], "nextPageCursor": cursor}


# -- klines ------------------------------------------------------------------------------------------------


def bucket(interval: str, time_ms: int) -> tuple[int, int]:
    """Start and end of the kline that a time lies in; the end is not in it."""
    if interval == "M":
        day = datetime.fromtimestamp(time_ms / 1000, UTC)
        first = day.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        following = (first + timedelta(days=32)).replace(day=1)
        return int(first.timestamp() * 1000), int(following.timestamp() * 1000)
    if interval not in INTERVALS_MS:
        raise bad_parameter("Invalid period!")
    length = INTERVALS_MS[interval]
    offset = _MONDAY_MS if interval == "W" else 0
    start = (time_ms - offset) // length * length + offset
    return start, start + length


def klines(world: World, query: Mapping[str, Any], *, has_volume: bool = True) -> dict[str, Any]:
    """Klines, newest first; the last one is still open. Mark and index have prices only."""
    contract, tape = market_of(world, query)
    interval = str(query.get("interval") or "")
    limit = min(max(whole(query, "limit", 200), 1), 1000)
    end_ms = min(whole(query, "end", world.now_ms), world.now_ms)
    begin_ms = max(whole(query, "start", 0), tape.first_ms)
    # Where only a start is given, the klines from there on are meant.
    if query.get("start") and not query.get("end"):
        end_ms = min(
            end_ms, begin_ms + limit * (bucket(interval, begin_ms)[1] - bucket(interval, begin_ms)[0]) - 1
        )
    rows: list[list[str]] = []
    start, stop = bucket(interval, end_ms)
    while len(rows) < limit and start >= bucket(interval, begin_ms)[0]:
        bar = tape.bar(start, min(stop, world.now_ms))
        if bar is not None and start >= begin_ms - (stop - start):
            rows.append(kline_row(contract, start, bar, has_volume=has_volume))
        start, stop = bucket(interval, start - 1)
    if query.get("start"):
        rows = [row for row in rows if int(row[0]) >= whole(query, "start", 0)]
    return {"symbol": contract.symbol, "category": "linear", "list": rows}


def kline_row(contract: Contract, start_ms: int, bar: Bar, *, has_volume: bool) -> list[str]:
    """A kline as REST has it."""
    prices = [fixed(price, contract.tick) for price in bar[:4]]
    volume = [volume_text(bar.volume), turnover_text(bar)] if has_volume else []
    return [str(start_ms), *prices, *volume]


def volume_text(volume: float) -> str:
    """Base units."""
    return money(Decimal(repr(volume)))


def turnover_text(bar: Bar) -> str:
    """USDT that a volume is worth at the mean of its prices."""
    return money(Decimal(repr(round(bar.volume * sum(bar[:4]) / 4, 4))))


# -- the present -------------------------------------------------------------------------------------------


def last_price(world: World, symbol: str) -> Decimal:
    """The last price."""
    contract, tape = world.tapes[symbol]
    return Decimal(fixed(tape.price_at(world.now_ms), contract.tick))


def ticker_row(world: World, symbol: str) -> dict[str, Any]:
    """The ticker; mark and index are the last price, the book has one tick on either side of it."""
    contract, tape = world.tapes[symbol]
    last = last_price(world, symbol)
    day = tape.bar(max(world.now_ms - DAY_MS, tape.first_ms), world.now_ms) or _still(float(last))
    hour = tape.bar(max(world.now_ms - DAY_MS // 24, tape.first_ms), world.now_ms) or day
    bids, asks = book_sides(contract, last, 1)
    text = fixed(last, contract.tick)
    change = (float(last) - day.open) / day.open
    return {
        "symbol": symbol,
        "lastPrice": text,
        "indexPrice": text,
        "markPrice": text,
        "prevPrice24h": fixed(day.open, contract.tick),
        "price24hPcnt": f"{change:.6f}",
        "highPrice24h": fixed(day.high, contract.tick),
        "lowPrice24h": fixed(day.low, contract.tick),
        "prevPrice1h": fixed(hour.open, contract.tick),
        "openInterest": "1000000",
        "openInterestValue": money(last * 1_000_000),
        "turnover24h": turnover_text(day),
        "volume24h": volume_text(day.volume),
        "fundingRate": plain(world.rate_at(symbol, next_funding_ms(world.now_ms))),
        "nextFundingTime": str(next_funding_ms(world.now_ms)),
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
        "bid1Price": bids[0][0],
        "bid1Size": bids[0][1],
        "ask1Price": asks[0][0],
        "ask1Size": asks[0][1],
        "basis": "",
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
        "fundingIntervalHour": "8",
        "fundingCap": "0.00375",
        "basisRateYear": "",
    }


def _still(price: float) -> Bar:
    return Bar(price, price, price, price, 0.0)


def tickers(world: World, query: Mapping[str, Any]) -> dict[str, Any]:
    """One ticker, or all."""
    if query.get("category") in ("spot", "inverse", "option"):
        return {"category": query["category"], "list": []}
    require_linear(query)
    chosen = [market_of(world, query)[0].symbol] if query.get("symbol") else list(world.tapes)
    return {"category": "linear", "list": [ticker_row(world, symbol) for symbol in chosen]}


Level = list[str]


def book_sides(contract: Contract, last: Decimal, depth: int) -> tuple[list[Level], list[Level]]:
    """Bids and asks: one level on every tick on either side of the last price."""
    tick = contract.tick
    floor = last // tick * tick
    below = floor if floor < last else floor - tick
    above = floor + tick
    step = contract.step
    size = plain(max(_BOOK_QUANTITY / last // step * step, step))
    bids = [[fixed(below - tick * n, tick), size] for n in range(depth) if below - tick * n > 0]
    return bids, [[fixed(above + tick * n, tick), size] for n in range(depth)]


def orderbook(world: World, query: Mapping[str, Any]) -> dict[str, Any]:
    """The order book."""
    contract, _ = market_of(world, query)
    depth = min(max(whole(query, "limit", 25), 1), 1000)
    bids, asks = book_sides(contract, last_price(world, contract.symbol), depth)
    now = world.now_ms
    return {"s": contract.symbol, "b": bids, "a": asks, "ts": now, "u": now, "seq": now, "cts": now}


def price_limit(world: World, query: Mapping[str, Any]) -> dict[str, Any]:
    """Highest price to buy at and lowest to sell at."""
    contract, _ = market_of(world, query)
    highest, lowest = contract.price_limits(last_price(world, contract.symbol))
    texts = {"buyLmt": fixed(highest, contract.tick), "sellLmt": fixed(lowest, contract.tick)}
    return {"symbol": contract.symbol, **texts, "ts": str(world.now_ms)}


# -- trades ------------------------------------------------------------------------------------------------


def trades_between(
    world: World, symbol: str, after_ms: int, until_ms: int, most: int
) -> list[dict[str, Any]]:
    """The last trades of a stretch of time, oldest first: one at every turning point of the path."""
    _, tape = world.tapes[symbol]
    found: list[tuple[int, Place]] = []
    index = tape.index_at(until_ms)
    while index >= 0 and tape.open_ms(index) + tape.duration_ms > after_ms and len(found) < most:
        for travelled in (*tape.turns(index)[::-1], 0.0):
            place = Place(index, travelled)
            time_ms = tape.time_ms(place)
            if after_ms < time_ms <= until_ms:
                found.append((time_ms, place))
        index -= 1
    return [_trade(world, symbol, time_ms, place) for time_ms, place in found[:most][::-1]]


def _trade(world: World, symbol: str, time_ms: int, place: Place) -> dict[str, Any]:
    contract, tape = world.tapes[symbol]
    start, *ends = tape.path(place.candle).points
    before = [start, *ends][max(0, _leg_of(tape, place) - 1)]
    price = tape.price(place)
    size = Decimal(repr(tape.candles.volume.item(place.candle) / 4)) // contract.step * contract.step
    return {
        "execId": str(uuid.uuid5(NAMESPACE, f"{symbol}/{time_ms}/{place.travelled}")),
        "symbol": symbol,
        "price": fixed(price, contract.tick),
        "size": plain(max(size, contract.step)),
        "side": "Sell" if price < before else "Buy",
        "time": str(time_ms),
        "isBlockTrade": False,
        "isRPITrade": False,
        "seq": str(time_ms),
    }


def _leg_of(tape: Tape, place: Place) -> int:
    return sum(turn <= place.travelled for turn in tape.turns(place.candle))


def recent_trades(world: World, query: Mapping[str, Any]) -> dict[str, Any]:
    """Trades, newest first."""
    contract, _ = market_of(world, query)
    limit = min(max(whole(query, "limit", 500), 1), 1000)
    rows = trades_between(world, contract.symbol, world.now_ms - DAY_MS, world.now_ms, limit)
    return {"category": "linear", "list": rows[::-1]}


# -- funding, risk -----------------------------------------------------------------------------------------


def funding_history(world: World, query: Mapping[str, Any]) -> dict[str, Any]:
    """Settled rates, newest first."""
    contract, tape = market_of(world, query)
    if query.get("startTime") and not query.get("endTime"):
        raise bad_parameter("params error: endTime is required with startTime")
    limit = min(max(whole(query, "limit", 200), 1), 200)
    start = max(whole(query, "startTime", 0), tape.first_ms)
    time_ms = min(whole(query, "endTime", world.now_ms), world.now_ms) // FUNDING_MS * FUNDING_MS
    rows: list[dict[str, str]] = []
    while time_ms >= start and len(rows) < limit:
        rate = plain(world.rate_at(contract.symbol, time_ms))
        rows.append({"symbol": contract.symbol, "fundingRate": rate, "fundingRateTimestamp": str(time_ms)})
        time_ms -= FUNDING_MS
    return {"category": "linear", "list": rows}


def risk_limit(world: World, query: Mapping[str, Any]) -> dict[str, Any]:
    """Risk tiers: one for each contract."""
    require_linear(query)
    chosen = [market_of(world, query)[0]] if query.get("symbol") else [c for c, _ in world.tapes.values()]
    return {"category": "linear", "list": [contract.risk_row() for contract in chosen], "nextPageCursor": ""}


def mark_klines(world: World, query: Mapping[str, Any]) -> dict[str, Any]:
    """Klines of the mark or index price, which is the last price here."""
    return klines(world, query, has_volume=False)


MARKET_READS: dict[str, Callable[[World, Mapping[str, Any]], dict[str, Any]]] = {
    "/v5/market/instruments-info": instruments_info,
    "/v5/market/kline": klines,
    "/v5/market/mark-price-kline": mark_klines,
    "/v5/market/index-price-kline": mark_klines,
    "/v5/market/tickers": tickers,
    "/v5/market/orderbook": orderbook,
    "/v5/market/recent-trade": recent_trades,
    "/v5/market/funding/history": funding_history,
    "/v5/market/risk-limit": risk_limit,
    "/v5/market/price-limit": price_limit,
}

"""ccxt's bybit class, unmodified but for its hosts, lives an ordinary life here."""

import asyncio
import warnings
from collections.abc import Callable
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import ccxt
    import ccxt.pro

PAIR = "BTC/USDT:USDT"
KEYS = {"apiKey": "key-one", "secret": "secret-one", "enableRateLimit": False}


def pointed(exchange: Any, sandbox: Any) -> Any:
    for name in exchange.urls["api"]:
        if isinstance(exchange.urls["api"][name], str):
            exchange.urls["api"][name] = sandbox.url
    exchange.options["defaultType"] = "swap"
    return exchange


@pytest.fixture(params=[False, True], ids=["main", "demo"])
def exchange(sandbox: Any, request: pytest.FixtureRequest) -> Any:
    made = ccxt.bybit(KEYS)
    if request.param:
        made.enable_demo_trading(True)
    return pointed(made, sandbox)


def test_markets_and_public_reads(exchange: Any) -> None:
    market = exchange.load_markets()[PAIR]
    assert (market["precision"]["amount"], market["limits"]["cost"]["min"]) == (0.001, 5.0)
    assert len(exchange.fetch_ohlcv(PAIR, "1h", limit=3)) == 3
    ticker = exchange.fetch_ticker(PAIR)
    book = exchange.fetch_order_book(PAIR, 5)
    assert book["bids"][0][0] < ticker["last"] < book["asks"][0][0]
    assert exchange.fetch_trades(PAIR, limit=5)
    assert exchange.fetch_funding_rate(PAIR)["fundingRate"] == 0.0001
    assert exchange.fetch_time() > 0


def test_orders_positions_and_balance(exchange: Any) -> None:
    last = exchange.fetch_ticker(PAIR)["last"]
    exchange.set_leverage(5, PAIR)
    with pytest.raises(ccxt.BadRequest, match="110043"):
        exchange.set_leverage(5, PAIR)
    entry = exchange.create_order(PAIR, "market", "buy", 0.01, None, {"clientOrderId": "c-1"})
    closed = exchange.fetch_closed_order(entry["id"], PAIR)
    assert (closed["status"], closed["filled"], closed["clientOrderId"]) == ("closed", 0.01, "c-1")
    assert closed["fee"]["cost"] == pytest.approx(0.01 * last * 0.00055)
    position = exchange.fetch_positions([PAIR])[0]
    assert (position["side"], position["contracts"], position["leverage"]) == ("long", 0.01, 5.0)

    limit = exchange.create_order(PAIR, "limit", "buy", 0.01, last * 0.9)
    assert [order["id"] for order in exchange.fetch_open_orders(PAIR)] == [limit["id"]]
    edited = exchange.edit_order(limit["id"], PAIR, "limit", "buy", 0.02, last * 0.8)
    assert edited["id"] == limit["id"]
    assert exchange.fetch_open_order(limit["id"], PAIR)["amount"] == 0.02
    exchange.cancel_order(limit["id"], PAIR)
    assert exchange.fetch_canceled_orders(PAIR)[0]["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order(limit["id"], PAIR)

    stop = {"triggerPrice": last * 0.95, "triggerDirection": "descending", "reduceOnly": True}
    exchange.create_order(PAIR, "market", "sell", 0.01, None, stop)
    assert len(exchange.fetch_open_orders(PAIR, params={"trigger": True})) == 1
    exchange.cancel_all_orders(PAIR)
    exchange.create_order(PAIR, "market", "sell", 0.01, None, {"reduceOnly": True})
    with pytest.raises(ccxt.ExchangeError, match="110017"):
        exchange.create_order(PAIR, "market", "sell", 0.01, None, {"reduceOnly": True})
    assert len(exchange.fetch_my_trades(PAIR)) == 2
    assert 9_990 < exchange.fetch_balance()["USDT"]["total"] < 10_000


def test_refusals_have_the_classes_that_users_catch(exchange: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order(PAIR, "market", "buy", 10)
    with pytest.raises(ccxt.InvalidOrder):
        exchange.create_order(PAIR, "limit", "buy", 0.001, 4_000)
    exchange.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        exchange.fetch_balance()


def test_sockets(sandbox: Any) -> None:
    async def watch() -> tuple[list[str], float, int]:
        made = pointed(ccxt.pro.bybit(KEYS), sandbox)
        paths = {
            "public": {"linear": f"{sandbox.socket_url}/v5/public/linear"},
            "private": {
                "contract": f"{sandbox.socket_url}/v5/private",
                "usdc": f"{sandbox.socket_url}/v5/private",
            },
            "trade": f"{sandbox.socket_url}/v5/trade",
        }
        made.urls["api"]["ws"] = paths
        try:
            await made.load_markets()
            watching = asyncio.create_task(made.watch_orders(PAIR))
            await _subscribed(sandbox, "order")
            placed = await made.create_order(PAIR, "market", "buy", 0.01)
            seen = [order["id"] for order in await watching]
            ticker = await made.watch_ticker(PAIR)
            book = await made.watch_order_book(PAIR, 50)
            return [placed["id"], *seen], ticker["last"], len(book["bids"])
        finally:
            await made.close()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ids, last, bids = asyncio.run(watch())
    assert len(set(ids)) == 1
    assert last > 0
    assert bids == 50


async def _subscribed(sandbox: Any, topic: str) -> None:
    while not any(topic in each.topics for each in sandbox.desk.hub.connections):
        await asyncio.sleep(0.002)


def test_order_entry_by_socket(sandbox: Any, until: Callable[..., Any]) -> None:
    async def trade() -> dict[str, Any]:
        made = pointed(ccxt.pro.bybit(KEYS), sandbox)
        made.urls["api"]["ws"] = {"private": {"trade": f"{sandbox.socket_url}/v5/trade"}}
        try:
            await made.load_markets()
            placed: dict[str, Any] = await made.create_order_ws(PAIR, "limit", "buy", 0.01, 30_000)
            await made.cancel_order_ws(placed["id"], PAIR)
            return placed
        finally:
            await made.close()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        placed = asyncio.run(trade())
    order = sandbox.session.world.accounts["one"].orders[placed["id"]]
    assert order.status == "Cancelled"

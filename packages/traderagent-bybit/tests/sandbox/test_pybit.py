"""Bybit's own Python client, unmodified but for its host, lives an ordinary life here."""

from itertools import pairwise
from typing import Any

import pybit.unified_trading as pybit
import pytest
from pybit.exceptions import InvalidRequestError

LINEAR = {"category": "linear", "symbol": "BTCUSDT"}


@pytest.fixture
def http(sandbox: Any) -> Any:
    session = pybit.HTTP(api_key="key-one", api_secret="secret-one", log_requests=False)
    session.endpoint = sandbox.url
    yield session
    session.client.close()


@pytest.fixture
def private(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(pybit, "PRIVATE_WSS", f"{sandbox.socket_url}/v5/private")
    socket = pybit.WebSocket(
        testnet=False, channel_type="private", api_key="key-one", api_secret="secret-one"
    )
    yield socket
    socket.exit()


def test_market_reads(http: Any) -> None:
    assert int(http.get_server_time()["result"]["timeNano"]) > 0
    info = http.get_instruments_info(**LINEAR)["result"]["list"][0]
    assert info["lotSizeFilter"]["qtyStep"] == "0.001"
    rows = http.get_kline(**LINEAR, interval="5", limit=4)["result"]["list"]
    assert [int(a[0]) - int(b[0]) for a, b in pairwise(rows)] == [300_000] * 3
    ticker = http.get_tickers(**LINEAR)["result"]["list"][0]
    assert float(ticker["bid1Price"]) < float(ticker["lastPrice"]) < float(ticker["ask1Price"])
    book = http.get_orderbook(**LINEAR, limit=5)["result"]
    assert (len(book["b"]), len(book["a"])) == (5, 5)


def test_order_life_over_rest_and_socket(sandbox: Any, http: Any, private: Any, until: Any) -> None:
    told: dict[str, list[dict[str, Any]]] = {"order": [], "execution": [], "position": [], "wallet": []}
    private.order_stream(lambda message: told["order"].extend(message["data"]))
    private.execution_stream(lambda message: told["execution"].extend(message["data"]))
    private.position_stream(lambda message: told["position"].extend(message["data"]))
    private.wallet_stream(lambda message: told["wallet"].extend(message["data"]))
    until(lambda: any(len(each.topics) == 4 for each in sandbox.desk.hub.connections))

    placed = http.place_order(**LINEAR, side="Buy", orderType="Market", qty="0.01", orderLinkId="in-1")[
        "result"
    ]
    until(lambda: [row for row in told["order"] if row["orderStatus"] == "Filled"])
    assert told["execution"][0]["orderLinkId"] == "in-1"
    position = http.get_positions(**LINEAR)["result"]["list"][0]
    assert (position["side"], position["size"]) == ("Buy", "0.01")

    with pytest.raises(InvalidRequestError, match="110072"):
        http.place_order(**LINEAR, side="Buy", orderType="Market", qty="0.01", orderLinkId="in-1")
    price = float(http.get_tickers(**LINEAR)["result"]["list"][0]["lastPrice"])
    http.set_trading_stop(**LINEAR, positionIdx=0, stopLoss=str(round(price * 0.999, 1)))
    resting = http.place_order(
        **LINEAR,
        side="Sell",
        orderType="Limit",
        qty="0.01",
        price=str(round(price * 1.5, 1)),
        reduceOnly=True,
    )
    listed = http.get_open_orders(**LINEAR)["result"]["list"]
    assert {row["stopOrderType"] for row in listed} == {"", "StopLoss"}
    http.amend_order(**LINEAR, orderId=resting["result"]["orderId"], price=str(round(price * 1.6, 1)))
    http.cancel_order(**LINEAR, orderId=resting["result"]["orderId"])
    with pytest.raises(InvalidRequestError, match="110001"):
        http.cancel_order(**LINEAR, orderId=resting["result"]["orderId"])

    def stop_told() -> list[str]:
        return [row["orderStatus"] for row in told["order"] if row["stopOrderType"] == "StopLoss"]

    while sandbox.advance(candles=60, stops_at_events=True)["has_happened"] and "Filled" not in stop_told():
        pass
    until(lambda: "Filled" in stop_told())  # The client hears on a thread of its own.
    assert stop_told() == ["Untriggered", "Triggered", "Filled"]
    assert http.get_positions(**LINEAR)["result"]["list"][0]["size"] == "0"
    executions = http.get_executions(**LINEAR)["result"]["list"]
    assert [row["side"] for row in executions if row["execType"] == "Trade"] == ["Sell", "Buy"]
    assert len(http.get_closed_pnl(**LINEAR)["result"]["list"]) == 1
    assert float(http.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0]["totalEquity"]) < 10_000
    assert placed["orderId"] in {row["orderId"] for row in http.get_order_history(**LINEAR)["result"]["list"]}


def test_batches_leverage_and_modes(http: Any) -> None:
    rows = [
        {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": quantity, "price": "30000"}
        for quantity in ("0.01", "0.0001", "0.02")
    ]
    answer = http.place_batch_order(category="linear", request=rows)
    assert [each["code"] for each in answer["retExtInfo"]["list"]] == [0, 10001, 0]
    with pytest.raises(InvalidRequestError, match="110028"):
        http.switch_position_mode(**LINEAR, mode=3)
    assert len(http.cancel_all_orders(**LINEAR)["result"]["list"]) == 2
    http.switch_position_mode(**LINEAR, mode=3)
    assert [row["positionIdx"] for row in http.get_positions(**LINEAR)["result"]["list"]] == [1, 2]
    http.set_leverage(**LINEAR, buyLeverage="20", sellLeverage="20")
    with pytest.raises(InvalidRequestError, match="110043"):
        http.set_leverage(**LINEAR, buyLeverage="20", sellLeverage="20")


def test_public_socket(sandbox: Any, until: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pybit, "PUBLIC_WSS", sandbox.socket_url + "/v5/public/{CHANNEL_TYPE}")
    socket = pybit.WebSocket(testnet=False, channel_type="linear")
    told: dict[str, list[Any]] = {"ticker": [], "book": [], "kline": [], "trade": []}
    try:
        socket.ticker_stream("BTCUSDT", told["ticker"].append)
        socket.orderbook_stream(50, "BTCUSDT", lambda message: told["book"].append(dict(message["data"])))
        socket.kline_stream(1, "BTCUSDT", told["kline"].append)
        socket.trade_stream("BTCUSDT", told["trade"].append)
        until(lambda: any(len(each.topics) == 4 for each in sandbox.desk.hub.connections))
        sandbox.advance(candles=3)
        until(lambda: all(told.values()) and len(told["kline"]) >= 3)
    finally:
        socket.exit()
    assert [message["data"][0]["confirm"] for message in told["kline"]] == [True, True, True]
    book = told["book"][-1]
    assert len(book["b"]) == len(book["a"]) == 50

"""The socket side, spoken to directly: authentication, order of messages, and faults on the way."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from traderagent_bybit.signing import sign_request, sign_socket

CREATE = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.001"}


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Line:
    """One socket, and a REST session beside it."""

    def __init__(
        self, sandbox: Any, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        self.sandbox = sandbox
        self.http = http
        self.socket = socket
        self.seen: list[str] = []

    async def ask(self, **message: Any) -> Any:
        await self.socket.send_json(message)
        return await self.next()

    async def next(self) -> Any:
        return await asyncio.wait_for(self.socket.receive_json(), 5)

    async def auth(self, secret: str = "secret-one", expires: Any = None) -> Any:
        until = wall_ms() + 1_000 if expires is None else expires
        return await self.ask(op="auth", args=["key-one", until, sign_socket(secret, str(until))])

    async def create(self, **more: Any) -> Any:
        body = json.dumps({**CREATE, **more}).encode()
        stamp = str(wall_ms())
        headers = {
            "X-BAPI-API-KEY": "key-one",
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-SIGN": sign_request("secret-one", "key-one", stamp, "5000", body),
        }
        async with self.http.post(
            f"{self.sandbox.url}/v5/order/create", data=body, headers=headers
        ) as answer:
            return await answer.json()


@pytest.fixture
def on(sandbox: Any) -> Callable[..., Any]:
    """Runs a conversation on a socket of the sandbox."""

    def run(path: str, talk: Callable[[Line], Awaitable[Any]]) -> Any:
        async def connect() -> Any:
            async with aiohttp.ClientSession() as http, http.ws_connect(sandbox.socket_url + path) as socket:
                return await talk(Line(sandbox, http, socket))

        return asyncio.run(connect())

    return run


async def listen(line: Line, *topics: str) -> None:
    assert (await line.auth())["success"] is True
    assert (await line.ask(op="subscribe", req_id="r", args=list(topics)))["req_id"] == "r"


def test_pongs_have_their_shapes(on: Any) -> None:
    async def ping(line: Line) -> Any:
        return await line.ask(op="ping", req_id="7")

    assert on("/v5/public/linear", ping)["ret_msg"] == "pong"
    private = on("/v5/private", ping)
    assert (private["op"], private["req_id"]) == ("pong", "7")


@pytest.mark.parametrize("how", [{"secret": "wrong"}, {"expires": 1}, {"expires": "soon"}], ids=str)
def test_wrong_authentication_is_told_and_lets_nobody_in(on: Any, how: dict[str, Any]) -> None:
    async def talk(line: Line) -> Any:
        return await line.auth(**how), await line.ask(op="subscribe", args=["order"])

    auth, subscribed = on("/v5/private", talk)
    assert (auth["success"], subscribed["success"]) == (False, False)


def test_requests_are_handled_in_the_order_received(on: Any) -> None:
    async def talk(line: Line) -> Any:
        until = str(wall_ms() + 5_000)
        await line.socket.send_json(
            {"op": "auth", "args": ["key-one", until, sign_socket("secret-one", until)]}
        )
        await line.socket.send_json({"op": "subscribe", "args": ["order"]})
        return [(await line.next())["op"], await line.next()]

    op, subscribed = on("/v5/private", talk)
    assert (op, subscribed["success"]) == ("auth", True)


@pytest.mark.parametrize("topic", ["orderbook.7.BTCUSDT", "kline.7.BTCUSDT", "tickers.XXX", "nothing"])
def test_unknown_topics_are_refused(on: Any, topic: str) -> None:
    reply = on("/v5/public/linear", lambda line: line.ask(op="subscribe", args=[topic]))
    assert (reply["success"], topic in reply["ret_msg"]) == (False, True)


def test_execution_and_order_and_position_and_wallet_are_told_after_the_acknowledgement(on: Any) -> None:
    async def talk(line: Line) -> Any:
        await listen(line, "order.linear", "execution", "position", "wallet")
        acknowledged = await line.create(orderLinkId="x")
        return acknowledged, [await line.next() for _ in range(4)]

    acknowledged, told = on("/v5/private", talk)
    assert acknowledged["retCode"] == 0
    assert [message["topic"] for message in told] == ["execution", "order.linear", "position", "wallet"]
    assert told[0]["data"][0]["orderLinkId"] == "x"
    assert told[2]["data"][0]["entryPrice"] == told[0]["data"][0]["execPrice"]


def test_nobody_hears_of_another_account(on: Any, sandbox: Any) -> None:
    async def talk(line: Line) -> Any:
        await listen(line, "order")
        sandbox.session.apply("two", "create", {**CREATE, "orderLinkId": "other"})
        await line.create(orderLinkId="own")
        return await line.next()

    assert on("/v5/private", talk)["data"][0]["orderLinkId"] == "own"


def test_book_deltas_lead_to_the_book_that_rest_shows(on: Any, sandbox: Any) -> None:
    async def talk(line: Line) -> Any:
        await line.ask(op="subscribe", args=["orderbook.50.BTCUSDT"])
        book = {side: dict((await line.next())["data"][side]) for side in ("b",)}
        for _ in range(3):
            await asyncio.to_thread(sandbox.advance, candles=1)
            delta = await line.next()
            assert delta["type"] == "delta"
            for price, size in delta["data"]["b"]:
                book["b"].pop(price, None) if size == "0" else book["b"].update({price: size})
        async with line.http.get(
            f"{sandbox.url}/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=50"
        ) as answer:
            return book["b"], dict((await answer.json())["result"]["b"])

    ours, theirs = on("/v5/public/linear", talk)
    assert ours == theirs


def test_klines_are_confirmed_when_they_close(on: Any, sandbox: Any) -> None:
    async def talk(line: Line) -> Any:
        await line.ask(op="subscribe", args=["kline.3.BTCUSDT"])
        found = []
        for _ in range(6):
            await asyncio.to_thread(sandbox.advance, candles=1)
            found.append((await line.next())["data"][0])
        return found

    found = on("/v5/public/linear", talk)
    ends = [row["timestamp"] for row in found if row["confirm"]]
    assert len(ends) == 2
    assert all(end % 180_000 == 0 for end in ends)


def test_unsubscribed_topics_are_silent(on: Any, sandbox: Any) -> None:
    async def talk(line: Line) -> Any:
        await line.ask(op="subscribe", args=["tickers.BTCUSDT", "publicTrade.BTCUSDT"])
        await line.next()
        await line.ask(op="unsubscribe", args=["tickers.BTCUSDT"])
        await asyncio.to_thread(sandbox.advance, candles=2)
        return (await line.next())["topic"]

    assert on("/v5/public/linear", talk) == "publicTrade.BTCUSDT"


# -- faults ------------------------------------------------------------------------------------------------


def orders(sandbox: Any) -> list[str]:
    return [order.link_id for order in sandbox.session.world.accounts["one"].orders.values()]


async def outcome(line: Line, link: str) -> Any:
    try:
        answer = await line.create(orderLinkId=link)
        return answer["retCode"]
    except aiohttp.ClientError as error:
        return type(error).__name__


@pytest.mark.parametrize(
    ("rule", "seen", "exists"),
    [
        ({"kind": "lose_request"}, "ServerDisconnectedError", False),
        ({"kind": "lose_reply"}, "ServerDisconnectedError", True),
        ({"kind": "http_status", "status": 502}, "ContentTypeError", False),
        ({"kind": "http_status", "status": 502, "is_executed": True}, "ContentTypeError", True),
        ({"kind": "ret_code"}, 10006, False),
        ({"kind": "ret_code", "code": 10016, "is_executed": True}, 10016, True),
    ],
    ids=lambda value: str(value),
)
def test_faults_of_requests(on: Any, sandbox: Any, rule: dict[str, Any], seen: Any, exists: bool) -> None:
    sandbox.faults({**rule, "match": "/v5/order/create", "count": 1})

    async def talk(line: Line) -> Any:
        return await outcome(line, "first"), await outcome(line, "second")

    assert on("/v5/private", talk) == (seen, 0)
    assert orders(sandbox) == (["first"] if exists else []) + ["second"]


def test_order_that_is_acknowledged_and_then_rejected(on: Any, sandbox: Any) -> None:
    sandbox.faults({"kind": "reject", "match": "/v5/order/create", "count": 1})

    async def talk(line: Line) -> Any:
        await listen(line, "order")
        acknowledged = await line.create(orderLinkId="x")
        return acknowledged["retCode"], (await line.next())["data"][0]

    code, row = on("/v5/private", talk)
    assert (code, row["orderStatus"], row["rejectReason"]) == (0, "Rejected", "EC_Others")
    assert sandbox.session.world.accounts["one"].exchange.margin == 0


def test_half_an_answer(on: Any, sandbox: Any) -> None:
    sandbox.faults({"kind": "broken_json", "match": "/v5/order/create"})

    async def talk(line: Line) -> None:
        with pytest.raises(json.JSONDecodeError):
            await line.create(orderLinkId="x")

    on("/v5/private", talk)
    assert orders(sandbox) == ["x"]


def test_chance_is_the_same_for_the_same_seed(on: Any, sandbox: Any) -> None:
    def losses(seed: int, name: str) -> list[Any]:
        sandbox.faults({"kind": "ret_code", "match": "/v5/order/*", "probability": 0.4}, seed=seed)

        async def talk(line: Line) -> list[Any]:
            return [await outcome(line, f"{name}{number}") for number in range(20)]

        found: list[Any] = on("/v5/private", talk)
        return found

    first = losses(1, "a")
    assert first == losses(1, "b") != losses(2, "c")
    assert 2 < first.count(10006) < 18


@pytest.mark.parametrize(
    ("rule", "links"),
    [
        ({"kind": "drop", "count": 1}, ["2", "3"]),
        ({"kind": "mute", "after": 1}, ["1"]),
        ({"kind": "duplicate", "count": 1}, ["1", "1", "2", "3"]),
        ({"kind": "reorder", "count": 1}, ["2", "1", "3"]),
        ({"kind": "delay_push", "delay_ms": 300, "count": 1}, ["2", "3", "1"]),
    ],
    ids=lambda value: str(value),
)
def test_faults_of_messages(on: Any, sandbox: Any, rule: dict[str, Any], links: list[str]) -> None:
    sandbox.faults({**rule, "match": "execution"})

    async def talk(line: Line) -> list[str]:
        await listen(line, "execution")
        for link in ("1", "2", "3"):
            await line.create(orderLinkId=link)
        seen = [(await line.next())["data"][0]["orderLinkId"] for _ in links]
        assert (await line.ask(op="ping"))["op"] == "pong"
        return seen

    assert on("/v5/private", talk) == links


def test_cut_and_refused_sockets(on: Any, sandbox: Any) -> None:
    sandbox.faults({"kind": "close", "match": "order"})

    async def talk(line: Line) -> Any:
        await listen(line, "order")
        await line.create()
        return (await line.socket.receive()).type

    assert on("/v5/private", talk) in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    sandbox.faults({"kind": "refuse", "match": "/v5/private", "count": 1})
    with pytest.raises(aiohttp.WSServerHandshakeError):
        on("/v5/private", talk)


def test_hidden_orders_appear_in_time(on: Any, sandbox: Any) -> None:
    sandbox.faults({"kind": "hide_orders", "match": "/v5/order/realtime", "delay_ms": 60_000})

    async def listed(line: Line) -> int:
        query = "category=linear&symbol=BTCUSDT&openOnly=1"
        stamp = str(wall_ms())
        headers = {
            "X-BAPI-API-KEY": "key-one",
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-SIGN": sign_request("secret-one", "key-one", stamp, "5000", query.encode()),
        }
        async with line.http.get(f"{sandbox.url}/v5/order/realtime?{query}", headers=headers) as answer:
            return len((await answer.json())["result"]["list"])

    async def talk(line: Line) -> tuple[int, int]:
        await line.create()
        before = await listed(line)
        await asyncio.to_thread(sandbox.advance, candles=1)
        return before, await listed(line)

    assert on("/v5/private", talk) == (0, 1)

"""The REST side over real sockets: signatures, windows, limits, pages, envelopes."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from traderagent_bybit.signing import sign_request

CREATE = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Limit",
    "qty": "0.001",
    "price": "30000",
}
KEY, SECRET = "key-one", "secret-one"


class Client:
    """Sends exactly the bytes it is told to."""

    def __init__(self, url: str) -> None:
        self.url = url

    def raw(self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Any:
        data = body if method == "POST" else None
        request = urllib.request.Request(self.url + target, data, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read()), answer.headers
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, text, error.headers

    def headers(
        self, payload: bytes, *, age_ms: int = 0, window: str = "5000", key: str = KEY, secret: str = SECRET
    ) -> dict[str, str]:
        stamp = str(time.time_ns() // 1_000_000 - age_ms)
        return {
            "X-BAPI-API-KEY": key,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": window,
            "X-BAPI-SIGN": sign_request(secret, key, stamp, window, payload),
        }

    def get(self, path: str, query: str = "", **how: Any) -> Any:
        target = f"{path}?{query}" if query else path
        return self.raw("GET", target, headers=self.headers(query.encode(), **how))[1]

    def post(self, path: str, body: dict[str, Any], **how: Any) -> Any:
        raw = json.dumps(body).encode()
        return self.raw("POST", path, raw, self.headers(raw, **how))[1]


@pytest.fixture
def client(sandbox: Any) -> Client:
    return Client(sandbox.url)


@pytest.mark.parametrize(
    "body", [json.dumps(CREATE), json.dumps(CREATE, separators=(",", ":")), json.dumps(CREATE, indent=3)]
)
def test_signature_is_over_the_bytes_as_they_came(client: Client, body: str) -> None:
    raw = body.encode()
    assert client.raw("POST", "/v5/order/create", raw, client.headers(raw))[1]["retCode"] == 0
    other = raw.replace(b"30000", b"30001")
    refused = client.raw("POST", "/v5/order/create", other, client.headers(raw))[1]
    assert (refused["retCode"], refused["retMsg"][:10]) == (10004, "error sign")


@pytest.mark.parametrize(
    "query",
    ["symbol=BTCUSDT&category=linear", "category=linear&symbol=BTCUSDT", "category=linear&symbol=%42TCUSDT"],
)
def test_query_is_signed_as_sent(client: Client, query: str) -> None:
    assert client.get("/v5/position/list", query)["retCode"] == 0


def test_bare_question_mark_of_a_call_without_parameters(client: Client) -> None:
    status, body, _ = client.raw("GET", "/v5/account/info?", headers=client.headers(b""))
    assert (status, body["retCode"]) == (200, 0)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"age_ms": 4_000}, 0),
        ({"age_ms": 6_000}, 10002),
        ({"age_ms": 6_000, "window": "20000"}, 0),
        ({"age_ms": -900}, 0),
        ({"age_ms": -1_500, "window": "20000"}, 10002),
        ({"key": "nobody"}, 10003),
        ({"secret": "wrong"}, 10004),
    ],
    ids=str,
)
def test_who_may_call(client: Client, how: dict[str, Any], code: int) -> None:
    assert client.get("/v5/account/wallet-balance", "accountType=UNIFIED", **how)["retCode"] == code


def test_private_call_without_signature_is_http_401(client: Client) -> None:
    assert client.raw("GET", "/v5/account/info")[0] == 401


def test_unknown_path_is_http_404(client: Client) -> None:
    assert client.raw("GET", "/v5/no/such")[0] == 404


def test_accounts_are_apart(client: Client) -> None:
    client.post("/v5/order/create", {**CREATE, "orderLinkId": "mine"})
    other = {"key": "key-two", "secret": "secret-two"}
    query = "category=linear&symbol=BTCUSDT"
    assert len(client.get("/v5/order/realtime", query)["result"]["list"]) == 1
    assert client.get("/v5/order/realtime", query, **other)["result"]["list"] == []
    assert client.post("/v5/order/create", {**CREATE, "orderLinkId": "mine"}, **other)["retCode"] == 0


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"'])
def test_body_that_is_no_object_is_refused(client: Client, body: bytes) -> None:
    assert client.raw("POST", "/v5/order/create", body, client.headers(body))[1]["retCode"] == 10001


def test_pages_go_through_everything_once(client: Client) -> None:
    placed = [client.post("/v5/order/create", CREATE)["result"]["orderId"] for _ in range(7)]
    seen, cursor = [], ""
    while True:
        query = f"category=linear&symbol=BTCUSDT&limit=3&cursor={cursor}"
        result = client.get("/v5/order/realtime", query)["result"]
        seen += [row["orderId"] for row in result["list"]]
        cursor = result["nextPageCursor"]
        if not cursor:
            break
    assert seen == placed[::-1]


def test_spans_of_more_than_seven_days_are_refused(client: Client) -> None:
    week = 7 * 86_400_000
    query = "category=linear&startTime={}&endTime={}"
    assert client.get("/v5/execution/list", query.format(1, 1 + week))["retCode"] == 0
    assert client.get("/v5/execution/list", query.format(1, 2 + week))["retCode"] == 10001


def test_klines_come_newest_first_and_add_up(client: Client) -> None:
    def rows(interval: str, limit: int) -> list[list[str]]:
        query = f"category=linear&symbol=BTCUSDT&interval={interval}&limit={limit}"
        found: list[list[str]] = client.get("/v5/market/kline", query)["result"]["list"]
        return found

    minutes, hour = rows("1", 60), rows("60", 2)[0]
    inside = [row for row in minutes if int(row[0]) >= int(hour[0])]
    assert [int(row[0]) for row in minutes] == sorted((int(row[0]) for row in minutes), reverse=True)
    assert hour[2] == max((row[2] for row in inside), key=float)
    assert hour[3] == min((row[3] for row in inside), key=float)
    assert (hour[1], hour[4]) == (inside[-1][1], inside[0][4])
    assert client.get("/v5/market/kline", "category=linear&symbol=BTCUSDT&interval=7")["retCode"] == 10001


def test_rate_limit_counts_each_kind_and_tells_what_is_left(start: Callable[..., Any], settings: Any) -> None:
    client = Client(start(evolve(settings, has_rate_limits=True)).url)
    raw = json.dumps(CREATE).encode()
    answers = [client.raw("POST", "/v5/order/create", raw, client.headers(raw)) for _ in range(12)]
    left = [int(headers["X-Bapi-Limit-Status"]) for _, _, headers in answers]
    codes = [body["retCode"] for _, body, _ in answers]
    assert left[:3] == [9, 8, 7]
    assert codes[:10] == [0] * 10
    assert 10006 in codes
    reset = int(answers[-1][2]["X-Bapi-Limit-Reset-Timestamp"])
    assert 0 < reset - time.time_ns() // 1_000_000 <= 1_000
    assert client.get("/v5/account/info")["retCode"] == 0


def test_an_address_that_calls_too_often_is_shut_out(start: Callable[..., Any], settings: Any) -> None:
    limited = start(evolve(settings, has_rate_limits=True))
    clock = [1_000_000]
    limited.desk.limits._wall_ms = lambda: clock[0]
    for _ in range(600):
        assert not limited.desk.limits.is_banned("here")
    assert limited.desk.limits.is_banned("here")
    assert not limited.desk.limits.is_banned("elsewhere")
    clock[0] += 599_000
    assert limited.desk.limits.is_banned("here")
    clock[0] += 2_000
    assert not limited.desk.limits.is_banned("here")


def test_control_refuses_nonsense(sandbox: Any) -> None:
    for path, body in (("/advance", {}), ("/advance", {"to_ms": 1}), ("/faults", {"rules": [{"kind": "x"}]})):
        with pytest.raises(urllib.error.HTTPError) as error:
            sandbox.control("PUT" if path == "/faults" else "POST", path, body)
        assert error.value.code == 400
        assert "error" in json.load(error.value)
        error.value.close()

"""`traderagent bybit-sandbox` as a process: it serves, is killed, and goes on where it was."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from traderagent_bybit.signing import sign_request

START = [sys.executable, "-u", "-c", "from traderagent_core.cli.main import main; main()", "bybit-sandbox"]


class Server:
    """A process; what it prints first tells its port."""

    def __init__(self, *args: str) -> None:
        self.process = subprocess.Popen(
            [*START, "--port", "0", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.told = ""
        while "keys:" not in self.told:
            line = self.process.stdout.readline()
            assert line, self.process.stderr and self.process.stderr.read()
            self.told += line
        self.url = re.search(r"REST (http://\S+),", self.told)[1]  # type: ignore[index]

    def call(self, method: str, path: str, query: str = "", body: Any = None) -> Any:
        payload = query.encode() if body is None else json.dumps(body).encode()
        stamp = str(time.time_ns() // 1_000_000)
        headers = {
            "X-BAPI-API-KEY": "alice",
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-SIGN": sign_request("hush", "alice", stamp, "5000", payload),
        }
        target = f"{self.url}{path}?{query}" if query else f"{self.url}{path}"
        request = urllib.request.Request(target, None if body is None else payload, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        code = self.process.wait(10)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return code


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    made: list[Server] = []
    yield made
    for server in made:
        if server.process.poll() is None:
            server.end(signal.SIGKILL)


def test_killed_and_started_again_it_has_its_orders_positions_and_fills(
    servers: list[Server], tmp_path: Path
) -> None:
    options = ("--account", "alice:hush:5000", "--state", str(tmp_path / "state.jsonl"))
    first = Server(*options)
    servers.append(first)
    order = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "qty": "0.01", "orderType": "Market"}
    assert first.call("POST", "/v5/order/create", body={**order, "orderLinkId": "a"})["retCode"] == 0
    resting = {**order, "orderType": "Limit", "price": "20000", "orderLinkId": "b"}
    assert first.call("POST", "/v5/order/create", body=resting)["retCode"] == 0
    query = "category=linear&symbol=BTCUSDT"
    reads = ("/v5/order/realtime", "/v5/execution/list", "/v5/order/history")
    before = [first.call("GET", path, query)["result"]["list"] for path in reads]
    assert [len(rows) for rows in before] == [1, 1, 1]
    assert first.end(signal.SIGKILL) == -9
    again = Server(*options)
    servers.append(again)
    assert [again.call("GET", path, query)["result"]["list"] for path in reads] == before
    assert again.call("GET", "/v5/position/list", query)["result"]["list"][0]["size"] == "0.01"
    assert again.call("POST", "/v5/order/create", body={**order, "orderLinkId": "a"})["retCode"] == 110072
    assert again.end(signal.SIGTERM) == 0
    assert "the market is made up, seed 7" in again.told


def test_time_passes_by_itself(servers: list[Server]) -> None:
    server = Server("--speed", "1000")
    servers.append(server)
    times = set()
    end = time.monotonic() + 5
    while len(times) < 3:
        assert time.monotonic() < end
        times.add(server.call("GET", "/sandbox")["now_ms"])
    assert server.end(signal.SIGINT) == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--account", "alice"], "expected KEY:SECRET"),
        (["--account", "a:b:much"], "'much' is no balance"),
        (["--from", "soon"], "'soon' is no time"),
        (["--data", "/no/such/folder"], "/no/such/folder"),
    ],
    ids=str,
)
def test_what_the_user_can_mend_is_a_message_and_code_two(args: list[str], message: str) -> None:
    done = subprocess.run([*START, *args], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*START, "--port", str(port)], capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr

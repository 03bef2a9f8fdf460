"""A sandbox in a thread of its own, so that clients that block can be tested; time is in lockstep."""

import asyncio
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from decimal import Decimal
from typing import Any

import pytest
from traderagent_bybit.sandbox.app import serving
from traderagent_bybit.sandbox.desk import Desk
from traderagent_bybit.sandbox.session import Session, Settings
from traderagent_bybit.sandbox.world import AccountSpec
from traderagent_core import Candles, generate_candles

START_MS = 1_704_067_200_000
ROWS = 3_000
ACCOUNTS = (
    AccountSpec("one", "key-one", "secret-one", Decimal(10_000)),
    AccountSpec("two", "key-two", "secret-two", Decimal(500)),
)


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Running:
    """A sandbox that serves, and what a test does to it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._ready: Future[tuple[Desk, str]] = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        self.desk, self.url = self._ready.result(10)
        self.socket_url = self.url.replace("http", "ws", 1)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            async with serving(self.session) as served:
                self._ready.set_result(served)
                await self._stop.wait()
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            raise

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def control(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Call the control surface."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/sandbox{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            result: dict[str, Any] = json.load(answer)
        return result

    def advance(self, **how: Any) -> dict[str, Any]:
        return self.control("POST", "/advance", how)

    def faults(self, *rules: dict[str, Any], seed: int = 0) -> None:
        self.control("PUT", "/faults", {"rules": rules, "seed": seed})


@pytest.fixture
def candles() -> Candles:
    """Two days of minutes, about 40,000 USDT."""
    return generate_candles(symbol="BTC/USDT", timeframe="1m", rows=ROWS, seed=3, start_ms=START_MS)


@pytest.fixture
def settings() -> Settings:
    return Settings(ACCOUNTS, speed=0.0, has_rate_limits=False)


@pytest.fixture
def start(candles: Candles) -> Iterator[Callable[..., Running]]:
    """Starts sandboxes, and stops them when the test is over."""
    running: list[Running] = []

    def begin(settings: Settings, *series: Candles) -> Running:
        running.append(Running(Session(settings, series or (candles,), wall_ms)))
        return running[-1]

    yield begin
    for each in running:
        each.stop()


@pytest.fixture
def sandbox(start: Callable[..., Running], settings: Settings) -> Running:
    """One in lockstep, without rate limits."""
    return start(settings)


def wait_until(condition: Callable[[], Any], seconds: float = 5.0) -> Any:
    """What a condition gives once it holds; for clients whose threads cannot be awaited."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)
    return found


@pytest.fixture
def until() -> Callable[..., Any]:
    return wait_until

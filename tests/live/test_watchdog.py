"""A plugin that hangs, in processes that trade at the Bybit sandbox: the watchdog ends them, and they go on."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any

from attrs import define
from traderagent_bybit.sandbox.app import serving
from traderagent_bybit.sandbox.session import Session, Settings
from traderagent_bybit.sandbox.world import AccountSpec
from traderagent_core.errors import DataError
from traderagent_core.live.control.client import NotListeningError, ask
from traderagent_core.live.watchdog.supervisor import HUNG_CODE
from traderagent_core.persistence.ended_calls import FILE, read_ended
from traderagent_core.replay import replay
from traderagent_core.testing import market

KEYS = {"key": "kit", "secret": "hush"}
SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")
PATIENCE_SECONDS = 300.0
COMMAND = "from traderagent_core.cli.main import main; main()"
STICKY = '''
"""Buys with a stop, and hangs as it is told."""
import ctypes, threading, time
from typing import Literal
from pydantic import BaseModel, ConfigDict
from traderagent_core import Fixed, Leg, Plan, Purpose, Side, Strategy, StrategySpec, hookimpl

class StickyConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    on_start: str = ""
    on_fill: str = ""

def loop():
    while True:
        pass

def lock():
    held = threading.Lock()
    held.acquire()
    held.acquire()

WAYS = {
    "sleep": lambda: time.sleep(3600),
    "loop": loop,
    "lock": lock,
    "c": lambda: ctypes.PyDLL(None).sleep(3600),  # Holds the lock of the interpreter.
    "slow": lambda: time.sleep(0.4),
    "": lambda: None,
}

class Sticky(Strategy):
    def on_start(self, context):
        WAYS[self.config.on_start]()
        quantity = context.instrument.round_quantity(context.budget / 4 / context.price)
        leg = Leg("buy", "buy", Side.BUY, Purpose.ENTRY, Fixed(quantity))
        context.enter(Plan("buy", (leg,), ("buy",)))

    def on_fill(self, context, fill, slot, is_complete):
        WAYS[self.config.on_fill]()

@hookimpl
def traderagent_strategies():
    yield StrategySpec("sticky", "Hangs.", StickyConfig, Sticky)
'''


@contextmanager
def sandbox() -> Iterator[str]:
    """A sandbox with two markets on a thread of its own; its address."""
    series = [market("ranging", timeframe="1m", rows=600, symbol=symbol) for symbol in SYMBOLS]
    account = AccountSpec("kit", KEYS["key"], KEYS["secret"], Decimal(20_000))
    start_ms = int(series[0].open_time[300])
    settings = Settings([account], speed=1.0, has_rate_limits=False, start_ms=start_ms)
    urls: list[str] = []
    loop, ends = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with serving(Session(settings, series, lambda: time.time_ns() // 1_000_000)) as (_, url):
            urls.append(url)
            await ends.wait()

    thread = Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    while not urls:
        time.sleep(0.01)
    try:
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(ends.set)
        thread.join()
        loop.close()


@define(eq=False)
class Running:
    """A run in processes of its own."""

    process: "subprocess.Popen[str]"
    folder: Path

    def status(self) -> dict[str, Any] | None:
        try:
            return dict(ask(self.folder, "status"))
        except (NotListeningError, OSError, DataError):
            return None

    def until(self, holds: Any) -> dict[str, Any]:
        """The first status of a run that is up of which something holds; before, SIGTERM would just end it."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end, self.status()
            found = self.status()
            if found is not None and "waits_for" not in found and holds(found):
                return found
            time.sleep(0.1)

    def end(self) -> tuple[int, str]:
        """Exit code and what was said on stderr."""
        self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, err


def environment(state: Path) -> Mapping[str, str]:
    key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    return {**os.environ, "TRADERAGENT_STATE": str(state), "ENCRYPTION_KEY": key}


def command(state: Path, *arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        input=given,
        capture_output=True,
        text=True,
        env=environment(state),
        check=False,
    )


@contextmanager
def running(folder: Path, url: str, bots: Mapping[str, str], *, dry_run: bool = False) -> Iterator[Running]:
    """Bots, each with its way to hang, if any."""
    state, plugin, config = folder / "state", folder / "sticky.py", folder / "bots.yaml"
    add = ("credentials", "add", "kit", "--exchange", "bybit", "--environment", "demo")
    done = command(state, *add, given="\n".join([*KEYS.values(), ""]))
    assert done.returncode == 0, done.stderr
    plugin.write_text(STICKY)
    sockets = f"{url.replace('http', 'ws', 1)}/v5"
    exchange = (
        f"exchange: {{exchange_id: bybit, credentials_name: kit, sandbox: true, rest_url: {url}, "
        f"private_url: {sockets}/private, public_url: {sockets}/public/linear}}"
    )
    common = (
        f"strategy: sticky, market: linear, timeframe: 1m, dry_run: {str(dry_run).lower()}, {exchange}, "
        'risk_management: {stop_loss_percentage: "0.2"}'
    )
    rows = [
        f"- {{name: {name}, symbol: {symbol}, {common}, sticky: {{{way}}}}}"
        for symbol, (name, way) in zip(SYMBOLS, bots.items(), strict=False)
    ]
    config.write_text("\n".join([f"plugins: [{plugin}, bybit]", "bots:", *rows, ""]))
    where = folder / "run"
    arguments = ["run", "--config", str(config), "--run-dir", str(where)]
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(state),
    )
    try:
        yield Running(process, where)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def lives(found: Mapping[str, Any]) -> dict[str, str]:
    return {bot["name"]: bot["life_cycle"] for bot in found["bots"]}


def protected(found: Mapping[str, Any], name: str) -> bool:
    """Whether a bot holds something whose stop is at the exchange."""
    bot = next(bot for bot in found["bots"] if bot["name"] == name)
    return Decimal(bot["position"]["quantity"]) > 0 and bot["protection"]["held_by"] == "venue"


def test_each_strategy_that_hangs_is_ended_once_and_the_others_trade(tmp_path: Path) -> None:
    bots = {way: f"on_start: {way}" for way in ("sleep", "loop", "lock")} | {"good": ""}
    with sandbox() as url, running(tmp_path, url, bots) as run:
        found = run.until(lambda found: lives(found).get("good") == "RUNNING" and protected(found, "good"))
        assert lives(found) == {"sleep": "PAUSED", "loop": "PAUSED", "lock": "PAUSED", "good": "RUNNING"}
        code, err = run.end()
    assert code == 0
    assert "on_start of bot 'loop' did not come back within 2 s" in err
    ended = read_ended(run.folder)
    assert [(call.bot, call.callback) for call in ended] == [(way, "on_start") for way in list(bots)[:3]]
    assert all("sticky.py" in call.traceback and "in on_start" in call.traceback for call in ended)
    assert replay(run.folder).difference is None


def test_a_hang_in_c_leaves_the_position_with_its_stop(tmp_path: Path) -> None:
    with sandbox() as url, running(tmp_path, url, {"bad": "on_fill: c"}) as run:
        found = run.until(lambda found: lives(found)["bad"] == "PAUSED" and protected(found, "bad"))
        assert found["bots"][0]["why"] == "quarantined"
        assert run.end()[0] == 0
    (call,) = read_ended(run.folder)
    assert (call.bot, call.callback) == ("bad", "on_fill")
    assert "in on_fill" in call.traceback
    assert replay(run.folder).difference is None


def test_a_slow_plugin_is_told_of_and_the_run_ends_with_its_supervisor(tmp_path: Path) -> None:
    with sandbox() as url, running(tmp_path, url, {"bot": "on_fill: slow"}) as run:
        slow = run.until(lambda found: found.get("slow_calls", {}).get("count"))["slow_calls"]
        assert (slow["slowest"]["bot"], slow["slowest"]["callback"]) == ("bot", "on_fill")
        assert 400 <= slow["slowest"]["took_ms"] < 2_000
        run.process.kill()
        run.process.wait()
        end = time.monotonic() + 10
        while run.status() is not None:
            assert time.monotonic() < end
            time.sleep(0.05)
    lines = list(map(json.loads, (run.folder / "run.log").read_text().splitlines()))
    assert [line["bot"] for line in lines if line["event"] == "callback_slow"] == ["bot"]
    assert not (run.folder / FILE).exists()


def test_on_paper_a_hung_plugin_ends_the_run(tmp_path: Path) -> None:
    with sandbox() as url, running(tmp_path, url, {"bad": "on_start: sleep"}, dry_run=True) as run:
        _, err = run.process.communicate(timeout=PATIENCE_SECONDS)
    assert run.process.returncode == HUNG_CODE
    assert "On paper the account ends with its process" in err

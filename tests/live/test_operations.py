"""An operator, a process that trades at the Bybit sandbox, and kill -9 in between."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from traderagent_bybit.adapter.bybit import BybitAdapter
from traderagent_bybit.adapter.config import BybitConfig
from traderagent_bybit.sandbox.app import serving
from traderagent_bybit.sandbox.session import Session, Settings
from traderagent_bybit.sandbox.world import AccountSpec
from traderagent_core import Candles, Surroundings
from traderagent_core.adapters.clocks import SystemClock
from traderagent_core.live.control.client import NotListeningError, ask
from traderagent_core.live.control.left import describe_left
from traderagent_core.model.instrument import Market
from traderagent_core.replay import replay

SYMBOL = "BTC/USDT"
KEYS = {"key": "canary-of-the-key", "secret": "canary-of-the-secret"}
COMMAND = "from traderagent_core.cli.main import main; main()"
PATIENCE_SECONDS = 120.0
CHECKS = [
    *("python", "plugins", "folder", "disk", "configuration", "account", "callbacks", "database", "keys"),
    *("exchange", "clock", "symbols", "candles", "money", "rights"),
]


def swinging_market(rows: int = 600) -> Candles:
    """Minutes that swing by a tenth, so that a grid holds something within seconds."""
    close = np.round(100 + 6 * np.sin(np.arange(rows) * 2.1), 1)
    opens = np.concatenate(([100.0], close[:-1]))
    high, low = np.round(np.maximum(opens, close) + 4, 1), np.round(np.minimum(opens, close) - 4, 1)
    times = 1_704_067_200_000 + 60_000 * np.arange(rows, dtype=np.int64)
    return Candles(SYMBOL, "1m", times, opens, high, low, close, np.ones(rows))


def configuration(url: str) -> str:
    sockets = f"{url.replace('http', 'ws', 1)}/v5"
    return f"""
log_level: DEBUG
bots:
  - name: bot
    symbol: {SYMBOL}
    strategy: grid
    market: linear
    timeframe: 1m
    dry_run: false
    exchange:
      exchange_id: bybit
      credentials_name: kit
      sandbox: true
      rest_url: {url}
      private_url: {sockets}/private
      public_url: {sockets}/public/linear
    risk_management: {{stop_loss_percentage: "0.3"}}
    grid: {{upper_price: "112", lower_price: "88", grid_levels: 12, amount_per_grid: "50"}}
"""


async def command(environment: Mapping[str, str], *arguments: str, given: str = "") -> tuple[int, str]:
    """Exit code and output of a command in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        COMMAND,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
    )
    out, _ = await process.communicate(given.encode())
    return process.returncode or 0, out.decode()


async def start(environment: Mapping[str, str], config: Path) -> Any:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", COMMAND, "run", "--config", str(config), env=environment
    )


async def until(folder: Path, process: Any, holds: Any) -> dict[str, Any]:
    """The first status of a bot of which something holds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        assert process.returncode is None, "it ended by itself"
        assert time.monotonic() < end
        try:
            (found,) = (await asyncio.to_thread(ask, folder, "status"))["bots"]
        except NotListeningError:
            await asyncio.sleep(0.2)
            continue
        if holds(found):
            return dict(found)
        await asyncio.sleep(0.2)


def has_traded(bot: Mapping[str, Any]) -> bool:
    held = Decimal(bot["position"]["quantity"])
    return bool(held) and bot["protection"]["status"] == "OPEN" and len(bot["orders"]) > 10


async def told(url: str) -> tuple[int, Decimal]:
    """Number of live orders and position by the exchange."""
    sockets = f"{url.replace('http', 'ws', 1)}/v5"
    own = BybitConfig(rest_url=url, private_url=f"{sockets}/private", public_url=f"{sockets}/public/linear")
    adapter = BybitAdapter(own, Surroundings(SystemClock(), {SYMBOL: Market.LINEAR}, "demo", KEYS))
    await adapter.connect()
    try:
        held = sum((each.quantity for each in await adapter.positions()), Decimal(0))
        return len(await adapter.open_orders()), held
    finally:
        await adapter.close()


async def scenario(tmp_path: Path) -> None:
    series = swinging_market()
    settings = Settings(
        [AccountSpec("kit", KEYS["key"], KEYS["secret"], Decimal(20_000))],
        speed=1.0,
        has_rate_limits=False,
        start_ms=int(series.open_time[300]),
    )
    state = tmp_path / "state"
    environment = {
        **os.environ,
        "TRADERAGENT_STATE": str(state),
        "ENCRYPTION_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    }
    config, folder = tmp_path / "bot.yaml", state / "accounts" / "bybit-demo-kit"
    add = ("credentials", "add", "kit", "--exchange", "bybit", "--environment", "demo")
    assert (await command(environment, *add, given="\n".join([*KEYS.values(), ""])))[0] == 0
    async with serving(Session(settings, [series], lambda: time.time_ns() // 1_000_000)) as (_, url):
        config.write_text(configuration(url))
        code, out = await command(environment, "doctor", "--config", str(config))
        assert code == 0, out
        assert [line.split()[1] for line in out.splitlines()] == CHECKS
        process = await start(environment, config)
        before = await until(folder, process, has_traded)
        assert before["protection"]["held_by"] == "venue"
        assert [*folder.glob("*.snapshot")], "there is one from the first reconciliation on"
        assert "canary" not in Path(f"/proc/{process.pid}/cmdline").read_text()
        process.kill()
        await process.wait()
        left = describe_left(folder)["bots"][0]
        assert left["life_cycle"] == "RUNNING"
        assert len(left["orders"]) > 10

        code, out = await command(environment, "panic", "--yes")
        assert code == 0, out
        assert "this command will take the account over" in out
        assert out.count("(ENTRY)") > 5
        assert await told(url) == (0, 0)

        process = await start(environment, config)
        found = await until(folder, process, lambda bot: bot["life_cycle"] == "EMERGENCY")
        assert found["orders"] == []
        assert await command(environment, "ack") == (0, "bot: STOPPED\n")
        assert await command(environment, "start") == (0, "bot: RUNNING\n")
        await until(folder, process, has_traded)
        code, out = await command(environment, "stop")
        assert code == 0, out
        assert await process.wait() == 0
        orders, held = await told(url)
        assert orders == bool(held)  # The stop of what the grid keeps.
    assert replay(folder).difference is None
    assert "DEBUG" in config.read_text()
    for path in state.rglob("*"):
        assert path.name == "reserve" or not path.is_file() or b"canary" not in path.read_bytes(), path


def test_panic_without_a_process_closes_everything(tmp_path: Path) -> None:
    asyncio.run(scenario(tmp_path))

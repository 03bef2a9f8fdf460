"""Canaries in place of every secret of a run at DEBUG: they may appear nowhere, whatever the exchange answers."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from traderagent_bybit.sandbox.app import serving
from traderagent_bybit.sandbox.session import Session, Settings
from traderagent_bybit.sandbox.world import AccountSpec
from traderagent_core.live.control.client import NotListeningError, ask
from traderagent_core.testing import market
from traderagent_core.testing.postgres import databases

KEYS = ("canary-of-the-key", "canary-of-the-secret")
PASSWORD = "canary of/the database"
ENCRYPTION_KEYS = (
    "Y2FuYXJ5LW9mLXRoZS1lbmNyeXB0aW9uLTEyMzQ1Njc=",
    "Y2FuYXJ5LW9mLWFuLW9sZGVyLW9uZS0xMjM0NTY3ODk=",
)
CANARIES = (*KEYS, PASSWORD, quote(PASSWORD, safe=""), *ENCRYPTION_KEYS)
ECHO = f"not with {KEYS[0]}, which is signed by {KEYS[1]}"
COMMAND = "from traderagent_core.cli.main import main; main()"
PATIENCE_SECONDS = 120.0
CONFIGURATION = """
log_level: DEBUG
database_url: ${{DATABASE_URL}}
encryption_key: ${{ENCRYPTION_KEY}}
bots:
  - name: bot
    symbol: BTC/USDT
    strategy: grid
    market: linear
    timeframe: 1m
    dry_run: false
    exchange:
      exchange_id: bybit
      credentials_name: kit
      sandbox: true
      rest_url: {url}
      private_url: {sockets}/v5/private
      public_url: {sockets}/v5/public/linear
    risk_management: {{stop_loss_percentage: "0.3"}}
    grid: {{bounds: atr, grid_levels: 8, amount_per_grid: "50"}}
"""


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of a database, with a password."""
    pytest.importorskip("asyncpg", reason="PostgreSQL needs the extra: traderagent-core[postgres]")
    with databases() as there:
        try:
            url = there.make()
        except (OSError, TimeoutError) as error:
            pytest.skip(f"no PostgreSQL answers: {error}")
        yield url.replace("postgres@", f"postgres:{quote(PASSWORD, safe='')}@")


async def started(environment: Mapping[str, str], out: Path, *arguments: str, given: str = "") -> Any:
    """A process of the command line whose output is kept."""
    with out.open("ab") as kept:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", COMMAND, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=kept,
            stderr=kept,
            env=environment,
        )
    assert process.stdin is not None
    process.stdin.write(given.encode())
    process.stdin.close()
    return process


def command_lines() -> str:
    """What the list of processes shows."""
    texts = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            texts.append(path.read_text(errors="replace"))
        except OSError:
            continue  # It has ended.
    return "\n".join(texts)


async def until(holds: Callable[[], bool], process: Any) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not await asyncio.to_thread(holds):
        assert process.returncode is None, "it ended by itself"
        assert time.monotonic() < end
        await asyncio.sleep(0.2)


def orders(folder: Path) -> int:
    try:
        return sum(len(bot["orders"]) for bot in ask(folder, "status")["bots"])
    except NotListeningError:
        return 0


async def dumped(url: str) -> str:
    """Every row of every table."""
    import asyncpg  # type: ignore[import-untyped]

    connection = await asyncpg.connect(url)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [row for (name,) in names for row in await connection.fetch(f'SELECT * FROM "{name}"')]
        return "\n".join(str(dict(row)) for row in rows)
    finally:
        await connection.close()


async def scenario(folder: Path, database: str) -> None:
    series = market("ranging", timeframe="1m", rows=600)
    account = AccountSpec("kit", *KEYS, Decimal(20_000))
    settings = Settings([account], speed=1.0, has_rate_limits=False, start_ms=int(series.open_time[300]))
    state, out, config = folder / "state", folder / "printed", folder / "bot.yaml"
    key_file = folder.parent / f"{folder.name}.keys"
    key_file.write_text(",".join(ENCRYPTION_KEYS))
    key_file.chmod(0o600)
    environment = {
        **os.environ,
        "TRADERAGENT_STATE": str(state),
        "DATABASE_URL": database,
        "ENCRYPTION_KEY": f"file:{key_file}",
    }

    async def run(*arguments: str, given: str = "") -> int:
        process = await started(environment, out, *arguments, given=given)
        return int(await process.wait())

    add = ("credentials", "add", "kit", "--exchange", "bybit", "--environment", "demo")
    assert await run(*add, given="\n".join([*KEYS, ""])) == 0, out.read_text()
    async with serving(Session(settings, [series], lambda: time.time_ns() // 1_000_000)) as (desk, url):
        config.write_text(CONFIGURATION.format(url=url, sockets=url.replace("http", "ws", 1)))
        refusal = {"kind": "ret_code", "match": "/v5/*", "code": 10003, "message": ECHO}
        desk.faults.replace([refusal], 1)
        assert await run("doctor", "--config", str(config)) == 2
        assert await run("run", "--config", str(config)) != 0
        spoilt = {"kind": "ret_code", "match": "/v5/order/create", "code": 10001, "message": ECHO, "count": 3}
        lost = {"kind": "lose_reply", "match": "/v5/*", "probability": 0.1}
        desk.faults.replace([spoilt, lost], 1)
        process = await started(environment, out, "run", "--config", str(config))
        account_folder = state / "accounts" / "bybit-demo-kit"
        await until(lambda: orders(account_folder) > 3, process)
        shown = command_lines()
        assert str(config) in shown
        for told in ("status", "doctor"):
            await run(told, *(("--config", str(config)) if told == "doctor" else ()))
        assert await run("config", "show", str(config)) == 0
        assert await run("backup", "--config", str(config), "--out", str(folder / "kept.backup")) == 0
        process.kill()
        await process.wait()
        assert await run("replay", str(account_folder)) == 0, out.read_text()[-2_000:]
    rows = await dumped(database)
    assert "kit" in rows
    for canary in CANARIES:
        assert canary not in shown
        assert canary not in rows
        for path in folder.rglob("*"):
            if path.is_file() and path.name != "reserve":
                assert canary.encode() not in path.read_bytes(), (canary, path)


def test_no_secret_is_told_anywhere(tmp_path: Path, database: str) -> None:
    asyncio.run(scenario(tmp_path, database))

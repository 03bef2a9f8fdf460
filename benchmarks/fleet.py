"""Many bots on one account at a Bybit sandbox in this process; they trade in another one, started as a user would.

The market is made up. Keys are in a vault, the journal in a state folder, and code is compiled at the first start.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from traderagent_bybit.sandbox.app import serving
from traderagent_bybit.sandbox.desk import Desk
from traderagent_bybit.sandbox.session import Session, Settings
from traderagent_bybit.sandbox.world import AccountSpec
from traderagent_core import Candles, generate_candles

KEYS = ("kit", "hush-hush-hush")
ACCOUNT = "kit"
BALANCE = Decimal(1_000_000)
ENCRYPTION_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
COMMAND = "from traderagent_core.cli.main import main; main()"
START_MS = 1_704_067_200_000
MINUTE_MS = 60_000
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


def wall_ms() -> int:
    """The clock on the wall."""
    return time.time_ns() // 1_000_000


def names(count: int) -> list[str]:
    """So many symbols."""
    return [f"C{number:02d}/USDT" for number in range(count)]


def markets(count: int, rows: int, *, annual_volatility: float) -> list[Candles]:
    """Minutes of so many symbols, about 100 each."""
    common: dict[str, Any] = {
        "timeframe": "1m",
        "rows": rows,
        "start_ms": START_MS,
        "price": 100.0,
        "jumps": 0,
    }
    return [
        generate_candles(symbol=name, seed=seed, annual_volatility=annual_volatility, reversion=0.9, **common)
        for seed, name in enumerate(names(count))
    ]


@frozen
class Wish:
    """What is to trade: sections of bots, one after the other in turn, and what else the configuration has."""

    bots: Sequence[Mapping[str, Any]]
    rest: Mapping[str, Any] = {}
    rate_factor: float = 1.0
    log_level: str = "INFO"


@define(eq=False)
class Fleet:
    """The sandbox, the folder of the user, and the process that trades."""

    desk: Desk
    url: str
    folder: Path
    symbols: Sequence[str]

    @property
    def account(self) -> Any:
        """The account as the exchange has it."""
        return self.desk.session.world.accounts[ACCOUNT]

    @property
    def state(self) -> Path:
        """Where the run keeps its journal and log."""
        return self.folder / "state" / "accounts" / f"bybit-demo-{ACCOUNT}"

    def write(self, wish: Wish) -> None:
        """Write the configuration: JSON is YAML."""
        sockets = f"{self.url.replace('http', 'ws', 1)}/v5"
        exchange = {
            "exchange_id": "bybit",
            "credentials_name": ACCOUNT,
            "sandbox": True,
            "rest_url": self.url,
            "private_url": f"{sockets}/private",
            "public_url": f"{sockets}/public/linear",
            "rate_factor": wish.rate_factor,
        }
        common = {"market": "linear", "timeframe": "1m", "dry_run": False, "exchange": exchange}
        bots = [
            {"name": symbol[:3].lower(), "symbol": symbol, **common, **wish.bots[number % len(wish.bots)]}
            for number, symbol in enumerate(self.symbols)
        ]
        text = json.dumps({"log_level": wish.log_level, "bots": bots, **wish.rest})
        (self.folder / "fleet.yaml").write_text(text, encoding="utf-8")

    async def keep_keys(self) -> None:
        """Store the keys of the account as a user does."""
        add = ("credentials", "add", ACCOUNT, "--exchange", "bybit", "--environment", "demo")
        process = await self._run(COMMAND, *add, stdin=asyncio.subprocess.PIPE)
        await process.communicate("\n".join([*KEYS, ""]).encode())
        if process.returncode:
            raise SystemExit("the keys could not be stored")

    async def start(self, command: str = COMMAND) -> "Trading":
        """A process that trades."""
        begun = time.monotonic()
        process = await self._run(command, "run", "--config", str(self.folder / "fleet.yaml"))
        return Trading(process, begun, self.state / "run.log")

    async def _run(self, command: str, *arguments: str, **more: Any) -> asyncio.subprocess.Process:
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment = {
            **kept,
            "PYTHONPYCACHEPREFIX": str(self.folder / "compiled"),
            "TRADERAGENT_STATE": str(self.folder / "state"),
            "ENCRYPTION_KEY": ENCRYPTION_KEY,
        }
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            command,
            *arguments,
            stdout=asyncio.subprocess.DEVNULL,
            env=environment,
            cwd=Path(__file__).parent,
            **more,
        )

    # -- the exchange ---------------------------------------------------------------------------------------

    def move(self, price: float) -> None:
        """Let all markets go to a price within a minute."""
        world = self.desk.session.world
        ends = [tape.trade(world.now_ms, price) for _, tape in world.tapes.values()]
        world.advance(ends[0])
        self.desk.hub.flush()

    def live(self) -> list[Any]:
        """Live orders of the exchange."""
        return list(self.account.open_orders.values())

    def held(self) -> set[str]:
        """Symbols with a position."""
        return {leg.contract.symbol for leg in self.account.legs.values() if leg.quantity}

    def naked(self) -> set[str]:
        """Symbols with a position and without a stop."""
        return self.held() - {order.contract.symbol for order in self.live() if order.trigger_price}


@define(eq=False)
class Trading:
    """A process that trades, and what the machine says of it."""

    process: asyncio.subprocess.Process
    begun: float
    log: Path
    _offset: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._offset = self.log.stat().st_size if self.log.exists() else 0

    def told(self) -> list[dict[str, Any]]:
        """What its log has had since it was started."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as stream:
            stream.seek(self._offset)
            lines = stream.read().split(b"\n")[:-1]
        return [json.loads(line) for line in lines]

    def seconds_until(self, event: str) -> float | None:
        """Seconds from its start until its log told something."""
        times = [line["time"] for line in self.told() if line["event"] == event]
        if not times:
            return None
        from datetime import datetime

        since = datetime.fromisoformat(times[0]).timestamp()
        return since - (time.time() - (time.monotonic() - self.begun))

    def require_alive(self) -> None:
        """Raises SystemExit when it has ended by itself."""
        if self.process.returncode is not None:
            raise SystemExit(f"the trading process ended with {self.process.returncode}: {self.told()[-5:]}")

    def _processes(self) -> list[Path]:
        """What the machine tells of the process, which only watches, and of the one that it has started to trade."""
        watcher = self.process.pid
        children = Path(f"/proc/{watcher}/task/{watcher}/children").read_text(encoding="ascii").split()
        return [Path(f"/proc/{number}") for number in (watcher, *children)]

    def memory_mb(self) -> float:
        """Resident memory of both."""
        told = [(place / "statm").read_text(encoding="ascii").split() for place in self._processes()]
        return sum(int(fields[1]) for fields in told) * PAGE / 1e6

    def cpu_seconds(self) -> float:
        """Processor time of both so far."""
        texts = [(place / "stat").read_text(encoding="ascii") for place in self._processes()]
        told = [text.rpartition(")")[2].split() for text in texts]
        return sum(int(fields[11]) + int(fields[12]) for fields in told) / TICKS

    async def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()


@asynccontextmanager
async def fleet(
    folder: Path, series: Sequence[Candles], *, speed: float = 1.0, has_limits: bool = True
) -> AsyncIterator[Fleet]:
    """A sandbox over these markets, a tenth before their end, with the keys of its account in the vault.

    With `speed` 0 the market stands still until it is told to `move`.
    """
    start_ms = int(series[0].open_time[len(series[0]) * 9 // 10])
    account = AccountSpec(ACCOUNT, *KEYS, BALANCE)
    settings = Settings(
        [account], start_ms=start_ms, speed=speed, has_rate_limits=has_limits, funding_rate=Decimal(0)
    )
    async with serving(Session(settings, series, wall_ms)) as (desk, url):
        found = Fleet(desk, url, folder, [each.symbol for each in series])
        await found.keep_keys()
        yield found

"""What comes from outside, spoilt at random: configurations, files of candles, what an exchange says; and plugins.

    python benchmarks/fuzz.py --configurations 2000 --tables 1000 --answers 9000 --messages 1000

Each case follows from its seed and is named by it. It has to be accepted, or refused with an error of ours that says
where and what was expected: no traceback, no hang, no flood of memory. Answers and messages are those of a Bybit
sandbox, over real connections: a read has to fail or to give sound values, a write to be unknown or accepted, a
stream to break and to go on. Strategies misbehave in every callback while they hold a position: the engine has to
go on, the stop to hold, and the records to stay fit for the journal. Exit code 1 when one is not as it has to be.
"""

import argparse
import asyncio
import shutil
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from traderagent_bybit.adapter.bybit import BybitAdapter
from traderagent_bybit.adapter.config import BybitConfig
from traderagent_bybit.sandbox.app import serving
from traderagent_bybit.sandbox.session import Session, Settings
from traderagent_bybit.sandbox.world import AccountSpec
from traderagent_core import Surroundings, generate_candles
from traderagent_core.adapters.clocks import SystemClock
from traderagent_core.model.instrument import Market
from traderagent_core.report.terminal import aligned
from traderagent_core.testing.fuzz.answers import fuzz_answers
from traderagent_core.testing.fuzz.configurations import fuzz_configurations
from traderagent_core.testing.fuzz.examining import Tally
from traderagent_core.testing.fuzz.plugins import MISDEEDS, fuzz_plugins
from traderagent_core.testing.fuzz.stream import fuzz_stream
from traderagent_core.testing.fuzz.tables import fuzz_tables

ROOT = Path(__file__).parents[1]
SYMBOL, PRICE, ONE = "BTC/USDT", Decimal(50), Decimal(1)
HEADER = ("", "cases", "accepted", "refused", "unknown", "wrong", "slowest, s", "most memory, MB")


def configurations(folder: Path, seeds: range) -> Tally:
    """Those of benchmarks and examples, and the presets."""
    examples = ROOT / "examples"
    shutil.copytree(examples / "presets", folder / "presets")
    files = [*sorted((ROOT / "benchmarks" / "configs").glob("*.yaml")), examples / "portfolio.yaml"]
    return fuzz_configurations(files, sorted((examples / "presets").glob("*.yaml")), folder, seeds)


async def spoilt_exchange(match: str, seeds: range) -> Tally:
    """A sandbox whose answers or messages are spoilt once an adapter is connected."""
    clock = SystemClock()
    start_ms = 1_704_067_200_000
    candles = generate_candles(
        symbol=SYMBOL, timeframe="1m", rows=3_000, seed=3, start_ms=start_ms, price=100.0
    )
    settings = Settings(
        [AccountSpec("fuzz", "key", "hush", Decimal(10**6))], speed=0.0, has_rate_limits=False
    )
    async with serving(Session(settings, [candles], clock.now_ms)) as (desk, url):
        adapter = BybitAdapter(configuration(url), surroundings(clock))
        try:
            await adapter.connect()
            desk.faults.replace([{"kind": "garble", "match": match}], seeds.start)
            (rule,) = desk.faults.rules
            if match.startswith("/"):
                tally = await fuzz_answers(adapter, SYMBOL, PRICE, ONE, len(seeds))
            else:

                def mend() -> None:
                    desk.faults.replace([], 0)

                # Each order is told of twice, unless the socket is down just then.
                tally = await fuzz_stream(adapter, mend, SYMBOL, PRICE, ONE, len(seeds))
            if rule.applied < len(seeds):
                tally.wrong.append(f"only {rule.applied} of {len(seeds)} were spoilt")
            return tally
        finally:
            await adapter.close()


def configuration(url: str) -> BybitConfig:
    """An adapter that does not wait."""
    sockets = url.replace("http", "ws", 1)
    return BybitConfig(
        rest_url=url,
        private_url=f"{sockets}/v5/private",
        public_url=f"{sockets}/v5/public/linear",
        rate_factor=1_000,
        reconnect_seconds=0.0001,
    )


def surroundings(clock: SystemClock) -> Surroundings:
    """One linear market."""
    return Surroundings(clock, {SYMBOL: Market.LINEAR}, "demo", {"key": "key", "secret": "hush"})


def answers(_: Path, seeds: range) -> Tally:
    """One spoilt answer to each call."""
    return asyncio.run(spoilt_exchange("/v5/*", seeds))


def messages(_: Path, seeds: range) -> Tally:
    """What the private socket tells of orders, spoilt so many times at least; cases are facts and breaks."""
    return asyncio.run(spoilt_exchange("order", seeds))


def plugins(_: Path, seeds: range) -> Tally:
    """So many kinds of misbehaviour of a strategy that holds a position, each in every callback."""
    return fuzz_plugins(len(seeds))


KINDS: dict[str, tuple[Callable[[Path, range], Tally], int]] = {
    "configurations": (configurations, 2_000),
    "tables": (fuzz_tables, 1_000),
    "answers": (answers, 9_000),
    "messages": (messages, 1_000),
    "plugins": (plugins, len(MISDEEDS)),
}


def row(name: str, tally: Tally) -> Sequence[str]:
    """One kind, as a line of the table."""
    ends = (tally.ends[end] for end in ("accepted", "refused", "unknown"))
    counts = map(str, (tally.cases, *ends, len(tally.wrong)))
    return (name, *counts, f"{tally.slowest_seconds:.2f}", f"{tally.most_megabytes:.0f}")


def main() -> int:
    """Examine and print a table, and what is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, (_, count) in KINDS.items():
        parser.add_argument(f"--{name}", type=int, default=count, help=f"how many; 0: none [{count}]")
    parser.add_argument("--first", type=int, default=0, help="the first seed [0]")
    given = parser.parse_args()
    rows: list[Sequence[str]] = [HEADER]
    wrong: list[str] = []
    for name, (fuzz, _) in KINDS.items():
        with TemporaryDirectory() as place:
            tally = fuzz(Path(place), range(given.first, given.first + getattr(given, name)))
        rows.append(row(name, tally))
        wrong += [f"{name}: {problem}" for problem in tally.wrong]
    print("\n".join([aligned(rows), *wrong]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""Back-tests of grids from the command line, and books that are kept a second time from the files they write."""

import csv
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from traderagent_core import Candles
from traderagent_core.cli.main import run

START = "from traderagent_core.cli.main import main; main()"
Row = dict[str, str]


# -- what is run --------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def grid() -> Callable[..., dict[str, Any]]:
    """A configuration with one grid; keys of the bot, of the simulation (a mapping) and of the grid."""
    own = (
        "name",
        "symbol",
        "timeframe",
        "market",
        "leverage",
        "risk_management",
        "exchange",
        "capital_share",
    )

    def make(*, simulation: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        bot = {"name": "bot", "symbol": "BTC/USDT", "strategy": "grid"}
        bot |= {key: changes.pop(key) for key in own if key in changes}
        usual = {"lower_price": 92, "upper_price": 108, "grid_levels": 17, "amount_per_grid": 150}
        return {
            "bots": [{**bot, "grid": usual | changes}],
            "simulation": {"balance": 10000, **(simulation or {})},
        }

    return make


def write_candles(folder: Path, candles: Candles, market: str = "spot") -> Path:
    """A CSV file whose name tells what it holds."""
    path = folder / f"test_{market}_{candles.symbol.replace('/', '-')}_{candles.timeframe}.csv"
    rows = [",".join(map(repr, candles.candle(index))) for index in range(len(candles))]
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows, ""]))
    return path


@frozen
class Desk:
    """A folder to work in."""

    folder: Path

    def configure(self, content: Mapping[str, Any], name: str = "grid.yaml") -> Path:
        """Write a configuration; JSON is YAML too."""
        path = self.folder / name
        path.write_text(json.dumps(content))
        return path

    def write(self, candles: Candles, market: str = "spot") -> Path:
        """Write candles into the folder `data`, and return it."""
        (self.folder / "data").mkdir(exist_ok=True)
        return write_candles(self.folder / "data", candles, market).parent

    def backtest(self, config: Mapping[str, Any], data: Path, *args: object, out: str = "out") -> "Books":
        """Back-test in this process; the books are those of the files written."""
        path = self.configure(config)
        done = ["backtest", "--config", path, "--data", data, "--out", self.folder / out, *args]
        assert run([str(arg) for arg in done]) == 0
        return Books.read(self.folder / out)

    def start(self, *args: object, code: str = START, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command in a process of its own."""
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, args)],
            cwd=self.folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A folder without a catalogue."""
    monkeypatch.setenv("TRADERAGENT_CATALOGUE", str(tmp_path / "no-catalogue"))
    return Desk(tmp_path)


@pytest.fixture(scope="session")
def contents() -> Callable[[Path], dict[str, bytes]]:
    """Every file of a folder with its bytes."""
    return lambda folder: {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real market series."""
    folder = os.environ.get("TRADERAGENT_DATA")
    if not folder:
        pytest.skip("TRADERAGENT_DATA names no folder of market series")
    return Path(folder)


# -- what it wrote ------------------------------------------------------------------------------------------


@frozen
class Books:
    """The files of a result, as text, with sums in fractions: no rounding anywhere."""

    result: dict[str, Any]
    fills: list[Row]
    trades: list[Row]
    orders: list[Row]
    equity: list[Row]

    @classmethod
    def read(cls, folder: Path) -> "Books":
        """Read the files of a folder."""
        tables = []
        for name in ("fills", "trades", "orders", "equity"):
            with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
                tables.append(list(csv.DictReader(stream)))
        return cls(json.loads((folder / "result.json").read_text()), *tables)

    def money(self, name: str, bot: str | None = None) -> Fraction:
        """A sum over the bots, or of one."""
        rows = [row for row in self.result["money"] if bot in (None, row["bot"])]
        return sum((Fraction(row[name]) for row in rows), Fraction(0))

    @property
    def change(self) -> Fraction:
        """Change of the account's equity."""
        metrics = self.result["metrics"]
        return Fraction(metrics["final_equity"]) - Fraction(metrics["starting_balance"])

    def last_price(self, symbol: str) -> Fraction:
        """What positions are valued at."""
        return next(Fraction(row["last_price"]) for row in self.result["money"] if row["symbol"] == symbol)

    def signed(self, fill: Row) -> Fraction:
        """Quantity of a fill, negative for a sale."""
        return Fraction(fill["quantity"]) * (1 if fill["side"] == "BUY" else -1)

    def price_gain(self, fill: Row) -> Fraction:
        """What a fill is worth at the last price."""
        return self.signed(fill) * (self.last_price(fill["symbol"]) - Fraction(fill["price"]))

    def check(self) -> None:
        """All accounts of the money agree, to the last digit."""
        fees = sum((Fraction(fill["fee"]) for fill in self.fills), Fraction(0))
        gains = sum(map(self.price_gain, self.fills), Fraction(0))
        assert fees == self.money("fees") == Fraction(self.result["metrics"]["fees"])
        assert gains == self.money("cycle_profit") + self.money("trend_pnl")
        assert gains - fees + self.money("funding") == self.change == self.money("net_profit")
        assert Fraction(self.result["unattributed"]) == 0
        assert Fraction(self.result["metrics"]["funding"]) == self.money("funding")
        assert float(self.equity[-1]["equity"]) == pytest.approx(
            float(Fraction(self.result["metrics"]["final_equity"])), abs=1e-7
        )
        for row in self.result["money"]:
            own = [fill for fill in self.fills if fill["bot"] == row["bot"]]
            assert sum(map(self.signed, own), Fraction(0)) == Fraction(row["quantity"])

    def cycles(self) -> list[tuple[str, str, Fraction]]:
        """Bot, slot and gross profit of every cycle: in each slot of a grid every second fill closes the one before.

        Only for runs in which nothing but counters has closed anything.
        """
        found: list[tuple[str, str, Fraction]] = []
        waiting: dict[tuple[str, str], Row] = {}
        for fill in self.fills:
            slot = fill["bot"], fill["slot"]
            if not slot[1].startswith("grid:"):
                continue
            opening = waiting.pop(slot, None)
            if opening is None:
                waiting[slot] = fill
                continue
            assert opening["side"] != fill["side"]
            assert opening["quantity"] == fill["quantity"]
            gain = self.signed(opening) * (Fraction(fill["price"]) - Fraction(opening["price"]))
            found.append((*slot, gain))
        return found

    def open_gain(self) -> Fraction:
        """Price gain of what no trade has closed: the fills without those of the trades."""
        gain = sum(map(self.price_gain, self.fills), Fraction(0))
        closed: dict[str, Fraction] = defaultdict(Fraction)
        for row in self.trades:
            closed[row["bot"]] += Fraction(row["gross_profit"])
        return gain - sum(closed.values())

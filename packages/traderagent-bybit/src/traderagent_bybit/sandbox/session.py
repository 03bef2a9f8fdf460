"""A running sandbox without its network: the world, its clock and its journal."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import Factory, evolve, frozen
from traderagent_core import Candles, DataError, FundingRates, Instrument

from traderagent_bybit.codes import BybitError
from traderagent_bybit.sandbox.contracts import contract_of
from traderagent_bybit.sandbox.journal import VERSION, Journal
from traderagent_bybit.sandbox.world import AccountSpec, Listing, World

WallClock = Callable[[], int]
LOCKSTEP, REAL_TIME = 0.0, 1.0


@frozen
class Settings:
    """What a sandbox is started with.

    `speed` is virtual time over wall time; 0 is lockstep: time stands still but for the control surface.
    `start_ms` is where in the data the market begins. Without `keeps_dates` the data are moved in time so that
    this is now.
    """

    accounts: Sequence[AccountSpec]
    start_ms: int | None = None
    speed: float = 1.0
    keeps_dates: bool = False
    seed: int = 0
    funding_rate: Decimal = Decimal("0.0001")
    state: Path | None = None
    has_rate_limits: bool = True
    instruments: Mapping[str, Instrument] = Factory(dict)
    """Contracts by symbol, such as BTC/USDT, that are not to be read off the data."""


class Session:
    """Requests and time go through here, so that both are in the journal before they happen."""

    def __init__(
        self,
        settings: Settings,
        candles: Iterable[Candles],
        wall_ms: WallClock,
        *,
        funding: Mapping[str, FundingRates] | None = None,
    ) -> None:
        self.settings = settings
        self.wall_ms = wall_ms
        self._journal = Journal(settings.state) if settings.state is not None else None
        series = list(candles)
        header, entries = self._journal.read() if self._journal is not None else (None, [])
        fresh = self._header(series)
        if header is None:
            header = fresh
            self._write(header)
        self._check(header, fresh)
        shift: int = header["shift_ms"]
        self._anchor_ms: int = header["start_ms"]
        self._anchor_wall_ms: int = header["wall_ms"]
        self.speed: float = header["speed"]
        self.world = World(
            [self._listing(each, (funding or {}).get(each.symbol), shift) for each in series],
            settings.accounts,
            start_ms=self._anchor_ms,
            seed=settings.seed,
            funding_rate=settings.funding_rate,
        )
        for entry in entries:
            self._replay(entry)

    def _header(self, series: Sequence[Candles]) -> dict[str, Any]:
        """What a new sandbox begins with; after a restart the first beginning holds."""
        settings = self.settings
        first = max(int(each.open_time[0]) + each.duration_ms for each in series)
        last = min(int(each.open_time[-1]) for each in series)
        start = settings.start_ms if settings.start_ms is not None else first + (last - first) // 10
        if not first <= start <= last:
            spans = "; ".join(f"{each.symbol} {each.timeframe} {_span(each)}" for each in series)
            raise DataError(
                f"the market cannot begin at {_iso(start)}: all series have to be there then, with a candle"
                f" before it. There are: {spans}; choose another start"
            )
        longest = max(each.duration_ms for each in series)
        start -= start % longest
        wall = self.wall_ms()
        shift = 0 if settings.keeps_dates else wall // longest * longest - start
        is_now = settings.speed == REAL_TIME and not settings.keeps_dates
        return {
            "sandbox": VERSION,
            "seed": settings.seed,
            "accounts": [spec.name for spec in settings.accounts],
            "data": [_digest(each) for each in series],
            "speed": settings.speed,
            "shift_ms": shift,
            "start_ms": start + shift,
            "wall_ms": start + shift if is_now else wall,  # In real time its clock is that of the wall.
        }

    def _check(self, header: Mapping[str, Any], fresh: Mapping[str, Any]) -> None:
        for key in ("seed", "accounts", "data", "speed"):
            if header[key] != fresh[key]:
                path = self.settings.state
                raise DataError(
                    f"{path} was written by a sandbox with another {key}: {header[key]} there, {fresh[key]} here; "
                    "start it as it was, or name another file"
                )

    def _listing(self, candles: Candles, funding: FundingRates | None, shift_ms: int) -> Listing:
        contract = contract_of(candles, self.settings.instruments.get(candles.symbol))
        moved = _moved(candles, shift_ms)
        rates = funding and FundingRates(funding.symbol, funding.time_ms + shift_ms, funding.rate)
        return Listing(evolve(contract, launch_ms=int(moved.open_time[0])), moved, rates)

    # -- time -------------------------------------------------------------------------------------------------

    @property
    def is_lockstep(self) -> bool:
        """Whether only the control surface moves time."""
        return self.speed == LOCKSTEP

    def tick(self) -> bool:
        """Let time pass up to what the clock says; whether it did."""
        if self.is_lockstep:
            return False
        elapsed = self.wall_ms() - self._anchor_wall_ms
        now = self._anchor_ms + int(elapsed * self.speed)
        if now <= self.world.now_ms:
            return False
        self.world.advance(now)
        return True

    def trade(self, symbol: str, price: float) -> bool:
        """Let a market in lockstep go to a price within one candle."""
        if not self.is_lockstep or symbol not in self.world.tapes or not price > 0:
            raise ValueError("a price can be made in lockstep only, of a symbol that is there, above 0")
        self._write({"at": self.world.now_ms, "do": "trade", "symbol": symbol, "price": price})
        return self.world.trade(symbol, price)

    def split_fills(self, parts: int) -> None:
        """From now on every fill comes in up to so many executions."""
        self._write({"at": self.world.now_ms, "do": "parts", "parts": parts})
        self._split(parts)

    def _split(self, parts: int) -> None:
        for account in self.world.accounts.values():
            account.exchange.parts = parts

    def advance(self, to_ms: int, *, stops_at_events: bool = False) -> bool:
        """Move the time of a sandbox in lockstep; whether something happened in an account."""
        if not self.is_lockstep:
            raise ValueError("time moves by itself here; start the sandbox with --speed 0 to move it")
        if to_ms < self.world.now_ms:
            raise ValueError(f"time does not go back: it is {self.world.now_ms}, asked for was {to_ms}")
        self._write({"at": to_ms, "do": "advance", "stops": stops_at_events})
        return self.world.advance(to_ms, stops_at_events=stops_at_events)

    def step(self, to_ms: int) -> None:
        """Let the next one thing happen in a sandbox in lockstep, if it is not after `to_ms`."""
        self._write({"at": to_ms, "do": "step"})
        self.world.step(to_ms)

    # -- requests ---------------------------------------------------------------------------------------------

    def apply(self, account: str, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Let an account do something now."""
        self.tick()
        self._write({"at": self.world.now_ms, "do": operation, "account": account, "body": body})
        return self.world.apply(account, operation, body)

    def _replay(self, entry: Mapping[str, Any]) -> None:
        if entry["do"] == "advance":
            self.world.advance(entry["at"], stops_at_events=entry["stops"])
        elif entry["do"] == "step":
            self.world.step(entry["at"])
        elif entry["do"] == "trade":
            self.world.trade(entry["symbol"], entry["price"])
        elif entry["do"] == "parts":
            self._split(entry["parts"])
        else:
            if entry["at"] > self.world.now_ms:
                self.world.advance(entry["at"])
            with suppress(BybitError):  # It was refused then too.
                self.world.apply(entry["account"], entry["do"], entry["body"])
        for account in self.world.accounts.values():
            account.outbox.clear()

    def _write(self, entry: Mapping[str, Any]) -> None:
        if self._journal is not None:
            self._journal.append(entry)

    def close(self) -> None:
        """Let go of the journal."""
        if self._journal is not None:
            self._journal.close()


def _moved(candles: Candles, shift_ms: int) -> Candles:
    return Candles(
        candles.symbol,
        candles.timeframe,
        candles.open_time + shift_ms,
        candles.open,
        candles.high,
        candles.low,
        candles.close,
        candles.volume,
    )


def _span(candles: Candles) -> str:
    end_ms = int(candles.open_time[-1]) + candles.duration_ms
    return f"from {_iso(int(candles.open_time[0]))} to {_iso(end_ms)}"


def _iso(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%dT%H:%M}"


def _digest(candles: Candles) -> str:
    found = hashlib.sha256(f"{candles.symbol} {candles.timeframe}".encode())
    for column in (candles.open_time, candles.open, candles.high, candles.low, candles.close, candles.volume):
        found.update(column.tobytes())
    return f"{candles.symbol} {candles.timeframe} {found.hexdigest()[:16]}"

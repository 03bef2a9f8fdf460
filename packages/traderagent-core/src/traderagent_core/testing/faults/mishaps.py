"""Things that go wrong at some time of a run, rather than for each request: outages, gaps, hands, clocks, deaths."""

from collections.abc import Callable, Iterator

from attrs import define

from traderagent_core.testing.faults.kinds import Fault
from traderagent_core.testing.faults.link import Link
from traderagent_core.testing.faults.outside import Outside
from traderagent_core.testing.faults.process import Process
from traderagent_core.testing.faults.wire import Outages
from traderagent_core.testing.faults.world import START_MS, World

FIRST_MS = 5_000
ROOM_LEFT = 3_000
Mishap = tuple[Fault, Callable[[], None]]


@define
class Mishaps:
    """Draws when each mishap of a seed strikes, and lets it. `alive` gives the one that lives, if any."""

    world: World
    outside: Outside
    outages: Outages
    alive: Callable[[], Process | None]
    calm_ms: int

    def plan(self) -> None:
        """Draw all times."""
        for fault, action in self._all():
            rate = self.world.mix.rate(fault)
            dice = self.world.dice(fault.label)
            times = int(rate) + (dice.random() < rate % 1)
            for _ in range(times):
                time_ms = START_MS + dice.randint(FIRST_MS, max(self.calm_ms - START_MS - 1_000, FIRST_MS))
                self.world.at(time_ms, self._striking(fault, action))

    def _striking(self, fault: Fault, action: Callable[[], None]) -> Callable[[], None]:
        def strike() -> None:
            if not self.world.is_calm:
                self.world.strike(fault)
                self.world.tell(f"fault {fault.label}")
                action()

        return strike

    def _all(self) -> Iterator[Mishap]:
        yield Fault.RATE_LIMIT, self._limit
        yield Fault.BAN, self._ban
        yield Fault.MAINTENANCE, self._close
        yield Fault.CONNECTION_LOSS, self._lose
        yield Fault.SILENT_STREAM, self._silence
        yield Fault.REPLAYED_MESSAGES, lambda: self._link(Link.replay)
        yield Fault.DELEVERAGED, lambda: self.outside.deleverage(self._symbol())
        yield Fault.FOREIGN_ORDER, lambda: self.outside.place_by_hand(self._symbol())
        yield Fault.MANUAL_TRADE, lambda: self.outside.trade_by_hand(self._symbol())
        yield Fault.PRICE_GAP, lambda: self.outside.walks[self._symbol()].gap()
        yield Fault.CLOCK_JUMP, self._jump
        yield Fault.SUSPEND, lambda: self.world.suspend(self._duration("suspend", 500, 20_000))
        yield Fault.CRASH, self._crash
        yield Fault.DISK_FULL, self._fill

    # -- one for each ---------------------------------------------------------------------------------------

    def _limit(self) -> None:
        self.outages.limited_ms = self.world.now_ms + self._duration("limit", 1_000, 20_000)

    def _ban(self) -> None:
        self.outages.banned_ms = self.world.now_ms + self._duration("ban", 10_000, 60_000)

    def _close(self) -> None:
        duration_ms = self._duration("maintenance", 5_000, 60_000)
        self.outages.closed_ms = self.world.now_ms + duration_ms
        self._link(lambda link: link.lose("maintenance"))
        self.world.after(duration_ms, lambda: self._link(Link.mend))

    def _lose(self) -> None:
        self._link(lambda link: link.lose("connection reset"))
        self.world.after(self._duration("loss", 200, 15_000), lambda: self._link(Link.mend))

    def _silence(self) -> None:
        duration_ms = self._duration("silence", 2_000, 40_000)
        self._link(lambda link: link.silence(duration_ms))

    def _jump(self) -> None:
        process = self.alive()
        if process is not None:
            process.clock.jump()

    def _crash(self) -> None:
        process = self.alive()
        if process is not None:
            process.die("killed")

    def _fill(self) -> None:
        process = self.alive()
        if process is not None:
            process.disk.fill(self._duration("room", 0, ROOM_LEFT))
            self.world.after(self._duration("full", 2_000, 60_000), process.disk.clean)

    # -- inside ---------------------------------------------------------------------------------------------

    def _link(self, do: Callable[[Link], None]) -> None:
        process = self.alive()
        if process is not None:
            do(process.link)

    def _symbol(self) -> str:
        return self.world.dice("symbol").choice(list(self.outside.instruments))

    def _duration(self, purpose: str, least: int, most: int) -> int:
        return self.world.dice(purpose).randint(least, most)

"""How long what must not last has lasted, at worst: measured beside the checks, with faults at work and without."""

from collections.abc import Callable
from enum import Enum

from traderagent_core.engine.engine import Engine
from traderagent_core.engine.member import Member
from traderagent_core.model.order import OrderType
from traderagent_core.testing.faults.outside import Outside
from traderagent_core.testing.faults.process import RUN_ID, Process
from traderagent_core.testing.faults.setting import Setting
from traderagent_core.testing.faults.world import World

AFTER_FAULTS_MS = 45_000
"""So long after the last fault nothing of it should be left."""


class Lasting(Enum):
    """What is measured, each second while the process is up: a time in ms, and what people call it."""

    UNPROTECTED = "position without a stop at the exchange, and the price not watched"
    WATCHED = "position without a stop at the exchange, the price watched"
    ORPHAN = "order of ours at the exchange that the engine does not know"
    BEHIND = "ledgers differ from the exchange"

    __hash__ = object.__hash__  # That of an enum is slow.


class Gauge:
    """Looks each second. `worst` is by what was measured, at any time; `calm` is that of times without faults.

    `settled_ms` is how long after the end of all faults a difference that they have left was last seen.
    """

    def __init__(
        self, world: World, outside: Outside, setting: Setting, process: Callable[[], Process | None]
    ) -> None:
        self._world, self._outside, self._setting, self._process = world, outside, setting, process
        self._since: dict[tuple[Lasting, str], int] = {}
        self._seen: object = None
        self.worst: dict[Lasting, int] = {}
        self.calm: dict[Lasting, int] = {}
        self.settled_ms = 0

    def look(self, version: object) -> None:
        """Measure; `version` is the outside's."""
        process = self._process()
        if process is None or process.driver is None or not process.is_running:
            self._since.clear()
            return
        seen = (process, process.driver.stepper.steps, version)
        if seen == self._seen:
            # Nothing has happened on either side: what lasts goes on, and nothing else does.
            if not self._since:
                return
            for what, name in self._since:
                self._note(what, name, is_so=True)
        else:
            self._seen = seen
            self._look_at(process.driver.engine)
        for symbol in self._outside.instruments:
            if self._since.get((Lasting.BEHIND, symbol), self._world.now_ms) <= self._world.calm_since_ms:
                self.settled_ms = max(self._world.now_ms - self._world.calm_since_ms, self.settled_ms)

    def _look_at(self, engine: Engine) -> None:
        outside = self._outside
        for member in engine.members.values():
            is_bare = self._is_bare(member)
            is_watched = member.stop.watched is not None
            self._note(Lasting.UNPROTECTED, member.name, is_so=is_bare and not is_watched)
            self._note(Lasting.WATCHED, member.name, is_so=is_bare and is_watched)
        orphans = [key for key in outside.backend.log.open if key.startswith(RUN_ID)]
        self._note(Lasting.ORPHAN, "", is_so=any(key not in engine.account.orders for key in orphans))
        for symbol in outside.instruments:
            is_behind = engine.account.net_quantity(symbol) != outside.position(symbol)
            self._note(Lasting.BEHIND, symbol, is_so=is_behind)

    def _is_bare(self, member: Member) -> bool:
        """Whether the account holds what a script has bought, which always has a stop, without one."""
        held = self._outside.position(member.symbol) * member.ledger.quantity > 0
        if not held or not self._setting.has_stops:
            return False
        orders = self._outside.exchange.markets[member.symbol].orders.values()
        return all(order.request.type is not OrderType.STOP for order in orders)

    def _note(self, what: Lasting, name: str, *, is_so: bool) -> None:
        if not is_so:
            self._since.pop((what, name), None)
            return
        now_ms = self._world.now_ms
        lasted_ms = now_ms - self._since.setdefault((what, name), now_ms)
        self.worst[what] = max(lasted_ms, self.worst.get(what, 0))
        after_ms = now_ms - self._world.last_strike_ms
        if after_ms > AFTER_FAULTS_MS:
            lasted_ms = min(lasted_ms, after_ms - AFTER_FAULTS_MS)
            self.calm[what] = max(lasted_ms, self.calm.get(what, 0))

"""Looks after a run: brings bots back from quarantine with back-off, and says what has been wrong for long."""

from attrs import define, field

from traderagent_core.engine.member import Member
from traderagent_core.engine.operator import HUNG_CALL
from traderagent_core.live.driver import Driver

INTERVAL_MS = 5_000
LONG_DOWN_MS = 60_000
"""A link that is down for longer is told as critical."""
FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 60_000, 3_600_000
MOST_ATTEMPTS = 6
"""How often a bot is brought back, after 1, 2, 4 … minutes, before an operator has to; one good day begins anew."""
GOOD_MS = 86_400_000
REASON = "health: attempt {} of {}"


@define
class _Patient:
    """A bot that is, or was, in quarantine."""

    since_ms: int
    attempts: int = 0
    is_given_up: bool = False

    @property
    def pause_ms(self) -> int:
        return int(min(FIRST_PAUSE_MS * 2**self.attempts, LONGEST_PAUSE_MS))


@define(eq=False)
class Health:
    """What is looked after in one run; `look` is to be called in the driver's turn, over and over."""

    driver: Driver
    _patients: dict[str, _Patient] = field(factory=dict)
    _told: set[tuple[str, int]] = field(factory=set)
    _barred: dict[tuple[str, str], int] = field(factory=dict)

    def look(self, now_ms: int) -> None:
        """See to everything once."""
        for stream, (is_up, since_ms, cause) in self.driver.vitals.links.items():
            if not is_up and now_ms - since_ms >= LONG_DOWN_MS and (stream, since_ms) not in self._told:
                self._told.add((stream, since_ms))
                self.driver.observer.health(now_ms, "link_down", f"{stream}: {cause}")
        self._look_at_bars(now_ms)
        for member in self.driver.engine.members.values():
            if member.is_quarantined:
                self._treat(member, now_ms)
            else:
                self._release(member, now_ms)

    def _look_at_bars(self, now_ms: int) -> None:
        """What holds entries back for long is said once, and once more when it has come back."""
        bars = self.driver.engine.barring.bars
        for key in set(self._barred) - set(bars):
            del self._barred[key]
        for (symbol, reason), detail in bars.items():
            since_ms = self._barred.setdefault((symbol, reason), now_ms)
            if since_ms >= 0 and now_ms - since_ms >= LONG_DOWN_MS:
                self._barred[symbol, reason] = -1
                self.driver.observer.health(now_ms, "entries_barred", f"{reason} on {symbol}: {detail}")

    def _treat(self, member: Member, now_ms: int) -> None:
        patient = self._patients.setdefault(member.name, _Patient(now_ms))
        if member.is_hung:
            self._tell_hung(member, now_ms)
            return
        if patient.is_given_up or member.is_paused or member.is_halted or member.is_stopped:
            return
        if patient.attempts >= MOST_ATTEMPTS:
            patient.is_given_up = True
            self.driver.observer.health(
                now_ms, "bot_given_up", f"{member.name}: in quarantine again and again"
            )
        elif now_ms - patient.since_ms >= patient.pause_ms:
            patient.attempts += 1
            patient.since_ms = now_ms
            reason = REASON.format(patient.attempts, MOST_ATTEMPTS)
            self.driver.options.tell("bot_brought_back", bot=member.name, reason=reason)
            self.driver.say(member.name, "resume", reason)

    def _tell_hung(self, member: Member, now_ms: int) -> None:
        """It would end the process again: only an operator brings it back."""
        key = (member.name, 0)
        if key not in self._told:
            self._told.add(key)
            self.driver.observer.health(
                now_ms,
                "plugin_hung",
                f"{member.name}: {HUNG_CALL}; its stop holds; mend it, then resume or reset it",
            )

    def _release(self, member: Member, now_ms: int) -> None:
        patient = self._patients.get(member.name)
        if patient is not None and now_ms - patient.since_ms >= GOOD_MS:
            del self._patients[member.name]


async def keep_health(driver: Driver) -> None:
    """A keeper: looks every five seconds."""
    health, clock = Health(driver), driver.adapter.clock
    while True:
        await clock.sleep_until(clock.now_ms() + INTERVAL_MS)
        driver.tell(lambda: health.look(clock.now_ms()))

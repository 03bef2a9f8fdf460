"""The world outside the process: its time, what is due in it, its dice, and the log of what has happened."""

from collections import Counter, deque
from collections.abc import Callable, Sized
from hashlib import blake2b
from heapq import heappop, heappush
from itertools import count
from math import inf
from random import Random

from traderagent_core.testing.faults.kinds import Fault, Mix

LAST_EVENTS = 50
START_MS = 1_704_067_200_000


class Violation(AssertionError):
    """Something that must always be true was not."""


class Dice(Random):
    """Random numbers; those between two whole ones are asked for at each request and message."""

    def randint(self, a: int, b: int) -> int:
        """As the base class draws it, without looking at what it was given."""
        return a + self._randbelow(b - a + 1)  # type: ignore[attr-defined, no-any-return]


class World:
    """Everything in it follows from the seed. `mix` says which faults are on; after `stop_faults` none strikes.

    Time goes on only by `go_on`: what is due happens, or somebody's waiting is over. While the process
    is suspended its own monotonic clock stands still, as on Linux; that clock began at `begun_ms`.
    """

    def __init__(self, seed: int, mix: Mix) -> None:
        self.seed = seed
        self.mix = mix
        self._rates = {fault: mix.rate(fault) for fault in mix.strengths}
        self.now_ms = START_MS
        self.begun_ms = START_MS
        self.is_calm = False
        self.calm_since_ms = 0
        self.struck: Counter[Fault] = Counter()
        self.last_strike_ms = START_MS
        self.events: deque[str] = deque(maxlen=LAST_EVENTS)
        self._digest = blake2b(digest_size=16)
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count().__next__
        self._dice: dict[str, Dice] = {}

    # -- time -----------------------------------------------------------------------------------------------

    def at(self, time_ms: int, action: Callable[[], None]) -> None:
        """Have something happen at a time, after what was asked for the same time before."""
        self.after(max(time_ms - self.now_ms, 0), action)

    def after(self, delay_ms: int, action: Callable[[], None]) -> None:
        """Have something happen later, by no less than nothing."""
        heappush(self._due, (self.now_ms + delay_ms, self._numbers(), action))

    def go_on(self, sleep_ms: int | None, ready: Sized) -> None:
        """Let one thing after the other happen until somebody is `ready`, or the process has slept for `sleep_ms`."""
        due, begun_ms = self._due, self.begun_ms
        wake_ms = inf if sleep_ms is None else self.now_ms + sleep_ms
        while not ready and begun_ms == self.begun_ms:
            if due and due[0][0] <= wake_ms:
                self.now_ms, _, action = heappop(due)
                action()
            elif sleep_ms is None:
                raise Violation("nothing is due any more, and the process waits for ever")
            else:
                self.now_ms = int(wake_ms)
                return

    def suspend(self, duration_ms: int) -> None:
        """The process stands still while everything else goes on."""
        end_ms = self.now_ms + duration_ms
        while self._due and self._due[0][0] <= end_ms:
            self.now_ms, _, action = heappop(self._due)
            action()
        self.now_ms = end_ms
        self.begun_ms += duration_ms

    @property
    def monotonic_ms(self) -> int:
        """The time that the process has lived through."""
        return self.now_ms - self.begun_ms

    # -- chance ---------------------------------------------------------------------------------------------

    def dice(self, purpose: str) -> Random:
        """Random numbers of a purpose of their own, so that one does not disturb another."""
        found = self._dice.get(purpose)
        if found is None:
            found = self._dice[purpose] = Dice(f"{self.seed}/{purpose}")
        return found

    def strikes(self, fault: Fault) -> bool:
        """Whether a fault that is drawn for each request or message strikes now; it is counted if it does."""
        rate = self._rates.get(fault)
        if not rate or self.is_calm or self.dice(fault.label).random() >= rate:
            return False
        self.strike(fault)
        return True

    def strike(self, fault: Fault) -> None:
        """Count a fault, and remember when the last one was."""
        self.struck[fault] += 1
        self.last_strike_ms = self.now_ms

    def stop_faults(self) -> None:
        """From now on nothing goes wrong."""
        self.is_calm = True
        self.calm_since_ms = self.now_ms

    # -- the log --------------------------------------------------------------------------------------------

    def tell(self, text: str) -> None:
        """Note what has happened."""
        line = f"{(self.now_ms - START_MS) / 1000:9.3f} {text}"
        self.events.append(line)
        self._digest.update(line.encode())

    @property
    def digest(self) -> str:
        """Of all that has happened: the same seed and code give the same."""
        return self._digest.hexdigest()

"""The clock of the process: the world's time, as far off as the faults have set it."""

from traderagent_core.adapters.clocks import SystemClock
from traderagent_core.testing.faults.kinds import Fault
from traderagent_core.testing.faults.world import START_MS, World

DRIFT_PPM = 200
LARGEST_JUMP_MS = 3_600_000


class ProcessClock(SystemClock):
    """A machine's clock that may drift and be set; how long anybody sleeps follows from the program's own code."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._offset_ms = 0
        strength = world.mix.rate(Fault.CLOCK_DRIFT)
        self._drift = DRIFT_PPM * 1e-6 * strength * world.dice("drift").choice((-1, 1))
        if strength:
            world.struck[Fault.CLOCK_DRIFT] += 1

    def now_ms(self) -> int:
        """What the machine takes for the time."""
        now_ms = self._world.now_ms
        drifted_ms = int((now_ms - START_MS) * self._drift) if self._drift else 0
        return now_ms + self._offset_ms + drifted_ms

    def monotonic_ms(self) -> int:
        """What the process has lived through."""
        return self._world.monotonic_ms

    def jump(self) -> None:
        """Somebody sets the clock, by seconds or by hours."""
        dice = self._world.dice("jump")
        largest_ms = dice.choice((2_000, 20_000, LARGEST_JUMP_MS))
        self._offset_ms += dice.randint(-largest_ms, largest_ms)
        self._world.tell(f"clock is off by {self._offset_ms} ms")

    def set_right(self) -> None:
        """The time is right again."""
        self._offset_ms = 0
        self._drift = 0.0

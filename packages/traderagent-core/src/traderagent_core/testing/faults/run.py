"""One seed: a world with its faults, and as many lives of the process as it takes."""

import asyncio
import gc
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import blake2b
from pathlib import Path

from attrs import Factory, evolve, frozen

from traderagent_core.errors import DiskFullError, ExchangeUnavailableError
from traderagent_core.persistence.journal.entry import CHECKSUM_BYTES
from traderagent_core.persistence.journal.segments import find_segments
from traderagent_core.testing.faults.checks import Checks
from traderagent_core.testing.faults.crash import Crash, Leave
from traderagent_core.testing.faults.disk import ProcessDiedError
from traderagent_core.testing.faults.gauge import Gauge, Lasting
from traderagent_core.testing.faults.hand import Hand
from traderagent_core.testing.faults.kinds import Fault, Mix, draw
from traderagent_core.testing.faults.loop import VirtualLoop
from traderagent_core.testing.faults.market import ScriptedWalk
from traderagent_core.testing.faults.mishaps import Mishaps
from traderagent_core.testing.faults.operator import words_of
from traderagent_core.testing.faults.outside import Outside
from traderagent_core.testing.faults.process import Process
from traderagent_core.testing.faults.scenario import End, Scenario, end_of
from traderagent_core.testing.faults.setting import BALANCE, Setting, scripted
from traderagent_core.testing.faults.strategies import SCRIPTS
from traderagent_core.testing.faults.wire import Outages
from traderagent_core.testing.faults.world import START_MS, Violation, World

DURATION_MS = 600_000
QUIET_MS = 90_000
SECOND_MS = 1_000
DOWN_MS = (200, 20_000)
LATEST_STEP, LATEST_RECOVERY_STEP = 400, 40
SCENARIO_DOWN_MS = 2_000
RECOVERY_MS = 30_000
REST_LOOKS, REST_SECONDS = 20, 0.7
RESTARTED = (ExchangeUnavailableError, DiskFullError)
MEMORY = Path("/dev/shm")
GREEDY = 0.125
"""Share of runs whose strategy asks for more than it may hold again and again."""

ENDS_IN_ORDER = 0.25
"""Share of runs whose last process is told to stop; the others have been seen to be at rest, and are over."""

CHECKSUM = 2 * CHECKSUM_BYTES


@frozen
class Report:
    """What became of a seed. `failure` is empty when nothing was violated; `events` are the last of the world's log.

    `worst` and `worst_calm` are times in ms as a Gauge measures them, and `settled_ms` too. `cpu_seconds` is what the
    run has cost.

    `digest` is that of all that happened in the world and of the journal's bytes: equal for equal seeds and code.
    """

    seed: int
    mix: Mix
    struck: Mapping[Fault, int]
    digest: str
    failure: str = ""
    events: tuple[str, ...] = ()
    lives: int = 1
    worst: Mapping[Lasting, int] = Factory(dict)
    worst_calm: Mapping[Lasting, int] = Factory(dict)
    settled_ms: int = 0
    cpu_seconds: float = 0.0


@frozen
class Trial:
    """What to run. Without a setting the seed chooses one of the scripted strategies; without a mix, the faults.

    A scenario says itself what trades and what happens. `crashes`, if there are any, are the ends of the first,
    second … process.
    """

    seed: int
    setting: Setting | None = None
    mix: Mix | None = None
    duration_ms: int = DURATION_MS
    scenario: Scenario | None = None
    crashes: tuple[Crash | None, ...] = ()


def run(trial: Trial) -> Report:
    """Run one seed to its end, or to the first thing that must not be."""
    with _without_collecting():
        return Run(trial).report()


class Run:
    """The lives of one trial. `processes` are those that there have been.

    `end` is what it came to at rest, and `rested_at` the step of the last process at that time.
    """

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        choice = World(trial.seed, Mix({}))
        self.world = World(trial.seed, trial.mix or draw(choice.dice("mix")))
        name = choice.dice("strategy").choice(list(SCRIPTS))
        is_greedy = choice.dice("greed").random() < GREEDY
        self.setting = trial.setting or scripted(name, is_greedy=is_greedy)
        self.outside = self._outside()
        self.outages = Outages()
        self.present: Process | None = None
        self.processes: list[Process] = []
        self.end: End | None = None
        self.rested_at = 0
        self.failure: Violation | None = None
        self.calm_ms = START_MS + trial.duration_ms - (0 if trial.scenario else QUIET_MS)
        self.former: Process | None = None
        self.checks = Checks(self.world, self.outside, self.setting, lambda: self.present, self._is_durable)
        self.gauge = Gauge(self.world, self.outside, self.setting, lambda: self.present)
        self.mishaps = Mishaps(self.world, self.outside, self.outages, lambda: self.present, self.calm_ms)
        self.hand = self._hand()

    def _outside(self) -> Outside:
        scenario = self.trial.scenario
        if scenario is None:
            return Outside(self.world, self.setting.instruments, BALANCE)
        walk = partial(ScriptedWalk, scenario.prices, scenario.history)
        outside = Outside(self.world, self.setting.instruments, BALANCE, walk)
        outside.pays_funding = False  # It would depend on how long a crash keeps a position open.
        return outside

    def _hand(self) -> Hand | None:
        scenario = self.trial.scenario
        acts = scenario.acts if scenario is not None else words_of(self.world, self.calm_ms)
        if not acts:
            return None
        return Hand(self.world, self.outside, acts, self.setting.config, lambda: self.present)

    def report(self) -> Report:
        """Run, and say what was."""
        begun = time.process_time()
        base = MEMORY if MEMORY.is_dir() else None
        folder = Path(tempfile.mkdtemp(prefix="traderagent-faults-", dir=base))
        loop = VirtualLoop(self.world, self._flush_delay_ms)
        loop.set_exception_handler(lambda *_: None)
        text = ""
        try:
            loop.run_until_complete(self._lives(folder / "run"))
        except Violation as violation:
            text = str(violation)
        except Exception as error:  # A boundary: whatever ends the process is what was looked for.
            text = f"the process ended: {type(error).__name__}: {error}"
        finally:
            journal = _journal_digest(folder)
            with suppress(Violation):
                _close(loop)
            shutil.rmtree(folder)
        return Report(
            self.trial.seed,
            self.world.mix,
            Counter(self.world.struck),
            f"{self.world.digest}-{journal}",
            text.replace(f"{folder}/", ""),
            tuple(self.world.events),
            len(self.processes),
            self.gauge.worst,
            self.gauge.calm,
            self.gauge.settled_ms,
            time.process_time() - begun,
        )

    def _is_durable(self, order_id: str) -> bool:
        return self.former is not None and order_id in self.former.durable

    # -- lives ----------------------------------------------------------------------------------------------

    async def _lives(self, folder: Path) -> None:
        world = self.world
        self.outside.begin()
        self.mishaps.plan()
        if self.hand is not None:
            self.hand.plan()
        world.at(self.calm_ms, self._calm)
        world.after(SECOND_MS, self._second)
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._over = over
        world.at(START_MS + self.trial.duration_ms, lambda: _finish(over))
        while True:
            process = self._born(folder)
            life = asyncio.ensure_future(process.live())
            await asyncio.wait({life, process.died, over}, return_when=asyncio.FIRST_COMPLETED)
            if over.done():
                over.result()
                await self._rest()
                if self.trial.scenario is not None:
                    self.end = end_of(self.outside, process)
                    self.rested_at = process.steps
                if self.world.dice("end").random() < ENDS_IN_ORDER:
                    process.end()
                    await life
                return
            await self._bury(process, life)
            folder = process.heir
            await self._down()

    async def _bury(self, process: Process, life: "asyncio.Future[None]") -> None:
        """Take leave of a process that has died, or has given up so that a supervisor starts it again."""
        if not process.is_dead and process.is_ending and life.exception() is None:
            process.die("it was told to end", Leave.KILL)
        if not process.is_dead:
            error = life.exception()
            if not isinstance(error, RESTARTED):
                await life
                raise Violation("liveness: the process ended by itself")
            process.die(f"gave up: {error}")
        self.present = None
        life.cancel()
        with suppress(asyncio.CancelledError, ProcessDiedError, Exception):
            await life

    def _born(self, folder: Path) -> Process:
        crash, hand = self._crash(), self.hand
        self.world.tell(f"process {len(self.processes) + 1} starts")
        process = Process(
            self.world,
            self.outside,
            self.outages,
            self.setting if hand is None else evolve(self.setting, config=hand.config),
            folder,
            former=self.former,
            crash=crash,
            keeper=None if hand is None else hand.keep,
        )
        self.processes.append(process)
        self.present = self.former = process
        return process

    def _crash(self) -> Crash | None:
        """The end of the next process, as far as it is known at its start; how it ends is drawn at its end."""
        number = len(self.processes)
        if self.trial.scenario is not None or self.trial.crashes:
            return self.trial.crashes[number] if number < len(self.trial.crashes) else None
        fault, latest = (
            (Fault.CRASH_IN_RECOVERY, LATEST_RECOVERY_STEP) if number else (Fault.CRASH_AT_STEP, LATEST_STEP)
        )
        return Crash(self.world.dice("step").randint(1, latest), None) if self.world.strikes(fault) else None

    async def _rest(self) -> None:
        """Wait for a moment at which nothing is under way: strategies go on, and ask for something now and then."""
        for _ in range(REST_LOOKS - 1):
            with suppress(Violation):
                self.checks.at_rest()
                return
            await asyncio.sleep(REST_SECONDS)
        self.checks.at_rest()

    async def _down(self) -> None:
        """Nobody is there for a while."""
        up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        down_ms = SCENARIO_DOWN_MS if self.trial.scenario else self.world.dice("down").randint(*DOWN_MS)
        self.world.after(down_ms, lambda: _finish(up))
        await up

    # -- time -----------------------------------------------------------------------------------------------

    def _second(self) -> None:
        if Fault.STALE_PAGE in self.world.mix.strengths:
            self.outside.turn_page()
        version = self.outside.version
        self.gauge.look(version)
        try:
            self.checks.look(version)
            if self.hand is not None:
                self.hand.look()
            self._note_recovery()
        except Violation as violation:
            if not self._over.done():
                self._over.set_exception(violation)
        self.world.after(SECOND_MS, self._second)

    def _note_recovery(self) -> None:
        """When a process is through with what it has found; without faults that does not take long."""
        process = self.present
        if process is None or process.recovered_at:
            return
        if process.is_recovered:
            process.recovered_at = process.steps
        elif self.trial.scenario is not None and self.world.now_ms - process.begun_ms > RECOVERY_MS:
            raise Violation(f"liveness: a process is still busy with its start after {RECOVERY_MS} ms")

    def _calm(self) -> None:
        self.world.tell("faults stop")
        self.world.stop_faults()
        self.outages.end()
        for walk in self.outside.walks.values():
            walk.is_moving = False
        if self.present is not None:
            self.present.link.calm()
            self.present.disk.clean()
            self.present.clock.set_right()

    def _flush_delay_ms(self) -> int:
        return self.world.dice("slow").randint(100, 5_000) if self.world.strikes(Fault.SLOW_FLUSH) else 1


def _finish(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Look for cycles between runs only: there are few in one, and to look costs a tenth of it.

    A run that is over by then is young garbage; one that still lives would be looked through again later.
    """
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_collecting:
            gc.enable()


def _close(loop: VirtualLoop) -> None:
    """End what is left of the tasks."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=1))
    loop.close()


def _journal_digest(folder: Path) -> str:
    """Of every entry that a journal holds but those that tell which process of which machine opened it.

    The folder, which some entries name, is another one each time.
    """
    digest, place = blake2b(digest_size=8), bytes(folder)
    for run_folder in sorted(folder.iterdir()) if folder.is_dir() else ():
        for segment in find_segments(run_folder):
            with segment.open() as stream:
                told = [line[CHECKSUM:] for line in stream if b" opened " not in line[:80]]
            digest.update(b"".join(told).replace(place, b""))
    return digest.hexdigest()

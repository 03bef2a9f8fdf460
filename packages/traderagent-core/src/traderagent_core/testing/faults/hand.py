"""Whoever stands beside the program: an operator, a cable, somebody else with the account."""

import asyncio
import json
from collections.abc import Callable, Iterable
from functools import partial

from traderagent_core.config.loaded import Config
from traderagent_core.live.control.server import Control
from traderagent_core.live.driver import Driver
from traderagent_core.live.reloading import go_over
from traderagent_core.live.turns import in_turn
from traderagent_core.testing.faults.outside import Outside
from traderagent_core.testing.faults.process import Process
from traderagent_core.testing.faults.scenario import Act, ByHand, Edit, Offline, Shutdown, Word
from traderagent_core.testing.faults.world import START_MS, Violation, World

SECOND_MS = 1_000
AGAIN_SECONDS = 1.0
NOTHING_LEFT = "there is no emergency"
"""How an acknowledgement is refused that has been carried out already."""


class Hand:
    """Does what is to happen beside prices; it outlives every process. `alive` gives the one that lives, if any.

    `config` is what the next process is started with. `is_halted` says that a halt of the account has been confirmed
    to the operator, and not been ended by him.
    """

    def __init__(
        self,
        world: World,
        outside: Outside,
        acts: Iterable[Act],
        config: Config,
        alive: Callable[[], Process | None],
    ) -> None:
        self._world, self._outside, self._alive = world, outside, alive
        self._acts = sorted(acts, key=lambda act: act.second)
        self._over: set[Act] = set()
        self._said: set[Act] = set()
        self.config = config
        self.is_halted = False

    def plan(self) -> None:
        """What happens without the program."""
        for act in self._acts:
            if isinstance(act, Offline | ByHand | Edit | Shutdown):
                self._world.at(_time_of(act), partial(self._do, act))

    def look(self) -> None:
        """I14: a halt stands until the operator clears it."""
        process = self._alive()
        if not self.is_halted or process is None or process.driver is None or not process.is_running:
            return
        if not process.driver.engine.halting.is_on:
            raise Violation("I14: a halt is over that no operator has cleared")

    def _do(self, act: Offline | ByHand | Edit | Shutdown) -> None:
        process = self._alive()
        if isinstance(act, ByHand):
            self._outside.trade(act.symbol, act.quantity)
        elif isinstance(act, Edit):
            self.config = act.config
        elif process is not None and isinstance(act, Shutdown):
            process.end()
        elif process is not None and isinstance(act, Offline):
            process.link.lose("connection reset")
            self._world.after(int(act.seconds * SECOND_MS), process.link.mend)

    # -- what is said to a process --------------------------------------------------------------------------

    async def keep(self, driver: Driver) -> None:
        """A keeper: says what there is to say, one after the other, and never returns."""
        for act in self._acts:
            if not isinstance(act, Word | Edit) or act in self._over:
                continue
            await asyncio.sleep(max(_time_of(act) - self._world.now_ms, 0) / SECOND_MS)
            if isinstance(act, Edit):
                await driver.has_prices.wait()
                await in_turn(driver, partial(go_over, driver, act.config, "edited"))
                await driver.options.flush()
            else:
                await self._say(driver, act)
            self._over.add(act)
        await asyncio.Event().wait()

    async def _say(self, driver: Driver, word: Word) -> None:
        """Until it is answered. One that is refused may have been carried out by a process that died then."""
        was_said, is_for_all = word in self._said, word.bot is None
        if is_for_all and word.do == "ack":
            self.is_halted = False
        self._said.add(word)
        line = json.dumps({"do": word.do, "bot": word.bot, "reason": "scenario"}).encode()
        while not (answer := await Control(driver).answer(line))["ok"]:
            if was_said and NOTHING_LEFT in answer["error"]:
                break
            await asyncio.sleep(AGAIN_SECONDS)
        self._world.tell(f"operator {word.do}: {answer}")
        if is_for_all and word.do == "panic":
            self.is_halted = True


def _time_of(act: Act) -> int:
    return START_MS + int(act.second * SECOND_MS)

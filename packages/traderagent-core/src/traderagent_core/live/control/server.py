"""The answers of the control channel: one JSON object a line in, one out; see reception for the socket.

A request is `{"do": …, "bot": … or null, "reason": …}`; an answer `{"ok": true, "value": …}` or `{"ok": false,
"error": …}`. What is asked for happens in the driver's turn, and a word is answered once it is on the disk.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from attrs import define

from traderagent_core.engine.life_cycle import LifeCycle, bots_of
from traderagent_core.errors import TraderAgentError
from traderagent_core.live.control.panic import is_closed
from traderagent_core.live.control.standing import describe_run, life_of
from traderagent_core.live.control.words import FROM, RefusedError, Words
from traderagent_core.live.driver import Driver
from traderagent_core.live.edits import plan_reload, reload
from traderagent_core.live.turns import in_turn

PATIENCE_SECONDS = 10.0
"""How long a client may take to read its answer."""
LOOK_SECONDS = 0.1
RELOADS = ("reload", "reload_plan")
QUESTIONS = ("status", "panic_plan", "reload_plan", "is_closed", "events")
FOLLOWS = "events follow"


@define(eq=False)
class Control:
    """Answers requests about one driver."""

    driver: Driver
    is_ending: bool = False

    async def until_ended(self) -> None:
        """Return when the run was stopped as a whole and nothing of any bot is at work any more."""
        while not (self.is_ending and self._are_stopped()):
            await asyncio.sleep(LOOK_SECONDS)
        self.driver.options.tell("run_stopped")

    def _are_stopped(self) -> bool:
        return all(life_of(self.driver, bot) is LifeCycle.STOPPED for bot in bots_of(self.driver.engine))

    async def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to one request."""
        try:
            request = json.loads(line)
            return {"ok": True, "value": await self._do(request)}
        except TraderAgentError as error:
            return {"ok": False, "error": str(error)}
        except (ValueError, AttributeError, TypeError):
            return {"ok": False, "error": 'a request is a JSON object such as {"do": "status"} on one line'}

    async def tell_events(self, writer: asyncio.StreamWriter) -> None:
        """Every fact from now on, a line each; one who reads too slowly loses the oldest, and is told how many."""
        bus = self.driver.observer.bus
        watcher, told = bus.watch(), 0
        try:
            async for fact in watcher.facts():
                if watcher.dropped != told:
                    await write_line(writer, {"event": "EVENTS_DROPPED", "count": watcher.dropped - told})
                    told = watcher.dropped
                await write_line(writer, fact.to_payload())
        finally:
            bus.leave(watcher)

    # -- requests -------------------------------------------------------------------------------------------

    async def _do(self, request: Mapping[str, Any]) -> Any:
        do, bot = request.get("do"), request.get("bot")
        reason = str(request.get("reason") or "")
        if not (bot is None or isinstance(bot, str)):
            raise RefusedError("a bot is named by a text, or null for all")
        words = Words(self.driver)
        doers: dict[str, Callable[[], Any]] = {
            "status": self._status,
            "panic_plan": lambda: words.plan_of_panic(bot),
            "panic": lambda: words.panic(bot, reason),
            "events": lambda: FOLLOWS,
            "is_closed": lambda: is_closed(self.driver, bot),
            "ack": lambda: words.acknowledge(reason),
            "reset": lambda: words.reset(_named(bot), reason),
            "end": lambda: self._end(words, reason),
        }
        for word in FROM:
            doers[word] = partial(words.say, word, bot, reason)
        if do in RELOADS:
            found = await (reload(self.driver, reason) if do == "reload" else plan_reload(self.driver))
            await self._note(do, None, reason)
            return found.to_payload()
        doer = doers.get(str(do))
        if doer is None:
            raise RefusedError(f"unknown request {do!r}; there are {', '.join(sorted([*doers, *RELOADS]))}")
        done = await in_turn(self.driver, doer)
        await self._note(do, bot, reason)
        return done

    async def _note(self, do: Any, bot: str | None, reason: str) -> None:
        """A word is answered once it is on the disk."""
        if do not in QUESTIONS:
            self.driver.options.tell("operator_said", word=do, bot=bot, reason=reason)
            await self.driver.options.flush()

    def _status(self) -> dict[str, Any]:
        return {**describe_run(self.driver), "is_ending": self.is_ending}

    def carry_out(self, do: str, bot: str | None, reason: str) -> None:
        """A word that was kept while the run came up; one that cannot be said any more is told."""
        words = Words(self.driver)
        try:
            if do == "end":
                self._end(words, reason)
            elif do == "panic":
                words.panic(bot, reason)
            else:
                words.say(do, bot, reason)
        except RefusedError as error:
            self.driver.options.tell("word_refused", word=do, bot=bot, error=str(error))

    def _end(self, words: Words, reason: str) -> dict[str, str]:
        """Stop all bots; the run ends when they have stopped."""
        if self.driver.engine.halting.is_on:
            raise RefusedError("the account is halted; `traderagent ack` first, when all is closed")
        self.is_ending = True
        return words.say("stop", None, reason)


async def write_line(writer: asyncio.StreamWriter, line: Mapping[str, Any]) -> None:
    """One object a line."""
    writer.write(json.dumps(line).encode() + b"\n")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await writer.drain()


def _named(bot: Any) -> str:
    if not isinstance(bot, str):
        raise RefusedError("name the bot to reset")
    return bot

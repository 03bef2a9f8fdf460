"""The server of the control channel: one JSON object a line in, one out, over a socket that only its owner can use.

A request is `{"do": …, "bot": … or null, "reason": …}`; an answer `{"ok": true, "value": …}` or `{"ok": false,
"error": …}`. What is asked for happens in the driver's turn, and a word is answered once it is on the disk.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from attrs import define, field

from traderagent_core.engine.life_cycle import LifeCycle, bots_of
from traderagent_core.errors import ConfigError, TraderAgentError
from traderagent_core.live.control.panic import is_closed
from traderagent_core.live.control.place import make_place, remove_place
from traderagent_core.live.control.standing import describe_run, life_of
from traderagent_core.live.control.words import FROM, RefusedError, Words
from traderagent_core.live.driver import Driver
from traderagent_core.live.running import Keeper

LONGEST_REQUEST = 64 * 1024
MOST_CONNECTIONS = 32
PATIENCE_SECONDS = 10.0
"""How long a client may take to read its answer."""
LOOK_SECONDS = 0.1
QUESTIONS = ("status", "panic_plan", "is_closed", "events")
FOLLOWS = "events follow"


def keep_control(folder: Path) -> Keeper:
    """Answer at the socket of a run; returns when an operator has stopped the whole run and all bots have stopped."""

    async def keep(driver: Driver) -> None:
        control = Control(driver)
        path = make_place(folder)
        server = await asyncio.start_unix_server(control.serve, path, limit=LONGEST_REQUEST)
        path.chmod(0o600)
        try:
            await control.until_ended()
        finally:
            server.close()
            control.hang_up()
            remove_place(folder)

    return keep


@define(eq=False)
class Control:
    """Answers requests about one driver."""

    driver: Driver
    is_ending: bool = False
    _connections: set[asyncio.Task[None]] = field(factory=set)

    async def until_ended(self) -> None:
        """Return when the run was stopped as a whole and nothing of any bot is at work any more."""
        while not (self.is_ending and self._are_stopped()):
            await asyncio.sleep(LOOK_SECONDS)
        self.driver.options.tell("run_stopped")

    def _are_stopped(self) -> bool:
        return all(life_of(self.driver, bot) is LifeCycle.STOPPED for bot in bots_of(self.driver.engine))

    # -- connections ----------------------------------------------------------------------------------------

    def hang_up(self) -> None:
        """End all connections."""
        for task in self._connections:
            task.cancel()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client until it goes."""
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if len(self._connections) > MOST_CONNECTIONS:
                return
            while line := await reader.readline():
                answer = await self.answer(line)
                await _write(writer, answer)
                if answer.get("value") == FOLLOWS:
                    await self._tell_events(writer)
        except (OSError, ValueError, TimeoutError):
            return  # A client that goes, writes too much or reads too slowly is let go.
        except asyncio.CancelledError:
            return
        finally:
            self._connections.discard(task)
            writer.close()

    async def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to one request."""
        try:
            request = json.loads(line)
            return {"ok": True, "value": await self._do(request)}
        except TraderAgentError as error:
            return {"ok": False, "error": str(error)}
        except (ValueError, AttributeError, TypeError):
            return {"ok": False, "error": 'a request is a JSON object such as {"do": "status"} on one line'}

    async def _tell_events(self, writer: asyncio.StreamWriter) -> None:
        """Every fact from now on, a line each; one who reads too slowly loses the oldest, and is told how many."""
        bus = self.driver.observer.bus
        watcher, told = bus.watch(), 0
        try:
            async for fact in watcher.facts():
                if watcher.dropped != told:
                    await _write(writer, {"event": "EVENTS_DROPPED", "count": watcher.dropped - told})
                    told = watcher.dropped
                await _write(writer, fact.to_payload())
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
        doer = doers.get(str(do))
        if doer is None:
            raise RefusedError(f"unknown request {do!r}; there are {', '.join(sorted(doers))}")
        done = await self._in_turn(doer)
        if do not in QUESTIONS:
            self.driver.options.tell("operator_said", word=do, bot=bot, reason=reason)
            await self.driver.options.flush()
        return done

    def _status(self) -> dict[str, Any]:
        return {**describe_run(self.driver), "is_ending": self.is_ending}

    def _end(self, words: Words, reason: str) -> dict[str, str]:
        """Stop all bots; the run ends when they have stopped."""
        if self.driver.engine.halting.is_on:
            raise RefusedError("the account is halted; `traderagent ack` first, when all is closed")
        self.is_ending = True
        return words.say("stop", None, reason)

    async def _in_turn(self, doer: Callable[[], Any]) -> Any:
        """Have something done between two steps of the engine."""
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def do() -> None:
            if done.done():  # The client has gone.
                return
            try:
                done.set_result(doer())
            except (RefusedError, ConfigError) as error:
                done.set_exception(error)

        self.driver.tell(do)
        return await done


async def _write(writer: asyncio.StreamWriter, line: Mapping[str, Any]) -> None:
    writer.write(json.dumps(line).encode() + b"\n")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await writer.drain()


def _named(bot: Any) -> str:
    if not isinstance(bot, str):
        raise RefusedError("name the bot to reset")
    return bot

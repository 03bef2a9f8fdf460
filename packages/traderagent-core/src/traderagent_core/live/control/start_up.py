"""What the control channel answers while a run comes up: how it stood, what it waits for; urgent words it keeps."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import define, field

from traderagent_core.account.account import Account
from traderagent_core.config.loaded import Config
from traderagent_core.engine.life_cycle import LifeCycle
from traderagent_core.errors import DataError, TraderAgentError
from traderagent_core.live.control.left import describe_left, plan_left
from traderagent_core.live.control.server import Control
from traderagent_core.live.control.status import BotFacts, describe
from traderagent_core.live.control.words import RefusedError

WAITS = {
    "recovered": "the account to be read at the exchange, and first prices",
    "reconciled": "candles of the past",
}
"""What a start waits for after it has told what it has come to."""

URGENT = ("stop", "end", "panic")
"""Words that are kept, and carried out as soon as the account is reconciled."""

PATIENCE_SECONDS = 8.0
"""How long a word waits for the run to be up, before it is kept or refused; clients wait for 15 s."""


@define(eq=False)
class StartUp:
    """Answers until the run is up, by what is left in its folder."""

    config: Config
    folder: Path
    waits_for: str = "the exchange, and the journal to be read"
    is_up: asyncio.Event = field(factory=asyncio.Event)
    _control: Control | None = None
    _kept: list[tuple[str, str | None, str]] = field(factory=list)

    def overhear(self, what: str, values: Mapping[str, Any]) -> None:
        """Listen to what the log is told."""
        self.waits_for = WAITS.get(what, self.waits_for)
        if what == "read_failed":
            self.waits_for = f"an answer of the exchange: {values.get('error', '')}"

    def meet(self, control: Control) -> None:
        """There is a driver: what is kept waits in its queue from now on."""
        self._control = control
        for word in self._kept:
            self._hand_on(control, *word)

    async def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to one request."""
        try:
            request = json.loads(line)
            do, bot = str(request.get("do")), request.get("bot")
            reason = str(request.get("reason") or "")
        except (ValueError, AttributeError):
            return {"ok": False, "error": 'a request is a JSON object such as {"do": "status"} on one line'}
        try:
            if do == "status":
                return {"ok": True, "value": await asyncio.to_thread(self._status)}
            if do == "panic_plan":
                return {"ok": True, "value": await asyncio.to_thread(plan_left, self.folder, bot)}
            if do == "is_closed":
                return {"ok": True, "value": False}
            return await self._in_time(line, do, bot, reason)
        except TraderAgentError as error:
            return {"ok": False, "error": str(error)}

    async def _in_time(self, line: bytes, do: str, bot: str | None, reason: str) -> dict[str, Any]:
        """The run answers, if it is up soon; an urgent word is kept for it otherwise."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self.is_up.wait()
        except TimeoutError:
            if do not in URGENT:
                raise RefusedError(
                    f"the run is recovering and cannot {do} yet: it waits for {self.waits_for}"
                ) from None
            return {"ok": True, "value": await self._keep(do, bot, reason)}
        assert self._control is not None
        return await self._control.answer(line)

    async def _keep(self, do: str, bot: str | None, reason: str) -> dict[str, str]:
        found = (await asyncio.to_thread(self._status))["bots"]
        lives = {each["name"]: each["life_cycle"] for each in found if bot in (None, each["name"])}
        if not lives:
            raise RefusedError(
                f"unknown bot {bot!r}; this run has {', '.join(each['name'] for each in found)}"
            )
        if self._control is None:
            self._kept.append((do, bot, reason))
        else:
            self._hand_on(self._control, do, bot, reason)
        return lives

    def _hand_on(self, control: Control, do: str, bot: str | None, reason: str) -> None:
        control.driver.tell(lambda: control.carry_out(do, bot, reason))

    def _status(self) -> dict[str, Any]:
        ending = any(do == "end" for do, _, _ in self._kept)
        return {"is_ending": ending, "waits_for": self.waits_for, **self._known()}

    def _known(self) -> dict[str, Any]:
        """What is left of the run so far; before its first start nothing but its bots."""
        try:
            return describe_left(self.folder)
        except DataError:
            starting = LifeCycle.STARTING.value
            bots = [BotFacts(bot.name, bot.strategy, bot.symbol, starting, ()) for bot in self.config.bots]
            return {"now_ms": 0, "halt": None, **describe(bots, Account())}

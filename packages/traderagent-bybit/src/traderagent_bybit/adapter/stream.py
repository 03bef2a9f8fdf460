"""One socket that comes back: connects, says who it is, subscribes, listens; tells each break and each recovery."""

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp
from traderagent_core import LinkDown, LinkUp
from traderagent_core.contract.clock import Clock

from traderagent_bybit.adapter.config import BybitConfig
from traderagent_bybit.adapter.fields import STRANGE, NonsenseError, shown
from traderagent_bybit.adapter.http import UNANSWERED
from traderagent_bybit.adapter.pulse import Pulse

PING_SECONDS = 20.0
LONGEST_PAUSE_SECONDS = 60.0
STABLE_PAUSES = 60
"""A socket that stood for so many first pauses begins them anew; one that breaks at once waits longer each time."""

CLOSED_BY_VENUE = "the venue closed the socket"
Message = dict[str, Any]


class RefusedError(ValueError):
    """The venue refused authentication or a subscription."""


class Stream:
    """Runs as a task until it is stopped. `hear` gets each message of a topic, `turn` each change of the link."""

    def __init__(
        self,
        url: str,
        config: BybitConfig,
        clock: Clock,
        *,
        session: Callable[[], aiohttp.ClientSession],
        topics: Sequence[str],
        pulse: Pulse,
        credentials: Callable[[], Sequence[object]] | None,
        hear: Callable[[Message], None],
        turn: Callable[[LinkUp | LinkDown], None],
    ) -> None:
        self._url = url
        self._config = config
        self._clock = clock
        self._session = session
        self._topics = list(topics)
        self._pulse = pulse
        self._credentials = credentials
        self._hear = hear
        self._turn = turn
        self._task: asyncio.Task[None] | None = None
        self.is_up = False
        self.heard = 0
        """Messages of topics so far."""

    def start(self) -> None:
        """Begin, unless it runs already."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End, and leave nothing running."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        failures, since = 0, 0.0
        while True:
            cause = CLOSED_BY_VENUE
            try:
                async with self._session().ws_connect(self._url, autoping=True) as socket:
                    await self._open(socket)
                    since = time.monotonic()
                    self._pulse.begin()
                    self._link(LinkUp(self._clock.now_ms()))
                    await self._listen(socket)
            except UNANSWERED as error:
                cause = f"{type(error).__name__}: {error}".rstrip(": ")
            if self.is_up and time.monotonic() - since >= STABLE_PAUSES * self._config.reconnect_seconds:
                failures = 0
            if self.is_up:
                self._link(LinkDown(self._clock.now_ms(), cause))
            pause = min(self._config.reconnect_seconds * 2**failures, LONGEST_PAUSE_SECONDS)
            failures = min(failures + 1, 10)
            await asyncio.sleep(pause * (0.5 + random.random() / 2))

    def _link(self, link: LinkUp | LinkDown) -> None:
        self.is_up = isinstance(link, LinkUp)
        self._turn(link)

    async def _open(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        if self._credentials is not None:
            await self._ask(socket, {"op": "auth", "args": list(self._credentials())})
        if self._topics:
            await self._ask(socket, {"op": "subscribe", "args": self._topics})

    async def _ask(self, socket: aiohttp.ClientWebSocketResponse, request: Mapping[str, Any]) -> None:
        await socket.send_json(request)
        while True:
            message = await self._next(socket)
            if message is None:
                raise RefusedError(CLOSED_BY_VENUE)
            if "topic" in message:
                self._take(message)
            elif message.get("op") == request["op"]:
                if message.get("success") is not True:
                    raise RefusedError(f"{request['op']} refused: {message.get('ret_msg')}")
                return

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        pinging = asyncio.create_task(_ping(socket))
        try:
            while (message := await self._next(socket)) is not None:
                if "topic" in message:
                    self._take(message)
                elif "op" not in message:
                    raise NonsenseError(f"a message of neither a topic nor an operation: {shown(message)}")
        finally:
            pinging.cancel()
            await asyncio.wait([pinging])

    def _take(self, message: Message) -> None:
        """Hand a message on. One that makes no sense is a break: what it should have said is read anew."""
        self.heard += 1
        self._pulse.hear(str(message["topic"]))
        try:
            self._hear(message)
        except STRANGE as error:
            raise NonsenseError(f"{type(error).__name__}: {error} in {shown(message)}") from error

    async def _next(self, socket: aiohttp.ClientWebSocketResponse) -> Message | None:
        """The next message; None at the end. A socket that is silent too long raises TimeoutError."""
        while True:
            received = await self._received(socket)
            if received.type in (
                aiohttp.WSMsgType.CLOSE,
                aiohttp.WSMsgType.CLOSING,
                aiohttp.WSMsgType.CLOSED,
            ):
                return None
            if received.type is aiohttp.WSMsgType.ERROR:
                raise RefusedError(str(socket.exception()))
            if received.type is aiohttp.WSMsgType.TEXT:
                try:
                    found = json.loads(received.data)
                except RecursionError:
                    raise NonsenseError("a message that is nested without end") from None
                if not isinstance(found, dict):
                    raise NonsenseError(f"a message that is no object: {shown(found)}")
                return found

    async def _received(self, socket: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMessage:
        left = self._pulse.left() if self.is_up else None
        silence = self._config.silence_seconds
        try:
            return await socket.receive(silence if left is None else min(left, silence))
        except TimeoutError:
            if left is not None and left < silence:
                self._pulse.left()
            raise


async def _ping(socket: aiohttp.ClientWebSocketResponse) -> None:
    while not socket.closed:
        await asyncio.sleep(PING_SECONDS)
        await socket.send_json({"op": "ping"})

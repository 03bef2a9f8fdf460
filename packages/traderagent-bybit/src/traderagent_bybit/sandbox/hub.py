"""Who listens on sockets, and what is on its way to them, faults included."""

import asyncio
import json
import uuid
from typing import Any

from aiohttp import web

from traderagent_bybit.sandbox.faults import Faults
from traderagent_bybit.sandbox.garbling import garbled
from traderagent_bybit.sandbox.session import Session
from traderagent_bybit.sandbox.topics import TopicState, news

PRIVATE_TOPICS = ("order", "execution", "position", "wallet", "greeks")
_PUSH_FAULTS = ("garble", "drop", "duplicate", "delay_push", "reorder", "mute", "close")
MOST_WAITING = 10_000
PATIENCE_SECONDS = 2.0


class Connection:
    """One socket. Messages leave in the order in which they were queued."""

    def __init__(self, socket: web.WebSocketResponse, path: str) -> None:
        self.socket = socket
        self.path = path
        self.number = str(uuid.uuid4())
        self.account = ""
        self.topics: dict[str, TopicState] = {}
        self.held: dict[str, Any] | None = None
        self.told = 0
        """Messages of topics that have been queued."""
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self._sender = asyncio.create_task(self._send())

    def put(self, message: dict[str, Any]) -> None:
        """Queue a message; a reader that is far behind is cut off."""
        self.put_text(json.dumps(message, separators=(",", ":")), is_told="topic" in message)

    def put_text(self, text: str, *, is_told: bool) -> None:
        """The same for any text; `is_told` says that it is a message of a topic."""
        if self._waiting.qsize() >= MOST_WAITING:
            self.cut()
        elif not self._sender.done() and not self.socket.closed:
            self.told += is_told
            self._waiting.put_nowait(text)

    def cut(self) -> None:
        """Close the connection without a word."""
        request = self.socket._req
        if request is not None and request.transport is not None:
            request.transport.abort()

    async def drained(self) -> None:
        """Wait until all that is queued has left."""
        await self._waiting.join()

    async def _send(self) -> None:
        while True:
            text = await self._waiting.get()
            try:
                await self.socket.send_str(text)
            except (ConnectionError, RuntimeError):
                self._forget()
                return
            finally:
                self._waiting.task_done()

    def _forget(self) -> None:
        while not self._waiting.empty():
            self._waiting.get_nowait()
            self._waiting.task_done()

    def stop(self) -> None:
        """The socket is gone."""
        self._sender.cancel()
        self._forget()


class Hub:
    """All connections of a sandbox."""

    def __init__(self, session: Session, faults: Faults) -> None:
        self.session = session
        self.faults = faults
        self.connections: set[Connection] = set()
        self._sent = 0

    def flush(self) -> None:
        """Queue what accounts and markets have to tell."""
        self.tell_accounts()
        for connection in list(self.connections):
            for topic, state in connection.topics.items() if not connection.account else ():
                if state.time_ms < self.session.world.now_ms:
                    for message in news(self.session.world, topic, state, is_first=False):
                        self._push(connection, topic, message)

    def tell_accounts(self) -> None:
        """Queue what accounts have to tell; the news of many markets take longer than an order may wait."""
        for account in self.session.world.accounts.values():
            rows, account.outbox = account.outbox, []
            for topic, row in rows:
                self._tell(account.name, topic, row)

    async def drained(self) -> None:
        """Wait until all that is queued has left, but not for a reader that has gone to sleep."""
        waiting = [asyncio.ensure_future(each.drained()) for each in self.connections]
        if waiting:
            _, asleep = await asyncio.wait(waiting, timeout=PATIENCE_SECONDS)
            for each in asleep:
                each.cancel()

    def _tell(self, account: str, kind: str, row: dict[str, Any]) -> None:
        for connection in list(self.connections):
            for topic in (kind, f"{kind}.linear") if connection.account == account else ():
                if topic in connection.topics:
                    self._sent += 1
                    message = {
                        "id": f"{connection.number}_{self._sent}",
                        "topic": topic,
                        "creationTime": self.session.wall_ms(),
                        "data": [row],
                    }
                    self._push(connection, topic, message)

    def _push(self, connection: Connection, topic: str, message: dict[str, Any]) -> None:
        """Send a message with what the faults do to it."""
        rules = {rule.kind: rule for rule in self.faults.draw(_PUSH_FAULTS, topic, connection.account)}
        if "close" in rules:
            connection.cut()
        elif "garble" in rules:
            text = garbled(json.dumps(message), rules["garble"].random)
            connection.put_text(text, is_told=True)
        elif "drop" in rules or "mute" in rules:
            return
        elif "delay_push" in rules:
            delay = rules["delay_push"].delay_ms / 1000
            asyncio.get_running_loop().call_later(delay, connection.put, message)
        elif "reorder" in rules and connection.held is None:
            connection.held = message
        else:
            for _ in range(2 if "duplicate" in rules else 1):
                connection.put(message)
            held, connection.held = connection.held, None
            if held is not None:
                connection.put(held)

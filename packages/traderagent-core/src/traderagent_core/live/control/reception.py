"""The socket of the control channel, from the moment on at which a process holds the account.

Until the account is reconciled a `StartUp` answers, from then on the run itself. Only the owner can use the socket.
"""

import asyncio
from pathlib import Path

from attrs import define, field

from traderagent_core.live.control.place import make_place, remove_place
from traderagent_core.live.control.server import FOLLOWS, Control, write_line
from traderagent_core.live.control.start_up import StartUp
from traderagent_core.live.driver import Driver

LONGEST_REQUEST = 64 * 1024
MOST_CONNECTIONS = 32


@define(eq=False)
class Reception:
    """Connections of one run, and who answers them."""

    folder: Path
    start_up: StartUp
    _control: Control | None = None
    _server: asyncio.Server | None = None
    _connections: set[asyncio.Task[None]] = field(factory=set)

    async def open(self) -> None:
        """Begin to listen; to be called by the holder of the account's lock only."""
        path = make_place(self.folder)
        self._server = await asyncio.start_unix_server(self._serve, path, limit=LONGEST_REQUEST)
        path.chmod(0o600)

    def close(self) -> None:
        """End all connections."""
        if self._server is not None:
            self._server.close()
            for task in self._connections:
                task.cancel()
            remove_place(self.folder)

    def meet(self, driver: Driver) -> None:
        """There is a driver, which has yet to reconcile; it takes the words that were kept for it first of all."""
        self._control = Control(driver)
        self.start_up.meet(self._control)

    async def keep(self, driver: Driver) -> None:  # noqa: ARG002
        """A keeper: answers; returns when an operator has stopped the whole run and all bots have stopped."""
        assert self._control is not None
        self.start_up.is_up.set()
        await self._control.until_ended()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client until it goes."""
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if len(self._connections) > MOST_CONNECTIONS:
                return
            while line := await reader.readline():
                is_up = self._control is not None and self.start_up.is_up.is_set()
                answer = await (self._control if self._control and is_up else self.start_up).answer(line)
                await write_line(writer, answer)
                if answer.get("value") == FOLLOWS and self._control is not None:
                    await self._control.tell_events(writer)
        except (OSError, ValueError, TimeoutError):
            return  # A client that goes, writes too much or reads too slowly is let go.
        except asyncio.CancelledError:
            return
        finally:
            self._connections.discard(task)
            writer.close()

"""Group commit: one flush at a time, in a thread, shared by all that wait for it."""

import asyncio

from attrs import define

from traderagent_core.persistence.journal.disk import Disk


@define(eq=False)
class GroupCommit:
    """Flushes a file without holding up the loop. `failure` stays once a flush has failed."""

    _disk: Disk
    failure: OSError | None = None
    _flight: "asyncio.Future[int] | None" = None

    async def join(self, descriptor: int, reached: int) -> int:
        """Wait for a flush and return the sequence that it has made durable.

        One under way is waited for, though it may have begun too early for the caller, who then asks again.
        """
        if self._flight is None:
            copy = self._disk.copy(descriptor)  # The journal may close its own when a segment ends.
            self._flight = asyncio.get_running_loop().run_in_executor(None, self._flush, copy, reached)
            self._flight.add_done_callback(self._landed)
        return await asyncio.shield(self._flight)

    def _flush(self, descriptor: int, reached: int) -> int:
        try:
            self._disk.flush(descriptor)
            return reached
        finally:
            self._disk.close(descriptor)

    def _landed(self, flight: "asyncio.Future[int]") -> None:
        self._flight = None
        error = None if flight.cancelled() else flight.exception()
        if isinstance(error, OSError):
            self.failure = error

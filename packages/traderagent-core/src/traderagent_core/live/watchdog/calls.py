"""Every call of a plugin in a live run: numbered, measured, told to the board, left out when it has hung before."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from traderagent_core.engine.operator import HUNG_CALL
from traderagent_core.errors import PluginHungError
from traderagent_core.live.watchdog.board import Board
from traderagent_core.persistence.ended_calls import EndedCall

SLOW_MS = 250
Slow = Callable[[str, str, int], None]


class Calls:
    """Stands around the calls of one run. `slow` is told of bot, callback and ms of those over `slow_ms`."""

    def __init__(
        self, ended: Iterable[EndedCall] = (), board: Board | None = None, slow_ms: int = SLOW_MS
    ) -> None:
        self.ended = {call.key: call for call in ended}
        self.slow: Slow = lambda *_: None
        self._board = board
        self._slow_ms = slow_ms
        self._sequence = 0
        self._number = 0
        self._left_out: set[tuple[int, int]] = set()

    def after(self, sequence: int) -> None:
        """An entry has been written, or read again: calls are numbered from here on."""
        self._sequence, self._number = sequence, 0

    def outstanding(self) -> list[EndedCall]:
        """Calls that hung after the last entry, outside any step: there is nothing in which to leave them out."""
        return [
            call
            for key, call in self.ended.items()
            if call.sequence >= self._sequence and key not in self._left_out
        ]

    def call(
        self, bot: str, callback: str, function: Callable[..., Any], /, *arguments: Any, **named: Any
    ) -> Any:
        """See ports.Call."""
        self._number += 1
        if self.ended:
            self._refuse_hung(bot, callback)
        board = self._board
        if board is not None:
            board.begin(EndedCall(self._sequence, self._number, bot, callback).to_line())
        start = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            took_ms = int((time.perf_counter() - start) * 1000)
            if board is not None:
                board.end()
            if took_ms > self._slow_ms:
                self.slow(bot, callback, took_ms)

    def _refuse_hung(self, bot: str, callback: str) -> None:
        hung = self.ended.get((self._sequence, self._number))
        if hung is not None and (hung.bot, hung.callback) == (bot, callback):
            self._left_out.add(hung.key)
            raise PluginHungError(HUNG_CALL)

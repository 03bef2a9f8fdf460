"""Bars on entries: what the driver has found that forbids more exposure, such as a database that is down."""

from typing import TYPE_CHECKING

from traderagent_core.account import reasons
from traderagent_core.account.state import Retry
from traderagent_core.model import event as ev

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine

EVERYWHERE = ""
"""The symbol that stands for all of them."""


class Barring:
    """Keeps what bars entries, each by symbol and reason. Wants that wait for it go out when it is over."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self.bars: dict[tuple[str, str], str] = {}

    def barred(self, event: ev.EntriesBarred) -> None:
        """From now on; said again, it changes nothing."""
        key = (event.symbol, event.reason)
        if key not in self.bars:
            self.bars[key] = event.detail
            self._engine.record("noted", "", reasons.BARRED, _text(*key, event.detail))
            self._engine.refresh_restriction()

    def allowed(self, event: ev.EntriesAllowed) -> None:
        """From now on; what waits for it is tried again."""
        key = (event.symbol, event.reason)
        if self.bars.pop(key, None) is None:
            return
        engine = self._engine
        engine.record("noted", "", reasons.ALLOWED, _text(*key))
        engine.refresh_restriction()
        for member in engine.members.values():
            if event.symbol in (EVERYWHERE, member.symbol) and self.reason_for(member.symbol) is None:
                engine.planner.retry_blocked(member, Retry.WHEN_ALLOWED)

    def reason_for(self, symbol: str) -> str | None:
        """Why nothing may add exposure to a symbol; None when it may."""
        if not self.bars:
            return None
        return next((reason for where, reason in self.bars if where in (EVERYWHERE, symbol)), None)


def _text(symbol: str, reason: str, detail: str = "") -> str:
    return " ".join(filter(None, (f"reason={reason}", symbol and f"symbol={symbol}", detail)))

"""Rate limits: a rolling second for each kind of call of an account, and five seconds for an address."""

from collections import defaultdict, deque
from collections.abc import Callable
from typing import NamedTuple

PER_SECOND = {
    "create": 10,
    "amend": 10,
    "cancel": 10,
    "cancel-all": 10,
    "create-batch": 10,
    "amend-batch": 10,
    "cancel-batch": 10,
    "set-leverage": 10,
    "switch-mode": 10,
    "trading-stop": 10,
    "realtime": 50,
    "history": 50,
    "executions": 50,
    "positions": 50,
    "closed-pnl": 50,
    "wallet": 50,
    "transaction-log": 25,
    "fee-rate": 5,
    "other": 50,
}
ADDRESS_CALLS, ADDRESS_WINDOW_MS, BAN_MS = 600, 5_000, 600_000
_SECOND_MS = 1_000


class Allowance(NamedTuple):
    """What the answer's headers tell: the limit, what is left, when there will be more (ms)."""

    limit: int
    left: int
    reset_ms: int
    is_over: bool

    def headers(self) -> dict[str, str]:
        """The headers of Bybit."""
        return {
            "X-Bapi-Limit": str(self.limit),
            "X-Bapi-Limit-Status": str(self.left),
            "X-Bapi-Limit-Reset-Timestamp": str(self.reset_ms),
        }


class RateLimits:
    """Counts calls by wall time."""

    def __init__(self, wall_ms: Callable[[], int], *, is_on: bool = True) -> None:
        self.is_on = is_on
        self._wall_ms = wall_ms
        self._calls: dict[tuple[str, str], deque[int]] = defaultdict(deque)
        self._addresses: dict[str, deque[int]] = defaultdict(deque)
        self._banned_until: dict[str, int] = {}

    def call(self, account: str, kind: str, weight: int = 1) -> Allowance:
        """Count a call, or tell that it is one too many."""
        now = self._wall_ms()
        limit = PER_SECOND[kind]
        if not self.is_on:
            return Allowance(limit, limit, now + _SECOND_MS, is_over=False)
        calls = self._calls[account, kind]
        _forget(calls, now - _SECOND_MS)
        if len(calls) + weight > limit:
            return Allowance(limit, 0, (calls[0] if calls else now) + _SECOND_MS, is_over=True)
        calls.extend([now] * weight)
        return Allowance(limit, max(limit - len(calls), 0), now + _SECOND_MS, is_over=False)

    def is_banned(self, address: str) -> bool:
        """Count a request of an address; whether it has to be answered by HTTP 403."""
        now = self._wall_ms()
        if not self.is_on:
            return False
        if now < self._banned_until.get(address, 0):
            return True
        calls = self._addresses[address]
        _forget(calls, now - ADDRESS_WINDOW_MS)
        calls.append(now)
        if len(calls) > ADDRESS_CALLS:
            self._banned_until[address] = now + BAN_MS
            return True
        return False


def _forget(calls: deque[int], until_ms: int) -> None:
    while calls and calls[0] <= until_ms:
        calls.popleft()

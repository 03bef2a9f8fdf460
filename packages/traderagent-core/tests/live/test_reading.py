"""When the account is read."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from traderagent_core.adapters.clocks import ManualClock
from traderagent_core.live import running

SECOND_MS = 1_000


def read_at(monkeypatch: pytest.MonkeyPatch, busy_ms: range, until_ms: int) -> list[int]:
    """When the account is read by a run that has something under way at these times."""
    clock, found = ManualClock(), []

    class Driver:
        adapter = SimpleNamespace(clock=clock)
        wants_reads = asyncio.Event()

        @property
        def is_busy(self) -> bool:
            return clock.now_ms() in busy_ms

        def tell(self, _: Any) -> None:
            found.append(clock.now_ms())

    async def read(_: Any) -> None:
        return None

    async def scenario() -> None:
        task = asyncio.create_task(running.keep_reconciled(Driver()))  # type: ignore[arg-type]
        await clock.advance_to(until_ms)
        task.cancel()

    monkeypatch.setattr(running, "read_patiently", read)
    asyncio.run(scenario())
    return found


def test_the_account_is_read_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_at(monkeypatch, range(0), 65 * SECOND_MS) == [30 * SECOND_MS, 60 * SECOND_MS]


def test_what_gets_under_way_between_two_reads_is_read_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    busy_ms = range(11 * SECOND_MS, 22 * SECOND_MS)
    assert read_at(monkeypatch, busy_ms, 45 * SECOND_MS) == [15 * SECOND_MS, 20 * SECOND_MS]

"""A long run: it tells each day what the session has taken in, and goes on to the end."""

from traderagent_core.testing.faults.soak import Day, Soak, soak


def test_each_day_is_told_with_its_events_and_memory() -> None:
    days: list[Day] = []
    soak(Soak(days=2, events=600, symbols=3, day_ms=300_000), days.append)
    first, last = days
    assert (first.number, last.number) == (1, 2)
    assert 0 < first.events < last.events
    assert 600 <= last.events < 3_000  # The prices, and what comes of them.
    assert 0 < first.steps < last.steps
    assert first.memory_bytes > 1e7

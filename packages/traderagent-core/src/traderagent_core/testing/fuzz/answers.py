"""Spoilt answers of an exchange: a read gives sound values or fails, a write is unknown."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from enum import Enum
from itertools import cycle, islice
from typing import Any

import attrs
import numpy as np

from traderagent_core.contract.exchange_adapter import ExchangeAdapter
from traderagent_core.contract.outcome import Outcome, OutcomeKind
from traderagent_core.errors import ExchangeError
from traderagent_core.model.order import Amendment, OrderRequest, OrderType, Side
from traderagent_core.testing.fuzz.examining import Tally

PATIENCE_SECONDS = 20.0
HARMLESS = (OutcomeKind.UNKNOWN, OutcomeKind.ACCEPTED, OutcomeKind.ALREADY_SO)
"""What may be said of a write whose answer was spoilt: it may have been spoilt where it does not matter."""

Call = Callable[[], Awaitable[Any]]


def calls(
    adapter: ExchangeAdapter, symbol: str, price: Decimal, quantity: Decimal
) -> Iterator[tuple[str, Call]]:
    """One call of each kind after the other, for ever; what is placed has names of its own."""
    reads: dict[str, Call] = {
        "server_time": adapter.server_time,
        "instruments": adapter.instruments,
        "open_orders": adapter.open_orders,
        "executions": lambda: adapter.executions(0),
        "positions": adapter.positions,
        "balances": adapter.balances,
        "candles": lambda: adapter.candles(symbol, "1m", 0, 5),
        "funding_rates": lambda: adapter.funding_rates(symbol, adapter.clock.now_ms() - 86_400_000),
        "funding_paid": lambda: adapter.funding_paid(adapter.clock.now_ms() - 86_400_000),
    }
    for number in cycle(range(10**9)):
        name = f"fuzz-{number}"
        order = OrderRequest(name, symbol, Side.BUY, OrderType.LIMIT, quantity, price)
        yield from reads.items()
        yield "submit", lambda order=order: adapter.submit(order)  # type: ignore[misc]
        yield "order", lambda name=name: adapter.order(symbol, name)  # type: ignore[misc]
        yield "amend", lambda name=name: adapter.amend(symbol, Amendment(name, price, quantity * 2))  # type: ignore[misc]
        yield "cancel", lambda name=name: adapter.cancel(symbol, name)  # type: ignore[misc]
        batch = [attrs.evolve(order, client_order_id=f"{name}-{each}") for each in range(2)]
        yield "submit_all", lambda batch=batch: adapter.submit_all(batch)  # type: ignore[misc]
        for each in batch:
            yield "cancel", lambda each=each: adapter.cancel(symbol, each.client_order_id)  # type: ignore[misc]
        yield "set_leverage", lambda: adapter.set_leverage(symbol, Decimal(2))


async def fuzz_answers(
    adapter: ExchangeAdapter, symbol: str, price: Decimal, quantity: Decimal, count: int
) -> Tally:
    """Make so many calls while the exchange's answers are being spoilt; the price is one at which nothing trades."""
    tally = Tally()
    for number, (name, call) in enumerate(islice(calls(adapter, symbol, price, quantity), count)):
        where, begun = f"call {number}, {name}", time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                found = await call()
        except ExchangeError:
            tally.count(where, "refused")
        except Exception as error:
            tally.count(where, "broken", f"{type(error).__name__}: {error}"[:500])
        else:
            tally.count(where, *_judged(found))
        tally.slowest_seconds = max(tally.slowest_seconds, time.monotonic() - begun)
    return tally


def _judged(found: Any) -> tuple[str, str]:
    outcomes = found if isinstance(found, list | tuple) else [found]
    if not outcomes or not isinstance(outcomes[0], Outcome):
        return "accepted", next(flaws(found), "")
    wrong = [outcome for outcome in outcomes if outcome.kind not in HARMLESS]
    unknown = all(outcome.kind is OutcomeKind.UNKNOWN for outcome in outcomes)
    return "unknown" if unknown else "accepted", f"{wrong[0]}"[:500] if wrong else ""


def flaws(value: Any, path: str = "") -> Iterator[str]:
    """What no value of an exchange may hold: numbers that are none, floats where money is, texts for numbers."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            yield f"{path} {value}"
    elif isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            yield f"{path} that is not finite"
    elif isinstance(value, Enum | str | int | None):
        return
    elif isinstance(value, float):
        yield f"{path} a float"
    else:
        for name, part in _parts(value):
            yield from flaws(part, f"{path}.{name}")


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((str(key), part) for key, part in value.items())
    elif isinstance(value, list | tuple):
        yield from ((str(number), part) for number, part in enumerate(value))
    elif attrs.has(type(value)):
        yield from attrs.asdict(value, recurse=False).items()
    else:
        yield from (
            (name, getattr(value, name)) for name in ("open_time", "open", "high", "low", "close", "volume")
        )

"""Where the time of a run goes: clocks around the parts of the product, put on from outside for one run."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from traderagent_core import Candles, OrderFilled, api, simulate
from traderagent_core.config.load import Config
from traderagent_core.engine.engine import Engine
from traderagent_core.model.position import money_context
from traderagent_core.report.result import Result
from traderagent_core.simulator import gathering
from traderagent_core.simulator import view as view_module
from traderagent_core.simulator.cursor import Cursor
from traderagent_core.simulator.driver import Driver
from traderagent_core.simulator.preparing import prepare
from traderagent_core.simulator.record_reader import RecordReader
from traderagent_core.simulator.scan import BlockScan
from traderagent_core.venue.exchange import SimulatedExchange

COARSE = (
    ("prepare: higher timeframes", view_module, "resample"),
    ("prepare: the rest", api, "prepare"),
    ("driver", Driver, "run"),
    ("reading records", RecordReader, "read"),
    ("equity", gathering, "equity_curve"),
    ("metrics", api, "result_of"),
)
"""Parts of a run; the time of a part excludes that of the parts called from it."""

FINE = (
    ("scan", BlockScan, "next_touch"),
    ("path to the next hit", Cursor, "peek"),
    ("venue", Cursor, "take"),
    ("venue", SimulatedExchange, "execute"),
    ("engine", Engine, "step"),
)
"""Parts of the driver, called for every event."""

REST = "gathering the outcome and the rest"


def run_driver(config: Config, candles: Candles) -> Driver:
    """A run without reading its records, equity and metrics: what `simulate` does up to the last event.

    As in `simulate` no garbage is looked for meanwhile; the look that follows is not in the time.
    """
    prepared = prepare(config, {candles.symbol: candles})
    gc.disable()
    try:
        with money_context():
            prepared.driver.run(prepared.end_ms)
    finally:
        gc.enable()
    return prepared.driver


class Clock:
    """Exclusive time per part: entering a part stops the clock of the one that called it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.calls = 0
        self._inner: list[float] = []

    def around(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same callable with its time booked under a part."""
        seconds, inner, now = self.seconds, self._inner, time.perf_counter
        seconds.setdefault(part, 0.0)

        def timed(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            inner.append(0.0)
            start = now()
            try:
                return call(*args, **kwargs)
            finally:
                whole = now() - start
                seconds[part] += whole - inner.pop()
                if inner:
                    inner[-1] += whole

        return timed


def stages(config: Config, candles: Candles, *, is_fine: bool = False) -> dict[str, float]:
    """Seconds per part of one whole run; with `is_fine` the driver is split too, which slows it down."""
    clock = Clock()
    parts = COARSE + FINE if is_fine else COARSE
    start = time.perf_counter()
    with _clocked(clock, parts):
        simulate(config, candles)
    spent = dict(clock.seconds)
    spent[REST] = time.perf_counter() - start - sum(spent.values())
    if is_fine:
        spent["driver: its own loop"] = spent.pop("driver")
    return spent


@contextmanager
def _clocked(clock: Clock, parts: tuple[tuple[str, Any, str], ...]) -> Iterator[None]:
    originals = [(owner, name, getattr(owner, name)) for _, owner, name in parts]
    try:
        for part, owner, name in parts:
            setattr(owner, name, clock.around(part, getattr(owner, name)))
        yield
    finally:
        for owner, name, original in originals:
            setattr(owner, name, original)


def checked_run(config: Config, candles: Candles) -> Result:
    """One run that proves its path: every event and every fill of the result went through `Engine.step`."""
    seen = {"events": 0, "fills": 0}
    step = Engine.step

    def counted(engine: Engine, event: Any) -> Any:
        seen["events"] += 1
        seen["fills"] += isinstance(event, OrderFilled)
        return step(engine, event)

    Engine.step = counted  # type: ignore[assignment, method-assign]
    try:
        result = simulate(config, candles)
    finally:
        Engine.step = step  # type: ignore[method-assign]
    metrics = result.metrics
    told = {"events": metrics.events, "fills": metrics.fills}
    if seen != told or len(result.outcome.fills) != metrics.fills:
        raise AssertionError(f"Engine.step saw {seen}, the result tells {told}")
    return result

"""Three scripted strategies that keep every part of the engine busy: a ladder, deals with safety orders, a trend."""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from attrs import evolve, frozen
from pydantic import BaseModel, ConfigDict

from traderagent_core.contract.entry_filter import Ruling, Verdict
from traderagent_core.contract.strategy import Strategy
from traderagent_core.model.event import TimerFired
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import (
    At,
    AverageTimes,
    BreakEven,
    Filled,
    FillTimes,
    Fixed,
    Held,
    Leg,
    Plan,
    Stop,
    Trail,
)
from traderagent_core.ports import Context
from traderagent_core.specs import StrategySpec

ONE = Decimal(1)
SECOND_MS = 1_000


class ScriptConfig(BaseModel):
    """Steps and distances as ratios of the price, times in seconds. Two of four plans are `excess` times as large."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    step: Decimal = Decimal("0.002")
    levels: int = 4
    share: Decimal = Decimal("0.05")
    excess: Decimal = ONE
    target: Decimal = Decimal("1.003")
    stop: Decimal = Decimal("0.02")
    pause_seconds: int = 10
    shift_seconds: int = 60


@frozen
class ScriptState:
    """Whether a plan is at work, and how many there were."""

    schema_version: int = 1
    is_busy: bool = False
    plans: int = 0


class Script(Strategy):
    """Has one plan at work at a time, and asks for the next one a while after it is over."""

    state_class: ClassVar[type] = ScriptState
    config: ScriptConfig

    def on_start(self, context: Context) -> None:
        """Ask for the first plan."""
        self._enter(context)

    def plan(self, context: Context) -> Plan:
        """The plan to ask for now."""
        raise NotImplementedError

    def on_timer(self, context: Context, timer: TimerFired) -> None:
        """Ask again, or let the plan that is at work go."""
        if timer.name == "ask" and not self.state.is_busy:
            self._enter(context)
        elif timer.name == "shift" and self.state.is_busy:
            self.shift(context)

    def shift(self, context: Context) -> None:
        """The time of a plan is over."""
        context.exit("time_over")

    def on_verdict(self, context: Context, plan: Plan, verdict: Verdict) -> None:  # noqa: ARG002
        """A refused plan is asked for again."""
        if verdict.ruling is Ruling.REJECT:
            self.state = evolve(self.state, is_busy=False)
            self._ask_later(context)

    def on_closed(self, context: Context, reason: str) -> None:  # noqa: ARG002
        """So is one after one that has ended."""
        self.state = evolve(self.state, is_busy=False)
        self._ask_later(context)

    def on_resume(self, context: Context) -> None:
        """Timers that were due during a pause are gone, and so is the news that a plan is over."""
        if self.state.is_busy:
            self._shift_later(context)
        else:
            self._ask_later(context)

    def _enter(self, context: Context) -> None:
        self.state = evolve(self.state, is_busy=True, plans=self.state.plans + 1)
        context.enter(self.plan(context))
        self._shift_later(context)

    def _shift_later(self, context: Context) -> None:
        context.set_timer("shift", context.now_ms + self.config.shift_seconds * SECOND_MS)

    def _ask_later(self, context: Context) -> None:
        context.set_timer("ask", context.now_ms + self.config.pause_seconds * SECOND_MS)

    def quantity(self, context: Context) -> Decimal:
        """What one order is for."""
        config = self.config
        share = config.share * config.excess if self.state.plans % 4 > 1 else config.share
        return context.instrument.round_quantity(context.budget * share / context.price)


class Ladder(Script):
    """Buys on levels below the price; each one that is filled has a counter order, and comes back after it."""

    def plan(self, context: Context) -> Plan:
        """All levels with their counters, and one stop."""
        size, price, config = self.quantity(context), context.price, self.config
        legs: list[Leg] = []
        for level in range(1, config.levels + 1):
            at = At(price * (ONE - config.step * level))
            buy, sell = f"buy{level}", f"sell{level}"
            slot = f"ladder:{level}"
            legs.append(Leg(buy, slot, Side.BUY, Purpose.ENTRY, Fixed(size), at, then=(sell,)))
            counter = FillTimes(ONE + config.step)
            legs.append(Leg(sell, slot, Side.SELL, Purpose.GRID_COUNTER, Filled(), counter, then=(buy,)))
        start = tuple(leg.name for leg in legs if leg.purpose is Purpose.ENTRY)
        return Plan("ladder", tuple(legs), start, Stop(long=AverageTimes(ONE - config.stop)))


class Dealer(Script):
    """Buys at the market, more of it further down, and sells all of it at a target that follows the average."""

    def plan(self, context: Context) -> Plan:
        """A base order, safety orders, a target."""
        size, price, config = self.quantity(context), context.price, self.config
        target = AverageTimes(config.target)
        safeties = tuple(f"safety{level}" for level in range(1, config.levels + 1))
        base = Leg("base", "base", Side.BUY, Purpose.ENTRY, Fixed(size), then=("target", *safeties))
        sell = Leg("target", "target", Side.SELL, Purpose.TAKE_PROFIT, Held(), target, closes=True)
        more = tuple(
            Leg(
                name,
                name,
                Side.BUY,
                Purpose.SAFETY,
                Fixed(size),
                At(price * (ONE - config.step * (index + 1))),
            )
            for index, name in enumerate(safeties)
        )
        return Plan("deal", (base, sell, *more), ("base",), Stop(long=AverageTimes(ONE - config.stop)))


class Trender(Script):
    """Goes long and short in turns, with a stop that goes to break-even and then trails."""

    def plan(self, context: Context) -> Plan:
        """One entry and its stop."""
        config, is_long = self.config, bool(self.state.plans % 2)
        side = Side.BUY if is_long else Side.SELL
        size = context.instrument.round_quantity(self.quantity(context) * config.levels)
        entry = Leg("entry", "entry", side, Purpose.ENTRY, Fixed(size))
        step = config.step
        trail = Trail(step, step, step / 10, 5 * SECOND_MS)
        stop = Stop(
            AverageTimes(ONE - config.stop),
            AverageTimes(ONE + config.stop),
            trail,
            BreakEven(step / 2, step / 4),
        )
        return Plan("trend", (entry,), ("entry",), stop)


SCRIPTS: Mapping[str, StrategySpec] = {
    name: StrategySpec(name=name, summary=str(made.__doc__), config_model=ScriptConfig, factory=made)
    for name, made in (("ladder", Ladder), ("dealer", Dealer), ("trender", Trender))
}
"""By the names that configurations use."""

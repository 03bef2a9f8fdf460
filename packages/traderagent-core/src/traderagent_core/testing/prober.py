"""A strategy that keeps asking: whenever it holds nothing it buys. Kits put filters and risk modes before it."""

from decimal import Decimal
from typing import ClassVar

from attrs import evolve, frozen
from pydantic import BaseModel, ConfigDict

from traderagent_core.contract.entry_filter import Ruling, Verdict
from traderagent_core.contract.strategy import Strategy
from traderagent_core.model.event import TimerFired
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import AverageTimes, Fixed, Held, Leg, Plan, Stop
from traderagent_core.model.timeframe import HOUR_MS
from traderagent_core.ports import Context


class ProberConfig(BaseModel):
    """How far target and stop are, and how often it asks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: Decimal = Decimal("1.01")
    stop: Decimal = Decimal("0.97")
    hours: int = 3


@frozen
class ProberState:
    """Whether a deal is on."""

    schema_version: int = 1
    is_busy: bool = False


class Prober(Strategy):
    """Buys for nine tenths of the budget, sells at a target or a stop, and asks again."""

    state_class: ClassVar[type] = ProberState

    def on_start(self, context: Context) -> None:
        """Begin to ask."""
        self._ask_later(context)

    def on_timer(self, context: Context, timer: TimerFired) -> None:  # noqa: ARG002
        """Ask, unless a deal is on."""
        self._ask_later(context)
        quantity = context.instrument.round_quantity(context.budget * Decimal("0.9") / context.price)
        if self.state.is_busy or not quantity:
            return
        target = AverageTimes(self.config.target)
        buy = Leg("buy", "deal", Side.BUY, Purpose.ENTRY, Fixed(quantity), then=("sell",))
        sell = Leg("sell", "deal", Side.SELL, Purpose.TAKE_PROFIT, Held(), target, closes=True)
        stop = Stop(long=AverageTimes(self.config.stop))
        context.enter(Plan("deal", (buy, sell), ("buy",), stop))
        self.state = evolve(self.state, is_busy=True)

    def on_verdict(self, context: Context, plan: Plan, verdict: Verdict) -> None:  # noqa: ARG002
        """A refused deal is over."""
        if verdict.ruling is Ruling.REJECT:
            self.state = evolve(self.state, is_busy=False)

    def on_closed(self, context: Context, reason: str) -> None:  # noqa: ARG002
        """So is one that has ended."""
        self.state = evolve(self.state, is_busy=False)

    def _ask_later(self, context: Context) -> None:
        context.set_timer("ask", context.now_ms + self.config.hours * HOUR_MS)

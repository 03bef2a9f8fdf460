"""Two small sound strategies: one that is all rules, one that is all callbacks. Tests of the kit start from them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
from attrs import Factory, evolve, frozen
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from traderagent_core.contract.entry_filter import Ruling, Verdict
from traderagent_core.contract.strategy import Needs, OrderNews, Problem, Release, Strategy, Wake
from traderagent_core.indicators import Ema
from traderagent_core.model.candle import Candle
from traderagent_core.model.event import OrderFilled, TimerFired
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import At, Fixed, Held, Leg, Plan, Stop
from traderagent_core.model.timeframe import HOUR_MS, timeframe_ms
from traderagent_core.ports import Columns, Context, PositionView

ONE = Decimal(1)


class LadderConfig(BaseModel):
    """Levels around the first price: `count` on each side, `step_ratio` apart."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int = Field(default=5, ge=1, le=50)
    step_ratio: Decimal = Field(default=Decimal("0.01"), gt=0)


class Ladder(Strategy):
    """Buys on levels below the first price and sells each a level higher, for ever; rules do it all."""

    @classmethod
    def check(
        cls, config: LadderConfig, instrument: Instrument, price: Decimal, budget: Decimal
    ) -> Sequence[Problem]:
        """Whether one level's order is large enough."""
        low = price * (ONE - config.count * config.step_ratio)
        if low <= 0:
            return [Problem("the lowest level is not above zero", "use fewer levels or a smaller step")]
        problem = instrument.size_problem(instrument.round_quantity(_amount(config, budget) / price), low)
        return [] if problem is None else [Problem(problem, "use fewer levels or a larger budget")]

    def on_start(self, context: Context) -> None:
        """Ask for the whole ladder."""
        config, price = self.config, context.price
        quantity = context.instrument.round_quantity(
            _amount(config, context.budget * context.leverage) / price
        )
        if not quantity:
            return
        legs = []
        for number in range(config.count):
            buy = price * (ONE - (number + 1) * config.step_ratio)
            sell = price * (ONE - number * config.step_ratio)
            names = f"buy{number}", f"sell{number}"
            slot = f"ladder:{number}"
            counter = Purpose.GRID_COUNTER
            legs.append(Leg(names[0], slot, Side.BUY, counter, Fixed(quantity), At(buy), (names[1],)))
            legs.append(Leg(names[1], slot, Side.SELL, counter, Fixed(quantity), At(sell), (names[0],)))
        context.enter(Plan("ladder", tuple(legs), tuple(leg.name for leg in legs if leg.side is Side.BUY)))


def _amount(config: LadderConfig, budget: Decimal) -> Decimal:
    return budget / config.count


class DipBuyerConfig(BaseModel):
    """Buys `share` of the budget when the close is `drop_ratio` below the highest high of `look_back` candles."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    drop_ratio: Decimal = Field(default=Decimal("0.03"), gt=0, lt=1)
    target_ratio: Decimal = Field(default=Decimal("0.02"), gt=0)
    stop_ratio: Decimal = Field(default=Decimal("0.08"), gt=0, lt=1)
    share: Decimal = Field(default=Decimal("0.5"), gt=0, le=1)
    look_back: int = Field(default=12, ge=2)
    hold_hours: int = Field(default=36, ge=1)


@frozen
class DipBuyerState:
    """Whether a deal is on, when it is to end, and the targets of past deals by their number."""

    schema_version: int = 1
    is_busy: bool = False
    ends_ms: int = 0
    deals: int = 0
    targets: dict[int, Decimal] = Factory(dict)


class DipBuyer(Strategy):
    """Buys a dip in a rising market, sells at a target, at a stop, or when it has held for too long."""

    state_class: ClassVar[type] = DipBuyerState

    @classmethod
    def needs(cls, config: DipBuyerConfig) -> Needs:
        """An average, some candles, and calls on dips."""
        return Needs(indicators=(Ema(30),), look_back=config.look_back, wake=Wake.CANDIDATES)

    @classmethod
    def check(
        cls, config: DipBuyerConfig, instrument: Instrument, price: Decimal, budget: Decimal
    ) -> Sequence[Problem]:
        """Whether a deal is large enough."""
        problem = instrument.size_problem(instrument.round_quantity(budget * config.share / price), price)
        return [] if problem is None else [Problem(problem, "use a larger share or budget")]

    @classmethod
    def candidates(cls, config: DipBuyerConfig, columns: Columns) -> NDArray[np.bool_]:
        """Closes far below the highest high of the last candles, and not far below the average."""
        high, close = columns["high"], columns["close"]
        marks = np.zeros(len(close), dtype=bool)
        if len(close) < config.look_back:
            return marks
        highest = np.lib.stride_tricks.sliding_window_view(high, config.look_back).max(axis=1)
        rest = close[config.look_back - 1 :]
        marks[config.look_back - 1 :] = rest <= highest * (1 - float(config.drop_ratio))
        marks &= close > 0.9 * columns[Ema(30).key]
        return marks

    def on_start(self, context: Context) -> None:
        """Nothing to do before the first dip."""

    def on_candle(self, context: Context, candle: Candle) -> None:
        """A dip: begin a deal unless one is on."""
        if self.state.is_busy or context.position.quantity:
            return
        price = Decimal(str(candle.close))
        power = context.budget * context.leverage
        quantity = context.instrument.round_quantity(power * self.config.share / price)
        if not quantity:
            return
        self.begin(context, price, quantity)

    def begin(self, context: Context, price: Decimal, quantity: Decimal) -> None:
        """Ask for the entry with its stop, and for a call when the time is over."""
        leg = Leg("in", "in", Side.BUY, Purpose.ENTRY, Fixed(quantity), At(price))
        stop = Stop(long=At(price * (ONE - self.config.stop_ratio)))
        context.enter(Plan("deal", (leg,), ("in",), stop))
        ends_ms = context.now_ms + self.config.hold_hours * HOUR_MS
        context.set_timer("hold", ends_ms)
        number = self.state.deals + 1
        target = price * (ONE + self.config.target_ratio)
        targets = {**dict(list(self.state.targets.items())[-3:]), number: target}
        self.state = evolve(self.state, is_busy=True, ends_ms=ends_ms, deals=number, targets=targets)

    def on_fill(self, context: Context, fill: OrderFilled, slot: str, *, is_complete: bool) -> None:  # noqa: ARG002
        """The entry is complete: lay the target."""
        if slot == "in" and is_complete:
            target = self.state.targets[self.state.deals]
            context.place(Leg("out", "out", Side.SELL, Purpose.TAKE_PROFIT, Held(), At(target)))

    def on_timer(self, context: Context, timer: TimerFired) -> None:  # noqa: ARG002
        """Held too long: close the deal, once there are data to close it on."""
        if not self.state.is_busy:
            return
        if has_data(context):
            context.exit("held_too_long")
        else:
            context.set_timer("hold", context.now_ms + HOUR_MS)

    def on_order(self, context: Context, news: OrderNews) -> None:
        """A refused entry ends the deal; a refused target is left to the timer."""
        if news.slot == "in" and news.what == "blocked":
            context.exit(news.reason)

    def on_verdict(self, context: Context, plan: Plan, verdict: Verdict) -> None:  # noqa: ARG002
        """A refused plan ends the deal."""
        if verdict.ruling is Ruling.REJECT:
            self.state = evolve(self.state, is_busy=False)

    def on_closed(self, context: Context, reason: str) -> None:  # noqa: ARG002
        """The deal is over once nothing is held."""
        if not context.position.quantity:
            self.state = evolve(self.state, is_busy=False)

    def on_resume(self, context: Context) -> None:
        """Timers that came due during the pause are gone."""
        if self.state.is_busy:
            context.set_timer("hold", max(self.state.ends_ms, context.now_ms))


class Sharer(DipBuyer):
    """A buyer of dips that takes turns: it offers what it holds, and takes over what it could have bought itself."""

    def on_start(self, context: Context) -> None:
        """A deal of an earlier turn is over; one that is called back goes on."""
        if context.position.quantity:
            self.on_resume(context)
        else:
            self.state = evolve(self.state, is_busy=False)

    def on_release(self, context: Context, reason: str) -> Release:  # noqa: ARG002
        """The deal may be somebody else's."""
        return Release.HAND_OVER

    def takes_over(self, context: Context, position: PositionView) -> bool:
        """Whether it is a deal of the usual size."""
        most = context.budget * context.leverage * self.config.share
        cost = position.quantity * position.average_price
        return bool(0 < cost <= most)

    def on_take_over(self, context: Context) -> None:
        """A deal that is bought already."""
        average = context.position.average_price
        target = At(average * (ONE + self.config.target_ratio))
        leg = Leg("out", "out", Side.SELL, Purpose.TAKE_PROFIT, Held(), target)
        context.enter(Plan("deal", (leg,), ("out",), Stop(long=At(average * (ONE - self.config.stop_ratio)))))
        ends_ms = context.now_ms + self.config.hold_hours * HOUR_MS
        context.set_timer("hold", ends_ms)
        self.state = evolve(self.state, is_busy=True, ends_ms=ends_ms)


def has_data(context: Any) -> bool:
    """Whether the last closed candle is the one that should have closed last."""
    last = context.view.last(context.instrument.symbol, context.timeframe)
    return last is not None and bool(context.now_ms < last.open_time + 2 * timeframe_ms(context.timeframe))

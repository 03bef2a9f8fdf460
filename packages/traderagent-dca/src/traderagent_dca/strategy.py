"""The DCA strategy: opens deals on signals, then sleeps until a deal is over.

Ladder, take profit, stop and break-even are rules of the deal's plan, so no fill and no quiet candle calls anything
here. What became of a deal is read from the ledger: only confirmed fills count.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Any

from attrs import evolve
from traderagent_core import (
    At,
    AverageTimes,
    Candle,
    Columns,
    Context,
    Exhibit,
    Held,
    Instrument,
    Leg,
    Market,
    Needs,
    OrderNews,
    Plan,
    Problem,
    Purpose,
    Release,
    Ruling,
    RunHistory,
    Stop,
    Strategy,
    TimerFired,
    Verdict,
    Wake,
)
from traderagent_core.errors import ConfigError
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.ports import PositionView

from traderagent_dca.config import DcaConfig, Start, Target
from traderagent_dca.deals import STOP_LOSS, OpenDeal, cause, mark_before, mark_of, progress
from traderagent_dca.exhibit import exhibit
from traderagent_dca.ladder import Ladder, entry_side, lay, rest_of, rungs
from traderagent_dca.plan import BASE, PLAN, TAKE_PROFIT, Shape, ladder_evidence, shape_of
from traderagent_dca.shape import EXACT, ONE, ZERO
from traderagent_dca.signals import signal_of
from traderagent_dca.state import DcaState, Phase, remember
from traderagent_dca.text import short
from traderagent_dca.viability import problems

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOOK, REPAIR = "look", "repair"
WAITING, IN_DEAL = Phase.WAITING, Phase.IN_DEAL
IMMEDIATE = Start.IMMEDIATE
REJECT = Ruling.REJECT
LINEAR = Market.LINEAR
COMPLETED, LIQUIDATION = "completed", "liquidation"
BASE_REFUSED, PAUSED_OVER, UNTOLD = "base_order_refused", "closed_while_paused", "closed_untold"
MAX_DEALS = "max_deals"
MAX_DOUBLINGS = 6


class DcaStrategy(Strategy):
    """Opens a deal, averages down, takes profit from the average price."""

    state_class = DcaState
    config: DcaConfig
    state: DcaState

    def __init__(self, config: DcaConfig) -> None:
        super().__init__(config)
        self._rungs = rungs(config)
        self._side = entry_side(config)
        self._signal = signal_of(config)
        self._largest = reduce(EXACT.add, config.amounts)
        self._made: tuple[Instrument, Shape] | None = None

    @classmethod
    def needs(cls, config: DcaConfig) -> Needs:
        """What the signal needs; called on candles only where it comes on."""
        found = signal_of(config).indicators
        return Needs(
            indicators=found,
            look_back=2,
            wake=Wake.CANDIDATES if found else Wake.NEVER,
            fills=False,
            between_plans=True,
        )

    @classmethod
    def candidates(cls, config: DcaConfig, columns: Columns) -> "NDArray[np.bool_]":
        """Closes at which the signal comes on."""
        return signal_of(config).marks(columns)

    @classmethod
    def check(
        cls, config: DcaConfig, instrument: Instrument, price: Decimal, budget: Decimal
    ) -> Sequence[Problem]:
        """What speaks against deals at this price; `budget` is buying power, leverage included."""
        return list(problems(config, instrument, price, budget))

    @classmethod
    def sketch(cls, config: DcaConfig, instrument: Instrument, price: Decimal) -> Plan:
        """The deal that would be asked for if the signal came on at this price."""
        ladder = lay(rungs(config), entry_side(config), instrument, price)
        return shape_of(config, instrument).plan(1, ladder, ladder_evidence(config, instrument, ladder))

    # -- called by the engine -------------------------------------------------------------------------------

    def adopt(self, former: Strategy) -> None:
        """An open deal goes on as it was laid; what its end hangs on cannot be another one until then."""
        state: DcaState = former.state
        if state.phase is IN_DEAL and _ending(self.config) != _ending(former.config):
            raise ConfigError(
                f"dca is in deal {state.asked}: direction, take_profit_steps and whether there is a "
                "trailing_deviation can be changed when it is over; `traderagent pause` keeps the next one from "
                "beginning"
            )
        if state.phase is Phase.STOPPED and state.reason == MAX_DEALS and not self._has_had_enough(state):
            state = evolve(state, phase=WAITING, reason="")
        self.state = state

    def on_start(self, context: Context) -> None:
        """Begin at once if the signal is on; a deal that is still on, or a cool-down, is gone on with."""
        if self.state.phase is IN_DEAL:
            self.on_resume(context)
        elif self.state.phase is WAITING and context.now_ms < self.state.not_before_ms:
            self._look_later(context, self.state.not_before_ms)
        else:
            self._look(context)

    def on_release(self, context: Context, reason: str) -> Release:  # noqa: ARG002
        """Whoever comes next may go on with the position of a deal."""
        return Release.HAND_OVER

    def takes_over(self, context: Context, position: PositionView) -> bool:
        """Whether a deal can go on with what is held: on its side, no larger than a deal, and not past its stop."""
        is_busy = self.state.phase is not WAITING
        if is_busy or (position.quantity > ZERO) is not self._signal.is_long:
            return False
        if abs(position.quantity) * position.average_price > self._largest:
            return False
        shape = self._shape(context)
        if not shape.targets and len(self._ladder_over(context, position).prices) == 1:
            return False  # Neither a take profit nor a safety order: there is nothing to ask for.
        return not _is_stopped(shape.stop_from(position.average_price), position, context.price)

    def on_take_over(self, context: Context) -> None:
        """Go on with what was taken over as a deal: its base is held, at its average price."""
        position = context.position
        ladder, mark = self._ladder_over(context, position), mark_before(position)
        number, price = self.state.asked + 1, position.average_price
        self.state = self.state.with_deal(OpenDeal(number, context.now_ms, price, ladder.quantities, mark))
        evidence = {"base_price": price, "taken_over": position.quantity}
        context.enter(self._shape(context).plan_over(number, ladder, evidence))

    def on_candle(self, context: Context, candle: Candle) -> None:  # noqa: ARG002
        """The signal has come on."""
        self._catch_up(context)
        if self.state.phase is WAITING and context.now_ms >= self.state.not_before_ms:
            self._begin(context)

    def on_timer(self, context: Context, timer: TimerFired) -> None:
        """A cool-down is over, or it is time to try again."""
        self._catch_up(context)
        if timer.name == LOOK:
            self._look(context)
        elif timer.name == REPAIR and self.state.repairs:
            self._repair(context)

    def on_verdict(self, context: Context, plan: Plan, verdict: Verdict) -> None:
        """A deal was granted, perhaps smaller, or refused with a reason: then try again later."""
        deal = self.state.deal
        if deal is None or plan.name != f"{PLAN}:{deal.number}":
            return
        held = () if plan.legs[0].name == BASE else deal.quantities[:1]
        if verdict.ruling is REJECT and held:
            self.state = evolve(self.state, deal=evolve(deal, quantities=held))
            self._lay_target(context, deal)
        elif verdict.ruling is REJECT:
            self._wait(context, verdict.reason, str(verdict.evidence.get("detail", "")))
        elif verdict.size_factor != ONE:
            asked = deal.quantities[len(held) :]
            sizes = [context.instrument.round_quantity(size * verdict.size_factor) for size in asked]
            self.state = self.state.with_deal(evolve(deal, quantities=(*held, *sizes)))

    def on_order(self, context: Context, news: OrderNews) -> None:
        """A base order that was refused ends its deal; a take profit that was lost is laid again later."""
        if self.state.deal is None:
            return
        if news.slot == BASE and not context.position.quantity:
            context.note(BASE_REFUSED, what=news.what, why=news.reason)
            context.withdraw(BASE_REFUSED)
        elif news.slot == BASE or news.slot in self._shape(context).target_slots:
            self._repair_later(context)

    def on_closed(self, context: Context, reason: str) -> None:
        """A plan is over. The deal is, too, unless it goes on under its trail or has lost its take profit."""
        if self.state.deal is None or reason in (PAUSED_OVER, UNTOLD):
            return
        if reason == COMPLETED and context.position.quantity and not self._is_dust(context):
            if self.config.trailing_deviation is None:
                self._repair_later(context)
            return
        self._finish(context, reason)

    def on_resume(self, context: Context) -> None:
        """See what has happened meanwhile, then go on."""
        if self.state.phase is IN_DEAL and not context.position.quantity:
            context.withdraw(PAUSED_OVER)
            self._finish(context, PAUSED_OVER)
        elif self.state.repairs:
            self._repair_later(context)
        elif self.state.phase is WAITING:
            self._look_later(context, context.now_ms)

    # -- called after a run ---------------------------------------------------------------------------------

    def exhibit(self, history: RunHistory) -> Exhibit:
        """The deals of a run."""
        return exhibit(self.config, history)

    # -- beginning ------------------------------------------------------------------------------------------

    def _look(self, context: Context) -> None:
        """Begin a deal if one may begin and the signal is on; not on a price that has grown old."""
        if self.state.phase is not WAITING or context.now_ms < self.state.not_before_ms:
            return
        candle = _fresh_candle(context)
        if candle is None:
            self._look_later(context, context.now_ms)
        elif self._signal.is_on(context, candle):
            self._begin(context)

    def _look_later(self, context: Context, due_ms: int) -> None:
        """Look again at a time; a signal is looked at when a candle has closed."""
        step_ms = timeframe_ms(context.timeframe)
        if self._signal.start is not IMMEDIATE or due_ms <= context.now_ms:
            due_ms = max(-(-due_ms // step_ms), context.now_ms // step_ms + 1) * step_ms
        context.set_timer(LOOK, due_ms)

    def _begin(self, context: Context) -> None:
        """Ask for a deal at the present price."""
        instrument, price = context.instrument, context.price
        ladder = lay(self._rungs, self._side, instrument, price)
        if not all(ladder.quantities):
            self._wait(context, "below_minimum", f"at {price} an order is less than one lot")
            return
        notional = ladder.notional
        lack = self._lack(context, notional)
        if lack:
            self._wait(context, "over_budget", lack)
            return
        number = self.state.asked + 1
        deal = OpenDeal(number, context.now_ms, price, ladder.quantities, mark_of(context.position))
        self.state = self.state.with_deal(deal)
        evidence = {"base_price": price, "funds_needed": notional}
        context.enter(self._shape(context).plan(number, ladder, evidence))

    def _ladder_over(self, context: Context, held: PositionView) -> Ladder:
        """The ladder that goes on with a position; without safety orders that there is no money for."""
        ladder = rest_of(self._rungs, self._side, context.instrument, context.price, held)
        if self._lack(context, ladder.notional):
            ladder = Ladder(self._side, ladder.prices[:1], ladder.quantities[:1])
        return ladder

    def _lack(self, context: Context, notional: Decimal) -> str:
        """What is missing for a ladder, after what has been lost; empty when nothing is."""
        position = context.position
        lost = min(position.realized_pnl - position.fees + position.funding, ZERO)
        left = context.budget * context.leverage + lost
        needed = notional * (ONE + context.instrument.taker_fee_ratio)
        return f"a deal needs {short(needed)} and {short(left)} is left" if needed > left else ""

    def _shape(self, context: Context) -> Shape:
        """What all deals have in common; made again only for another instrument."""
        instrument = context.instrument
        if self._made is None or self._made[0] is not instrument:
            self._made = (instrument, shape_of(self.config, instrument))
        return self._made[1]

    def _wait(self, context: Context, reason: str, detail: str = "") -> None:
        """Nothing came of it; try again after 1, 2, 4 … 64 candles."""
        attempts = self.state.attempts
        self._say(context, reason, detail=detail)
        pause_ms = timeframe_ms(context.timeframe) << min(attempts, MAX_DOUBLINGS)
        due_ms = context.now_ms + pause_ms
        self.state = evolve(
            self.state, phase=WAITING, deal=None, repairs=0, attempts=attempts + 1, not_before_ms=due_ms
        )
        self._look_later(context, due_ms)

    # -- a take profit that was lost ------------------------------------------------------------------------

    def _repair_later(self, context: Context) -> None:
        """Lay the take profit again after 1, 2, 4 … 64 candles, if the engine has not managed it by then."""
        repairs = self.state.repairs
        self.state = evolve(self.state, repairs=repairs + 1)
        pause_ms = timeframe_ms(context.timeframe) << min(repairs, MAX_DOUBLINGS)
        context.set_timer(REPAIR, context.now_ms + pause_ms)

    def _repair(self, context: Context) -> None:
        """A new take profit takes the place of the one that was lost."""
        deal = self.state.deal
        if deal is None or not context.position.quantity:
            return
        if _fresh_candle(context) is None:
            self._repair_later(context)
            return
        for slot in self._shape(context).target_slots:
            context.cancel(slot)
        self._lay_target(context, deal)
        context.note("take_profit_laid_again", attempt=self.state.repairs)

    def _lay_target(self, context: Context, deal: OpenDeal) -> None:
        """One take profit for all that is held."""
        gain = self.config.take_profit_percentage
        ratio = ONE + gain if self.config.is_long else ONE - gain
        is_from_base = self.config.take_profit_from is Target.BASE
        price = At(deal.price * ratio) if is_from_base else AverageTimes(ratio)
        side, purpose = self._side.opposite, Purpose.TAKE_PROFIT
        context.place(Leg(TAKE_PROFIT, TAKE_PROFIT, side, purpose, Held(), price, closes=True))

    # -- ending ---------------------------------------------------------------------------------------------

    def _catch_up(self, context: Context) -> None:
        """A deal may have ended while nobody could be told, in a halt."""
        deal, position = self.state.deal, context.position
        if deal is None or position.quantity:
            return
        if context.now_ms >= deal.asked_ms + timeframe_ms(context.timeframe):
            context.withdraw(UNTOLD)
            self._finish(context, UNTOLD)

    def _finish(self, context: Context, reason: str) -> None:
        """Write the deal down and wait for the next one, or stop."""
        open_deal = self.state.deal
        assert open_deal is not None
        deal = progress(
            open_deal, context.position, context.now_ms, is_long=self._signal.is_long, reason=reason
        )
        if not deal.quantity:
            self._wait(context, BASE_REFUSED if reason == COMPLETED else reason)
            return
        if reason == STOP_LOSS:
            deal = evolve(deal, reason=cause(self.config, deal, context.price))
        step_ms = timeframe_ms(context.timeframe)
        due_ms = context.now_ms + self.config.cooldown_candles * step_ms
        self.state = remember(self.state, deal, due_ms)
        if reason == LIQUIDATION or self._has_had_enough(self.state):
            self._stop(context, reason if reason == LIQUIDATION else MAX_DEALS)
            return
        if self._signal.start is IMMEDIATE and due_ms == context.now_ms:
            self._begin(context)
        elif self._signal.start is not Start.EMA_CROSS:
            self._look_later(context, due_ms)

    def _has_had_enough(self, state: DcaState) -> bool:
        return self.config.max_deals is not None and state.deals >= self.config.max_deals

    def _stop(self, context: Context, reason: str) -> None:
        """No more deals."""
        self.state = evolve(self.state, phase=Phase.STOPPED, reason=reason)
        context.note("dca_stopped", cause=reason, deals=self.state.deals)

    def _is_dust(self, context: Context) -> bool:
        """Whether what is held is too little to be closed."""
        instrument = context.instrument
        quantity = instrument.round_quantity(abs(context.position.quantity))
        if instrument.market is LINEAR:  # Exits are reduce-only there, so nothing is too small.
            return not quantity
        return instrument.size_problem(quantity, context.price) is not None

    def _say(self, context: Context, reason: str, **evidence: Any) -> None:
        """Record a reason once, not at every attempt."""
        if reason != self.state.reason:
            self.state = evolve(self.state, reason=reason)
            context.note(reason, **evidence)


def _ending(config: DcaConfig) -> tuple[object, ...]:
    """What callbacks decide by while a deal is open."""
    return config.direction, config.trailing_deviation is None, len(config.take_profit_steps)


def _fresh_candle(context: Context) -> Candle | None:
    """The last candle; None when one is missing since: the last price is that of before the hole."""
    timeframe = context.timeframe
    candle = context.view.last(context.instrument.symbol, timeframe)
    is_stale = candle is None or context.now_ms >= candle.open_time + 2 * timeframe_ms(timeframe)
    return None if is_stale else candle


def _is_stopped(stop: Stop | None, held: PositionView, price: Decimal) -> bool:
    """Whether a stop would close what is held at once."""
    is_long = held.quantity > ZERO
    rule = None if stop is None else stop.long if is_long else stop.short
    if rule is None:
        return False
    level = rule.price if isinstance(rule, At) else held.average_price * rule.ratio
    return price <= level if is_long else price >= level

"""The grid strategy: lays a grid, then sleeps until a watch, a timer or the trend guard wakes it.

Counter orders and cycles are the plan's own rules, so no fill and no quiet candle calls anything here.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve
from traderagent_core import (
    Candle,
    Columns,
    Context,
    Instrument,
    Needs,
    Plan,
    Problem,
    Release,
    Ruling,
    Strategy,
    TimerFired,
    Verdict,
    Wake,
    WatchCrossed,
)
from traderagent_core.indicators import Adx, Atr, Indicator
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.ports import PositionView

from traderagent_grid.config import Bounds, Direction, GridConfig
from traderagent_grid.finding import Finding, Means
from traderagent_grid.layout import Layout, lay_out
from traderagent_grid.plan import GRID_PLAN, closing_plan, grid_plan, plain
from traderagent_grid.ranges import FIXED_FALLBACK, Range, first_range, next_range
from traderagent_grid.sizing import Appraisal
from traderagent_grid.state import BETWEEN, GridState, Phase
from traderagent_grid.viability import appraised, findings_before_start

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHIFT, GUARD, RESUME = "trailing_shift", "trend_guard", "trend_over"
TAKE_PROFIT = "take_profit"
UP, DOWN, TRAIL, RETRY, SETTLE = "trail:up", "trail:down", "trail", "retry", "settle"
COMPLETED = "completed"
MAX_DOUBLINGS = 6
SETTLE_MS = 5_000
ZERO = Decimal(0)


class GridStrategy(Strategy):
    """Buys below and sells above the price on a ladder of limit orders."""

    state_class = GridState
    config: GridConfig
    state: GridState
    _appraised: tuple[Instrument, str, Appraisal] | None = None
    """What was looked at last and what it follows from: taking over, one layout is looked at three times."""

    def __init__(self, config: GridConfig) -> None:
        super().__init__(config)
        self._range = Atr(config.atr_period) if config.needs_atr else None

    @classmethod
    def needs(cls, config: GridConfig) -> Needs:
        """ATR and ADX only where they are used; called on candles only where ADX crosses a threshold."""
        indicators: list[Indicator] = []
        if config.needs_atr:
            indicators.append(Atr(config.atr_period))
        if config.trend_guard_enabled:
            indicators.append(Adx(config.trend_guard_period))
        return Needs(
            indicators=tuple(indicators),
            look_back=2,
            wake=Wake.CANDIDATES if config.trend_guard_enabled else Wake.NEVER,
            fills=False,
            max_drawdown=config.max_drawdown,
        )

    @classmethod
    def candidates(cls, config: GridConfig, columns: Columns) -> "NDArray[np.bool_]":
        """Closes at which ADX has come above the pausing threshold or below the resuming one."""
        adx = columns[Adx(config.trend_guard_period).key]
        above = adx > float(config.trend_guard_adx)
        below = adx < float(config.trend_guard_resume_adx)
        marks = above | below
        marks[1:] &= ~((above[1:] & above[:-1]) | (below[1:] & below[:-1]))
        return marks

    @classmethod
    def check(
        cls, config: GridConfig, instrument: Instrument, price: Decimal, budget: Decimal
    ) -> Sequence[Problem]:
        """What speaks against this grid at this price; `budget` is buying power, leverage included."""
        return [each.problem() for each in findings_before_start(config, instrument, price, budget)]

    # -- called by the engine -------------------------------------------------------------------------------

    def adopt(self, former: Strategy) -> None:
        """Lay the grid anew by this configuration, once the orders of the former one are gone."""
        state: GridState = former.state
        is_laid = state.phase not in (Phase.WAITING, Phase.STOPPED)
        phase = Phase.RESUMING if is_laid or state.has_closing_orders else state.phase
        self.state = evolve(state, phase=phase, range=None, left_ms=None, attempts=0, reason="")

    def on_start(self, context: Context) -> None:
        """Lay a new grid; a strategy that was about to let go lays its own again, for what it still holds."""
        if self.state.range is None or not context.position.quantity:
            self._begin(context, Phase.WAITING)
            self._lay_first(context)
        else:
            self._begin(context, Phase.RESUMING)
            context.withdraw(RESUME)
            context.set_timer(SETTLE, context.now_ms + SETTLE_MS)

    def on_release(self, context: Context, reason: str) -> Release:  # noqa: ARG002
        """What is held is inventory to another grid, and a position to other strategies."""
        return Release.HAND_OVER

    def takes_over(self, context: Context, position: PositionView) -> bool:
        """Whether a grid can be laid here whose own orders give back all that is held."""
        if (position.quantity > ZERO) is (self.config.direction is Direction.SHORT):
            return False
        instrument, price = context.instrument, context.price
        grid_range = first_range(self.config, price, self._atr(context), instrument)
        findings, layout = self._judged(context, grid_range, position)
        if layout is None or any(finding.is_fatal for finding in findings):
            return False
        return instrument.size_problem(instrument.round_quantity(layout.surplus), price) is not None

    def on_take_over(self, context: Context) -> None:
        """Lay a new grid around the price, with what was taken over as its inventory."""
        self._begin(context, Phase.WAITING)
        self._lay_first(context)

    def on_candle(self, context: Context, candle: Candle) -> None:  # noqa: ARG002
        """ADX has crossed a threshold."""
        was_trending = self.state.is_trending
        self._judge_trend(context)
        if self.state.is_trending != was_trending:
            self._follow_trend(context)

    def on_watch(self, context: Context, watch: WatchCrossed) -> None:
        """The take-profit price or a trigger of the range was reached."""
        if self.state.phase is Phase.STOPPED:
            return
        if watch.name == TAKE_PROFIT:
            if self.config.take_profit_price is not None:  # A former configuration may have watched it.
                context.exit(TAKE_PROFIT)
        elif self.state.phase is Phase.RUNNING and self.config.trailing_enabled:
            self._left(context)

    def on_timer(self, context: Context, timer: TimerFired) -> None:
        """A cool-down is over, or it is time to try again."""
        phase = self.state.phase
        if timer.name == TRAIL and phase is Phase.RUNNING and self.state.left_ms is not None:
            self._cooled_down(context)
        elif timer.name == RETRY and phase is Phase.WAITING:
            self._return(context)
        elif timer.name == SETTLE and phase in BETWEEN:
            self._settled(context)

    def on_verdict(self, context: Context, plan: Plan, verdict: Verdict) -> None:
        """A plan was granted, or refused with a reason: then try again later."""
        is_refused = verdict.ruling is Ruling.REJECT
        if plan.name != GRID_PLAN:
            self.state = evolve(self.state, has_closing_orders=not is_refused)
        elif is_refused:
            self._wait(context, verdict.reason, str(verdict.evidence.get("detail", "")))
        elif self.state.attempts or self.state.reason:
            self.state = evolve(self.state, attempts=0, reason="")

    def on_closed(self, context: Context, reason: str) -> None:
        """All orders of a plan are gone: go on with what that was for, or stay out after an exit."""
        phase = self.state.phase
        if reason in (SHIFT, GUARD, RESUME):
            if phase in BETWEEN:
                self._settled(context)
        elif reason != COMPLETED:
            self._stop(context, reason)
        elif phase is Phase.RUNNING:
            self._wait(context, "no_orders_left", "every order was refused for good")
        else:
            self.state = evolve(self.state, has_closing_orders=False)

    def on_resume(self, context: Context) -> None:
        """After a pause or a restart: nothing was called meanwhile, so look at everything again."""
        phase = self.state.phase
        if phase is Phase.STOPPED:
            return
        self._watch_take_profit(context)
        self._judge_trend(context)
        if phase in BETWEEN:
            context.withdraw({Phase.SHIFTING: SHIFT, Phase.PAUSING: GUARD, Phase.RESUMING: RESUME}[phase])
            context.set_timer(SETTLE, context.now_ms + SETTLE_MS)
        elif phase is Phase.WAITING:
            self._return(context)
        elif self.state.is_trending is (phase is Phase.RUNNING):
            self._follow_trend(context)
        elif phase is Phase.RUNNING:
            self._watch_range(context)

    def _begin(self, context: Context, phase: Phase) -> None:
        """Begin as the owner of the pair."""
        self._watch_take_profit(context)
        self._judge_trend(context)
        self.state = evolve(
            self.state, phase=phase, reason="", left_ms=None, attempts=0, has_closing_orders=False
        )

    # -- laying ---------------------------------------------------------------------------------------------

    def _lay_first(self, context: Context) -> None:
        grid_range = first_range(self.config, context.price, self._atr(context), context.instrument)
        self._note_fallback(context, grid_range)
        self._lay(context, grid_range)

    def _lay(self, context: Context, grid_range: Range) -> None:
        """Ask for a grid over a range; wait, and say why, when a trend or the numbers speak against it."""
        laid = evolve(self.state, range=grid_range, left_ms=None, phase=Phase.RUNNING)
        if self.state.is_trending:
            self.state = evolve(laid, phase=self.state.phase)
            self._hold_back(context)
            return
        findings, layout = self._judged(context, grid_range, context.position)
        fatal = next((finding for finding in findings if finding.is_fatal), None)
        if fatal is not None or layout is None:
            self.state = evolve(laid, phase=self.state.phase)
            self._wait(context, *(("no_layout", "") if fatal is None else (fatal.code, fatal.message)))
            return
        self.state = laid
        context.enter(grid_plan(self.config, context.instrument, layout))
        self._watch_range(context)

    def _judged(
        self, context: Context, grid_range: Range, position: PositionView
    ) -> tuple[list[Finding], Layout | None]:
        """What speaks against a grid over a range with a position, and its layout."""
        instrument, price, held = context.instrument, context.price, position.quantity
        # Equal numbers may have other digits, and so would what follows from them.
        digits = f"{grid_range.lower} {grid_range.upper} {grid_range.source} {price} {held}"
        last = self._appraised
        if last is None or last[0] is not instrument or last[1] != digits:
            appraisal = appraised(self.config, instrument, grid_range, price, held)
            last = self._appraised = (instrument, digits, appraisal)
        return last[2].findings(_means(context, position)), last[2].layout

    def _wait(self, context: Context, reason: str, detail: str) -> None:
        """Stay out for now; try again after 1, 2, 4 … 64 candles. A range from ATR is measured anew then.

        Until then only orders that give back what is held rest, each at its level.
        """
        self._say(context, reason, detail=detail)
        self._lay_closing(context)
        attempts = self.state.attempts
        grid_range = None if self.config.bounds is Bounds.ATR else self.state.range
        self.state = evolve(self.state, phase=Phase.WAITING, attempts=attempts + 1, range=grid_range)
        candles = 1 << min(attempts, MAX_DOUBLINGS)
        context.set_timer(RETRY, context.now_ms + candles * timeframe_ms(context.timeframe))

    def _return(self, context: Context) -> None:
        """Lay the grid again where it was, or around the price when trailing and the price has left."""
        grid_range = self.state.range
        if self.state.has_closing_orders:
            self.state = evolve(self.state, phase=Phase.RESUMING)
            context.withdraw(RESUME)
        elif grid_range is None:
            self._lay_first(context)
        elif self.config.trailing_enabled and grid_range.is_left(context.price, self._threshold):
            self._recentre(context, grid_range)
        else:
            self._lay(context, grid_range)

    def _settled(self, context: Context) -> None:
        """The old orders are gone."""
        self.state = evolve(self.state, has_closing_orders=False)
        if self.state.phase is Phase.SHIFTING and self.state.range is not None:
            self._recentre(context, self.state.range)
        elif self.state.is_trending:
            self._hold_back(context)
        else:
            self._return(context)

    def _stop(self, context: Context, reason: str) -> None:
        """After an exit the grid stays out."""
        for name in (TAKE_PROFIT, UP, DOWN):
            context.unwatch(name)
        self.state = evolve(self.state, phase=Phase.STOPPED, reason=reason, has_closing_orders=False)
        context.note("grid_stopped", cause=reason)

    # -- trailing -------------------------------------------------------------------------------------------

    @property
    def _threshold(self) -> Decimal:
        return self.config.trailing_shift_threshold_pct

    def _watch_range(self, context: Context) -> None:
        """Watch both triggers; one that is passed already counts as reached."""
        if not self.config.trailing_enabled or self.state.range is None:
            return
        below, above = self.state.range.triggers(self._threshold)
        price = context.price
        if price < above:
            context.watch_price(UP, above)
        if price > below:
            context.watch_price(DOWN, below)
        if not below < price < above:
            self._left(context)
        elif self.state.left_ms is not None:
            self.state = evolve(self.state, left_ms=None)

    def _left(self, context: Context) -> None:
        """The price has left the range: the cool-down begins."""
        left_ms = context.now_ms if self.state.left_ms is None else self.state.left_ms
        self.state = evolve(self.state, left_ms=left_ms)
        context.set_timer(TRAIL, left_ms + self._cooldown_ms(context))

    def _cooldown_ms(self, context: Context) -> int:
        return self.config.trailing_cooldown_candles * timeframe_ms(context.timeframe)

    def _cooled_down(self, context: Context) -> None:
        """Move the range if the price is still outside; stand still, and say why, if it cannot be moved."""
        old = self.state.range
        if old is None:
            return
        if not old.is_left(context.price, self._threshold):
            self.state = evolve(self.state, left_ms=None, reason="")
            self._watch_range(context)
            return
        new = next_range(self.config, old, context.price, self._atr(context), context.instrument)
        fatal = next(
            (each for each in self._judged(context, new, context.position)[0] if each.is_fatal), None
        )
        if fatal is None:
            self.state = evolve(self.state, phase=Phase.SHIFTING, reason="")
            context.withdraw(SHIFT)
            return
        self._say(context, f"trailing_stands_still:{fatal.code}", detail=fatal.message)
        pause_ms = max(self._cooldown_ms(context), timeframe_ms(context.timeframe))
        context.set_timer(TRAIL, context.now_ms + pause_ms)

    def _recentre(self, context: Context, old: Range) -> None:
        """Lay the grid around the price."""
        price = context.price
        new = next_range(self.config, old, price, self._atr(context), context.instrument)
        self._note_fallback(context, new)
        if new.upper > old.upper:
            self.state = evolve(self.state, shifts_up=self.state.shifts_up + 1)
        else:
            self.state = evolve(self.state, shifts_down=self.state.shifts_down + 1)
        context.note(
            SHIFT, price=plain(price), lower=plain(new.lower), upper=plain(new.upper), mode=new.source
        )
        self._lay(context, new)

    def _atr(self, context: Context) -> float | None:
        if self._range is None:
            return None
        return context.view.value(context.instrument.symbol, context.timeframe, self._range)

    def _note_fallback(self, context: Context, grid_range: Range) -> None:
        """Doing without an ATR is never silent."""
        if grid_range.source != FIXED_FALLBACK:
            return
        self.state = evolve(self.state, fixed_fallbacks=self.state.fixed_fallbacks + 1)
        width = plain(grid_range.upper - grid_range.lower)
        context.note(FIXED_FALLBACK, why=f"atr({self.config.atr_period}) is not available", width=width)

    # -- trend guard and take profit ------------------------------------------------------------------------

    def _judge_trend(self, context: Context) -> None:
        """Trending above one threshold, not trending below the other, as before in between."""
        config = self.config
        if not config.trend_guard_enabled:
            return
        indicator = Adx(config.trend_guard_period)
        adx = context.view.value(context.instrument.symbol, context.timeframe, indicator)
        is_trending = self.state.is_trending
        if adx > float(config.trend_guard_adx):
            is_trending = True
        elif adx < float(config.trend_guard_resume_adx):
            is_trending = False
        if is_trending != self.state.is_trending:
            self.state = evolve(self.state, is_trending=is_trending)

    def _follow_trend(self, context: Context) -> None:
        """A strong trend has begun or ended."""
        phase = self.state.phase
        if self.state.is_trending:
            if phase is Phase.RUNNING:
                self.state = evolve(self.state, phase=Phase.PAUSING, left_ms=None)
                context.withdraw(GUARD)
            elif phase is Phase.WAITING:
                self._hold_back(context)
        elif phase is Phase.PAUSED:
            context.note(RESUME, adx_below=plain(self.config.trend_guard_resume_adx))
            self._return(context)

    def _hold_back(self, context: Context) -> None:
        """Pause: only orders that give back what is held rest."""
        self._say(context, GUARD, adx_above=plain(self.config.trend_guard_adx))
        self.state = evolve(self.state, phase=Phase.PAUSED)
        self._lay_closing(context)

    def _lay_closing(self, context: Context) -> None:
        """Ask for orders that give back what is held, each at its level."""
        if not context.position.quantity:
            return
        instrument, atr = context.instrument, self._atr(context)
        grid_range = self.state.range or first_range(self.config, context.price, atr, instrument)
        if grid_range.lower <= 0:
            return
        layout = lay_out(
            self.config, context.instrument, grid_range, context.price, context.position.quantity
        )
        plan = closing_plan(self.config, context.instrument, layout)
        if plan is not None:
            context.enter(plan)

    def _watch_take_profit(self, context: Context) -> None:
        """Watch the take-profit price; one that is passed already counts as reached."""
        target, price = self.config.take_profit_price, context.price
        if target is None:
            return
        if price <= target if self.config.direction is Direction.SHORT else price >= target:
            context.exit(TAKE_PROFIT)
        else:
            context.watch_price(TAKE_PROFIT, target)

    def _say(self, context: Context, reason: str, **evidence: Any) -> None:
        """Record a reason once, not at every attempt."""
        if reason != self.state.reason:
            self.state = evolve(self.state, reason=reason)
            context.note(reason, **evidence)


def _means(context: Context, position: PositionView) -> Means:
    """Buying power, less what has been lost: realised with fees, and on paper with a position."""
    own = context.position
    realized = own.realized_pnl - own.fees + own.funding
    paper = position.quantity * (context.price - position.average_price)
    return Means(context.budget * context.leverage, max(-realized, ZERO) + max(-paper, ZERO))

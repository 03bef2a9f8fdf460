"""The trend strategy: called at entries and at fills only; stop, break-even, trailing and target are plan rules."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import evolve
from traderagent_core import (
    Candle,
    Candles,
    Columns,
    Context,
    Exhibit,
    Instrument,
    Market,
    Needs,
    OrderFilled,
    OrderNews,
    Plan,
    Problem,
    Release,
    Ruling,
    RunHistory,
    Strategy,
    TimerFired,
    Verdict,
    Wake,
)
from traderagent_core.indicators import Atr
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.ports import PositionView

from traderagent_trend.config import TrendConfig
from traderagent_trend.exhibit import exhibit
from traderagent_trend.limits import limit_reached, with_closed, with_opened
from traderagent_trend.plan import ENTRY, TAKEN_OVER, TREND_PLAN, holding_plan, target_leg, trade_plan
from traderagent_trend.signals import MEMORY, entry_kind, entry_marks, goes_long, indicators
from traderagent_trend.sizing import Sized, size_problem, size_trade
from traderagent_trend.state import TrendState
from traderagent_trend.text import plain
from traderagent_trend.trades import LOOK_BACK, OpenTrade, Trade, finished, with_extremes
from traderagent_trend.viability import problems_before_start

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COMPLETED = "completed"
LEFTOVER = "leftover"
LOST = "entry_lost"
LOOK = "look"
ZERO = Decimal(0)
REJECT = Ruling.REJECT
LINEAR = Market.LINEAR


class TrendStrategy(Strategy):
    """Follows a trend of two moving averages with one position at a time."""

    state_class = TrendState
    config: TrendConfig
    state: TrendState

    def __init__(self, config: TrendConfig) -> None:
        super().__init__(config)
        self._atr = Atr(config.atr_period)

    @classmethod
    def needs(cls, config: TrendConfig) -> Needs:
        """The indicators in use; called at entries, and on fills for the trade log."""
        return Needs(
            indicators=indicators(config),
            look_back=max(LOOK_BACK, config.breakout_candles + MEMORY),
            wake=Wake.CANDIDATES,
            between_plans=True,
        )

    @classmethod
    def candidates(cls, config: TrendConfig, columns: Columns) -> "NDArray[np.bool_]":
        """Closes that begin a trade."""
        return entry_marks(config, columns)

    @classmethod
    def check(
        cls, config: TrendConfig, instrument: Instrument, price: Decimal, budget: Decimal
    ) -> Sequence[Problem]:
        """What speaks against trading here; `budget` is buying power, leverage included."""
        return problems_before_start(config, instrument, price, budget)

    # -- called by the engine -------------------------------------------------------------------------------

    def on_start(self, context: Context) -> None:
        """Wait for the next entry; a trade that is still on is gone on with."""
        self.on_resume(context)

    def on_release(self, context: Context, reason: str) -> Release:  # noqa: ARG002
        """Whoever comes next may go on with a trade whose trend is over; it keeps its stop."""
        return Release.HAND_OVER

    def takes_over(self, context: Context, position: PositionView) -> bool:
        """Whether a position is a trade of this trend: its side, within its risk, and with a target."""
        is_long, quantity = position.quantity > ZERO, abs(position.quantity)
        if self.state.trade is not None or self.config.target_atr is None:
            return False  # A trade without a target has no order that could be laid for it.
        is_with_trend = is_long is goes_long(self.config, context)
        if not is_with_trend or self._limit(context) is not None or not math.isfinite(self._range(context)):
            return False
        sized = self._sized(context, self._equity(context), is_long=is_long)
        taken = evolve(sized, quantity=quantity)
        return (
            quantity <= sized.quantity and size_problem(taken, context.instrument, context.leverage) is None
        )

    def on_take_over(self, context: Context) -> None:
        """Trade what was taken over: a stop and a target as for an entry at the present price."""
        position = context.position
        is_long, quantity = position.quantity > ZERO, abs(position.quantity)
        sized = self._sized(context, self._equity(context), is_long=is_long)
        sized = evolve(sized, quantity=quantity)
        context.enter(holding_plan(self.config, context.instrument, sized))
        trade = self._begin(context, sized, TAKEN_OVER)
        self._opened(trade, context.now_ms, quantity, quantity * position.average_price)

    def on_candle(self, context: Context, candle: Candle) -> None:
        """An entry: trade it unless a trade is on or a limit is reached. What no trade holds is sold first."""
        trade = self.state.trade
        if trade is not None:
            self._settle_lost(context, trade)
        elif _is_flat(context):
            self._enter(context, candle)
        else:
            context.exit(LEFTOVER)

    def on_fill(self, context: Context, fill: OrderFilled, slot: str, *, is_complete: bool) -> None:  # noqa: ARG002
        """A part of an entry has traded; everything else is read off the ledger when the trade is over."""
        trade = self.state.trade
        if slot == ENTRY and trade is not None:
            self._opened(trade, fill.time_ms, fill.quantity, fill.quantity * fill.price)

    def on_verdict(self, context: Context, plan: Plan, verdict: Verdict) -> None:  # noqa: ARG002
        """A plan was granted or refused."""
        if verdict.ruling is REJECT and plan.name == TREND_PLAN:
            self.state = evolve(self.state, trade=None)

    def on_order(self, context: Context, news: OrderNews) -> None:
        """An entry that cannot trade now is given up: its stop and target belong to the price of then."""
        if news.slot == ENTRY and self.state.trade is not None:
            context.exit(f"entry_{news.what}")

    def on_closed(self, context: Context, reason: str) -> None:
        """The trade is over, or only its target was refused: then that is tried once more."""
        trade = self.state.trade
        if trade is None:
            return
        if _is_flat(context):
            self._finish(context, trade, reason)
        elif reason == COMPLETED and trade.target is not None:
            context.place(target_leg(trade.target, is_long=trade.is_long))

    def on_timer(self, context: Context, timer: TimerFired) -> None:
        """A trade may last longer than the view looks back: take in what it shows before that is gone."""
        if timer.name == LOOK and self.state.trade is not None:
            self._look(context, self.state.trade)

    def on_resume(self, context: Context) -> None:
        """Fills, timers and ends that came during the pause were not told."""
        trade = self.state.trade
        if trade is None:
            return
        if _is_flat(context):
            self._settle_lost(context, trade)
        elif trade.quantity:
            self._look(context, trade)
        else:
            quantity = abs(context.position.quantity)
            opened = evolve(trade, is_exact=False)
            self._opened(opened, context.now_ms, quantity, quantity * context.position.average_price)
            self._look(context, self.state.trade or opened)

    # -- called after a run ---------------------------------------------------------------------------------

    def exhibit(self, history: RunHistory) -> Exhibit:
        """The trade log of a run."""
        return exhibit(history)

    # -- entering -------------------------------------------------------------------------------------------

    def _enter(self, context: Context, candle: Candle) -> None:
        equity, limit = self._equity(context), self._limit(context)
        if limit is not None:
            self._say(
                context,
                limit,
                equity=plain(equity),
                day_pnl=plain(self.state.day_pnl),
                losses=self.state.losses,
            )
            return
        sized = self._sized(context, equity, is_long=goes_long(self.config, context))
        problem = size_problem(sized, context.instrument, context.leverage)
        if problem is not None:
            self._say(context, problem[0], detail=problem[1])
            return
        kind = entry_kind(self.config, context, candle, is_long=sized.is_long)
        context.enter(trade_plan(self.config, context.instrument, sized, kind.value))
        self._begin(context, sized, kind.value)

    def _equity(self, context: Context) -> Decimal:
        """The budget with what has been made of it, in quote."""
        position = context.position
        return context.budget + position.realized_pnl - position.fees + position.funding

    def _limit(self, context: Context) -> str | None:
        return limit_reached(self.config, self.state, self._equity(context), context.now_ms)

    def _sized(self, context: Context, equity: Decimal, *, is_long: bool) -> Sized:
        return size_trade(
            self.config,
            context.instrument,
            context.price,
            Decimal(repr(self._range(context))),
            is_long=is_long,
            equity=equity,
            power=min(equity, context.budget) * context.leverage,
        )

    def _range(self, context: Context) -> float:
        """The average true range; nan while it warms up."""
        return context.view.value(context.instrument.symbol, context.timeframe, self._atr)

    def _begin(self, context: Context, sized: Sized, kind: str) -> OpenTrade:
        """Remember a trade that has no fills yet; what the ledger says now is from before it."""
        position = context.position
        costs, gained = position.fees - position.funding, position.realized_pnl
        trade = OpenTrade(kind, sized.is_long, sized.price, sized.stop, sized.target, gained, costs)
        look_ms = self.state.look_ms
        if look_ms <= context.now_ms:  # None is set, or it came when nobody could be called.
            look_ms = self._set_look(context)
        self.state = self.state.with_trade(trade, "", look_ms)
        return trade

    def _set_look(self, context: Context) -> int:
        """Have the candles looked at before the first since now is further away than the view looks back."""
        look_ms = context.now_ms + (LOOK_BACK - MEMORY) * timeframe_ms(context.timeframe)
        context.set_timer(LOOK, look_ms)
        return look_ms

    def _look(self, context: Context, trade: OpenTrade) -> None:
        seen = with_extremes(trade, _candles_since(context, trade)) if trade.quantity else trade
        self.state = self.state.with_trade(seen, self.state.reason, self._set_look(context))

    def _opened(self, trade: OpenTrade, time_ms: int, quantity: Decimal, notional: Decimal) -> None:
        """Take in an execution of the entry."""
        state = self.state
        opened = trade.with_fill(time_ms, quantity, notional)
        if trade.opened_ms:
            self.state = state.with_trade(opened, state.reason, state.look_ms)
        else:
            self.state = with_opened(state, opened)

    # -- ending ---------------------------------------------------------------------------------------------

    def _finish(self, context: Context, trade: OpenTrade, reason: str) -> None:
        """Write the trade down; one that never traded leaves nothing."""
        position = context.position
        gain = position.realized_pnl - trade.gained
        if not trade.quantity:
            self.state = evolve(self.state, trade=None)
            return
        paid = position.fees - position.funding
        candles = _candles_since(context, trade)
        done = finished(trade, candles, reason, context.now_ms, gain, paid - trade.costs)
        capital = context.budget + position.realized_pnl - paid
        self.state = with_closed(self.config, self.state, done, capital, timeframe_ms(context.timeframe))
        self._note(context, done)

    def _note(self, context: Context, done: Trade) -> None:
        context.note(
            "trade_closed",
            entry=done.entry,
            side=done.side,
            ended=done.reason,
            pnl=plain(done.pnl),
            mfe=plain(done.mfe),
            mae=plain(done.mae),
            risk=plain(done.risk),
        )

    def _settle_lost(self, context: Context, trade: OpenTrade) -> None:
        """The end of a trade was not told, as the bot was halted or paused then; or its entry is nowhere."""
        if not _is_flat(context):
            return
        if trade.quantity:
            self._finish(context, trade, "ended_unseen")
        else:
            context.exit(LOST)

    def _say(self, context: Context, reason: str, **evidence: Any) -> None:
        """Record a reason once, not at every entry."""
        if reason != self.state.reason:
            self.state = evolve(self.state, reason=reason)
            context.note(reason, **evidence)


def _is_flat(context: Context) -> bool:
    """Whether nothing is held that could be sold: what no order can be as small as does not count."""
    quantity = context.position.quantity
    if not quantity:
        return True
    instrument = context.instrument
    if instrument.market is LINEAR:
        lots = instrument.round_quantity(abs(quantity))
        return not lots or lots < instrument.min_quantity
    return instrument.size_problem(instrument.round_quantity(abs(quantity)), context.price) is not None


def _candles_since(context: Context, trade: OpenTrade) -> Candles:
    """The closed candles since before the first fill, or since what was seen; as many as the view looks back."""
    since = trade.seen_ms or trade.opened_ms
    count = (context.now_ms - since) // timeframe_ms(context.timeframe) + MEMORY
    return context.view.candles(context.instrument.symbol, context.timeframe, min(count, LOOK_BACK))

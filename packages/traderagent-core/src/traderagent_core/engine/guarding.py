"""The engine's guards: risk modes over the account, daily loss and drawdown of each bot, judged at closes."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from operator import mul
from typing import TYPE_CHECKING

from traderagent_core.account import reasons
from traderagent_core.account.state import Record, Retry
from traderagent_core.coordinator.guards import AccountGuard, EquityBand, ModeWatch
from traderagent_core.engine.allowance import hold_all_back
from traderagent_core.engine.daily_loss import DailyLoss, daily_losses
from traderagent_core.model.timeframe import DAY_MS

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

ZERO = Decimal(0)
MIDNIGHT_TIMER = "~midnight"


class Guards:
    """Judges guards and says in which bands equity may move without anybody having to look."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        setup = engine.setup
        modes = [ModeWatch(name, mode) for name, mode in setup.modes]
        self.account = AccountGuard(modes, setup.balance, setup.balance, setup.balance, setup.balance)
        self._limited = list(daily_losses(engine))
        self._loss_of = {member.name: loss for loss in self._limited for member in loss.members}
        self._capped = [m for m in engine.members.values() if m.needs.max_drawdown is not None]
        self.is_watching = bool(modes or self._limited or self._capped)
        self._found_for: Sequence[Record] | None = None
        self._equity = setup.balance

    @property
    def size_factor(self) -> Decimal:
        """Product of the size factors of all active modes."""
        return self.account.size_factor

    @property
    def is_entry_allowed(self) -> bool:
        """Whether every active mode lets exposure grow."""
        return self.account.is_entry_allowed

    def active_names(self) -> str:
        """Names of the active modes, for reasons."""
        return "+".join(watch.name for watch in self.account.modes if watch.state.is_active)

    @property
    def _cash(self) -> Decimal:
        """Equity without what is held."""
        return self._engine.setup.balance + self._engine.account.money

    def equity(self) -> Decimal:
        """Equity of the account at the last prices."""
        held = self._engine.account.held()
        return self._worth(held, self._engine.view.prices(held))

    def equity_of_step(self) -> Decimal:
        """The same for the parts of the engine: prices stand still inside a step, so it is found once in each."""
        if self._found_for is not self._engine.records:
            self._found_for, self._equity = self._engine.records, self.equity()
        return self._equity

    def _worth(self, held: Mapping[str, Decimal], prices: Iterable[Decimal]) -> Decimal:
        return sum(map(mul, held.values(), prices), self._cash)

    @property
    def sure_equity(self) -> Decimal:
        """What equity is at least, whatever the prices are: the money, or nothing while anything is held short."""
        return ZERO if self._engine.account.is_short else self._cash

    def arm(self) -> None:
        """Make sure to be woken at the next UTC midnight."""
        if self.is_watching:
            self.account.begin(self._engine.now_ms)
            midnight_ms = (self._engine.now_ms // DAY_MS + 1) * DAY_MS
            self._engine.set_timer("", MIDNIGHT_TIMER, midnight_ms)

    def begin_to_watch(self, *, has_watched: bool) -> None:
        """There may be other guards than before: judge by them; where no mode has watched, the peak is of now."""
        if not self.is_watching:
            return
        self.arm()
        if not has_watched:
            self.account.judged = self.account.day_start = self.equity()
            self.account.forget_peak()
        self.judge()

    def forgive_daily_loss(self, member: "Member") -> None:
        """The limit that a bot is past has been changed: it is judged by the new one, if there is one."""
        for each in (member, *self._engine.director.others(member)):
            each.is_over_daily_loss = False
        pair = self._engine.director.pair_of(member)
        bot = member.name if pair is None else pair.setup.bot
        effect = (Decimal(1), True)
        self._engine.record("mode_changed", reasons.daily_loss_of(bot), False, "reload", *effect)

    def judge(self) -> None:
        """Judge everything at the prices of a close, from the start of the account on."""
        if not self.is_watching or not self.account.has_begun:
            return
        engine = self._engine
        is_new_day = engine.now_ms // DAY_MS != self.account.day
        self.account.is_stressed = engine.view.is_stressed()
        self.account.is_halted = engine.halting.is_on
        held = engine.account.held()
        prices = dict(zip(held, engine.view.prices(held), strict=True))
        self._found_for, self._equity = engine.records, self._worth(held, prices.values())
        changed = self.account.judge(engine.now_ms, self._equity, engine.call)
        self._tell(changed)
        freed = [
            member
            for loss in self._losses()
            if loss.judge(engine, prices, is_new_day=is_new_day)
            for member in loss.members
        ]
        for member in self._capped:
            self._judge_drawdown(member)
        halts = next((watch for watch in self.account.modes if watch.state.is_halt), None)
        if halts is not None and not engine.halting.is_on:
            ratio = (self.account.peak - self.account.judged) / self.account.peak
            engine.halting.trigger(
                f"{halts.name}: drawdown {ratio:.4f} of peak equity {self.account.peak:.2f}"
            )
            return
        for member in engine.members.values() if changed else freed:
            engine.planner.retry_blocked(member, Retry.WHEN_ALLOWED)
        if changed and not self.is_entry_allowed:
            hold_all_back(engine, engine.members.values())

    def _tell(self, changed: Sequence[ModeWatch]) -> None:
        """Write down what modes say now, and let it bind."""
        for watch in changed:
            state = watch.state
            effect = (state.size_factor, state.is_entry_allowed)
            self._engine.record("mode_changed", watch.name, state.is_active, state.reason, *effect)
        if changed:
            self._engine.refresh_restriction()

    def forgive(self) -> None:
        """An operator has spoken: a mode that has hung binds nobody any more, until it is asked again."""
        forgiven = self.account.forgive()
        self._tell(forgiven)
        for member in self._engine.members.values() if forgiven else ():
            self._engine.planner.retry_blocked(member, Retry.WHEN_ALLOWED)

    def _losses(self) -> "list[DailyLoss]":
        """The bots with a limit of daily loss; bands of those whose ledger has changed are forgotten."""
        for name in self._engine.account.take_moved() if self._limited else ():
            loss = self._loss_of.get(name)
            if loss is not None:  # What nobody asked for belongs to the house.
                loss.ledger_changed(self._engine.members[name])
        return self._limited

    def went_flat(self, member: "Member") -> None:
        """Nothing is held, so equity stays what it is at every close until the next fill: it may be the peak."""
        member.peak_profit = max(member.peak_profit, member.ledger.flow)

    def _judge_drawdown(self, member: "Member") -> None:
        """Close a bot's position that has cost too much of its peak equity; its peak begins anew from there."""
        if member.exit_reason or not member.ledger.quantity:
            return
        engine = self._engine
        profit = member.ledger.profit(engine.view.price(member.symbol))
        member.peak_profit = max(member.peak_profit, profit)
        floor = _floor(member)
        if profit <= floor:
            engine.record("noted", member.name, reasons.MAX_DRAWDOWN, f"profit={profit}, floor={floor}")
            member.peak_profit = profit
            engine.exits.begin(member, reasons.MAX_DRAWDOWN)

    def begin_anew(self) -> None:
        """A halt is over: equity of now is the peak, and every mode is asked anew."""
        if self.is_watching:
            self.account.judged = self.equity()
            self.account.forget_peak()
            self.judge()

    def bands(self) -> list[EquityBand]:
        """Bands of equity inside which no guard can change its mind; a band may hold nothing any more."""
        bands = []
        engine = self._engine
        if self.account.modes:
            held, base = engine.account.held(), self._cash
            if held or base != self.account.judged:  # Otherwise it has been judged and stays what it is.
                bands.append(self.account.band(base, held))
        bands += [band for loss in self._losses() if (band := loss.band()) is not None]
        for member in self._capped:
            ledger = member.ledger
            if ledger.quantity and not member.exit_reason:
                held = {ledger.symbol: ledger.quantity}
                bands.append(EquityBand(ledger.flow, held, _floor(member), member.peak_profit))
        return bands


def _floor(member: "Member") -> Decimal:
    """The profit at which a bot's equity is its largest drawdown below its peak."""
    assert member.needs.max_drawdown is not None
    budget = member.setup.budget
    return (budget + member.peak_profit) * (1 - member.needs.max_drawdown) - budget

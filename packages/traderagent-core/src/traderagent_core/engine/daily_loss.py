"""The loss of the day of a bot, all its strategies together: past its limit nothing adds until midnight."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING

from attrs import define, field

from traderagent_core.account import reasons
from traderagent_core.coordinator.guards import EquityBand
from traderagent_core.engine.allowance import hold_all_back

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

ZERO = Decimal(0)
at_day_start = attrgetter("day_start_profit")


@define(eq=False)
class DailyLoss:
    """A bot with a limit, in quote currency. What is to be remembered is in its members: each the profit it began the
    day with, and all of them whether the limit is passed.
    What each ledger says is kept, and so are the sums over all of them and their band, until one says another thing.
    """

    bot: str
    symbol: str
    limit: Decimal
    members: "tuple[Member, ...]"
    _sums: tuple[Decimal, Decimal, Decimal] | None = field(default=None, init=False)
    """Flow and quantity of all ledgers together, and the profit at which the limit is passed."""
    _band: EquityBand | None = field(default=None, init=False)
    _flows: dict[str, Decimal] = field(init=False)
    _held: dict[str, Decimal] = field(init=False)
    """Flow and quantity of each ledger, by the name of its strategy and in the order of the members."""

    def __attrs_post_init__(self) -> None:
        self._flows = {member.name: member.ledger.flow for member in self.members}
        self._held = {member.name: member.ledger.quantity for member in self.members}

    @property
    def is_over(self) -> bool:
        """Whether the day has lost too much already."""
        return self.members[0].is_over_daily_loss

    def judge(self, engine: "Engine", prices: Mapping[str, Decimal], *, is_new_day: bool) -> bool:
        """Judge the loss at the prices of a close; true when the bot may add exposure again.

        `prices` are of what the account holds; where a bot and the house hold the opposite, the view is asked.
        """
        if is_new_day:
            return self._begin_day(engine)
        if self.is_over:
            return False
        profit, held, floor = self._sums or self._add_up()
        if held:  # Without a position no price is asked for: there may be none yet.
            profit += held * (prices.get(self.symbol) or engine.view.price(self.symbol))
        if profit <= floor:
            loss = sum([each.day_start_profit - each.profit(engine.view) for each in self.members], ZERO)
            self._turn(engine, f"loss={loss.normalize():f}, limit={self.limit:f}", is_over=True)
        return False

    def _begin_day(self, engine: "Engine") -> bool:
        was_over = self.is_over
        for member in self.members:
            member.day_start_profit = member.profit(engine.view)
        if was_over:
            self._turn(engine, "new day", is_over=False)
        self._sums = self._band = None
        return was_over

    def _turn(self, engine: "Engine", reason: str, *, is_over: bool) -> None:
        for member in self.members:
            member.is_over_daily_loss = is_over
        engine.refresh_restriction()
        effect = (Decimal(1), not is_over)
        engine.record("mode_changed", reasons.daily_loss_of(self.bot), is_over, reason, *effect)
        if is_over:
            hold_all_back(engine, self.members)

    def band(self) -> EquityBand | None:
        """The band of profit in which the limit is not passed, one object while it holds; None when it has been."""
        if self.is_over:
            return None
        if self._band is None:
            flow, held, floor = self._sums or self._add_up()
            self._band = EquityBand(flow, {self.symbol: held} if held else {}, floor, None)
        return self._band

    def ledger_changed(self, member: "Member") -> None:
        """What the ledger of one of the strategies says is another thing now."""
        ledger = member.ledger
        self._flows[member.name], self._held[member.name] = ledger.flow, ledger.position.quantity
        self._sums = self._band = None

    def _add_up(self) -> tuple[Decimal, Decimal, Decimal]:
        flow, held = sum(self._flows.values(), ZERO), sum(self._held.values(), ZERO)
        self._sums = flow, held, sum(map(at_day_start, self.members), ZERO) - self.limit
        return self._sums


def daily_losses(engine: "Engine") -> Iterator[DailyLoss]:
    """Every bot with a limit; the strategies of a pair are one bot."""
    pair_of = {name: pair for pair in engine.setup.pairs for name in pair.members}
    seen: set[str] = set()
    for member in engine.members.values():
        pair, limit = pair_of.get(member.name), member.setup.limits.max_daily_loss
        bot, names = (member.name, (member.name,)) if pair is None else (pair.bot, pair.members)
        if limit is not None and bot not in seen:
            seen.add(bot)
            yield DailyLoss(bot, member.symbol, limit, tuple(engine.members[name] for name in names))

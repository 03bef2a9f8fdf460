"""Gives each bot its share of the active pool, and says what may still be committed when orders ask for it.

Equity is that of the last prices when somebody asks, so that it does not hang on when anything was looked at. What a
bot commits is what its positions have cost and its open orders that add would cost, over its leverage.
"""

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal, Inexact
from functools import reduce
from typing import TYPE_CHECKING

from attrs import frozen

from traderagent_core.account.state import Record
from traderagent_core.coordinator.allocator import (
    Allocation,
    Claim,
    active_pool,
    added_up,
    share_of,
    weight_of,
)
from traderagent_core.engine.setup import AllocationSetup
from traderagent_core.model.position import MONEY_DIGITS

if TYPE_CHECKING:
    from traderagent_core.engine.director import Pair
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

ZERO = Decimal(0)
ONE = Decimal(1)
_EXACT = Context(prec=MONEY_DIGITS, traps=[Inexact])


@frozen(eq=False)
class Claimant:
    """A bot with all its strategies; `capital_share` is at most 1, `pair` is None for a bot of one strategy."""

    bot: str
    capital_share: Decimal
    leverage: Decimal
    members: "tuple[Member, ...]"
    pair: "Pair | None"

    def committed(self) -> Decimal:
        """What the position and open orders that add bind, in quote currency; who is idle has nothing but dust."""
        member = self.members[0] if self.pair is None else self.pair.members.get(self.pair.holder)
        if member is None:
            return ZERO
        ledger = member.ledger
        cost, buys, sells = ledger.position.cost, ledger.open_buys, ledger.open_sells
        if not (cost or buys or sells):
            return ZERO
        return max(cost + buys, sells - cost) / self.leverage

    def closed_trades(self) -> int:
        """Cycles, and positions that have ended."""
        closed = 0
        for member in self.members:
            ledger = member.ledger
            closed += ledger.cycles + ledger.position.closed
        return closed


class Allocating:
    """Answers how much the strategies of an account may commit.

    What each bot binds is kept, and worked out anew only for those whose orders, position or owner have changed. So
    is the sum, unless a leverage such as 3 gives amounts that it would round.
    """

    def __init__(self, engine: "Engine", setup: AllocationSetup) -> None:
        self._engine = engine
        self._config = setup.config
        self._shared_ratio = ONE - setup.config.reserve_ratio
        self._place: dict[str, int] = {}
        self._warm: dict[int, int] = {}
        self._made_for: Sequence[Record] | None = None
        self._active_pool = ZERO
        self._claimants = [
            self._claimant(place, bot, share)
            for place, (bot, share) in enumerate(setup.capital_shares.items())
        ]
        self._bound = [each.committed() for each in self._claimants]
        self._exact_sum = _exact_sum(self._bound)
        self._total_weight = added_up(weight_of(self._config, each.bot) for each in self._claimants)

    def _claimant(self, place: int, bot: str, share: Decimal) -> Claimant:
        members = tuple(self._engine.director.members_of(bot))
        for member in members:
            self._place[member.name] = place
            member.has_limits = True
        pair = self._engine.director.pairs.get(bot)
        return Claimant(bot, share, members[0].setup.leverage, members, pair)

    def equity(self) -> Decimal:
        """Equity at the prices of this step."""
        if self._made_for is not self._engine.records:  # Prices stand still inside one step.
            self._made_for = self._engine.records
            self._active_pool = active_pool(self._config, self._engine.guards.equity_of_step())
        return self._engine.guards.equity_of_step()

    def budget(self, member: "Member") -> Decimal:
        """The share of a strategy's bot, in quote currency before leverage."""
        place = self._place[member.name]
        claimant = self._claimants[place]
        self.equity()
        own = (claimant.bot, claimant.capital_share, self._closed_trades(place))
        return share_of(self._config, self._active_pool, self._total_weight, *own)

    def _closed_trades(self, place: int) -> int:
        """The closed trades of a bot, counted until its cold start is over: it never begins again."""
        closed = self._warm.get(place)
        if closed is None:
            closed = self._claimants[place].closed_trades()
            if closed >= self._config.cold_start_trades:
                self._warm[place] = closed
        return closed

    def granted_ratio(self, member: "Member", notional: Decimal) -> tuple[Decimal, str]:
        """How much of a plan that adds so much may be placed, from 0 to 1, and the numbers behind it."""
        needed = notional / member.setup.leverage
        if not needed:
            return ONE, ""
        place = self._place[member.name]
        claimant, allocation = self._claimants[place], self._allocation(place)
        granted = allocation.granted(claimant.bot, needed)
        if granted >= needed:
            return ONE, ""
        numbers = {
            "needed": needed,
            "available": allocation.available(claimant.bot),
            "committed": allocation.committed,
            "pool": allocation.pool,
        }
        return granted / needed, ", ".join(f"{name}={value:.2f}" for name, value in numbers.items())

    def _allocation(self, place: int) -> Allocation:
        """How things stand for one bot."""
        self.equity()
        committed, claimant = self._committed(), self._claimants[place]
        claim = Claim(claimant.bot, claimant.capital_share, self._bound[place], self._closed_trades(place))
        claims = {claimant.bot: claim}
        return Allocation(self._config, self._active_pool, committed, self._total_weight, claims)

    def lacks_room(self, member: "Member", notional: Decimal) -> bool:
        """Whether one more order that adds so much would commit more than the active pool."""
        needed = self._committed() + notional / member.setup.leverage
        is_priced = self._made_for is self._engine.records
        if not is_priced and needed <= self._engine.guards.sure_equity * self._shared_ratio:
            return False  # Mostly so: no price has to be asked for.
        return needed > self._pool()

    def used_ratio(self) -> Decimal:
        """The committed part of the active pool; 1 when there is no pool."""
        pool = self._pool()
        return self._committed() / pool if pool else ONE

    def _pool(self) -> Decimal:
        return max(self.equity(), ZERO) * self._shared_ratio

    def _committed(self) -> Decimal:
        """What all bots bind now: those that may bind something else by now are looked at again."""
        for name in self._engine.account.take_rebound():
            place = self._place.get(name)
            if place is not None:  # What nobody asked for belongs to the house.
                former, self._bound[place] = self._bound[place], self._claimants[place].committed()
                self._correct(former, self._bound[place])
        return added_up(self._bound) if self._exact_sum is None else self._exact_sum

    def _correct(self, former: Decimal, amount: Decimal) -> None:
        """Keep the sum right, as long as that takes no rounding."""
        if self._exact_sum is not None:
            try:
                self._exact_sum = _EXACT.add(self._exact_sum, _EXACT.subtract(amount, former))
            except Inexact:
                self._exact_sum = None


def _exact_sum(amounts: Iterable[Decimal]) -> Decimal | None:
    """A sum that is not rounded; None where it would be."""
    try:
        return reduce(_EXACT.add, amounts, ZERO)
    except Inexact:
        return None

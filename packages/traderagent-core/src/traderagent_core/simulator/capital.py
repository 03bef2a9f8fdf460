"""What bots had committed over the time of a run: followed from event to event, told by the peak of each step."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from attrs import Factory, define, frozen

from traderagent_core.account.account import Account
from traderagent_core.account.ledger import Ledger

ZERO = Decimal(0)


@frozen
class Committed:
    """The most that was committed within a step of time, and when: altogether, by bot and by strategy, in quote.

    It is what positions have cost and what open orders that add would cost, over the leverage.
    """

    time_ms: int
    total: Decimal
    by_bot: Mapping[str, Decimal]
    by_strategy: Mapping[str, Decimal]


class Change(NamedTuple):
    """What a bot has committed from a time on, and how many trades it has closed: cycles, and positions gone flat."""

    time_ms: int
    bot: str
    committed: Decimal
    closed_trades: int


NOTHING = Committed(0, Decimal(-1), {}, {})


@define(eq=False)
class CapitalSteps:
    """Follows an account that records are folded into; steps begin at whole multiples of `step_ms`."""

    account: Account
    leverages: Mapping[str, Decimal]
    step_ms: int
    steps: list[Committed] = Factory(list)
    changes: list[Change] = Factory(list)
    _now_ms: int = 0
    _touched: set[str] = Factory(set)
    _bots: dict[str, str] = Factory(dict)
    """The bot of each strategy."""
    _by_member: dict[str, Decimal] = Factory(dict)
    _ledgers: dict[str, list[Ledger]] = Factory(lambda: defaultdict(list))
    _known: int = 0
    _total: Decimal = ZERO
    _most: Committed = NOTHING

    def begin(self, time_ms: int) -> None:
        """The first step begins; nothing is committed."""
        self._now_ms = time_ms

    def turn_to(self, time_ms: int) -> None:
        """Everything that happened until now has been taken in; time goes on."""
        if time_ms <= self._now_ms:
            return
        self._settle()
        step = self.step_ms
        while (next_ms := (self._now_ms // step + 1) * step) <= time_ms:
            self.steps.append(self._most)
            self._most = NOTHING
            self._now_ms = next_ms
            if next_ms < time_ms:
                self._note()
        self._now_ms = time_ms

    def touch(self, member: str) -> None:
        """Orders or the position of a strategy have changed."""
        self._touched.add(self._bots.setdefault(member, member.partition(":")[0]))

    def end(self, time_ms: int) -> list[Committed]:
        """The last step, perhaps unfinished; all steps."""
        self.turn_to(time_ms)
        self._settle()
        self.steps.append(self._most)
        return self.steps

    def _settle(self) -> None:
        """Count anew what touched bots have committed; intermediate states of one moment are never seen."""
        if self._touched:
            self._find_ledgers()
        for bot in sorted(self._touched):
            before = after = ZERO
            trades = 0
            for ledger in self._ledgers[bot]:
                trades += ledger.cycles + ledger.position.closed
                bound = self._bound(ledger, bot)
                before += self._by_member.get(ledger.bot, ZERO)
                after += bound
                self._by_member[ledger.bot] = bound
            self._total += after - before
            self.changes.append(Change(self._now_ms, bot, after, trades))
        self._touched.clear()
        self._note()

    def _find_ledgers(self) -> None:
        """Ledgers are made when they are first used, and never go away."""
        if len(self.account.ledgers) == self._known:
            return
        self._ledgers.clear()
        for ledger in self.account.ledgers.values():
            self._ledgers[ledger.bot.partition(":")[0]].append(ledger)
        self._known = len(self.account.ledgers)

    def _bound(self, ledger: Ledger, bot: str) -> Decimal:
        cost, buys, sells = ledger.position.cost, ledger.open_buys, ledger.open_sells
        if not (cost or buys or sells):
            return ZERO
        return max(cost + buys, sells - cost, abs(cost)) / self.leverages.get(bot, Decimal(1))

    def _note(self) -> None:
        if self._total > self._most.total:
            by_bot: dict[str, Decimal] = defaultdict(lambda: ZERO)
            by_strategy: dict[str, Decimal] = defaultdict(lambda: ZERO)
            for member, bound in self._by_member.items():
                if bound:
                    bot, _, strategy = member.partition(":")
                    by_bot[bot] += bound
                    by_strategy[strategy or bot] += bound
            self._most = Committed(self._now_ms, self._total, dict(by_bot), dict(by_strategy))

"""What bots had committed over the time of a run: followed from event to event, told by the peak of each step."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from attrs import Factory, define, frozen

from traderagent_core.account.ledger import Ledger

ZERO, ONE = Decimal(0), Decimal(1)


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
class _BotCapital:
    """What one bot has committed: in the ledgers that have committed anything, and altogether."""

    name: str
    leverage: Decimal
    bounds: dict[Ledger, Decimal] = Factory(dict)
    committed: Decimal = ZERO
    closed: dict[Ledger, int] = Factory(dict)
    """Trades that each ledger has closed."""

    def take(self, ledger: Ledger) -> None:
        """Count a ledger anew."""
        position, buys, sells = ledger.position, ledger.open_buys, ledger.open_sells
        self.closed[ledger] = ledger.cycles + position.closed
        cost = position.cost
        if cost or buys or sells:
            self.bounds[ledger] = max(cost + buys, sells - cost, abs(cost)) / self.leverage
        else:
            self.bounds.pop(ledger, None)


@define(eq=False)
class CapitalSteps:
    """Follows ledgers that records are folded into; steps begin at whole multiples of `step_ms`."""

    leverages: Mapping[str, Decimal]
    step_ms: int
    steps: list[Committed] = Factory(list)
    changes: list[Change] = Factory(list)
    _now_ms: int = 0
    _touched: dict[Ledger, None] = Factory(dict)
    _bots: dict[str, _BotCapital] = Factory(dict)
    _owners: dict[Ledger, _BotCapital] = Factory(dict)
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

    def touch(self, ledger: Ledger) -> None:
        """Open orders or the position of a ledger have changed."""
        self._touched[ledger] = None

    def end(self, time_ms: int) -> list[Committed]:
        """The last step, perhaps unfinished; all steps."""
        self.turn_to(time_ms)
        self._settle()
        self.steps.append(self._most)
        return self.steps

    def _settle(self) -> None:
        """Count anew what touched ledgers have committed; intermediate states of one moment are never seen."""
        bots = {}
        for ledger in self._touched:
            bot = self._owners.get(ledger) or self._owner(ledger)
            bots[bot.name] = bot
            bot.take(ledger)
        for name in sorted(bots):
            bot = bots[name]
            before, bot.committed = bot.committed, sum(bot.bounds.values(), ZERO)
            self._total += bot.committed - before
            self.changes.append(Change(self._now_ms, name, bot.committed, sum(bot.closed.values())))
        self._touched.clear()
        self._note()

    def _owner(self, ledger: Ledger) -> _BotCapital:
        """The bot of a ledger that is met for the first time."""
        name = ledger.bot.partition(":")[0]
        bot = self._bots.get(name)
        if bot is None:
            bot = self._bots[name] = _BotCapital(name, self.leverages.get(name, ONE))
        self._owners[ledger] = bot
        return bot

    def _note(self) -> None:
        if self._total > self._most.total:
            by_bot: dict[str, Decimal] = defaultdict(lambda: ZERO)
            by_strategy: dict[str, Decimal] = defaultdict(lambda: ZERO)
            for bot, own in self._bots.items():
                for ledger, bound in own.bounds.items():
                    if bound:
                        by_bot[bot] += bound
                        by_strategy[ledger.bot.partition(":")[2] or bot] += bound
            self._most = Committed(self._now_ms, self._total, dict(by_bot), dict(by_strategy))

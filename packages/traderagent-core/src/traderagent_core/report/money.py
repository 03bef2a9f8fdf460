"""Money as rows of text: by bot or by each of its strategies, and by strategy over all pairs."""

from collections.abc import Iterator, Sequence
from functools import reduce

from traderagent_core.config.schema import AUTO
from traderagent_core.model.position import MONEY
from traderagent_core.report import display
from traderagent_core.report.cautions import unattributed
from traderagent_core.report.coordination_tables import grouped, strategy_of
from traderagent_core.simulator.outcome import BotMoney, Outcome

PARTS_HEAD = ("Cycles", "Cycle profit", "Trend PnL", "Fees", "Funding", "Change")
MONEY_HEAD = ("Bot", "Symbol", "Strategy", *PARTS_HEAD)
STRATEGY_HEAD = ("Strategy", "Pairs", *PARTS_HEAD)


def money_rows(outcome: Outcome) -> list[tuple[str, ...]]:
    """Money of each strategy of each bot, and its total; what belongs to no bot has a row of its own."""
    rows = [(each.bot, each.symbol, each.strategy, *_parts([each])) for each in outcome.money]
    return [*rows, *_totals(outcome)]


def bot_rows(outcome: Outcome) -> list[tuple[str, ...]]:
    """The same, with the strategies of a bot in one row."""
    rows = [(bot, own[0].symbol, strategy, *_parts(own)) for bot, strategy, own in _by_bot(outcome)]
    return [*rows, *_totals(outcome)]


def bots_told(outcome: Outcome) -> list[str]:
    """Each bot with its strategy, in words."""
    return [f"{bot} ({strategy})" for bot, strategy, _ in _by_bot(outcome)]


def _by_bot(outcome: Outcome) -> Iterator[tuple[str, str, list[BotMoney]]]:
    """Each bot, its strategy or that it switches between several, and what belongs to it."""
    for bot, own in grouped(outcome.money, lambda each: each.bot.partition(":")[0]).items():
        yield bot, AUTO if own[0].bot != bot else own[0].strategy, own


def strategy_rows(outcome: Outcome) -> list[tuple[str, ...]]:
    """Money of the strategies that are chosen by regime, each over all the pairs on which it has traded."""
    switched = [each for each in outcome.money if ":" in each.bot]
    return [
        (name, display.count(sum(_has_traded(each) for each in own)), *_parts(own))
        for name, own in grouped(switched, lambda each: strategy_of(each.bot)).items()
    ]


def _has_traded(money: BotMoney) -> bool:
    return bool(money.fees or money.net_profit or money.quantity)


def _parts(rows: Sequence[BotMoney]) -> tuple[str, ...]:
    """The cells of `PARTS_HEAD` for the sum of some rows."""
    parts = [(each.cycle_profit, each.trend_pnl, -each.fees, each.funding, each.net_profit) for each in rows]
    sums = [reduce(MONEY.add, column) for column in zip(*parts, strict=True)]
    cycles = sum(each.cycles for each in rows)
    return (display.count(cycles), *(display.money(each, signed=True) for each in sums))


def _totals(outcome: Outcome) -> list[tuple[str, ...]]:
    rest, change = unattributed(outcome), outcome.final_equity - outcome.starting_balance
    rows = [("(no bot)", rest)] if rest else []
    return [
        (name, *[""] * 7, display.money(each, signed=True)) for name, each in [*rows, ("Account", change)]
    ]

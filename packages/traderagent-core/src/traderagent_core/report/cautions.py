"""What a reader must know before believing the figures of a run."""

from collections.abc import Iterable
from decimal import Decimal

from traderagent_core.model.position import money_context
from traderagent_core.model.timeframe import MINUTE_MS
from traderagent_core.report.metrics import Metrics
from traderagent_core.simulator.outcome import Outcome

_FEW_TRADES = 30
_FEW_DAYS = 30
_MANY_AMBIGUOUS = 0.05


def cautions(outcome: Outcome, metrics: Metrics) -> tuple[str, ...]:
    """Warnings of the run itself (`assumptions["warnings"]`), then those that follow from its figures."""
    said = outcome.assumptions.get("warnings", ())
    own = [said] if isinstance(said, str) else list(said)
    found = (*_of_the_sample(metrics), *_of_the_data(outcome, metrics), *_of_the_end(metrics))
    return (*map(str, own), *outcome.study.failures, *found)


def unattributed(outcome: Outcome) -> Decimal:
    """Change of the account's equity that belongs to no bot: fills nobody asked for, rounding."""
    with money_context():
        parts = sum((money.net_profit for money in outcome.money), Decimal(0))
        return outcome.final_equity - outcome.starting_balance - parts


def _of_the_sample(metrics: Metrics) -> Iterable[str]:
    if metrics.fills == 0:
        yield "Nothing was traded: no order was filled."
    elif metrics.trades < _FEW_TRADES:
        yield f"Few closed trades ({metrics.trades}): win rate and profit factor say little."
    if 0 < metrics.days < _FEW_DAYS:
        yield f"The run covers {metrics.days:.1f} days: annualised figures are extrapolated."


def _of_the_data(outcome: Outcome, metrics: Metrics) -> Iterable[str]:
    share = metrics.ambiguous_fills_ratio
    if share is not None and share > _MANY_AMBIGUOUS:
        yield (
            f"{share * 100:.1f} % of the fills are ambiguous: their order inside a candle is assumed;"
            " finer candles or a run over all paths narrow it."
        )
    coarse = sorted({c.timeframe for c in outcome.candles.values() if c.duration_ms > MINUTE_MS})
    if coarse and metrics.cycles:
        yield (
            f"Judged on {', '.join(coarse)} candles: on candles coarser than minutes a dense grid can be off"
            " by 12–20 % in profit."
        )


def _of_the_end(metrics: Metrics) -> Iterable[str]:
    if metrics.final_equity <= 0:
        yield "The account was lost: the final equity is not above zero."

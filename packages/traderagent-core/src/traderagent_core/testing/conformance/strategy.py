"""The conformance kit for strategies.

from traderagent_core.testing.conformance.strategy import StrategyConformance

class TestMine(StrategyConformance):
    strategy_class = MyStrategy
    configs = [MyConfig(levels=10)]
"""

from traderagent_core.testing.comparing import refuse
from traderagent_core.testing.conformance.base import Subject, cases
from traderagent_core.testing.conformance.causality import Causality
from traderagent_core.testing.conformance.determinism import Determinism
from traderagent_core.testing.conformance.memory import Memory
from traderagent_core.testing.conformance.operation import Operation
from traderagent_core.testing.conformance.specification import Specification
from traderagent_core.testing.conformance.venue import Venue

__all__ = ["StrategyConformance", "Subject"]


class StrategyConformance(Specification, Determinism, Memory, Causality, Venue, Operation):
    """Inherit this in a test module, once for each strategy, and name what is to be examined.

    `strategy_class` and `configs` (or `config()`) are needed. All else has defaults: `instruments` (or
    `instrument()`), `timeframe`, `price` at which the made-up markets open, `budget` in quote currency, `leverage`,
    `rows` of candles in each run beside what indicators need, `stop_placement`, `max_orders_per_candle`. Own candles
    come from `candles(instrument, rows)`: a mapping that has a market called `gappy`. Every case runs for every
    configuration on every instrument. A case is left out with `skips = {"test_…": "the reason"}`, never by
    overriding it.
    """

    def test_no_case_is_overridden_or_skipped_without_a_reason(self) -> None:
        """A case that does not suit a strategy is skipped for all to see.

        Mend: name the case in `skips`, with the reason, instead of overriding it.
        """
        known = dict(cases(StrategyConformance))
        overridden = [name for name, case in cases(type(self)) if name in known and case is not known[name]]
        if overridden:
            refuse(
                expected="the cases of the kit as they are",
                found=f"{', '.join(overridden)} overridden",
                mend='write skips = {"test_…": "the reason"} instead',
            )
        wrong = [name for name, reason in self.skips.items() if name not in known or not reason.strip()]
        if wrong:
            refuse(
                expected=f"in skips, names of cases with reasons; the cases are {', '.join(sorted(known))}",
                found=f"{', '.join(wrong)}, unknown or without a reason",
                mend="correct the name, or state the reason",
            )

"""The conformance kit for strategies.

from traderagent_core.testing.conformance.strategy import StrategyConformance

class TestMine(StrategyConformance):
    strategy_class = MyStrategy
    configs = [MyConfig(levels=10)]
"""

from traderagent_core.testing.conformance.causality import Causality
from traderagent_core.testing.conformance.determinism import Determinism
from traderagent_core.testing.conformance.memory import Memory
from traderagent_core.testing.conformance.operation import Operation
from traderagent_core.testing.conformance.specification import Specification
from traderagent_core.testing.conformance.subjects import Subject
from traderagent_core.testing.conformance.turns import Turns
from traderagent_core.testing.conformance.venue import Venue

__all__ = ["StrategyConformance", "Subject"]


class StrategyConformance(Specification, Determinism, Memory, Causality, Venue, Operation, Turns):
    """Inherit this in a test module, once for each strategy, and name what is to be examined.

    `strategy_class` and `configs` (or `config()`) are needed. All else has defaults: `instruments` (or
    `instrument()`), `timeframe`, `price` at which the made-up markets open, `budget` in quote currency, `leverage`,
    `rows` of candles in each run beside what indicators need, `stop_placement`, `max_orders_per_candle`. Own candles
    come from `candles(instrument, rows)`: a mapping that has a market called `gappy`. Every case runs for every
    configuration on every instrument. A case is left out with `skips = {"test_…": "the reason"}`, never by
    overriding it.
    """

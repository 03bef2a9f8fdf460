"""The conformance kit for entry filters.

from traderagent_core.testing import EntryFilterConformance

class TestMine(EntryFilterConformance):
    filter_class = MyFilter
    configs = [MyConfig(period=20)]
"""

from traderagent_core.testing.conformance.filter_time import FilterTime
from traderagent_core.testing.conformance.filter_verdicts import FilterVerdicts

__all__ = ["EntryFilterConformance"]


class EntryFilterConformance(FilterVerdicts, FilterTime):
    """Inherit this in a test module, once for each filter, and name what is to be examined.

    `filter_class` and `configs` (or `config()`) are needed. All else has defaults: `instruments` (or
    `instrument()`), `timeframe` of the candles at hand, `price` at which the made-up markets open, `rows` of candles,
    `max_rows_per_candle` that may be read for one more candle. Own candles come from `candles(instrument, rows)`: a
    mapping that has a market called `ranging`; own plans from `plans(subject, price)`. Every case runs for every
    configuration on every instrument. A case is left out with `skips = {"test_…": "the reason"}`, never by
    overriding it.
    """

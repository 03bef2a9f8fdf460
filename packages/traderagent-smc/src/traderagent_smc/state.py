"""What the filter remembers: now and then a checkpoint of each symbol, from which the candles since lead to now.

The detectors' own objects change with every candle and are not part of the state: they follow from the last
checkpoint and the candles that the market view still has, to the last bit.
"""

import json
from typing import Any

from attrs import Factory, evolve, frozen

from traderagent_smc import codec
from traderagent_smc.config import CHECKPOINT_CANDLES, SmcConfig
from traderagent_smc.market import SymbolMarket

SCHEMA_VERSION = 3


@frozen
class Checkpoint:
    """All of a symbol as JSON text, when its base timeframe had `count` candles."""

    count: int
    text: str


@frozen
class SmcState:
    """The checkpoints by symbol."""

    schema_version: int = SCHEMA_VERSION
    checkpoints: dict[str, Checkpoint] = Factory(dict)

    def with_checkpoint(self, market: SymbolMarket) -> "SmcState":
        """The state with a new checkpoint where one is due, else the same object."""
        usable = market.usable
        if not usable:
            return self
        count, last = usable[-1].count, self.checkpoints.get(market.symbol)
        if last is not None and last.count <= count < last.count + CHECKPOINT_CANDLES:
            return self
        fresh = Checkpoint(count, json.dumps(_saved(market), allow_nan=False, check_circular=False))
        return evolve(self, checkpoints={**self.checkpoints, market.symbol: fresh})

    def market(self, symbol: str, config: SmcConfig) -> SymbolMarket:
        """A symbol as of its last checkpoint; anew without one, or with one that does not fit any more."""
        market = SymbolMarket(symbol, config)
        last = self.checkpoints.get(symbol)
        if last is None:
            return market
        saved = json.loads(last.text)
        if self.schema_version != SCHEMA_VERSION or saved["config"] != config.model_dump(mode="json"):
            market.notes["the saved state is left out"] = "it is of another version or configuration"
            return market
        market.first_open_ms = saved["first_open_ms"]
        market.notes = dict(saved["notes"])
        market.analyses = {name: codec.load(saved["analyses"][name]) for name in market.analyses}
        return market


def _saved(market: SymbolMarket) -> dict[str, Any]:
    return {
        "config": market.config.model_dump(mode="json"),
        "first_open_ms": market.first_open_ms,
        "notes": dict(market.notes),
        "analyses": {name: codec.save(analysis) for name, analysis in market.analyses.items()},
    }

"""What a venue can do through its adapter, declared before anything is connected."""

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from attrs import field, frozen
from attrs.validators import deep_mapping, ge, in_, instance_of

from traderagent_core.model.instrument import Market
from traderagent_core.model.order import OrderType
from traderagent_core.model.timeframe import DAY_MS

StopPlacement = Literal["attached", "resting", "engine"]
"""How stops are held: travelling with the entry, as an order of their own, or as a price watch of the engine."""

POSITIVE = [instance_of(int), ge(1)]
NOT_NEGATIVE = [instance_of(int), ge(0)]


def _markets(markets: Iterable[Market]) -> tuple[Market, ...]:
    """In the order of the words, whatever order they were given in."""
    given = frozenset(markets)
    return tuple(market for market in Market if market in given)


def _types(types: Iterable[OrderType]) -> tuple[OrderType, ...]:
    given = frozenset(types)
    return tuple(kind for kind in OrderType if kind in given)


@frozen
class Capabilities:
    """What can be asked of an adapter. The driver plans by it, and the conformance kit holds the adapter to it."""

    markets: tuple[Market, ...] = field(converter=_markets)
    timeframes: tuple[str, ...]
    order_types: tuple[OrderType, ...] = field(default=tuple(OrderType), converter=_types)
    stop_placements: Mapping[Market, StopPlacement] = field(
        factory=dict, validator=deep_mapping(instance_of(Market), in_(("attached", "resting", "engine")))
    )
    can_amend: bool = False
    can_post_only: bool = True
    can_reduce_only: bool = True
    has_hedge_mode: bool = False
    has_funding: bool = False
    largest_batch: int = field(default=1, validator=POSITIVE)
    client_id_pattern: str = r"[A-Za-z0-9_-]{1,36}"
    time_step_ms: int = field(default=1, validator=POSITIVE)
    request_lifetime_ms: int = field(default=5_000, validator=POSITIVE)
    visibility_ms: int = field(default=0, validator=NOT_NEGATIVE)
    order_history_ms: int = field(default=DAY_MS, validator=NOT_NEGATIVE)
    execution_history_ms: int = field(default=7 * DAY_MS, validator=NOT_NEGATIVE)
    candles_per_request: int = field(default=1000, validator=POSITIVE)

    def stop_placement(self, market: Market) -> StopPlacement:
        """How stops of positions in a market are held; by the engine unless the venue can."""
        return self.stop_placements.get(market, "engine")

    def takes_client_id(self, client_order_id: str) -> bool:
        """Whether the venue takes an id as it is."""
        return re.fullmatch(self.client_id_pattern, client_order_id) is not None

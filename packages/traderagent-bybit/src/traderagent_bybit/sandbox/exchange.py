"""The venue model with fills in parts: depth without end, but the counterparties are several."""

from collections.abc import Sequence
from decimal import Decimal

from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.market import VenueOrder


class PartingExchange(SimulatedExchange):
    """Splits each fill into up to `parts` executions, on the lot."""

    parts: int = 1

    def _parts(self, order: VenueOrder, quantity: Decimal) -> Sequence[Decimal]:
        if self.parts <= 1 or not quantity:
            return super()._parts(order, quantity)
        step = self.markets[order.request.symbol].instrument.lot_size
        share = max(quantity / self.parts // step * step, step)
        parts: list[Decimal] = []
        while quantity > share and len(parts) < self.parts - 1:
            parts.append(share)
            quantity -= share
        return [*parts, quantity]

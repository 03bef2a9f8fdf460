"""The stop-loss of a position: it is set with an entry, and its order at Bybit has no id of ours.

A position has one such stop; in hedge mode each of the two has its own. Which order is ours follows from the price at
which it first shows; a stop that somebody else has set keeps its empty id: it is not ours to touch.
"""

from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import define, field
from traderagent_core import OrderRequest
from traderagent_core.model.order import AttachedStop

from traderagent_bybit.adapter import fields, translate
from traderagent_bybit.adapter.symbols import Symbols, index_of, theirs

MOST_REMEMBERED = 1_000


def trigger(symbol: str) -> dict[str, Any]:
    """Of the whole position, at the market, by the last price."""
    return {"positionIdx": index_of(symbol), "tpslMode": "Full", "slTriggerBy": "LastPrice"}


def is_stop_loss(row: Mapping[str, Any]) -> bool:
    """Whether a row of an order or an execution is of the stop-loss of a position."""
    return row.get("stopOrderType") == "StopLoss"


@define
class _Stop:
    """The newest of a position, with every price that was asked for."""

    name: str
    prices: set[Decimal] = field(factory=set)


class PositionStops:
    """Which id of ours the stop-loss of each position has."""

    def __init__(self, symbols: Symbols) -> None:
        self._symbols = symbols
        self._newest: dict[tuple[str, int], _Stop] = {}
        self._names: OrderedDict[str, str] = OrderedDict()
        """Our ids by Bybit's."""

    def learn(self, symbol: str, stop: AttachedStop, venue_order_id: str = "") -> None:
        """A stop travels with an entry, or is asked for at another price, or is recalled."""
        place = _place(symbol)
        known = self._newest.get(place)
        if known is None or known.name != stop.client_order_id:
            known = self._newest[place] = _Stop(stop.client_order_id)
        known.prices.add(stop.price)
        if venue_order_id:
            self._remember(venue_order_id, stop.client_order_id)

    def body_of(self, request: OrderRequest) -> dict[str, Any]:
        """An order as `order/create` takes it, with the stop that it carries."""
        body, stop = translate.order_body(request), request.attached_stop
        if stop is not None:
            self.learn(request.symbol, stop)
            body |= {**trigger(request.symbol), "stopLoss": translate.plain(stop.price)}
        return body

    def has(self, symbol: str, client_order_id: str) -> bool:
        """Whether a stop is the one that the position of a symbol has, or would have."""
        known = self._newest.get(_place(symbol))
        return known is not None and known.name == client_order_id

    def orders_of(self, client_order_id: str) -> list[str]:
        """Bybit's ids of a stop, as far as they have shown, the newest first."""
        return [theirs for theirs, name in reversed(self._names.items()) if name == client_order_id]

    def named(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """A row of an order or an execution, with our id if it is that of a stop of ours."""
        if not is_stop_loss(row) or fields.text(row, "orderLinkId"):
            return row
        order_id = fields.name(row, "orderId")
        name = self._names.get(order_id) or self._meant_by(row)
        if name is None:
            return row
        self._remember(order_id, name)
        return {**row, "orderLinkId": name}

    def _meant_by(self, row: Mapping[str, Any]) -> str | None:
        """An execution does not tell the trigger: then it is that of the newest."""
        known = self._newest.get(_place(self._symbols.of_row(row)))
        if known is None:
            return None
        is_ours = "execId" in row or fields.amount(row, "triggerPrice") in known.prices
        return known.name if is_ours else None

    def _remember(self, order_id: str, name: str) -> None:
        self._names[order_id] = name
        if len(self._names) > MOST_REMEMBERED:
            self._names.popitem(last=False)


def _place(symbol: str) -> tuple[str, int]:
    """The position that a symbol of ours means, as Bybit has it."""
    return theirs(symbol), index_of(symbol)

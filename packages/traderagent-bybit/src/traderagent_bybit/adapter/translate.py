"""Between Bybit's words and ours; numbers are Decimal of their text."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from traderagent_core import (
    Candles,
    FundingRate,
    Instrument,
    Liquidity,
    Market,
    OrderFilled,
    OrderReport,
    OrderRequest,
    OrderStatus,
    OrderType,
    PositionReport,
    Side,
)

from traderagent_bybit.adapter import fields
from traderagent_bybit.adapter.symbols import index_of, theirs

INTERVALS = {
    "1m": "1",
    "3m": "3",
    "5m": "5",
    "15m": "15",
    "30m": "30",
    "1h": "60",
    "2h": "120",
    "4h": "240",
    "6h": "360",
    "12h": "720",
    "1d": "D",
}
STATUSES = {
    "New": OrderStatus.OPEN,
    "PartiallyFilled": OrderStatus.PARTIALLY_FILLED,
    "Untriggered": OrderStatus.OPEN,
    "Triggered": OrderStatus.OPEN,
    "Filled": OrderStatus.FILLED,
    "Cancelled": OrderStatus.CANCELED,
    "PartiallyFilledCanceled": OrderStatus.CANCELED,
    "Deactivated": OrderStatus.CANCELED,
    "Rejected": OrderStatus.REJECTED,
}
TRADES = ("Trade", "BustTrade", "AdlTrade", "Delivery", "Settle")


def plain(value: Decimal) -> str:
    """A number without exponent."""
    return f"{value:f}"


def instrument(row: Mapping[str, Any], maker_fee: Decimal, taker_fee: Decimal) -> Instrument:
    """Steps, limits and leverage of a row of instruments-info."""
    lots = row["lotSizeFilter"]
    return Instrument(
        f"{fields.name(row, 'baseCoin')}/{fields.name(row, 'quoteCoin')}",
        Market.LINEAR,
        tick_size=fields.positive(row["priceFilter"], "tickSize"),
        lot_size=fields.positive(lots, "qtyStep"),
        min_quantity=fields.quantity(lots, "minOrderQty"),
        min_notional=fields.amount_or_zero(lots, "minNotionalValue"),
        maker_fee_ratio=maker_fee,
        taker_fee_ratio=taker_fee,
        max_leverage=fields.positive(row["leverageFilter"], "maxLeverage"),
        max_quantity=fields.positive(lots, "maxOrderQty"),
        max_market_quantity=fields.positive(lots, "maxMktOrderQty"),
    )


def order_body(request: OrderRequest) -> dict[str, Any]:
    """An order as `order/create` takes it."""
    body: dict[str, Any] = {
        "category": "linear",
        "symbol": theirs(request.symbol),
        "side": "Buy" if request.side is Side.BUY else "Sell",
        "orderType": "Limit" if request.type is OrderType.LIMIT else "Market",
        "qty": "0" if request.closes_position else plain(request.quantity),
        "orderLinkId": request.client_order_id,
        "positionIdx": index_of(request.symbol),
    }
    if request.reduce_only:
        body["reduceOnly"] = True
    if request.closes_position:
        body["closeOnTrigger"] = True
    if request.type is OrderType.LIMIT and request.price is not None:
        body["price"] = plain(request.price)
        body["timeInForce"] = "PostOnly" if request.post_only else "GTC"
    if request.type is OrderType.STOP and request.price is not None:
        body["triggerPrice"] = plain(request.price)
        body["triggerDirection"] = 1 if request.side is Side.BUY else 2
        body["triggerBy"] = "LastPrice"
    return body


def type_of(row: Mapping[str, Any]) -> OrderType:
    """Conditional orders at the market are stops, whatever has become of them."""
    if fields.name(row, "orderType") == "Limit":
        return OrderType.LIMIT
    return OrderType.STOP if fields.amount_or_zero(row, "triggerPrice") else OrderType.MARKET


def price_of(row: Mapping[str, Any]) -> Decimal | None:
    """The limit or trigger; a market order has none."""
    match type_of(row):
        case OrderType.LIMIT:
            return fields.positive(row, "price")
        case OrderType.STOP:
            return fields.positive(row, "triggerPrice")
    return None


LOST = {
    "CancelByTpSlTsClear": "reduce_only_without_position",
    "CancelByReduceOnly": "reduce_only_without_position",
    "CancelByPrepareLiq": "liquidation",
    "CancelAllBeforeLiq": "liquidation",
}
"""Ends that mean something to the engine, by `cancelType`."""


def code_of(row: Mapping[str, Any]) -> str:
    """Why an order ended: in our word where there is one, else in Bybit's."""
    kind, reason = str(row.get("cancelType") or ""), str(row.get("rejectReason") or "")
    return LOST.get(kind) or (reason if reason not in ("", "EC_NoError") else kind)


def report(row: Mapping[str, Any], symbol: str) -> OrderReport:
    """An order of a read."""
    return OrderReport(
        fields.text(row, "orderLinkId"),
        fields.name(row, "orderId"),
        symbol,
        fields.side(row),
        type_of(row),
        fields.quantity(row, "qty"),
        fields.quantity(row, "cumExecQty"),
        price_of(row),
        STATUSES.get(fields.name(row, "orderStatus"), OrderStatus.UNKNOWN),
        fields.flag(row, "reduceOnly"),
        fields.flag(row, "closeOnTrigger"),
        code_of(row),
    )


def fill(row: Mapping[str, Any], symbol: str) -> OrderFilled:
    """An execution, of a read or of the stream."""
    return OrderFilled(
        fields.time_ms(row, "execTime"),
        fields.text(row, "orderLinkId"),
        fields.name(row, "execId"),
        symbol,
        fields.side(row),
        fields.positive(row, "execPrice"),
        fields.positive(row, "execQty"),
        fields.amount(row, "execFee"),
        Liquidity.MAKER if fields.flag(row, "isMaker") else Liquidity.TAKER,
    )


def position(row: Mapping[str, Any], symbol: str) -> PositionReport:
    """A position that is not flat."""
    size = fields.positive(row, "size")
    liquidation = fields.amount_or_zero(row, "liqPrice")
    return PositionReport(
        symbol,
        size if fields.side(row) is Side.BUY else -size,
        fields.positive(row, "avgPrice"),
        fields.amount_or_zero(row, "leverage") or Decimal(1),
        liquidation or None,
    )


def candles(symbol: str, timeframe: str, rows: Sequence[Sequence[str]]) -> Candles:
    """Klines, oldest first."""
    table = [[float(cell) for cell in row[1:6]] for row in rows]
    columns = np.array(table, dtype=np.float64).reshape(len(rows), 5).T
    if not np.isfinite(columns).all() or not (columns[:4] > 0).all() or not (columns[4] >= 0).all():
        raise fields.NonsenseError("a candle with a price or volume that cannot be")
    times = np.array([fields.time_ms(row, 0) for row in rows], dtype=np.int64)
    return Candles(symbol, timeframe, times, *(column.copy() for column in columns))


def funding_rate(row: Mapping[str, Any]) -> FundingRate:
    """A settled rate."""
    return FundingRate(fields.time_ms(row, "fundingRateTimestamp"), fields.amount(row, "fundingRate"))

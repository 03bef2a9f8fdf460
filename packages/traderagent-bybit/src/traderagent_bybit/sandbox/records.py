"""What an account remembers: orders, executions, closed trades and money movements, as Bybit names them."""

from decimal import Decimal
from typing import Any

from attrs import Factory, define, frozen

from traderagent_bybit.sandbox.contracts import Contract, Leg
from traderagent_bybit.sandbox.numbers import ZERO, plain, plain_or_empty

OPEN_STATUSES = frozenset({"New", "PartiallyFilled", "Untriggered", "Triggered"})
TRIGGERED_BY = ("LastPrice", "MarkPrice", "IndexPrice")


@define(eq=False)
class Tpsl:
    """Take profit and stop-loss as they travel with an order or are set on a position; zero is none."""

    take_profit: Decimal = ZERO
    stop_loss: Decimal = ZERO
    tp_trigger_by: str = ""
    sl_trigger_by: str = ""
    mode: str = ""
    tp_order_type: str = "Market"
    sl_order_type: str = "Market"
    tp_limit_price: Decimal = ZERO
    sl_limit_price: Decimal = ZERO


@define(eq=False)
class Order:
    """One order. A quantity of zero closes the whole position."""

    order_id: str
    link_id: str
    contract: Contract
    leg: Leg
    side: str
    kind: str
    quantity: Decimal
    price: Decimal
    time_in_force: str
    reduce_only: bool
    created_ms: int
    updated_ms: int
    closes_on_trigger: bool = False
    trigger_price: Decimal = ZERO
    trigger_direction: int = 0
    trigger_by: str = ""
    stop_kind: str = ""
    create_type: str = "CreateByUser"
    tpsl: Tpsl = Factory(Tpsl)
    partner: str = ""
    base_price: Decimal = ZERO
    best_price: Decimal = ZERO
    distance: Decimal = ZERO
    status: str = "New"
    filled: Decimal = ZERO
    value: Decimal = ZERO
    fee: Decimal = ZERO
    closed_pnl: Decimal = ZERO
    reject_reason: str = "EC_NoError"
    cancel_type: str = "UNKNOWN"
    is_at_venue: bool = False
    covers: Decimal = ZERO
    """What an order that closes the whole position would close now."""

    @property
    def is_open(self) -> bool:
        """Whether it can still change."""
        return self.status in OPEN_STATUSES

    @property
    def is_waiting(self) -> bool:
        """Whether it is conditional and has not been triggered."""
        return self.status == "Untriggered"

    @property
    def left(self) -> Decimal:
        """Quantity that may still trade; nothing once it is final."""
        return max(self.quantity - self.filled, ZERO) if self.is_open else ZERO

    @property
    def filter(self) -> str:
        """The `orderFilter` that lists it."""
        if self.stop_kind in ("", "Stop"):
            return "StopOrder" if self.is_waiting else "Order"
        return "tpslOrder" if self.tpsl.mode == "Partial" else "StopOrder"

    def row(self) -> dict[str, Any]:
        """The order as REST and sockets show it."""
        tpsl = self.tpsl
        average = self.value / self.filled if self.filled else ZERO
        limits = tpsl.mode == "Partial"
        return {
            "orderId": self.order_id,
            "orderLinkId": self.link_id,
            "blockTradeId": "",
            "symbol": self.contract.symbol,
            "price": plain(self.price),
            "qty": plain(self.quantity or self.covers),
            "side": self.side,
            "isLeverage": "",
            "positionIdx": self.leg.value,
            "orderStatus": self.status,
            "createType": self.create_type,
            "cancelType": self.cancel_type,
            "rejectReason": self.reject_reason,
            "avgPrice": plain(round(average, 8)) if average else "",
            "leavesQty": plain(self.left),
            "leavesValue": plain(self.left * self.price),
            "cumExecQty": plain(self.filled),
            "cumExecValue": plain(self.value),
            "cumExecFee": plain(self.fee),
            "cumFeeDetail": {self.contract.instrument.quote: plain(self.fee)} if self.filled else {},
            "timeInForce": self.time_in_force,
            "orderType": self.kind,
            "stopOrderType": self.stop_kind,
            "orderIv": "",
            "marketUnit": "",
            "slippageToleranceType": "UNKNOWN",
            "slippageTolerance": "",
            "triggerPrice": plain_or_empty(self.trigger_price),
            "takeProfit": plain_or_empty(tpsl.take_profit),
            "stopLoss": plain_or_empty(tpsl.stop_loss),
            "tpslMode": tpsl.mode,
            "ocoTriggerBy": "",
            "tpLimitPrice": plain_or_empty(tpsl.tp_limit_price) if limits else "",
            "slLimitPrice": plain_or_empty(tpsl.sl_limit_price) if limits else "",
            "tpTriggerBy": tpsl.tp_trigger_by,
            "slTriggerBy": tpsl.sl_trigger_by,
            "triggerDirection": self.trigger_direction,
            "triggerBy": self.trigger_by,
            "lastPriceOnCreated": plain_or_empty(self.base_price),
            "reduceOnly": self.reduce_only,
            "closeOnTrigger": self.closes_on_trigger,
            "placeType": "",
            "smpType": "None",
            "smpGroup": 0,
            "smpOrderId": "",
            "createdTime": str(self.created_ms),
            "updatedTime": str(self.updated_ms),
        }

    def pushed(self) -> dict[str, Any]:
        """The order as the private socket shows it."""
        return {**self.row(), "category": "linear", "closedPnl": plain(self.closed_pnl), "feeCurrency": ""}


@frozen
class Execution:
    """One execution. Of funding, `fee` is what was paid; negative was received."""

    exec_id: str
    order_id: str
    link_id: str
    symbol: str
    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_rate: Decimal
    is_maker: bool
    kind: str
    closed: Decimal
    left: Decimal
    order_quantity: Decimal
    order_price: Decimal
    order_type: str
    stop_kind: str
    create_type: str
    pnl: Decimal
    mark: Decimal
    seq: int
    time_ms: int

    def row(self) -> dict[str, Any]:
        """The execution as `execution/list` shows it."""
        return {
            "symbol": self.symbol,
            "orderId": self.order_id,
            "orderLinkId": self.link_id,
            "side": self.side,
            "orderPrice": plain(self.order_price),
            "orderQty": plain(self.order_quantity),
            "leavesQty": plain(self.left),
            "createType": self.create_type,
            "orderType": self.order_type,
            "stopOrderType": self.stop_kind or "UNKNOWN",
            "execFee": plain(self.fee),
            "execFeeV2": "",
            "execId": self.exec_id,
            "execPrice": plain(self.price),
            "execQty": plain(self.quantity),
            "execType": self.kind,
            "execValue": plain(self.price * self.quantity),
            "execTime": str(self.time_ms),
            "feeCurrency": "",
            "isMaker": self.is_maker,
            "feeRate": plain(self.fee_rate),
            "tradeIv": "",
            "markIv": "",
            "markPrice": plain(self.mark),
            "indexPrice": plain(self.mark),
            "underlyingPrice": "",
            "blockTradeId": "",
            "closedSize": plain(self.closed),
            "seq": self.seq,
            "extraFees": "",
        }

    def pushed(self) -> dict[str, Any]:
        """The execution as the private socket shows it."""
        return {**self.row(), "category": "linear", "execPnl": plain(self.pnl)}


@frozen
class ClosedTrade:
    """A reduction of a position, for `closed-pnl`."""

    order: Order
    side: str
    quantity: Decimal
    entry: Decimal
    exit: Decimal
    pnl: Decimal
    fee: Decimal
    leverage: Decimal
    time_ms: int

    def row(self) -> dict[str, Any]:
        """The trade as `closed-pnl` shows it; `side` is that of the closing order."""
        return {
            "symbol": self.order.contract.symbol,
            "orderId": self.order.order_id,
            "side": self.side,
            "qty": plain(self.quantity),
            "orderPrice": plain(self.order.price),
            "orderType": self.order.kind,
            "execType": "Trade",
            "closedSize": plain(self.quantity),
            "cumEntryValue": plain(round(self.entry * self.quantity, 8)),
            "avgEntryPrice": plain(round(self.entry, 8)),
            "cumExitValue": plain(round(self.exit * self.quantity, 8)),
            "avgExitPrice": plain(round(self.exit, 8)),
            "closedPnl": plain(round(self.pnl, 8)),
            "fillCount": "1",
            "leverage": plain(self.leverage),
            "openFee": "0",
            "closeFee": plain(self.fee),
            "createdTime": str(self.time_ms),
            "updatedTime": str(self.time_ms),
        }


@frozen
class Movement:
    """One line of the transaction log; `change` = cash flow + funding - fee."""

    row_id: str
    kind: str
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    funding: Decimal
    cash_flow: Decimal
    balance: Decimal
    order_id: str
    link_id: str
    trade_id: str
    time_ms: int

    def row(self) -> dict[str, Any]:
        """The movement as `transaction-log` shows it."""
        is_trade = self.symbol != ""
        return {
            "id": self.row_id,
            "symbol": self.symbol,
            "category": "linear" if is_trade else "",
            "side": self.side or "None",
            "transactionTime": str(self.time_ms),
            "type": self.kind,
            "transSubType": "",
            "qty": plain(self.quantity),
            "size": plain(self.quantity),
            "currency": "USDT",
            "tradePrice": plain(self.price),
            "funding": plain(self.funding) if self.funding else "",
            "fee": plain(self.fee),
            "cashFlow": plain(self.cash_flow),
            "change": plain(self.cash_flow + self.funding - self.fee),
            "cashBalance": plain(self.balance),
            "feeRate": "",
            "bonusChange": "",
            "tradeId": self.trade_id,
            "orderId": self.order_id,
            "orderLinkId": self.link_id,
        }

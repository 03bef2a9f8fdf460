"""`order/create`: everything that Bybit checks before it acknowledges, and the way to the venue."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from traderagent_core.model.order import OrderType

from traderagent_bybit.codes import BybitError, Code, bad_parameter
from traderagent_bybit.sandbox import protection, triggers
from traderagent_bybit.sandbox.account import Account, LegState, SymbolState
from traderagent_bybit.sandbox.numbers import ZERO, parse, plain
from traderagent_bybit.sandbox.records import TRIGGERED_BY, Order, Tpsl

MOST_ACTIVE, MOST_CONDITIONAL = 500, 10
LONGEST_LINK = 45  # documented are 36; the server tolerates these
REJECTED_KEY = "rejectedBySandbox"
"""Set by the fault `reject`: the order is acknowledged, and then refused by the matching engine, for this reason."""
_LINK = re.compile(r"[A-Za-z0-9_-]+\Z")
_SCALE = 10**8
_MARKET_SLIPPAGE = Decimal("0.05")
_TIME_IN_FORCE = ("GTC", "IOC", "FOK", "PostOnly")


def require_linear(body: Mapping[str, Any]) -> None:
    """Only linear contracts are here."""
    if body.get("category") != "linear":
        raise bad_parameter(
            "Illegal category" if body.get("category") else "params error: Category is invalid"
        )


def create(account: Account, body: Mapping[str, Any]) -> dict[str, Any]:
    """Place an order: acceptance only; what becomes of it is told by the socket."""
    require_linear(body)
    state = account.symbol(body.get("symbol"))
    link = _link(account, body)
    if link:
        account.spent_links.add(link)
    order = _read(account, state, body, link)
    leg = account.leg_of(order)
    _check_reducing(leg, order, state)
    _check_size(leg, order)
    _check_counts(account, order)
    _check_protection(leg, order)
    if body.get(REJECTED_KEY):
        account.keep(order)
        account.change(order, "Rejected", reason=str(body[REJECTED_KEY]))
    else:
        _place(account, leg, order)
    account.moved_legs[leg.market.instrument.symbol] = leg
    return {"orderId": order.order_id, "orderLinkId": order.link_id}


def _link(account: Account, body: Mapping[str, Any]) -> str:
    link = body.get("orderLinkId") or ""
    if not isinstance(link, str) or len(link) > LONGEST_LINK or (link and not _LINK.match(link)):
        raise bad_parameter("OrderLinkID is invalid")
    if link in account.spent_links:
        raise BybitError(Code.DUPLICATE_LINK)
    return link


def _read(account: Account, state: SymbolState, body: Mapping[str, Any], link: str) -> Order:
    side, kind = body.get("side"), body.get("orderType")
    if side not in ("Buy", "Sell"):
        raise bad_parameter("Side invalid")
    if kind not in ("Limit", "Market"):
        raise bad_parameter("OrderType invalid")
    time_in_force = "IOC" if kind == "Market" else body.get("timeInForce") or "GTC"
    if time_in_force not in _TIME_IN_FORCE:
        raise bad_parameter("timeInForce invalid")
    leg = protection.leg_by_index(state, body.get("positionIdx") or 0)
    last = leg.last_price
    is_closing = state.is_hedged and (side == "Buy") is (leg.leg.value == 2)
    order = Order(
        account.new_id("order"),
        link,
        state.contract,
        leg.leg,
        side,
        kind,
        _quantity(body),
        _price(state, body, side, last) if kind == "Limit" else _worst_price(state, side, last),
        time_in_force,
        reduce_only=bool(body.get("reduceOnly")) or is_closing,
        created_ms=account.now_ms,
        updated_ms=account.now_ms,
        closes_on_trigger=bool(body.get("closeOnTrigger")),
        base_price=last,
        tpsl=_tpsl(body),
    )
    _read_trigger(order, body, last)
    return order


def _quantity(body: Mapping[str, Any]) -> Decimal:
    quantity = parse(body.get("qty"))
    closes = bool(body.get("reduceOnly")) and bool(body.get("closeOnTrigger"))
    if quantity is None or quantity < ZERO or (not quantity and not closes):
        raise bad_parameter("Qty invalid")
    return quantity


def read_price(contract_tick: Decimal, given: object) -> Decimal:
    """A price on the tick."""
    price = parse(given)
    if price is None or price <= ZERO:
        raise bad_parameter("Price invalid")
    if price % contract_tick:
        raise bad_parameter("Price invalid: not a multiple of the tick size")
    return price


def _price(state: SymbolState, body: Mapping[str, Any], side: str, last: Decimal) -> Decimal:
    price = read_price(state.contract.tick, body.get("price"))
    if body.get("triggerPrice"):
        return price
    return in_band(state, side, price, last)


def in_band(state: SymbolState, side: str, price: Decimal, last: Decimal) -> Decimal:
    """The price, moved to the edge of the band when it is outside, or refused as the account has chosen."""
    highest, lowest = state.contract.price_limits(last)
    inside = min(price, highest) if side == "Buy" else max(price, lowest)
    if inside != price and not state.moves_price:
        raise BybitError(Code.PRICE_RANGE)
    return inside


def _worst_price(state: SymbolState, side: str, last: Decimal) -> Decimal:
    slip = _MARKET_SLIPPAGE if side == "Buy" else -_MARKET_SLIPPAGE
    return state.contract.to_tick(last * (1 + slip))


def _tpsl(body: Mapping[str, Any]) -> Tpsl:
    take_profit, stop_loss = parse(body.get("takeProfit")) or ZERO, parse(body.get("stopLoss")) or ZERO
    if not take_profit and not stop_loss:
        return Tpsl()
    return Tpsl(
        take_profit,
        stop_loss,
        str(body.get("tpTriggerBy") or "LastPrice"),
        str(body.get("slTriggerBy") or "LastPrice"),
        str(body.get("tpslMode") or "Full"),
        str(body.get("tpOrderType") or "Market"),
        str(body.get("slOrderType") or "Market"),
        parse(body.get("tpLimitPrice")) or ZERO,
        parse(body.get("slLimitPrice")) or ZERO,
    )


def _read_trigger(order: Order, body: Mapping[str, Any], last: Decimal) -> None:
    if not body.get("triggerPrice"):
        return
    order.trigger_price = read_price(order.contract.tick, body["triggerPrice"])
    order.stop_kind = "Stop"
    order.trigger_by = str(body.get("triggerBy") or "LastPrice")
    if order.trigger_by not in TRIGGERED_BY:
        raise bad_parameter("triggerBy invalid")
    direction = str(body.get("triggerDirection") or "")
    if direction not in ("1", "2"):
        raise bad_parameter("TriggerDirection invalid")
    order.trigger_direction = int(direction)
    check_trigger(order.trigger_direction, order.trigger_price, last)


def check_trigger(direction: int, trigger: Decimal, last: Decimal) -> None:
    """Refuse a trigger price that the market has passed already."""
    if direction == 1 and trigger <= last:
        raise BybitError(Code.TRIGGER_RISES, trigger=int(trigger * _SCALE), current=int(last * _SCALE))
    if direction == 2 and trigger >= last:
        raise BybitError(Code.TRIGGER_FALLS, trigger=int(trigger * _SCALE), current=int(last * _SCALE))


def _check_reducing(leg: LegState, order: Order, state: SymbolState) -> None:
    if not order.reduce_only:
        return
    if order.tpsl.mode and not state.is_hedged:
        raise bad_parameter("reduceOnly order can not set take profit or stop loss")
    if order.stop_kind == "Stop" and not leg.quantity:
        return  # Judged when it triggers.
    if not leg.quantity:
        raise BybitError(Code.REDUCE_ONLY_FLAT)
    if not leg.reducible(order.side):
        raise BybitError(Code.REDUCE_ONLY_SIDE)


def _check_size(leg: LegState, order: Order) -> None:
    if not order.quantity:
        return
    contract = order.contract
    most = contract.max_market_quantity if order.kind == "Market" else contract.max_quantity
    check_quantity(order, order.quantity)
    if order.quantity > most:
        raise bad_parameter(
            f"The number of contracts exceeds maximum limit allowed: too large, "
            f"order_qty:{int(order.quantity * _SCALE)} > max_qty:{int(most * _SCALE)}"
        )
    price = order.price if order.kind == "Limit" else leg.last_price
    least = contract.instrument.min_notional
    if not order.reduce_only and order.quantity * price < least:
        raise BybitError(Code.MIN_VALUE, least=plain(least))


def check_quantity(order: Order, quantity: Decimal) -> None:
    """Refuse a quantity off the step or below the minimum."""
    if quantity % order.contract.step:
        raise bad_parameter("Qty invalid")
    if quantity < order.contract.instrument.min_quantity:
        raise bad_parameter("The number of contracts exceeds minimum limit allowed")


def _check_counts(account: Account, order: Order) -> None:
    legs = account.symbols[order.contract.symbol].legs.values()
    others = [other for leg in legs for other in leg.orders.values()]
    waiting = sum(other.stop_kind == "Stop" and other.is_waiting for other in others)
    if order.stop_kind and waiting >= MOST_CONDITIONAL:
        raise BybitError(Code.STOP_ORDERS)
    if sum(not other.is_waiting for other in others) >= MOST_ACTIVE:
        raise BybitError(Code.ACTIVE_ORDERS)


def _check_protection(leg: LegState, order: Order) -> None:
    base = leg.last_price
    if order.kind == "Limit":
        base = min(order.price, base) if order.side == "Buy" else max(order.price, base)
    if order.stop_kind:
        base = order.trigger_price
    if order.tpsl.take_profit:
        protection.check_side(order.side, protection.TAKE_PROFIT, order.tpsl.take_profit, base)
    if order.tpsl.stop_loss:
        protection.check_side(order.side, protection.STOP_LOSS, order.tpsl.stop_loss, base)


def _place(account: Account, leg: LegState, order: Order) -> None:
    if order.stop_kind:
        order.covers = leg.reducible(order.side)
        account.keep(order)
        triggers.wait(account, order)
        account.tell_order(order)
        return
    ending = _immediate_end(leg, order)
    if ending is not None:
        account.keep(order)
        account.change(order, "Cancelled", reason=ending)
        return
    kind = OrderType.LIMIT if order.kind == "Limit" else OrderType.MARKET
    refusal = triggers.send(account, order, kind, order.price if kind is OrderType.LIMIT else None)
    if refusal is not None:
        _refuse(account, order, refusal)
        return
    account.keep(order)
    if not triggers.is_filling(account, order):
        account.change(order, "New")


def _immediate_end(leg: LegState, order: Order) -> str | None:
    """Why an order that may not rest ends at once, or None: the venue model has depth without end."""
    if order.kind == "Market" or order.time_in_force not in ("IOC", "FOK"):
        return None
    side = triggers.venue_side(order)
    if leg.market.is_beyond(side, OrderType.LIMIT, float(order.price)):
        return None
    return "EC_NoImmediateQtyToFill" if order.time_in_force == "IOC" else "EC_CancelForNoFullFill"


def _refuse(account: Account, order: Order, refusal: str) -> None:
    if refusal == "post_only_would_cross":
        account.keep(order)
        account.change(order, "Cancelled", reason="EC_PostOnlyWillTakeLiquidity")
        return
    if refusal == "reduce_only_without_position":
        raise BybitError(Code.REDUCE_ONLY_FLAT)
    if refusal in ("insufficient_margin", "insufficient_quote", "insufficient_base"):
        raise BybitError(Code.NO_FUNDS)
    raise bad_parameter(f"params error: {refusal}")

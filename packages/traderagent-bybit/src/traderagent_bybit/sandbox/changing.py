"""`order/amend`, `order/cancel` and `order/cancel-all`."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from attrs import evolve
from traderagent_core.model import command as cmd
from traderagent_core.model.order import Amendment

from traderagent_bybit.codes import BybitError, Code, bad_parameter
from traderagent_bybit.sandbox import placing, protection, triggers
from traderagent_bybit.sandbox.account import Account
from traderagent_bybit.sandbox.numbers import ZERO, parse
from traderagent_bybit.sandbox.records import Order


def amend(account: Account, body: Mapping[str, Any]) -> dict[str, Any]:
    """Change an order that is open."""
    order = _open_order(account, body, "replace")
    price, quantity = _new_price(account, order, body), _new_quantity(order, body)
    trigger = _new_trigger(account, order, body)
    is_changed = _amend_tpsl(order, body)
    if trigger is not None:
        order.trigger_price = trigger
        triggers.move(account, order)
    if order.is_waiting:
        order.price = order.price if price is None else price
        order.quantity = order.quantity if quantity is None else quantity
    elif price is not None or quantity is not None:
        _amend_at_venue(account, order, price, quantity)
    if not is_changed and price is None and quantity is None and trigger is None:
        raise bad_parameter("The order remains unchanged as the parameters entered match the existing ones.")
    order.updated_ms = account.now_ms
    account.tell_order(order)
    return {"orderId": order.order_id, "orderLinkId": order.link_id}


def _amend_at_venue(account: Account, order: Order, price: Decimal | None, quantity: Decimal | None) -> None:
    symbol = account.leg_of(order).market.instrument.symbol
    change = Amendment(order.order_id, price, quantity)
    account.exchange.execute(cmd.Amend(change, symbol), account.now_ms)
    answer = account.exchange.events.popleft()
    code = getattr(answer, "code", None)
    if code == "would_trigger":
        # A post-only order that would take ends, as one that is placed so.
        account.exchange.execute(cmd.Cancel(order.order_id, symbol), account.now_ms)
        account.exchange.events.pop()
        account.change(order, "Cancelled", reason="EC_PostOnlyWillTakeLiquidity")
    elif code is not None:
        raise BybitError(Code.ORDER_GONE, action="replace")
    else:
        order.price = order.price if price is None else price
        order.quantity = order.quantity if quantity is None else quantity


def _open_order(account: Account, body: Mapping[str, Any], action: str) -> Order:
    placing.require_linear(body)
    account.symbol(body.get("symbol"))
    if not body.get("orderId") and not body.get("orderLinkId"):
        raise bad_parameter("OrderId or orderLinkId is required")
    order = account.find_order(body)
    if order is None or not order.is_open or order.contract.symbol != body.get("symbol"):
        raise BybitError(Code.ORDER_GONE, action=action)
    return order


def _new_price(account: Account, order: Order, body: Mapping[str, Any]) -> Decimal | None:
    if not body.get("price"):
        return None
    price = placing.read_price(order.contract.tick, body["price"])
    state = account.symbols[order.contract.symbol]
    if not order.is_waiting:
        price = placing.in_band(state, order.side, price, account.leg_of(order).last_price)
    return None if price == order.price else price


def _new_quantity(order: Order, body: Mapping[str, Any]) -> Decimal | None:
    if not body.get("qty"):
        return None
    quantity = parse(body["qty"])
    if quantity is None:
        raise bad_parameter("Qty invalid")
    placing.check_quantity(order, quantity)
    if quantity <= order.filled:
        raise bad_parameter("Qty invalid: not above what has been filled")
    return None if quantity == order.quantity else quantity


def _new_trigger(account: Account, order: Order, body: Mapping[str, Any]) -> Decimal | None:
    if not body.get("triggerPrice") or not order.is_waiting:
        return None
    trigger = placing.read_price(order.contract.tick, body["triggerPrice"])
    placing.check_trigger(order.trigger_direction, trigger, account.leg_of(order).last_price)
    return None if trigger == order.trigger_price else trigger


def _amend_tpsl(order: Order, body: Mapping[str, Any]) -> bool:
    """Change what travels with an order; "0" removes."""
    changes = {
        name: parse(body[key]) or ZERO
        for key, name in (("takeProfit", "take_profit"), ("stopLoss", "stop_loss"))
        if body.get(key) not in (None, "")
    }
    if not changes:
        return False
    if order.reduce_only:
        raise bad_parameter("reduceOnly order can not set take profit or stop loss")
    old = order.tpsl
    new = evolve(
        old,
        take_profit=changes.get("take_profit", old.take_profit),
        stop_loss=changes.get("stop_loss", old.stop_loss),
        mode=old.mode or "Full",
    )
    is_changed = (new.take_profit, new.stop_loss) != (old.take_profit, old.stop_loss)
    order.tpsl = new
    return is_changed


def cancel(account: Account, body: Mapping[str, Any]) -> dict[str, Any]:
    """Cancel one order."""
    order = _open_order(account, body, "cancel")
    _cancel(account, order)
    return {"orderId": order.order_id, "orderLinkId": order.link_id}


def _cancel(account: Account, order: Order) -> None:
    if order.is_waiting:
        protection.drop(account, order, "CancelByUser")
        return
    symbol = account.leg_of(order).market.instrument.symbol
    account.exchange.execute(cmd.Cancel(order.order_id, symbol), account.now_ms)


def cancel_all(account: Account, body: Mapping[str, Any]) -> dict[str, Any]:
    """Cancel what a symbol, base coin or settle coin has open; without a filter also what waits for a trigger."""
    placing.require_linear(body)
    chosen = selected(account.open_orders.values(), account, body)
    wanted = body.get("orderFilter")
    if wanted:
        chosen = [order for order in chosen if order.filter == wanted]
    for order in chosen:
        if order.is_open:
            _cancel(account, order)
    ids = [{"orderId": order.order_id, "orderLinkId": order.link_id} for order in chosen]
    return {"list": ids, "success": "1"}


def selected(orders: Iterable[Order], account: Account, query: Mapping[str, Any]) -> list[Order]:
    """Those of the symbol, base coin or settle coin that a request names; it must name one."""
    if query.get("symbol"):
        contract = account.symbol(query["symbol"]).contract
        return [order for order in orders if order.contract is contract]
    if query.get("baseCoin"):
        coin = query["baseCoin"]
        return [order for order in orders if order.contract.instrument.base == coin]
    if query.get("settleCoin"):
        coin = query["settleCoin"]
        return [order for order in orders if order.contract.instrument.quote == coin]
    raise bad_parameter("Missing some parameters that must be filled in, symbol or settleCoin or baseCoin")

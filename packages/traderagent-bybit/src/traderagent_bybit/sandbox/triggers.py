"""Conditional orders: how they wait at the venue for their price, and what happens when it comes.

A protective stop rests at the venue as the venue's own kind of stop; every other condition is a watch of the venue,
and the order is sent when it fires.
"""

from decimal import Decimal

from traderagent_core.model import command as cmd
from traderagent_core.model.event import OrderFilled
from traderagent_core.model.order import Amendment, OrderRequest, OrderType, Side

from traderagent_bybit.sandbox.account import Account
from traderagent_bybit.sandbox.numbers import ZERO
from traderagent_bybit.sandbox.records import Order

WATCH = "trigger"


def venue_side(order: Order) -> Side:
    """The side as the venue has it."""
    return Side.BUY if order.side == "Buy" else Side.SELL


def send(account: Account, order: Order, kind: OrderType, price: Decimal | None) -> str | None:
    """Send an order to the venue; returns why it was refused, or None."""
    leg = account.leg_of(order)
    closes = order.quantity == ZERO
    request = OrderRequest(
        order.order_id,
        leg.market.instrument.symbol,
        venue_side(order),
        kind,
        leg.reducible(order.side) if closes else order.quantity,
        price,
        reduce_only=order.reduce_only,
        post_only=order.time_in_force == "PostOnly" and kind is OrderType.LIMIT,
        closes_position=closes,
    )
    events = account.exchange.events
    told = len(events)
    account.exchange.submit(request, account.now_ms)
    answer = events[told]
    code = getattr(answer, "code", None)
    if code is not None:
        del events[told]
        return str(code)
    order.is_at_venue = True
    return None


def wait(account: Account, order: Order) -> None:
    """Let a conditional order wait for its trigger price."""
    order.status = "Untriggered"
    account.open(order)
    is_rising = order.trigger_direction == 1
    is_stop = order.kind == "Market" and order.reduce_only and is_rising is (order.side == "Buy")
    if is_stop and send(account, order, OrderType.STOP, order.trigger_price) is None:
        return
    symbol = account.leg_of(order).market.instrument.symbol
    watch = cmd.Watch(order.order_id, WATCH, symbol, order.trigger_price, is_rising)
    account.exchange.execute(watch, account.now_ms)


def forget(account: Account, order: Order) -> None:
    """Take a waiting order away from the venue, without telling anybody."""
    symbol = account.leg_of(order).market.instrument.symbol
    if order.is_at_venue:
        account.exchange.execute(cmd.Cancel(order.order_id, symbol), account.now_ms)
        account.exchange.events.pop()
        order.is_at_venue = False
    for name in (WATCH, "activate"):
        account.exchange.execute(cmd.Unwatch(order.order_id, name, symbol), account.now_ms)


def move(account: Account, order: Order) -> None:
    """Let a waiting order wait for its new trigger price; one that the price has passed is triggered at once."""
    market = account.leg_of(order).market
    resting = market.orders.get(order.order_id)
    if resting is not None:
        change = Amendment(order.order_id, order.trigger_price, None)
        account.exchange.change(market, resting, change, account.now_ms)
    if order.is_at_venue:
        return
    symbol = market.instrument.symbol
    watch = cmd.Watch(order.order_id, WATCH, symbol, order.trigger_price, order.trigger_direction == 1)
    account.exchange.execute(watch, account.now_ms)


def trigger(account: Account, order: Order) -> None:
    """The price of a waiting order has come: it becomes active."""
    account.change(order, "Triggered")
    kind = OrderType.LIMIT if order.kind == "Limit" else OrderType.MARKET
    refusal = send(account, order, kind, order.price if kind is OrderType.LIMIT else None)
    if refusal is None:
        if not is_filling(account, order):
            account.change(order, "New")
    elif refusal == "reduce_only_without_position":
        account.change(order, "Cancelled", cancel="CancelByReduceOnly")
    else:
        reason = "EC_PostOnlyWillTakeLiquidity" if refusal == "post_only_would_cross" else "EC_Others"
        account.change(order, "Cancelled", reason=reason)


def is_filling(account: Account, order: Order) -> bool:
    """Whether the venue has said that an order trades, and nobody has heard it yet."""
    return any(
        isinstance(event, OrderFilled) and event.client_order_id == order.order_id
        for event in account.exchange.events
    )

"""Turns what the venue says into what Bybit says: orders change, executions and positions are told."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from traderagent_core.model import event as ev
from traderagent_core.model.order import Liquidity, Side

from traderagent_bybit.sandbox import protection
from traderagent_bybit.sandbox.account import Account, LegState
from traderagent_bybit.sandbox.numbers import ZERO
from traderagent_bybit.sandbox.positions import position_pushed
from traderagent_bybit.sandbox.records import ClosedTrade, Execution, Movement, Order
from traderagent_bybit.sandbox.triggers import trigger
from traderagent_bybit.sandbox.wallet import wallet_row


def settle(account: Account) -> None:
    """Work off everything the venue has said, and what that makes happen."""
    events = account.exchange.events
    is_money_moved = False
    while events:
        event = events.popleft()
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(account, event)
        is_money_moved = is_money_moved or type(event) in (ev.OrderFilled, ev.FundingPaid)
    legs, account.moved_legs = account.moved_legs, {}
    account.outbox += [("position", position_pushed(account, leg)) for leg in legs.values()]
    if is_money_moved:
        account.outbox.append(("wallet", wallet_row(account)))


def _filled(account: Account, event: ev.OrderFilled) -> None:
    leg = account.legs[event.symbol]
    order = account.orders.get(event.client_order_id) or _liquidation_order(account, leg, event)
    if order.is_waiting:
        account.change(order, "Triggered")
    order.quantity = order.quantity or leg.reducible(order.side)
    signed = event.quantity if event.side is Side.BUY else -event.quantity
    before, entry, realized = leg.quantity, leg.position.average_price, leg.position.realized_pnl
    leg.position.apply(signed, event.price)
    is_reducing = bool(before) and (before > ZERO) is not (signed > ZERO)
    closed = min(abs(before), event.quantity) if is_reducing else ZERO
    pnl = leg.position.realized_pnl - realized
    _grow(order, event, pnl)
    execution = _execution(account, leg, order, event, closed, pnl)
    account.executions.append(execution)
    account.outbox.append(("execution", execution.pushed()))
    _book(account, order, event, pnl)
    if closed:
        leverage = leg.market.leverage
        trade = ClosedTrade(
            order,
            order.side,
            closed,
            entry,
            event.price,
            pnl - event.fee,
            event.fee,
            leverage,
            account.now_ms,
        )
        account.closed_trades.append(trade)
    account.change(order, "Filled" if order.filled >= order.quantity else "PartiallyFilled")
    if not before:
        leg.created_ms = account.now_ms
    leg.updated_ms = account.now_ms
    protection.after_fill(account, leg, order, was=before)


def _grow(order: Order, event: ev.OrderFilled, pnl: Decimal) -> None:
    order.filled += event.quantity
    order.value += event.quantity * event.price
    order.fee += event.fee
    order.closed_pnl += pnl - event.fee if pnl else ZERO


def _liquidation_order(account: Account, leg: LegState, event: ev.OrderFilled) -> Order:
    order = Order(
        account.new_id("order"),
        "",
        leg.contract,
        leg.leg,
        "Buy" if event.side is Side.BUY else "Sell",
        "Market",
        event.quantity,
        event.price,
        "IOC",
        reduce_only=True,
        created_ms=account.now_ms,
        updated_ms=account.now_ms,
        create_type="CreateByLiq",
    )
    account.keep(order)
    return order


def _execution(
    account: Account, leg: LegState, order: Order, event: ev.OrderFilled, closed: Decimal, pnl: Decimal
) -> Execution:
    made = leg.contract.instrument
    is_maker = event.liquidity is Liquidity.MAKER
    is_bust = order.create_type == "CreateByLiq"
    return Execution(
        account.new_id("execution"),
        order.order_id,
        order.link_id,
        leg.contract.symbol,
        order.side,
        event.price,
        event.quantity,
        event.fee,
        ZERO if is_bust else made.maker_fee_ratio if is_maker else made.taker_fee_ratio,
        is_maker,
        "BustTrade" if is_bust else "Trade",
        closed,
        max(order.quantity - order.filled, ZERO),
        order.quantity,
        order.price,
        order.kind,
        order.stop_kind,
        order.create_type,
        pnl,
        leg.last_price,
        account.next_seq(),
        account.now_ms,
    )


def _book(account: Account, order: Order, event: ev.OrderFilled, pnl: Decimal) -> None:
    last = account.executions[-1]
    line = Movement(
        account.new_id("movement"),
        "TRADE" if last.kind == "Trade" else "LIQUIDATION",
        last.symbol,
        order.side,
        event.quantity,
        event.price,
        event.fee,
        ZERO,
        pnl,
        account.wallet_balance,
        order.order_id,
        order.link_id,
        last.exec_id,
        account.now_ms,
    )
    account.movements.append(line)


def _canceled(account: Account, event: ev.OrderCanceled) -> None:
    order = account.orders.get(event.client_order_id)
    if order is None or not order.is_open:
        return
    cancel = _CANCEL_TYPES.get(event.code, "CancelByUser")
    was_triggered = event.code == "reduce_only_without_position"
    status = "Deactivated" if order.is_waiting and not was_triggered else "Cancelled"
    account.change(order, status, cancel=cancel, reason=_REASONS.get(event.code, ""))


_CANCEL_TYPES = {
    "canceled": "CancelByUser",
    "liquidation": "CancelAllBeforeLiq",
    "reduce_only_without_position": "CancelByReduceOnly",
}
_REASONS = {"canceled": "EC_PerCancelRequest"}


def _amended(account: Account, event: ev.OrderAmended) -> None:
    order = account.orders[event.client_order_id]
    order.updated_ms = account.now_ms
    if not order.is_waiting:
        order.price = event.price if event.price is not None else order.price
        order.quantity = event.quantity
    account.tell_order(order)


def _crossed(account: Account, event: ev.WatchCrossed) -> None:
    order = account.orders.get(event.owner)
    if order is None:
        account.crossed.append(event)
    if order is None or not order.is_waiting:
        return
    if event.name == "activate":
        protection.activate_trailing(account, order)
    else:
        trigger(account, order)


def _funded(account: Account, event: ev.FundingPaid) -> None:
    leg = account.legs[event.symbol]
    quantity = abs(leg.quantity)
    price = leg.last_price
    execution = Execution(
        account.new_id("execution"),
        account.new_id("funding"),
        "",
        leg.contract.symbol,
        leg.side,
        price,
        quantity,
        -event.amount,
        -event.amount / (price * leg.quantity) if leg.quantity else ZERO,
        False,
        "Funding",
        ZERO,
        ZERO,
        ZERO,
        ZERO,
        "UNKNOWN",
        "",
        "",
        ZERO,
        price,
        account.next_seq(),
        account.now_ms,
    )
    account.executions.append(execution)
    account.outbox.append(("execution", execution.pushed()))
    line = Movement(
        account.new_id("movement"),
        "SETTLEMENT",
        leg.contract.symbol,
        leg.side,
        quantity,
        price,
        ZERO,
        event.amount,
        ZERO,
        account.wallet_balance,
        "",
        "",
        execution.exec_id,
        account.now_ms,
    )
    account.movements.append(line)


_HANDLERS: dict[type, Callable[[Account, Any], None]] = {
    ev.OrderFilled: _filled,
    ev.OrderCanceled: _canceled,
    ev.OrderAmended: _amended,
    ev.WatchCrossed: _crossed,
    ev.FundingPaid: _funded,
}

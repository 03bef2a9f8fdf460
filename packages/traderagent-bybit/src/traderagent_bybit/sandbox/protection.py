"""Take profit, stop-loss and trailing stop of positions: set, followed, and dropped with the position."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from traderagent_core.model import command as cmd

from traderagent_bybit.codes import BybitError, Code, bad_parameter
from traderagent_bybit.sandbox import triggers
from traderagent_bybit.sandbox.account import Account, LegState, SymbolState
from traderagent_bybit.sandbox.numbers import ZERO, parse
from traderagent_bybit.sandbox.records import Order, Tpsl

TAKE_PROFIT, STOP_LOSS, TRAILING = "TakeProfit", "StopLoss", "TrailingStop"
PARTIAL = "Partial"
MOST_PARTIAL = 20
_SCALE = 10**8
_KEYS = {TAKE_PROFIT: ("takeProfit", "tp"), STOP_LOSS: ("stopLoss", "sl")}


def is_protective(order: Order) -> bool:
    """Whether an order belongs to a position rather than standing for itself."""
    return order.stop_kind not in ("", "Stop")


def after_fill(account: Account, leg: LegState, order: Order, was: Decimal) -> None:
    """Bring to life what travelled with an order, and drop what has lost its position."""
    if was and (not leg.quantity or (was > ZERO) is not (leg.quantity > ZERO)):
        clear(account, leg)
    partner = account.open_orders.get(order.partner)
    if partner is not None:
        drop(account, partner, "CancelByTpSlTsClear")
    for other in account.orders_of(leg):
        if not other.quantity:
            other.covers = abs(leg.quantity)
    if leg.quantity and not is_protective(order) and leg.side == order.side:
        _attach(account, leg, order)


def clear(account: Account, leg: LegState) -> None:
    """The position is gone, and its protection with it."""
    for order in account.orders_of(leg):
        if is_protective(order) and order.is_waiting:
            drop(account, order, "CancelByTpSlTsClear")


def drop(account: Account, order: Order, cancel: str) -> None:
    """Take a waiting order away before it was triggered."""
    triggers.forget(account, order)
    account.change(order, "Deactivated", cancel=cancel)


def _attach(account: Account, leg: LegState, order: Order) -> None:
    tpsl = order.tpsl
    if tpsl.mode == PARTIAL:
        if order.status == "Filled":
            add_partial(account, leg, tpsl, order.filled, order.filled)
        return
    for kind, price, by in (
        (TAKE_PROFIT, tpsl.take_profit, tpsl.tp_trigger_by),
        (STOP_LOSS, tpsl.stop_loss, tpsl.sl_trigger_by),
    ):
        if price:
            set_full(account, leg, kind, price, by)


# -- Full mode: one take profit and one stop-loss for the whole position -----------------------------------


def find(account: Account, leg: LegState, kind: str) -> Order | None:
    """The take profit, stop-loss or trailing stop of a position."""
    return next((order for order in account.orders_of(leg) if order.stop_kind == kind), None)


def set_full(account: Account, leg: LegState, kind: str, price: Decimal, by: str) -> bool:
    """Set, move or (price zero) remove it; whether anything changed."""
    order = find(account, leg, kind)
    if order is None:
        if price:
            triggers.wait(account, made(account, leg, kind, price, by))
        return bool(price)
    if not price:
        drop(account, order, "CancelByUser")
    elif order.trigger_price != price:
        order.trigger_price = price
        order.updated_ms = account.now_ms
        triggers.move(account, order)
        account.tell_order(order)
    else:
        return False
    return True


def made(
    account: Account,
    leg: LegState,
    kind: str,
    price: Decimal,
    by: str,
    quantity: Decimal = ZERO,
    limit: Decimal = ZERO,
) -> Order:
    """A new protective order, known to its account and told; a quantity of zero is the whole position."""
    is_long = leg.quantity > ZERO
    is_rising = is_long is kind.endswith(TAKE_PROFIT)
    order = Order(
        account.new_id("order"),
        "",
        leg.contract,
        leg.leg,
        "Sell" if is_long else "Buy",
        "Limit" if limit else "Market",
        quantity,
        limit,
        "GTC" if limit else "IOC",
        reduce_only=True,
        created_ms=account.now_ms,
        updated_ms=account.now_ms,
        closes_on_trigger=True,
        trigger_price=price,
        trigger_direction=1 if is_rising else 2,
        trigger_by=by or "LastPrice",
        stop_kind=kind,
        create_type=f"CreateBy{kind}",
        tpsl=Tpsl(mode=PARTIAL if quantity else "Full"),
        base_price=leg.last_price,
        status="Untriggered",
        covers=abs(leg.quantity),
    )
    account.keep(order)
    account.tell_order(order)
    return order


# -- Partial mode: any number for parts of it --------------------------------------------------------------


def add_partial(account: Account, leg: LegState, tpsl: Tpsl, tp_size: Decimal, sl_size: Decimal) -> None:
    """Add a take profit and a stop-loss for a part; one that trades takes the other away."""
    count = sum(order.stop_kind.startswith(PARTIAL) for order in account.orders_of(leg))
    if count + bool(tpsl.take_profit) + bool(tpsl.stop_loss) > MOST_PARTIAL:
        raise BybitError(Code.TOO_MANY_TPSL)
    pair = []
    if tpsl.take_profit:
        limit = tpsl.tp_limit_price if tpsl.tp_order_type == "Limit" else ZERO
        kind = f"{PARTIAL}{TAKE_PROFIT}"
        pair.append(made(account, leg, kind, tpsl.take_profit, tpsl.tp_trigger_by, tp_size, limit))
    if tpsl.stop_loss:
        limit = tpsl.sl_limit_price if tpsl.sl_order_type == "Limit" else ZERO
        kind = f"{PARTIAL}{STOP_LOSS}"
        pair.append(made(account, leg, kind, tpsl.stop_loss, tpsl.sl_trigger_by, sl_size, limit))
    if len(pair) == 2:
        pair[0].partner, pair[1].partner = pair[1].order_id, pair[0].order_id
    for order in pair:
        triggers.wait(account, order)


# -- trailing stops ----------------------------------------------------------------------------------------


def set_trailing(account: Account, leg: LegState, distance: Decimal, active_price: Decimal) -> bool:
    """Set, change or (distance zero) remove the trailing stop; whether anything changed."""
    order = find(account, leg, TRAILING)
    if order is not None:
        if order.distance == distance and not active_price:
            return False
        drop(account, order, "CancelByUser")
    if not distance:
        return order is not None
    order = made(account, leg, TRAILING, ZERO, "LastPrice")
    order.trigger_direction = 2 if leg.quantity > ZERO else 1
    order.distance = distance
    if active_price:
        order.trigger_price = active_price
        symbol = leg.market.instrument.symbol
        watch = cmd.Watch(order.order_id, "activate", symbol, active_price, leg.quantity > ZERO)
        account.exchange.execute(watch, account.now_ms)
    else:
        activate_trailing(account, order)
    return True


def activate_trailing(account: Account, order: Order) -> None:
    """From now on the stop follows the price."""
    _follow_to(account, order, account.leg_of(order).last_price)


def follow(account: Account, state: SymbolState) -> None:
    """Let trailing stops of a symbol follow to the present price; called where the price may turn."""
    for leg in state.active_legs():
        order = find(account, leg, TRAILING)
        if order is None or not order.best_price:
            continue
        price = leg.last_price
        if price > order.best_price if order.side == "Sell" else price < order.best_price:
            _follow_to(account, order, price)


def is_following(account: Account, state: SymbolState) -> bool:
    """Whether a trailing stop of a symbol is active."""
    found = (find(account, leg, TRAILING) for leg in state.active_legs() if leg.quantity)
    return any(order is not None and order.best_price for order in found)


def _follow_to(account: Account, order: Order, best: Decimal) -> None:
    order.best_price = best
    order.trigger_price = best - order.distance if order.side == "Sell" else best + order.distance
    order.updated_ms = account.now_ms
    triggers.move(account, order)


# -- position/trading-stop ---------------------------------------------------------------------------------


def trading_stop(account: Account, body: Mapping[str, Any]) -> dict[str, Any]:
    """Set take profit, stop-loss and trailing stop of a position."""
    state = account.symbol(body.get("symbol"))
    leg = leg_by_index(state, body.get("positionIdx", 0))
    if not leg.quantity:
        raise bad_parameter("can not set tp/sl/ts for zero position")
    prices = {kind: _price(body, key) for kind, (key, _) in _KEYS.items()}
    distance, active = _price(body, "trailingStop"), _price(body, "activePrice")
    for kind, price in prices.items():
        if price:
            check_side(leg.side, kind, price, leg.last_price)
    if body.get("tpslMode") == PARTIAL:
        _set_partial(account, leg, body, prices)
        is_changed = True
    else:
        changes = [
            set_full(account, leg, kind, price, str(body.get(f"{_KEYS[kind][1]}TriggerBy") or ""))
            for kind, price in prices.items()
            if price is not None
        ]
        is_changed = any(changes)
    if distance is not None:
        is_changed = set_trailing(account, leg, distance, active or ZERO) or is_changed
    if not is_changed:
        raise BybitError(Code.NOT_MODIFIED)
    account.moved_legs[leg.market.instrument.symbol] = leg
    return {}


def _set_partial(
    account: Account, leg: LegState, body: Mapping[str, Any], prices: Mapping[str, Decimal | None]
) -> None:
    sizes = [parse(body.get(f"{short}Size")) for _, short in _KEYS.values()]
    tp_size, sl_size = (size if size else abs(leg.quantity) for size in sizes)
    tpsl = Tpsl(
        prices[TAKE_PROFIT] or ZERO,
        prices[STOP_LOSS] or ZERO,
        str(body.get("tpTriggerBy") or ""),
        str(body.get("slTriggerBy") or ""),
        PARTIAL,
        str(body.get("tpOrderType") or "Market"),
        str(body.get("slOrderType") or "Market"),
        parse(body.get("tpLimitPrice")) or ZERO,
        parse(body.get("slLimitPrice")) or ZERO,
    )
    add_partial(account, leg, tpsl, tp_size, sl_size)


def leg_by_index(state: SymbolState, index: object) -> LegState:
    """The position of a symbol that `positionIdx` names in its present mode."""
    for leg in state.active_legs():
        if str(leg.leg.value) == str(index):
            return leg
    raise bad_parameter("position idx not match position mode")


def _price(body: Mapping[str, Any], key: str) -> Decimal | None:
    """A price of a request, None when it is not given; "0" removes."""
    given = body.get(key)
    if given is None or given == "":
        return None
    price = parse(given)
    if price is None or price < ZERO:
        raise bad_parameter(f"{key[0].upper()}{key[1:]} invalid")
    return price


def check_side(side: str, kind: str, price: Decimal, base: Decimal) -> None:
    """Refuse a take profit or stop-loss on the wrong side of the present price."""
    has_to_be_lower = (side == "Buy") is (kind == STOP_LOSS)
    if price < base if has_to_be_lower else price > base:
        return
    word = "lower" if has_to_be_lower else "higher"
    raise bad_parameter(
        f"{kind}:{int(price * _SCALE)} set for {side} position should {word} than "
        f"base_price:{int(base * _SCALE)}??LastPrice"
    )

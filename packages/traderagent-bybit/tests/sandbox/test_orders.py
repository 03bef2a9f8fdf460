"""The life of orders: every status, in the order in which Bybit tells them, and every refusal with its code."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from traderagent_bybit.codes import BybitError

FLAT = (100.0, 100.0, 100.0, 100.0)
RISE = (100.0, 110.0, 100.0, 110.0)
FALL = (100.0, 100.0, 90.0, 90.0)
Make = Callable[..., Any]


def code(error: Any) -> int:
    return int(error.value.code)


def test_market_order_trades_at_the_last_price_with_taker_fees(trader: Make) -> None:
    me = trader(FLAT, FLAT)
    order = me.order("Buy", "2")
    assert me.statuses(order) == ["Filled"]
    assert (order.value, order.fee) == (200, Decimal("0.11"))
    assert order.row()["cumFeeDetail"] == {"USDT": "0.11"}
    assert order.row()["price"] == "105"  # how far it would have gone


def test_resting_limit_order_is_new_then_filled_at_its_price_as_maker(trader: Make) -> None:
    me = trader(FLAT, FALL)
    order = me.order("Buy", "1", "95")
    assert me.statuses(order) == ["New"]
    me.wait()
    assert me.statuses(order) == ["New", "Filled"]
    assert me.told("execution", "execPrice", "isMaker", "feeRate") == [("95", True, "0.0002")]


def test_cancel_leaves_a_reason_and_a_second_one_is_too_late(trader: Make) -> None:
    me = trader(FLAT, FALL)
    order = me.order("Buy", "1", "95")
    me.do("cancel", orderId=order.order_id)
    assert (order.status, order.cancel_type) == ("Cancelled", "CancelByUser")
    with pytest.raises(BybitError) as error:
        me.do("cancel", orderId=order.order_id)
    assert code(error) == 110001
    me.wait()
    assert order.filled == 0


@pytest.mark.parametrize(
    ("time_in_force", "price", "reason"),
    [
        ("PostOnly", "100", "EC_PostOnlyWillTakeLiquidity"),
        ("IOC", "99", "EC_NoImmediateQtyToFill"),
        ("FOK", "99", "EC_CancelForNoFullFill"),
    ],
)
def test_order_that_may_not_stay_is_accepted_then_cancelled(
    trader: Make, time_in_force: str, price: str, reason: str
) -> None:
    me = trader(FLAT, FLAT)
    order = me.order("Buy", "1", price, timeInForce=time_in_force)
    assert me.statuses(order) == ["Cancelled"]
    assert (order.reject_reason, order.row()["leavesQty"]) == (reason, "0")


def test_conditional_order_goes_from_untriggered_over_triggered_to_its_end(trader: Make) -> None:
    me = trader(FLAT, RISE)
    order = me.order("Buy", "1", triggerPrice="105", triggerDirection=1)
    before = me.account.exchange.margin
    me.wait()
    assert me.statuses(order) == ["Untriggered", "Triggered", "Filled"]
    assert before == 0
    assert me.told("execution", "execPrice") == ["105"]


def test_conditional_limit_order_rests_after_its_trigger(trader: Make) -> None:
    me = trader(FLAT, RISE, (110.0, 110.0, 104.0, 104.0))
    order = me.order("Buy", "1", "104", triggerPrice="105", triggerDirection=1)
    me.wait()
    assert me.statuses(order) == ["Untriggered", "Triggered", "New"]
    me.wait()
    assert order.status == "Filled"


def test_conditional_order_without_the_money_ends_cancelled(trader: Make) -> None:
    me = trader(FLAT, RISE, balance="100")
    order = me.order("Buy", "20", triggerPrice="105", triggerDirection=1)
    me.wait()
    assert me.statuses(order) == ["Untriggered", "Triggered", "Cancelled"]


def test_cancelled_conditional_order_is_deactivated(trader: Make) -> None:
    me = trader(FLAT, RISE)
    order = me.order("Buy", "1", triggerPrice="105", triggerDirection=1)
    me.do("cancel", orderId=order.order_id)
    me.wait()
    assert me.statuses(order) == ["Untriggered", "Deactivated"]


def test_amended_order_trades_at_its_new_price_and_quantity(trader: Make) -> None:
    me = trader(FLAT, FALL)
    order = me.order("Buy", "1", "80")
    me.do("amend", orderId=order.order_id, price="95", qty="3")
    me.wait()
    assert (order.status, order.filled, order.value) == ("Filled", 3, 285)


def test_amending_to_the_same_values_is_refused(trader: Make) -> None:
    me = trader(FLAT, FALL)
    order = me.order("Buy", "1", "80")
    with pytest.raises(BybitError, match="remains unchanged"):
        me.do("amend", orderId=order.order_id, price="80")


def test_amended_trigger_counts(trader: Make) -> None:
    me = trader(FLAT, RISE)
    order = me.order("Buy", "1", triggerPrice="120", triggerDirection=1)
    me.do("amend", orderId=order.order_id, triggerPrice="107")
    me.wait()
    assert order.value == 107


def test_reduce_only_order_is_cut_to_the_position(trader: Make) -> None:
    me = trader(FLAT, RISE)
    me.order("Buy", "1")
    exit_order = me.order("Sell", "5", "105", reduceOnly=True)
    me.wait()
    assert (exit_order.status, exit_order.filled, me.position()) == ("Cancelled", 1, 0)
    assert exit_order.cancel_type == "CancelByReduceOnly"


def test_cancel_all_takes_conditional_orders_too_unless_filtered(trader: Make) -> None:
    me = trader(FLAT, FLAT)
    resting = me.order("Buy", "1", "90")
    waiting = me.order("Buy", "1", triggerPrice="105", triggerDirection=1)
    listed = me.do("cancel-all", orderFilter="StopOrder")
    assert [row["orderId"] for row in listed["list"]] == [waiting.order_id]
    me.do("cancel-all")
    assert (resting.status, waiting.status) == ("Cancelled", "Deactivated")


@pytest.mark.parametrize(
    ("body", "number", "text"),
    [
        ({"qty": "0.0001"}, 10001, "Qty invalid"),
        ({"qty": "0"}, 10001, "Qty invalid"),
        ({"qty": "x"}, 10001, "Qty invalid"),
        ({"qty": "100001"}, 10001, "exceeds maximum limit allowed: too large"),
        ({"qty": "0.01"}, 110094, "minimum order value 5USDT"),
        ({"price": "95.005"}, 10001, "Price invalid"),
        ({"price": "-1"}, 10001, "Price invalid"),
        ({"side": "buy"}, 10001, "Side invalid"),
        ({"orderType": "Stop"}, 10001, "OrderType invalid"),
        ({"timeInForce": "DAY"}, 10001, "timeInForce invalid"),
        ({"symbol": "XXXUSDT"}, 10001, "symbol invalid"),
        ({"category": "spot"}, 10001, "Illegal category"),
        ({"positionIdx": 1}, 10001, "position idx not match position mode"),
        ({"orderLinkId": "a b"}, 10001, "OrderLinkID is invalid"),
        ({"orderLinkId": "a" * 46}, 10001, "OrderLinkID is invalid"),
        ({"reduceOnly": True}, 110017, "current position is zero"),
        ({"qty": "1100"}, 110007, "ab not enough"),
        ({"triggerPrice": "99", "triggerDirection": 1}, 110092, "expect Rising"),
        ({"triggerPrice": "101", "triggerDirection": 2}, 110093, "expect Falling"),
        ({"triggerPrice": "101"}, 10001, "TriggerDirection invalid"),
        (
            {"stopLoss": "96"},
            10001,
            "StopLoss:9600000000 set for Buy position should lower than base_price:9500000000",
        ),
        ({"takeProfit": "94"}, 10001, "TakeProfit:9400000000 set for Buy position should higher than"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_refusals(trader: Make, body: dict[str, Any], number: int, text: str) -> None:
    me = trader(FLAT, FLAT)
    usual = {"side": "Buy", "orderType": "Limit", "qty": "1", "price": "95"}
    with pytest.raises(BybitError) as error:
        me.do("create", **{**usual, **body})
    assert code(error) == number
    assert text in error.value.message
    assert me.account.open_orders == {}
    assert me.account.exchange.margin == 0


def test_client_id_is_spent_for_ever_even_by_a_refused_order(trader: Make) -> None:
    me = trader(FLAT, FLAT)
    with pytest.raises(BybitError):
        me.order("Buy", "0.01", "95", orderLinkId="mine")
    with pytest.raises(BybitError) as error:
        me.order("Buy", "1", "95", orderLinkId="mine")
    assert code(error) == 110072


def test_reduce_only_on_the_side_of_the_position_says_that_our_picture_is_inverted(trader: Make) -> None:
    me = trader(FLAT, FLAT)
    me.order("Buy", "1")
    with pytest.raises(BybitError, match="same side with current position"):
        me.order("Buy", "1", reduceOnly=True)


def test_counts_of_active_and_conditional_orders_are_limited(trader: Make) -> None:
    me = trader(FLAT, FLAT, balance="1000000")
    for _ in range(10):
        me.order("Buy", "1", triggerPrice="105", triggerDirection=1)
    with pytest.raises(BybitError) as error:
        me.order("Buy", "1", triggerPrice="105", triggerDirection=1)
    assert code(error) == 110009
    for _ in range(500):
        me.order("Buy", "1", "95")
    with pytest.raises(BybitError) as error:
        me.order("Buy", "1", "95")
    assert code(error) == 110020


def test_price_beyond_the_band_is_moved_to_its_edge_or_refused_as_chosen(trader: Make) -> None:
    me = trader(FLAT, FLAT)
    order = me.order("Buy", "1", "150")
    assert (order.price, order.value) == (101, 100)
    me.do("set-limit-px-action", modifyEnable=False)
    with pytest.raises(BybitError) as error:
        me.order("Buy", "1", "150")
    assert code(error) == 110003


def test_closing_with_a_quantity_of_zero_takes_all(trader: Make) -> None:
    me = trader(FLAT, FLAT)
    me.order("Buy", "3")
    order = me.order("Sell", "0", reduceOnly=True, closeOnTrigger=True)
    assert (order.status, order.quantity, me.position()) == ("Filled", 3, 0)

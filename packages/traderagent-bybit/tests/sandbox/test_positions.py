"""Positions: protection, trailing, hedge mode, leverage, funding, liquidation, and the money they move."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from traderagent_bybit.codes import BybitError
from traderagent_bybit.sandbox.positions import list_positions
from traderagent_bybit.sandbox.wallet import wallet_row

FLAT = (100.0, 100.0, 100.0, 100.0)
RISE = (100.0, 110.0, 100.0, 110.0)
FALL = (100.0, 100.0, 90.0, 90.0)
Make = Callable[..., Any]
LINEAR = {"category": "linear", "symbol": "BTCUSDT"}


def code(error: Any) -> int:
    return int(error.value.code)


def protections(me: Any) -> dict[str, Any]:
    return {order.stop_kind: order for order in me.account.orders.values() if order.stop_kind}


def test_stop_and_target_of_an_entry_live_when_it_is_filled_and_one_ends_the_other(trader: Make) -> None:
    me = trader(FLAT, FALL)
    me.order("Buy", "2", stopLoss="95", takeProfit="120")
    found = protections(me)
    assert {kind: order.row()["qty"] for kind, order in found.items()} == {"TakeProfit": "2", "StopLoss": "2"}
    me.wait()
    assert me.statuses(found["StopLoss"]) == ["Untriggered", "Triggered", "Filled"]
    assert me.statuses(found["TakeProfit"]) == ["Untriggered", "Deactivated"]
    assert found["TakeProfit"].cancel_type == "CancelByTpSlTsClear"
    assert me.position() == 0
    assert me.account.closed_trades[-1].pnl == Decimal("-10") - Decimal("0.1045")


def test_attached_stop_waits_for_the_entry(trader: Make) -> None:
    me = trader(FLAT, FALL)
    me.order("Buy", "1", "95", stopLoss="92")
    assert protections(me) == {}
    me.wait()
    assert protections(me)["StopLoss"].value == 92


def test_the_newest_order_that_carries_a_stop_moves_that_of_the_position(trader: Make) -> None:
    me = trader(FLAT, (100.0, 100.0, 95.0, 95.0), (95.0, 95.0, 93.0, 93.0))
    for price, stop in (("95", "90"), ("94", "91")):
        me.order("Buy", "1", price, stopLoss=stop)
    me.wait()
    (order,) = protections(me).values()
    assert order.trigger_price == 90
    me.do("trading-stop", positionIdx=0, stopLoss="92")
    me.wait()
    assert (order.status, order.trigger_price) == ("Untriggered", 91)


@pytest.mark.parametrize("stands", ["88", "90"])
def test_a_stop_that_is_brought_to_a_price_passed_in_a_gap_is_triggered_at_once(
    trader: Make, stands: str
) -> None:
    me = trader(FLAT, (100.0, 100.0, 95.0, 95.0), (89.0, 89.0, 89.0, 89.0))
    me.order("Buy", "1", "95", stopLoss="90")
    me.order("Buy", "1", "94", stopLoss="91")
    me.wait()
    (order,) = protections(me).values()
    if stands != "90":
        me.do("trading-stop", positionIdx=0, stopLoss=stands)
    me.wait()
    assert me.statuses(order)[-2:] == ["Triggered", "Filled"]
    assert (me.position(), order.value) == (0, 178)


def test_target_of_a_short_lies_below(trader: Make) -> None:
    me = trader(FLAT, FALL)
    me.order("Sell", "1", takeProfit="93", stopLoss="107")
    me.wait()
    assert protections(me)["TakeProfit"].value == 93
    assert me.position() == 0


def test_trading_stop_sets_moves_and_removes(trader: Make) -> None:
    me = trader(FLAT, (100.0, 100.0, 92.0, 92.0))
    me.order("Buy", "1")
    me.do("trading-stop", positionIdx=0, stopLoss="80", takeProfit="130")
    me.do("trading-stop", positionIdx=0, stopLoss="95")
    row = list_positions(me.account, LINEAR)[0]
    assert (row["stopLoss"], row["takeProfit"]) == ("95", "130")
    with pytest.raises(BybitError) as error:
        me.do("trading-stop", positionIdx=0, stopLoss="95")
    assert code(error) == 34040
    me.do("trading-stop", positionIdx=0, stopLoss="0")
    me.wait()
    assert me.position() == 1


def test_trading_stop_of_a_flat_position_is_refused(trader: Make) -> None:
    me = trader(FLAT, FLAT)
    with pytest.raises(BybitError, match="can not set tp/sl/ts for zero position"):
        me.do("trading-stop", positionIdx=0, stopLoss="95")


def test_stop_follows_the_size_of_the_position(trader: Make) -> None:
    me = trader(FLAT, FALL)
    me.order("Buy", "1", stopLoss="95")
    me.order("Buy", "2")
    assert protections(me)["StopLoss"].row()["qty"] == "3"
    me.wait()
    assert protections(me)["StopLoss"].filled == 3


def test_partial_stops_close_their_part_and_pairs_end_each_other(trader: Make) -> None:
    me = trader(FLAT, RISE)
    me.order("Buy", "3")
    me.do(
        "trading-stop",
        positionIdx=0,
        tpslMode="Partial",
        takeProfit="105",
        stopLoss="95",
        tpSize="1",
        slSize="1",
    )
    found = protections(me)
    me.wait()
    assert (found["PartialTakeProfit"].status, found["PartialStopLoss"].status) == ("Filled", "Deactivated")
    assert me.position() == 2


def test_trailing_stop_trades_its_distance_below_the_best_price(trader: Make) -> None:
    me = trader(FLAT, (100.0, 112.0, 99.0, 108.0), (108.0, 108.0, 100.0, 100.0))
    me.order("Buy", "1")
    me.do("trading-stop", positionIdx=0, trailingStop="5")
    me.wait()
    stop = protections(me)["TrailingStop"]
    assert stop.best_price == 112 or stop.status == "Filled"
    me.wait()
    assert (stop.status, stop.value) == ("Filled", 107)


def test_trailing_stop_sleeps_until_its_activation_price(trader: Make) -> None:
    me = trader(FLAT, (100.0, 100.0, 94.0, 94.0), (94.0, 110.0, 94.0, 110.0), (110.0, 110.0, 100.0, 100.0))
    me.order("Buy", "1")
    me.do("trading-stop", positionIdx=0, trailingStop="3", activePrice="105")
    me.wait()
    assert me.position() == 1
    me.wait(2)
    assert protections(me)["TrailingStop"].value == 107


def test_hedge_mode_holds_both_sides_apart(trader: Make) -> None:
    me = trader(FLAT, RISE)
    me.do("switch-mode", mode=3)
    me.order("Buy", "2", positionIdx=1)
    me.order("Sell", "1", positionIdx=2)
    assert (me.position(1), me.position(2), me.position(0)) == (2, -1, 0)
    close = me.order("Sell", "5", positionIdx=1)
    assert (close.filled, me.position(1)) == (2, 0)
    with pytest.raises(BybitError) as error:
        me.order("Sell", "1", positionIdx=1)
    assert code(error) == 110017
    with pytest.raises(BybitError) as error:
        me.do("switch-mode", mode=0)
    assert code(error) == 110024


def test_leverage_frees_margin_and_has_its_limits(trader: Make) -> None:
    me = trader(FLAT, FLAT)
    me.order("Buy", "10")
    before = Decimal(wallet_row(me.account)["totalInitialMargin"])
    me.do("set-leverage", buyLeverage="20", sellLeverage="20")
    assert Decimal(wallet_row(me.account)["totalInitialMargin"]) == before / 2
    for leverage, number in (("20", 110043), ("101", 110013)):
        with pytest.raises(BybitError) as error:
            me.do("set-leverage", buyLeverage=leverage, sellLeverage=leverage)
        assert code(error) == number


def test_funding_is_paid_by_longs_and_received_by_shorts(trader: Make) -> None:
    hours = [FLAT] * (8 * 60 + 1)
    long, short = trader(*hours), trader(*hours)
    long.order("Buy", "10")
    short.order("Sell", "10")
    for me in (long, short):
        me.wait(8 * 60 - 1)
    paid, received = (me.account.executions[-1] for me in (long, short))
    assert (paid.kind, paid.fee, received.fee) == ("Funding", Decimal("0.1"), Decimal("-0.1"))
    line = long.account.movements[-1].row()
    assert (line["type"], line["funding"], line["change"]) == ("SETTLEMENT", "-0.1", "-0.1")
    assert long.account.wallet_balance == Decimal(10_000) - Decimal("0.55") - Decimal("0.1")


def test_liquidation_takes_the_position_and_what_rests(trader: Make) -> None:
    me = trader(FLAT, (100.0, 100.0, 80.0, 80.0), balance="200")
    me.order("Buy", "10")
    resting = me.order("Buy", "1", "70")
    me.wait()
    assert me.position() == 0
    last = me.account.executions[-1].row()
    assert (last["execType"], last["createType"], last["orderLinkId"]) == ("BustTrade", "CreateByLiq", "")
    assert (resting.status, resting.cancel_type) == ("Cancelled", "CancelAllBeforeLiq")
    assert me.account.wallet_balance == Decimal(200) - Decimal(100) - Decimal("0.55")


def test_wallet_adds_up(trader: Make) -> None:
    me = trader(FLAT, RISE)
    me.order("Buy", "10")
    me.wait()
    row = wallet_row(me.account)
    assert Decimal(row["totalPerpUPL"]) == 100
    assert Decimal(row["totalEquity"]) == Decimal(row["totalWalletBalance"]) + 100
    assert Decimal(row["totalWalletBalance"]) == Decimal("9999.45")


def test_play_money_is_given_and_taken(trader: Make) -> None:
    me = trader(FLAT, FLAT)
    me.do("demo-apply-money", utaDemoApplyMoney=[{"coin": "USDT", "amountStr": "5000"}])
    me.do("demo-apply-money", adjustType=1, utaDemoApplyMoney=[{"coin": "USDT", "amountStr": "1000"}])
    assert me.account.wallet_balance == 14_000
    with pytest.raises(BybitError):
        me.do("demo-apply-money", utaDemoApplyMoney=[{"coin": "USDT", "amountStr": "100001"}])


def test_position_as_executions_make_it_is_the_venue_s(trader: Make) -> None:
    me = trader(FLAT, RISE, FALL, FLAT)
    for quantity, side in (("3", "Buy"), ("5", "Sell"), ("1", "Sell"), ("7", "Buy")):
        me.order(side, quantity)
        me.wait(0.5)
        for leg in me.account.legs.values():
            assert leg.position.quantity == leg.market.position.quantity
            assert leg.position.cost == leg.market.position.cost

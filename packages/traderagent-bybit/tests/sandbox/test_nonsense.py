"""Whatever is asked for, the answer is a result or one of Bybit's errors, and the books stay right."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from traderagent_bybit.codes import BybitError
from traderagent_bybit.sandbox import market_data
from traderagent_bybit.sandbox.routes import ROUTES
from traderagent_bybit.sandbox.world import OPERATIONS

ROWS = ((100.0, 100.0, 100.0, 100.0), (100.0, 112.0, 95.0, 104.0), (104.0, 108.0, 91.0, 99.0))
WORDS = "linear BTCUSDT Buy Sell Limit Market PostOnly IOC Partial Full 1 2.5 0 95 99.9 105 1e400 -1 NaN é"
VALUES = st.one_of(
    st.sampled_from([*WORDS.split(), "", "x" * 50, 0, 1, 2, 3, -1, 1.5, True, False, None]),
    st.lists(st.sampled_from(["a", 1, None]), max_size=2),
    st.dictionaries(st.sampled_from(["coin", "amountStr"]), st.sampled_from(["USDT", "1"]), max_size=2),
)
KEYS = [
    "category",
    "symbol",
    "side",
    "orderType",
    "qty",
    "price",
    "timeInForce",
    "orderLinkId",
    "orderId",
    "reduceOnly",
    "closeOnTrigger",
    "triggerPrice",
    "triggerDirection",
    "triggerBy",
    "takeProfit",
    "stopLoss",
    "tpslMode",
    "trailingStop",
    "activePrice",
    "positionIdx",
    "buyLeverage",
    "sellLeverage",
    "mode",
    "coin",
    "settleCoin",
    "baseCoin",
    "orderFilter",
    "utaDemoApplyMoney",
    "adjustType",
    "tpSize",
    "limit",
    "cursor",
    "startTime",
    "endTime",
    "interval",
    "start",
    "end",
    "openOnly",
    "accountType",
    "modifyEnable",
]
BODIES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=12)
USUAL = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Limit",
    "qty": "1",
    "price": "99",
}
STEPS = st.tuples(st.sampled_from(sorted(OPERATIONS)), st.booleans(), BODIES, st.integers(0, 20_000))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=12))
def test_requests(trader: Any, steps: list[tuple[str, bool, dict[str, Any], int]]) -> None:
    me = trader(*ROWS)
    for operation, is_usual, body, wait_ms in steps:
        with suppress(BybitError):
            me.world.apply("me", operation, {**(USUAL if is_usual else {}), **body})
        if me.world.now_ms + wait_ms < me.world.tapes["BTCUSDT"][1].end_ms:
            me.world.advance(me.world.now_ms + wait_ms)
    check_books(me)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BODIES)
def test_reads(trader: Any, query: dict[str, Any]) -> None:
    me = trader(*ROWS)
    me.order("Buy", "1", stopLoss="90")
    texts = {key: str(value) for key, value in query.items()}
    reads = [route.read for route in ROUTES.values() if route.read is not None]
    for read in reads:
        for asked in (texts, {**USUAL, **texts}):
            with suppress(BybitError):
                assert isinstance(read(me.account, asked), dict)
    for public in market_data.MARKET_READS.values():
        with suppress(BybitError):
            assert isinstance(public(me.world, {**USUAL, "interval": "1", **texts}), dict)


def check_books(me: Any) -> None:
    """Executions, orders, positions and money tell one story."""
    account = me.account
    for name, leg in account.legs.items():
        assert leg.quantity == leg.market.position.quantity, name
    for order in account.orders.values():
        rows = [row for row in account.executions if row.order_id == order.order_id]
        assert sum((row.quantity for row in rows), Decimal(0)) == order.filled
        assert order.is_open is (order.order_id in account.open_orders)
        if order.is_open and not order.is_waiting:
            assert order.order_id in account.leg_of(order).market.orders
    moved = sum((line.cash_flow + line.funding - line.fee for line in account.movements), Decimal(0))
    assert account.wallet_balance == Decimal(10_000) + moved

"""Hedge mode: the two positions of a symbol are instruments of their own, and nothing of one touches the other."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from traderagent_bybit.adapter.bybit import BybitAdapter
from traderagent_bybit.adapter.config import BybitConfig
from traderagent_core import (
    Amendment,
    ExchangeRefusedError,
    FundingPaid,
    Instrument,
    LinkUp,
    Market,
    OrderAccepted,
    OrderFilled,
    OrderRequest,
    OrderStatus,
    OrderType,
    Outcome,
    OutcomeKind,
    Price,
    Refusal,
    Side,
)
from traderagent_core.model.order import AttachedStop

LONG, SHORT = "ETH/USDT:long", "ETH/USDT:short"
ETH = Instrument(
    LONG, Market.LINEAR, lot_size=Decimal("0.001"), min_notional=Decimal(5), max_leverage=Decimal(10)
)
Talk = Callable[[Any, BybitAdapter], Awaitable[Any]]


@pytest.fixture
def on(rig: Callable[..., Any]) -> Callable[[Talk], Any]:
    """Runs a conversation with an adapter that trades both positions, or those that are named."""

    def run(talk: Talk, *symbols: str) -> Any:
        async def connect() -> Any:
            async with rig(ETH, BybitConfig()) as exchange:
                exchange.traded = symbols or (LONG, SHORT)
                adapter = exchange.adapter()
                try:
                    await adapter.connect()
                    while not (adapter._private.is_up and adapter._public.is_up):
                        await asyncio.sleep(0.002)
                    return await talk(exchange, adapter)
                finally:
                    await adapter.close()

        return asyncio.run(connect())

    return run


def order(
    name: str, symbol: str, side: Side, quantity: str, *, stop: str = "", reduces: bool = False
) -> OrderRequest:
    attached = AttachedStop(f"{name}-stop", Decimal(stop)) if stop else None
    return OrderRequest(
        name,
        symbol,
        side,
        OrderType.MARKET,
        Decimal(quantity),
        None,
        reduce_only=reduces,
        attached_stop=attached,
    )


def closing_stop(name: str, symbol: str, side: Side, price: str) -> OrderRequest:
    return OrderRequest(
        name, symbol, side, OrderType.STOP, Decimal(1), Decimal(price), reduce_only=True, closes_position=True
    )


async def send(exchange: Any, adapter: BybitAdapter, *requests: OrderRequest) -> None:
    for request in requests:
        outcome = await adapter.submit(request)
        assert outcome.kind is OutcomeKind.ACCEPTED, outcome
    await exchange.settle()


async def both(exchange: Any, adapter: BybitAdapter, *, stops: tuple[str, str] = ("", "")) -> None:
    """Three long and one short, at 100."""
    entry = order("l", LONG, Side.BUY, "3", stop=stops[0])
    await send(exchange, adapter, entry, order("s", SHORT, Side.SELL, "1", stop=stops[1]))


async def held(adapter: BybitAdapter) -> dict[str, Decimal]:
    return {each.symbol: each.quantity for each in await adapter.positions()}


def by_hand(exchange: Any, side: str, index: int, quantity: str, **more: Any) -> None:
    """An order of a person."""
    body = {"category": "linear", "symbol": "ETHUSDT", "side": side, "orderType": "Market", "qty": quantity}
    exchange.session.apply("kit", "create", {**body, "positionIdx": index, **more})


# -- entries and exits ---------------------------------------------------------------------------------------


def test_both_positions_are_held_and_told_apart(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        await both(exchange, adapter)
        await exchange.move_price(Decimal(105))
        await send(exchange, adapter, order("l2", LONG, Side.BUY, "1"))
        return await adapter.positions(), await adapter.executions(0), await adapter.instruments()

    positions, fills, instruments = on(talk)
    found = {each.symbol: (each.quantity, each.entry_price) for each in positions}
    assert found == {LONG: (Decimal(4), Decimal("101.25")), SHORT: (Decimal(-1), Decimal(100))}
    assert sorted((fill.client_order_id, fill.symbol) for fill in fills) == [
        ("l", LONG),
        ("l2", LONG),
        ("s", SHORT),
    ]
    assert {each.symbol for each in instruments} == {LONG, SHORT}


def test_an_exit_larger_than_its_position_closes_that_and_nothing_else(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        await both(exchange, adapter)
        await send(exchange, adapter, order("x", SHORT, Side.BUY, "5", reduces=True))
        after_short = await held(adapter)
        await send(
            exchange, adapter, order("y", LONG, Side.SELL, "9")
        )  # Not marked: it can only reduce as well.
        return after_short, await held(adapter)

    after_short, after_long = on(talk)
    assert after_short == {LONG: Decimal(3)}
    assert after_long == {}


@pytest.mark.parametrize(("symbol", "side"), [(LONG, Side.SELL), (SHORT, Side.BUY)])
def test_what_is_to_close_opens_nothing(on: Any, symbol: str, side: Side) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> tuple[Outcome, dict[str, Decimal]]:
        other = order("o", SHORT, Side.SELL, "1") if symbol == LONG else order("o", LONG, Side.BUY, "1")
        await send(exchange, adapter, other)
        return await adapter.submit(order("x", symbol, side, "1")), await held(adapter)

    outcome, left = on(talk)
    assert outcome.reason is Refusal.REDUCE_ONLY_WITHOUT_POSITION
    assert sum(map(abs, left.values())) == 1
    assert symbol not in left


def test_partial_fills_belong_to_the_position_that_they_open_or_close(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        told: list[Any] = []

        async def listen() -> None:
            async for fact in adapter.events():
                told.append(fact)  # noqa: PERF401 (they are looked at while more come)

        listener = asyncio.create_task(listen())
        await exchange.split_fills(3)
        await both(exchange, adapter)
        await send(exchange, adapter, order("x", LONG, Side.SELL, "2", reduces=True))
        await send(exchange, adapter, order("y", SHORT, Side.BUY, "1", reduces=True))
        listener.cancel()
        return told, await adapter.executions(0)

    told, read = on(talk)
    heard = [fact for fact in told if isinstance(fact, OrderFilled)]
    expected = {
        "l": (LONG, Side.BUY),
        "s": (SHORT, Side.SELL),
        "x": (LONG, Side.SELL),
        "y": (SHORT, Side.BUY),
    }
    for fills in (heard, read):
        assert len(fills) == 12
        assert {fill.client_order_id: (fill.symbol, fill.side) for fill in fills} == expected
    assert {type(fact) for fact in told} == {LinkUp, OrderAccepted, OrderFilled}


# -- stops ---------------------------------------------------------------------------------------------------


def test_a_stop_is_moved_and_removed_at_its_own_position(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        await both(exchange, adapter, stops=("90", "110"))
        moved = await adapter.amend(LONG, Amendment("l-stop", Decimal(95), None))
        after_move = {each.client_order_id: each.price for each in await adapter.open_orders()}
        removed = await adapter.cancel(SHORT, "s-stop")
        await exchange.settle()
        after_removal = {each.client_order_id: each.symbol for each in await adapter.open_orders()}
        return moved.kind, after_move, removed.kind, after_removal, await adapter.order(SHORT, "s-stop")

    moved, after_move, removed, after_removal, ended = on(talk)
    assert moved is removed is OutcomeKind.ACCEPTED
    assert after_move == {"l-stop": Decimal(95), "s-stop": Decimal(110)}
    assert after_removal == {"l-stop": LONG}
    assert (ended.symbol, ended.status) == (SHORT, OrderStatus.CANCELED)


def test_a_stop_closes_its_own_position_whole_and_leaves_the_other_with_its_stop(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        await both(exchange, adapter, stops=("92", "108"))
        await send(exchange, adapter, order("l2", LONG, Side.BUY, "1"))
        await exchange.move_price(Decimal(91))
        await exchange.settle()
        fill = (await adapter.executions(0))[-1]
        return fill, await held(adapter), [each.client_order_id for each in await adapter.open_orders()]

    fill, left, orders = on(talk)
    assert (fill.client_order_id, fill.symbol, fill.side, fill.quantity) == (
        "l-stop",
        LONG,
        Side.SELL,
        Decimal(4),
    )
    assert left == {SHORT: Decimal(-1)}
    assert orders == ["s-stop"]


def test_a_conditional_stop_closes_its_own_position_whole(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        await both(exchange, adapter)
        await send(exchange, adapter, closing_stop("c", SHORT, Side.BUY, "105"))
        resting = [(each.client_order_id, each.symbol) for each in await adapter.open_orders()]
        await exchange.move_price(Decimal(106))
        await exchange.settle()
        return resting, await held(adapter)

    assert on(talk) == ([("c", SHORT)], {LONG: Decimal(3)})


def test_after_a_restart_stops_at_one_price_are_told_apart_by_their_positions(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        await send(exchange, adapter, order("l", LONG, Side.BUY, "1", stop="95"))
        await exchange.move_price(Decimal("95.5"))
        await send(exchange, adapter, order("s", SHORT, Side.SELL, "1", stop="99"))
        await adapter.amend(LONG, Amendment("l-stop", Decimal(92), None))
        later = exchange.adapter()
        try:
            await later.connect()
            before = {each.client_order_id for each in await later.open_orders()}
            # Each is told with the price of the other too, as if both had been asked for at both.
            for price in (92, 99):
                later.recall(LONG, AttachedStop("l-stop", Decimal(price)), "")
                later.recall(SHORT, AttachedStop("s-stop", Decimal(price)), "")
            after = {each.client_order_id: (each.symbol, each.price) for each in await later.open_orders()}
            moved = await later.amend(SHORT, Amendment("s-stop", Decimal(98), None))
            await exchange.settle()
            return before, after, moved.kind, (await later.order(SHORT, "s-stop")).price
        finally:
            await later.close()

    before, after, moved, price = on(talk)
    assert before == {""}
    assert after == {"l-stop": (LONG, Decimal(92)), "s-stop": (SHORT, Decimal(99))}
    assert moved is OutcomeKind.ACCEPTED
    assert price == Decimal(98)


# -- others --------------------------------------------------------------------------------------------------


def test_a_persons_position_on_the_other_side_is_not_the_bots(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        await send(exchange, adapter, order("l", LONG, Side.BUY, "2", stop="90"))
        by_hand(exchange, "Sell", 2, "5", stopLoss="120")
        await exchange.settle()
        await adapter.amend(LONG, Amendment("l-stop", Decimal(93), None))
        await exchange.settle()
        orders = {each.symbol: (each.client_order_id, each.price) for each in await adapter.open_orders()}
        fills = {fill.symbol: fill.client_order_id for fill in await adapter.executions(0)}
        await exchange.move_price(Decimal(92))
        await exchange.settle()
        return orders, fills, await held(adapter)

    orders, fills, left = on(talk, LONG)
    assert orders == {LONG: ("l-stop", Decimal(93)), SHORT: ("", Decimal(120))}
    assert fills == {LONG: "l", SHORT: ""}
    assert left == {SHORT: Decimal(-5)}


def test_a_liquidation_belongs_to_the_position_that_it_takes(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        await both(exchange, adapter)
        await exchange.move_price(Decimal(80))
        await exchange.settle()
        return (await adapter.executions(0))[-1], await held(adapter)

    fill, left = on(talk)
    assert (fill.client_order_id, fill.symbol, fill.side, fill.quantity) == ("", LONG, Side.SELL, Decimal(3))
    assert left == {SHORT: Decimal(-1)}


def test_funding_is_paid_by_one_position_and_received_by_the_other(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> list[FundingPaid]:
        await both(exchange, adapter)
        world = exchange.session.world
        world.advance((world.now_ms // 28_800_000 + 1) * 28_800_000)
        await exchange.settle()
        return list(await adapter.funding_paid(0))

    found = {paid.symbol: paid.amount for paid in on(talk)}
    assert found == {LONG: Decimal("-0.03"), SHORT: Decimal("0.01")}


def test_a_price_is_told_for_both_positions(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        told = adapter.prices([LONG, SHORT])
        await exchange.move_price(Decimal(103))
        found: dict[str, Decimal] = {}
        async for fact in told:
            if isinstance(fact, Price):
                found[fact.symbol] = fact.last
            if set(found.values()) == {Decimal(103)} and len(found) == 2:
                return found
        return None

    assert on(talk) == {LONG: Decimal(103), SHORT: Decimal(103)}


# -- leverage and mode ---------------------------------------------------------------------------------------


def test_leverage_is_that_of_both_positions(on: Any) -> None:
    async def talk(_: Any, adapter: BybitAdapter) -> Any:
        first, again = (
            await adapter.set_leverage(LONG, Decimal(5)),
            await adapter.set_leverage(SHORT, Decimal(5)),
        )
        await adapter.submit(order("l", LONG, Side.BUY, "1"))
        await adapter.submit(order("s", SHORT, Side.SELL, "1"))
        return first.kind, again.kind, {each.leverage for each in await adapter.positions()}

    assert on(talk) == (OutcomeKind.ACCEPTED, OutcomeKind.ALREADY_SO, {Decimal(5)})


def test_a_symbol_without_a_side_is_refused_in_hedge_mode(on: Any) -> None:
    async def talk(*_: Any) -> None:
        raise AssertionError("connected")

    with pytest.raises(
        ExchangeRefusedError, match=r"write `symbol: ETH/USDT:long` or `symbol: ETH/USDT:short`"
    ):
        on(talk, "ETH/USDT")


def test_a_side_is_refused_in_one_way_mode(rig: Callable[..., Any]) -> None:
    async def connect() -> None:
        async with rig(evolve(ETH, symbol="ETH/USDT"), BybitConfig()) as exchange:
            exchange.traded = (SHORT,)
            adapter = exchange.adapter()
            try:
                await adapter.connect()
            finally:
                await adapter.close()

    with pytest.raises(ExchangeRefusedError, match=r"ETH/USDT is in one-way mode; write `symbol: ETH/USDT`"):
        asyncio.run(connect())


def test_a_mode_that_is_switched_under_way_lets_no_order_through(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        exchange.session.apply("kit", "switch-mode", {"category": "linear", "symbol": "ETHUSDT", "mode": 0})
        outcome = await adapter.submit(order("l", LONG, Side.BUY, "1"))
        return outcome.kind, outcome.text, await held(adapter)

    kind, text, left = on(talk)
    assert (kind, left) == (OutcomeKind.REJECTED, {})
    assert "position idx not match position mode" in text

"""What the kit does not ask: limits, clocks, codes, facts out of order, hedge mode, funding."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from attrs import evolve
from traderagent_bybit.adapter import budget as budget_module
from traderagent_bybit.adapter import http, outcomes, stream
from traderagent_bybit.adapter.budget import Budget
from traderagent_bybit.adapter.bybit import BybitAdapter
from traderagent_bybit.adapter.config import BybitConfig, hosts_of
from traderagent_bybit.adapter.facts import Facts
from traderagent_bybit.adapter.position_stops import PositionStops
from traderagent_bybit.adapter.symbols import Symbols
from traderagent_core import (
    Amendment,
    ExchangeRefusedError,
    ExchangeUnavailableError,
    Instrument,
    LinkDown,
    LinkUp,
    Market,
    OrderRequest,
    OrderStatus,
    OrderType,
    OutcomeKind,
    Refusal,
    Side,
    Surroundings,
)
from traderagent_core.adapters.clocks import SystemClock
from traderagent_core.model.order import AttachedStop

ETH = Instrument(
    "ETH/USDT", Market.LINEAR, lot_size=Decimal("0.001"), min_notional=Decimal(5), max_leverage=Decimal(10)
)
ONE_WAY = Symbols([])
Talk = Callable[[Any, BybitAdapter], Awaitable[Any]]


@pytest.fixture
def on(rig: Callable[..., Any]) -> Callable[[Talk], Any]:
    """Runs a conversation with a connected adapter."""

    def run(talk: Talk, *, prepare: Callable[[Any], None] = lambda _: None) -> Any:
        async def connect() -> Any:
            async with rig(ETH, BybitConfig()) as exchange:
                prepare(exchange)
                adapter = exchange.adapter()
                try:
                    await adapter.connect()
                    return await talk(exchange, adapter)
                finally:
                    await adapter.close()

        return asyncio.run(connect())

    return run


def market(side: Side, name: str, quantity: str = "1") -> OrderRequest:
    return OrderRequest(name, "ETH/USDT", side, OrderType.MARKET, Decimal(quantity), None)


# -- outcomes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["10000", "10006", "10016", "10018", "10019", "10429", "5004", "123456"])
def test_trouble_at_the_venue_is_unknown_for_every_write(code: str) -> None:
    for table in (outcomes.SUBMIT, outcomes.AMEND, outcomes.CANCEL, outcomes.LEVERAGE):
        assert outcomes.outcome_of(table, code, "").kind is OutcomeKind.UNKNOWN


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The number of contracts exceeds minimum limit allowed", Refusal.ORDER_TOO_SMALL),
        ("The number of contracts exceeds maximum limit allowed: too large", Refusal.ORDER_TOO_LARGE),
        ("Qty invalid", Refusal.QUANTITY_NOT_ON_LOT),
        ("something else", Refusal.BAD_PARAMETERS),
    ],
)
def test_10001_is_told_apart_by_its_text(text: str, reason: Refusal) -> None:
    assert outcomes.outcome_of(outcomes.SUBMIT, "10001", text).reason is reason


def test_one_code_means_different_things_for_different_requests() -> None:
    assert outcomes.outcome_of(outcomes.CANCEL, "110001", "").kind is OutcomeKind.ALREADY_SO
    assert outcomes.outcome_of(outcomes.AMEND, "110001", "").reason is Refusal.ORDER_NOT_OPEN
    assert outcomes.outcome_of(outcomes.SUBMIT, "110001", "").kind is OutcomeKind.UNKNOWN


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "ret_code", "code": 10006}, OutcomeKind.UNKNOWN),
        ({"kind": "http_status", "status": 502, "is_executed": True}, OutcomeKind.UNKNOWN),
        ({"kind": "http_status", "status": 429}, OutcomeKind.UNKNOWN),
        ({"kind": "broken_json"}, OutcomeKind.UNKNOWN),
        ({"kind": "http_status", "status": 401}, OutcomeKind.REJECTED),
        ({"kind": "http_status", "status": 403}, OutcomeKind.NOT_PROCESSED),
        ({"kind": "ret_code", "code": 10002}, OutcomeKind.NOT_PROCESSED),
    ],
    ids=str,
)
def test_what_becomes_of_a_write_is_never_guessed(on: Any, fault: dict[str, Any], kind: OutcomeKind) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        exchange.desk.faults.replace([{**fault, "match": "/v5/order/create", "count": 1}], 0)
        return await adapter.submit(market(Side.BUY, "a"))

    assert on(talk).kind is kind


def test_after_http_403_nothing_is_sent(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        exchange.desk.faults.replace([{"kind": "http_status", "status": 403, "count": 1}], 0)
        await adapter.submit(market(Side.BUY, "a"))
        again = await adapter.submit(market(Side.BUY, "b"))
        with pytest.raises(ExchangeUnavailableError) as error:
            await adapter.open_orders()
        orders = exchange.session.world.accounts["kit"].orders
        return again, error.value.retry_after_ms, len(orders)

    again, retry_after_ms, sent = on(talk)
    assert again.kind is OutcomeKind.NOT_PROCESSED
    assert again.retry_after_ms > 590_000 < retry_after_ms
    assert sent == 0


# -- the stop-loss of a position ------------------------------------------------------------------------------


async def with_stop(exchange: Any, adapter: BybitAdapter, price: str = "90") -> None:
    """A position whose entry has carried a stop."""
    entry = market(Side.BUY, "entry")
    entry = evolve(entry, attached_stop=AttachedStop("stop", Decimal(price)))
    assert (await adapter.submit(entry)).kind is OutcomeKind.ACCEPTED
    await exchange.settle()


def test_after_a_restart_an_attached_stop_is_ours_again_by_what_is_recalled(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        await with_stop(exchange, adapter)
        later = exchange.adapter()
        try:
            await later.connect()
            before = [order.client_order_id for order in await later.open_orders()]
            later.recall("ETH/USDT", AttachedStop("stop", Decimal(90)), "")
            after = await later.order("ETH/USDT", "stop")
            moved = await later.amend("ETH/USDT", Amendment("stop", Decimal(92), None))
            await exchange.move_price(Decimal(91))
            await exchange.settle()
            fills = await later.executions(0)
            return before, after, moved.kind, fills[-1], await later.order("ETH/USDT", "stop")
        finally:
            await later.close()

    before, after, moved, fill, ended = on(talk)
    assert before == [""]
    assert (after.client_order_id, after.price, after.status) == ("stop", Decimal(90), OrderStatus.OPEN)
    assert moved is OutcomeKind.ACCEPTED
    assert (fill.client_order_id, fill.side, fill.quantity) == ("stop", Side.SELL, Decimal(1))
    assert (ended.status, ended.filled) == (OrderStatus.FILLED, Decimal(1))


def test_a_stop_that_a_person_has_set_is_not_ours(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        await with_stop(exchange, adapter)
        await adapter.cancel("ETH/USDT", "stop")
        body = {"category": "linear", "symbol": "ETHUSDT", "positionIdx": 0, "stopLoss": "80"}
        exchange.session.apply("kit", "trading-stop", body)
        await exchange.settle()
        (theirs,) = await adapter.open_orders()
        return theirs, await adapter.order("ETH/USDT", "stop")

    theirs, ours = on(talk)
    assert (theirs.client_order_id, theirs.price) == ("", Decimal(80))
    assert ours.status is OrderStatus.CANCELED


def test_the_stop_of_a_position_that_is_gone_is_no_more(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        await with_stop(exchange, adapter)
        await adapter.submit(market(Side.SELL, "exit"))
        await exchange.settle()
        change = Amendment("stop", Decimal(92), None)
        ended = await adapter.order("ETH/USDT", "stop")
        return await adapter.amend("ETH/USDT", change), await adapter.cancel("ETH/USDT", "stop"), ended

    amended, canceled, ended = on(talk)
    assert amended.reason is Refusal.ORDER_NOT_OPEN
    assert canceled.kind is OutcomeKind.ALREADY_SO
    assert (ended.status, ended.code) == (OrderStatus.CANCELED, "reduce_only_without_position")


# -- clock, keys, modes --------------------------------------------------------------------------------------


def test_a_clock_that_is_off_is_corrected_before_anything_is_signed(
    on: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_now = SystemClock.now_ms
    late = lambda self: true_now(self) - 3_600_000  # noqa: E731

    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        adapter.clock.now_ms = late.__get__(adapter.clock)  # type: ignore[method-assign]
        exchange.session.wall_ms = lambda: true_now(exchange.clock)
        refused = await adapter.submit(market(Side.BUY, "a"))
        return refused, await adapter.submit(market(Side.BUY, "a"))

    refused, sent = on(talk)
    assert (refused.kind, refused.code) == (OutcomeKind.NOT_PROCESSED, "10002")
    assert sent.kind is OutcomeKind.ACCEPTED


def test_wrong_keys_are_told_at_the_start(on: Any) -> None:
    def prepare(exchange: Any) -> None:
        exchange.desk.accounts_by_key.clear()

    async def talk(*_: Any) -> None:
        raise AssertionError("connected")

    with pytest.raises(ExchangeRefusedError, match="API key is invalid"):
        on(talk, prepare=prepare)


def test_hedge_mode_is_refused_at_the_start(on: Any) -> None:
    def prepare(exchange: Any) -> None:
        exchange.session.apply("kit", "switch-mode", {"category": "linear", "symbol": "ETHUSDT", "mode": 3})

    async def talk(*_: Any) -> None:
        raise AssertionError("connected")

    with pytest.raises(ExchangeRefusedError, match="one-way"):
        on(talk, prepare=prepare)


class TogetherOnly:
    """Reads that are answered when there are so many of them, and not before."""

    def __init__(self, count: int) -> None:
        self._missing = count
        self._are_all_there = asyncio.Event()

    async def every(self, _path: str, _query: Any) -> list[Any]:
        self._missing -= 1
        if not self._missing:
            self._are_all_there.set()
        await self._are_all_there.wait()
        return []


def test_the_modes_of_all_symbols_are_checked_at_once() -> None:
    markets = {f"C{number}/USDT": Market.LINEAR for number in range(50)}

    async def check() -> None:
        adapter = BybitAdapter(BybitConfig(), Surroundings(SystemClock(), markets))
        adapter._reads = TogetherOnly(len(markets))  # type: ignore[assignment]
        await asyncio.wait_for(adapter._check_modes(), 10)

    asyncio.run(check())


@pytest.mark.parametrize("environment", ["main", "test", "demo"])
def test_environments_have_their_hosts(environment: str) -> None:
    hosts = hosts_of(BybitConfig(), environment)
    assert ("demo" in hosts.rest) is ("demo" in hosts.private) is (environment == "demo")
    assert ("testnet" in hosts.rest) is ("testnet" in hosts.public) is (environment == "test")
    assert hosts_of(BybitConfig(rest_url="http://here/"), environment).rest == "http://here"


# -- limits --------------------------------------------------------------------------------------------------


def test_no_second_holds_more_calls_than_the_venue_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    """However calls are delayed on their way: each leaves a second after the answer to the tenth before it."""
    monkeypatch.setattr(budget_module, "SECOND", 0.1)

    async def talk() -> list[tuple[float, float]]:
        budget, random, done = Budget(SystemClock()), Random(3), list[tuple[float, float]]()
        now = asyncio.get_running_loop().time

        async def call() -> None:
            async with budget.room("/create", "write", is_protective=random.random() < 0.3):
                sent = now()
                await asyncio.sleep(random.random() * 0.05)
                done.append((sent, now()))

        await asyncio.gather(*(call() for _ in range(60)))
        return done

    done = asyncio.run(talk())
    assert len(done) == 60
    for sent, _ in done:
        assert sum(begun <= sent < answered + 0.1 for begun, answered in done) <= 10


def test_protective_calls_do_not_wait_for_entries() -> None:
    async def talk() -> list[str]:
        budget, order = Budget(SystemClock()), list[str]()

        async def call(name: str, *, is_protective: bool) -> None:
            async with budget.room("/create", "write", is_protective=is_protective):
                order.append(name)

        entries = [asyncio.create_task(call("entry", is_protective=False)) for _ in range(500)]
        await asyncio.sleep(0)
        stops = [asyncio.create_task(call("stop", is_protective=True)) for _ in range(3)]
        await asyncio.gather(*stops)
        for task in entries:
            task.cancel()
        await asyncio.wait(entries)
        return order

    assert asyncio.run(talk()) == ["entry"] * 7 + ["stop"] * 3


def test_what_the_venue_says_of_a_reset_has_the_last_word() -> None:
    async def talk() -> int:
        clock = SystemClock()
        budget = Budget(clock)
        start = clock.now_ms()
        budget.learn(
            "/create", "10006", {"X-Bapi-Limit-Reset-Timestamp": str(start + 5_120)}, offset_ms=5_000
        )
        async with budget.room("/create", "write"):
            return clock.now_ms() - start

    assert asyncio.run(talk()) >= 115


# -- facts ---------------------------------------------------------------------------------------------------


def rows(on: Any) -> list[dict[str, Any]]:
    """Messages that the sandbox pushes for an order that rests, is amended, trades and for one that is canceled."""

    async def talk(exchange: Any, adapter: BybitAdapter) -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []
        hear = adapter._told.of
        adapter._told.of = lambda message: (heard.append(message), hear(message))[1]  # type: ignore[method-assign]
        while not adapter._private.is_up:
            await asyncio.sleep(0.005)
        for name in ("a", "b"):
            await adapter.submit(
                OrderRequest(name, "ETH/USDT", Side.BUY, OrderType.LIMIT, Decimal(1), Decimal(95))
            )
        await adapter.cancel("ETH/USDT", "b")
        await exchange.move_price(Decimal(94))
        await exchange.settle()
        return heard

    found: list[dict[str, Any]] = on(talk)
    return found


def test_facts_come_once_however_often_and_in_whatever_order_the_topics_tell(on: Any) -> None:
    messages = rows(on)
    executions = [message for message in messages if message["topic"] == "execution"]
    orders = [message for message in messages if message["topic"] == "order"]
    for told in (messages, executions + orders, messages * 2, [each for each in messages for _ in range(2)]):
        facts = Facts(PositionStops(ONE_WAY), ONE_WAY)
        names = [(type(fact).__name__, fact.client_order_id) for each in told for fact in facts.of(each)]
        assert sorted(names) == [
            ("OrderAccepted", "a"),
            ("OrderAccepted", "b"),
            ("OrderCanceled", "b"),
            ("OrderFilled", "a"),
        ]
        assert names.index(("OrderAccepted", "a")) < names.index(("OrderFilled", "a"))


def test_rejection_after_the_acknowledgement_is_a_fact(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        told = adapter.events()
        exchange.desk.faults.replace([{"kind": "reject", "match": "/v5/order/create"}], 0)
        while not adapter._private.is_up:
            await asyncio.sleep(0.005)
        outcome = await adapter.submit(market(Side.BUY, "a"))
        await anext(told)
        fact = await asyncio.wait_for(anext(told), 5)
        return outcome.kind, fact, (await adapter.order("ETH/USDT", "a")).status.value

    kind, fact, status = on(talk)
    assert (kind, type(fact).__name__, fact.code) == (OutcomeKind.ACCEPTED, "OrderRejected", "EC_Others")
    assert status == "REJECTED"


def test_funding_is_told_and_read(on: Any) -> None:
    async def talk(exchange: Any, adapter: BybitAdapter) -> tuple[Any, Any, list[Any]]:
        told: list[Any] = []

        async def listen() -> None:
            async for fact in adapter.events():
                told.append(fact)  # noqa: PERF401 (they are looked at while more come)

        listener = asyncio.create_task(listen())
        while not adapter._private.is_up:
            await asyncio.sleep(0.005)
        await adapter.submit(market(Side.BUY, "a", "10"))
        world = exchange.session.world
        due = (world.now_ms // 28_800_000 + 1) * 28_800_000
        world.advance(due)
        await exchange.settle()
        listener.cancel()
        paid = await adapter.funding_paid(0)
        return (
            paid,
            await adapter.executions(0),
            [fact for fact in told if type(fact).__name__ == "FundingPaid"],
        )

    paid, fills, told = on(talk)
    assert [(each.symbol, each.amount) for each in paid] == [("ETH/USDT", Decimal("-0.1"))]
    assert len(fills) == 1
    assert [each.amount for each in told] == [Decimal("-0.1")]


# -- addresses that are refused, and topics that fall silent -----------------------------------------------


def test_after_the_pause_one_call_asks_and_entries_come_last(
    on: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "FORBIDDEN_PAUSE_MS", 300)
    monkeypatch.setattr(http, "ENTRIES_LATER_MS", 300)

    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        refused = {"kind": "http_status", "status": 403, "count": 2}
        exchange.desk.faults.replace([refused], 0)
        first = await asyncio.gather(*(adapter.submit(market(Side.BUY, name)) for name in "ab"))
        await asyncio.sleep(0.35)
        entry = await adapter.submit(market(Side.BUY, "c"))
        exchange.desk.faults.replace([{**refused, "count": 1}], 0)
        reads = await asyncio.gather(*(adapter.open_orders() for _ in range(5)), return_exceptions=True)
        asked = exchange.desk.faults.rules[0].matched
        await asyncio.sleep(0.35)
        assert list(await adapter.open_orders()) == []
        return first, entry, [str(each) for each in reads], asked, await adapter.submit(market(Side.BUY, "c"))

    first, entry, reads, asked, at_last = on(talk)
    assert [each.kind for each in (*first, entry)] == [OutcomeKind.NOT_PROCESSED] * 3
    assert entry.retry_after_ms <= 300
    assert asked == 1
    assert not any("once more" in each.text for each in first)
    assert "once more" in reads[0]
    assert at_last.kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize("answers_pings", [True, False])
def test_a_ticker_that_falls_silent_on_an_open_socket_breaks_it(
    on: Any, monkeypatch: pytest.MonkeyPatch, *, answers_pings: bool
) -> None:
    monkeypatch.setattr(stream, "PING_SECONDS", 0.03 if answers_pings else 3600)

    async def talk(exchange: Any, adapter: BybitAdapter) -> Any:
        own = BybitAdapter(adapter.config.model_copy(update={"ticker_seconds": 0.1}), adapter.surroundings)
        told: list[Any] = []

        async def listen() -> None:
            async for fact in own.prices(["ETH/USDT"]):
                told.append(fact)  # noqa: PERF401 (they are looked at while more come)

        listener = asyncio.create_task(listen())
        await own.connect()
        try:
            while not told:
                await asyncio.sleep(0.005)
            exchange.desk.faults.replace([{"kind": "mute", "match": "tickers.*"}], 0)
            while not any(isinstance(fact, LinkDown) for fact in told):
                await asyncio.sleep(0.02)
            exchange.desk.faults.replace([], 0)
            while not isinstance(told[-1], LinkUp):
                await asyncio.sleep(0.005)
        finally:
            listener.cancel()
            await own.close()
        return next(fact for fact in told if isinstance(fact, LinkDown))

    assert "tickers.ETHUSDT has been silent for too long" in on(talk).cause


def test_each_contract_tells_its_largest_orders(rig: Callable[..., Any]) -> None:
    limited = evolve(ETH, max_quantity=Decimal(300), max_market_quantity=Decimal(120))

    async def told() -> Any:
        async with rig(limited, BybitConfig()) as exchange:
            adapter = exchange.adapter()
            try:
                await adapter.connect()
                (found,) = await adapter.instruments()
            finally:
                await adapter.close()
            return found.max_quantity, found.max_market_quantity

    assert asyncio.run(told()) == (300, 120)

"""What reads of the account bring to light is mended: requests that never left, stops that are gone, strangers."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from traderagent_core.live import running
from traderagent_core.live.entries import CLOCK, EXCHANGE


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads follow each other as quickly as the test needs them."""
    for name, pause_ms in (("QUIET_INTERVAL_MS", 200), ("FLIGHT_INTERVAL_MS", 100), ("READ_AGAIN_MS", 20)):
        monkeypatch.setattr(running, name, pause_ms)


def stop_at_venue(here: Any) -> Any:
    return next((order for order in here.live_at_venue().values() if order.trigger_price), None)


def test_a_stop_that_the_exchange_refuses_again_and_again_closes_the_position(floor: Any) -> None:
    async def scenario() -> None:
        async with floor() as here, here.trading():
            await here.walk(97)
            assert here.position > 0
            refused = {"kind": "ret_code", "code": 110009, "message": "too many", "count": 3}
            here.faults({**refused, "match": "/v5/order/create"})
            apply(here, "cancel", orderLinkId=stop_at_venue(here).link_id)
            await here.until("the position is closed", lambda: here.position == 0)
            await here.agreed()
            assert here.has_told("stop_refused")
            assert here.driver.engine.members["bot"].is_paused
            assert here.live_at_venue() == {}

    asyncio.run(scenario())


def apply(here: Any, operation: str, **body: Any) -> Any:
    done = here.desk.session.apply("kit", operation, {"category": "linear", "symbol": "BTCUSDT", **body})
    here.desk.hub.flush()
    return done


def test_an_amendment_that_never_left_is_sent_at_the_next_start(floor: Any) -> None:
    async def scenario() -> None:
        async with floor() as here:
            async with here.trading():
                await here.walk(97)
                wanted = stop_at_venue(here).trigger_price
            apply(here, "amend", orderLinkId=stop_at_venue(here).link_id, triggerPrice="60.00")
            async with here.trading():
                await here.until("the stop is moved", lambda: stop_at_venue(here).trigger_price == wanted)
                await here.agreed()

    asyncio.run(scenario())


def test_a_cancellation_whose_request_was_lost_is_sent_again(floor: Any) -> None:
    async def scenario() -> None:
        async with floor() as here:
            async with here.trading():
                await here.walk(97)
                here.faults({"kind": "lose_request", "match": "/v5/order/cancel"})
                here.move(101)
                await here.until("the stop is to go", here.has_canceling)
            here.faults()
            async with here.trading():
                await here.until("the stop is gone", lambda: stop_at_venue(here) is None)
                await here.agreed()

    asyncio.run(scenario())


@pytest.mark.parametrize("is_running", [True, False], ids=["while running", "while down"])
def test_a_stop_that_is_gone_is_placed_again(floor: Any, *, is_running: bool) -> None:
    async def scenario() -> None:
        async with floor() as here:
            async with here.trading():
                await here.walk(97)
                gone = stop_at_venue(here)
                if is_running:
                    apply(here, "cancel", orderLinkId=gone.link_id)
                    await here.until("there is another stop", lambda: stop_at_venue(here))
            if not is_running:
                apply(here, "cancel", orderLinkId=gone.link_id)
                async with here.trading():
                    await here.until("there is another stop", lambda: stop_at_venue(here))
                    await here.agreed()
            found = stop_at_venue(here)
            assert found.link_id != gone.link_id
            assert found.trigger_price == gone.trigger_price

    asyncio.run(scenario())


def test_a_position_whose_stop_is_gone_and_passed_is_closed(floor: Any) -> None:
    async def scenario() -> None:
        async with floor() as here:
            async with here.trading():
                await here.walk(97)
            for name in list(here.live_at_venue()):
                apply(here, "cancel", orderLinkId=name)
            here.move(70)
            async with here.trading():
                await here.until("the position is closed", lambda: here.position == 0)
                await here.agreed()

    asyncio.run(scenario())


def test_an_order_of_ours_that_the_journal_does_not_know_is_taken_back_and_others_are_left(
    floor: Any,
) -> None:
    async def scenario() -> None:
        async with floor() as here:
            async with here.trading():
                await here.walk()
            order = {"side": "Buy", "orderType": "Limit", "qty": "1", "price": "80"}
            prefix = here.driver.engine.members["bot"].prefix
            apply(here, "create", **order, orderLinkId=f"{prefix}grid-99-1")
            apply(here, "create", **order, orderLinkId="by-hand")
            async with here.trading():
                await here.until("it is gone", lambda: f"{prefix}grid-99-1" not in here.live_at_venue())
                assert here.driver.engine.members["bot"].is_paused
                assert here.has_told("stray_order")
            assert "by-hand" in here.live_at_venue()

    asyncio.run(scenario())


def test_an_order_that_the_exchange_has_confirmed_is_never_proved_absent(floor: Any) -> None:
    async def scenario() -> None:
        async with floor() as here, here.trading():
            await here.walk()
            name = next(iter(here.live_at_venue()))
            await here.until("it is open", lambda: not here.driver.outbox.is_unheard_of(name))
            for is_wanted in (True, False):
                if not is_wanted:
                    here.driver.tell(lambda: here.driver.say("bot", "stop", "enough"))
                    await here.until("it is canceled", here.has_canceling)
                here.driver.aligning._absent(name, here.driver.stepper.requests[name])
            await here.until("all are gone", lambda: not here.live_at_venue())
            await here.agreed()
            assert here.kept().closed_orders[name].reason != "never_accepted"

    asyncio.run(scenario())


def test_entries_wait_while_the_exchange_does_not_answer(floor: Any) -> None:
    async def scenario() -> None:
        async with floor() as here, here.trading():
            await here.walk()
            here.faults({"kind": "http_status", "status": 503, "match": "/v5/*"})
            bars = here.driver.engine.barring.bars
            await here.until("entries are barred", lambda: ("", EXCHANGE) in bars)
            here.faults()
            await here.until("entries are allowed", lambda: not bars)
            await here.walk(97, 101)

    asyncio.run(scenario())


def test_entries_wait_while_the_clock_is_wrong(floor: Any) -> None:
    async def scenario() -> None:
        async with floor() as here, here.trading():
            await here.walk()
            right = here.desk.session.wall_ms
            here.desk.session.wall_ms = here.desk.limits.wall_ms = lambda: right() + 10_000
            bars = here.driver.engine.barring.bars
            await here.until("entries are barred", lambda: ("", CLOCK) in bars)
            assert "+10.0 s" in bars["", CLOCK] or "+9.9 s" in bars["", CLOCK]
            await here.walk(97)
            assert stop_at_venue(here).reduce_only
            here.desk.session.wall_ms = here.desk.limits.wall_ms = right
            await here.until("entries are allowed", lambda: not bars)
            assert here.position > Decimal(0)

    asyncio.run(scenario())


def test_a_deal_after_a_fill_that_nobody_saw_is_sized_at_the_price_of_now(floor: Any) -> None:
    amount = Decimal(200)
    section = {
        "start": "immediate",
        "amount_per_step": str(amount),
        "price_deviation": "0.015",
        "take_profit_percentage": "0.012",
    }

    def bought(here: Any) -> list[Any]:
        return [each for each in here.account.executions if "-base-" in each.link_id]

    async def scenario() -> None:
        async with floor(strategy="dca", section=section) as here:
            async with here.trading():
                await here.until("the first deal", lambda: len(bought(here)) == 1)
                await here.agreed()
            here.move(102, 120)
            here.faults({"kind": "refuse", "match": "/v5/public/linear", "count": 3})
            async with here.trading():
                await here.until("the second deal", lambda: len(bought(here)) == 2)
                first, second = bought(here)
        assert first.price * first.quantity <= amount
        assert second.price == 120
        assert second.price * second.quantity <= amount

    asyncio.run(scenario())


def test_a_symbol_that_was_listed_of_late_has_the_history_that_there_is(floor: Any) -> None:
    days_ms = 5 * 86_400_000

    async def scenario() -> None:
        async with floor() as here, here.trading(history_ms=days_ms) as driver:
            await here.until(
                "there is history", lambda: len(driver.view.series("BTC/USDT", "1m").rows()) > 300
            )

    asyncio.run(scenario())

"""What adapters share: clocks, streams to many listeners, tables of codes, candles by polling."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from traderagent_core.adapters.candle_polling import READS_AT_ONCE, polled_candles
from traderagent_core.adapters.clocks import ManualClock, ReplayClock
from traderagent_core.adapters.recorded import closed_candles_of
from traderagent_core.adapters.streams import BEHIND, Broadcast
from traderagent_core.contract.capabilities import Capabilities
from traderagent_core.contract.exchange_adapter import ExchangeAdapter, Surroundings
from traderagent_core.contract.outcome import Outcome, OutcomeKind, OutcomeTable, Refusal
from traderagent_core.contract.venue_facts import CandleClosed, LinkDown, LinkUp
from traderagent_core.errors import ExchangeRefusedError, ExchangeUnavailableError
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Market
from traderagent_core.testing import market
from traderagent_core.testing.conformance.adapter_base import LINEAR
from traderagent_core.testing.venue_rig import VenueRig
from traderagent_core.testing.wire import Wire, WireAdapter

TABLE = OutcomeTable(
    accepted={"0"}, rejected={"7": Refusal.ORDER_TOO_SMALL}, not_processed={"8"}, already_so={"9"}
)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("0", OutcomeKind.ACCEPTED),
        ("7", OutcomeKind.REJECTED),
        ("8", OutcomeKind.NOT_PROCESSED),
        ("9", OutcomeKind.ALREADY_SO),
        ("", OutcomeKind.UNKNOWN),
        ("http_503", OutcomeKind.UNKNOWN),
    ],
)
def test_a_code_means_what_the_table_says_and_else_nothing_is_known(code: str, kind: OutcomeKind) -> None:
    outcome = TABLE.outcome(code, "their words")
    assert (outcome.kind, outcome.code, outcome.text) == (kind, code, "their words")
    assert (outcome.reason is not None) is (kind is OutcomeKind.REJECTED)


def test_a_code_with_two_meanings_is_refused() -> None:
    with pytest.raises(ValueError, match="two meanings: 0"):
        OutcomeTable(accepted={"0"}, rejected={"0": Refusal.BAD_PARAMETERS})


def test_only_a_rejection_has_a_reason() -> None:
    with pytest.raises(ValueError, match="reason"):
        Outcome(OutcomeKind.UNKNOWN, reason=Refusal.BAD_PARAMETERS)
    with pytest.raises(ValueError, match="reason"):
        Outcome(OutcomeKind.REJECTED)


def test_a_read_is_refused_by_known_codes_and_repeated_after_others() -> None:
    assert isinstance(TABLE.read_error("7"), ExchangeRefusedError)
    unavailable = TABLE.read_error("http_503", "maintenance", retry_after_ms=500)
    assert isinstance(unavailable, ExchangeUnavailableError)
    assert (unavailable.code, unavailable.retry_after_ms) == ("http_503", 500)


def test_capabilities_say_how_stops_are_held_and_which_ids_fit() -> None:
    able = Capabilities([Market.LINEAR], ("1m",), stop_placements={Market.LINEAR: "attached"})
    assert (able.stop_placement(Market.LINEAR), able.stop_placement(Market.SPOT)) == ("attached", "engine")
    assert able.takes_client_id("abc-DEF_09")
    assert not able.takes_client_id("a" * 37)
    assert not able.takes_client_id("a:b")
    with pytest.raises(ValueError, match="in"):
        Capabilities([Market.SPOT], ("1m",), stop_placements={Market.SPOT: "somewhere"})  # type: ignore[dict-item]


def test_secrets_do_not_show() -> None:
    surroundings = Surroundings(ManualClock(), credentials={"secret": "hunter2"})
    assert "hunter2" not in repr(surroundings)


def test_an_adapter_without_its_methods_cannot_be_built() -> None:
    class Half(WireAdapter):
        pass

    assert not Half.__abstractmethods__
    with pytest.raises(TypeError, match="abstract"):
        ExchangeAdapter(None, Surroundings(ManualClock()))  # type: ignore[abstract]


def test_sleepers_wake_in_the_order_of_their_times_and_may_sleep_again() -> None:
    async def run() -> list[tuple[str, int]]:
        clock, woken = ManualClock(), []

        async def sleeper(name: str, *times: int) -> None:
            for time_ms in times:
                await clock.sleep_until(time_ms)
                woken.append((name, clock.now_ms()))

        tasks = [asyncio.create_task(sleeper("a", 30, 35)), asyncio.create_task(sleeper("b", 10, 20, 50))]
        await clock.advance_to(40)
        assert clock.now_ms() == 40
        for task in tasks:
            task.cancel()
        return woken

    assert asyncio.run(run()) == [("b", 10), ("b", 20), ("a", 30), ("a", 35)]


def test_a_replay_runs_as_fast_as_it_is_told() -> None:
    async def run() -> int:
        clock = ReplayClock(1_000_000, speed=10_000)
        await clock.sleep_until(1_000_100)
        return clock.now_ms()

    assert 1_000_100 <= asyncio.run(run()) < 1_100_000


def test_every_listener_hears_everything_from_its_own_beginning_on() -> None:
    async def run() -> Any:
        source: Broadcast[int] = Broadcast(ManualClock())
        early = source.subscribe()
        source.publish(1)
        late = source.subscribe([0], wants=lambda fact: fact != 3)
        for number in (2, 3, 4):
            source.publish(number)
        source.close()
        return [[fact async for fact in listener] for listener in (early, late)]

    assert asyncio.run(run()) == [[1, 2, 3, 4], [0, 2, 4]]


def test_a_listener_that_waits_is_woken_by_the_end() -> None:
    async def run() -> Any:
        source: Broadcast[int] = Broadcast(ManualClock())
        listener = source.subscribe()
        waiting = asyncio.create_task(anext(listener, None))
        await asyncio.sleep(0)
        source.close()
        return await waiting

    assert asyncio.run(run()) is None


def test_a_listener_far_behind_is_told_of_a_break_and_memory_stays_bounded() -> None:
    async def run() -> Any:
        source: Broadcast[int] = Broadcast(ManualClock(), capacity=10)
        listener = source.subscribe()
        for number in range(100):
            source.publish(number)
        source.close()
        return [fact async for fact in listener]

    heard = asyncio.run(run())
    assert len(heard) <= 11
    assert isinstance(heard[0], LinkDown)
    assert heard[0].cause == BEHIND
    assert isinstance(heard[1], LinkUp)
    assert heard[2:] == list(range(100 - len(heard[2:]), 100))


def test_who_listens_no_more_is_forgotten() -> None:
    async def run() -> Any:
        source: Broadcast[int] = Broadcast(ManualClock())
        listener = source.subscribe()
        await listener.aclose()
        source.publish(1)
        source.close()
        return [fact async for fact in listener]

    assert asyncio.run(run()) == []


@pytest.mark.parametrize(
    ("since", "limit", "now", "opens"),
    [
        (0, 10, 60, [0, 15, 30, 45]),
        (1, 10, 60, [15, 30, 45]),
        (0, 2, 60, [0, 15]),
        (0, 10, 59, [0, 15, 30]),
        (61, 10, 60, []),
    ],
)
def test_recorded_candles_are_served_as_by_an_exchange(
    since: int, limit: int, now: int, opens: list[int]
) -> None:
    recorded = market("ranging", timeframe="5m", rows=100)
    zero = int(recorded.open_time[0])
    minutes = 60_000
    found = closed_candles_of(recorded, "15m", zero + since * minutes, limit, zero + now * minutes)
    assert [(int(time_ms) - zero) // minutes for time_ms in found.open_time] == opens


def test_polling_tells_breaks_and_gives_the_candles_that_were_missed() -> None:
    async def run() -> list[Any]:
        rig = VenueRig(LINEAR)
        clock = ManualClock(rig.clock.now_ms() // 60_000 * 60_000)
        rig.backend.clock = clock
        wire = Wire(rig.backend)
        adapter = WireAdapter(None, Surroundings(clock), wire)
        heard: list[Any] = []

        async def listen() -> None:
            async for fact in adapter.closed_candles([LINEAR.symbol], "1m"):
                heard.extend([fact])

        listener = asyncio.create_task(listen())
        start_ms = clock.now_ms()
        await clock.advance_to(start_ms + 60_000)
        wire.fails_read = True
        await clock.advance_to(start_ms + 180_500)
        listener.cancel()
        return [(type(fact), getattr(fact, "candle", (0,))[0] - start_ms) for fact in heard]

    told = asyncio.run(run())
    assert [time for kind, time in told if kind is CandleClosed] == [0, 60_000, 120_000]
    assert [kind for kind, _ in told if kind is not CandleClosed] == [LinkUp, LinkDown, LinkUp]


class TogetherOnly:
    """An exchange that answers for candles when it has been asked for all symbols, and not before."""

    capabilities = Capabilities(markets=frozenset({Market.LINEAR}), timeframes=("1m",), stop_placements={})

    def __init__(self, clock: ManualClock, symbols: Sequence[str]) -> None:
        self.clock = clock
        self._missing = set(symbols)
        self._are_all_there = asyncio.Event()

    async def candles(self, symbol: str, _timeframe: str, _since_ms: int, _limit: int) -> Candles:
        self._missing.discard(symbol)
        if not self._missing:
            self._are_all_there.set()
        await self._are_all_there.wait()
        return market("ranging", timeframe="1m", rows=1)


def test_candles_of_many_symbols_are_read_beside_each_other_and_told_in_order() -> None:
    symbols = [f"C{number}/USDT" for number in range(READS_AT_ONCE)]

    async def run() -> list[str]:
        clock = ManualClock(1_704_067_200_000)
        polled = polled_candles(TogetherOnly(clock, symbols), symbols, "1m")  # type: ignore[arg-type]
        assert isinstance(await anext(polled), LinkUp)
        told = asyncio.ensure_future(anext(polled))
        await clock.advance_to(clock.now_ms() + 60_000)
        first = await asyncio.wait_for(told, 10)
        rest = [await anext(polled) for _ in symbols[1:]]
        return [each.symbol for each in (first, *rest) if isinstance(each, CandleClosed)]

    assert asyncio.run(run()) == symbols

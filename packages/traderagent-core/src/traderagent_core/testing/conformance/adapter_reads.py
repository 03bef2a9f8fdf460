"""Cases about what an adapter reads: instruments, time, candles, prices; and that a failure is no answer."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from traderagent_core.contract.capabilities import Capabilities
from traderagent_core.contract.venue_facts import Price
from traderagent_core.errors import ExchangeError
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.testing.comparing import refuse
from traderagent_core.testing.conformance.adapter_base import AdapterKit
from traderagent_core.testing.conformance.adapter_session import Session
from traderagent_core.testing.conformance.subjects import Subject

FIRST_MS, LAST_MS = 1_262_304_000_000, 4_102_444_800_000
"""2010 and 2100: what lies outside is not in milliseconds."""

COLUMNS = ("open", "high", "low", "close", "volume")


class AdapterReads(AdapterKit):
    """See ExchangeAdapterConformance."""

    def test_capabilities_are_declared_and_true(self, subject: Subject) -> None:
        """Before anything is connected the adapter says what it can do, and the instrument examined is part of it.

        Mend: set `capabilities` in the class, or in `__init__` when it depends on the configuration.
        """
        found: Any = self.capabilities(subject)
        if not isinstance(found, Capabilities):
            refuse(
                expected="capabilities that are Capabilities",
                found=repr(found),
                mend="set capabilities = Capabilities(markets=…, timeframes=…) in the class",
            )
        if subject.instrument.market not in found.markets:
            refuse(
                expected=f"{subject.instrument.market} among the markets",
                found=f"{found.markets}",
                mend="declare the market, or set `instruments` of the test class to what the venue has",
            )
        for timeframe in found.timeframes:
            timeframe_ms(timeframe)
        if not found.timeframes or not found.takes_client_id("kit-1"):
            refuse(
                expected="some timeframes, and ids such as kit-1",
                found=f"{found.timeframes}, {found.client_id_pattern}",
                mend="declare timeframes, and a pattern of the ids that the venue takes",
            )

    def test_instruments_are_as_the_exchange_has_them(self, subject: Subject) -> None:
        """Steps, minimums, market and leverage of the instrument are those of the exchange.

        Mend: read them from the venue, as Decimal of the text that it sends.
        """

        async def scenario(session: Session) -> None:
            found = {each.symbol: each for each in await session.adapter.instruments()}
            mine = found.get(subject.instrument.symbol)
            if mine is None:
                refuse(
                    expected=f"{subject.instrument.symbol} among the instruments",
                    found=", ".join(found) or "nothing",
                    mend="translate the venue's symbols into ours, BASE/QUOTE",
                )
            for name in ("market", "tick_size", "lot_size", "min_quantity", "min_notional", "max_leverage"):
                self._require_same(name, getattr(subject.instrument, name), getattr(mine, name))

        self.play(subject, scenario)

    def _require_same(self, name: str, expected: Any, found: Any) -> None:
        if found != expected:
            refuse(
                expected=f"{name} {expected}",
                found=f"{name} {found}",
                mend="read every step and minimum from the venue's own list of instruments",
            )

    def test_server_time_is_in_milliseconds_and_never_goes_back(self, subject: Subject) -> None:
        """The venue's time is whole milliseconds since 1970, and a later read is never earlier.

        Mend: convert seconds or nanoseconds to int milliseconds.
        """

        async def scenario(session: Session) -> None:
            last_ms = 0
            for _ in range(5):
                now_ms: Any = await session.adapter.server_time()
                if type(now_ms) is not int or not FIRST_MS < now_ms < LAST_MS or now_ms < last_ms:
                    refuse(
                        expected=f"an int of milliseconds since 1970, at least {last_ms}",
                        found=repr(now_ms),
                        mend="convert the venue's time to int milliseconds UTC",
                    )
                last_ms = now_ms

        self.play(subject, scenario)

    def test_candles_are_closed_aligned_and_in_order(self, subject: Subject) -> None:
        """Of each timeframe only closed candles come, on its boundaries, oldest first, from where they were asked.

        Mend: drop the candle that still forms, turn the list round if the newest comes first, honour the start.
        """
        timeframes = self.capabilities(subject).timeframes

        async def scenario(session: Session) -> None:
            now_ms = await session.adapter.server_time()
            for timeframe in timeframes[:2]:
                length = timeframe_ms(timeframe)
                since_ms = (now_ms // length - 3) * length - 1
                for limit in (5, 2):
                    found = await session.adapter.candles(
                        subject.instrument.symbol, timeframe, since_ms, limit
                    )
                    now_ms = await session.adapter.server_time()
                    _check_candles(found, subject.instrument, since_ms, limit, now_ms, timeframe)

        self.play(subject, scenario)

    def test_a_failed_read_raises(self, subject: Subject) -> None:
        """A read that the venue does not answer raises ExchangeError; it never looks like an empty answer.

        Mend: raise ExchangeUnavailableError for time-outs, 5xx, broken bodies and codes that mean trouble.
        """

        async def scenario(session: Session) -> None:
            adapter, symbol = session.adapter, subject.instrument.symbol
            reads: dict[str, Callable[[], Awaitable[Any]]] = {
                "open_orders": adapter.open_orders,
                "executions": lambda: adapter.executions(0),
                "positions": adapter.positions,
                "balances": adapter.balances,
                "order": lambda: adapter.order(symbol, "kit-none"),
            }
            if session.instrument.market.value == "spot":
                del reads["positions"]
            for name, read in reads.items():
                await session.rig.fail_next_read()
                answer: Any
                try:
                    answer = await read()
                except ExchangeError:
                    continue
                except Exception as error:
                    answer = error
                refuse(
                    expected=f"{name}() raises ExchangeError when the venue does not answer",
                    found=repr(answer),
                    mend="raise ExchangeUnavailableError; an empty answer would be taken for the truth",
                )

        self.play(subject, scenario)

    def test_prices_follow_the_market(self, subject: Subject) -> None:
        """The stream of prices begins with a LinkUp and the present price, and tells each new one once, as a Decimal.

        Mend: publish the last traded price of each symbol asked for, the present one first.
        """

        async def scenario(session: Session) -> None:
            heard: list[Any] = []
            has_news = asyncio.Event()

            async def listen() -> None:
                async for fact in session.adapter.prices([subject.instrument.symbol]):
                    heard.append(fact)
                    has_news.set()

            listener = asyncio.create_task(listen())
            try:
                for share in ("1", "1.01", "0.99"):
                    price = session.price(share)
                    if share != "1":
                        await session.rig.move_price(price)
                    await self._hear_price(heard, has_news, price)
            finally:
                listener.cancel()
                await asyncio.wait([listener])

        self.play(subject, scenario)

    async def _hear_price(self, heard: list[Any], has_news: asyncio.Event, price: Decimal) -> None:
        def is_last() -> bool:
            prices = [fact for fact in heard if isinstance(fact, Price)]
            return bool(prices) and type(prices[-1].last) is Decimal and prices[-1].last == price

        try:
            async with asyncio.timeout(self.patience_seconds):
                while not is_last():
                    has_news.clear()
                    await has_news.wait()
        except TimeoutError:
            refuse(
                expected=f"a Price of {price} at the end of the stream",
                found=repr(heard[-3:]),
                mend="publish every trade price as Decimal, under our symbol, the present one first",
            )


def _check_candles(
    found: Candles, instrument: Instrument, since_ms: int, limit: int, now_ms: int, timeframe: str
) -> None:
    length = timeframe_ms(timeframe)
    times = found.open_time.tolist()
    problem = ""
    if (found.symbol, found.timeframe) != (instrument.symbol, timeframe):
        problem = f"candles of {found.symbol} {found.timeframe}"
    elif not 0 < len(times) <= limit:
        problem = f"{len(times)} candles where {limit} were asked for"
    elif any(time_ms % length for time_ms in times):
        problem = f"candles that open at {times}"
    elif times != sorted(set(times)):
        problem = f"candles in the order {times}"
    elif times[0] != since_ms + 1:
        problem = f"{times[0]} as the first of the candles since {since_ms}"
    elif times[-1] + length > now_ms:
        problem = f"a candle that closes at {times[-1] + length}, at {now_ms}"
    elif any(len(getattr(found, column)) != len(times) for column in COLUMNS):
        problem = "columns of different lengths"
    if problem:
        refuse(
            expected=f"at most {limit} closed {timeframe} candles since {since_ms}, oldest first, on boundaries",
            found=problem,
            mend="ask the venue for the start, drop the candle that still forms, and order by time",
        )

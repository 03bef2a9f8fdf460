"""Messages that arrive spoilt, over real connections; `benchmarks/fuzz.py` sends many more."""

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from traderagent_bybit.adapter.config import BybitConfig
from traderagent_bybit.sandbox.garbling import garbled
from traderagent_core import Instrument, Market
from traderagent_core.testing.fuzz.answers import fuzz_answers
from traderagent_core.testing.fuzz.stream import fuzz_stream

ETH = Instrument(
    "ETH/USDT", Market.LINEAR, lot_size=Decimal("0.001"), min_notional=Decimal(5), max_leverage=Decimal(10)
)
QUICK = BybitConfig(rate_factor=1000, reconnect_seconds=0.0001)
PRICE, ONE = Decimal(50), Decimal(1)


@pytest.fixture
def spoilt(rig: Callable[..., Any]) -> Callable[..., Any]:
    """Has a conversation with a connected adapter while what matches is spoilt."""

    def run(talk: Callable[[Any, Any], Any], match: str) -> Any:
        async def connect() -> Any:
            async with rig(ETH, QUICK) as exchange:
                adapter = exchange.adapter()
                try:
                    await adapter.connect()
                    exchange.desk.faults.replace([{"kind": "garble", "match": match}], 1)
                    return await talk(exchange, adapter)
                finally:
                    await adapter.close()

        return asyncio.run(connect())

    return run


def test_a_message_is_spoilt_in_the_same_way_by_the_same_seed() -> None:
    text = json.dumps({"retCode": 0, "result": {"list": [{"qty": "1"}]}})
    spoilings = [[garbled(text, Random(seed)) for seed in range(200)] for _ in range(2)]
    assert spoilings[0] == spoilings[1]
    assert len(set(spoilings[0])) > 50


def test_answers_that_make_no_sense_fail_reads_and_leave_writes_unknown(spoilt: Callable[..., Any]) -> None:
    tally = spoilt(lambda _, adapter: fuzz_answers(adapter, "ETH/USDT", PRICE, ONE, 600), "/v5/*")
    assert not tally.wrong, "\n".join(tally.wrong)
    assert min(tally.ends[end] for end in ("accepted", "refused", "unknown")) > 20


def test_messages_that_make_no_sense_are_breaks_after_which_the_stream_goes_on(
    spoilt: Callable[..., Any],
) -> None:
    async def talk(exchange: Any, adapter: Any) -> Any:
        def mend() -> None:
            exchange.desk.faults.replace([], 0)

        return await fuzz_stream(adapter, mend, "ETH/USDT", PRICE, ONE, 60)

    tally = spoilt(talk, "order")
    assert not tally.wrong, "\n".join(tally.wrong)
    assert tally.ends["refused"] > 20

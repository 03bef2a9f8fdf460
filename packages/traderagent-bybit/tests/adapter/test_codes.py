"""What the adapter does with every code that Bybit documents for what it calls."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from traderagent_bybit.adapter import http
from traderagent_bybit.adapter.bybit import BybitAdapter
from traderagent_bybit.adapter.config import BybitConfig
from traderagent_core import (
    Amendment,
    ExchangeRefusedError,
    ExchangeUnavailableError,
    Instrument,
    Market,
    OrderRequest,
    OrderType,
    Outcome,
    Refusal,
    Side,
)

ETH = Instrument("ETH/USDT", Market.LINEAR, lot_size=Decimal("0.001"), max_leverage=Decimal(10))
UNKNOWN, LATER, SO = "unknown", "later", "already so"

SUBMIT: dict[str, dict[int, object]] = {
    "trouble at the venue": dict.fromkeys((10000, 10014, 10016, 10018, 10019, 5004, 10006, 10429), UNKNOWN),
    "the clock": {10002: LATER},
    "keys": dict.fromkeys(
        (10003, 10004, 10005, 10007, 10008, 10009, 10010, 10024, 10027, 33004), Refusal.NOT_PERMITTED
    ),
    "paths": {10017: Refusal.NOT_SUPPORTED},
    "symbols": dict.fromkeys((10029, 110074, 110132, 170209), Refusal.UNKNOWN_SYMBOL),
    "the band": dict.fromkeys((110003, 110120, 110121, 170193, 170194), Refusal.PRICE_OUT_OF_BAND),
    "money": dict.fromkeys(
        (110004, 110006, 110007, 110012, 110014, 110044, 110045, 110051, 110052, 110053, 170131),
        Refusal.INSUFFICIENT_MARGIN,
    ),
    "liquidation": dict.fromkeys((110011, 110039, 110040, 110046), Refusal.INSUFFICIENT_MARGIN),
    "numbers of orders": dict.fromkeys((110009, 110020, 110061), Refusal.TOO_MANY_ORDERS),
    "tiers": dict.fromkeys((110013, 110086, 110090), Refusal.LEVERAGE_TOO_HIGH),
    "reducing": {110017: Refusal.REDUCE_ONLY_WITHOUT_POSITION},
    "limits of the market": dict.fromkeys((110021, 110022, 110023, 110042, 30228), Refusal.MARKET_CLOSED),
    "doubles": dict.fromkeys((110072, 170141), SO),
    "triggers": dict.fromkeys((110092, 110093), Refusal.WOULD_TRIGGER),
    "least sizes": dict.fromkeys((110094, 170136, 170140), Refusal.ORDER_TOO_SMALL),
    "an order in the making": {110079: UNKNOWN},
    "what nobody has documented": dict.fromkeys((1, 99, 123456, 9999999), UNKNOWN),
}
CHANGES: dict[str, dict[int, tuple[object, object, object]]] = {
    # What it means for an amendment, a cancellation, the leverage.
    "an order that is not open": dict.fromkeys(
        (110001, 110008, 110010, 170213), (Refusal.ORDER_NOT_OPEN, SO, UNKNOWN)
    ),
    "not modified": dict.fromkeys((110025, 110026, 110027, 110043, 34040), (SO, UNKNOWN, SO)),
    "in the making": {110079: (LATER, LATER, UNKNOWN)},
    "keys": dict.fromkeys((10003, 10010, 33004), (Refusal.NOT_PERMITTED,) * 3),
    "trouble": dict.fromkeys((10000, 10006, 10016, 10019, 777), (UNKNOWN,) * 3),
    "the clock": {10002: (LATER,) * 3},
    "tiers": {110013: (Refusal.LEVERAGE_TOO_HIGH, UNKNOWN, Refusal.LEVERAGE_TOO_HIGH)},
    "triggers": {110092: (Refusal.WOULD_TRIGGER, UNKNOWN, Refusal.WOULD_TRIGGER)},
}
REFUSED_READS = (10001, 10003, 10004, 10005, 10007, 10008, 10009, 10010, 10017, 10024, 10027, 10029, 33004)
FAILED_READS = (10000, 10002, 10006, 10014, 10016, 10018, 10019, 10429, 5004, 123456)
TEXTS = {
    "The number of contracts exceeds minimum limit allowed": Refusal.ORDER_TOO_SMALL,
    "The number of contracts exceeds maximum limit allowed: too large": Refusal.ORDER_TOO_LARGE,
    "Qty invalid": Refusal.QUANTITY_NOT_ON_LOT,
    "Price invalid": Refusal.PRICE_NOT_ON_TICK,
    "The symbol is not supported": Refusal.UNKNOWN_SYMBOL,
    "StopLoss:9500000 set for Buy position should lower than base_price:9400000??LastPrice": Refusal.WOULD_TRIGGER,
    "position idx not match position mode": Refusal.BAD_PARAMETERS,
}


def short(outcome: Outcome) -> object:
    """An outcome in the words of the tables."""
    words = {"UNKNOWN": UNKNOWN, "NOT_PROCESSED": LATER, "ALREADY_SO": SO}
    return words.get(outcome.kind.value) or outcome.reason or outcome.kind.value


@pytest.fixture
def on(rig: Callable[..., Any]) -> Callable[..., Any]:
    """Runs a conversation with a connected adapter, to whom the venue answers as told."""

    def run(talk: Callable[[BybitAdapter, Callable[..., None]], Awaitable[Any]]) -> Any:
        async def connect() -> Any:
            async with rig(ETH, BybitConfig(rate_factor=1_000)) as exchange:
                adapter = exchange.adapter()

                def answers(**fault: Any) -> None:
                    exchange.desk.faults.replace([fault], 0)

                try:
                    await adapter.connect()
                    return await talk(adapter, answers)
                finally:
                    await adapter.close()

        return asyncio.run(connect())

    return run


def order(name: str) -> OrderRequest:
    return OrderRequest(name, "ETH/USDT", Side.BUY, OrderType.MARKET, Decimal(1), None)


def test_every_code_of_a_new_order(on: Callable[..., Any]) -> None:
    expected = {code: what for codes in SUBMIT.values() for code, what in codes.items()}

    async def talk(adapter: BybitAdapter, answers: Callable[..., None]) -> dict[int, object]:
        found = {}
        for code in expected:
            answers(kind="ret_code", code=code, message="said", match="/v5/order/create")
            found[code] = short(await adapter.submit(order(f"o{code}")))
        return found

    assert on(talk) == expected


def test_every_code_of_a_change(on: Callable[..., Any]) -> None:
    expected = {code: what for codes in CHANGES.values() for code, what in codes.items()}

    async def talk(adapter: BybitAdapter, answers: Callable[..., None]) -> dict[int, tuple[object, ...]]:
        found = {}
        for code in expected:
            answers(kind="ret_code", code=code, message="said", match="/v5/*/[acs][mae]*")
            found[code] = (
                short(await adapter.amend("ETH/USDT", Amendment("x", None, Decimal(2)))),
                short(await adapter.cancel("ETH/USDT", "x")),
                short(await adapter.set_leverage("ETH/USDT", Decimal(2))),
            )
        return found

    assert on(talk) == expected


def test_a_bad_parameter_is_told_by_its_text(on: Callable[..., Any]) -> None:
    async def talk(adapter: BybitAdapter, answers: Callable[..., None]) -> dict[str, object]:
        found = {}
        for number, text in enumerate(TEXTS):
            answers(kind="ret_code", code=10001, message=text, match="/v5/order/create")
            found[text] = short(await adapter.submit(order(f"t{number}")))
        return found

    assert on(talk) == TEXTS


def test_a_read_is_refused_or_fails_and_is_never_empty(on: Callable[..., Any]) -> None:
    async def talk(adapter: BybitAdapter, answers: Callable[..., None]) -> dict[int, type]:
        found = {}
        for code in (*REFUSED_READS, *FAILED_READS):
            answers(kind="ret_code", code=code, message="said", match="/v5/order/*")
            with pytest.raises((ExchangeRefusedError, ExchangeUnavailableError)) as error:
                await adapter.open_orders()
            found[code] = type(error.value)
        return found

    expected = dict.fromkeys(REFUSED_READS, ExchangeRefusedError)
    assert on(talk) == expected | dict.fromkeys(FAILED_READS, ExchangeUnavailableError)


@pytest.mark.parametrize(
    ("status", "what"),
    [(401, Refusal.NOT_PERMITTED), (404, Refusal.NOT_SUPPORTED), (403, LATER), (429, UNKNOWN)],
)
def test_every_status_of_http(on: Callable[..., Any], status: int, what: object) -> None:
    async def talk(adapter: BybitAdapter, answers: Callable[..., None]) -> object:
        answers(kind="http_status", status=status, match="/v5/order/create")
        return short(await adapter.submit(order("o")))

    assert on(talk) == what


def test_what_is_still_in_the_making_is_asked_for_again_soon(on: Callable[..., Any]) -> None:
    async def talk(adapter: BybitAdapter, answers: Callable[..., None]) -> Outcome:
        answers(kind="ret_code", code=110079, message="said", match="/v5/order/cancel")
        return await adapter.cancel("ETH/USDT", "x")

    assert 500 <= on(talk).retry_after_ms == http.RETRY_MS["110079"] <= 1_000


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (10003, "environment"),
        (10004, "the secret does not belong to the key"),
        (10005, "rights to read and to trade"),
        (10010, "this machine's address"),
        (10024, "compliance"),
        (33004, "expired"),
    ],
)
def test_a_refusal_says_how_to_mend_it(on: Callable[..., Any], code: int, told: str) -> None:
    async def talk(adapter: BybitAdapter, answers: Callable[..., None]) -> None:
        answers(kind="ret_code", code=code, message="said", match="/v5/position/list")
        await adapter.positions()

    with pytest.raises(ExchangeRefusedError, match=told) as error:
        on(talk)
    assert f"(code {code})" in str(error.value)
    assert error.value.exit_code == 2

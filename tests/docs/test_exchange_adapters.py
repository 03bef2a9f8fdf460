"""docs/reference/exchange-adapters.md has every method of the port, every field that travels, and every word."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from traderagent_core.adapters import clocks
from traderagent_core.adapters.building import build_adapter
from traderagent_core.adapters.candle_polling import polled_candles
from traderagent_core.adapters.streams import Broadcast
from traderagent_core.contract.capabilities import Capabilities
from traderagent_core.contract.clock import Clock
from traderagent_core.contract.exchange_adapter import ExchangeAdapter, Surroundings
from traderagent_core.contract.outcome import Outcome, OutcomeKind, OutcomeTable, Refusal
from traderagent_core.contract.venue_facts import (
    Balance,
    CandleClosed,
    LinkDown,
    LinkUp,
    OrderReport,
    PositionReport,
    Price,
)
from traderagent_core.errors import ExchangeError
from traderagent_core.model.event import (
    FundingPaid,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
)
from traderagent_core.model.order import Amendment, AttachedStop, OrderRequest, OrderStatus
from traderagent_core.testing import ExchangeRig

PAGE = "docs/reference/exchange-adapters.md"
Tables = Mapping[str, Callable[..., Any]]

TRAVELS = (
    Surroundings,
    Capabilities,
    Outcome,
    OutcomeTable,
    OrderRequest,
    AttachedStop,
    Amendment,
    OrderReport,
)
MONEY = (PositionReport, Balance)
FACTS = (
    OrderAccepted,
    OrderRejected,
    OrderFilled,
    OrderCanceled,
    OrderAmended,
    FundingPaid,
    Price,
    CandleClosed,
    LinkUp,
    LinkDown,
)


@pytest.mark.parametrize("value", [*TRAVELS, *MONEY, *FACTS], ids=lambda value: value.__name__)
def test_every_field_is_described(value: type, page: Callable[[str], Any], tables: Tables) -> None:
    page(PAGE).check_table(f"`{value.__name__}`", tables["fields"](value), told=True)


@pytest.mark.parametrize("owner", [ExchangeAdapter, Clock], ids=lambda owner: owner.__name__)
def test_every_method_is_described(owner: type, page: Callable[[str], Any], tables: Tables) -> None:
    page(PAGE).check_table(f"Methods of `{owner.__name__}`", tables["members"](owner))


def test_abstract_methods_are_told_from_the_others(page: Callable[[str], Any]) -> None:
    words = " ".join(page(PAGE).section("`ExchangeAdapter`").split())
    own = [name for name in vars(ExchangeAdapter) if not name.startswith("_")]
    optional = [name for name in own if name not in ExchangeAdapter.__abstractmethods__]
    told = ", ".join(f"`{name}`" for name in optional)
    assert f"These have a default: {told}." in words


@pytest.mark.parametrize("words", [OutcomeKind, Refusal, OrderStatus], ids=lambda words: words.__name__)
def test_every_word_is_told(words: Any, page: Callable[[str], Any], tables: Tables) -> None:
    rows = [tables["row"](f"`{word.name}`") for word in words]
    page(PAGE).check_table(f"Words of `{words.__name__}`", rows, told=True)


def test_every_error_is_told(page: Callable[[str], Any], tables: Tables) -> None:
    errors = [ExchangeError, *ExchangeError.__subclasses__()]
    rows = [tables["row"](f"`{error.__name__}`", tables["summary"](error)) for error in errors]
    page(PAGE).check_table("Errors of reads", rows)


def test_the_tools_are_described(page: Callable[[str], Any], tables: Tables) -> None:
    tools = [
        Broadcast,
        polled_candles,
        clocks.SystemClock,
        clocks.ReplayClock,
        clocks.ManualClock,
        build_adapter,
    ]
    rows = [
        tables["row"](f"`{tool.__module__.partition('.')[2]}.{tool.__name__}`", tables["summary"](tool))
        for tool in tools
    ]
    page(PAGE).check_table("Tools", rows)


def test_what_a_rig_can_do_is_described(page: Callable[[str], Any], tables: Tables) -> None:
    page("docs/reference/conformance-kit.md").check_table("`ExchangeRig`", tables["members"](ExchangeRig))

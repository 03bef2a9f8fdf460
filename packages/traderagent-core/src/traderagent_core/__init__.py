"""The core of TraderAgent: what plugin authors and users of the Python API import.

Names are loaded when they are first used, so that the command line starts quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from traderagent_core.api import load_config, simulate
    from traderagent_core.contract.capabilities import Capabilities
    from traderagent_core.contract.clock import Clock
    from traderagent_core.contract.entry_filter import EntryFilter, Ruling, Verdict
    from traderagent_core.contract.event_sink import EventSink
    from traderagent_core.contract.exchange_adapter import ExchangeAdapter, Surroundings
    from traderagent_core.contract.exhibit import Band, Column, Exhibit, Layer, Line, Mark, Table
    from traderagent_core.contract.history import Judged, Note, RoundTrip, RunHistory
    from traderagent_core.contract.outcome import Outcome, OutcomeKind, OutcomeTable, Refusal
    from traderagent_core.contract.risk_mode import ModeState, Portfolio, RiskLevels, RiskMode
    from traderagent_core.contract.strategy import Needs, OrderNews, Problem, Release, Strategy, Wake
    from traderagent_core.contract.venue_facts import (
        Balance,
        CandleClosed,
        CandleFact,
        FundingRate,
        LinkDown,
        LinkUp,
        OrderFact,
        OrderReport,
        PositionReport,
        Price,
        PriceFact,
    )
    from traderagent_core.data.catalogue import Catalogue
    from traderagent_core.data.funding import FundingRates
    from traderagent_core.data.generate import generate_candles
    from traderagent_core.errors import (
        ConfigError,
        DataError,
        ExchangeError,
        ExchangeRefusedError,
        ExchangeUnavailableError,
        OrderError,
        PluginError,
        TraderAgentError,
    )
    from traderagent_core.hookspecs import HOOK_API_VERSION, hookimpl
    from traderagent_core.model.candle import Candle, Candles
    from traderagent_core.model.event import (
        FundingPaid,
        OrderAccepted,
        OrderAmended,
        OrderCanceled,
        OrderFilled,
        OrderRejected,
        TimerFired,
        WatchCrossed,
    )
    from traderagent_core.model.fact import Fact
    from traderagent_core.model.instrument import Instrument, Market
    from traderagent_core.model.order import (
        Amendment,
        AttachedStop,
        Liquidity,
        OrderRequest,
        OrderStatus,
        OrderType,
        Purpose,
        Side,
    )
    from traderagent_core.model.plan import (
        At,
        AverageTimes,
        BreakEven,
        Filled,
        FillTimes,
        Fixed,
        Held,
        Leg,
        Plan,
        Stop,
        Trail,
    )
    from traderagent_core.ports import Columns, Context, MarketView
    from traderagent_core.report.result import Result
    from traderagent_core.specs import (
        CommandSpec,
        EntryFilterSpec,
        EventSinkSpec,
        ExchangeAdapterSpec,
        RiskModeSpec,
        StrategySpec,
    )

_HOMES = {
    "api": ("load_config", "simulate"),
    "contract.capabilities": ("Capabilities",),
    "contract.clock": ("Clock",),
    "contract.entry_filter": ("EntryFilter", "Ruling", "Verdict"),
    "contract.event_sink": ("EventSink",),
    "contract.exchange_adapter": ("ExchangeAdapter", "Surroundings"),
    "contract.exhibit": ("Band", "Column", "Exhibit", "Layer", "Line", "Mark", "Table"),
    "contract.history": ("Judged", "Note", "RoundTrip", "RunHistory"),
    "contract.outcome": ("Outcome", "OutcomeKind", "OutcomeTable", "Refusal"),
    "contract.risk_mode": ("ModeState", "Portfolio", "RiskLevels", "RiskMode"),
    "contract.strategy": ("Needs", "OrderNews", "Problem", "Release", "Strategy", "Wake"),
    "contract.venue_facts": (
        "Balance",
        "CandleClosed",
        "CandleFact",
        "FundingRate",
        "LinkDown",
        "LinkUp",
        "OrderFact",
        "OrderReport",
        "PositionReport",
        "Price",
        "PriceFact",
    ),
    "data.catalogue": ("Catalogue",),
    "data.funding": ("FundingRates",),
    "data.generate": ("generate_candles",),
    "errors": (
        "ConfigError",
        "DataError",
        "ExchangeError",
        "ExchangeRefusedError",
        "ExchangeUnavailableError",
        "OrderError",
        "PluginError",
        "TraderAgentError",
    ),
    "hookspecs": ("HOOK_API_VERSION", "hookimpl"),
    "model.candle": ("Candle", "Candles"),
    "model.event": (
        "FundingPaid",
        "OrderAccepted",
        "OrderAmended",
        "OrderCanceled",
        "OrderFilled",
        "OrderRejected",
        "TimerFired",
        "WatchCrossed",
    ),
    "model.fact": ("Fact",),
    "model.instrument": ("Instrument", "Market"),
    "model.order": (
        "Amendment",
        "AttachedStop",
        "Liquidity",
        "OrderRequest",
        "OrderStatus",
        "OrderType",
        "Purpose",
        "Side",
    ),
    "model.plan": (
        "At",
        "AverageTimes",
        "BreakEven",
        "FillTimes",
        "Filled",
        "Fixed",
        "Held",
        "Leg",
        "Plan",
        "Stop",
        "Trail",
    ),
    "ports": ("Columns", "Context", "MarketView"),
    "report.result": ("Result",),
    "specs": (
        "CommandSpec",
        "EntryFilterSpec",
        "EventSinkSpec",
        "ExchangeAdapterSpec",
        "RiskModeSpec",
        "StrategySpec",
    ),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "HOOK_API_VERSION",
    "Amendment",
    "At",
    "AttachedStop",
    "AverageTimes",
    "Balance",
    "Band",
    "BreakEven",
    "Candle",
    "CandleClosed",
    "CandleFact",
    "Candles",
    "Capabilities",
    "Catalogue",
    "Clock",
    "Column",
    "Columns",
    "CommandSpec",
    "ConfigError",
    "Context",
    "DataError",
    "EntryFilter",
    "EntryFilterSpec",
    "EventSink",
    "EventSinkSpec",
    "ExchangeAdapter",
    "ExchangeAdapterSpec",
    "ExchangeError",
    "ExchangeRefusedError",
    "ExchangeUnavailableError",
    "Exhibit",
    "Fact",
    "FillTimes",
    "Filled",
    "Fixed",
    "FundingPaid",
    "FundingRate",
    "FundingRates",
    "Held",
    "Instrument",
    "Judged",
    "Layer",
    "Leg",
    "Line",
    "LinkDown",
    "LinkUp",
    "Liquidity",
    "Mark",
    "Market",
    "MarketView",
    "ModeState",
    "Needs",
    "Note",
    "OrderAccepted",
    "OrderAmended",
    "OrderCanceled",
    "OrderError",
    "OrderFact",
    "OrderFilled",
    "OrderNews",
    "OrderRejected",
    "OrderReport",
    "OrderRequest",
    "OrderStatus",
    "OrderType",
    "Outcome",
    "OutcomeKind",
    "OutcomeTable",
    "Plan",
    "PluginError",
    "Portfolio",
    "PositionReport",
    "Price",
    "PriceFact",
    "Problem",
    "Purpose",
    "Refusal",
    "Release",
    "Result",
    "RiskLevels",
    "RiskMode",
    "RiskModeSpec",
    "RoundTrip",
    "Ruling",
    "RunHistory",
    "Side",
    "Stop",
    "Strategy",
    "StrategySpec",
    "Surroundings",
    "Table",
    "TimerFired",
    "TraderAgentError",
    "Trail",
    "Verdict",
    "Wake",
    "WatchCrossed",
    "generate_candles",
    "hookimpl",
    "load_config",
    "simulate",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""The section `coordinator`: how regimes are told, strategies chosen, capital shared and emergencies handled."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from traderagent_core.config.fields import (
    EXACT,
    NonNegativeDecimal,
    PositiveDecimal,
    Section,
    Timeframe,
    one_strategy,
    rule_error,
)
from traderagent_core.model.regime import Regime

Adx = Annotated[Decimal, Field(gt=0, lt=100), EXACT]
Period = Annotated[int, Field(ge=2, le=5000)]
OpenRatio = Annotated[Decimal, Field(gt=0, lt=1), EXACT]

LONGEST_WINDOW = 720
"""Up to here the integers of a correlation stay below 2**63; see coordinator/correlation.py."""

_AT_MOST = {
    "transition_adx": "range_adx",
    "trend_exit_adx": "transition_adx",
    "trend_adx": "trend_exit_adx",
    "volatile_atr_ratio": "wide_atr_ratio",
}
"""Each key, and the one that may not be larger."""


class RegimeConfig(Section):
    """When a market is in which regime. ADX is 0 to 100, ATR a ratio of the close. Equal bounds leave no band."""

    # Defaults are checked too: a bound that is written may lie beyond the usual one after it.
    model_config = ConfigDict(validate_default=True)

    regime_timeframe: Timeframe = Field(
        default="1h", description="Timeframe at whose closes the regime is decided."
    )
    adx_period: Period = Field(default=14, description="Candles in ADX.")
    atr_period: Annotated[int, Field(ge=1, le=5000)] = Field(
        default=14, description="Candles in the average true range."
    )
    ema_fast_period: Period = Field(
        default=20, description="Candles of the fast mean; above the slow one a trend is BULL_TREND."
    )
    ema_slow_period: Period = Field(
        default=50, description="Candles of the slow mean; more than those of the fast one."
    )
    range_adx: Adx = Field(default=Decimal(18), description="ADX below which a range begins.")
    transition_adx: Adx = Field(default=Decimal(22), description="ADX from which a range has ended.")
    trend_exit_adx: Adx = Field(default=Decimal(28), description="ADX below which a trend has ended.")
    trend_adx: Adx = Field(default=Decimal(32), description="ADX above which a trend begins.")
    wide_atr_ratio: OpenRatio = Field(
        default=Decimal("0.01"), description="ATR, as a ratio of the close, from which a range is WIDE_RANGE."
    )
    volatile_atr_ratio: OpenRatio = Field(
        default=Decimal("0.02"),
        description="ATR, as a ratio of the close, from which a transition is VOLATILE_TRANSITION.",
    )
    atr_hysteresis_ratio: Annotated[Decimal, Field(ge=0, lt=1), EXACT] = Field(
        default=Decimal("0.1"),
        description="Part of a bound of ATR by which it must be passed to leave the present regime.",
    )
    confirmations: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=3, description="Closes in a row that must say the same before the regime changes."
    )

    @field_validator(*_AT_MOST)
    @classmethod
    def _is_not_below(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        name = str(info.field_name)
        least = info.data.get(_AT_MOST[name])
        if least is not None and value < least:
            other = _AT_MOST[name]
            raise rule_error(
                f"thresholds in the wrong order: expected {name} {value} to be at least {other} {least}",
                f"raise {name}, or lower {other}; what is not written has its default",
                other=other,
            )
        return value

    @field_validator("ema_slow_period")
    @classmethod
    def _is_slower(cls, value: int, info: ValidationInfo) -> int:
        fast = info.data.get("ema_fast_period")
        if fast is not None and value <= fast:
            raise rule_error(
                f"expected ema_slow_period {value} to be more than ema_fast_period {fast}",
                "write both; what is not written has its default",
                other="ema_fast_period",
            )
        return value


_ONE = "write one; another, for bots that cannot use it, goes below `reserve:`"


class ReserveConfig(Section):
    """A strategy, and how its section of the bot is changed while it is routed to."""

    strategy: Annotated[str, Field(min_length=1), one_strategy(_ONE)] = Field(
        description="Name of a strategy."
    )

    @model_validator(mode="before")
    @classmethod
    def _is_no_name(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise rule_error("expected keys and values", f"write {{strategy: {value}}}")
        return value

    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Keys of the strategy's section that have another value here."
    )
    factors: dict[str, PositiveDecimal] = Field(
        default_factory=dict,
        description="Keys of the strategy's section that are multiplied here; those without a value keep none.",
    )

    @field_validator("factors")
    @classmethod
    def _are_not_parameters(cls, value: dict[str, Decimal], info: ValidationInfo) -> dict[str, Decimal]:
        twice = sorted(value.keys() & info.data.get("parameters", {}).keys())
        if twice:
            raise rule_error(
                f"{twice[0]!r} has a value and a factor", "keep it under parameters, or under factors"
            )
        return value


class RouteConfig(ReserveConfig):
    """What trades in a regime. A route that is written replaces the default one of its regime as a whole."""

    reserve: ReserveConfig | None = Field(
        default=None, description="What trades instead where the bot cannot use the strategy; never both."
    )


DCA_AMOUNTS = ("amount_per_step", "base_order_amount", "safety_order_amount", "total_amount")
"""Keys that say how much a deal commits; which of them a bot writes is its own choice."""

_HALF_AMOUNTS = dict.fromkeys(DCA_AMOUNTS, Decimal("0.5"))

DEFAULT_ROUTES: Mapping[Regime, RouteConfig] = {
    Regime.TIGHT_RANGE: RouteConfig(strategy="grid", parameters={"spacing": "arithmetic"}),
    Regime.WIDE_RANGE: RouteConfig(strategy="grid", parameters={"spacing": "geometric"}),
    Regime.QUIET_TRANSITION: RouteConfig(
        strategy="grid",
        factors={"range_ratio": Decimal("0.7")},
        reserve=ReserveConfig(strategy="dca", factors=_HALF_AMOUNTS),
    ),
    Regime.VOLATILE_TRANSITION: RouteConfig(strategy="dca", factors=_HALF_AMOUNTS),
    Regime.BULL_TREND: RouteConfig(strategy="trend", parameters={"directions": ["long"]}),
    Regime.BEAR_TREND: RouteConfig(
        strategy="dca",
        parameters={"direction": "long"},
        factors={"take_profit_percentage": Decimal(2)},
    ),
}


def _complete(routes: dict[Regime, RouteConfig]) -> dict[Regime, RouteConfig]:
    """One route for each regime."""
    return {regime: routes.get(regime, DEFAULT_ROUTES[regime]) for regime in Regime}


class AllocatorConfig(Section):
    """How equity is shared among the bots."""

    reserve_ratio: Annotated[Decimal, Field(ge=0, lt=1), EXACT] = Field(
        default=Decimal("0.15"),
        description="Part of equity that is given to no bot; the rest is the active pool.",
    )
    soft_limit_ratio: OpenRatio = Field(
        default=Decimal("0.9"),
        description="Committed part of the active pool from which new orders shrink, to nothing at all of it.",
    )
    cold_start_factor: Annotated[Decimal, Field(gt=0, le=1), EXACT] = Field(
        default=Decimal("0.8"), description="Factor on the share of a bot with few closed trades."
    )
    cold_start_trades: Annotated[int, Field(ge=0, le=100_000)] = Field(
        default=20, description="Closed trades from which a bot has its whole share."
    )
    weights: dict[str, NonNegativeDecimal] = Field(
        default_factory=dict,
        description="Weights by bot; their sum is 100 % of the active pool. A bot that is not named weighs 1.",
    )


class CorrelationConfig(Section):
    """When the traded symbols move so much alike that they are one risk."""

    timeframe: Timeframe = Field(default="1h", description="Timeframe of the returns.")
    window: Annotated[int, Field(ge=3, le=LONGEST_WINDOW)] = Field(
        default=168, description="Candles over which returns are correlated."
    )
    least_overlap_ratio: Annotated[Decimal, Field(gt=0, le=1), EXACT] = Field(
        default=Decimal("0.9"),
        description="Part of the window in which both symbols need a return, or their correlation is unknown.",
    )
    high_correlation: Annotated[Decimal, Field(ge=0, lt=1), EXACT] = Field(
        default=Decimal("0.8"), description="Correlation above which a couple moves alike."
    )
    stressed_ratio: Annotated[Decimal, Field(ge=0, lt=1), EXACT] = Field(
        default=Decimal("0.6"),
        description="Part of the couples moving alike above which the market is stressed.",
    )


class TransitionConfig(Section):
    """How one strategy takes over a pair from another."""

    timeout_hours: Annotated[Decimal, Field(gt=0, le=8760), EXACT] = Field(
        default=Decimal(2),
        description="Time that the old strategy has to let go, in hours; rounded up to whole candles of the bot.",
    )
    forced_slippage: Annotated[Decimal, Field(ge=0, lt=1), EXACT] = Field(
        default=Decimal("0.001"),
        description="How much worse a forced close fills in simulations, as a ratio of the price.",
    )
    hand_over: bool = Field(
        default=True,
        description="Whether a position goes to the next strategy if both agree; false: it is wound down always.",
    )


class RiskConfig(Section):
    """How an emergency halt goes on; at which drawdown it begins is said under `risk_modes: halt`."""

    freeze_timeout_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=30,
        description="Time to wait for the venue to confirm cancelled orders before positions are closed anyway.",
    )


class CoordinatorConfig(Section):
    """The section `coordinator`."""

    regime: RegimeConfig = Field(
        default_factory=RegimeConfig, description="When a market is in which regime."
    )
    router: Annotated[dict[Regime, RouteConfig], AfterValidator(_complete)] = Field(
        default_factory=dict,
        validate_default=True,
        description="What trades in which regime, for bots whose strategy is auto.",
    )
    allocator: AllocatorConfig = Field(
        default_factory=AllocatorConfig, description="How equity is shared among the bots."
    )
    correlation: CorrelationConfig = Field(
        default_factory=CorrelationConfig, description="When all symbols together are one risk."
    )
    transition: TransitionConfig = Field(
        default_factory=TransitionConfig, description="How one strategy takes over from another."
    )
    risk: RiskConfig = Field(default_factory=RiskConfig, description="How an emergency halt goes on.")

"""The configuration of DCA. Amounts are in quote currency, ratios are fractions (0.01 is 1 %)."""

from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from traderagent_core.config.fields import EXACT, PositiveDecimal, rule_error

from traderagent_dca.shape import first_deviation, price_ratios, scaled_amounts, shared_amounts

MAX_SAFETY_ORDERS = 200
USUAL_STEPS = 5
USUAL_DEVIATION = Decimal("0.02")
USUAL_RSI = {"long": Decimal(30), "short": Decimal(70)}
ZERO = Decimal(0)
ONE = Decimal(1)

OpenRatio = Annotated[Decimal, Field(gt=0, lt=1), EXACT]
Gain = Annotated[Decimal, Field(gt=0, le=10), EXACT]
Scale = Annotated[Decimal, Field(ge=Decimal("0.1"), le=10), EXACT]


class Direction(StrEnum):
    """What a deal holds."""

    LONG = "long"
    SHORT = "short"


LONG = Direction.LONG


class Start(StrEnum):
    """What the base order of a deal waits for."""

    IMMEDIATE = "immediate"
    DROP = "drop"
    RSI = "rsi"
    EMA_CROSS = "ema_cross"


class Basis(StrEnum):
    """What the prices of safety orders are measured from."""

    BASE = "base"
    PREVIOUS = "previous"


class Target(StrEnum):
    """What take profit and stop-loss are measured from."""

    AVERAGE = "average"
    BASE = "base"


class TakeProfitStep(BaseModel):
    """A part of the position that is sold before the rest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gain: Gain = Field(description="Gain over the average price at which this part is closed, as a ratio.")
    share: OpenRatio = Field(description="Share of the whole position, as a ratio.")


class DcaConfig(BaseModel):
    """The section `dca` of a bot."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    direction: Direction = Field(
        default=Direction.LONG,
        description="long: buys and averages down; short: sells and averages up (linear only).",
    )
    trigger_percentage: OpenRatio | None = Field(
        default=None,
        description="Fall from the recent high (short: rise from the recent low) that starts a deal, as a ratio; "
        "also the price_deviation, unless that is given.",
    )
    start: Start | None = Field(
        default=None,
        description="What a deal waits for: drop (trigger_percentage), rsi, ema_cross, or immediate. "
        "Default: drop when trigger_percentage is given, otherwise immediate.",
        validate_default=True,
    )
    recent_candles: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=24,
        description="Candles of the bot's timeframe in which the recent high (or low) is looked for.",
    )
    rsi_period: Annotated[int, Field(ge=2, le=1000)] = Field(
        default=14, description="Candles of the bot's timeframe in RSI."
    )
    rsi_threshold: Annotated[Decimal, Field(gt=0, lt=100), EXACT] | None = Field(
        default=None, description="RSI below (short: above) which a deal starts. Default: 30, short 70."
    )
    ema_fast: Annotated[int, Field(ge=1, le=5000)] = Field(
        default=20, description="Candles of the EMA that crosses above (short: below) the slow one."
    )
    ema_slow: Annotated[int, Field(ge=2, le=5000)] = Field(
        default=50, description="Candles of the EMA that is crossed."
    )
    amount_per_step: PositiveDecimal | None = Field(
        default=None, description="What the base order and the first safety order each commit, in quote."
    )
    base_order_amount: PositiveDecimal | None = Field(
        default=None, description="What the base order commits, in quote. Default: amount_per_step."
    )
    safety_order_amount: PositiveDecimal | None = Field(
        default=None, description="What the first safety order commits, in quote. Default: amount_per_step."
    )
    total_amount: PositiveDecimal | None = Field(
        default=None,
        description="Instead of the amounts: what all orders of a deal commit together, in quote; volume_scale "
        "applies from the base order on.",
    )
    max_steps: Annotated[int, Field(ge=1, le=MAX_SAFETY_ORDERS + 1)] | None = Field(
        default=None, description="Orders of a deal that add to it, the base order included. Default: 5."
    )
    max_safety_orders: Annotated[int, Field(ge=0, le=MAX_SAFETY_ORDERS)] | None = Field(
        default=None, description="The same without the base order: max_steps - 1."
    )
    max_active_safety_orders: Annotated[int, Field(ge=1, le=MAX_SAFETY_ORDERS)] | None = Field(
        default=None, description="Safety orders at the exchange at one time. Default: all of them."
    )
    price_deviation: OpenRatio | None = Field(
        default=None,
        description="Distance of the first safety order from the base order, as a ratio. Default: "
        "trigger_percentage, otherwise 0.02.",
    )
    overlap: OpenRatio | None = Field(
        default=None,
        description="Instead of price_deviation: distance of the last safety order from the base order, as a ratio.",
    )
    deviation_from: Basis = Field(
        default=Basis.BASE,
        description="base: deviations add up, 98 96 94; previous: each from the order before, 98 96.04 94.12.",
    )
    step_scale: Scale = Field(
        default=ONE, description="Each deviation is this many times the one before; 0.1 to 10."
    )
    volume_scale: Scale = Field(
        default=ONE, description="Each safety order is this many times the one before; 0.1 to 10."
    )
    take_profit_percentage: Gain = Field(
        default=Decimal("0.02"), description="Gain at which what is left of a deal is closed, as a ratio."
    )
    take_profit_from: Target = Field(
        default=Target.AVERAGE,
        description="average: the take profit follows the average price; base: it stays where the base order put it.",
    )
    take_profit_steps: tuple[TakeProfitStep, ...] = Field(
        default=(),
        max_length=20,
        description="Parts that are closed before take_profit_percentage, gains rising: [{gain, share}, …].",
    )
    trailing_deviation: OpenRatio | None = Field(
        default=None,
        description="Trailing take profit: from take_profit_percentage on a stop follows the best price at this "
        "distance, as a ratio, instead of closing there.",
    )
    stop_loss_percentage: OpenRatio | None = Field(
        default=None, description="Loss at which the whole deal is closed, as a ratio."
    )
    stop_loss_from: Target = Field(
        default=Target.AVERAGE,
        description="average: the stop follows the average price; base: it stays below the price the deal began at.",
    )
    break_even_percentage: Gain | None = Field(
        default=None,
        description="Gain over the average price at which the stop moves to where the deal costs nothing.",
    )
    cooldown_candles: Annotated[int, Field(ge=0, le=100_000)] = Field(
        default=0, description="Candles to wait after a deal before the next one may start."
    )
    max_deals: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None, description="Deals after which the bot starts no more. Default: no limit."
    )

    @field_validator("start")
    @classmethod
    def _has_its_trigger(cls, value: Start | None, info: ValidationInfo) -> Start | None:
        if value is Start.DROP and "trigger_percentage" in info.data and not info.data["trigger_percentage"]:
            raise rule_error(
                "start: drop needs trigger_percentage", "write how far the price must fall from its high"
            )
        return value

    @field_validator("ema_slow")
    @classmethod
    def _is_slower(cls, value: int, info: ValidationInfo) -> int:
        fast = info.data.get("ema_fast")
        if fast is not None and value <= fast:
            raise rule_error(f"expected more than ema_fast {fast}", "the slow average takes more candles")
        return value

    @field_validator("total_amount")
    @classmethod
    def _stands_alone(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        others = ("amount_per_step", "base_order_amount", "safety_order_amount")
        given = [name for name in others if info.data.get(name) is not None]
        if value is not None and given:
            raise rule_error(
                f"total_amount is shared out among all orders, and {given[0]} is given too",
                f"keep total_amount, or remove it and keep {given[0]}",
            )
        return value

    @field_validator("max_safety_orders")
    @classmethod
    def _agrees_with_steps(cls, value: int | None, info: ValidationInfo) -> int | None:
        steps = info.data.get("max_steps")
        if value is not None and steps is not None and value != steps - 1:
            raise rule_error(
                f"max_steps {steps} counts the base order and means {steps - 1} safety orders",
                "keep one of them",
            )
        return value

    @field_validator("overlap")
    @classmethod
    def _replaces_deviation(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        if value is not None and info.data.get("price_deviation") is not None:
            raise rule_error(
                "overlap says where the last safety order lies, and price_deviation where the first does",
                "keep one of them",
            )
        return value

    @field_validator("deviation_from")
    @classmethod
    def _suits_overlap(cls, value: Basis, info: ValidationInfo) -> Basis:
        if value is Basis.PREVIOUS and info.data.get("overlap") is not None:
            raise rule_error("overlap is measured from the base order", "write deviation_from: base")
        return value

    @field_validator("take_profit_steps")
    @classmethod
    def _rise_to_the_target(
        cls, value: tuple[TakeProfitStep, ...], info: ValidationInfo
    ) -> tuple[TakeProfitStep, ...]:
        for step, after in pairwise(value):
            if step.gain >= after.gain:
                raise rule_error(
                    f"gains must rise from step to step, and {after.gain} follows {step.gain}",
                    "sort the steps",
                )
        total = sum((step.share for step in value), ZERO)
        if total >= ONE:
            raise rule_error(
                f"the shares add up to {total}; expected less than 1",
                "leave a part for take_profit_percentage, at which the rest is closed",
            )
        target = info.data.get("take_profit_percentage")
        if value and target is not None and value[-1].gain >= target:
            raise rule_error(
                f"the last gain {value[-1].gain} is not below take_profit_percentage {target}",
                "the rest is closed at take_profit_percentage: raise it, or lower the steps",
            )
        if value and info.data.get("take_profit_from") is Target.BASE:
            raise rule_error("steps are measured from the average price", "write take_profit_from: average")
        return value

    @field_validator("trailing_deviation")
    @classmethod
    def _keeps_a_gain(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        target = info.data.get("take_profit_percentage")
        if value is None or target is None:
            return value
        if (ONE + target) * (ONE - value) <= ONE:
            raise rule_error(
                f"expected a distance that leaves a gain: from {target} above the average, {value} back is a loss",
                "make it smaller than take_profit_percentage",
            )
        if info.data.get("take_profit_from") is Target.BASE:
            raise rule_error("a trail begins from the average price", "write take_profit_from: average")
        return value

    @field_validator("break_even_percentage")
    @classmethod
    def _comes_before_the_target(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        target = info.data.get("take_profit_percentage")
        if value is not None and target is not None and value >= target:
            raise rule_error(
                f"expected less than take_profit_percentage {target}", "the deal is closed there already"
            )
        return value

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """What needs several keys at once."""
        if self.total_amount is None:
            self._require_amounts()
        if self.overlap is not None and not self.safety_orders:
            raise rule_error("overlap needs safety orders", "raise max_steps, or remove overlap")
        for number, ratio in enumerate(self.price_ratios, start=1):
            if ratio <= ZERO:
                raise rule_error(
                    f"safety order {number} of {self.safety_orders} would lie at or below a price of zero",
                    "use fewer safety orders, or a smaller price_deviation or step_scale",
                )
        return self

    def _require_amounts(self) -> None:
        for key in ("base_order_amount", "safety_order_amount"):
            needed = key == "base_order_amount" or self.safety_orders
            if needed and getattr(self, key) is None and self.amount_per_step is None:
                raise rule_error(
                    f"{key} is missing",
                    "write amount_per_step for equal orders, base_order_amount with safety_order_amount, or "
                    "total_amount",
                )

    # -- what is meant where a key is left out ----------------------------------------------------------------

    @property
    def is_long(self) -> bool:
        """Whether deals buy first."""
        return self.direction is LONG

    @property
    def start_on(self) -> Start:
        """What a deal waits for."""
        if self.start is not None:
            return self.start
        return Start.IMMEDIATE if self.trigger_percentage is None else Start.DROP

    @property
    def safety_orders(self) -> int:
        """Number of safety orders of a deal."""
        if self.max_safety_orders is not None:
            return self.max_safety_orders
        return (USUAL_STEPS if self.max_steps is None else self.max_steps) - 1

    @property
    def active_safety_orders(self) -> int:
        """Number of safety orders at the exchange at one time."""
        return min(self.max_active_safety_orders or self.safety_orders, self.safety_orders)

    @property
    def deviation(self) -> Decimal:
        """Distance of the first safety order from the base order."""
        if self.overlap is not None:
            return first_deviation(self.overlap, self.step_scale, self.safety_orders)
        return self.price_deviation or self.trigger_percentage or USUAL_DEVIATION

    @property
    def price_ratios(self) -> tuple[Decimal, ...]:
        """Prices of the safety orders over that of the base order."""
        adds_up = self.deviation_from is Basis.BASE
        return price_ratios(
            self.deviation, self.step_scale, self.safety_orders, is_long=self.is_long, adds_up=adds_up
        )

    @property
    def amounts(self) -> tuple[Decimal, ...]:
        """What base order and safety orders commit, in quote."""
        if self.total_amount is not None:
            return shared_amounts(self.total_amount, self.volume_scale, self.safety_orders)
        base = self.base_order_amount or self.amount_per_step or ZERO
        safety = self.safety_order_amount or self.amount_per_step or ZERO
        return scaled_amounts(base, safety, self.volume_scale, self.safety_orders)

    @property
    def rsi_bound(self) -> Decimal:
        """RSI beyond which a deal starts."""
        return USUAL_RSI[self.direction] if self.rsi_threshold is None else self.rsi_threshold

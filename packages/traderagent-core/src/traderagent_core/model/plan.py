"""Plans: orders that stand or fall together, with the rules that hold while no plugin is running.

A plan is a small machine of legs. Some legs are placed at the start; a leg names in `then` the legs that are
placed once it is completely filled. A leg may name one that names it back: that is how a grid re-arms.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import Factory, field, frozen

from traderagent_core.model.order import Purpose, Side

ZERO = Decimal(0)
BUY = Side.BUY
ENTRY = Purpose.ENTRY


def _inexact(owner: object, name: str, value: object) -> TypeError:
    """What is wrong with a number that is no Decimal; looked for by hand, as validators of attrs take far longer."""
    return TypeError(f"{type(owner).__name__} needs a Decimal as its {name}, not {value!r}")


@frozen
class At:
    """An absolute price in quote currency."""

    price: Decimal

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.price, Decimal):
            raise _inexact(self, "price", self.price)


@frozen
class FillTimes:
    """The price at which the leg `of`, or else the one that placed this leg, was filled, times `ratio`."""

    ratio: Decimal
    of: str = ""

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.ratio, Decimal):
            raise _inexact(self, "ratio", self.ratio)
        if not isinstance(self.of, str):
            raise TypeError(f"FillTimes needs the name of a leg as its of, not {self.of!r}")


@frozen
class AverageTimes:
    """The average entry price of the strategy's position, times `ratio`; the order follows the average."""

    ratio: Decimal

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.ratio, Decimal):
            raise _inexact(self, "ratio", self.ratio)


@frozen
class Fixed:
    """A fixed quantity in base units."""

    quantity: Decimal

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.quantity, Decimal):
            raise _inexact(self, "quantity", self.quantity)


@frozen
class Filled:
    """The quantity that the leg which placed this one has traded."""


@frozen
class Held:
    """A share of what the strategy holds; the order follows the holding."""

    ratio: Decimal = Decimal(1)


PriceRule = At | FillTimes | AverageTimes
QuantityRule = Fixed | Filled | Held
QUANTITY_RULES = (Fixed, Filled, Held)
EXITS = (Purpose.TAKE_PROFIT, Purpose.STOP_LOSS, Purpose.EXIT)
NO_NAMES: frozenset[str] = frozenset()
set_field = object.__setattr__
"""How a frozen object takes what follows from its other fields."""


@frozen
class Leg:
    """One order to be of a plan.

    Without a price it trades at the market. With `is_stop` the price is a trigger. `closes` ends the plan when
    the leg is filled: all that is left of the plan is withdrawn. `is_pegged` says that the position moves it.
    """

    name: str
    slot: str
    side: Side
    purpose: Purpose
    quantity: QuantityRule
    price: PriceRule | None = None
    then: tuple[str, ...] = ()
    is_stop: bool = False
    post_only: bool = False
    closes: bool = False
    is_exit: bool = field(init=False, repr=False)
    is_pegged: bool = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        # One look at all three; a validator for each would cost more than the rest of a leg.
        is_right = isinstance(self.side, Side) and isinstance(self.purpose, Purpose)
        if not (is_right and isinstance(self.quantity, QUANTITY_RULES)):
            raise TypeError(
                f"leg {self.name!r} needs a Side, a Purpose and a quantity that is Fixed, Filled or Held,"
                f" not {self.side!r}, {self.purpose!r} and {self.quantity!r}"
            )
        is_pegged = isinstance(self.quantity, Held) or isinstance(self.price, AverageTimes)
        set_field(self, "is_exit", self.purpose in EXITS)
        set_field(self, "is_pegged", is_pegged)

    def of(self, quantity: QuantityRule, price: PriceRule | None) -> "Leg":
        """The same leg with another quantity and price."""
        place = (self.name, self.slot, self.side, self.purpose)
        return Leg(*place, quantity, price, self.then, self.is_stop, self.post_only, self.closes)


@frozen
class Trail:
    """A stop that follows the best price since entry, in the protective direction only.

    Active once the price has gone `activation_ratio` in favour; then it stays `distance_ratio` behind the best
    price, moving in steps of at least `least_step_ratio` of the price and no more often than `least_interval_ms`.
    """

    activation_ratio: Decimal
    distance_ratio: Decimal
    least_step_ratio: Decimal = Decimal("0.001")
    least_interval_ms: int = 60_000


@frozen
class BreakEven:
    """A stop that moves, once, to where the trade costs nothing.

    Once the price has gone `activation_ratio` in favour of the average entry, the stop stands at least `offset_ratio`
    beyond that average on the winning side: what fees take. The offset must be smaller than the activation.
    """

    activation_ratio: Decimal
    offset_ratio: Decimal = ZERO

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.activation_ratio, Decimal):
            raise _inexact(self, "activation_ratio", self.activation_ratio)
        if not isinstance(self.offset_ratio, Decimal):
            raise _inexact(self, "offset_ratio", self.offset_ratio)
        if not ZERO <= self.offset_ratio < self.activation_ratio:
            raise ValueError(
                f"offset_ratio must be at least 0 and below the activation_ratio {self.activation_ratio},"
                f" not {self.offset_ratio}"
            )


@frozen
class Stop:
    """The protective stop of the position that a plan builds: one price for each side it may be on."""

    long: At | AverageTimes | None = None
    short: At | AverageTimes | None = None
    trail: Trail | None = None
    break_even: BreakEven | None = None


@frozen
class Plan:
    """Orders asked for together; filters and risk judge it once, as a whole.

    `evidence` is shown by explanations and reports; it changes nothing. `references` are the names of the legs whose
    fill prices other legs name.
    """

    name: str
    legs: tuple[Leg, ...]
    start: tuple[str, ...]
    stop: Stop | None = None
    evidence: Mapping[str, Any] = Factory(dict)
    has_pegs: bool = field(init=False)
    has_two_sides: bool = field(init=False)
    references: frozenset[str] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.legs, tuple):
            raise TypeError(f"plan {self.name!r} needs a tuple of Legs, not {self.legs!r}")
        has_pegs = has_buys = has_sells = False
        references = set()
        for leg in self.legs:
            if not isinstance(leg, Leg):
                raise TypeError(f"plan {self.name!r} is made of Legs, not of {leg!r}")
            price = leg.price
            if isinstance(price, FillTimes) and price.of:
                references.add(price.of)
            has_pegs = has_pegs or leg.is_pegged
            if leg.purpose is ENTRY:
                is_buy = leg.side is BUY
                has_buys, has_sells = has_buys or is_buy, has_sells or not is_buy
        set_field(self, "has_pegs", has_pegs)
        set_field(self, "has_two_sides", has_buys and has_sells)
        set_field(self, "references", frozenset(references) if references else NO_NAMES)

"""The base class of strategies. Only `on_start` must be written."""

from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import field, frozen

from traderagent_core.contract.exhibit import Exhibit
from traderagent_core.contract.state import NoState
from traderagent_core.model.event import OrderFilled, TimerFired, WatchCrossed
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.plan import Plan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from traderagent_core.contract.entry_filter import Verdict
    from traderagent_core.contract.history import RunHistory
    from traderagent_core.indicators import Indicator
    from traderagent_core.model.candle import Candle
    from traderagent_core.ports import Columns, Context, PositionView


class Wake(Enum):
    """On which closed candles `on_candle` is called."""

    NEVER = "never"
    CANDIDATES = "candidates"
    EVERY_CANDLE = "every candle"


@frozen
class Needs:
    """What a strategy wants to see and when it wants to be called.

    `timeframe` is the one of `on_candle`, `candidates` and `indicators`; None takes the bot's. Timers and watches
    always call, fills only when `fills` is true. With `between_plans` candles call only while no plan of the strategy
    is at work, so that signals for the next one cost nothing until this one is over. With `max_drawdown` the engine
    closes the position, by the reason `max_drawdown`, at the first close at which the bot's equity (budget + profit)
    is that share below its peak.
    """

    timeframe: str | None = None
    indicators: tuple["Indicator", ...] = field(default=())
    look_back: int = field(default=1)
    wake: Wake = field(default=Wake.NEVER)
    fills: bool = True
    between_plans: bool = False
    max_drawdown: Decimal | None = None

    @look_back.validator
    def _check(self, _attribute: Any, value: int) -> None:
        if value < 1:
            raise ValueError(f"look_back must be at least 1 candle, not {value}")

    @indicators.validator
    def _check_indicators(self, _attribute: Any, value: Any) -> None:
        from traderagent_core.indicators.base import Indicator

        if not isinstance(value, tuple) or not all(isinstance(each, Indicator) for each in value):
            raise TypeError(f"indicators must be a tuple, such as (Ema(20),), not {value!r}")

    @wake.validator
    def _check_wake(self, _attribute: Any, value: Any) -> None:
        if not isinstance(value, Wake):
            raise TypeError(f"wake must be one of {', '.join(map(str, Wake))}, not {value!r}")


@frozen
class Problem:
    """Something that speaks against starting. `is_fatal` problems stop the start."""

    message: str
    remedy: str = ""
    is_fatal: bool = True


@frozen
class OrderNews:
    """What became of a want: rejected, canceled or blocked, with its reason code."""

    slot: str
    what: str
    reason: str


class Release(Enum):
    """What happens to a position when its strategy has to let go.

    KEEP leaves it to its own exits and its stop, for as long as there is time; WIND_DOWN closes it at the market;
    HAND_OVER gives it to the next strategy of the pair, and is KEEP where there is none that takes it over.
    """

    KEEP = "keep"
    WIND_DOWN = "wind down"
    HAND_OVER = "hand over"


class Strategy:
    """Decides what to trade; knows no exchange, no clock and no files.

    `state` is a frozen attrs object with a `schema_version`; a callback replaces it (`attrs.evolve`) and never
    changes it in place, so that the host can take it back when the callback fails and save it at any time.
    """

    state_class: ClassVar[type] = NoState

    def __init__(self, config: Any) -> None:
        self.config = config
        self.state: Any = self.state_class()

    @classmethod
    def needs(cls, config: Any) -> Needs:  # noqa: ARG003
        """Indicators, look-back and when to be called; by default on fills, timers and watches."""
        return Needs()

    @classmethod
    def check(cls, config: Any, instrument: Instrument, price: Decimal, budget: Decimal) -> Sequence[Problem]:  # noqa: ARG003
        """What speaks against trading this instrument at this price with this budget."""
        return ()

    @classmethod
    def sketch(cls, config: Any, instrument: Instrument, price: Decimal) -> Plan | None:  # noqa: ARG003
        """The plan that would be asked for if its moment came at this price, for previews; None without one."""
        return None

    @classmethod
    def candidates(cls, config: Any, columns: "Columns") -> "NDArray[np.bool_]":
        """Rows on which `on_candle` is to be called; causal: row i may use rows up to i, at most `look_back`."""
        raise NotImplementedError(f"{cls.__name__} asks for candidates but does not mark any")

    def adopt(self, former: "Strategy") -> None:
        """Take over the state of the strategy in whose place this one comes, of the same kind with another `config`.

        Asked when the configuration of a running bot is changed, and perhaps more than once. By default its state as
        it is. Raise ConfigError when it cannot be gone on with; then nothing is changed. Afterwards `on_resume` is
        called, if the strategy trades now, and sees to what is different.
        """
        self.state = former.state

    def on_start(self, context: "Context") -> None:
        """Called when the first candle has closed, and again each time the router comes back to this strategy.

        `state` is then as it was left: limits and history go on. What it holds may be something, too, when it was
        about to let go and is called back.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define on_start")

    def takes_over(self, context: "Context", position: "PositionView") -> bool:  # noqa: ARG002
        """Whether this strategy would go on with what another one of its pair holds, as it is; by default not.

        A question only: what is asked for here is dropped, and so is a change of the state. `position` is the other
        one's. It may be asked again until the position is handed over; then `on_take_over` is called.
        """
        return False

    def on_take_over(self, context: "Context") -> None:
        """Called instead of `on_start` when a position was taken over: `context.position` holds it, at its average.

        It keeps the stop that it had until a plan of this strategy brings another one.
        """
        self.on_start(context)

    def on_candle(self, context: "Context", candle: "Candle") -> None:
        """A candle that `needs` asked for has closed."""

    def on_fill(self, context: "Context", fill: OrderFilled, slot: str, *, is_complete: bool) -> None:
        """An execution of an own order; `is_complete` when it spends what was wanted in the slot."""

    def on_order(self, context: "Context", news: OrderNews) -> None:
        """An own order was rejected or cancelled by the venue, or a want is blocked."""

    def on_verdict(self, context: "Context", plan: Plan, verdict: "Verdict") -> None:
        """Filters and risk have judged a plan."""

    def on_timer(self, context: "Context", timer: TimerFired) -> None:
        """A timer is due."""

    def on_watch(self, context: "Context", watch: WatchCrossed) -> None:
        """A watched price was reached."""

    def on_closed(self, context: "Context", reason: str) -> None:
        """A plan is over and everything of it is withdrawn; the position is flat unless a venue refused.

        By the reason `handed_over` another strategy holds it now.
        """

    def on_resume(self, context: "Context") -> None:
        """Called after a pause or a recovery, with the state as it was saved; and after `adopt`."""

    def on_release(self, context: "Context", reason: str) -> Release:  # noqa: ARG002
        """The bot stops or another strategy takes over: what should happen to the position?"""
        return Release.KEEP

    def exhibit(self, history: "RunHistory") -> Exhibit:  # noqa: ARG002
        """Tables and drawings for the report of a finished run; it changes nothing."""
        return Exhibit()

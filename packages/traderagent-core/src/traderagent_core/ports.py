"""Protocols where layers meet: what a plugin sees of the engine, and what the engine sees of its drivers."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from traderagent_core.model.candle import Candle, Candles, FloatColumn
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.plan import Leg, Plan
from traderagent_core.model.regime_reading import RegimeReading

if TYPE_CHECKING:
    from traderagent_core.indicators import Indicator


class Call(Protocol):
    """How a plugin is called: plainly, or by a driver that measures how long it takes."""

    def __call__(
        self, bot: str, callback: str, function: Callable[..., Any], /, *arguments: Any, **named: Any
    ) -> Any:
        """What the function returns; raises what it raises, or PluginHungError without calling it."""
        ...


def call_plainly(
    bot: str,  # noqa: ARG001
    callback: str,  # noqa: ARG001
    function: Callable[..., Any],
    /,
    *arguments: Any,
    **named: Any,
) -> Any:
    """The call and nothing else."""
    return function(*arguments, **named)


class MarketView(Protocol):
    """Closed candles and indicators up to now; nothing from the future can be reached through it."""

    def price(self, symbol: str) -> Decimal:
        """The last price; raises DataError before the first candle."""
        ...

    def prices(self, symbols: Iterable[str]) -> list[Decimal]:
        """The last price of each of some symbols, in their order. For the engine."""
        ...

    def last(self, symbol: str, timeframe: str) -> Candle | None:
        """The last closed candle, or None before the first."""
        ...

    def candles(self, symbol: str, timeframe: str, count: int) -> Candles:
        """At most `count` last closed candles, oldest first."""
        ...

    def value(self, symbol: str, timeframe: str, indicator: "Indicator") -> float:
        """A declared indicator at the last closed candle; nan while it warms up."""
        ...

    def regime(self, symbol: str) -> RegimeReading | None:
        """The confirmed regime of a market with a router; None before the first classification. For the engine."""
        ...

    def is_stressed(self) -> bool:
        """Whether the correlation monitor says stress; False while it warms up or is not used. For the engine."""
        ...

    def is_due(self, bot: str, time_ms: int) -> bool:
        """Whether a candle that the bot asked to be called for closed at this time. For the engine."""
        ...


class PositionView(Protocol):
    """What a strategy holds, from its own ledger. Quantities are signed: negative is short.

    `bought_quantity` and `bought_notional` count all that was ever bought: differences tell what a time span did.
    """

    @property
    def quantity(self) -> Decimal: ...
    @property
    def average_price(self) -> Decimal: ...
    @property
    def realized_pnl(self) -> Decimal: ...
    @property
    def fees(self) -> Decimal: ...
    @property
    def funding(self) -> Decimal: ...
    @property
    def bought_quantity(self) -> Decimal: ...
    @property
    def bought_notional(self) -> Decimal: ...


class Context(Protocol):
    """What a strategy reads and asks for inside a callback.

    Verbs take effect when the callback has returned; if it raises, they are dropped.
    """

    @property
    def now_ms(self) -> int:
        """Time of the event being handled, ms UTC."""
        ...

    @property
    def instrument(self) -> Instrument:
        """The instrument traded."""
        ...

    @property
    def timeframe(self) -> str:
        """The timeframe that the strategy works on."""
        ...

    @property
    def price(self) -> Decimal:
        """The last price."""
        ...

    @property
    def leverage(self) -> Decimal:
        """Leverage of a linear instrument; 1 on spot."""
        ...

    @property
    def view(self) -> MarketView:
        """Closed candles and indicators."""
        ...

    @property
    def position(self) -> PositionView:
        """The strategy's own ledger."""
        ...

    @property
    def budget(self) -> Decimal:
        """Quote currency that this strategy may commit."""
        ...

    def enter(self, plan: Plan) -> None:
        """Ask for a plan; the answer comes to `on_verdict`."""
        ...

    def place(self, leg: Leg) -> None:
        """Place one more leg, in a slot of its own; not for entries."""
        ...

    def cancel(self, slot: str) -> None:
        """Withdraw what is wanted in a slot."""
        ...

    def withdraw(self, reason: str) -> None:
        """Withdraw everything that is wanted and keep the position, with its stop."""
        ...

    def exit(self, reason: str) -> None:
        """Withdraw everything and close the position at the market."""
        ...

    def set_timer(self, name: str, due_ms: int) -> None:
        """Call `on_timer` at a time, ms UTC."""
        ...

    def watch_price(self, name: str, price: Decimal) -> None:
        """Call `on_watch` once, at the first price at or beyond `price` seen from the last price."""
        ...

    def unwatch(self, name: str) -> None:
        """Forget a price watch."""
        ...

    def note(self, reason: str, **evidence: Any) -> None:
        """Record why something was done or left undone."""
        ...


Columns = Mapping[str, FloatColumn]
"""Candle columns (`open`, `high`, `low`, `close`, `volume`) and indicator columns by `Indicator.key`."""

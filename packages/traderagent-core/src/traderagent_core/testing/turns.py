"""Two strategies that take turns on one instrument, and a partner for the one that is examined."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from attrs import evolve
from pydantic import BaseModel, ConfigDict

from traderagent_core.contract.strategy import Release, Strategy
from traderagent_core.engine.setup import PairSetup
from traderagent_core.model.candle import Candles
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import AverageTimes, Fixed, Held, Leg, Plan
from traderagent_core.model.regime import Regime
from traderagent_core.model.regime_reading import RegimeReading
from traderagent_core.model.timeframe import HOUR_MS
from traderagent_core.ports import Context, PositionView
from traderagent_core.simulator.view import SimulatedView
from traderagent_core.testing.conditions import GOOD, Bot, Conditions
from traderagent_core.testing.harness import start_bots
from traderagent_core.testing.run import Run

PAIR = "pair"
TIMEOUT_MS = 2 * HOUR_MS
ODD, EVEN = Regime.BULL_TREND, Regime.TIGHT_RANGE


class TurningView(SimulatedView):
    """A view on which the regime changes at given times, ms UTC, and at no others."""

    def __init__(self, candles: Mapping[str, Candles], changes: Sequence[int]) -> None:
        super().__init__(candles)
        self._changes = changes

    def regime(self, symbol: str) -> RegimeReading | None:  # noqa: ARG002
        """Even before the first change, odd after it, and so on."""
        passed = [time_ms for time_ms in self._changes if time_ms <= self.now_ms]
        since_ms = passed[-1] if passed else 0
        return RegimeReading(ODD if len(passed) % 2 else EVEN, since_ms, 0.0, 0.0, 0.0, 0.0)


def start_turns(first: Bot, second: Bot, changes: Sequence[int], conditions: Conditions = GOOD) -> Run:
    """Make two bots ready that take turns on the same candles: a run that is still at its start.

    The first trades until the first change, ms UTC, then the second, and so on.
    """
    routes = {regime: (second.name if regime is ODD else first.name,) for regime in Regime}
    pair = PairSetup(PAIR, first.candles.symbol, (first.name, second.name), routes, TIMEOUT_MS)

    def view(candles: Mapping[str, Candles]) -> SimulatedView:
        return TurningView(candles, changes)

    return start_bots([first, second], evolve(conditions, view=view, wakes=tuple(changes), pairs=(pair,)))


class HolderConfig(BaseModel):
    """What it buys (short: sells) when it begins with nothing, as a share of its buying power."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: Decimal = Decimal("0.05")
    is_long: bool = True


class Holder(Strategy):
    """Holds a position while it is its turn, takes over whatever there is, and hands all of it over."""

    def on_start(self, context: Context) -> None:
        """Take a position."""
        power = context.budget * context.leverage * self.config.share
        quantity = context.instrument.round_quantity(power / context.price)
        if context.instrument.size_problem(quantity, context.price) is None and not context.position.quantity:
            side = Side.BUY if self.config.is_long else Side.SELL
            entry = Leg("entry", "entry", side, Purpose.ENTRY, Fixed(quantity), then=("out",))
            context.enter(Plan("hold", (entry, _far(is_long=self.config.is_long)), ("entry",)))

    def takes_over(self, context: Context, position: PositionView) -> bool:  # noqa: ARG002
        """Anything is welcome."""
        return True

    def on_take_over(self, context: Context) -> None:
        """Keep it, with an order far away."""
        context.enter(Plan("hold", (_far(is_long=context.position.quantity > 0),), ("out",)))

    def on_release(self, context: Context, reason: str) -> Release:  # noqa: ARG002
        """Offer it."""
        return Release.HAND_OVER


def _far(*, is_long: bool) -> Leg:
    side, ratio = (Side.SELL, Decimal("1.5")) if is_long else (Side.BUY, Decimal("0.6"))
    return Leg("out", "out", side, Purpose.TAKE_PROFIT, Held(), AverageTimes(ratio))

"""A member: one bot inside the engine, its strategy called in isolation."""

from collections import deque
from decimal import Decimal
from hashlib import blake2s
from typing import TYPE_CHECKING

from attrs import Factory, define

from traderagent_core.account.ledger import Ledger
from traderagent_core.contract.strategy import Needs, Strategy
from traderagent_core.engine.setup import BotSetup
from traderagent_core.engine.standing import Standing
from traderagent_core.engine.stop_state import StopState
from traderagent_core.errors import asking
from traderagent_core.model.instrument import Instrument

if TYPE_CHECKING:
    from traderagent_core.engine.context import StrategyContext
    from traderagent_core.ports import MarketView

IDLE = Standing.IDLE
FAILURES_ALLOWED = 3
FAILURE_WINDOW_MS = 600_000


@define(eq=False)
class Member:
    """State of one bot that the engine owns; the strategy's own state is in `strategy.state`."""

    setup: BotSetup
    strategy: Strategy
    instrument: Instrument
    ledger: Ledger
    needs: Needs
    prefix: str
    name: str
    symbol: str
    stop: StopState = Factory(StopState)
    has_limits: bool = False
    is_guarded: bool = False
    standing: Standing = Standing.OWNER
    is_started: bool = False
    is_paused: bool = False
    is_halted: bool = False
    is_stopped: bool = False
    is_quarantined: bool = False
    is_hung: bool = False
    is_over_daily_loss: bool = False
    day_start_profit: Decimal = Decimal(0)
    peak_profit: Decimal = Decimal(0)
    exit_reason: str = ""
    failures: deque[int] = Factory(deque)
    context: "StrategyContext" = None  # type: ignore[assignment]

    def note_guards(self) -> None:
        """Note whether anything has to follow the position: a stop, a trail, a drawdown limit."""
        self.is_guarded = (
            self.stop.rule is not None
            or self.setup.limits.stop_loss_ratio is not None
            or self.needs.max_drawdown is not None
            or self.stop.price is not None  # It stands, though what asked for it may be gone.
        )

    @property
    def is_callable(self) -> bool:
        """Whether the strategy may be called."""
        return self.standing is not IDLE and self.is_able

    @property
    def is_able(self) -> bool:
        """Whether the strategy could be called if the pair were its own."""
        return self.is_started and not (
            self.is_paused or self.is_halted or self.is_stopped or self.is_quarantined
        )

    @property
    def timeframe(self) -> str:
        """The timeframe of `on_candle`."""
        return self.needs.timeframe or self.setup.timeframe

    def profit(self, view: "MarketView") -> Decimal:
        """What it has earned, in quote currency; no price is asked for where nothing is held."""
        return self.ledger.profit(view.price(self.symbol)) if self.ledger.quantity else self.ledger.flow

    def has_failed_too_often(self, now_ms: int) -> bool:
        """Count a failure of the plugin; true at the third within ten minutes."""
        self.failures.append(now_ms)
        while self.failures[0] < now_ms - FAILURE_WINDOW_MS:
            self.failures.popleft()
        return len(self.failures) >= FAILURES_ALLOWED


def order_prefix(run_id: str, bot: str) -> str:
    """Start of all client order ids of a bot: at most 14 characters of [A-Za-z0-9_-]."""
    return f"{run_id[:6]}-{blake2s(bot.encode(), digest_size=3).hexdigest()}-"


def make_member(setup: BotSetup, ledger: Ledger, run_id: str) -> Member:
    """A member that has not been started."""
    limits = setup.limits
    with asking(setup.strategy_name, "needs"):
        needs = type(setup.strategy).needs(setup.strategy.config)
        if not isinstance(needs, Needs):
            raise TypeError(f"expected Needs, not {type(needs).__name__}")
    member = Member(
        setup=setup,
        strategy=setup.strategy,
        instrument=setup.instrument,
        ledger=ledger,
        needs=needs,
        prefix=order_prefix(run_id, setup.name),
        name=setup.name,
        symbol=setup.instrument.symbol,
        has_limits=limits.max_position_size is not None or limits.max_daily_loss is not None,
    )
    member.note_guards()
    return member

"""Limits on losses in a row, on the loss of a UTC day and on its trades, as functions of the state."""

from decimal import Decimal

from traderagent_core.model.timeframe import DAY_MS

from traderagent_trend.config import TrendConfig
from traderagent_trend.state import LOG_LENGTH, TrendState
from traderagent_trend.trades import OpenTrade, Trade

ZERO = Decimal(0)
LOSSES, DAILY_LOSS, DAILY_TRADES = "max_consecutive_losses", "max_daily_loss_ratio", "max_daily_trades"


def limit_reached(config: TrendConfig, state: TrendState, equity: Decimal, now_ms: int) -> str | None:
    """The key of the limit that forbids an entry now, or None; `equity` is in quote currency, nothing being held."""
    most = config.max_consecutive_losses
    if most is not None and state.losses >= most and now_ms < state.paused_until_ms:
        return LOSSES
    if state.day != now_ms // DAY_MS:
        return None
    if config.max_daily_trades is not None and state.day_trades >= config.max_daily_trades:
        return DAILY_TRADES
    ratio = config.max_daily_loss_ratio
    if ratio is not None and -state.day_pnl >= ratio * (equity - state.day_pnl):
        return DAILY_LOSS
    return None


def with_opened(state: TrendState, trade: OpenTrade) -> TrendState:
    """The state when the first fill of a trade has come."""
    day = trade.opened_ms // DAY_MS
    is_same = day == state.day
    return TrendState(
        state.schema_version,
        trade,
        state.capital,
        day,
        state.day_pnl if is_same else ZERO,
        state.day_trades + 1 if is_same else 1,
        state.losses,
        state.paused_until_ms,
        state.trades,
        state.wins,
        state.reason,
        state.look_ms,
        state.log,
    )


def with_closed(
    config: TrendConfig, state: TrendState, trade: Trade, capital: Decimal, candle_ms: int
) -> TrendState:
    """The state when a trade is over; its whole result belongs to the UTC day of its end."""
    day = trade.closed_ms // DAY_MS
    is_same = day == state.day
    losses, paused_until_ms = state.losses, state.paused_until_ms
    most = config.max_consecutive_losses
    if most is not None and losses >= most:
        losses = 0  # The pause that they caused is over, or this trade would not have been opened.
    losses = losses + 1 if trade.pnl < ZERO else 0
    if most is not None and losses == most:
        paused_until_ms = trade.closed_ms + config.loss_pause_candles * candle_ms
    return TrendState(
        state.schema_version,
        None,
        capital,
        day,
        state.day_pnl + trade.pnl if is_same else trade.pnl,
        state.day_trades if is_same else 0,
        losses,
        paused_until_ms,
        state.trades + 1,
        state.wins + (trade.pnl > ZERO),
        "",
        state.look_ms,
        (*state.log[1 - LOG_LENGTH :], trade),
    )

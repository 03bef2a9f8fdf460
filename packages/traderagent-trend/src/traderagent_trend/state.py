"""What a trend follower remembers between two calls: enough to go on after a restart."""

from decimal import Decimal

from attrs import frozen

from traderagent_trend.trades import OpenTrade, Trade

ZERO = Decimal(0)
LOG_LENGTH = 100
"""Trades that the state remembers; the records of a run have them all, as notes `trade_closed`."""


@frozen
class TrendState:
    """The state of a trend follower; replaced, never changed.

    `trade` is the one asked for or open. `capital` is the equity when the last one ended. `day` is the UTC day,
    counted from 1970, that `day_pnl` and `day_trades` belong to: the result of trades closed and the number of
    trades opened. `losses` counts losing trades in a row; `paused_until_ms` is when entries go on after too many.
    `reason` says why the last entry was not taken. `look_ms` is when an open trade's candles are looked at next, so
    that none is out of sight when it ends. `log` holds the last trades, oldest first.
    """

    schema_version: int = 1
    trade: OpenTrade | None = None
    capital: Decimal | None = None
    day: int = 0
    day_pnl: Decimal = ZERO
    day_trades: int = 0
    losses: int = 0
    paused_until_ms: int = 0
    trades: int = 0
    wins: int = 0
    reason: str = ""
    look_ms: int = 0
    log: tuple[Trade, ...] = ()

    def with_trade(self, trade: OpenTrade | None, reason: str, look_ms: int) -> "TrendState":
        """The state with another trade; written out, since `attrs.evolve` takes five times as long."""
        return TrendState(
            self.schema_version,
            trade,
            self.capital,
            self.day,
            self.day_pnl,
            self.day_trades,
            self.losses,
            self.paused_until_ms,
            self.trades,
            self.wins,
            reason,
            look_ms,
            self.log,
        )

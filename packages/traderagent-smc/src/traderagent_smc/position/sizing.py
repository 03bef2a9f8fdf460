"""Direction, the share of equity to risk (Kelly 1956, a quarter of it) and the quantity that follows."""

from collections.abc import Sequence
from decimal import Decimal

from traderagent_core import Instrument, OrderError, Side

ZERO, ONE = Decimal(0), Decimal(1)
KELLY_PART = Decimal("0.25")
LARGEST_SHARE = Decimal("0.10")
FIRST_SHARE = Decimal("0.02")
LEAST_TRADES = 30


def side_of(entry: Decimal, stop: Decimal) -> Side:
    """BUY (long) if and only if the entry is above the stop; raises OrderError when they are equal."""
    if entry == stop:
        raise OrderError(f"entry and stop are both {entry}; expected a stop away from the entry")
    return Side.BUY if entry > stop else Side.SELL


def kelly(win_share: Decimal, reward_ratio: Decimal) -> Decimal:
    """f = W - (1 - W) / R; may be negative. R is mean win / mean loss and above 0."""
    if reward_ratio <= ZERO:
        raise OrderError(f"expected a mean win / mean loss above 0, not {reward_ratio}")
    return win_share - (ONE - win_share) / reward_ratio


def risk_share(results: Sequence[Decimal], least_trades: int = LEAST_TRADES) -> Decimal:
    """The share of equity to risk per trade, from the results of closed trades in quote currency, after fees.

    A quarter of Kelly, clipped to 0 … 10 %. No losses: 10 %; no wins: 0; too few trades: 2 %. A trade that brought
    nothing counts as a loss of 0, so that W and R describe the same trades.
    """
    if len(results) < least_trades:
        return FIRST_SHARE
    wins = [result for result in results if result > ZERO]
    lost = -sum((result for result in results if result <= ZERO), ZERO)
    if not wins:
        return ZERO
    if not lost:
        return LARGEST_SHARE
    mean_win = sum(wins, ZERO) / len(wins)
    mean_loss = lost / (len(results) - len(wins))
    share = KELLY_PART * kelly(Decimal(len(wins)) / len(results), mean_win / mean_loss)
    return min(max(share, ZERO), LARGEST_SHARE)


def risked_quantity(
    equity: Decimal, share: Decimal, entry: Decimal, stop: Decimal, instrument: Instrument
) -> Decimal:
    """Base units that lose `share` of the equity between entry and stop, rounded down to the lot; 0 if under one."""
    side_of(entry, stop)
    return instrument.round_quantity(equity * share / abs(entry - stop))

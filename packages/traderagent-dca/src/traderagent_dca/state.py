"""What DCA remembers between two calls: enough to go on after a restart."""

from decimal import Decimal
from enum import Enum

from attrs import frozen

from traderagent_dca.deals import Deal, OpenDeal
from traderagent_dca.shape import ZERO

REMEMBERED_DEALS = 100


class Phase(Enum):
    """Waiting for a signal, in a deal, or done for good."""

    WAITING = "waiting"
    IN_DEAL = "in deal"
    STOPPED = "stopped"


@frozen
class DcaState:
    """The state of DCA; replaced, never changed.

    `reason` says why it waits or has stopped. `not_before_ms` ends a cool-down. `attempts` counts refusals in a row,
    `repairs` attempts to lay a lost take profit again. `history` holds the last REMEMBERED_DEALS deals, oldest first;
    the totals count all of them: `invested` without fees, `profit` after fees and funding, in quote.
    """

    schema_version: int = 1
    phase: Phase = Phase.WAITING
    reason: str = ""
    deal: OpenDeal | None = None
    not_before_ms: int = 0
    attempts: int = 0
    repairs: int = 0
    asked: int = 0
    deals: int = 0
    won: int = 0
    invested: Decimal = ZERO
    profit: Decimal = ZERO
    history: tuple[Deal, ...] = ()

    def with_deal(self, deal: OpenDeal) -> "DcaState":
        """The state when a deal is asked for; written out, since `attrs.evolve` takes three times as long."""
        return DcaState(
            self.schema_version,
            Phase.IN_DEAL,
            "",
            deal,
            self.not_before_ms,
            self.attempts,
            self.repairs,
            deal.number,
            self.deals,
            self.won,
            self.invested,
            self.profit,
            self.history,
        )


def remember(state: DcaState, deal: Deal, not_before_ms: int) -> DcaState:
    """The state with a deal that is over; the next one may begin at a time."""
    return DcaState(
        state.schema_version,
        reason=state.reason,
        not_before_ms=not_before_ms,
        asked=state.asked,
        deals=state.deals + 1,
        won=state.won + (deal.profit > ZERO),
        invested=state.invested + deal.invested,
        profit=state.profit + deal.profit,
        history=(*state.history[1 - REMEMBERED_DEALS :], deal),
    )

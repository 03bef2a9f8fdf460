"""Rows of positions: each ledger as it stands."""

from attrs import define

from traderagent_core.account.ledger import Ledger
from traderagent_core.persistence.projection.rows import Changes, moment
from traderagent_core.persistence.projection.step import Step


@define(eq=False)
class Positions:
    """What each bot holds; the house's rows have an empty bot."""

    changes: Changes

    def see(self, step: Step) -> None:
        """Take in what a record did."""
        for ledger in (step.ledger, step.heir):
            if ledger is not None:
                self._put(ledger, step.time_ms)

    def _put(self, ledger: Ledger, time_ms: int) -> None:
        self.changes.put(
            "positions",
            (ledger.bot, ledger.symbol),
            {
                "bot": ledger.bot,
                "symbol": ledger.symbol,
                "quantity": ledger.quantity,
                "average_price": ledger.average_price,
                "realized_pnl": ledger.realized_pnl,
                "fees": ledger.fees,
                "funding": ledger.funding,
                "cycles": ledger.cycles,
                "cycle_profit": ledger.cycle_profit,
                "updated_at": moment(time_ms),
            },
        )

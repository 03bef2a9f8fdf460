"""Records of the coordinator: they change nothing in the account but are kept with the rest."""

from decimal import Decimal


class CoordinationRecords:
    """Kinds of records that tell which strategy traded where, and why."""

    def halt_changed(self, time_ms: int, stage: str, reason: str) -> None:
        """The emergency halt of the account has come to a stage; an empty one is its end."""

    def regime_changed(self, time_ms: int, bot: str, symbol: str, old: str, new: str, evidence: str) -> None:
        """Another regime is confirmed on a pair; `old` is empty at the first classification."""

    def owner_changed(self, time_ms: int, bot: str, symbol: str, old: str, new: str) -> None:
        """Another strategy may add to the position of a pair; an empty name is nobody."""

    def transition_began(
        self,
        time_ms: int,
        bot: str,
        symbol: str,
        old: str,
        new: str,
        due_ms: int,
        mark: Decimal,
        quantity: Decimal,
    ) -> None:
        """A strategy that holds `quantity` lets go of a pair until `due_ms`; `mark` is the price in quote."""

    def transition_ended(
        self,
        time_ms: int,
        bot: str,
        symbol: str,
        old: str,
        new: str,
        outcome: str,
        fees: Decimal,
        price_difference: Decimal,
    ) -> None:
        """A strategy has let go, or goes on; fees and what the price cost against the mark, in quote currency."""

"""Entry filters: a second opinion on ENTRY plans. A filter is pulled; no verdict asked, no work."""

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import Factory, field, frozen

from traderagent_core.contract.exhibit import Exhibit
from traderagent_core.contract.size_factor import check_size_factor
from traderagent_core.contract.state import NoState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from traderagent_core.contract.history import RunHistory
    from traderagent_core.model.plan import Plan
    from traderagent_core.ports import MarketView

ONE = Decimal(1)


class Ruling(Enum):
    """The three answers to a plan."""

    ACCEPT = "ACCEPT"
    NEUTRAL = "NEUTRAL"
    REJECT = "REJECT"


@frozen
class Verdict:
    """An answer to a plan; `size_factor` scales a NEUTRAL one and is in (0, 1]."""

    ruling: Ruling
    reason: str = ""
    size_factor: Decimal = field(default=ONE)
    evidence: "Mapping[str, Any]" = Factory(dict)

    @size_factor.validator
    def _check(self, _attribute: Any, value: Decimal) -> None:
        check_size_factor(value, "Ruling.REJECT")


class EntryFilter:
    """Judges ENTRY plans; never sees an order that reduces risk.

    One object serves all bots of a run. What it has to remember is in `state`, a frozen attrs object with a
    `schema_version` that `advance` replaces (`attrs.evolve`) and that is saved with the engine; what belongs to a
    symbol stands under its symbol. A filter that reads all it needs from the view keeps no state at all.
    """

    state_class: ClassVar[type] = NoState

    def __init__(self, config: Any) -> None:
        self.config = config
        self.state: Any = self.state_class()

    def advance(self, view: "MarketView", symbol: str) -> None:
        """Bring the filter to now in one batch, with the state that feeding candle by candle gives."""

    def judge(self, plan: "Plan", view: "MarketView", symbol: str) -> Verdict:
        """Accept, scale or reject a plan at the present state, without changing it."""
        raise NotImplementedError(f"{type(self).__name__} does not define judge")

    def exhibit(self, history: "RunHistory") -> Exhibit:  # noqa: ARG002
        """Tables and drawings for the report of a finished run; it changes nothing."""
        return Exhibit()

"""The context that a strategy gets: what it may read, and verbs that are kept until its callback has returned."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from traderagent_core.account.account import describe
from traderagent_core.account.ledger import Ledger
from traderagent_core.errors import OrderError, clipped, told
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import Purpose
from traderagent_core.model.plan import Leg, Plan
from traderagent_core.ports import MarketView

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

LATEST_MS = 10**14
LONGEST_NOTE = 5_000
NAME_PATTERN = re.compile(r"^[a-z][a-z0-9_:]{0,15}\Z")
Action = tuple[Any, ...]


class StrategyContext:
    """See traderagent_core.ports.Context; one object a bot, used again for every callback."""

    def __init__(self, engine: "Engine", member: "Member") -> None:
        self._engine = engine
        self._member = member
        self.actions: list[Action] = []

    @property
    def now_ms(self) -> int:
        """Time of the event being handled, ms UTC."""
        return self._engine.now_ms

    @property
    def instrument(self) -> Instrument:
        """The instrument traded."""
        return self._member.instrument

    @property
    def timeframe(self) -> str:
        """The timeframe that the strategy works on."""
        return self._member.timeframe

    @property
    def view(self) -> MarketView:
        """Closed candles and indicators."""
        return self._engine.view

    @property
    def price(self) -> Decimal:
        """The last price."""
        return self._engine.view.price(self._member.symbol)

    @property
    def position(self) -> Ledger:
        """The strategy's own ledger; read only."""
        return self._member.ledger

    @property
    def leverage(self) -> Decimal:
        """Leverage of a linear instrument; 1 on spot."""
        return self._member.setup.leverage

    @property
    def budget(self) -> Decimal:
        """Quote currency that this strategy may commit, before leverage."""
        return self._engine.budget(self._member)

    def enter(self, plan: Plan) -> None:
        """Ask for a plan."""
        self.actions.append(("enter", plan))

    def place(self, leg: Leg) -> None:
        """Place one more leg, in a slot of its own; not for entries."""
        if leg.purpose in (Purpose.ENTRY, Purpose.SAFETY, Purpose.GRID_COUNTER):
            raise OrderError(
                f"place({leg.name!r}) is for exits; ask for {leg.purpose.value} legs with enter(plan)"
            )
        check_slot(leg.slot)
        self.actions.append(("place", leg))

    def cancel(self, slot: str) -> None:
        """Withdraw what is wanted in a slot."""
        check_slot(slot)
        self.actions.append(("cancel", slot))

    def withdraw(self, reason: str) -> None:
        """Withdraw everything that is wanted and keep the position, with its stop."""
        check_reason(reason)
        self.actions.append(("withdraw", reason))

    def exit(self, reason: str) -> None:
        """Withdraw everything and close the position at the market."""
        check_reason(reason)
        self.actions.append(("exit", reason))

    def set_timer(self, name: str, due_ms: int) -> None:
        """Call `on_timer` at a time, ms UTC."""
        check_name("timer", name)
        if not LATEST_MS >= int(due_ms) >= -LATEST_MS:
            raise OrderError(f"set_timer({name!r}) needs a time in ms UTC, not {due_ms!r}")
        self.actions.append(("set_timer", name, int(due_ms)))

    def watch_price(self, name: str, price: Decimal) -> None:
        """Call `on_watch` once, at the first price at or beyond `price` seen from the last price."""
        check_name("watch", name)
        if not isinstance(price, Decimal) or not price.is_finite() or price <= 0:
            raise OrderError(f"watch_price({name!r}) needs a positive Decimal price, not {price!r}")
        self.actions.append(("watch_price", name, price))

    def unwatch(self, name: str) -> None:
        """Forget a price watch."""
        check_name("watch", name)
        self.actions.append(("unwatch", name))

    def note(self, reason: str, **evidence: Any) -> None:
        """Record why something was done or left undone."""
        check_reason(reason)
        self.actions.append(("note", reason, clipped(describe(evidence), LONGEST_NOTE)))


@lru_cache(maxsize=4096)
def check_name(what: str, name: str) -> None:
    """Refuse a name of a watch or timer that ids cannot be built from; one that has passed is not looked at again."""
    if NAME_PATTERN.match(name) is None:
        raise OrderError(f"{what} name {name!r} must be 1 to 16 of a-z, 0-9, _ and :, starting with a letter")


def check_reason(reason: str) -> None:
    """Refuse a reason that is no text, or none that records can hold."""
    if reason and (not isinstance(reason, str) or clipped(reason, LONGEST_NOTE) != reason):
        raise OrderError(
            f"a reason is a text of at most {LONGEST_NOTE} characters, not {told(ValueError(reason))}"
        )


@lru_cache(maxsize=4096)
def check_slot(slot: str) -> None:
    """Refuse a slot name that client order ids cannot be built from."""
    check_name("slot", slot)
    if slot in RESERVED_SLOTS:
        raise OrderError(f"slot {slot!r} belongs to the engine; choose another name")


RESERVED_SLOTS = frozenset({"stop", "exit"})

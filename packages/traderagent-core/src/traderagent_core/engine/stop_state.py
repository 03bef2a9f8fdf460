"""What the engine remembers about the protective stop of one bot."""

from decimal import Decimal

from attrs import Factory, define

from traderagent_core.account.state import Order, Want
from traderagent_core.model.plan import Stop


@define(eq=False)
class StopState:
    """The stop rule in force and how it is held now.

    `price` is where the stop stands; `watched` is that price while the engine holds it by a watch; `want` is the
    order's want while it is held at the venue; `is_long` is the side of the position it protects. `travelling` is
    its order while it is attached to entries, the `carriers`, of which none has traded yet. `is_even` says that the
    price has been where the rule's break-even begins; `best` is the best price since entry, once trailing.
    `refusals` are those of its order since one was accepted.
    """

    rule: Stop | None = None
    price: Decimal | None = None
    watched: Decimal | None = None
    want: Want | None = None
    is_even: bool = False
    is_trailing: bool = False
    best: Decimal | None = None
    moved_ms: int = 0
    trail_watch: Decimal | None = None
    is_waiting: bool = False
    is_long: bool | None = None
    travelling: Order | None = None
    carriers: list[str] = Factory(list)
    refusals: int = 0

"""What the engine remembers about the protective stop of one bot."""

from decimal import Decimal

from attrs import define

from traderagent_core.account.state import Want
from traderagent_core.model.plan import Stop


@define(eq=False)
class StopState:
    """The stop rule in force and how it is held now.

    `price` is where the stop stands; `watched` is that price while the engine holds it by a watch; `want` is the
    order's want while it is held at the venue. `best` is the best price since entry, once trailing.
    """

    rule: Stop | None = None
    price: Decimal | None = None
    watched: Decimal | None = None
    want: Want | None = None
    is_trailing: bool = False
    best: Decimal | None = None
    moved_ms: int = 0
    trail_watch: Decimal | None = None
    is_waiting: bool = False

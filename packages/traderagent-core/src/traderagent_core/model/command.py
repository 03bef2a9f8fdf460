"""Commands: what the engine wishes for. A driver carries them out and answers with events."""

from decimal import Decimal

from attrs import define

from traderagent_core.model.order import Amendment, OrderRequest


@define(eq=False)
class Submit:
    """Send an order."""

    request: OrderRequest


@define
class Cancel:
    """Take an order out of the book."""

    client_order_id: str
    symbol: str


@define
class Amend:
    """Change a live order in place."""

    amendment: Amendment
    symbol: str


@define
class SetLeverage:
    """Set the leverage of a linear instrument before its first order."""

    symbol: str
    leverage: Decimal


@define
class Watch:
    """Tell once when the price is at or beyond a level; a watch of the same owner and name is replaced.

    `is_above` is the side on which the level lies, seen from the last price when the watch was asked for.
    """

    owner: str
    name: str
    symbol: str
    price: Decimal
    is_above: bool


@define
class Unwatch:
    """Forget a watch."""

    owner: str
    name: str
    symbol: str


@define
class SetTimer:
    """Tell when a time has come; a timer of the same owner and name is replaced."""

    owner: str
    name: str
    due_ms: int


@define
class CancelTimer:
    """Forget a timer."""

    owner: str
    name: str


@define
class Publish:
    """Tell people, about a `topic` such as halt; nothing waits for their having read it."""

    topic: str
    text: str


Command = Submit | Cancel | Amend | SetLeverage | Watch | Unwatch | SetTimer | CancelTimer | Publish

"""What became of a request that changes something at a venue: five outcomes, and the table that tells them apart."""

from collections.abc import Iterable, Mapping
from enum import Enum, StrEnum
from types import MappingProxyType

from attrs import field, frozen

from traderagent_core.errors import ExchangeError, ExchangeRefusedError, ExchangeUnavailableError


class OutcomeKind(Enum):
    """Where a request stands; only the first, second and last are evidence."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    NOT_PROCESSED = "NOT_PROCESSED"
    UNKNOWN = "UNKNOWN"
    ALREADY_SO = "ALREADY_SO"


class Refusal(StrEnum):
    """Why a venue refuses for good, in words that are the same for all venues; the engine acts on them."""

    ORDER_TOO_SMALL = "order_too_small"
    ORDER_TOO_LARGE = "order_too_large"
    PRICE_NOT_ON_TICK = "price_not_on_tick"
    QUANTITY_NOT_ON_LOT = "quantity_not_on_lot"
    PRICE_OUT_OF_BAND = "price_out_of_band"
    INSUFFICIENT_QUOTE = "insufficient_quote"
    INSUFFICIENT_BASE = "insufficient_base"
    INSUFFICIENT_MARGIN = "insufficient_margin"
    POST_ONLY_WOULD_CROSS = "post_only_would_cross"
    WOULD_TRIGGER = "would_trigger"
    REDUCE_ONLY_WITHOUT_POSITION = "reduce_only_without_position"
    ORDER_NOT_OPEN = "order_not_open"
    QUANTITY_ALREADY_FILLED = "quantity_already_filled"
    TOO_MANY_ORDERS = "too_many_orders"
    LEVERAGE_TOO_HIGH = "leverage_too_high"
    UNKNOWN_SYMBOL = "unknown_symbol"
    MARKET_CLOSED = "market_closed"
    NOT_PERMITTED = "not_permitted"
    NOT_SUPPORTED = "not_supported"
    BAD_PARAMETERS = "bad_parameters"


@frozen
class Outcome:
    """The answer to a write. `code` and `text` are the venue's own, unchanged; secrets never stand in them.

    ACCEPTED: the venue has the request; that it took effect is told by the stream or a read. REJECTED: it has not
    and never will have, for `reason`. NOT_PROCESSED: it has not; the same request may be sent again after
    `retry_after_ms`. UNKNOWN: nobody can say; reads decide, never a new id. ALREADY_SO: what was asked for was so
    before: a known client order id, an order that is not open any more, an unchanged value; to be read back.
    """

    kind: OutcomeKind
    code: str = ""
    text: str = ""
    reason: Refusal | None = None
    venue_order_id: str = ""
    retry_after_ms: int = 0

    def __attrs_post_init__(self) -> None:
        if (self.reason is not None) is not (self.kind is OutcomeKind.REJECTED):
            raise ValueError(f"a reason belongs to REJECTED and to nothing else, not to {self!r}")

    @classmethod
    def accepted(cls, venue_order_id: str = "", code: str = "", text: str = "") -> "Outcome":
        """The venue has the request."""
        return cls(OutcomeKind.ACCEPTED, code, text, venue_order_id=venue_order_id)

    @classmethod
    def rejected(cls, reason: Refusal, code: str = "", text: str = "") -> "Outcome":
        """The venue refused for good."""
        return cls(OutcomeKind.REJECTED, code, text, reason)

    @classmethod
    def not_processed(cls, code: str, text: str = "", *, retry_after_ms: int = 0) -> "Outcome":
        """The venue did not look at the request."""
        return cls(OutcomeKind.NOT_PROCESSED, code, text, retry_after_ms=retry_after_ms)

    @classmethod
    def unknown(cls, code: str, text: str = "", *, retry_after_ms: int = 0) -> "Outcome":
        """A lost answer, or one that nobody understands."""
        return cls(OutcomeKind.UNKNOWN, code, text, retry_after_ms=retry_after_ms)

    @classmethod
    def already_so(cls, code: str = "", text: str = "") -> "Outcome":
        """It was so before."""
        return cls(OutcomeKind.ALREADY_SO, code, text)


def _set_of_codes(codes: Iterable[str]) -> frozenset[str]:
    return frozenset(codes)


def _frozen_map(table: Mapping[str, Refusal]) -> Mapping[str, Refusal]:
    return MappingProxyType(dict(table))


@frozen
class OutcomeTable:
    """Which of a venue's codes mean what. A code that stands nowhere means UNKNOWN.

    One code may mean different things for different requests; such requests have tables of their own. Raises
    ValueError for a code that stands in two places.
    """

    accepted: frozenset[str] = field(converter=_set_of_codes)
    rejected: Mapping[str, Refusal] = field(converter=_frozen_map)
    not_processed: frozenset[str] = field(default=(), converter=_set_of_codes)
    already_so: frozenset[str] = field(default=(), converter=_set_of_codes)

    def __attrs_post_init__(self) -> None:
        parts = (self.accepted, frozenset(self.rejected), self.not_processed, self.already_so)
        known = frozenset[str]().union(*parts)
        twice = sorted(code for code in known if sum(code in part for part in parts) > 1)
        if twice:
            raise ValueError(f"codes with two meanings: {', '.join(twice)}")

    def outcome(
        self, code: str, text: str = "", *, venue_order_id: str = "", retry_after_ms: int = 0
    ) -> Outcome:
        """The answer to a write."""
        if code in self.accepted:
            return Outcome.accepted(venue_order_id, code, text)
        if code in self.rejected:
            return Outcome.rejected(self.rejected[code], code, text)
        if code in self.already_so:
            return Outcome.already_so(code, text)
        if code in self.not_processed:
            return Outcome.not_processed(code, text, retry_after_ms=retry_after_ms)
        return Outcome.unknown(code, text, retry_after_ms=retry_after_ms)

    def read_error(self, code: str, text: str = "", *, retry_after_ms: int = 0) -> ExchangeError:
        """What a read raises that was answered with this code: a refusal if the table has it as one."""
        if code in self.rejected:
            return ExchangeRefusedError(text or code, code=code)
        return ExchangeUnavailableError(text or code, code=code, retry_after_ms=retry_after_ms)

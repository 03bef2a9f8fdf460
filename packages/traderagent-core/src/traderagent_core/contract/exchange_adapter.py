"""Exchange adapters: everything that is asked of a venue in live and paper trading, and all it tells."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import Factory, field, frozen

from traderagent_core.contract.clock import Clock
from traderagent_core.contract.outcome import Outcome, Refusal

if TYPE_CHECKING:
    from pydantic import BaseModel

    from traderagent_core.contract.capabilities import Capabilities
    from traderagent_core.contract.venue_facts import (
        Balance,
        CandleFact,
        FundingRate,
        OrderFact,
        OrderReport,
        PositionReport,
        PriceFact,
    )
    from traderagent_core.model.candle import Candles
    from traderagent_core.model.event import FundingPaid, OrderFilled
    from traderagent_core.model.instrument import Instrument, Market
    from traderagent_core.model.order import Amendment, AttachedStop, OrderRequest


@frozen
class Surroundings:
    """What an adapter is given beside its own configuration.

    `markets` are the symbols that will be traded, with their markets. `environment` is `main`, `demo` or `test`.
    `credentials` are names and secrets, such as key and secret. `simulation` is the section of that name, for
    adapters that simulate fills, and `forced_slippage` the ratio by which their price gets worse where a position is
    closed at any price; `build` makes another adapter by its name and section, for one that stands on it.
    """

    clock: Clock
    markets: "Mapping[str, Market]" = Factory(dict)
    environment: str = "main"
    credentials: Mapping[str, str] = field(factory=dict, repr=False)
    simulation: "BaseModel | None" = None
    forced_slippage: Decimal = Decimal(0)
    build: "Callable[[str, Mapping[str, Any]], ExchangeAdapter] | None" = None


class ExchangeAdapter(ABC):
    """One account at one venue. Extend it, declare `capabilities`, and write the abstract methods.

    Prices and money are Decimal, times are int ms UTC. **Reads** are complete or raise ExchangeError: an empty answer
    means that there is nothing. **Writes** answer with an Outcome and raise nothing but CancelledError; what is not
    understood is UNKNOWN. They are never repeated by the adapter: the driver does that, with the same client order
    id, which exists once however often it is sent. **Streams** run from the call on, tell each break and go on after
    it; `events` and `prices` end with `close`. Symbols are ours, such as BTC/USDT; the adapter translates. With
    `has_hedge_mode` they may name a position, as BTC/USDT:long: all that is asked or told of it is of that one alone.
    `capabilities` are known before anything is connected. `clock` is the time that the driver lives by too.
    """

    capabilities: "Capabilities"

    def __init__(self, config: Any, surroundings: Surroundings) -> None:
        self.config = config
        self.surroundings = surroundings
        self.clock = surroundings.clock

    @abstractmethod
    async def connect(self) -> None:
        """Open what is needed and check keys and account modes; raises ExchangeRefusedError when they do not fit.

        After an ExchangeUnavailableError it may be called again.
        """

    def recall(self, symbol: str, stop: "AttachedStop", venue_order_id: str) -> None:  # noqa: B027
        """A live stop of ours that has travelled with an entry before this start.

        Told before streams are asked, for each price it may have; `venue_order_id` is empty where it was not heard
        of yet. For exchanges that give attached stops no client order id.
        """

    @abstractmethod
    async def close(self) -> None:
        """End all streams and leave nothing running; may be called twice, or without `connect`."""

    # -- reads ----------------------------------------------------------------------------------------------

    @abstractmethod
    async def server_time(self) -> int:
        """The venue's time, ms UTC."""

    @abstractmethod
    async def instruments(self) -> "Sequence[Instrument]":
        """Steps, minimums, fees and leverage of all symbols in `surroundings.markets` at least."""

    @abstractmethod
    async def order(self, symbol: str, client_order_id: str) -> "OrderReport | None":
        """One order, live or ended; None is the venue's word that neither its live nor its past orders have it."""

    @abstractmethod
    async def open_orders(self) -> "Sequence[OrderReport]":
        """All live orders of the account, conditional and attached ones and those of others included."""

    @abstractmethod
    async def executions(self, since_ms: int) -> "Sequence[OrderFilled]":
        """All fills of the account from a time on, oldest first by time and trade id, each once.

        A fill of an order that is not ours, such as a liquidation, has the client order id that the venue tells, or
        none. The fee is in quote currency; a venue that takes it in another one is converted at the fill's price.
        """

    async def positions(self) -> "Sequence[PositionReport]":
        """All open linear positions of the account; holdings on spot are balances."""
        return ()

    @abstractmethod
    async def balances(self) -> "Mapping[str, Balance]":
        """What the account holds, by currency."""

    @abstractmethod
    async def candles(self, symbol: str, timeframe: str, since_ms: int, limit: int) -> "Candles":
        """At most `limit` closed candles from the first that opens at or after `since_ms`, oldest first."""

    async def funding_rates(self, symbol: str, since_ms: int) -> "Sequence[FundingRate]":  # noqa: ARG002
        """Settled funding rates of a linear contract from a time on, oldest first; for `has_funding`."""
        return ()

    async def funding_paid(self, since_ms: int) -> "Sequence[FundingPaid]":  # noqa: ARG002
        """Funding that this account received or paid from a time on, oldest first; for `has_funding`."""
        return ()

    # -- writes ---------------------------------------------------------------------------------------------

    @abstractmethod
    async def submit(self, request: "OrderRequest") -> Outcome:
        """Send an order; ALREADY_SO when the venue has had its client order id before, whatever became of it."""

    async def submit_all(self, requests: "Sequence[OrderRequest]") -> Sequence[Outcome]:
        """Send at most `largest_batch` orders at once; one answer for each, in their order."""
        return [await self.submit(request) for request in requests]

    @abstractmethod
    async def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        """Take an order out of the book; ALREADY_SO when it is not open, which is no evidence of a fill."""

    async def amend(self, symbol: str, amendment: "Amendment") -> Outcome:  # noqa: ARG002
        """Change a live order in place, keeping both its ids; for `can_amend`."""
        return Outcome.rejected(Refusal.NOT_SUPPORTED)

    async def set_leverage(self, symbol: str, leverage: Decimal) -> Outcome:  # noqa: ARG002
        """Set the leverage of a linear instrument; ALREADY_SO when it is unchanged."""
        return Outcome.rejected(Refusal.NOT_SUPPORTED)

    # -- streams --------------------------------------------------------------------------------------------

    @abstractmethod
    def events(self) -> "AsyncIterator[OrderFact]":
        """What happens to the account, in the order in which it happened to each order, beginning with LinkUp.

        A fact may be told again after a break, with the same values. What a reply has refused is not told here.
        """

    @abstractmethod
    def prices(self, symbols: Sequence[str]) -> "AsyncIterator[PriceFact]":
        """Prices of trades as they come, the present one of each symbol first, beginning with LinkUp."""

    @abstractmethod
    def closed_candles(self, symbols: Sequence[str], timeframe: str) -> "AsyncIterator[CandleFact]":
        """Candles as they close, each once: streamed by the venue, or read after each boundary."""

"""What the network leads to: the account at the exchange, its prices, and who listens at present."""

from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from attrs import frozen

from traderagent_core.adapters.venue_adapter import VenueAdapter
from traderagent_core.contract.exchange_adapter import Surroundings
from traderagent_core.contract.outcome import Outcome
from traderagent_core.contract.venue_facts import CandleClosed, OrderReport, PositionReport, Price
from traderagent_core.model import event as ev
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import Amendment, OrderRequest, Side
from traderagent_core.model.position import money_context
from traderagent_core.testing.faults.exchange import PartialExchange, by_hand
from traderagent_core.testing.faults.kinds import Fault
from traderagent_core.testing.faults.market import PriceWalk
from traderagent_core.testing.faults.world import World

PAGES = 12
Answer = TypeVar("Answer")


class Listener(Protocol):
    """The streams of the process that is connected."""

    def fact(self, event: Any) -> None:
        """Something has happened to the account."""
        ...

    def price(self, price: Price) -> None:
        """A trade."""
        ...

    def candle(self, candle: CandleClosed) -> None:
        """A candle has closed."""
        ...


class WorldClock:
    """The exchange's clock is always right."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now_ms(self) -> int:
        """The time."""
        return self._world.now_ms

    def monotonic_ms(self) -> int:
        """The time, too."""
        return self._world.now_ms

    async def sleep_until(self, time_ms: int) -> None:
        """Nothing at the exchange waits."""
        raise NotImplementedError


@frozen
class Page:
    """What lists said at some time."""

    time_ms: int
    orders: tuple[OrderReport, ...]
    positions: tuple[PositionReport, ...]


class Backend(VenueAdapter):
    """The account, told of by `heard`."""

    heard: Callable[[Any], None]

    def publish(self, event: Any) -> None:
        """Tell the outside."""
        self.heard(event)


class Outside:
    """The exchange with its account. `listener` is the process that is connected, if any.

    `refused` are the orders that it has told somebody it does not take. `before_submit` and `before_change` see each
    request that arrives, for those who check.
    """

    def __init__(
        self,
        world: World,
        instruments: Sequence[Instrument],
        balance: Decimal,
        walk: Callable[..., PriceWalk] = PriceWalk,
    ) -> None:
        self.world = world
        self.instruments = {each.symbol: each for each in instruments}
        self.exchange = PartialExchange(world, instruments, balance)
        markets = {each.symbol: each.market for each in instruments}
        self.backend = Backend(None, Surroundings(WorldClock(world), markets), self.exchange)
        self.backend.heard = self._heard
        self.walks = {each.symbol: walk(world, each, self._tick, self._closed) for each in instruments}
        self.listener: Listener | None = None
        self.accepted_ms: dict[str, int] = {}
        self.refused: set[str] = set()
        self.pays_funding = True
        self.pages: deque[Page] = deque(maxlen=PAGES)
        self.before_submit: Callable[[OrderRequest], None] = lambda _: None
        self.before_change: Callable[[str], None] = lambda _: None
        self._by_hand = 0

    def begin(self) -> None:
        """Open the markets."""
        for walk in self.walks.values():
            walk.begin()

    # -- out ------------------------------------------------------------------------------------------------

    def _heard(self, event: Any) -> None:
        if isinstance(event, ev.OrderAccepted):
            self.accepted_ms[event.client_order_id] = self.world.now_ms
        elif isinstance(event, ev.OrderRejected):
            self.refused.add(event.client_order_id)
        self.world.tell(f"venue {_brief(event)}")
        if self.listener is not None:
            self.listener.fact(event)

    def _tick(self, symbol: str, price: Decimal) -> None:
        self.backend.tick(symbol, price)
        if self.listener is not None:
            self.listener.price(Price(self.world.now_ms, symbol, price))

    def _closed(self, candle: CandleClosed) -> None:
        if self.listener is not None:
            self.listener.candle(candle)
        if self.pays_funding and not self.world.is_calm:
            self._pay_funding(candle.symbol)

    def _pay_funding(self, symbol: str) -> None:
        """Funding is due each minute, with one sign or the other."""
        rate = Decimal(self.world.dice("funding").randint(-50, 50)).scaleb(-5)
        with money_context():
            self.exchange.settle_funding(symbol, rate, self.world.now_ms)
        self.backend.tell()

    def turn_page(self) -> None:
        """Remember what lists say now, for reads that are answered from behind."""
        orders = tuple(self.backend.log.open.values())
        self.pages.append(Page(self.world.now_ms, orders, tuple(at_once(self.backend.positions()))))

    # -- in -------------------------------------------------------------------------------------------------

    def submit(self, request: OrderRequest) -> Outcome:
        """An order arrives."""
        self.before_submit(request)
        return at_once(self.backend.submit(request))

    def cancel(self, symbol: str, order_id: str) -> Outcome:
        """A cancellation arrives; somebody may be quicker."""
        self.before_change(order_id)
        if self.world.strikes(Fault.CANCEL_RACE):
            self.exchange.fill_now(self.exchange.markets[symbol], order_id)
            self.backend.tell()
        return at_once(self.backend.cancel(symbol, order_id))

    def amend(self, symbol: str, amendment: Amendment) -> Outcome:
        """An amendment arrives."""
        self.before_change(amendment.client_order_id)
        if self.world.strikes(Fault.CANCEL_RACE):
            self.exchange.fill_now(self.exchange.markets[symbol], amendment.client_order_id)
            self.backend.tell()
        return at_once(self.backend.amend(symbol, amendment))

    @property
    def version(self) -> list[tuple[int, int]]:
        """Another one after whatever has happened to the account, but to its money."""
        return [(market.version, len(market.orders)) for market in self.exchange.markets.values()]

    def position(self, symbol: str) -> Decimal:
        """What the account holds."""
        return self.exchange.markets[symbol].position.quantity

    # -- what others do -------------------------------------------------------------------------------------

    def place_by_hand(self, symbol: str) -> None:
        """Somebody places an order far from the price, or near it."""
        dice, walk, instrument = self.world.dice("by hand"), self.walks[symbol], self.instruments[symbol]
        side = dice.choice((Side.BUY, Side.SELL))
        away = Decimal(repr(round(dice.uniform(0.002, 0.05), 4)))
        ratio = 1 - away if side is Side.BUY else 1 + away
        price = instrument.limit_price(side, Decimal(repr(walk.price)) * ratio)
        self._by_hand += 1
        quantity = instrument.round_quantity(Decimal(dice.randint(1, 5)))
        at_once(self.backend.submit(by_hand(self._by_hand, symbol, side, quantity, price)))

    def trade_by_hand(self, symbol: str) -> None:
        """Somebody makes the position larger or smaller."""
        dice = self.world.dice("by hand")
        quantity = self.instruments[symbol].round_quantity(Decimal(repr(round(dice.uniform(0.1, 3), 3))))
        self.trade(symbol, dice.choice((-1, 1)) * quantity)

    def trade(self, symbol: str, signed: Decimal) -> None:
        """Somebody trades at the market."""
        self.exchange.trade_by_venue(symbol, signed, "hand")
        self.backend.tell()

    def deleverage(self, symbol: str) -> None:
        """The exchange takes a part of the position, or all of it."""
        held, instrument = self.position(symbol), self.instruments[symbol]
        part = Decimal(self.world.dice("adl").choice(("0.3", "1")))
        quantity = instrument.round_quantity(abs(held) * part)
        if quantity:
            self.exchange.trade_by_venue(symbol, -quantity if held > 0 else quantity, "adl")
            self.backend.tell()


def at_once(answer: Coroutine[Any, Any, Answer]) -> Answer:
    """The result of a coroutine that waits for nothing."""
    try:
        answer.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    raise RuntimeError("the exchange waits for something")


def _brief(event: Any) -> str:
    names: Iterable[str] = ("client_order_id", "trade_id", "price", "quantity", "filled", "code", "amount")
    values = [f"{name}={getattr(event, name)}" for name in names if hasattr(event, name)]
    return f"{type(event).__name__} {' '.join(values)}"

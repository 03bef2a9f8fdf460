"""A venue that answers only what a test says: late, twice, out of order, or not at all."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from attrs import frozen

from traderagent_core.account.account import Account
from traderagent_core.account.ledger import Ledger
from traderagent_core.account.state import Order, Record
from traderagent_core.contract.strategy import Needs, Release, Strategy, Wake
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.setup import BotSetup, EngineSetup, Limits
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.candle import Candle, Candles
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.order import Liquidity, OrderRequest
from traderagent_core.model.plan import Plan

BOT = "bot"
START_MS = 1_704_067_200_000
ZERO = Decimal(0)
HUNDRED = Decimal(100)
RICH = Decimal(1_000_000)
NO_LIMITS = Limits()

Callback = Callable[..., Any]

LINEAR = Instrument(
    "AAA/USDT",
    Market.LINEAR,
    tick_size=Decimal("0.5"),
    lot_size=Decimal("0.01"),
    min_notional=Decimal(5),
    max_leverage=Decimal(10),
)
SPOT = Instrument("AAA/USDT", tick_size=Decimal("0.5"), lot_size=Decimal("0.01"), min_notional=Decimal(5))


@frozen
class Does:
    """What a strategy does in which callback: a function of the context and the callback's other arguments."""

    callbacks: Mapping[str, Callback]
    fills: bool = True
    wake: Wake = Wake.NEVER


class Puppet(Strategy):
    """Does in each callback what a test has put there, and remembers all calls in `calls`."""

    config: Does

    def __init__(self, config: Does) -> None:
        super().__init__(config)
        self.calls: list[tuple[Any, ...]] = []

    @classmethod
    def needs(cls, config: Any) -> Needs:
        return Needs(fills=config.fills, wake=config.wake)

    def _call(self, name: str, context: Any, *arguments: Any) -> Any:
        self.calls.append((name, *arguments))
        callback = self.config.callbacks.get(name)
        return None if callback is None else callback(context, *arguments)

    def on_start(self, context: Any) -> None:
        self._call("on_start", context)

    def on_candle(self, context: Any, candle: Any) -> None:
        self._call("on_candle", context, candle)

    def on_fill(self, context: Any, fill: Any, slot: str, *, is_complete: bool) -> None:
        self._call("on_fill", context, fill, slot, is_complete)

    def on_order(self, context: Any, news: Any) -> None:
        self._call("on_order", context, news)

    def on_verdict(self, context: Any, plan: Plan, verdict: Any) -> None:
        self._call("on_verdict", context, plan, verdict)

    def on_timer(self, context: Any, timer: Any) -> None:
        self._call("on_timer", context, timer)

    def on_watch(self, context: Any, watch: Any) -> None:
        self._call("on_watch", context, watch)

    def on_closed(self, context: Any, reason: str) -> None:
        self._call("on_closed", context, reason)

    def on_resume(self, context: Any) -> None:
        self._call("on_resume", context)

    def on_release(self, context: Any, reason: str) -> Release:
        answer = self._call("on_release", context, reason)
        return Release.KEEP if answer is None else answer

    def takes_over(self, context: Any, position: Any) -> bool:
        return self._call("takes_over", context, position) is True

    def on_take_over(self, context: Any) -> None:
        self._call("on_take_over", context)

    def said(self, name: str) -> list[tuple[Any, ...]]:
        """Arguments of the calls of one callback."""
        return [call[1:] for call in self.calls if call[0] == name]

    def set_state(self, state: Any) -> None:
        """Replace the state, as a callback does."""
        self.state = state


class FixedView:
    """A market view of one price that a test moves."""

    def __init__(self, price: Decimal) -> None:
        self.last_price = price

    def price(self, symbol: str) -> Decimal:  # noqa: ARG002
        """The price that the test has set."""
        return self.last_price

    def prices(self, symbols: Iterable[str]) -> list[Decimal]:
        """The same price for each."""
        return [self.price(symbol) for symbol in symbols]

    def last(self, symbol: str, timeframe: str) -> Candle | None:  # noqa: ARG002
        """A candle that stands at the price."""
        price = float(self.last_price)
        return Candle(START_MS, price, price, price, price, 1.0)

    def candles(self, symbol: str, timeframe: str, count: int) -> Candles:
        """There are no columns here."""
        raise NotImplementedError("a scripted view has no columns")

    def value(self, symbol: str, timeframe: str, indicator: Any) -> float:  # noqa: ARG002
        """Nothing has warmed up."""
        return float("nan")

    def regime(self, symbol: str) -> None:
        """No regime is known."""

    def is_stressed(self) -> bool:
        """There is no stress."""
        return False

    def is_due(self, bot: str, time_ms: int) -> bool:  # noqa: ARG002
        """Every candle is due."""
        return True


class ScriptedVenue:
    """One engine with one bot, and in place of a venue the test itself.

    What the engine sends is kept in `sent` (requests by client order id) and `commands`; answers are the methods.
    A slot stands for its live order wherever an order is meant.
    """

    def __init__(
        self,
        callbacks: Mapping[str, Callback] | Plan,
        instrument: Instrument = LINEAR,
        *,
        price: Decimal = HUNDRED,
        placement: Any = "engine",
        limits: Limits = NO_LIMITS,
        budget: Decimal = RICH,
        balance: Decimal = RICH,
        wake: Wake = Wake.NEVER,
        **setup: Any,
    ) -> None:
        if isinstance(callbacks, Plan):
            plan = callbacks
            callbacks = {"on_start": lambda context: context.enter(plan)}
        self.strategy = Puppet(Does(callbacks, wake=wake))
        self.view = FixedView(price)
        bot = BotSetup(
            BOT, "puppet", self.strategy, instrument, "1h", budget, limits=limits, stop_placement=placement
        )
        self.engine = Engine(EngineSetup((bot,), balance, **setup), self.view)
        self.symbol = instrument.symbol
        self.now_ms = START_MS
        self.sent: dict[str, OrderRequest] = {}
        self.commands: list[cmd.Command] = []
        self.records: list[Record] = []
        self._trades = 0

    # -- looking --------------------------------------------------------------------------------------------

    @property
    def account(self) -> Account:
        """What the engine knows."""
        return self.engine.account

    @property
    def ledger(self) -> Ledger:
        """The bot's ledger."""
        return self.account.ledger(BOT, self.symbol)

    @property
    def member(self) -> Any:
        """What the engine keeps of the bot."""
        return self.engine.members[BOT]

    def live(self, slot: str) -> Order | None:
        """The live order of a slot."""
        place = self.account.slots.get((BOT, slot))
        return None if place is None else place.order

    def order_id(self, order: str) -> str:
        """The id of a slot's live order; an id stands for itself."""
        if order in self.sent or order in self.account.orders or order in self.account.closed_orders:
            return order
        live = self.live(order)
        assert live is not None, f"slot {order!r} has no live order; there are {sorted(self.account.orders)}"
        return live.client_order_id

    def requests(self, slot: str) -> list[OrderRequest]:
        """Every order that was sent for a slot, oldest first."""
        place = self.account.slots.get((BOT, slot))
        return (
            [] if place is None else [own for key, own in self.sent.items() if key.startswith(place.prefix)]
        )

    def told(self, kind: str) -> list[Record]:
        """Records of a kind, without kind and time."""
        return [record[2:] for record in self.records if record[0] == kind]

    def ended(self) -> dict[str, str]:
        """Why the last ended want of each slot ended, by slot."""
        granted: dict[int, str] = {}
        why = {}
        for record in self.records:
            if record[0] == "want_granted":
                granted[len(granted) + 1] = record[4]
            elif record[0] == "want_ended":
                why[granted[record[2]].split("-", 2)[2].rstrip("-")] = record[3]
        return why

    def wished(self, kind: type) -> list[Any]:
        """Commands of a kind."""
        return [command for command in self.commands if type(command) is kind]

    def wished_timer(self, name: str) -> int:
        """When the timer of a name was last asked for; ms UTC."""
        return int(next(own.due_ms for own in reversed(self.wished(cmd.SetTimer)) if own.name == name))

    # -- answering ------------------------------------------------------------------------------------------

    def step(self, event: ev.Event) -> list[cmd.Command]:
        """Tell the engine something; returns what it wishes for."""
        commands, records = self.engine.step(event)
        self.records += records
        self.commands += commands
        for command in commands:
            if isinstance(command, cmd.Submit):
                request = command.request
                assert request.client_order_id not in self.sent, "an id was sent twice"
                self.sent[request.client_order_id] = request
        return commands

    def start(self) -> "ScriptedVenue":
        """Start the bot."""
        self.operator("start")
        return self

    def operator(self, action: str, reason: str = "") -> list[cmd.Command]:
        """An operator's word."""
        return self.step(ev.OperatorCommand(self.now_ms, BOT, action, reason))

    def accept(self, order: str) -> list[cmd.Command]:
        """Acknowledge an order."""
        order_id = self.order_id(order)
        return self.step(ev.OrderAccepted(self.now_ms, order_id, f"v-{order_id}"))

    def reject(self, order: str, code: str) -> list[cmd.Command]:
        """Refuse an order."""
        return self.step(ev.OrderRejected(self.now_ms, self.order_id(order), code))

    def fill(
        self,
        order: str,
        quantity: Any = None,
        price: Any = None,
        *,
        trade_id: str | None = None,
        fee: Decimal = ZERO,
    ) -> list[cmd.Command]:
        """Execute some or the rest of an order, at its price or the last one."""
        order_id = self.order_id(order)
        own = self.account.order(order_id)
        assert own is not None
        self._trades += 1
        at = own.price or self.view.last_price if price is None else Decimal(price)
        return self.step(
            ev.OrderFilled(
                self.now_ms,
                order_id,
                f"t{self._trades}" if trade_id is None else trade_id,
                self.symbol,
                own.side,
                at,
                own.quantity - own.filled if quantity is None else Decimal(quantity),
                fee,
                Liquidity.MAKER,
            )
        )

    def cancel(self, order: str, filled: Any = None, code: str = "canceled") -> list[cmd.Command]:
        """Say that an order has left the book, asked for or not; `filled` is the venue's total."""
        order_id = self.order_id(order)
        own = self.account.order(order_id)
        assert own is not None
        total = own.filled if filled is None else Decimal(filled)
        return self.step(ev.OrderCanceled(self.now_ms, order_id, total, code))

    def refuse_cancel(self, order: str, code: str = "order_not_open") -> list[cmd.Command]:
        """Do not cancel."""
        return self.step(ev.CancelRejected(self.now_ms, self.order_id(order), code))

    def amend(self, order: str) -> list[cmd.Command]:
        """Carry out the last amendment of an order."""
        order_id = self.order_id(order)
        change = next(
            own.amendment
            for own in reversed(self.wished(cmd.Amend))
            if own.amendment.client_order_id == order_id
        )
        return self.step(ev.OrderAmended(self.now_ms, order_id, change.price, change.quantity))

    def refuse_amend(self, order: str, code: str) -> list[cmd.Command]:
        """Do not amend."""
        return self.step(ev.AmendRejected(self.now_ms, self.order_id(order), code))

    def watch(self, name: str, price: Any) -> list[cmd.Command]:
        """The price has reached a watch."""
        self.view.last_price = Decimal(price)
        return self.step(ev.WatchCrossed(self.now_ms, BOT, name, float(price)))

    def timer(self, name: str, owner: str = BOT) -> list[cmd.Command]:
        """A timer is due."""
        return self.step(ev.TimerFired(self.now_ms, owner, name))

    def close_candle(self, price: Any = None) -> list[cmd.Command]:
        """A candle has closed, an hour after the last thing that happened."""
        self.now_ms += 3_600_000
        if price is not None:
            self.view.last_price = Decimal(price)
        return self.step(ev.CandlesClosed(self.now_ms))

"""A run of bots in the simulator: gone on with as far as a test wants, and read at any close."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple, Self

from traderagent_core.account.ledger import Ledger
from traderagent_core.account.state import Record
from traderagent_core.contract.strategy import Strategy
from traderagent_core.engine.engine import Engine
from traderagent_core.model import event as ev
from traderagent_core.model.candle import Candles
from traderagent_core.model.command import Command
from traderagent_core.model.position import money_context
from traderagent_core.simulator.cursor import BOUNDARY_PHASE, OPERATOR_PHASE
from traderagent_core.simulator.driver import Driver
from traderagent_core.simulator.outcome_rows import fill_rows
from traderagent_core.simulator.record_reader import RecordReader
from traderagent_core.simulator.view import SimulatedView
from traderagent_core.testing.conditions import Bot, Conditions
from traderagent_core.testing.faulty_exchanges import ObservedExchange
from traderagent_core.testing.restarting import RestartingEngine


class RestingOrder(NamedTuple):
    """An order with a price that waits at the venue."""

    slot: str
    side: str
    price: Decimal
    quantity: Decimal
    client_order_id: str


class Run:
    """A run that can be stopped at any close and gone on with; all that is told of one bot is told of the first.

    `fill_columns` and `order_columns` say what tests see of a fill and of a resting order; subclasses may choose.
    """

    fill_columns: ClassVar[Sequence[str]] = ("slot", "side", "price", "quantity")
    order_columns: ClassVar[Sequence[str]] = ("slot", "side", "price", "quantity")

    def __init__(self, bots: Sequence[Bot], driver: "InterferingDriver", engine: RestartingEngine) -> None:
        self.bots = bots
        self.driver = driver
        self._engine = engine
        self._lines: list[str] = []
        self._reached_ms = 0

    # -- running --------------------------------------------------------------------------------------------

    def run(self, candles: int | None = None) -> Self:
        """Go on to the close of the first so many candles, or to the last close of all."""
        self._reached_ms = self.end_ms if candles is None else self.close_ms(candles - 1)
        with money_context():
            self.driver.run(self._reached_ms)
        return self

    def operator(self, action: str, after: int | None = None) -> None:
        """Say an operator's word: now, or right after the close of a candle, by its number from 0."""
        if after is None:
            self.driver.step(ev.OperatorCommand(self._now_ms(), self.bots[0].name, action, "test"))
        else:
            time_ms = self.close_ms(after) + 1
            self.driver.expect(ev.OperatorCommand(time_ms, self.bots[0].name, action, "test"), OPERATOR_PHASE)

    def deliver(self, commands: Iterable[Command]) -> None:
        """Have the venue carry out commands now, as though the engine had given them, and tell what comes of it."""
        now_ms = self._now_ms()
        for command in commands:
            self.exchange.execute(command, now_ms)
        self.driver.tell()

    def lose_plans(self) -> None:
        """Take all plans of the bot back and their orders off the venue, without a word to the strategy."""
        self.engine.commands = []
        self.engine.planner.withdraw_all(self._member, "lost")
        self.deliver(self.engine.commands)

    def _now_ms(self) -> int:
        """The time that the run has come to, at which the view is set: the driver leaves it at the last event."""
        self.view.now_ms = max(self.view.now_ms, self._reached_ms)
        return self.view.now_ms

    # -- times ----------------------------------------------------------------------------------------------

    @property
    def candles(self) -> Candles:
        """What the bot trades on."""
        return self.bots[0].candles

    def close_ms(self, candle: int) -> int:
        """When a candle closes, by its number from 0; ms UTC."""
        return int(self.candles.open_time[candle]) + self.candles.duration_ms

    @property
    def end_ms(self) -> int:
        """The last close of all candles; ms UTC."""
        return max(int(bot.candles.open_time[-1]) + bot.candles.duration_ms for bot in self.bots)

    # -- what there is --------------------------------------------------------------------------------------

    @property
    def engine(self) -> Engine:
        """The engine, the present one if it was replaced."""
        return self._engine.present

    @property
    def view(self) -> SimulatedView:
        """The market view."""
        return self.driver.view

    @property
    def exchange(self) -> ObservedExchange:
        """The venue, with all orders it was `asked` for."""
        exchange = self.driver.exchange
        assert isinstance(exchange, ObservedExchange)
        return exchange

    @property
    def _member(self) -> Any:
        return self.engine.members[self.bots[0].name]

    @property
    def strategy(self) -> Strategy:
        """The strategy of the bot."""
        strategy: Strategy = self._member.strategy
        return strategy

    @property
    def state(self) -> Any:
        """The state of the strategy."""
        return self.strategy.state

    @property
    def ledger(self) -> Ledger:
        """What the bot holds and has made."""
        ledger: Ledger = self._member.ledger
        return ledger

    @property
    def stop(self) -> Decimal | None:
        """Where the protective stop of the bot stands."""
        price: Decimal | None = self._member.stop.price
        return price

    @property
    def orders(self) -> list[tuple[Any, ...]]:
        """The `order_columns` of all orders that rest at a price, cheapest first."""
        rows = [
            RestingOrder(order.want.slot.name, order.side.value, order.price, order.quantity, order_id)
            for order_id, order in self.engine.account.orders.items()
            if order.price is not None
        ]
        rows.sort(key=lambda row: (row.price, row.slot))
        return [tuple(getattr(row, name) for name in self.order_columns) for row in rows]

    # -- what has happened ----------------------------------------------------------------------------------

    @property
    def records(self) -> list[Record]:
        """All records: (kind, time in ms UTC, …)."""
        return self.driver.records[:]

    @property
    def lines(self) -> list[str]:
        """All records as text."""
        self._lines += [repr(record) for record in self.records[len(self._lines) :]]
        return self._lines

    @property
    def events(self) -> int:
        """How often the engine was stepped."""
        return self.driver.events

    def of(self, *kinds: str) -> list[Record]:
        """The records of some kinds."""
        return [record for record in self.records if record[0] in kinds]

    def times(self, *kinds: str) -> list[int]:
        """When the records of some kinds were made; ms UTC."""
        return [record[1] for record in self.of(*kinds)]

    def granted(self, plan: str) -> list[int]:
        """When plans of a name were granted; ms UTC."""
        return [record[1] for record in self.of("plan_granted") if record[4].name == plan]

    def fills(self) -> list[tuple[Any, ...]]:
        """The `fill_columns`, names of fields of FillRow, of every execution of the bots' own orders."""
        with money_context():
            rows = fill_rows(self.records, RecordReader(Decimal(0)).read(self.records))
        return [
            tuple(getattr(row, name) for name in self.fill_columns) for row in rows if row.client_order_id
        ]

    def notes(self) -> list[str]:
        """The reasons that were noted: by strategies, and by the engine on operators and exits."""
        return [record[3] for record in self.of("noted")]

    @property
    def failures(self) -> list[Record]:
        """Callbacks that raised: (kind, time_ms, bot, callback, error)."""
        return self.of("plugin_failed")


class InterferingDriver(Driver):
    """The simulator's driver, with an operator and with wakes nobody asked for."""

    def interfere(self, conditions: Conditions) -> None:
        """Do what the conditions ask for, at their times."""
        for command in conditions.operator:
            self.expect(command, OPERATOR_PHASE)
        for time_ms in conditions.wakes:
            self.expect(ev.CandlesClosed(time_ms), BOUNDARY_PHASE)

    def expect(self, event: ev.Event, phase: int) -> None:
        """Have an event at its time."""
        self._agenda.add(event.time_ms, phase, lambda _: self._step(event))

    def step(self, event: ev.Event) -> None:
        """Have an event now."""
        with money_context():
            self._step(event)

    def tell(self) -> None:
        """Hand on what the venue has to say."""
        with money_context():
            self._pump()

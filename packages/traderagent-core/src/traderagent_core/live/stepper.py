"""The order of work: append the event, step, append the records and what is about to leave."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from attrs import define, field

from traderagent_core.account.state import Record
from traderagent_core.engine.engine import Engine
from traderagent_core.live.tape import take_learned, to_payload
from traderagent_core.live.timers import Timers
from traderagent_core.live.view import LiveView
from traderagent_core.live.watchdog.calls import Calls
from traderagent_core.live.watches import Watches
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.order import AttachedStop, OrderRequest
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.payloads import intent_payload, records_payload

MOST_REQUESTS = 10_000

LEAVING = (cmd.Submit, cmd.Cancel, cmd.Amend, cmd.SetLeverage)
"""Commands that leave for the venue; the others the driver carries out itself."""


class Log(Protocol):
    """Where entries go: the journal, or for a replay what compares them with it."""

    def append(self, kind: EntryKind, payload: Any) -> int:
        """Write an entry."""
        ...


@define(eq=False)
class Stepper:
    """Steps the engine, and keeps the timers and watches that it asks for. No clock, no exchange.

    `cursor_ms` is when the last completed read of the account began, by the venue's time; None before the first.
    """

    engine: Engine
    view: LiveView
    log: Log
    calls: Calls = field(factory=Calls)
    timers: Timers = field(factory=Timers)
    watches: Watches = field(factory=Watches)
    requests: dict[str, OrderRequest] = field(factory=dict)
    funded: dict[tuple[str, int], None] = field(factory=dict)
    steps: int = 0
    cursor_ms: int | None = None
    saw: Callable[[list[Record]], None] = lambda _: None

    def learn(self) -> None:
        """Write down what the view has learned, without an event."""
        self.calls.after(self.log.append(EntryKind.EVENT, to_payload(take_learned(self.view, None))))

    def take(self, event: ev.Event) -> list[cmd.Command]:
        """Step with an event that is written down first; the commands may leave once the log is durable."""
        self.calls.after(self.log.append(EntryKind.EVENT, to_payload(take_learned(self.view, event))))
        return self.take_written(event)

    def take_written(self, event: ev.Event) -> list[cmd.Command]:
        """Step with an event that is written down already, and write down what that gives."""
        commands, records = self.step(event)
        self.write(commands, records)
        self.saw(records)
        return commands

    def step(self, event: ev.Event) -> tuple[list[cmd.Command], list[Record]]:
        """Step, and write nothing."""
        self.steps += 1
        commands, records = self.engine.step(event)
        for command in commands:
            self._keep(command)
        return commands, records

    def step_again(self, event: ev.Event) -> tuple[list[cmd.Command], list[Record]]:
        """Step with an event of the past: what it was the end of is not waited for any more."""
        if isinstance(event, ev.TimerFired):
            self.timers.fired(event)
        elif isinstance(event, ev.WatchCrossed):
            self.watches.fired(event)
        return self.step(event)

    def write(self, commands: list[cmd.Command], records: list[Record]) -> None:
        """Write down what a step has given."""
        if records:
            self.log.append(EntryKind.RECORDS, records_payload(records))
        leaving = [command for command in commands if isinstance(command, LEAVING)]
        if leaving:
            self.log.append(EntryKind.INTENT, intent_payload(leaving))

    def forget_requests(self) -> None:
        """Keep the requests of live orders only: others are never sent again."""
        live = self.engine.account.orders
        self.requests = {key: request for key, request in self.requests.items() if key in live}

    def attached_stops(self) -> Iterator[tuple[str, AttachedStop, str]]:
        """Live stops that were never sent by themselves: symbol, stop at each price it may have, the venue's id."""
        for order in self.engine.account.orders.values():
            if order.closes_position and order.client_order_id not in self.requests:
                for price in (order.price, order.want.price):
                    if price is not None:
                        yield order.symbol, AttachedStop(order.client_order_id, price), order.venue_order_id

    def _keep(self, command: cmd.Command) -> None:
        match command:
            case cmd.Submit():
                self.requests[command.request.client_order_id] = command.request
                if len(self.requests) > MOST_REQUESTS:
                    self.forget_requests()
            case cmd.SetTimer():
                self.timers.set(command, self.engine.now_ms)
            case cmd.CancelTimer():
                self.timers.forget(command)
            case cmd.Watch():
                self.watches.arm(command, self.engine.now_ms)
            case cmd.Unwatch():
                self.watches.forget(command)

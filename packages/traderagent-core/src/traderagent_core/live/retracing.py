"""Steps an engine along a tape again, and compares what it decides with what was decided then."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, frozen

from traderagent_core.account.state import Record
from traderagent_core.config.loaded import Config
from traderagent_core.live.assembling import Assembly
from traderagent_core.live.comparing import cause_of
from traderagent_core.live.tape import Input, from_entry, show
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.position import money_context
from traderagent_core.persistence.journal.entry import Entry, EntryKind, to_text
from traderagent_core.persistence.payloads import from_payload, records_of, records_payload


@frozen
class Difference:
    """Where a tape and its retracing part: the entry, the event, and the first record that differs."""

    sequence: int
    event: ev.Event | None
    recorded: Record | None
    retraced: Record | None

    def __str__(self) -> str:
        """For people: the cause, where one is known, and what was met there."""
        met = (
            f"entry {self.sequence}, after {_shown(self.event)}: recorded {_shown(self.recorded)}, "
            f"retraced {_shown(self.retraced)}"
        )
        return f"{met}. Cause: {self.cause}" if self.cause else met

    @property
    def cause(self) -> str:
        """What differs between the tape and what was recorded of it; empty when that is not known."""
        return cause_of(self.recorded, self.retraced, ("recorded", "on the tape"))


@define(eq=False)
class _Step:
    """A step whose records and intent have yet to be met on the tape."""

    event: ev.Event
    commands: list[cmd.Command]
    records: list[Record]
    has_records: bool = False
    has_intent: bool = False


@frozen
class Shortcut:
    """What spares the steps up to an entry: `load` gives their state."""

    sequence: int = 0
    load: Callable[[], None] = lambda: None


class Retracer:
    """Give it the entries of a journal in order. Those up to the shortcut only teach the view, and change the setup.

    `configured` gives the configuration that an entry tells.
    """

    def __init__(
        self,
        assembly: Assembly,
        configured: Callable[[Mapping[str, Any]], Config],
        shortcut: Shortcut | None = None,
    ) -> None:
        self.stepper = assembly.stepper
        self.events = 0
        self._assembly = assembly
        self._configured = configured
        self._shortcut = shortcut
        self._step: _Step | None = None

    def take(self, entry: Entry) -> Difference | None:
        """Take the next entry."""
        if self._shortcut is not None and entry.sequence > self._shortcut.sequence:
            self._jump()
        match entry.kind:
            case EntryKind.EVENT:
                return self._event(entry)
            case EntryKind.SETUP if "event" in entry.value:
                return self._changed(entry)
            case EntryKind.RECORDS if self._step is not None:
                return self._records(entry, self._step)
            case EntryKind.INTENT:
                self._intent(entry)
        return None

    def finish(self) -> None:
        """Write what the end of a process has kept from being written: records and intent of the last step."""
        self._jump()
        step = self._step
        if step is not None:
            records = [] if step.has_records else step.records
            self.stepper.write([] if step.has_intent else step.commands, records)
        self.stepper.forget_requests()

    def _jump(self) -> None:
        """Be where the shortcut leads."""
        shortcut, self._shortcut = self._shortcut, None
        if shortcut is not None:
            shortcut.load()

    def _changed(self, entry: Entry) -> Difference | None:
        """Another configuration from here on, and the step that went over to it."""
        difference = self._unwritten(entry.sequence)
        told = entry.value
        self._step = None
        self.stepper.calls.after(entry.sequence)
        with money_context():
            self._assembly.rebuild(self._configured(told))
        self._take_step(from_payload(told["event"]))
        return difference

    def _event(self, entry: Entry) -> Difference | None:
        difference = self._unwritten(entry.sequence)
        told: Input = from_entry(entry.value)
        show(self.stepper.view, told)
        self._step = None
        if isinstance(told.event, ev.FundingPaid):
            self.stepper.funded[told.event.symbol, told.event.time_ms] = None
        self.stepper.calls.after(entry.sequence)
        if told.event is not None:
            self._take_step(told.event)
        return difference

    def _take_step(self, event: ev.Event) -> None:
        if self._shortcut is not None:
            return
        self.events += 1
        with money_context():
            commands, records = self.stepper.step_again(event)
        self._step = _Step(event, commands, records)

    def _unwritten(self, sequence: int) -> Difference | None:
        """Records of the last step that the tape goes on without."""
        step = self._step
        if step is None or step.has_records or not step.records:
            return None
        return Difference(sequence, step.event, None, step.records[0])

    def _records(self, entry: Entry, step: _Step) -> Difference | None:
        step.has_records = True
        if entry.payload == to_text(records_payload(step.records)):
            return None
        recorded, retraced = records_of(entry.value), step.records
        for number in range(max(len(recorded), len(retraced))):
            then = recorded[number] if number < len(recorded) else None
            now = retraced[number] if number < len(retraced) else None
            if _text(then) != _text(now):
                return Difference(entry.sequence, step.event, then, now)
        return None

    def _intent(self, entry: Entry) -> None:
        if self._step is not None:
            self._step.has_intent = True
        for command in from_payload(entry.value):
            if isinstance(command, cmd.Submit):
                self.stepper.requests[command.request.client_order_id] = command.request


def _text(record: Record | None) -> str:
    return "" if record is None else to_text(records_payload([record]))


def _shown(value: object) -> str:
    return "nothing" if value is None else f"{value!r:.300}"

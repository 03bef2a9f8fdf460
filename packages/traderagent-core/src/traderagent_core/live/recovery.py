"""What a start does with the journal: the newest snapshot, then every step since, compared with what was recorded."""

from collections.abc import Callable
from typing import Any

from attrs import frozen

from traderagent_core.config.loaded import Config
from traderagent_core.engine.snapshot import restore, snapshot
from traderagent_core.errors import JournalError, PersistenceError
from traderagent_core.live.assembling import Conditions, assemble, conditions_of
from traderagent_core.live.retracing import Retracer
from traderagent_core.live.stepper import Stepper
from traderagent_core.model.position import money_context
from traderagent_core.persistence.journal.entry import Entry, EntryKind
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.snapshots import Snapshots
from traderagent_core.persistence.state_view import describe_engine

Tell = Callable[..., None]


@frozen
class Recovered:
    """Where an account stands. `events` is how many steps were retraced; `is_first` when there were none to find."""

    stepper: Stepper
    conditions: Conditions
    events: int
    is_first: bool


def first_conditions(journal: Journal) -> Conditions | None:
    """The conditions that the account was started with, None before its first start."""
    setup = next((entry for entry in journal.entries() if entry.kind is EntryKind.SETUP), None)
    return None if setup is None else conditions_of(setup.value)


def recover(
    config: Config, journal: Journal, snapshots: Snapshots, conditions: Conditions, tell: Tell
) -> Recovered:
    """Bring a fresh engine to where the journal ends.

    Raises PersistenceError when the code or the configuration of now decides otherwise than was recorded.
    """
    stepper = assemble(config, conditions, journal)
    newest = snapshots.newest(journal.sequence)
    for skipped in newest.skipped:
        tell("snapshot_skipped", reason=str(skipped))
    shortcut = 0
    if newest.snapshot is not None:
        shortcut = newest.snapshot.sequence
        load_state(stepper, newest.snapshot.state)
    retracer = Retracer(stepper, shortcut)
    setup, begun_ms = None, 0
    for entry in journal.entries():
        if entry.kind is EntryKind.SETUP:
            setup = entry
            if (
                stepper.cursor_ms is None
            ):  # No snapshot tells how far reads have come: from the first start on.
                stepper.cursor_ms = begun_ms
        elif entry.kind is EntryKind.OPENED and not begun_ms:
            begun_ms = entry.value["owner"]["since_ms"]
        difference = retracer.take(entry)
        if difference is not None:
            raise PersistenceError(
                f"{journal.folder}: this configuration and version decide otherwise than was recorded: {difference}. "
                "Start with the configuration and version of then, stop that run (Ctrl-C), and change them after"
            )
    retracer.finish()
    _write_setup(config, journal, conditions, setup)
    return Recovered(stepper, conditions, retracer.events, setup is None)


def _write_setup(config: Config, journal: Journal, conditions: Conditions, former: Entry | None) -> None:
    payload = conditions.to_payload(config)
    if former is None or former.value != payload:
        journal.append(EntryKind.SETUP, payload)


# -- snapshots ----------------------------------------------------------------------------------------------


def save_state(stepper: Stepper, journal: Journal, snapshots: Snapshots) -> None:
    """Save where the engine stands between two steps; it shortens the next recovery and decides nothing."""
    state = {
        "engine": snapshot(stepper.engine),
        "timers": stepper.timers.save(),
        "watches": stepper.watches.save(),
        "cursor_ms": stepper.cursor_ms,
    }
    with money_context():
        snapshots.save(journal, state, describe_engine(stepper.engine))


def try_to_save(stepper: Stepper, journal: Journal, snapshots: Snapshots, tell: Tell) -> None:
    """As `save_state`; what cannot be saved costs time at the next start and nothing else."""
    try:
        save_state(stepper, journal, snapshots)
    except JournalError:
        raise
    except PersistenceError as error:
        tell("snapshot_failed", error=str(error))


def load_state(stepper: Stepper, state: dict[str, Any]) -> None:
    """Take over what `save_state` saved."""
    with money_context():
        restore(stepper.engine, state["engine"])
    stepper.timers.load(state["timers"])
    stepper.watches.load(state["watches"])
    stepper.cursor_ms = state["cursor_ms"]

"""What a start does with the journal: the newest snapshot, then every step since, compared with what was recorded."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from attrs import frozen

from traderagent_core.config.load import load_config
from traderagent_core.config.loaded import Config
from traderagent_core.engine.snapshot import restore, snapshot_json
from traderagent_core.errors import ConfigError, JournalError, PersistenceError
from traderagent_core.live.assembling import Assembly, Conditions, assemble
from traderagent_core.live.retracing import Retracer, Shortcut
from traderagent_core.live.stepper import Stepper
from traderagent_core.live.watchdog.board import Board
from traderagent_core.live.watchdog.calls import Calls
from traderagent_core.model.position import money_context
from traderagent_core.persistence.ended_calls import read_ended
from traderagent_core.persistence.journal.entry import EntryKind, JsonText, to_text
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.snapshots import Snapshot, Snapshots
from traderagent_core.persistence.state_view import describe_engine

Tell = Callable[..., None]


@frozen
class Recovered:
    """Where an account stands. `events` is how many steps were retraced; `is_first` when there were none to find."""

    assembly: Assembly
    events: int
    is_first: bool

    @property
    def stepper(self) -> Stepper:
        """The stepper that goes on."""
        return self.assembly.stepper


def first_setup(journal: Journal) -> Mapping[str, Any] | None:
    """What the account was started with, None before its first start."""
    setup = next((entry for entry in journal.entries() if entry.kind is EntryKind.SETUP), None)
    return None if setup is None else setup.value


def recorded_config(present: Config, payload: Mapping[str, Any]) -> Config:
    """The configuration that an entry of the journal tells, with the plugins of the present one.

    Raises PersistenceError when these plugins cannot be configured so any more.
    """
    if payload["config_sha256"] == present.sha256:
        return present
    try:
        return load_config(payload["configuration"], host=present.host)
    except ConfigError as error:
        raise PersistenceError(
            f"the configuration in the journal is none for the plugins of now: {error}\n"
            "Start with the versions of then, stop that run, and change them after"
        ) from error


def recover(
    config: Config,
    journal: Journal,
    snapshots: Snapshots,
    conditions: Conditions,
    tell: Tell,
    board: Board | None = None,
) -> Recovered:
    """Bring a fresh engine to where the journal ends, by the configurations that it tells; at first by this one.

    Raises PersistenceError when the code of now decides otherwise than was recorded.
    """
    calls = Calls(read_ended(journal.folder), board, config.slow_call_ms)
    setup, configured = first_setup(journal), partial(recorded_config, config)
    assembly = assemble(config if setup is None else configured(setup), conditions, journal, calls)
    stepper = assembly.stepper
    newest = snapshots.newest(journal.sequence)
    for skipped in newest.skipped:
        tell("snapshot_skipped", reason=str(skipped))
    retracer = Retracer(assembly, configured, _shortcut(newest.snapshot, stepper))
    begun_ms = 0
    for entry in journal.entries():
        if entry.kind is EntryKind.SETUP and stepper.cursor_ms is None:
            stepper.cursor_ms = begun_ms  # A snapshot may tell later how far reads have come since.
        elif entry.kind is EntryKind.OPENED and not begun_ms:
            begun_ms = entry.value["owner"]["since_ms"]
        difference = retracer.take(entry)
        if difference is not None:
            raise PersistenceError(
                f"{journal.folder}: this version decides otherwise than was recorded: {difference}. "
                "Start with the version of then, stop that run (Ctrl-C), and change it after"
            )
    retracer.finish()
    if setup is None:
        journal.append(EntryKind.SETUP, conditions.to_payload(config))
    journal.sync()  # Orders of the last step may be sent from now on, without another one.
    return Recovered(assembly, retracer.events, setup is None)


def _shortcut(snapshot: Snapshot | None, stepper: Stepper) -> Shortcut | None:
    if snapshot is None:
        return None
    return Shortcut(snapshot.sequence, partial(load_state, stepper, snapshot.state))


# -- snapshots ----------------------------------------------------------------------------------------------


def save_state(stepper: Stepper, journal: Journal, snapshots: Snapshots) -> None:
    """Save where the engine stands between two steps; it shortens the next recovery and decides nothing."""
    others = {
        "timers": stepper.timers.save(),
        "watches": stepper.watches.save(),
        "cursor_ms": stepper.cursor_ms,
    }
    state = JsonText(f'{{"engine":{snapshot_json(stepper.engine)},{to_text(others)[1:]}')
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

"""Defects in what is kept across a crash: journal, snapshot, recovery."""

import time
from typing import Any

from traderagent_core.engine.engine import Engine
from traderagent_core.live.retracing import Retracer
from traderagent_core.persistence.journal import opening
from traderagent_core.persistence.journal.journal import Journal
from traderagent_core.persistence.journal.segments import TornTail
from traderagent_core.testing.faults.defects.defect import Defect, Patch
from traderagent_core.testing.faults.kinds import Fault


def _nothing(real: Any) -> Any:  # noqa: ARG001
    return lambda *_: None


def _snapshot_alone(real: Any) -> Any:
    def take(retracer: Any, entry: Any) -> Any:
        shortcut = retracer._shortcut
        if shortcut is not None and shortcut.sequence and entry.sequence > shortcut.sequence:
            retracer.ends_at = shortcut.sequence
            retracer._jump()
        return None if hasattr(retracer, "ends_at") else real(retracer, entry)

    return take


def _tail_kept(real: Any) -> Any:  # noqa: ARG001
    def drop(segment: Any, scan: Any, disk: Any) -> Any:  # noqa: ARG001
        return TornTail(segment.path, scan.end, scan.size - scan.end, segment.path)

    return drop


def _last_step_unwritten(real: Any) -> Any:  # noqa: ARG001
    def finish(retracer: Any) -> None:
        retracer._jump()
        retracer.stepper.forget_requests()

    return finish


def _by_chance(real: Any) -> Any:
    def step(engine: Any, event: Any) -> Any:
        effects = real(engine, event)
        engine.records.append(("noted", engine.now_ms, "", "took", str(time.perf_counter_ns())))
        return effects

    return step


DEFECTS = (
    Defect(
        "snapshot_instead_of_journal",
        "A restart goes on from the last snapshot, and leaves out what the journal has after it.",
        ("I1", "I2", "I3", "I4", "I6", "I7", "liveness"),
        (Patch(Retracer, "take", _snapshot_alone),),
        (Fault.CRASH,),
    ),
    Defect(
        "torn_tail_kept",
        "What a crash left unfinished stays in the journal, and new entries follow it.",
        ("the process ended: JournalDamagedError", "I1", "I2", "I3", "I4", "I6"),
        (Patch(opening, "_drop_tail", _tail_kept),),
        (Fault.TORN_WRITE, Fault.CRASH, Fault.CRASH_AT_STEP, Fault.CRASH_IN_RECOVERY),
    ),
    Defect(
        "last_step_unwritten",
        "A step whose records a crash has kept from being written is taken, and still not written.",
        ("I2", "the process ended: PersistenceError"),
        (Patch(Retracer, "finish", _last_step_unwritten),),
        (Fault.CRASH_AT_STEP, Fault.CRASH_IN_RECOVERY),
    ),
    Defect(
        "half_a_line_kept",
        "What a full disk has taken of an entry stays, and the next one follows it.",
        ("the process ended: JournalDamagedError",),
        (Patch(Journal, "_take_back", _nothing),),
        (Fault.DISK_FULL, Fault.CRASH),
    ),
    Defect(
        "decided_by_chance",
        "What is decided follows from something that no journal tells.",
        ("the process ended: PersistenceError",),
        (Patch(Engine, "step", _by_chance),),
        (Fault.CRASH,),
    ),
)

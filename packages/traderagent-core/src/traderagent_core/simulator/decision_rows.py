"""Rows of decisions from the records of a run; made when somebody asks for them."""

from collections import deque
from collections.abc import Iterable, Iterator
from decimal import Context, Decimal
from itertools import islice
from typing import Any

from traderagent_core.account import reasons
from traderagent_core.account.account import describe
from traderagent_core.account.state import Record
from traderagent_core.simulator.outcome import DecisionRow
from traderagent_core.simulator.record_log import RecordLog, only
from traderagent_core.simulator.record_reader import TOLD, PlanEntry, RecordReader, is_internal

MODE_ON, MODE_OFF = "mode on", "mode off"
"""What is said of a risk mode."""
DECIDED = TOLD | {"plan_granted", "plan_closed"}
_SHORT = Context(prec=6)


def decision_rows(
    records: Iterable[Record], reader: RecordReader, granted_before: int = 0
) -> Iterator[DecisionRow]:
    """One row for each plan, want or note with a reason; the reader has read these records.

    `granted_before` is how many plans were granted before the first of them.
    """
    granted = islice(reader.plans, granted_before, None)
    for record in only(records, DECIDED):
        kind = record[0]
        if kind == "plan_granted":
            plan = next(granted)
            if not is_internal(plan.name):
                yield _granted(plan)
        elif kind == "plan_closed":
            plan = reader.plans[record[2] - 1]
            if not is_internal(plan.name):
                yield DecisionRow(record[1], plan.bot, "plan closed", plan.name, record[3], "")
        else:
            yield _decision(reader, *record)


def last_decisions(records: RecordLog, reader: RecordReader, count: int) -> list[DecisionRow]:
    """The last rows, most likely of records that are not packed."""
    latest = records.latest
    granted = sum(record[0] == "plan_granted" for record in latest)
    rows = list(decision_rows(latest, reader, len(reader.plans) - granted))
    if len(rows) < min(count, reader.told):
        rows = list(deque(decision_rows(records, reader), count))
    return rows[-count:]


def mode_effect(size_factor: Decimal, is_entry_allowed: bool) -> str:
    """What an active risk mode does: `factor=0.5`, `entries=none`, or nothing of both."""
    factor = {} if size_factor == 1 else {"factor": size_factor}
    return describe(factor if is_entry_allowed else {**factor, "entries": "none"})


def _granted(plan: PlanEntry) -> DecisionRow:
    evidence = {**plan.evidence, **({} if plan.factor == 1 else {"factor": _SHORT.plus(plan.factor)})}
    return DecisionRow(plan.time_ms, plan.bot, "plan granted", plan.name, plan.reason, describe(evidence))


def _decision(reader: RecordReader, kind: str, time_ms: int, *values: Any) -> DecisionRow:
    if kind == "want_blocked":
        want, reason = reader.wants[values[0] - 1], values[1]
        return DecisionRow(
            time_ms, want.plan.bot, "want blocked", want.leg.slot, reason, f"retry={values[2]}"
        )
    if kind == "mode_changed":
        mode, is_active, reason, *effect = values
        what = MODE_ON if is_active else MODE_OFF
        bot = reasons.bot_of_mode(mode)
        return DecisionRow(time_ms, bot, what, mode, reason, mode_effect(*effect) if is_active else "")
    if kind == "want_shrunk":
        want, shrunk = reader.wants[values[0] - 1], f"factor={values[1]}"
        return DecisionRow(time_ms, want.plan.bot, "want scaled", want.leg.slot, reasons.MODE_SCALES, shrunk)
    if kind == "noted":
        bot, reason, evidence = values
        return DecisionRow(time_ms, bot, "note", "", reason, evidence)
    if kind == "plugin_failed":
        bot, callback, error = values
        return DecisionRow(time_ms, bot, "plugin failed", callback, error, "")
    bot, name, reason, evidence = values
    return DecisionRow(time_ms, bot, "plan rejected", name, reason, evidence)

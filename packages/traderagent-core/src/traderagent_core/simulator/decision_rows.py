"""Rows of decisions from the records of a run; made when somebody asks for them."""

from collections.abc import Iterator
from decimal import Context, Decimal
from typing import Any

from traderagent_core.account import reasons
from traderagent_core.account.account import describe
from traderagent_core.simulator.outcome import DecisionRow
from traderagent_core.simulator.record_reader import RecordReader

_SHORT = Context(prec=6)


def decision_rows(reader: RecordReader) -> Iterator[DecisionRow]:
    """One row for each plan, want or note with a reason."""
    return (_decision(reader, *record) for record in reader.told)


def mode_effect(size_factor: Decimal, is_entry_allowed: bool) -> str:
    """What an active risk mode does: `factor=0.5`, `entries=none`, or nothing of both."""
    factor = {} if size_factor == 1 else {"factor": size_factor}
    return describe(factor if is_entry_allowed else {**factor, "entries": "none"})


def _decision(reader: RecordReader, kind: str, time_ms: int, *values: Any) -> DecisionRow:
    if kind == "plan_granted":
        number, factor, reason = values
        plan = reader.plans[number - 1]
        evidence = {**plan.evidence, **({} if factor == 1 else {"factor": _SHORT.plus(factor)})}
        return DecisionRow(time_ms, plan.bot, "plan granted", plan.name, reason, describe(evidence))
    if kind == "plan_closed":
        closed = reader.plans[values[0] - 1]
        return DecisionRow(time_ms, closed.bot, "plan closed", closed.name, values[1], "")
    if kind == "want_blocked":
        want, reason = reader.wants[values[0] - 1], values[1]
        return DecisionRow(
            time_ms, want.plan.bot, "want blocked", want.leg.slot, reason, f"retry={values[2]}"
        )
    if kind == "mode_changed":
        mode, is_active, reason, *effect = values
        what = "mode on" if is_active else "mode off"
        return DecisionRow(time_ms, "", what, mode, reason, mode_effect(*effect) if is_active else "")
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

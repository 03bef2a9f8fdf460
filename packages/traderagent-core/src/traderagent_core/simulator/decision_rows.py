"""Rows of decisions from the records of a run; made when somebody asks for them."""

from typing import Any

from traderagent_core.account.account import describe
from traderagent_core.simulator.outcome import DecisionRow
from traderagent_core.simulator.record_reader import RecordReader


def decision_rows(reader: RecordReader) -> list[DecisionRow]:
    """One row for each plan, want or note with a reason."""
    return [_decision(reader, *record) for record in reader.told]


def _decision(reader: RecordReader, kind: str, time_ms: int, *values: Any) -> DecisionRow:
    if kind == "plan_granted":
        bot, _, plan, factor, _, _, reason = values
        evidence = {**plan.evidence, **({"factor": factor} if factor != 1 else {})}
        return DecisionRow(time_ms, bot, "plan granted", plan.name, reason, describe(evidence))
    if kind == "plan_closed":
        closed = reader.plans[values[0] - 1]
        return DecisionRow(time_ms, closed.bot, "plan closed", closed.name, values[1], "")
    if kind == "want_blocked":
        want, reason = reader.wants[values[0] - 1], values[1]
        return DecisionRow(time_ms, want.bot, "want blocked", want.leg.slot, reason, f"retry={values[2]}")
    if kind == "mode_changed":
        mode, is_active, reason = values
        return DecisionRow(time_ms, "", "mode on" if is_active else "mode off", mode, reason, "")
    if kind == "noted":
        bot, reason, evidence = values
        return DecisionRow(time_ms, bot, "note", "", reason, evidence)
    if kind == "plugin_failed":
        bot, callback, error = values
        return DecisionRow(time_ms, bot, "plugin failed", callback, error, "")
    bot, name, reason, evidence = values
    return DecisionRow(time_ms, bot, "plan rejected", name, reason, evidence)

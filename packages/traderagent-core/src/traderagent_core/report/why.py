"""Explains a time of a finished run from its files: regime, owner, modes, capital, and what was decided and why."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import prod
from pathlib import Path

from traderagent_core.account import reasons
from traderagent_core.config.coordinator import RegimeConfig
from traderagent_core.errors import DataError
from traderagent_core.model.timeframe import DAY_MS
from traderagent_core.report.run_folder import Row, RunFolder, Span, milliseconds
from traderagent_core.report.text import iso
from traderagent_core.report.why_capital import capital

AROUND = 12
"""Decisions, and orders, shown before and after the time."""
_LENGTH = 200
_WEIGHTY = ("plan rejected", "want blocked", "want scaled")
_HINDRANCES = (reasons.OVER_BUDGET, reasons.NO_ROUTE)


def explain(folder: Path, pair: str | None, at_ms: int | None) -> str:
    """What held on a pair at a time, and what was decided around it; without a time the end of the run.

    Raises DataError for a folder that holds no run, a pair that it has not traded, and a time outside it.
    """
    run = RunFolder.read(folder)
    bot, symbol = run.bot_of(pair)
    at_ms = run.end_ms if at_ms is None else at_ms
    if not run.start_ms <= at_ms <= run.end_ms:
        raise DataError(
            f"the run goes from {iso(run.start_ms)} to {iso(run.end_ms)}; give a time in it with --at"
        )
    lines = [f"{symbol}, bot {bot}, at {iso(at_ms)}", "", *_held(run, bot, at_ms), *capital(run, bot, at_ms)]
    lines += ["", *_decisions(run, bot, at_ms), *_orders(run, bot, at_ms)]
    return "\n".join(lines)


# -- what held ------------------------------------------------------------------------------------------------


def _held(run: RunFolder, bot: str, at_ms: int) -> Iterator[str]:
    if "regimes" in run.timeline:
        yield from _regime(run, run.span_at(at_ms, "regimes", bot))
        yield _told("strategy", run.span_at(at_ms, "owners", bot))
        yield from _transition(run, bot, at_ms)
        yield _told("halt", run.span_at(at_ms, "halts"))
    yield from _modes(run, bot, at_ms)


def _regime(run: RunFolder, span: Span | None) -> Iterator[str]:
    yield _told("regime", span)
    config = RegimeConfig.model_validate(run.configuration.get("coordinator", {}).get("regime", {}))
    if span is None or not span.evidence:
        return
    numbers = _pairs(span.evidence)
    fast, slow = Decimal(numbers["ema_fast"]), Decimal(numbers["ema_slow"])
    order = "above" if fast > slow else "below" if fast < slow else "at"
    yield (
        f"  adx={numbers['adx']}: a range begins below {config.range_adx:f} and is over from "
        f"{config.transition_adx:f}; a trend begins above {config.trend_adx:f} and is over "
        f"below {config.trend_exit_adx:f}"
    )
    yield (
        f"  atr_ratio={numbers['atr_ratio']}: a range is wide from {config.wide_atr_ratio:f}, a transition volatile "
        f"from {config.volatile_atr_ratio:f}; a bound is left {config.atr_hysteresis_ratio:f} of it beyond"
    )
    yield f"  ema_fast={fast:f} is {order} ema_slow={slow:f}; a trend is BULL_TREND where it is above"
    yield (
        f"  numbers of the {config.regime_timeframe} close that confirmed it; a change takes {config.confirmations} "
        "closes in a row"
    )


def _transition(run: RunFolder, bot: str, at_ms: int) -> Iterator[str]:
    for each in run.timeline.get("transitions", ()):
        from_ms, to_ms = milliseconds(each["from"]), milliseconds(each["to"])
        if each["bot"] != bot or not from_ms <= at_ms <= to_ms or (at_ms == to_ms < run.end_ms):
            continue
        yield (
            f"transition: {each['old']} lets go for {each['new'] or 'nobody'} since {each['from']}, until "
            f"{each['due']} at the latest; it ends at {each['to']}: {each['outcome']}, cost {_cost(each)}"
        )
        return
    yield "transition: none"


def _cost(transition: Mapping[str, str]) -> str:
    fees, difference = Decimal(transition["fees"]), Decimal(transition["price_difference"])
    penalty = Decimal(transition["penalty"])
    told = f"{fees + difference:.4f} (fees {fees:.4f}, price difference {difference:.4f}"
    return f"{told}, of it penalty {penalty:.4f})" if penalty else f"{told})"


def _modes(run: RunFolder, bot: str, at_ms: int) -> Iterator[str]:
    """The modes that were on for the account or the bot, and the product of their factors."""
    names = [name for name in run.timeline.get("modes", {}) if reasons.bot_of_mode(name) in ("", bot)]
    found = [run.span_at(at_ms, "modes", name) for name in names]
    active = [span for span in found if span is not None]
    told = [f"{span.name} since {iso(span.from_ms)} ({span.evidence})" for span in active]
    yield f"risk modes: {'; '.join(told) or 'none'}"
    effects = [_pairs(span.evidence) for span in active]
    factors = [Decimal(each["factor"]) for each in effects if "factor" in each]
    if any("entries" in each for each in effects):
        yield "modifiers: nothing may be added"
    elif factors:
        terms = " × ".join(f"{factor:f}" for factor in factors)
        product = f" = {prod(factors):f}" if len(factors) > 1 else ""
        yield f"modifiers: {terms}{product} of every size that adds"
    else:
        yield "modifiers: none"


def _told(title: str, span: Span | None) -> str:
    if span is None:
        return f"{title}: none"
    evidence = f" ({span.evidence})" if span.evidence else ""
    return f"{title}: {span.name} since {iso(span.from_ms)}{evidence}"


def _pairs(evidence: str) -> dict[str, str]:
    """The `key=value` parts of an evidence."""
    parts = (part.partition("=") for part in evidence.split(", "))
    return {key: value for key, equals, value in parts if equals}


# -- what was decided -----------------------------------------------------------------------------------------


def _decisions(run: RunFolder, bot: str, at_ms: int) -> Iterator[str]:
    """What was decided on a bot up to the time and in the day after it, first of all what was refused or scaled."""
    own = [row for row in run.decisions if row["bot"].partition(":")[0] == bot]
    around = _around(own, at_ms, "time")
    weighty = [
        row for row in own if _is_weighty(row) and at_ms - DAY_MS <= milliseconds(row["time"]) <= at_ms
    ]
    if weighty:
        yield "refused or scaled in the day before:"
        yield from (_line(row) for row in weighty[-AROUND:])
    yield "decisions before and after:" if around else "decisions: none"
    yield from (_line(row) for row in around)


def _is_weighty(row: Row) -> bool:
    is_scaled = row["what"] == "plan granted" and "factor" in _pairs(row["evidence"])
    return is_scaled or row["what"] in _WEIGHTY or row["reason"] in _HINDRANCES


def _line(row: Row) -> str:
    parts = (row["time"], row["bot"], row["what"], row["name"], row["reason"], _shortened(row["evidence"]))
    return "  " + "  ".join(part for part in parts if part)


def _shortened(evidence: str) -> str:
    """Evidence that a line has room for; what was made of the size is always told."""
    factor = _pairs(evidence).get("factor")
    told = evidence if len(evidence) <= _LENGTH else evidence[: _LENGTH - 1] + "…"
    return told if factor is None or f"factor={factor}" in told else f"factor={factor}, {told}"


def _orders(run: RunFolder, bot: str, at_ms: int) -> Iterator[str]:
    """Orders that were sent around the time, and what became of them."""
    own = [row for row in run.rows("orders.csv") if row["bot"].partition(":")[0] == bot]
    around = _around(own, at_ms, "submitted")
    if around:
        yield "orders before and after:"
    for row in around:
        price = f"at {row['price']}" if row["price"] else "at the market"
        end = f"{row['status']}{' at ' + row['final'] if row['final'] else ''}"
        parts = (
            row["submitted"],
            row["bot"],
            row["slot"],
            row["purpose"],
            row["side"],
            row["quantity"],
            price,
            end,
        )
        yield "  " + "  ".join(part for part in (*parts, row["reason"]) if part)


def _around(rows: Sequence[Row], at_ms: int, column: str) -> list[Row]:
    """The last rows up to a time, and the first ones of the day after it."""
    times = [milliseconds(row[column]) for row in rows]
    before = [row for row, time_ms in zip(rows, times, strict=True) if time_ms <= at_ms]
    after = [row for row, time_ms in zip(rows, times, strict=True) if at_ms < time_ms <= at_ms + DAY_MS]
    return [*before[-AROUND:], *after[:AROUND]]

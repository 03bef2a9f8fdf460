"""The files of a run beside its result: rows as CSV, in parts, so that no file has to be in memory as a whole."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

import numpy as np

from traderagent_core.contract.exhibit import Kind
from traderagent_core.contract.history import RoundTrip
from traderagent_core.model.candle import FloatColumn
from traderagent_core.model.timeframe import timeframe_name
from traderagent_core.report.curve import drawdown_column, last_of_each_step, step_for
from traderagent_core.report.positions import positions_table
from traderagent_core.report.text import iso, iso_column, iso_texts, plain
from traderagent_core.simulator.outcome import (
    DecisionRow,
    EquityCurve,
    FillRow,
    OrderRow,
    TradeRow,
)

EQUITY_ROWS = 200_000
CHUNK = 10_000
_RATIO_DIGITS = 8
_QUOTED = ('"', ",", "\n", "\r")
"""Signs for which a text may have to be quoted."""

Row = FillRow | OrderRow | TradeRow | DecisionRow


def fills_csv(fills: Iterable[FillRow]) -> Iterator[bytes]:
    """fills.csv: one row per execution."""
    return _table(FillRow, fills)


def orders_csv(orders: Iterable[OrderRow]) -> Iterator[bytes]:
    """orders.csv: one row per order over its life."""
    return _table(OrderRow, orders)


def decisions_csv(decisions: Iterable[DecisionRow]) -> Iterator[bytes]:
    """decisions.csv: every plan, want and note with its reason code."""
    return _table(DecisionRow, decisions)


def trades_csv(trades: Iterable[TradeRow]) -> Iterator[bytes]:
    """trades.csv: one row per closed quantity, with its net profit as last column."""
    return _table(TradeRow, trades, {"net_profit": lambda trade: trade.net_profit})


def positions_csv(trips: Sequence[RoundTrip]) -> Iterator[bytes]:
    """positions.csv: one row per position from flat to flat."""
    table = positions_table(trips)
    yield _lines([[column.name] for column in table.columns])
    rest = iter(table.rows)
    while part := list(islice(rest, CHUNK)):
        cells = zip(table.columns, zip(*part, strict=True), strict=True)
        yield _lines([[_cell(cell, column.kind) for cell in own] for column, own in cells])


def equity_csv(curve: EquityCurve, starting_balance: Decimal, *, limit: int = EQUITY_ROWS) -> bytes:
    """equity.csv: time, equity, drawdown, exposure at every base close, or per coarser step above `limit` rows.

    Drawdown is measured on the full curve; it and the exposure are rounded to 8 digits.
    """
    drawdown = drawdown_column(curve.equity, float(starting_balance))
    step_ms = _equity_step_ms(curve, limit)
    kept: Any = last_of_each_step(curve.time_ms, step_ms) if step_ms else slice(None)
    columns = (curve.equity[kept], _rounded(drawdown[kept]), _rounded(curve.exposure[kept]))
    times = iso_column(curve.time_ms[kept])
    lines = map("%s,%r,%r,%r\n".__mod__, zip(times, *(c.tolist() for c in columns), strict=True))
    return ("time,equity,drawdown,exposure\n" + "".join(lines)).encode()


def equity_rows_told(curve: EquityCurve, *, limit: int = EQUITY_ROWS) -> str:
    """Which closes equity.csv holds, in words, for the assumptions of a report."""
    step_ms = _equity_step_ms(curve, limit)
    if not step_ms:
        return "every base close"
    return f"the last of the base closes in each {timeframe_name(step_ms)}; there are {len(curve.time_ms)}"


def _equity_step_ms(curve: EquityCurve, limit: int) -> int:
    """Length of the steps to thin to; 0 keeps every close."""
    times = curve.time_ms
    if len(times) <= limit:
        return 0
    # Steps are counted from 1970, so that both ends of the curve may be cut into a step of their own.
    return step_for(int(times[-1] - times[0]), limit - 2, 0)


def _cell(cell: Any, kind: Kind) -> str:
    if cell is None:
        return ""
    if kind == "time":
        return iso(cell)
    if kind == "ratio":
        return str(round(float(cell), _RATIO_DIGITS))
    return plain(cell) if isinstance(cell, Decimal) else str(cell)


def _rounded(column: FloatColumn) -> FloatColumn:
    # Adding zero turns -0.0 into 0.0.
    return np.round(column, _RATIO_DIGITS) + 0.0


def _table(
    kind: type[Row], rows: Iterable[Any], further: dict[str, Callable[[Any], Decimal]] | None = None
) -> Iterator[bytes]:
    further, rest = further or {}, iter(rows)
    yield _lines([[name.removesuffix("_ms")] for name in (*kind._fields, *further)])
    while part := list(islice(rest, CHUNK)):
        columns = list(map(_column, kind._fields, zip(*part, strict=True)))
        columns += [[plain(read(row)) for row in part] for read in further.values()]
        yield _lines(columns)


def _lines(columns: Sequence[Sequence[str]]) -> bytes:
    """Columns of texts as lines, quoted where that is needed."""
    if not any(sign in text for text in map("".join, columns) for sign in _QUOTED):
        return ("\n".join(map(",".join, zip(*columns, strict=True))) + "\n").encode()
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows(zip(*columns, strict=True))
    return stream.getvalue().encode()


def _column(name: str, values: Sequence[Any]) -> Sequence[str]:
    if name.endswith("_ms"):
        texts = iso_texts({value for value in values if value is not None})
        return ["" if value is None else texts[value] for value in values]
    if name.startswith("is_"):
        return ["true" if value else "false" for value in values]
    kinds = set(map(type, values))
    if kinds == {str}:
        return values
    if kinds == {Decimal}:
        return list(map(plain, values))
    return [_cell(value, "number") for value in values]

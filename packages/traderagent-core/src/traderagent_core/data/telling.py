"""What an import or a check found, as lines of text."""

from collections.abc import Iterator

from traderagent_core.data.checking import Checked
from traderagent_core.data.importing import ImportResult
from traderagent_core.data.merging import RestatedBar
from traderagent_core.data.quality import QualityReport
from traderagent_core.data.times import iso


def imported_lines(result: ImportResult) -> Iterator[str]:
    """What an import did, file by file: rows, restated bars with examples, findings, assumptions."""
    for file in result.files:
        done = file.result
        yield f"{file.path.name}: {file.key}, {file.report.rows:,} rows, {done.added:,} new"
        if done.restated:
            yield f"  {_counted(done.restated, 'restated bar')}, {done.replaced:,} replaced:"
            yield from (f"    {_restated(bar)}" for bar in done.examples)
        yield from _finding_lines(file.report)
        yield from (f"  note: {note}" for note in file.notes)
    yield from (f"note: {note}" for note in result.notes)
    series = {file.key for file in result.files}
    yield f"imported {_counted(len(result.files), 'file')} into {len(series)} series"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _restated(bar: RestatedBar) -> str:
    old, new = (" ".join(f"{value:.15g}" for value in values) for values in (bar.old, bar.new))
    return f"{iso(bar.time_ms)} old {old} → new {new}"


def checked_lines(checked: Checked) -> Iterator[str]:
    """What a check of one file or series found."""
    rows = f", {checked.report.rows:,} rows" if checked.report else ""
    yield f"{'ok' if checked.is_sound else 'BROKEN'}: {checked.name}{rows}"
    if checked.error:
        yield from (f"  {line}" for line in checked.error.splitlines())
    if checked.report:
        yield from _finding_lines(checked.report)
    if checked.restated:
        yield f"  {_counted(checked.restated, 'restated bar')}, both values kept in the log"
    yield from (f"  note: {note}" for note in checked.notes)


def _finding_lines(report: QualityReport) -> Iterator[str]:
    return (f"  {finding.severity} {finding.kind}: {finding}" for finding in report.findings)

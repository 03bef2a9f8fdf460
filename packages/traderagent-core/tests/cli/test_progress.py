"""The progress bar: only on a terminal, only when a run takes long, and never on stdout."""

import itertools
import sys

import pytest
from traderagent_core.cli import progress
from traderagent_core.cli.progress import progress_bar
from traderagent_core.cli.times import UTC_TIME


@pytest.mark.parametrize(("is_terminal", "is_wanted"), [(False, True), (True, False)])
def test_nobody_looking_means_no_calls(
    monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool, is_wanted: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    with progress_bar(0, 100, is_wanted=is_wanted) as tell:
        assert tell is None


@pytest.mark.parametrize("seconds_a_call", [0.0, 0.01])
def test_the_bar_appears_when_a_run_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seconds_a_call: float
) -> None:
    clock = itertools.count()
    monkeypatch.setattr("time.monotonic", lambda: next(clock) * seconds_a_call * progress.CALLS_BETWEEN_LOOKS)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar(1_000, 5_000, is_wanted=True) as tell:
        assert tell is not None
        for number in range(4_000):
            tell(1_000 + number)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert ("simulating" in printed.err) is (seconds_a_call > 0)


def test_times_keep_their_milliseconds() -> None:
    assert UTC_TIME.convert("2021-05-19T12:00:00.123", None, None) == 1_621_425_600_123
    assert UTC_TIME.convert("2021-05-19T14:00:00.999+02:00", None, None) == 1_621_425_600_999
    assert UTC_TIME.convert(5, None, None) == 5

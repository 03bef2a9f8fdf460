"""Spoilt files of candles; `benchmarks/fuzz.py` examines many more."""

from pathlib import Path

from traderagent_core.testing.fuzz.tables import fuzz_tables


def test_a_spoilt_file_is_read_or_refused_with_its_place(tmp_path: Path) -> None:
    tally = fuzz_tables(tmp_path, range(300))
    assert not tally.wrong, "\n".join(tally.wrong)
    assert tally.ends["accepted"] > 10
    assert tally.ends["refused"] > 100

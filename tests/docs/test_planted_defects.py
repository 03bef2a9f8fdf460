"""docs/explanation/reliability.md has a row for each planted defect, as the command prints it."""

from collections.abc import Callable
from typing import Any

from traderagent_core.testing.faults.defects.known import DEFECTS


def test_every_planted_defect_is_in_the_table(page: Callable[[str], Any]) -> None:
    text = page("docs/explanation/reliability.md").text
    assert [each.name for each in DEFECTS.values() if f"| `{each.name}` | {each.summary} |" not in text] == []

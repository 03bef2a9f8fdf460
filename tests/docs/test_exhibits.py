"""docs/reference/exhibits.md has everything that a plugin reads and gives for the report of a run."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from traderagent_core.contract import exhibit, history

PAGE = "docs/reference/exhibits.md"
VALUES = [
    exhibit.Exhibit,
    exhibit.Table,
    exhibit.Column,
    exhibit.Layer,
    exhibit.Band,
    exhibit.Line,
    exhibit.Mark,
    history.RunHistory,
    history.RoundTrip,
    history.Judged,
    history.Note,
]


@pytest.mark.parametrize("value", VALUES)
def test_every_field_is_described(
    value: type, page: Callable[[str], Any], tables: Mapping[str, Callable[..., Any]]
) -> None:
    page(PAGE).check_table(f"`{value.__name__}`", tables["fields"](value), told=True)


@pytest.mark.parametrize("words", [exhibit.Kind, exhibit.Tone, exhibit.Shape, exhibit.Stroke])
def test_every_word_is_named(words: Any, page: Callable[[str], Any]) -> None:
    text = page(PAGE).text
    assert [word for word in words.__args__ if f"`{word}`" not in text] == []

"""Nearest names for messages: did you mean …?"""

import difflib
from collections.abc import Iterable

MOST_LISTED = 15


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, whatever its case and dashes; None when none is near."""
    by_shape = {_shape(name): name for name in sorted(known)}
    shape = _shape(word)
    found = difflib.get_close_matches(shape, by_shape, n=1, cutoff=0.6)
    found += [each for each in by_shape if shape and each.startswith(shape)]
    return by_shape[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'grid'?`, or nothing when no known word is near."""
    found = nearest(word, known)
    return f"; did you mean {found!r}?" if found is not None else ""


def listed(known: Iterable[str]) -> str:
    """Words in a row, cut when there are many."""
    words = sorted(known)
    shown = ", ".join(words[:MOST_LISTED])
    return f"{shown} and {len(words) - MOST_LISTED} more" if len(words) > MOST_LISTED else shown


def _shape(word: str) -> str:
    return word.lower().replace("-", "_").replace(" ", "_")

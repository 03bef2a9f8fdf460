"""Nearest names for messages: did you mean …?"""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None when nothing is close."""
    names = sorted(known)
    found = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    found += [each for each in names if name and each.startswith(name.lower())]
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'grid'?`, or nothing when no known name is close."""
    found = nearest(name, known)
    return f"; did you mean {found!r}?" if found else ""

"""Finds plugins: entry points of installed distributions, and local files and folders."""

import re
from collections.abc import Iterable
from importlib.metadata import Distribution, EntryPoint, distributions, version
from pathlib import Path

from traderagent_core.host.candidate import CORE_MODULE, CORE_PLUGIN, Candidate, from_entry_point
from traderagent_core.host.known import CORE
from traderagent_core.host.local import local_candidates
from traderagent_core.host.refusal import Refusal

GROUP = "traderagent"


def find(entry_points: Iterable[EntryPoint] | None, local: Iterable[str | Path]) -> list[Candidate]:
    """All candidates: the core's own first, the others by name, then the local ones in the given order.

    `entry_points` replaces what is installed; None reads the environment.
    """
    if entry_points is None:
        installed = _installed()
        if not any(candidate.is_builtin for candidate in installed):
            installed.append(_builtin())
    else:
        installed = [from_entry_point(entry) for entry in entry_points]
    installed.sort(key=lambda candidate: (not candidate.is_builtin, candidate.name, candidate.distribution))
    # One file may be named twice, by itself and through its folder.
    named = {
        candidate.distribution: candidate for path in local for candidate in local_candidates(Path(path))
    }
    return installed + list(named.values())


def core_version() -> str | None:
    """The installed version of the core, or None when it runs without being installed."""
    try:
        return version(CORE)
    except Exception:  # metadata absent or damaged: nothing to compare with
        return None


def _installed() -> list[Candidate]:
    # Not importlib.metadata.entry_points(): one damaged entry_points.txt would take all plugins down with it.
    found: dict[str, list[Candidate]] = {}
    for distribution in distributions():
        candidates = _candidates_of(distribution)
        if candidates:
            # As for imports, the first distribution of a name on the path hides later ones.
            found.setdefault(_canonical(candidates[0].distribution), candidates)
    return [candidate for candidates in found.values() for candidate in candidates]


def _candidates_of(distribution: Distribution) -> list[Candidate]:
    try:
        entries = list(distribution.entry_points.select(group=GROUP))
    except Exception as error:
        return _damaged(distribution, error)
    return [from_entry_point(entry) for entry in entries]


def _damaged(distribution: Distribution, error: Exception) -> list[Candidate]:
    """A candidate that is refused, if the unreadable file speaks of our group at all."""
    try:
        if f"[{GROUP}]" not in (distribution.read_text("entry_points.txt") or ""):
            return []
        name, found = distribution.name, distribution.version
    except Exception:  # nothing of this distribution can be read: not recognisable as a plugin
        return []

    def refuse() -> object:
        raise Refusal(
            f"its entry_points.txt cannot be read: {error}",
            f"reinstall it: pip install --force-reinstall {name}",
        )

    return [Candidate(name.removeprefix("traderagent-"), name, found, "", refuse)]


def _builtin() -> Candidate:
    entry = EntryPoint(CORE_PLUGIN, CORE_MODULE, GROUP)
    return Candidate(CORE_PLUGIN, CORE, core_version() or "", CORE_MODULE, entry.load)


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

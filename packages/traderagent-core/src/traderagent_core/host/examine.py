"""Imports one candidate and checks all it registers; whatever it does, the others go on."""

import contextlib
import sys

import pluggy
from attrs import evolve, frozen

from traderagent_core.host.candidate import Candidate
from traderagent_core.host.compatibility import check_api, check_requirements
from traderagent_core.host.hooks import implementations, register
from traderagent_core.host.offers import collect
from traderagent_core.host.records import PluginInfo, Status
from traderagent_core.host.refusal import Refusal, describe_exception


@frozen(eq=False)
class Found:
    """A candidate after it was tried.

    `plugin` is the imported object, None when it could not be used. `same_as` is the label of the plugin that
    has registered the same object under another name.
    """

    info: PluginInfo
    is_local: bool
    is_builtin: bool
    plugin: object | None = None
    same_as: str = ""

    def turned(self, status: Status, cause: str, remedy: str) -> "Found":
        """The same plugin with another status."""
        return evolve(self, info=evolve(self.info, status=status, cause=cause, remedy=remedy))


def disable(candidate: Candidate) -> Found:
    """A candidate that is not even imported."""
    info = candidate.info(
        Status.DISABLED, "the configuration disables it", "take it out of the disabled list"
    )
    return Found(info, candidate.is_local, candidate.is_builtin)


def examine(candidate: Candidate, manager: pluggy.PluginManager, core_version: str | None) -> Found:
    """Try a candidate. A failure is a result (status BROKEN), not an exception."""
    try:
        # Standard output belongs to the command: a plugin that prints must not spoil `--json`.
        with contextlib.redirect_stdout(sys.stderr):
            check_requirements(candidate.requirements, core_version)
            return _examined(candidate, _load(candidate), manager)
    except Refusal as refusal:
        info = candidate.info(Status.BROKEN, refusal.cause, refusal.remedy)
        return Found(info, candidate.is_local, candidate.is_builtin)


def _examined(candidate: Candidate, plugin: object, manager: pluggy.PluginManager) -> Found:
    check_api(plugin)
    info = candidate.info(Status.ENABLED)
    first = manager.get_name(plugin)
    if first is not None:
        info = evolve(info, cause=f"the same module as {first}")
        return Found(info, candidate.is_local, candidate.is_builtin, plugin, same_as=first)
    register(manager, plugin, info.label)
    try:
        info = evolve(info, offers=collect(candidate, implementations(manager, plugin)))
    except Refusal:
        manager.unregister(plugin)
        raise
    return Found(info, candidate.is_local, candidate.is_builtin, plugin)


def _load(candidate: Candidate) -> object:
    try:
        return candidate.load()
    except Refusal:
        raise
    except (Exception, SystemExit) as error:
        raise Refusal(f"importing it failed: {describe_exception(error)}", candidate.remedy(error)) from error

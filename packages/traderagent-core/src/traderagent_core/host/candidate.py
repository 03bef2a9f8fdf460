"""A plugin that was found but not yet imported."""

import importlib.util
from collections.abc import Callable
from importlib.metadata import EntryPoint

from attrs import frozen

from traderagent_core.host.known import CORE
from traderagent_core.host.records import PluginInfo, Status
from traderagent_core.host.refusal import Refusal

CORE_PLUGIN = "core"
CORE_MODULE = "traderagent_core.plugin"


@frozen
class Candidate:
    """Where a plugin comes from; `load` imports it and returns the module or object with its hooks.

    `requirements` are the distribution's Requires-Dist lines. A local plugin is listed by being given.
    """

    name: str
    distribution: str
    version: str
    module: str
    load: Callable[[], object]
    requirements: tuple[str, ...] = ()
    is_local: bool = False

    @property
    def is_builtin(self) -> bool:
        """Whether it is the core's own plugin, which always loads."""
        return self.distribution == CORE and self.module == CORE_MODULE

    def info(self, status: Status, cause: str = "", remedy: str = "") -> PluginInfo:
        """What is known before anything is imported."""
        return PluginInfo(self.name, self.distribution, self.version, self.module, status, cause, remedy)

    def remedy(self, error: BaseException) -> str:
        """What would mend an exception that came out of the plugin's code."""
        missing = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
        if missing == CORE.replace("-", "_"):
            return f"it was written for another {CORE}: pip install --upgrade {CORE} {self.distribution}"
        if missing and missing == self.module.partition(".")[0]:
            return f"the installation is damaged: pip install --force-reinstall {self.distribution}"
        last_resort = (
            f"tell the author of {self.distribution}, install another version, or disable the plugin"
        )
        if missing and isinstance(error, ModuleNotFoundError):
            return f"install what provides the module {missing!r}, or {last_resort}"
        return last_resort


def from_entry_point(entry: EntryPoint) -> Candidate:
    """The plugin that an entry point names; its metadata may be damaged, so nothing here raises."""
    distribution, version, requirements = _metadata(entry)
    return Candidate(
        name=entry.name,
        distribution=distribution,
        version=version,
        module=entry.value,
        load=lambda: _load(entry, distribution),
        requirements=requirements,
    )


def _metadata(entry: EntryPoint) -> tuple[str, str, tuple[str, ...]]:
    try:
        found = entry.dist
        if found is None:
            return "unknown distribution", "", ()
        return found.name or "unknown distribution", found.version or "", tuple(found.requires or ())
    except Exception:  # metadata of a foreign distribution: unreadable is as good as absent
        return "unknown distribution", "", ()


def _load(entry: EntryPoint, distribution: str) -> object:
    if EntryPoint.pattern.match(entry.value) is None:
        raise Refusal(
            f"its entry point {entry.name!r} has the value {entry.value!r}, expected 'package.module'",
            f"reinstall it: pip install --force-reinstall {distribution}",
        )
    root = entry.module.partition(".")[0]
    if importlib.util.find_spec(root) is None:
        raise Refusal(
            f"its module {entry.module} is not there",
            f"the installation is damaged: pip install --force-reinstall {distribution}",
        )
    return entry.load()

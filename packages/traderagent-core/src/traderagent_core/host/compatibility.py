"""Was a plugin built for this version of the hooks?

Two things are asked. The distribution's own requirement on the core (`traderagent-core>=0.1,<0.2`) must admit
the installed version: pip warns of a conflict but installs it all the same. And the attribute `TRADERAGENT_API`
of the plugin's module, an int that stands for 1 when absent, must equal `HOOK_API_VERSION`; local files have
no other way to say what they were written for.
"""

import re
from collections.abc import Iterable

from traderagent_core.hookspecs import HOOK_API_VERSION
from traderagent_core.host.known import CORE
from traderagent_core.host.refusal import Refusal

API_ATTRIBUTE = "TRADERAGENT_API"
_MENTIONS_CORE = re.compile(CORE.replace("-", "[-_.]+"), re.IGNORECASE)


def check_requirements(requirements: Iterable[str], installed: str | None) -> None:
    """Raise `Refusal` when a requirement on the core excludes the installed version."""
    for line in requirements:
        if installed is not None and _MENTIONS_CORE.search(line):
            _check_requirement(line, installed)


def check_api(plugin: object) -> None:
    """Raise `Refusal` when the plugin names another major version of the hooks."""
    built_for = getattr(plugin, API_ATTRIBUTE, 1)
    if isinstance(built_for, bool) or not isinstance(built_for, int):
        raise Refusal(
            f"{API_ATTRIBUTE} must be an int, not {built_for!r}",
            f"write {API_ATTRIBUTE} = {HOOK_API_VERSION}",
        )
    if built_for != HOOK_API_VERSION:
        newer = built_for > HOOK_API_VERSION
        raise Refusal(
            f"it was built for hook API {built_for}, this core offers hook API {HOOK_API_VERSION}",
            f"pip install --upgrade {CORE}" if newer else "install a newer version of the plugin",
        )


def _check_requirement(line: str, installed: str) -> None:
    # Imported late: 10 ms that nobody pays who has no third-party plugin.
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    try:
        requirement = Requirement(line)
    except InvalidRequirement as error:
        raise Refusal(
            f"its requirement {line!r} cannot be read: {' '.join(str(error).split())}",
            "install another version of the plugin",
        ) from error
    if canonicalize_name(requirement.name) != CORE:
        return
    if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
        return
    if not requirement.specifier.contains(installed, prereleases=True):
        raise Refusal(
            f"it requires {CORE}{requirement.specifier}, installed is {installed}",
            f'pip install "{CORE}{requirement.specifier}", or a version of the plugin made for {installed}',
        )

"""Which of the plugins found take part: the configuration is the allow-list."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from attrs import frozen

from traderagent_core.errors import PluginError
from traderagent_core.host.examine import Found
from traderagent_core.host.hints import did_you_mean
from traderagent_core.host.known import package_of_plugin
from traderagent_core.host.records import Kind, PluginInfo, Status

UNLISTED_CAUSE = "the configuration does not list it"
KEEP_ONE = "uninstall or disable one of them"


@frozen
class _Problem:
    message: str
    plugin: str
    distribution: str


def select_all(found: Sequence[Found]) -> list[Found]:
    """Enable all that work. Plugins that claim one name are broken, except the core's own."""
    claims = _claims(found)
    return [_without_clash(item, claims) for item in found]


def select_listed(found: Sequence[Found], allow: Iterable[str]) -> list[Found]:
    """Enable the core's own, the local and the listed plugins.

    A name is a plugin's (its entry point) or else that of something it offers. Raises PluginError, with all
    problems at once, when a listed plugin is missing, disabled or broken, or when two claim one name.
    """
    listed = list(dict.fromkeys(allow))
    matches = {name: _matching(found, name) for name in listed}
    chosen = _chosen(found, [item for items in matches.values() for item in items])
    usable = [item for item in chosen if item.info.is_enabled]
    problems = [_missing(found, name) for name in listed if not matches[name]]
    problems += [_refused(item.info) for item in chosen if not item.info.is_enabled]
    problems += _clashes(usable)
    if problems:
        raise _error(problems)
    return [item if item in usable or not item.info.is_enabled else _unlisted(item) for item in found]


def _chosen(found: Sequence[Found], matches: Sequence[Found]) -> list[Found]:
    """What takes part, in the order found; a second name for a module brings the plugin that holds it."""
    holders = {item.same_as for item in matches if item.same_as}
    return [
        item
        for item in found
        if item.is_builtin or item.is_local or item in matches or item.info.label in holders
    ]


def _matching(found: Sequence[Found], name: str) -> list[Found]:
    by_name = [item for item in found if item.info.name == name]
    return by_name or [item for item in found if item.info.offering(name)]


def _unlisted(item: Found) -> Found:
    return item.turned(Status.UNLISTED, UNLISTED_CAUSE, f"add {item.info.name!r} to plugins")


def _missing(found: Sequence[Found], name: str) -> _Problem:
    known = sorted({item.info.name for item in found})
    package = package_of_plugin(name)
    remedy = (
        f"pip install {package}" if package else "correct the name, or install the package that brings it"
    )
    broken = [item.info.label for item in found if item.info.status is Status.BROKEN and not item.is_builtin]
    message = (
        f"plugin {name!r}{f' ({package})' if package else ''} is not installed{did_you_mean(name, known) or '.'}"
        f" Installed: {', '.join(known)}"
        + (f". Broken, so nobody knows what they offer: {', '.join(broken)}" if broken else "")
        + f"\n  To mend it: {remedy}"
    )
    return _Problem(message, name, package or "")


def _refused(info: PluginInfo) -> _Problem:
    return _Problem(info.describe(), info.name, info.distribution)


def _clashes(chosen: Sequence[Found]) -> list[_Problem]:
    problems = []
    for what, owners in _claims(chosen).items():
        if len(owners) > 1:
            labels = " and ".join(item.info.label for item in owners)
            message = f"two plugins claim the {_claim_text(what)}: {labels}\n  To mend it: {KEEP_ONE}"
            problems.append(_Problem(message, owners[0].info.name, owners[0].info.distribution))
    return problems


Claim = tuple[Kind | None, str]


def _claims(found: Iterable[Found]) -> dict[Claim, list[Found]]:
    """Who claims each name; the kind None stands for the plugin's own name."""
    claims: dict[Claim, list[Found]] = defaultdict(list)
    for item in found:
        if item.info.is_enabled and not item.same_as:
            claims[None, item.info.name].append(item)
            for offer in item.info.offers:
                claims[offer.kind, offer.name].append(item)
    return claims


def _claim_text(claim: Claim) -> str:
    kind, name = claim
    return f"{kind.label if kind else 'plugin'} name {name!r}"


def _without_clash(item: Found, claims: dict[Claim, list[Found]]) -> Found:
    if item.is_builtin:
        return item
    for claim, owners in claims.items():
        others = [other.info.label for other in owners if other is not item]
        if item in owners and others:
            cause = f"the {_claim_text(claim)} is also claimed by {', '.join(others)}"
            return item.turned(Status.BROKEN, cause, KEEP_ONE)
    return item


def _error(problems: Sequence[_Problem]) -> PluginError:
    message = "\n".join(problem.message for problem in problems)
    return PluginError(message, plugin=problems[0].plugin, distribution=problems[0].distribution)

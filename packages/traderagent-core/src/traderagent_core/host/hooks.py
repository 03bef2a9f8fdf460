"""Checks the hooks of one plugin through pluggy: spelling, arguments, decorator, and that they are synchronous."""

import inspect
from collections.abc import Iterator

import pluggy

from traderagent_core.hookspecs import PROJECT
from traderagent_core.host.hints import did_you_mean, nearest
from traderagent_core.host.records import HOOKS
from traderagent_core.host.refusal import Refusal


def register(manager: pluggy.PluginManager, plugin: object, name: str) -> None:
    """Register a plugin, or raise `Refusal` and leave the manager as it was."""
    try:
        _register(manager, plugin, name)
    except Refusal:
        if manager.has_plugin(name):
            manager.unregister(name=name)
        raise


def implementations(manager: pluggy.PluginManager, plugin: object) -> list[pluggy.HookImpl]:
    """The plugin's implementations of known hooks."""
    return [
        implementation
        for caller in manager.get_hookcallers(plugin) or ()
        for implementation in caller.get_hookimpls()
        if implementation.plugin is plugin and caller.has_spec()
    ]


def _register(manager: pluggy.PluginManager, plugin: object, name: str) -> None:
    _check_decorators(plugin)
    try:
        manager.register(plugin, name)
    except pluggy.PluginValidationError as error:
        raise _wrong_signature(error) from error
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise _unknown_hook(manager, plugin) from error
    found = implementations(manager, plugin)
    if not found:
        raise Refusal("it implements no hook", f"decorate at least one of {', '.join(HOOKS)} with @hookimpl")
    for implementation in found:
        _check_plain(implementation)


def _check_decorators(plugin: object) -> None:
    """A hook without its decorator would be overlooked in silence."""
    for name, member in _own_functions(plugin):
        is_marked = hasattr(member, f"{PROJECT}_impl") or hasattr(member, f"{PROJECT}_spec")
        if not is_marked and name.startswith(f"{PROJECT}_") and nearest(name, HOOKS):
            raise Refusal(
                f"{name} is not decorated with @hookimpl",
                "write `from traderagent_core import hookimpl` and @hookimpl above the function",
            )


def _own_functions(plugin: object) -> Iterator[tuple[str, object]]:
    own = getattr(plugin, "__name__", None)
    for name, member in vars(plugin).items() if hasattr(plugin, "__dict__") else ():
        if inspect.isfunction(member) and member.__module__ == own:
            yield name, member


def _wrong_signature(error: pluggy.PluginValidationError) -> Refusal:
    details = "; ".join(str(error).splitlines()[1:]) or str(error)
    return Refusal(
        f"a hook does not fit its specification: {details}",
        "give the hook the arguments that traderagent_core.hookspecs shows; hooks that register take none",
    )


def _unknown_hook(manager: pluggy.PluginManager, plugin: object) -> Refusal:
    names = sorted(caller.name for caller in manager.get_hookcallers(plugin) or () if not caller.has_spec())
    name = names[0]
    return Refusal(
        f"it implements the unknown hook {name!r}{did_you_mean(name, HOOKS)}",
        f"use one of {', '.join(HOOKS)}",
    )


def _check_plain(implementation: pluggy.HookImpl) -> None:
    function, name = implementation.function, implementation.function.__name__
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise Refusal(f"hook {name!r} is asynchronous", f"write `def {name}()`; hooks are synchronous")
    if implementation.wrapper or implementation.hookwrapper:
        raise Refusal(
            f"hook {name!r} is a wrapper",
            "write a plain @hookimpl; a plugin may not change what others offer",
        )

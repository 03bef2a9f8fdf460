"""Calls the hooks of one plugin and checks every record they give."""

import inspect
from collections.abc import Iterable
from typing import Any

import pluggy

from traderagent_core.contract.entry_filter import EntryFilter
from traderagent_core.contract.event_sink import EventSink
from traderagent_core.contract.risk_mode import RiskMode
from traderagent_core.contract.state import check_state_class
from traderagent_core.contract.strategy import Strategy
from traderagent_core.host.candidate import Candidate
from traderagent_core.host.records import HOOKS, Kind, Offer
from traderagent_core.host.refusal import Refusal, describe_exception
from traderagent_core.specs import CommandSpec, Spec

BASES: dict[Kind, type] = {
    Kind.STRATEGY: Strategy,
    Kind.ENTRY_FILTER: EntryFilter,
    Kind.RISK_MODE: RiskMode,
    Kind.EVENT_SINK: EventSink,
}
MUST_DEFINE: dict[Kind, tuple[str, ...]] = {
    Kind.STRATEGY: ("on_start",),
    Kind.ENTRY_FILTER: ("judge",),
    Kind.RISK_MODE: ("levels", "judge"),
    Kind.EVENT_SINK: ("take",),
}
FIX_RECORD = "install another version; its author has to mend the record that the hook yields"


def collect(candidate: Candidate, implementations: Iterable[pluggy.HookImpl]) -> tuple[Offer, ...]:
    """What a plugin offers; raises `Refusal` for the first record that cannot be used."""
    offers: dict[tuple[Kind, str], Offer] = {}
    for implementation in implementations:
        hook = implementation.opts.get("specname") or implementation.function.__name__
        kind, spec_class = HOOKS[hook]
        for record in _call(candidate, implementation, hook):
            offer = Offer(kind, _checked(record, kind, spec_class, hook))
            if (kind, offer.name) in offers:
                raise Refusal(f"{hook} yields two records of the name {offer.name!r}", FIX_RECORD)
            offers[kind, offer.name] = offer
    return tuple(offers.values())


def _call(candidate: Candidate, implementation: pluggy.HookImpl, hook: str) -> Iterable[object]:
    try:
        result = implementation.function()
        if result is None:
            return ()
        if isinstance(result, Spec) or not isinstance(result, Iterable):
            raise Refusal(
                f"{hook} gave {_text(result)}, expected an iterable of records",
                "yield the record, or return a list of records",
            )
        return tuple(result)
    except Refusal:
        raise
    except (Exception, SystemExit) as error:
        raise Refusal(f"{hook} raised {describe_exception(error)}", candidate.remedy(error)) from error


def _checked(record: object, kind: Kind, spec_class: type[Spec], hook: str) -> Spec:
    if not isinstance(record, spec_class):
        raise Refusal(f"{hook} yielded {_text(record)}, expected a {spec_class.__name__}", FIX_RECORD)
    problem = _model_problem(record) or _factory_problem(record, kind)
    if problem:
        raise Refusal(f"{kind.label} {record.name!r}: {problem}", FIX_RECORD)
    return record


def _model_problem(spec: Any) -> str | None:
    from pydantic import BaseModel

    if isinstance(spec, CommandSpec):
        return None
    if issubclass(spec.config_model, BaseModel):
        return None
    return f"config_model must be a pydantic model, not {_text(spec.config_model)}"


def _factory_problem(spec: Any, kind: Kind) -> str | None:
    factory, base = spec.factory, BASES.get(kind)
    if not callable(factory):
        return f"factory must be callable, not {_text(factory)}"
    if base is None or not isinstance(factory, type):
        return None
    if not issubclass(factory, base):
        return f"factory {factory.__name__} must be a subclass of {base.__name__}"
    return _missing_method(factory, base, kind) or _async_method(factory, base) or _state_problem(factory)


def _missing_method(factory: type, base: type, kind: Kind) -> str | None:
    for name in MUST_DEFINE[kind]:
        if getattr(factory, name) is getattr(base, name):
            return f"{factory.__name__} does not define {name}"
    return None


def _async_method(factory: type, base: type) -> str | None:
    for name in vars(base):
        if inspect.iscoroutinefunction(getattr(factory, name, None)):
            return f"{factory.__name__}.{name} is asynchronous; callbacks are synchronous"
    return None


def _state_problem(factory: type) -> str | None:
    return check_state_class(factory) if issubclass(factory, Strategy | EntryFilter) else None


def _text(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"

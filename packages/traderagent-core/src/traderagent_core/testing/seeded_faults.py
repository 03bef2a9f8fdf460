"""Tests of a conformance kit itself: plugins with one fault each, and the case that must refuse each of them."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from attrs import define, field, frozen

from traderagent_core.testing.conformance.subjects import Examination, cases

Plugin = TypeVar("Plugin", bound=type)
PARTS = ("expected:", "found:", "mend:")


@frozen
class Fault:
    """A faulty plugin, the case that must refuse it, words of its message, and attributes of the kit."""

    plugin: type
    case: str
    because: str
    options: dict[str, Any]

    def __str__(self) -> str:
        return self.plugin.__name__


@define
class SeededFaults:
    """The faulty plugins of one kind.

    `attribute` is that of the kit which names the class to examine, `config` gives the usual configuration of a
    class, `without_subject` names cases that examine no subject and are tested in another way.
    """

    kit: type[Examination]
    attribute: str
    config: Callable[[type], Any]
    without_subject: frozenset[str]
    faults: list[Fault] = field(factory=list)

    def refused_by(self, case: str, because: str, **options: Any) -> Callable[[Plugin], Plugin]:
        """Enter a faulty plugin; `options` are attributes of the kit."""

        def enter(plugin: Plugin) -> Plugin:
            self.faults.append(Fault(plugin, case, because, options))
            return plugin

        return enter

    def of(self, plugin: type) -> Fault:
        """The fault of a plugin."""
        return next(fault for fault in self.faults if fault.plugin is plugin)

    def kit_for(self, plugin: type, **options: Any) -> Any:
        """The kit on a plugin."""
        attributes = {self.attribute: plugin, "configs": [self.config(plugin)], **options}
        return type(f"Kit{plugin.__name__}", (self.kit,), attributes)()

    def require_refusal(self, fault: Fault) -> None:
        """The case of a fault must fail, and say what was expected, what was found and how to mend it."""
        kit = self.kit_for(fault.plugin, **fault.options)
        with pytest.raises(AssertionError, match=fault.because) as failure:
            getattr(kit, fault.case)(kit.subjects()[0])
        assert [part for part in PARTS if part not in str(failure.value)] == []

    def require_no_other_refusal(self, fault: Fault) -> None:
        """All other cases must pass."""
        kit = self.kit_for(fault.plugin, **fault.options)
        subject = kit.subjects()[0]
        for name, case in cases(type(kit)):
            if name != fault.case and name not in self.without_subject:
                case(kit, subject)

    def require_all_cases(self) -> None:
        """Every case with a subject must refuse some plugin."""
        refusing = {fault.case for fault in self.faults}
        assert refusing == {name for name, _ in cases(self.kit)} - self.without_subject

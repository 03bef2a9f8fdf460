"""Cases about state: it holds everything, it can be saved between any two events, it is never changed in place."""

import json
from collections.abc import Callable
from typing import Any

from traderagent_core.contract.strategy import Strategy
from traderagent_core.engine.codec import StateError, encode
from traderagent_core.testing.comparing import refuse, require_same_lines
from traderagent_core.testing.conditions import Conditions
from traderagent_core.testing.conformance.base import Kit
from traderagent_core.testing.conformance.subjects import Subject
from traderagent_core.testing.restarting import now_and_then


class Memory(Kit):
    """What a strategy remembers is in `state`, and only there."""

    def test_a_restart_at_any_event_changes_nothing(self, subject: Subject) -> None:
        """Saved as text between two events and restored into a new object, the strategy goes on as before.

        Mend: what a callback has to know later belongs in `self.state`, not in other attributes of `self`.
        """
        straight = self.busiest(subject)
        try:
            restarted = self.again(straight, Conditions(restart_at=now_and_then(straight.events)))
        except StateError as error:
            refuse(
                expected="a state that can be saved between any two events",
                found=str(error),
                mend="keep plain values, Decimals, enums, tuples, dicts and attrs objects in the state",
            )
        require_same_lines(
            straight.lines,
            restarted.lines,
            what="the same records when the strategy is restarted now and then",
            mend="keep what you have to remember in self.state; other attributes are lost",
        )

    def test_state_is_never_changed_in_place(self, subject: Subject) -> None:
        """A callback replaces the state as a whole, so that the host can take it back when the callback fails.

        Mend: `self.state = attrs.evolve(self.state, …)` with new tuples and dicts; never append to one in it.
        """
        watch = _StateWatch()
        self.again(self.busiest(subject), Conditions(around=watch.around))
        if watch.changed is not None:
            refuse(
                expected="a state that no callback changes in place",
                found=watch.changed,
                mend="build new tuples and dicts and replace the state with attrs.evolve",
            )


class _StateWatch:
    """Compares the state object of before a callback with what it looked like then."""

    def __init__(self) -> None:
        self.changed: str | None = None

    def around(self, strategy: Strategy, name: str, context: Any, call: Callable[[], Any]) -> Any:  # noqa: ARG002
        state = strategy.state
        before = json.dumps(encode(state))
        try:
            return call()
        finally:
            after = json.dumps(encode(state))
            if before != after and self.changed is None:
                self.changed = f"{name} changed the state from {_short(before)} to {_short(after)}"


def _short(text: str) -> str:
    return text if len(text) <= 400 else f"{text[:400]}…"

"""Calls strategies in isolation and does what they ask for, once they have returned."""

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from traderagent_core.account import reasons
from traderagent_core.engine.checks import check_placed, check_plan
from traderagent_core.errors import OrderError, PluginHungError, told
from traderagent_core.model.command import Unwatch, Watch

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member


class Caller:
    """Callbacks wait until the present change is complete; what one asks for may bring on further ones."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self.waiting: deque[tuple[Member, str, tuple[Any, ...], dict[str, Any]]] = deque()
        self._verbs: dict[str, Callable[..., None]] = {
            "enter": engine.planner.enter,
            "place": engine.planner.place,
            "cancel": self._cancel,
            "withdraw": self._withdraw,
            "exit": self._exit,
            "set_timer": self._set_timer,
            "watch_price": self._watch_price,
            "unwatch": self._unwatch,
            "note": self._note,
        }

    def later(self, member: "Member", callback: str, *arguments: Any, **named: Any) -> None:
        """Call a strategy once the present change is complete."""
        self.waiting.append((member, callback, arguments, named))

    def run(self) -> None:
        """Make all calls that wait."""
        while self.waiting:
            self._call(*self.waiting.popleft())

    def _call(
        self, member: "Member", callback: str, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> None:
        """Call a strategy in isolation: its verbs count, and its state moves on, only if it returns."""
        if not member.is_callable:
            return
        strategy, context = member.strategy, member.context
        state = strategy.state
        context.actions = []
        try:
            function = getattr(strategy, callback)
            self._engine.call(member.name, callback, function, context, *arguments, **named)
            actions, context.actions = context.actions, []
            for action in actions:
                if action[0] == "enter":
                    check_plan(action[1])
                elif action[0] == "place":
                    check_placed(action[1])
                elif action[0] not in self._verbs:
                    raise OrderError(f"there is no verb {action[0]!r}; ask by the methods of the context")
        except Exception as error:
            strategy.state = state
            self.failed(member, callback, error)
            return
        verbs = self._verbs
        for name, *values in actions:
            verbs[name](member, *values)

    def failed(self, member: "Member", callback: str, error: Exception) -> None:
        """Record that a plugin raised; one that does so too often, or has hung once, is called no more."""
        self._engine.record("plugin_failed", member.name, callback, told(error))
        member.is_hung |= isinstance(error, PluginHungError)
        if member.has_failed_too_often(self._engine.now_ms) or member.is_hung:
            member.is_quarantined = True
            self._engine.record("noted", member.name, "plugin_quarantined", callback)

    def _cancel(self, member: "Member", slot_name: str) -> None:
        slot = self._engine.account.slots.get((member.name, slot_name))
        if slot is not None and slot.want is not None:
            plan = slot.want.plan
            self._engine.desk.withdraw(slot.want, "canceled_by_strategy")
            self._engine.planner.close_if_done(plan)

    def _withdraw(self, member: "Member", reason: str) -> None:
        self._engine.planner.withdraw_all(member, reason or reasons.WITHDRAWN)

    def _exit(self, member: "Member", reason: str) -> None:
        self._engine.exits.begin(member, reason or "exit")

    def _set_timer(self, member: "Member", name: str, due_ms: int) -> None:
        self._engine.set_timer(member.name, name, due_ms)

    def _watch_price(self, member: "Member", name: str, price: Decimal) -> None:
        is_above = price > self._engine.view.price(member.symbol)
        self._engine.commands.append(Watch(member.name, name, member.symbol, price, is_above))

    def _unwatch(self, member: "Member", name: str) -> None:
        self._engine.commands.append(Unwatch(member.name, name, member.symbol))

    def _note(self, member: "Member", reason: str, evidence: str) -> None:
        self._engine.record("noted", member.name, reason, evidence)

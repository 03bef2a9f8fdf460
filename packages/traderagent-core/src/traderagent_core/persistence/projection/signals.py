"""Rows of signals, and what strategies have made of them: every plan that a strategy asked for."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from attrs import Factory, define

from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import At, Leg, Plan
from traderagent_core.persistence.projection.rows import Changes, moment
from traderagent_core.persistence.projection.step import Step

INTERNAL = "~"
ZERO = Decimal(0)


@define(eq=False)
class Totals:
    """What a strategy of a bot has done."""

    signals: int = 0
    trades: int = 0
    pnl: Decimal = ZERO


@define(eq=False)
class Signals:
    """Numbers signals through the account; `strategy_of` names the strategy that a bot runs."""

    changes: Changes
    strategy_of: Callable[[str], str]
    last_number: int = 0
    totals: dict[tuple[str, str], Totals] = Factory(dict)

    def see(self, step: Step) -> None:
        """Take in what a record did."""
        if step.kind == "plan_granted" and not step.record[4].name.startswith(INTERNAL):
            self._granted(step)
        elif step.kind == "plan_rejected" and not step.record[3].startswith(INTERNAL):
            self._rejected(step)
        elif step.kind == "filled":
            self._count(step.bot, step.time_ms, trades=1, pnl=step.realized - step.record[6])
        elif step.kind == "foreign_filled" and step.record[2]:
            self._count(step.record[2], step.time_ms, trades=1, pnl=step.realized - step.record[8])
        elif step.kind == "funding_booked" and step.record[2]:
            self._count(step.record[2], step.time_ms, pnl=step.record[4])

    def _granted(self, step: Step) -> None:
        _, _, bot, _, plan, factor, _, legs, reason = step.record
        self._put(step, bot, plan.name, "ACCEPTED", reason, factor, _setup(plan, legs))

    def _rejected(self, step: Step) -> None:
        _, _, bot, name, reason, _ = step.record
        self._put(step, bot, name, "REJECTED", reason, None, {})

    def _put(
        self,
        step: Step,
        bot: str,
        name: str,
        verdict: str,
        reason: str,
        factor: Decimal | None,
        setup: dict[str, Any],
    ) -> None:
        self.last_number += 1
        self._count(bot, step.time_ms, signals=1)
        unknown = dict.fromkeys(("direction", "entry_price", "stop_price", "target_price", "confidence"))
        self.changes.put(
            "signals",
            (self.last_number,),
            {
                "number": self.last_number,
                "bot": bot,
                "strategy": self.strategy_of(bot),
                "plan": name,
                "verdict": verdict,
                "reason": reason,
                "size_factor": factor,
                **unknown,
                **setup,
                "signaled_at": moment(step.time_ms),
            },
        )

    def _count(
        self, bot: str, time_ms: int, *, signals: int = 0, trades: int = 0, pnl: Decimal = ZERO
    ) -> None:
        strategy = self.strategy_of(bot)
        totals = self.totals.setdefault((bot, strategy), Totals())
        totals.signals += signals
        totals.trades += trades
        totals.pnl += pnl
        self.changes.put(
            "strategies",
            (bot, strategy),
            {
                "bot": bot,
                "name": strategy,
                "total_signals": totals.signals,
                "executed_trades": totals.trades,
                "total_pnl": totals.pnl,
                "updated_at": moment(time_ms),
            },
        )


def _setup(plan: Plan, legs: tuple[Leg, ...]) -> dict[str, Any]:
    """Direction and prices as far as the plan fixes them; a ladder of entries has no single entry price."""
    entries = [leg for leg in legs if leg.purpose is Purpose.ENTRY] or [
        leg for leg in legs if not leg.is_exit
    ]
    sides = {leg.side for leg in entries}
    direction = "BOTH" if len(sides) > 1 else "LONG" if Side.BUY in sides else "SHORT"
    targets = [leg for leg in legs if leg.purpose is Purpose.TAKE_PROFIT]
    stop = plan.stop and (plan.stop.short if direction == "SHORT" else plan.stop.long)
    return {
        "direction": direction if entries else None,
        "entry_price": _price(entries[0].price) if len(entries) == 1 else None,
        "stop_price": _price(stop) if direction != "BOTH" else None,
        "target_price": _price(targets[0].price) if targets else None,
        "confidence": _number(plan.evidence.get("confidence")),
    }


def _price(rule: Any) -> Decimal | None:
    return rule.price if isinstance(rule, At) else None


def _number(value: Any) -> Decimal | None:
    """A confidence, if the strategy has given one that is a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    number = Decimal(str(value))
    return number if number.is_finite() else None

"""Rows of grid levels: the slots in which orders and counter orders take turns."""

from decimal import Decimal

from attrs import Factory, define

from traderagent_core.account.state import Slot, Want
from traderagent_core.model.order import Purpose
from traderagent_core.persistence.projection.rows import Changes, moment
from traderagent_core.persistence.projection.step import Step


@define(eq=False)
class Level:
    """One level of a grid over all its orders."""

    slot: Slot
    symbol: str
    cycles: int = 0
    profit: Decimal = Decimal(0)


@define(eq=False)
class Grids:
    """Levels by bot and slot. Whatever plan names a grid counter in a slot makes it a level."""

    changes: Changes
    levels: dict[tuple[str, str], Level] = Factory(dict)

    def see(self, step: Step) -> None:
        """Take in what a record did."""
        want = step.want
        if want is None:
            return
        level = self._level(want)
        if level is None:
            return
        level.cycles += step.cycles
        level.profit += step.cycle_profit
        self._put(level, step.time_ms)

    def _level(self, want: Want) -> Level | None:
        key = (want.plan.bot, want.slot.name)
        level = self.levels.get(key)
        if level is None and _is_level(want):
            level = self.levels[key] = Level(want.slot, want.plan.symbol)
        return level

    def _put(self, level: Level, time_ms: int) -> None:
        slot, want, order = level.slot, level.slot.want, level.slot.order
        self.changes.put(
            "grid_levels",
            (slot.bot, slot.name),
            {
                "bot": slot.bot,
                "slot": slot.name,
                "symbol": level.symbol,
                "side": want.side.value if want else None,
                "price": want.price if want else None,
                "quantity": want.quantity if want else None,
                "filled": want.filled if want else None,
                "status": want.status.value if want else None,
                "client_order_id": order.client_order_id if order else None,
                "cycles": level.cycles,
                "profit": level.profit,
                "updated_at": moment(time_ms),
            },
        )


def _is_level(want: Want) -> bool:
    if want.leg.purpose is Purpose.GRID_COUNTER:
        return True
    followers = [want.plan.legs[name] for name in want.leg.then]
    return any(leg.purpose is Purpose.GRID_COUNTER and leg.slot == want.slot.name for leg in followers)

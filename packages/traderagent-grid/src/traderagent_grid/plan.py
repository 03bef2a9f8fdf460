"""Turns a layout into the plan that the engine runs: start orders, counter orders and their re-arming."""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from traderagent_core import (
    At,
    Filled,
    FillTimes,
    Fixed,
    Instrument,
    Leg,
    Market,
    Plan,
    Purpose,
    Side,
    Stop,
)

from traderagent_grid.config import Direction, GridConfig, Spacing
from traderagent_grid.layout import Cell, Layout, closing_orders
from traderagent_grid.levels import EXACT, ONE, geometric_ratio

GRID_PLAN = "grid"
CLOSING_PLAN = "grid:closing"
INVENTORY = "inventory"
BUY = Side.BUY
ENTRY, COUNTER = Purpose.ENTRY, Purpose.GRID_COUNTER
FILLED = Filled()


def grid_plan(config: GridConfig, instrument: Instrument, layout: Layout) -> Plan:
    """The plan of a grid. A cell takes one slot and three legs:

    first order → counter order → first order again (`re…`) → counter order → … for ever. What adds to the position
    has a fixed quantity, what gives it back the quantity that was filled.
    """
    width = name_width(layout)
    legs: list[Leg] = []
    start: list[str] = []
    waits: list[str] = []
    for cell in layout.cells:
        trio = _cell_legs(config, cell, width)
        legs += trio
        is_waiting = cell.takes_inventory and cell.index not in layout.covered
        (waits if is_waiting else start).append(trio[0].name)
    if layout.inventory:
        side, quantity = layout.inventory_side, Fixed(layout.inventory)
        legs.append(Leg(INVENTORY, INVENTORY, side, Purpose.ENTRY, quantity, then=tuple(waits)))
        start.insert(0, INVENTORY)
    stop = grid_stop(config, instrument)
    return Plan(GRID_PLAN, tuple(legs), tuple(start), stop, _evidence(config, instrument, layout))


def closing_plan(config: GridConfig, instrument: Instrument, layout: Layout) -> Plan | None:
    """Only orders that give back what is held, each once; None when nothing held is worth an order."""
    width = name_width(layout)
    legs = tuple(
        Leg(
            leg_name(cell.starts, cell, width),
            slot_name(cell, width),
            cell.starts,
            Purpose.TAKE_PROFIT,
            Fixed(quantity),
            At(cell.price(cell.starts)),
        )
        for cell, quantity in closing_orders(layout, instrument)
    )
    if not legs:
        return None
    return Plan(CLOSING_PLAN, legs, tuple(leg.name for leg in legs), grid_stop(config, instrument))


def grid_stop(config: GridConfig, instrument: Instrument) -> Stop | None:
    """The stop of the position, on the side or sides that the grid may come to hold."""
    price = None if config.stop_loss_price is None else At(config.stop_loss_price)
    upper = None if config.upper_stop_loss_price is None else At(config.upper_stop_loss_price)
    if config.direction is Direction.SHORT:
        return None if price is None else Stop(short=price)
    if config.direction is Direction.NEUTRAL and instrument.market is Market.LINEAR:
        return Stop(long=price, short=upper) if price or upper else None
    return None if price is None else Stop(long=price)


def name_width(layout: Layout) -> int:
    """Digits of a cell's number, so that names sort as prices do."""
    return max(len(str(len(layout.cells) - 1)), 2)


def slot_name(cell: Cell, width: int) -> str:
    """The slot of a cell: grid:07."""
    return _numbered("grid", cell.index, width)


def leg_name(side: Side, cell: Cell, width: int) -> str:
    """The leg of a cell: buy:07."""
    return _numbered(side_name(side), cell.index, width)


def side_name(side: Side) -> str:
    """A side as legs are named by."""
    return "buy" if side is BUY else "sell"


@lru_cache(maxsize=8192)
def _numbered(word: str, index: int, width: int) -> str:
    """One text for all grids: a long run remembers many thousands of legs."""
    return f"{word}:{index:0{width}}"


@lru_cache(maxsize=8192)
def _cell_names(home: str, other: str, index: int, width: int) -> tuple[str, str, str, str]:
    """The slot of a cell and its legs: first, counter, first again."""
    words = ("grid", home, other, f"re{home}")
    slot, first, away, again = [_numbered(word, index, width) for word in words]
    return slot, first, away, again


def _cell_legs(config: GridConfig, cell: Cell, width: int) -> tuple[Leg, Leg, Leg]:
    """First order, counter order and the first order again."""
    home, other = cell.starts, cell.starts.opposite
    slot, first, away, again = _cell_names(side_name(home), side_name(other), cell.index, width)
    then_away = (away,)
    fixed = Fixed(cell.quantity)
    home_price = At(cell.price(home))
    away_price = _away_price(config, cell)
    first_purpose = COUNTER if cell.takes_inventory else ENTRY
    away_quantity = fixed if cell.adds is other else FILLED
    again_quantity = fixed if cell.adds is home else FILLED
    return (
        Leg(first, slot, home, first_purpose, fixed, home_price, then_away),
        Leg(away, slot, other, COUNTER, away_quantity, away_price, (again,)),
        Leg(again, slot, home, COUNTER, again_quantity, home_price, then_away),
    )


def _away_price(config: GridConfig, cell: Cell) -> At | FillTimes:
    profit = config.profit_per_grid
    if profit is None:
        return At(cell.price(cell.starts.opposite))
    return FillTimes(ONE + profit if cell.starts is Side.BUY else ONE - profit)


def _evidence(config: GridConfig, instrument: Instrument, layout: Layout) -> Mapping[str, Any]:
    """What a preview and an explanation show beside the orders; numbers as decimal text."""
    width = name_width(layout)
    profits = zip(layout.cells, layout.profits, strict=True)
    return {
        "price": plain(layout.price),
        "range": f"{plain(layout.range.lower)} to {plain(layout.range.upper)}",
        "range_source": layout.range.source,
        "levels": tuple(plain(level) for level in layout.levels),
        "step": _step(config, layout),
        "level_without_order": plain(layout.levels[layout.waiting]),
        "profit_per_cycle": {slot_name(cell, width): plain(profit) for cell, profit in profits},
        "funds_needed": plain(layout.funds_needed(instrument.taker_fee_ratio)),
        "inventory": plain(layout.inventory),
        "held": plain(layout.held),
    }


def _step(config: GridConfig, layout: Layout) -> str:
    """Distance of two levels in quote, or their ratio, before rounding to the tick."""
    intervals = len(layout.cells)
    lower, upper = layout.range.lower, layout.range.upper
    if config.spacing is Spacing.ARITHMETIC:
        return short(EXACT.divide(EXACT.subtract(upper, lower), Decimal(intervals)))
    return f"× {short(geometric_ratio(lower, upper, intervals))}"


def plain(number: Decimal) -> str:
    """A number to the last digit, without exponent or trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def short(number: Decimal) -> str:
    """A number to twelve significant digits."""
    rounded = number.normalize(_SHORT)
    return plain(rounded)


_SHORT = EXACT.copy()
_SHORT.prec = 12

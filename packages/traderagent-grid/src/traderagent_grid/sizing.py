"""What speaks against a layout: levels on one tick, orders too small, fees above the step, too little money."""

import math
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise

from attrs import frozen
from traderagent_core import Instrument, Side

from traderagent_grid.config import GridConfig, Spacing
from traderagent_grid.finding import Finding, Means
from traderagent_grid.layout import Cell, Layout
from traderagent_grid.levels import EXACT, ONE, break_even_ratio, gross_cycle_profit, least_quantity
from traderagent_grid.plan import plain, short

CENT = Decimal("0.01")


@frozen
class Case:
    """A layout with what it was made of."""

    config: GridConfig
    instrument: Instrument
    layout: Layout


@frozen
class Appraisal:
    """What speaks against a grid, before and after money is looked at: only that is looked at every time.

    There is no case, and nothing that it needs, where no grid can be laid.
    """

    before: tuple[Finding, ...]
    case: Case | None = None
    needed: Decimal | None = None
    after: tuple[Finding, ...] = ()

    @property
    def layout(self) -> Layout | None:
        """The layout, unless the range is impossible."""
        return None if self.case is None else self.case.layout

    def findings(self, means: Means) -> list[Finding]:
        """What speaks against the grid for one who may use so much."""
        funds = None
        if self.case is not None and self.needed is not None and self.needed > means.left:
            funds = _lack_of_funds(self.case, self.needed, means)
        return [*self.before, *_those(funds), *self.after]


def appraise(
    config: GridConfig, instrument: Instrument, layout: Layout, found: Iterable[Finding] = ()
) -> Appraisal:
    """Look at a layout: levels, sizes, fees, position, and the money it needs; `found` was found before."""
    case = Case(config, instrument, layout)
    collapse = _collapse(case)
    if collapse is not None:
        return Appraisal((*found, collapse), case)
    before = (*found, *_those(_size(case), _fees(case)))
    return Appraisal(before, case, _needed(layout, instrument), _those(_position(case), _outside(case)))


def _those(*found: Finding | None) -> tuple[Finding, ...]:
    return tuple([finding for finding in found if finding is not None])


def _collapse(case: Case) -> Finding | None:
    levels, instrument = case.layout.levels, case.instrument
    for index, (low, high) in enumerate(pairwise(levels)):
        if low >= high:
            ticks = max(int((levels[-1] - levels[0]) / instrument.tick_size), 0)
            return Finding(
                "levels_collapse",
                f"levels {index + 1} and {index + 2} of {len(levels)} are both {plain(high)}: "
                f"their step is less than the tick {plain(instrument.tick_size)} of {instrument.symbol}",
                f"the range has {ticks} ticks: use fewer levels or a wider range",
            )
    return None


def _size(case: Case) -> Finding | None:
    config, instrument, layout = case.config, case.instrument, case.layout
    for cell in layout.cells:
        problem = instrument.size_problem(cell.quantity, cell.buy_price)
        if problem is not None:
            needed = max(_least_amount(each, instrument) for each in layout.cells)
            return Finding(
                "below_minimum",
                f"amount_per_grid {plain(config.amount_per_grid)} is too little at "
                f"{plain(cell.buy_price)}: {problem}",
                f"set amount_per_grid to {plain(needed)} or more",
            )
    return None


def _least_amount(cell: Cell, instrument: Instrument) -> Decimal:
    """The smallest amount_per_grid, in whole cents of quote, that gives this cell orders the venue takes."""
    least = EXACT.multiply(
        least_quantity(cell.buy_price, instrument), max(cell.price(cell.adds), cell.buy_price)
    )
    return (EXACT.divide(least, CENT).to_integral_value("ROUND_CEILING") * CENT).normalize()


def _fees(case: Case) -> Finding | None:
    layout, instrument = case.layout, case.instrument
    profit = min(layout.profits)
    if profit > 0:
        return None
    fee, worst = instrument.maker_fee_ratio, layout.cells[layout.profits.index(profit)]
    gross = gross_cycle_profit(worst.quantity, worst.buy_price, worst.sell_price)
    return Finding(
        "fees_exceed_step",
        f"a cycle from {plain(worst.buy_price)} to {plain(worst.sell_price)} brings {short(gross)} before and "
        f"{short(profit)} {instrument.quote} after fees of {plain(fee)} a side",
        _fee_remedy(case.config, layout, break_even_ratio(fee)),
    )


def _fee_remedy(config: GridConfig, layout: Layout, needed: Decimal) -> str:
    least = f"a step must be more than {short((needed - ONE) * 100)} % of the price"
    if config.profit_per_grid is not None:
        return f"{least}: raise profit_per_grid above {short(needed - ONE)}"
    # In the whole range no more steps of the break-even ratio fit than this; arithmetic steps are worst on top.
    lower, upper = layout.range.lower, layout.range.upper
    if config.spacing is Spacing.GEOMETRIC:
        intervals = math.log(upper / lower) / math.log(needed) if needed > ONE else 0.0
    else:
        intervals = float((upper - lower) / (upper - upper / needed)) if needed > ONE else 0.0
    levels = math.ceil(intervals)
    if levels < 2:
        return f"{least}: use a wider range"
    return f"{least}: use at most {levels} grid_levels, or a wider range"


def _lack_of_funds(case: Case, needed: Decimal, means: Means) -> Finding:
    layout, instrument = case.layout, case.instrument
    held = f", {plain(abs(layout.held))} {instrument.base} being held already" if layout.held else ""
    lost = f" ({short(means.power)} less {short(means.lost)} lost)" if means.lost else ""
    return Finding(
        "over_budget",
        f"the grid needs {short(needed)} {instrument.quote} with fees{held}, "
        f"and {short(means.left)} may be used{lost}",
        _funds_remedy(case.config, needed, means.left),
    )


def _needed(layout: Layout, instrument: Instrument) -> Decimal:
    """What is held already and what the orders of its side add to it, with taker fees, in quote."""
    held = EXACT.multiply(layout.held, layout.price)
    fee = ONE + instrument.taker_fee_ratio
    return max(
        held + EXACT.multiply(layout.adding(Side.BUY), fee),
        EXACT.multiply(layout.adding(Side.SELL), fee) - held,
    )


def _funds_remedy(config: GridConfig, needed: Decimal, left: Decimal) -> str:
    amount = (config.amount_per_grid * max(left, Decimal(0)) / needed).quantize(CENT, "ROUND_FLOOR")
    smaller = f"set amount_per_grid to about {plain(amount)}, " if amount > 0 else ""
    return f"{smaller}use fewer levels, or give the bot more capital"


def _position(case: Case) -> Finding | None:
    limit = case.config.max_position
    if limit is None:
        return None
    largest = case.layout.largest_position()
    if largest <= limit:
        return None
    return Finding(
        "max_position",
        f"the position could reach {short(largest)} {case.instrument.quote}, and max_position is {plain(limit)}",
        "lower amount_per_grid or grid_levels, or raise max_position",
    )


def _outside(case: Case) -> Finding | None:
    layout, instrument = case.layout, case.instrument
    price, lower, upper = layout.price, layout.levels[0], layout.levels[-1]
    if lower <= price <= upper:
        return None
    bound, side, way = (upper, "above", "falls") if price > upper else (lower, "below", "rises")
    waits = f"nothing trades until it {way} to {plain(bound)}"
    if layout.inventory:
        verb = "bought" if layout.inventory_side is Side.BUY else "sold short"
        quantity = f"{plain(layout.inventory)} {instrument.base}"
        waits = (
            f"{quantity} would be {verb} at once, and nothing else trades until it {way} to {plain(bound)}"
        )
    return Finding(
        "price_outside",
        f"the price {plain(price)} is {side} the range {plain(lower)} to {plain(upper)}: {waits}",
        "move the bounds, use bounds: atr, or switch trailing on",
        is_fatal=False,
    )

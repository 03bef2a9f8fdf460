"""A grid laid over a range at a price: its cells, the inventory it starts with and the money it needs."""

from collections.abc import Iterable
from decimal import Decimal

from attrs import frozen
from traderagent_core import Instrument, Market, Side

from traderagent_grid.config import Direction, GridConfig
from traderagent_grid.levels import (
    EXACT,
    ONE,
    counter_price,
    cycle_profit,
    least_quantity,
    price_levels,
    quantity_for,
    waiting_line,
)
from traderagent_grid.ranges import Range

BUY, SELL = Side.BUY, Side.SELL
ZERO = Decimal(0)
PRICE_MARGIN = Decimal("0.9")
"""How far the price may fall until a market order arrives, as a ratio."""


@frozen
class Cell:
    """The gap between two neighbouring levels: buys at one price, sells the same quantity at a higher one.

    `starts` is the side of its first order and `adds` the side that makes the position larger. Where they differ,
    the cell starts with something to give back: inventory.
    """

    index: int
    buy_price: Decimal
    sell_price: Decimal
    quantity: Decimal
    starts: Side
    adds: Side

    @property
    def takes_inventory(self) -> bool:
        """Whether its first order gives back what has to be held before."""
        return self.starts is not self.adds

    def price(self, side: Side) -> Decimal:
        """The price of its orders of a side."""
        return self.buy_price if side is BUY else self.sell_price

    def notional(self, side: Side) -> Decimal:
        """Quantity × price of its orders of a side, in quote."""
        return EXACT.multiply(self.quantity, self.price(side))

    def profit(self, fee_ratio: Decimal) -> Decimal:
        """What one cycle brings after maker fees, in quote."""
        return cycle_profit(self.quantity, self.buy_price, self.sell_price, fee_ratio)


@frozen
class Layout:
    """All cells of a grid, and what is traded at the market before: `inventory` base units of `inventory_side`.

    `waiting` is the index of the level without an order. `held` is the signed quantity held before the start;
    `covered` are the cells whose first order gives back what is already held. `profits` are what a cycle of each cell
    brings after maker fees, in quote.
    """

    range: Range
    price: Decimal
    levels: tuple[Decimal, ...]
    waiting: int
    cells: tuple[Cell, ...]
    held: Decimal
    inventory: Decimal
    inventory_side: Side
    covered: frozenset[int]
    profits: tuple[Decimal, ...]

    @property
    def closing_side(self) -> Side:
        """The side of orders that give back what is held."""
        return SELL if self.held > ZERO else BUY

    @property
    def closing_cells(self) -> list[Cell]:
        """Cells whose first orders give back what is held, the one nearest the price first."""
        return nearest_first(cell for cell in self.cells if cell.starts is self.closing_side)

    @property
    def surplus(self) -> Decimal:
        """What is held beyond all that the first orders of the cells give back, in base units."""
        return max(abs(self.held) - sum((cell.quantity for cell in self.closing_cells), ZERO), ZERO)

    def adding(self, side: Side) -> Decimal:
        """Notional that the first orders of a side add to the position if all of them fill, in quote."""
        total = sum((cell.notional(side) for cell in self.cells if cell.starts is cell.adds is side), ZERO)
        if side is self.inventory_side:
            total += EXACT.multiply(self.inventory, self.price)
        return total

    def largest_position(self) -> Decimal:
        """Value of the position if everything of one side fills, valued as the core's judge does, in quote."""
        held = EXACT.multiply(self.held, self.price)
        return max(held + self.adding(BUY), self.adding(SELL) - held)

    def funds_needed(self, fee_ratio: Decimal) -> Decimal:
        """Quote currency that the larger side takes, with taker fees; a linear grid needs it over its leverage."""
        return EXACT.multiply(max(self.adding(BUY), self.adding(SELL)), ONE + fee_ratio)


def lay_out(
    config: GridConfig, instrument: Instrument, grid_range: Range, price: Decimal, held: Decimal = ZERO
) -> Layout:
    """Lay a grid over a range at a price, with `held` signed base units to begin with."""
    levels = price_levels(grid_range.lower, grid_range.upper, config.grid_levels, config.spacing, instrument)
    waiting = waiting_line(levels, price)
    cells = tuple(
        _cell(config, instrument, levels, index, BUY if index < waiting else SELL)
        for index in range(len(levels) - 1)
    )
    adds = SELL if config.direction is Direction.SHORT else BUY
    covered, shortage = _cover(cells, held if adds is BUY else -held)
    inventory = _inventory(shortage, price, instrument) if shortage else ZERO
    profits = tuple([cell.profit(instrument.maker_fee_ratio) for cell in cells])
    return Layout(grid_range, price, levels, waiting, cells, held, inventory, adds, covered, profits)


def adding_side(config: GridConfig, instrument: Instrument, starts: Side) -> Side:
    """The side on which a cell that starts with an order of side `starts` makes the position larger."""
    if config.direction is Direction.SHORT:
        return SELL
    is_two_sided = config.direction is Direction.NEUTRAL and instrument.market is Market.LINEAR
    return starts if is_two_sided else BUY


def _cell(
    config: GridConfig, instrument: Instrument, levels: tuple[Decimal, ...], index: int, starts: Side
) -> Cell:
    buy, sell = levels[index], levels[index + 1]
    adds = adding_side(config, instrument, starts)
    quantity = quantity_for(config.amount_per_grid, buy if adds is BUY else sell, instrument)
    profit = config.profit_per_grid
    if profit is not None and starts is BUY:
        sell = counter_price(buy, BUY, profit, instrument)
    elif profit is not None:
        buy = counter_price(sell, SELL, profit, instrument)
    return Cell(index, buy, sell, quantity, starts, adds)


def _cover(cells: tuple[Cell, ...], usable: Decimal) -> tuple[frozenset[int], Decimal]:
    """Cells that what is held is enough for, those nearest the price first, and what the others lack."""
    covered = set()
    left, shortage = max(usable, ZERO), ZERO
    for cell in nearest_first(cell for cell in cells if cell.takes_inventory):
        if not shortage and cell.quantity <= left:
            covered.add(cell.index)
            left -= cell.quantity
        else:
            shortage += cell.quantity
    return frozenset(covered), max(shortage - left, ZERO)


def _inventory(shortage: Decimal, price: Decimal, instrument: Instrument) -> Decimal:
    """What is missing, or the smallest order there is; that has to hold at a price that has moved a little, too."""
    least = least_quantity(EXACT.multiply(price, PRICE_MARGIN), instrument)
    return max(_whole_lots(shortage, instrument), least)


def _whole_lots(quantity: Decimal, instrument: Instrument) -> Decimal:
    rounded = instrument.round_quantity(quantity)
    return rounded if rounded == quantity else rounded + instrument.lot_size


def nearest_first(cells: Iterable[Cell]) -> list[Cell]:
    """Cells of one side, the one nearest the price first."""
    return sorted(cells, key=lambda cell: cell.index if cell.starts is SELL else -cell.index)


def closing_orders(layout: Layout, instrument: Instrument) -> list[tuple[Cell, Decimal]]:
    """Cells whose first orders give back what is held, nearest first, with the quantities; as far as it goes."""
    left = instrument.round_quantity(abs(layout.held))
    chosen = []
    for cell in layout.closing_cells:
        quantity = min(cell.quantity, left)
        if instrument.size_problem(quantity, cell.price(layout.closing_side)) is not None:
            break
        chosen.append((cell, quantity))
        left -= quantity
    return chosen

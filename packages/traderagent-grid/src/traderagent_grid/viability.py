"""Whether a grid can work here: market, range, stops, then the layout; asked before any order is sent."""

from collections.abc import Iterator
from decimal import Decimal

from attrs import evolve
from traderagent_core import Instrument, Market, Side

from traderagent_grid.config import Bounds, Direction, GridConfig
from traderagent_grid.finding import Finding, Means
from traderagent_grid.layout import lay_out
from traderagent_grid.plan import plain
from traderagent_grid.ranges import Range, first_range
from traderagent_grid.sizing import Appraisal, appraise

ZERO = Decimal(0)


def findings_before_start(
    config: GridConfig, instrument: Instrument, price: Decimal, power: Decimal
) -> list[Finding]:
    """What speaks against a grid at this price, with `power` of quote currency to use, leverage included.

    A range from ATR is measured at the start; here it is looked at with an ATR of 1 % of the price, and
    what is found with it is a warning.
    """
    found = contract_findings(config, instrument)
    if found:
        return found
    grid_range = first_range(config, price, None, instrument)
    found = appraised(config, instrument, grid_range, price).findings(Means(power))
    return [_supposed(finding) for finding in found] if config.bounds is Bounds.ATR else found


def appraised(
    config: GridConfig, instrument: Instrument, grid_range: Range, price: Decimal, held: Decimal = ZERO
) -> Appraisal:
    """What speaks against a grid over this range, and its layout unless the range itself is impossible."""
    found = range_findings(config, grid_range, price)
    if grid_range.lower <= 0:
        return Appraisal(tuple(found))
    return appraise(config, instrument, lay_out(config, instrument, grid_range, price, held), found)


def _supposed(finding: Finding) -> Finding:
    message = f"with an ATR of 1 % of the price, {finding.message}"
    return evolve(finding, message=message, is_fatal=False)


def contract_findings(config: GridConfig, instrument: Instrument) -> list[Finding]:
    """What does not go together with this kind of market, whatever the price."""
    found = _side_findings(config, instrument)
    is_spot = instrument.market is Market.SPOT
    is_two_sided = not is_spot and config.direction is Direction.NEUTRAL
    if is_spot and config.direction is Direction.SHORT:
        found.append(
            Finding(
                "short_on_spot",
                f"direction: short needs a linear market, and {instrument.symbol} is spot: "
                "coins that are not held cannot be sold",
                "set `market: linear`, or direction neutral or long",
            )
        )
    if config.upper_stop_loss_price is not None and not is_two_sided:
        found.append(
            Finding(
                "upper_stop_without_short_side",
                f"upper_stop_loss_price {plain(config.upper_stop_loss_price)} stops the short side of a neutral "
                f"grid on a linear market, and this one is {config.direction} on {instrument.market.value}",
                "remove it; stop_loss_price is the stop of a grid with one side",
            )
        )
    if config.take_profit_price is not None and is_two_sided:
        found.append(
            Finding(
                "take_profit_of_two_sides",
                f"take_profit_price {plain(config.take_profit_price)} closes a grid that is on one side, and a "
                "neutral grid on a linear market is short above its middle and long below",
                "remove it, or set direction long or short",
            )
        )
    return found


def _side_findings(config: GridConfig, instrument: Instrument) -> list[Finding]:
    """A symbol of hedge mode holds one side only, and the grid has to be on that one."""
    side = instrument.side
    if side is None:
        return []
    wanted = Direction.LONG if side is Side.BUY else Direction.SHORT
    if config.direction is wanted:
        return []
    return [
        Finding(
            "other_side",
            f"{instrument.symbol} is the {wanted} position of hedge mode, and the grid is {config.direction}",
            f"set direction: {wanted}; a neutral grid needs an account in one-way mode",
        )
    ]


def range_findings(config: GridConfig, grid_range: Range, price: Decimal) -> list[Finding]:
    """What is wrong with a range by itself and with the stops around it."""
    if grid_range.lower <= 0:
        return [
            Finding(
                "range_below_zero",
                f"{_told(grid_range)} reaches down to zero at a price of {plain(price)}",
                "make it narrower: a smaller width, atr_multiplier or range_ratio, or spacing: geometric",
            )
        ]
    return [*_stop_findings(config, grid_range), *_target_findings(config, price)]


def _told(grid_range: Range) -> str:
    return f"the range {plain(grid_range.lower)} to {plain(grid_range.upper)}"


def _stop_findings(config: GridConfig, grid_range: Range) -> Iterator[Finding]:
    is_short = config.direction is Direction.SHORT
    below = None if is_short else config.stop_loss_price
    above = config.stop_loss_price if is_short else config.upper_stop_loss_price
    if below is not None and below >= grid_range.lower:
        yield Finding(
            "stop_inside_range",
            f"stop_loss_price {plain(below)} is not below {_told(grid_range)}: "
            "it would close what the grid has just bought",
            f"set stop_loss_price below {plain(grid_range.lower)}",
        )
    if above is not None and above <= grid_range.upper:
        key = "stop_loss_price" if is_short else "upper_stop_loss_price"
        yield Finding(
            "stop_inside_range",
            f"{key} {plain(above)} is not above {_told(grid_range)}: "
            "it would close what the grid has just sold short",
            f"set {key} above {plain(grid_range.upper)}",
        )


def _target_findings(config: GridConfig, price: Decimal) -> Iterator[Finding]:
    target = config.take_profit_price
    if target is None:
        return
    is_short = config.direction is Direction.SHORT
    side = "below" if is_short else "above"
    if target >= price if is_short else target <= price:
        yield Finding(
            "take_profit_passed",
            f"take_profit_price {plain(target)} is not {side} the price {plain(price)}: "
            "the grid would close at once",
            f"set take_profit_price {side} {plain(price)}",
        )

"""What speaks against a configuration on an instrument at a price, with numbers and a remedy; before any order."""

from collections.abc import Callable, Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import pairwise

from attrs import frozen
from traderagent_core import Instrument, Market, Problem, Side

from traderagent_dca.config import DcaConfig
from traderagent_dca.ladder import Ladder, entry_side, lay, rungs, steps
from traderagent_dca.plan import round_trip, stop_price
from traderagent_dca.shape import EXACT, ONE, ZERO
from traderagent_dca.text import plain, short

CENT = Decimal("0.01")


@frozen
class Case:
    """A ladder with all that it is judged by; `power` is buying power in quote, leverage included."""

    config: DcaConfig
    instrument: Instrument
    ladder: Ladder
    power: Decimal


def problems(config: DcaConfig, instrument: Instrument, price: Decimal, power: Decimal) -> Iterator[Problem]:
    """Everything that speaks against deals that begin at this price."""
    if not config.is_long and instrument.market is Market.SPOT:
        yield Problem(
            f"direction: short needs a linear market, and {instrument.symbol} is spot: coins that are not held "
            "cannot be sold",
            "set `market: linear`, or direction: long",
        )
        return
    if instrument.side is not None and instrument.side is not entry_side(config):
        wanted = "long" if instrument.side is Side.BUY else "short"
        yield Problem(
            f"{instrument.symbol} is the {wanted} position of hedge mode, and deals are {config.direction}",
            f"set direction: {wanted}, or the symbol of the other position",
        )
        return
    case = Case(config, instrument, lay(rungs(config), entry_side(config), instrument, price), power)
    checks: tuple[Callable[[Case], Problem | None], ...] = (
        _collapse, _size, _parts, _fees, _trail, _even, _funds, _stop_before_ladder,
    )  # fmt: skip
    yield from (found for found in (check(case) for check in checks) if found is not None)


def size_problem(ladder: Ladder, instrument: Instrument) -> tuple[int, str] | None:
    """The first order that the exchange would refuse as too small, and why."""
    for number, (price, quantity) in enumerate(zip(ladder.prices, ladder.quantities, strict=True)):
        found = instrument.size_problem(quantity, price)
        if found is not None:
            return number, found
    return None


def funds_needed(ladder: Ladder, instrument: Instrument) -> Decimal:
    """What all orders of a ladder take with taker fees, in quote."""
    return ladder.notional * (ONE + instrument.taker_fee_ratio)


def _order_name(number: int) -> str:
    return f"safety order {number}" if number else "the base order"


def _collapse(case: Case) -> Problem | None:
    instrument = case.instrument
    for number, (before, price) in enumerate(pairwise(case.ladder.prices), start=1):
        if price >= before if case.config.is_long else price <= before:
            return Problem(
                f"safety order {number} would lie at {plain(price)}, no further than {_order_name(number - 1)} at "
                f"{plain(before)}: the tick of {instrument.symbol} is {plain(instrument.tick_size)}",
                "raise price_deviation or step_scale, or use fewer safety orders",
            )
    return None


def _size(case: Case) -> Problem | None:
    found = size_problem(case.ladder, case.instrument)
    if found is None:
        return None
    number, why = found
    needed = least_notional(case.instrument, case.ladder.prices[number])
    return Problem(
        f"{_order_name(number)} of {short(case.config.amounts[number])} {case.instrument.quote} at "
        f"{plain(case.ladder.prices[number])} is too small: {why}",
        f"each order must commit {plain(needed)} or more: raise the amount, or volume_scale where it is below 1",
    )


def least_notional(instrument: Instrument, price: Decimal) -> Decimal:
    """The smallest amount at a price that gives an order the venue takes, in whole cents of quote."""
    lots = (EXACT.divide(instrument.min_notional, price) / instrument.lot_size).to_integral_value(
        ROUND_CEILING
    )
    quantity = max(lots * instrument.lot_size, instrument.min_quantity, instrument.lot_size)
    return ((quantity * price / CENT).to_integral_value(ROUND_CEILING) * CENT).normalize()


def _parts(case: Case) -> Problem | None:
    """Parts of the base order alone are the smallest that are ever closed."""
    config, instrument = case.config, case.instrument
    if instrument.market is Market.LINEAR and instrument.min_quantity <= instrument.lot_size:
        smallest = instrument.lot_size  # Orders that only reduce have no least notional there.
    else:
        smallest = max(EXACT.divide(instrument.min_notional, case.ladder.prices[0]), instrument.min_quantity)
    for number, part in enumerate(config.take_profit_steps, start=1):
        quantity = instrument.round_quantity(case.ladder.quantities[0] * part.share)
        if quantity < smallest or not quantity:
            return Problem(
                f"take_profit_steps {number} closes {plain(part.share)} of the base order, {plain(quantity)} "
                f"{instrument.base}: less than the exchange takes",
                "raise the base order's amount or the share",
            )
    return None


def _fees(case: Case) -> Problem | None:
    config, fees = case.config, round_trip(case.instrument, is_long=case.config.is_long)
    gains = [
        (f"take_profit_steps {n}", part.gain) for n, part in enumerate(config.take_profit_steps, start=1)
    ]
    for key, gain in (*gains, ("take_profit_percentage", config.take_profit_percentage)):
        if gain <= fees:
            return Problem(
                f"{key} {plain(gain)} is eaten up by the fees of both ways, {short(fees)} of the price",
                f"raise it above {short(fees)}",
            )
    return None


def _trail(case: Case) -> Problem | None:
    config, fees = case.config, round_trip(case.instrument, is_long=case.config.is_long)
    if config.trailing_deviation is None:
        return None
    sign = ONE if config.is_long else -ONE
    kept = sign * (
        (ONE + sign * config.take_profit_percentage) * (ONE - sign * config.trailing_deviation) - ONE
    )
    if kept > fees:
        return None
    return Problem(
        f"a trail that begins at a gain of {plain(config.take_profit_percentage)} and stays "
        f"{plain(config.trailing_deviation)} behind may close at {short(kept)}, and fees take {short(fees)}",
        "lower trailing_deviation, or raise take_profit_percentage",
    )


def _even(case: Case) -> Problem | None:
    at, fees = case.config.break_even_percentage, round_trip(case.instrument, is_long=case.config.is_long)
    if at is None or at > fees:
        return None
    return Problem(
        f"break_even_percentage {plain(at)} is not above the fees of both ways, {short(fees)}: the stop would stand "
        "at or beyond the price",
        f"raise it above {short(fees)}",
    )


def _funds(case: Case) -> Problem | None:
    needed = funds_needed(case.ladder, case.instrument)
    if needed <= case.power:
        return None
    share = EXACT.divide(max(case.power, ZERO), needed)
    return Problem(
        f"a deal needs {short(needed)} {case.instrument.quote} with fees for its {len(case.ladder.prices)} orders, "
        f"and {short(case.power)} may be used",
        f"multiply the amounts by {plain(share.quantize(CENT, ROUND_FLOOR))}, use fewer orders or a smaller "
        "volume_scale, or give the bot more capital",
    )


def _stop_before_ladder(case: Case) -> Problem | None:
    """Safety orders behind the stop never fill; that is allowed, and said."""
    config, instrument, ladder = case.config, case.instrument, case.ladder
    filled = list(steps(ladder, instrument))
    for step, after in pairwise(filled):
        stop = stop_price(config, instrument, ladder, step)
        if stop is not None and (stop >= after.price if config.is_long else stop <= after.price):
            return Problem(
                f"after {_order_name(step.number)} the stop-loss stands at {plain(stop)}, and safety order "
                f"{after.number} at {plain(after.price)} lies beyond it: it and those after it are never reached",
                "raise stop_loss_percentage, or use fewer safety orders",
                is_fatal=False,
            )
    return None

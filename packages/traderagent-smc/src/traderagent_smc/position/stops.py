"""The stop of a position as it gains: break-even, then trailing. It only ever tightens."""

from decimal import Decimal

from attrs import field, frozen
from traderagent_core import Instrument, Side

from traderagent_smc.position.sizing import side_of

ONE = Decimal(1)


@frozen
class StopRules:
    """Gains in R (multiples of the first risk) and distances in ATR(14) at which a stop moves."""

    breakeven_r: Decimal = ONE
    trailing_r: Decimal = Decimal("1.5")
    trailing_atr: Decimal = Decimal(2)
    partial_close: Decimal = Decimal("0.5")


@frozen
class StopPlan:
    """A position's entry and first stop; fees are ratios (0.001 is 0.1 %)."""

    entry: Decimal
    first_stop: Decimal
    entry_fee: Decimal
    exit_fee: Decimal
    rules: StopRules = StopRules()
    side: Side = field(init=False)

    @side.default
    def _find_side(self) -> Side:
        return side_of(self.entry, self.first_stop)

    @property
    def risk(self) -> Decimal:
        """1 R: the price distance from entry to first stop."""
        return abs(self.entry - self.first_stop)

    def gain(self, price: Decimal) -> Decimal:
        """How far a price is in favour, in R."""
        moved = price - self.entry if self.side is Side.BUY else self.entry - price
        return moved / self.risk

    def breakeven(self) -> Decimal:
        """The price at which closing pays both fees and nothing else."""
        if self.side is Side.BUY:
            return self.entry * (ONE + self.entry_fee) / (ONE - self.exit_fee)
        return self.entry * (ONE - self.entry_fee) / (ONE + self.exit_fee)

    def stop(self, current: Decimal, best: Decimal, atr: Decimal | None) -> Decimal:
        """The stop after the price has been as far in favour as `best`; never looser than `current`.

        Without ATR it does not trail. Where the fees are more than the gain, break-even lies beyond the price and
        the stop does not go there.
        """
        gain = self.gain(best)
        stops = [current]
        if gain >= self.rules.breakeven_r and self.gain(self.breakeven()) < gain:
            stops.append(self.breakeven())
        if gain >= self.rules.trailing_r and atr is not None:
            distance = self.rules.trailing_atr * atr
            stops.append(best - distance if self.side is Side.BUY else best + distance)
        return max(stops) if self.side is Side.BUY else min(stops)

    def partial_quantity(self, quantity: Decimal, instrument: Instrument) -> Decimal:
        """What to close at the first target, rounded down to the lot."""
        return instrument.round_quantity(quantity * self.rules.partial_close)

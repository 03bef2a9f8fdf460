"""Break-even and trailing: a chain of price watches that moves a stop in the protective direction only."""

from decimal import Decimal
from typing import TYPE_CHECKING

from traderagent_core.model.command import Watch
from traderagent_core.model.order import Side

if TYPE_CHECKING:
    from traderagent_core.engine.engine import Engine
    from traderagent_core.engine.member import Member

ZERO = Decimal(0)
ONE = Decimal(1)
BUY, SELL = Side.BUY, Side.SELL
TRAIL_WATCH = "~trail"
TRAIL_TIMER = "~trail"


class Trails:
    """Watches for the prices at which a stop has to move; where it goes then is for Stops to say."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def watch_next(self, member: "Member") -> None:
        """Watch for the next price at which the stop goes to break-even, or the trail begins or moves by a step."""
        stop = member.stop
        is_long = member.ledger.position.quantity > ZERO
        even, trail = self._even_level(member), self._trail_level(member)
        if even is None or trail is None:
            nearest = even if trail is None else trail
        else:
            nearest = min(even, trail) if is_long else max(even, trail)
        if nearest is None:
            return
        # On the tick: the price that reaches it comes back with all its digits.
        level = member.instrument.limit_price(SELL if is_long else BUY, nearest)
        if stop.trail_watch is not None and level == stop.trail_watch:  # Comparing with None takes long.
            return
        stop.trail_watch = level
        self._engine.commands.append(Watch(member.name, TRAIL_WATCH, member.symbol, level, is_long))

    def _even_level(self, member: "Member") -> Decimal | None:
        """The price from which the stop is at break-even; None without such a rule, or when it is there."""
        stop = member.stop
        even = None if stop.rule is None else stop.rule.break_even
        if even is None or stop.is_even:
            return None
        return self._gain(member, member.ledger.position.average_price, even.activation_ratio)

    def _trail_level(self, member: "Member") -> Decimal | None:
        """The price at which the trail begins or moves by a step; None without one."""
        stop = member.stop
        trail = None if stop.rule is None else stop.rule.trail
        if trail is None:
            return None
        if not stop.is_trailing:
            return self._gain(member, member.ledger.position.average_price, trail.activation_ratio)
        assert stop.best is not None
        return self._gain(member, stop.best, trail.least_step_ratio)

    def _gain(self, member: "Member", start: Decimal, ratio: Decimal) -> Decimal:
        """The price that is so much better than another one for the position held."""
        return start * (ONE + ratio if member.ledger.position.quantity > ZERO else ONE - ratio)

    def crossed(self, member: "Member", price: Decimal) -> None:
        """The price is where the stop goes to break-even, or at a new best price by a step at least."""
        stop, level = member.stop, member.stop.trail_watch
        if level is None or (price < level if stop.is_long else price > level):
            return  # The news of a watch that was dropped or moved since.
        stop.trail_watch = None
        if stop.rule is None or not member.ledger.quantity:
            return
        even, trail = self._even_level(member), self._trail_level(member)
        is_due = self._is_reached(member, even, price)
        if is_due:
            stop.is_even = True
        if self._is_reached(member, trail, price):
            is_due = self._follow(member, price) or is_due
        if is_due:
            self._engine.stops.refresh(member)
        else:
            self.watch_next(member)

    def _is_reached(self, member: "Member", level: Decimal | None, price: Decimal) -> bool:
        if level is None:
            return False
        return price >= level if member.ledger.quantity > ZERO else price <= level

    def _follow(self, member: "Member", price: Decimal) -> bool:
        """Take in a new best price; false when the stop was moved too lately to be moved again now."""
        stop = member.stop
        assert stop.rule is not None
        assert stop.rule.trail is not None
        is_first = not stop.is_trailing
        stop.is_trailing = True
        stop.best = price
        due_ms = stop.moved_ms + stop.rule.trail.least_interval_ms
        if is_first or self._engine.now_ms >= due_ms:
            return True
        if not stop.is_waiting:
            stop.is_waiting = True
            self._engine.set_timer(member.name, TRAIL_TIMER, due_ms)
        return False

    def due(self, member: "Member") -> None:
        """The least interval between two moves is over."""
        member.stop.is_waiting = False
        if member.stop.is_trailing:
            self._engine.stops.refresh(member)

    def price(self, member: "Member") -> Decimal:
        """The trail's price: the best price less the distance, never behind where the stop already is."""
        stop = member.stop
        assert stop.rule is not None
        assert stop.rule.trail is not None
        assert stop.best is not None
        distance = stop.rule.trail.distance_ratio
        if member.ledger.quantity > ZERO:
            price = stop.best * (ONE - distance)
            return price if stop.price is None else max(price, stop.price)
        price = stop.best * (ONE + distance)
        return price if stop.price is None else min(price, stop.price)

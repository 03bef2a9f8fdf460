"""What must be true of how the process goes about its work: its stops, its exits, how much it asks."""

from collections import deque

from traderagent_core.account.account import HOUSE
from traderagent_core.account.state import Order, WantStatus
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.member import Member
from traderagent_core.engine.planner import INTERNAL
from traderagent_core.engine.stops import STOP_WATCH
from traderagent_core.engine.trails import TRAIL_WATCH
from traderagent_core.live.driver import Driver
from traderagent_core.model.instrument import Market
from traderagent_core.model.order import OrderRequest
from traderagent_core.testing.faults.outside import Outside
from traderagent_core.testing.faults.world import Violation

PACE_SECONDS = 10
MOST_REQUESTS = 150
"""Requests that change something in so many seconds; a process that asks without a pause makes more."""


class Pace:
    """I11: requests are bounded, whatever the exchange answers. Told once a second how many there were so far."""

    def __init__(self, count: int = 0) -> None:
        self._counts: deque[int] = deque([count], maxlen=PACE_SECONDS + 1)

    def look(self, count: int) -> None:
        """Compare with what was told a while ago; a new process counts anew."""
        if count < self._counts[-1]:
            self._counts.clear()
            self._counts.append(0)
        self._counts.append(count)
        made = count - self._counts[0]
        if made > MOST_REQUESTS:
            raise Violation(f"I11: {made} requests in {PACE_SECONDS} s")


class Direction:
    """I10: while a position stays as it is, its stop moves in the protective direction only."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[object, ...]] = {}

    def look(self, member: Member) -> None:
        """Compare with the last look."""
        stop, held = member.stop, member.ledger.position
        if stop.price is None or not held.quantity:
            self._before.pop(member.name, None)
            return
        which = (held.quantity, held.average_price, held.closed, stop.rule)
        before = self._before.get(member.name)
        self._before[member.name] = (which, stop.price)
        if before is None or before[0] != which:
            return
        moved = stop.price - before[1]  # type: ignore[operator]
        if moved and (moved > 0) is not (held.quantity > 0):
            raise Violation(f"I10: the stop of {member.name} went from {before[1]} back to {stop.price}")


def only_reduces(request: OrderRequest, engine: Engine) -> None:
    """I9: what is to close a position is sent so that it can do nothing else."""
    order = engine.account.orders.get(request.client_order_id)
    if order is None or not order.want.leg.is_exit or request.reduce_only:
        return
    if engine.members[order.want.plan.bot].instrument.market is Market.LINEAR:
        raise Violation(f"I9: {request.client_order_id} is to close a position, and could open one")


def is_guarded(member: Member) -> None:
    """I5: while a stop cannot be placed, the engine watches the price in its place."""
    want = member.stop.want
    is_blocked = want is not None and want.status is WantStatus.BLOCKED
    if is_blocked and member.stop.watched is None and member.ledger.quantity and not member.exit_reason:
        raise Violation(f"I5: the stop of {member.name} cannot be placed, and nobody watches the price")


def is_idle(driver: Driver, member: Member) -> bool:
    """Whether a bot that could trade waits for nothing: no plan, no exit, no timer."""
    if not member.is_callable or member.exit_reason:
        return False
    plans = driver.engine.account.plans_of(member.name)
    if any(not own.plan.name.startswith(INTERNAL) for own in plans):
        return False
    return not any(owner == member.name for owner, *_ in driver.stepper.timers.save())


# -- at rest ------------------------------------------------------------------------------------------------


def rests_as_wanted(driver: Driver, outside: Outside) -> None:
    """Live orders have at the exchange the numbers that we take them to have, and want them to have."""
    for order_id, order in driver.engine.account.orders.items():
        report = outside.backend.log.open.get(order_id)
        if report is None or driver.engine.stops.is_travelling(order_id):
            continue
        theirs = (report.price, None if order.closes_position else report.quantity)
        if (order.price, None if order.closes_position else order.quantity) != theirs:
            raise Violation(f"I7: {order_id} at rest: ours {_numbers(order)}, the exchange's {theirs}")
        if order.want.status is WantStatus.OPEN and order.want.price != report.price:
            raise Violation(f"I7: {order_id} at rest: wanted at {order.want.price}, rests at {report.price}")


def _numbers(order: Order) -> tuple[object, object]:
    return order.price, order.quantity


def is_watched(driver: Driver, member: Member) -> None:
    """The prices that a stop waits for are watched."""
    armed = {(str(owner), str(name)) for owner, name, *_ in driver.stepper.watches.save()}
    stop = member.stop
    for level, name in ((stop.watched, STOP_WATCH), (stop.trail_watch, TRAIL_WATCH)):
        if level is not None and (member.name, name) not in armed:
            raise Violation(f"liveness: nobody watches for {level}, where {member.name} has its {name[1:]}")


def has_its_fills(engine: Engine, symbol: str) -> None:
    """What nobody else has traded belongs to a bot, not to the house."""
    house = engine.account.ledgers.get((HOUSE, symbol))
    if house is not None and house.quantity:
        raise Violation(f"I3: {house.quantity} {symbol} is nobody's, though only bots have traded")


def has_its_candles(driver: Driver, outside: Outside) -> None:
    """Candles that strategies see are the exchange's, each once and in order."""
    for symbol, walk in outside.walks.items():
        theirs = {candle.open_time: candle for candle in walk.candles}
        last_ms = -1
        for candle in driver.view.series(symbol, driver.options.base).rows():
            if candle.open_time <= last_ms or theirs.get(candle.open_time) != candle:
                raise Violation(f"candles: {candle} of {symbol} after {last_ms} is not the exchange's")
            last_ms = candle.open_time

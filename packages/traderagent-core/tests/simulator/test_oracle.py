"""A second, bare loop over candles that shares no code with the venue must find the simulator's fills."""

from collections import deque
from decimal import Decimal
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import At, Fixed, Leg, Plan
from traderagent_core.venue.path import PathPolicy

D = Decimal
HOUR_MS = 3_600_000
MANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
PRICES = st.integers(184, 216).map(lambda halves: D(halves) / 2)
SIZES = st.integers(1, 6).map(lambda halves: D(halves) / 2)


class Fill(NamedTuple):
    """What both sides must agree on."""

    time_ms: int
    leg: str
    price: float
    quantity: Decimal


class Loop:
    """Walks every turning point of every candle and looks at every order each time. Slow and plain on purpose."""

    def __init__(self, legs: list[Leg], policy: str) -> None:
        self.legs = {leg.name: leg for leg in legs}
        self.policy = policy
        self.resting: list[tuple[str, Decimal]] = []  # (leg, size) in order of arrival
        self.waiting: list[tuple[str, Decimal]] = []  # for the next candle
        self.spent: deque[str] = deque()
        self.position = D(0)
        self.fills: list[Fill] = []
        self.price, self.time_ms = 0.0, 0

    def run(self, candles: Any, start: list[str]) -> list[Fill]:
        rows = list(
            zip(candles.open_time, candles.open, candles.high, candles.low, candles.close, strict=True)
        )
        self.price, self.time_ms = float(rows[0][4]), int(rows[0][0]) + HOUR_MS
        for name in start:
            self.submit(name)
        self.follow_up()
        for row in rows[1:]:
            self.candle(*row)
        return self.fills

    def candle(self, time_ms: int, opened: float, high: float, low: float, close: float) -> None:
        points = (
            [opened, high, low, close] if self.high_first(opened, high, low) else [opened, low, high, close]
        )
        total = abs(points[1] - points[0]) + abs(points[2] - points[1]) + abs(points[3] - points[2])
        walked = 0.0
        self.price, self.time_ms = opened, int(time_ms)
        arrived, self.waiting = self.waiting, []
        for name, size in arrived:
            self.admit(name, size)
        self.follow_up()
        self.touch_all()
        for end in points[1:]:
            while self.price != end:
                step = self.next_level(end)
                walked += abs(step - self.price)
                self.price = step
                self.time_ms = int(time_ms) + int(HOUR_MS * (walked / total))
                self.touch_all()

    def high_first(self, opened: float, high: float, low: float) -> bool:
        if self.position == 0 or self.policy in ("default", "next_candle"):
            return high - opened <= opened - low
        return (self.position > 0) == (self.policy == "optimistic")

    def is_above(self, name: str) -> bool:
        """Whether an order waits for the price to rise: to sell dear, or to buy a break-out."""
        leg = self.legs[name]
        return (leg.side is Side.BUY) == leg.is_stop

    def level(self, name: str) -> float:
        price = self.legs[name].price
        assert isinstance(price, At)
        return float(price.price)

    def next_level(self, end: float) -> float:
        levels = [self.level(name) for name, _ in self.resting]
        if end > self.price:
            return min([level for level in levels if self.price < level <= end], default=end)
        return max([level for level in levels if end <= level < self.price], default=end)

    def is_due(self, name: str) -> bool:
        return self.price >= self.level(name) if self.is_above(name) else self.price <= self.level(name)

    def touch_all(self) -> None:
        """Trade what is due, one order at a time, with all that follows from it."""
        while True:
            due = [(name, size) for name, size in self.resting if self.is_due(name)]
            if not due:
                return
            rising = sorted((own for own in due if self.is_above(own[0])), key=lambda own: self.level(own[0]))
            falling = sorted(
                (own for own in due if not self.is_above(own[0])), key=lambda own: -self.level(own[0])
            )
            first = (rising or falling)[0]
            self.resting.remove(first)
            self.trade(*first)
            self.follow_up()

    def follow_up(self) -> None:
        while self.spent:
            for name in self.legs[self.spent.popleft()].then:
                self.submit(name)

    def submit(self, name: str) -> None:
        leg = self.legs[name]
        assert isinstance(leg.quantity, Fixed)
        size = leg.quantity.quantity
        if leg.is_stop and self.is_due(name):
            return  # Refused: it would trigger at once.
        if leg.purpose is Purpose.EXIT and self.closable(leg) <= 0:
            return  # Refused: nothing to reduce.
        if self.policy == "next_candle":
            self.waiting.append((name, size))
        else:
            self.admit(name, size)

    def admit(self, name: str, size: Decimal) -> None:
        if self.legs[name].price is None or self.is_due(name):
            self.trade(name, size)
        else:
            self.resting.append((name, size))

    def closable(self, leg: Leg) -> Decimal:
        return self.position if leg.side is Side.SELL else -self.position

    def trade(self, name: str, size: Decimal) -> None:
        leg = self.legs[name]
        part = min(size, max(self.closable(leg), D(0))) if leg.purpose is Purpose.EXIT else size
        if not part:
            return
        self.position += part if leg.side is Side.BUY else -part
        self.fills.append(Fill(self.time_ms, name, self.price, part))
        if part == size:
            self.spent.append(name)


@st.composite
def sets_of_orders(draw: Any) -> tuple[list[Leg], list[str]]:
    """Limit, stop, market and reduce-only orders with what follows them, and grid-like counters."""
    legs, start = [], []
    count = draw(st.integers(0, 8))
    for index in range(count):
        is_first = draw(st.booleans())
        price = draw(st.one_of(st.none(), *[st.builds(At, PRICES)] * 5))
        purpose = draw(st.sampled_from([Purpose.SAFETY, Purpose.GRID_COUNTER, Purpose.EXIT]))
        later = [f"l{other}" for other in range(index + 1, count)]
        then = draw(st.lists(st.sampled_from(later), max_size=2, unique=True)) if later else []
        is_stop = price is not None and draw(st.integers(0, 2)) == 0
        name, side, size = f"l{index}", draw(st.sampled_from(Side)), Fixed(draw(SIZES))
        legs.append(Leg(name, f"l{index}", side, purpose, size, price, tuple(then), is_stop))
        if is_first:
            start.append(name)
    for index in range(draw(st.integers(0 if start else 1, 4))):
        low, width, size = draw(PRICES), draw(st.integers(1, 4)), Fixed(draw(SIZES))
        slot, prices = f"g{index}", (At(low), At(low + width))
        legs.append(Leg(f"b{index}", slot, Side.BUY, Purpose.GRID_COUNTER, size, prices[0], (f"s{index}",)))
        legs.append(Leg(f"s{index}", slot, Side.SELL, Purpose.GRID_COUNTER, size, prices[1], (f"b{index}",)))
        start.append(draw(st.sampled_from([f"b{index}", f"s{index}"])))
    return legs, start


def without_repeats(legs: list[Leg]) -> list[Leg]:
    """Each leg is named by one other at most, so that no slot is ever asked for twice at a time."""
    named: set[str] = set()
    result = []
    for leg in legs:
        then = tuple(name for name in leg.then if name not in named)
        named |= set(then)
        result.append(
            Leg(leg.name, leg.slot, leg.side, leg.purpose, leg.quantity, leg.price, then, leg.is_stop)
        )
    return result


@given(data=st.data())
@MANY
def test_a_bare_loop_finds_the_same_fills(kit: Any, data: Any) -> None:
    drawn, start = data.draw(sets_of_orders())
    legs = without_repeats(drawn)
    named = {name for leg in legs if not leg.name.startswith(("b", "s")) for name in leg.then}
    start = [name for name in start if name not in named]
    if not start:
        return
    policy = data.draw(st.sampled_from(PathPolicy))
    candles = kit.candles(data.draw(st.integers(0, 10**6)), data.draw(st.integers(2, 60)))
    script = kit.script((Plan("all", tuple(legs), tuple(start)),), (), (), (), False)
    world = kit.world(
        {candles.symbol: candles},
        (kit.instrument(candles.symbol, is_linear=True),),
        (script,),
        policy,
        balance=D(10**9),
    )
    ran = kit.run(world)
    granted = [record[3] for record in ran.records if record[0] == "want_granted"]
    submitted = {
        record[2]: granted[record[3] - 1] for record in ran.records if record[0] == "order_submitted"
    }
    found = [Fill(record[1], submitted[record[2]], float(record[4]), record[5]) for record in ran.fills]
    assert found == Loop(legs, policy.value).run(candles, start)

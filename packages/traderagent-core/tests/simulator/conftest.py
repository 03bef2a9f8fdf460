"""Random worlds for property tests: candles on a coarse lattice, plans of every kind, and ways to run them."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np
import pytest
from attrs import evolve, field, frozen
from hypothesis import strategies as st
from traderagent_core.contract.risk_mode import RiskMode
from traderagent_core.contract.strategy import Needs, Strategy, Wake
from traderagent_core.coordinator.risk_modes import DrawdownConfig, DrawdownMode, ReducedConfig, ReducedMode
from traderagent_core.data.funding import FundingRates
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.setup import BotSetup, EngineSetup, Limits
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import (
    At,
    AverageTimes,
    Filled,
    FillTimes,
    Fixed,
    Held,
    Leg,
    Plan,
    Stop,
    Trail,
)
from traderagent_core.model.position import money_context
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.simulator.driver import Driver
from traderagent_core.simulator.scan import BlockScan
from traderagent_core.simulator.view import SimulatedView
from traderagent_core.venue.exchange import SimulatedExchange
from traderagent_core.venue.path import PathPolicy

START_MS = 1_704_139_200_000  # 2024-01-01T20:00:00Z: four hours before a midnight
D = Decimal
MIDDLE = 100
ZERO, ONE, BALANCE = D(0), D(1), D(10_000)
NO_LIMITS = Limits()


# -- candles ------------------------------------------------------------------------------------------------


def random_candles(
    seed: int, count: int, symbol: str = "AAA/USDT", timeframe: str = "1h", offset: float = 0.0
) -> Candles:
    """A walk on whole prices around 100 (plus `offset`): flat bars, huge bars, price gaps, missing bars."""
    rng = Random(seed)
    step = timeframe_ms(timeframe)
    rows = []
    time_ms, last = START_MS, MIDDLE
    for _ in range(count):
        start = last + (rng.randint(-4, 4) if rng.random() < 0.2 else 0)
        pull = (MIDDLE - start) // 8
        close = start if rng.random() < 0.2 else start + rng.randint(-3, 3) + pull
        reach = 15 if rng.random() < 0.07 else 2
        wide = rng.random() > 0.3
        high = max(start, close) + (rng.randint(0, reach) if wide else 0)
        low = min(start, close) - (rng.randint(0, reach) if wide else 0)
        rows.append((time_ms, start, high, low, close))
        last = close
        time_ms += step * (rng.randint(2, 5) if rng.random() < 0.08 else 1)
    table = np.array([row[1:] for row in rows], dtype=float).reshape(len(rows), 4) + offset
    times = np.array([row[0] for row in rows], dtype=np.int64)
    opens, highs, lows, closes = (np.ascontiguousarray(table[:, index]) for index in range(4))
    return Candles(symbol, timeframe, times, opens, highs, lows, closes, np.ones(len(rows)))


# -- a strategy that does what a script says ----------------------------------------------------------------

Action = tuple[Any, ...]


@frozen
class Script:
    """What a scripted strategy does: at its start, at marked candles, and once in a while at other news."""

    plans: tuple[Plan, ...]
    marks: tuple[int, ...]
    actions: tuple[Action, ...]
    reactions: tuple[Action, ...]
    wants_fills: bool
    between_plans: bool = False
    max_drawdown: Decimal | None = None


@frozen
class Progress:
    """How far a script has been played."""

    action: int = 0
    reaction: int = 0
    schema_version: int = 1


class Scripted(Strategy):
    """Plays a Script; the same script does the same in every run that tells it the same."""

    state_class = Progress
    config: Script

    @classmethod
    def needs(cls, config: Any) -> Needs:
        return Needs(
            wake=Wake.CANDIDATES,
            fills=config.wants_fills,
            between_plans=config.between_plans,
            max_drawdown=config.max_drawdown,
        )

    @classmethod
    def candidates(cls, config: Any, columns: Any) -> Any:
        mask = np.zeros(len(columns["close"]), dtype=bool)
        mask[[mark for mark in config.marks if mark < len(mask)]] = True
        return mask

    def on_start(self, context: Any) -> None:
        context.enter(self.config.plans[0])

    def on_candle(self, context: Any, candle: Any) -> None:
        number = self.state.action
        self.state = evolve(self.state, action=number + 1)
        if number < len(self.config.actions):
            self._do(context, self.config.actions[number])

    def on_fill(self, context: Any, fill: Any, slot: str, *, is_complete: bool) -> None:
        context.note("fill", slot=slot, is_complete=is_complete, price=fill.price)
        self._react(context)

    def on_order(self, context: Any, news: Any) -> None:
        context.note("order", slot=news.slot, what=news.what, why=news.reason)

    def on_verdict(self, context: Any, plan: Plan, verdict: Any) -> None:
        context.note("verdict", plan=plan.name, ruling=verdict.ruling.value, why=verdict.reason)

    def on_timer(self, context: Any, timer: Any) -> None:
        context.note("timer", price=context.price)
        self._react(context)

    def on_watch(self, context: Any, watch: Any) -> None:
        context.note("watch", price=watch.price)
        self._react(context)

    def on_closed(self, context: Any, reason: str) -> None:
        context.note("closed", why=reason, held=context.position.quantity)
        self._react(context)

    def _react(self, context: Any) -> None:
        number = self.state.reaction
        self.state = evolve(self.state, reaction=number + 1)
        if number < len(self.config.reactions):
            self._do(context, self.config.reactions[number])

    def _do(self, context: Any, action: Action) -> None:
        kind, *rest = action
        if kind == "enter":
            context.enter(self.config.plans[rest[0] % len(self.config.plans)])
        elif kind == "timer":
            context.set_timer(rest[0], context.now_ms + rest[1])
        elif kind == "raise":
            context.exit("never done")
            raise RuntimeError("as scripted")
        elif kind != "nothing":
            getattr(context, kind)(*rest)


# -- drawing ------------------------------------------------------------------------------------------------

PRICES = st.integers(MIDDLE - 8, MIDDLE + 8).map(D)
RATIOS = st.sampled_from([D("0.97"), D("0.99"), D("1.01"), D("1.02"), D("1.05")])
QUANTITIES = st.sampled_from([D("0.5"), D(1), D("1.5"), D(3)])
SLOTS = st.sampled_from(["a", "b", "c", "d", "e:1"])


def _price_rules(is_start: bool) -> st.SearchStrategy[Any]:
    rules: list[st.SearchStrategy[Any]] = [st.none(), st.builds(At, PRICES), st.builds(At, PRICES)]
    if not is_start:
        rules += [st.builds(FillTimes, RATIOS), st.builds(AverageTimes, RATIOS)]
    return st.one_of(rules)


@st.composite
def legs_of_chain(draw: Any, count: int, *, is_linear: bool) -> tuple[list[Leg], list[str]]:
    """Legs that name only later ones, so that no chain can go round at one price."""
    starts = [0, *[index for index in range(1, count) if draw(st.booleans())]]
    legs = []
    for index in range(count):
        is_entry = index in starts and (index == 0 or draw(st.booleans()))
        purpose = draw(st.sampled_from(list(Purpose)[:3] if is_entry else list(Purpose)))
        side = Side.BUY if is_entry and not is_linear else draw(st.sampled_from(Side))
        price = draw(_price_rules(index in starts))
        later = [f"l{other}" for other in range(index + 1, count)]
        then = draw(st.lists(st.sampled_from(later), max_size=2, unique=True)) if later else []
        quantities: list[st.SearchStrategy[Any]] = [st.builds(Fixed, QUANTITIES)] * 2
        if not is_entry:
            quantities.append(st.just(Filled()))
        if purpose in (Purpose.EXIT, Purpose.STOP_LOSS, Purpose.TAKE_PROFIT):
            quantities += [st.builds(Held, st.sampled_from([D(1), D("0.5")]))] * 2
        legs.append(
            Leg(
                f"l{index}",
                draw(SLOTS),
                side,
                purpose,
                draw(st.one_of(quantities)),
                price,
                then=tuple(then),
                is_stop=price is not None and draw(st.integers(0, 4)) == 0,
                post_only=draw(st.integers(0, 6)) == 0,
                closes=not is_entry and draw(st.integers(0, 3)) == 0,
            )
        )
    return legs, [f"l{index}" for index in starts]


@st.composite
def grids(draw: Any) -> tuple[list[Leg], list[str]]:
    """Pairs of counters that name each other, as a grid has them."""
    legs, start = [], []
    lowest = draw(st.integers(MIDDLE - 8, MIDDLE))
    for index in range(draw(st.integers(1, 4))):
        quantity = Fixed(draw(QUANTITIES))
        low, high = At(D(lowest + 2 * index)), At(D(lowest + 2 * index + 2))
        slot = f"g{index}"
        buy = Leg(f"b{index}", slot, Side.BUY, Purpose.GRID_COUNTER, quantity, low, then=(f"s{index}",))
        sell = Leg(f"s{index}", slot, Side.SELL, Purpose.GRID_COUNTER, quantity, high, then=(f"b{index}",))
        legs += [buy, sell]
        start.append(f"b{index}")
    return legs, start


@st.composite
def stops(draw: Any, *, is_linear: bool) -> Stop | None:
    """No stop, or one for the long side or both, perhaps trailing."""
    if draw(st.booleans()):
        return None
    long = draw(st.sampled_from([At(D(94)), At(D(97)), AverageTimes(D("0.97")), AverageTimes(D("0.99"))]))
    short = draw(st.sampled_from([None, At(D(107)), AverageTimes(D("1.03"))])) if is_linear else None
    trail = draw(
        st.sampled_from([None, Trail(D("0.01"), D("0.01")), Trail(D("0.02"), D("0.005"), D("0.002"))])
    )
    return Stop(long, short, trail)


@st.composite
def plans(draw: Any, number: int, *, is_linear: bool) -> Plan:
    """A plan that keeps the contract."""
    if draw(st.integers(0, 2)) == 0:
        legs, start = draw(grids())
    else:
        legs, start = draw(legs_of_chain(draw(st.integers(1, 5)), is_linear=is_linear))
    return Plan(f"plan{number}", tuple(legs), tuple(start), draw(stops(is_linear=is_linear)))


ACTIONS = st.one_of(
    st.tuples(st.just("enter"), st.integers(0, 3)),
    st.tuples(st.just("enter"), st.integers(0, 3)),
    st.tuples(st.just("exit"), st.just("scripted")),
    st.tuples(st.just("withdraw"), st.just("scripted")),
    st.tuples(st.just("cancel"), SLOTS),
    st.tuples(
        st.just("timer"), st.sampled_from(["t", "u"]), st.sampled_from([1, 777_777, 3_600_000, 9_999_999])
    ),
    st.tuples(st.just("watch_price"), st.sampled_from(["w", "v"]), PRICES),
    st.tuples(st.just("unwatch"), st.sampled_from(["w", "v"])),
    st.tuples(
        st.just("place"),
        st.builds(
            Leg,
            st.just("extra"),
            st.sampled_from(["x", "y"]),
            st.sampled_from(Side),
            st.sampled_from([Purpose.EXIT, Purpose.TAKE_PROFIT]),
            st.one_of(st.builds(Fixed, QUANTITIES), st.just(Held())),
            st.one_of(st.builds(At, PRICES), st.builds(AverageTimes, RATIOS), st.none()),
        ),
    ),
    st.tuples(st.just("raise")),
    st.tuples(st.just("nothing")),
)


@st.composite
def scripts(draw: Any, count: int, *, is_linear: bool) -> Script:
    """Up to three plans and what is done with them over `count` candles."""
    own = tuple(draw(plans(number, is_linear=is_linear)) for number in range(draw(st.integers(1, 3))))
    marks = draw(st.lists(st.integers(1, max(count - 1, 1)), max_size=12, unique=True))
    actions = draw(st.lists(ACTIONS, max_size=8))
    reactions = draw(st.lists(ACTIONS, max_size=4))
    return Script(
        own,
        tuple(sorted(marks)),
        tuple(actions),
        tuple(reactions),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.sampled_from([None, None, D("0.0001")])),
    )


@frozen
class World:
    """Everything a run needs, so that it can be run again in another way."""

    candles: Mapping[str, Candles]
    instruments: tuple[Instrument, ...]
    scripts: tuple[Script, ...]
    policy: PathPolicy = PathPolicy.DEFAULT
    latency_ms: int = 0
    slippage: Decimal = ZERO
    leverage: Decimal = ONE
    limits: Limits = NO_LIMITS
    placement: Any = "engine"
    modes: tuple[str, ...] = ()
    funding: tuple[FundingRates, ...] = ()
    timeframe: str = "1h"
    balance: Decimal = BALANCE

    @property
    def end_ms(self) -> int:
        """The last close."""
        return max(int(series.open_time[-1]) + series.duration_ms for series in self.candles.values())


@st.composite
def worlds(
    draw: Any,
    *,
    max_candles: int = 40,
    max_symbols: int = 2,
    policies: Sequence[PathPolicy] = tuple(PathPolicy),
    latencies: Sequence[int] = (0, 0, 250_000, 5_000_000),
    with_modes: bool = True,
) -> World:
    """Markets, scripts and conditions of a run."""
    is_linear = draw(st.booleans())
    symbols = [f"{letter * 3}/USDT" for letter in "ABC"[: draw(st.integers(1, max_symbols))]]
    count = draw(st.integers(4, max_candles))
    offset = draw(st.sampled_from([0.0, 0.37]))
    candles = {
        symbol: random_candles(draw(st.integers(0, 10**6)), count, symbol, "1h", offset) for symbol in symbols
    }
    instruments = tuple(_instrument(symbol, is_linear=is_linear) for symbol in symbols)
    rates = [_rates(draw(st.integers(0, 10**6)), candles[symbol]) for symbol in symbols] if is_linear else []
    return World(
        candles,
        instruments,
        tuple(draw(scripts(count, is_linear=is_linear)) for _ in symbols),
        draw(st.sampled_from(policies)),
        draw(st.sampled_from(latencies)),
        draw(st.sampled_from([D(0), D(0), D("0.0007")])),
        draw(st.sampled_from([D(1), D(3), D(20)])) if is_linear else D(1),
        Limits(
            draw(st.sampled_from([None, None, D(250)])),
            draw(st.sampled_from([None, None, D("0.04")])),
            draw(st.sampled_from([None, D(4)])) if with_modes else None,
        ),
        draw(st.sampled_from(["engine", "resting", "attached"])) if is_linear else "engine",
        draw(st.sampled_from([(), ("drawdown",), ("drawdown", "reduced")])) if with_modes else (),
        tuple(rates),
        draw(st.sampled_from(["1h", "1h", "4h"])) if count >= 12 else "1h",
    )


def _instrument(symbol: str, *, is_linear: bool) -> Instrument:
    return Instrument(
        symbol,
        Market.LINEAR if is_linear else Market.SPOT,
        tick_size=D("0.5"),
        lot_size=D("0.001"),
        min_notional=D(5),
        maker_fee_ratio=D("0.0002") if is_linear else D("0.001"),
        taker_fee_ratio=D("0.00055") if is_linear else D("0.001"),
        max_leverage=D(25) if is_linear else D(1),
    )


def _rates(seed: int, candles: Candles) -> FundingRates:
    rng = np.random.default_rng(seed)
    first = int(candles.open_time[0])
    count = (int(candles.open_time[-1]) - first) // 14_400_000 + 2
    times = np.arange(count, dtype=np.int64) * 14_400_000 + first
    return FundingRates(candles.symbol, times, rng.normal(0, 0.0003, count))


# -- running ------------------------------------------------------------------------------------------------


@frozen
class Ran:
    """A finished run."""

    engine: Engine
    exchange: SimulatedExchange
    driver: Driver

    @property
    def records(self) -> list[Any]:
        """All records, in order."""
        return self.driver.records[:]

    @property
    def fills(self) -> list[Any]:
        """The records of executions."""
        return [record for record in self.records if record[0] in ("filled", "foreign_filled")]


MODES: dict[str, Callable[[], RiskMode]] = {
    "drawdown": lambda: DrawdownMode(DrawdownConfig(drawdown=D("0.001"), size_factor=D("0.75"))),
    "reduced": lambda: ReducedMode(
        ReducedConfig(daily_loss=D("0.0008"), size_factor=D("0.5"), no_entries_at=D("0.002"))
    ),
}


def run_world(
    world: World,
    *,
    finder: Any = BlockScan,
    every_close: bool = False,
    exchange: Callable[..., SimulatedExchange] = SimulatedExchange,
    around_step: Callable[[Engine, SimulatedExchange], None] | None = None,
    when_quiet: Callable[[Engine, SimulatedExchange], None] | None = None,
) -> Ran:
    """Run a world to its end.

    `every_close` makes every close of every market an event, as a slow loop would; `around_step` may wrap the parts;
    `when_quiet` is called whenever all that has happened has been handled.
    """
    bots = tuple(
        BotSetup(
            f"bot{number}",
            "scripted",
            Scripted(script),
            instrument,
            world.timeframe,
            D(100_000),
            world.leverage,
            world.limits,
            world.placement,
        )
        for number, (script, instrument) in enumerate(zip(world.scripts, world.instruments, strict=True))
    )
    modes = tuple((name, MODES[name]()) for name in world.modes)
    view = SimulatedView(world.candles)
    engine = Engine(EngineSetup(bots, world.balance, modes=modes), view)
    venue = exchange(
        world.instruments,
        balance=world.balance,
        slippage_ratio=world.slippage,
        defers_orders=world.policy is PathPolicy.NEXT_CANDLE,
    )
    driver = Driver(
        engine, venue, view, world.candles, policy=world.policy, latency_ms=world.latency_ms, finder=finder
    )
    if around_step is not None:
        around_step(engine, venue)
    if when_quiet is not None:
        _tell_when_quiet(driver, when_quiet)
    for bot in bots:
        schedule = view.schedule(bot.name, bot.instrument.symbol, bot.timeframe, bot.strategy, 0)
        driver.schedule(bot.name, schedule)
    if every_close:
        _call_at_every_close(driver, world)
    driver.schedule_funding(world.funding)
    with money_context():
        driver.run(world.end_ms)
    return Ran(engine, venue, driver)


def _tell_when_quiet(driver: Driver, tell: Callable[[Engine, SimulatedExchange], None]) -> None:
    pump = driver._pump

    def pumping() -> None:
        pump()
        tell(driver.engine, driver.exchange)

    driver._pump = pumping  # type: ignore[method-assign]


def _call_at_every_close(driver: Driver, world: World) -> None:
    for series in world.candles.values():
        driver.schedule_boundaries(series.open_time + series.duration_ms, -1)


@frozen
class Kit:
    """What the test modules of this folder share."""

    worlds: Any = field(default=worlds)
    run: Any = field(default=run_world)
    candles: Any = field(default=random_candles)
    scripted: Any = field(default=Scripted)
    script: Any = field(default=Script)
    world: Any = field(default=World)
    instrument: Any = field(default=_instrument)


@pytest.fixture(scope="session")
def kit() -> Kit:
    """Draw worlds and run them."""
    return Kit()

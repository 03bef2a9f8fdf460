"""Random runs of bots whose strategy is chosen by regime, on a venue that refuses, drops orders and tells late.

What holds after every event is looked at in `Watched`. Here are the troubles, and what holds at the end: every plan
and want has ended once, by one reason, or is open and looked after; every transition and every halt has an end.
"""

import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from attrs import Factory, define
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from traderagent_core.account.state import WantStatus
from traderagent_core.engine.engine import Effects
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.timeframe import DAY_MS, HOUR_MS, MINUTE_MS
from traderagent_core.simulator.cursor import OPERATOR_PHASE, VENUE_PHASE
from traderagent_core.testing.markets import START_MS

TWO = ("BTC/USDT", "ETH/USDT")
DAYS = 20
END_MS = START_MS + DAYS * DAY_MS
CALM_MS = 30 * HOUR_MS
"""For so long before the end nothing goes wrong, so that everything that can end does."""
MODES = {
    "halt": {"drawdown": "0.05"},
    "reduced": {"daily_loss": "0.02"},
    "stress": {},
    "drawdown": {"drawdown": "0.02"},
}
EVIDENCE = (ev.OrderFilled, ev.OrderCanceled, ev.OrderAccepted, ev.OrderRejected, ev.CancelRejected)
CODES = ("rate_limited", "insufficient_quote", "the_venue_says_no")
SLOW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@define
class Troubles:
    """Parts of orders that are refused and of words that come late, how late, how often the venue drops an order, and
    what an operator says: minutes from the start, bot and word.
    """

    seed: int
    refused: float
    late: float
    delay_ms: int
    drops: int
    words: Sequence[tuple[int, str, str]]
    market: str


TROUBLES = st.builds(
    Troubles,
    seed=st.integers(1, 10_000),
    refused=st.sampled_from([0.0, 0.02, 0.2]),
    late=st.sampled_from([0.0, 0.02, 0.3]),
    delay_ms=st.sampled_from([1000, 10 * MINUTE_MS, 5 * HOUR_MS]),
    drops=st.integers(0, 60),
    market=st.sampled_from(["spot", "linear"]),
    words=st.lists(
        st.tuples(
            st.integers(24 * 60, DAYS * 24 * 60 - CALM_MS // MINUTE_MS),
            st.just("*"),
            st.sampled_from(["halt", "acknowledge"]),
        )
        | st.tuples(
            st.integers(24 * 60, DAYS * 24 * 60 - CALM_MS // MINUTE_MS),
            st.sampled_from(["btc", "eth"]),
            st.sampled_from(["pause", "resume"]),
        ),
        max_size=6,
    ),
)


@define
class Troubled:
    """An engine to which words of the venue come late, those on one order in the order in which they were said."""

    inner: Any
    driver: Any
    troubles: Troubles
    chance: random.Random
    held_back: Counter[str] = Factory(Counter)
    told: set[int] = Factory(set)
    seen: Counter[str] = Factory(Counter)

    def step(self, event: Any) -> Any:
        if id(event) in self.told:
            self.told.remove(id(event))
            return self.inner.step(event)
        if not isinstance(event, EVIDENCE) or not self._is_late(event):
            return self.inner.step(event)
        self.held_back[event.client_order_id] += 1
        self.inner.untold += 1
        self.seen["late"] += 1
        self.driver._agenda.add(
            event.time_ms + self.troubles.delay_ms, VENUE_PHASE, lambda t: self._tell(event, t)
        )
        return Effects([], [])

    def _is_late(self, event: Any) -> bool:
        if self.held_back[event.client_order_id]:
            return True
        return event.time_ms < END_MS - CALM_MS and self.chance.random() < self.troubles.late

    def _tell(self, event: Any, time_ms: int) -> None:
        self.held_back[event.client_order_id] -= 1
        self.inner.untold -= 1
        event.time_ms = time_ms
        self.told.add(id(event))
        self.driver._step(event)

    def submit(self, request: Any, now_ms: int) -> None:
        """What the venue does with an order."""
        exchange = self.driver.exchange
        if now_ms < END_MS - CALM_MS and self.chance.random() < self.troubles.refused:
            self.seen["refused"] += 1
            code = self.chance.choice(CODES)
            exchange.events.append(ev.OrderRejected(now_ms, request.client_order_id, code))
        else:
            type(exchange).submit(exchange, request, now_ms)

    def drop(self, time_ms: int) -> None:
        """The venue cancels one of the orders that rest in it."""
        for market in self.driver.exchange.markets.values():
            resting = sorted(market.orders)
            if resting:
                self.seen["dropped"] += 1
                order_id = self.chance.choice(resting)
                self.driver._execute(cmd.Cancel(order_id, market.instrument.symbol), time_ms)
                self.driver._pump()
                return

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def trouble(prepared: Any, troubles: Troubles) -> Troubled:
    """Let troubles loose on a run that is about to begin."""
    driver, chance = prepared.driver, random.Random(troubles.seed)
    troubled = driver.engine = Troubled(driver.engine, driver, troubles, chance)
    driver.exchange.submit = troubled.submit
    for _ in range(troubles.drops):
        driver._agenda.add(chance.randint(START_MS + DAY_MS, END_MS - CALM_MS), VENUE_PHASE, troubled.drop)
    for minutes, bot, word in troubles.words:
        event = ev.OperatorCommand(START_MS + minutes * MINUTE_MS, bot, word, "whatever")
        driver._agenda.add(event.time_ms, OPERATOR_PHASE, lambda _, event=event: driver._step(event))
    return troubled


def check_plans_and_wants(prepared: Any, account: Any) -> None:
    """Every one ends once, by one reason, or is open at the end; a want that has simply gone has been traded."""
    records = prepared.driver.records
    granted = sum(record[0] == "plan_granted" for record in records)
    closed = Counter(record[2] for record in records if record[0] == "plan_closed")
    assert set(closed.values()) <= {1}
    assert not set(closed) & set(account.plans)
    assert set(closed) | set(account.plans) == set(range(1, granted + 1))
    wants = sum(record[0] == "want_granted" for record in records)
    ended = Counter(record[2] for record in records if record[0] == "want_ended")
    assert set(ended.values()) <= {1}
    open_now = {want.id for plan in account.plans.values() for want in plan.wants.values()}
    assert not set(ended) & open_now
    of_order = {record[2]: record[3] for record in records if record[0] == "order_submitted"}
    traded = {of_order[record[2]] for record in records if record[0] == "filled"}
    assert set(range(1, wants + 1)) - set(ended) - open_now <= traded
    assert all(record[-1] for record in records if record[0] in ("plan_closed", "want_ended"))


def check_open_ends(prepared: Any, account: Any) -> None:
    """Open at the end is what rests at the venue, or is held back for a reason and waits for something to change."""
    resting = {order_id for market in prepared.driver.exchange.markets.values() for order_id in market.orders}
    for plan in account.plans.values():
        assert plan.wants or plan.live_orders
        for want in plan.wants.values():
            if want.status is WantStatus.BLOCKED:
                assert want.reason
                assert want.retry.value != "never"
            else:
                assert want.status is WantStatus.OPEN
                assert want.order is not None
    assert set(account.orders) == resting


def check_transitions(prepared: Any, engine: Any, troubles: Troubles) -> None:
    """Each ends, at the latest soon after its deadline; those at the end of the run may be under way."""
    begun: dict[str, int] = {}
    for record in prepared.driver.records:
        if record[0] == "transition_began":
            assert record[2] not in begun
            begun[record[2]] = record[6]
        elif record[0] == "transition_ended":
            due_ms = begun.pop(record[2])
            assert record[1] <= due_ms + 12 * troubles.delay_ms + 12 * HOUR_MS
    for bot, due_ms in begun.items():
        assert engine.director.pairs[bot].memory.state.is_locked
        assert due_ms > END_MS - CALM_MS


def check_halts(prepared: Any, engine: Any) -> None:
    """Each reaches the operator, whatever transitions were under way; while one is on no pair is locked."""
    stages = [(r[1], r[2]) for r in prepared.driver.records if r[0] == "halt_changed"]
    follows = {"FREEZE": {"CLOSE"}, "CLOSE": {"AWAIT_ACK"}, "AWAIT_ACK": {"", "CLOSE"}, "": {"FREEZE"}}
    assert all(after in follows[before] for (_, before), (_, after) in pairwise(stages))
    if stages and stages[-1][1] in ("FREEZE", "CLOSE"):
        raise AssertionError(f"the halt is stuck in {stages[-1]}")
    if engine.halting.is_on:
        assert not engine.account.orders
        assert not engine.director.moving


TURNED_OVER = Troubles(1661, refused=0.0, late=0.3, delay_ms=5 * HOUR_MS, drops=54, market="linear", words=[])
"""Fills that were told late turned over the position of a strategy that let go; its orders were then adding to it."""

STOP_FIRST = Troubles(281, refused=0.0, late=0.02, delay_ms=5 * HOUR_MS, drops=3, market="linear", words=[])
"""A stop came to life with an entry whose fill was told hours later; in between the strategy had to let go."""


@SLOW
@given(troubles=TROUBLES)
@example(troubles=TURNED_OVER)
@example(troubles=STOP_FIRST)
def test_everything_ends_once_and_by_a_reason(
    watched: Any, portfolio: Any, made: Any, troubles: Troubles
) -> None:
    simulation = {"balance": 10_000, "acknowledge_halt_after_hours": 20}
    market = {"market": troubles.market, "leverage": 3 if troubles.market == "linear" else 1}
    config = portfolio(TWO, market, risk_modes=MODES, simulation=simulation)
    candles = made(TWO, days=DAYS, seed=troubles.seed)
    chance = random.Random(troubles.seed)
    prepared = watched(
        config,
        candles,
        restart_at=lambda _: chance.random() < 0.005,
        before=lambda prepared: trouble(prepared, troubles),
    )
    engine = prepared.driver.engine.present
    check_plans_and_wants(prepared, engine.account)
    check_open_ends(prepared, engine.account)
    check_transitions(prepared, engine, troubles)
    check_halts(prepared, engine)

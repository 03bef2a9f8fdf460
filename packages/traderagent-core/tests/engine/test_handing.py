"""Positions that go from one strategy of a pair to the next: no order, no moment unprotected, nothing lost."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core.account.account import Account
from traderagent_core.account.ledger import Ledger
from traderagent_core.contract.strategy import Release
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.setup import BotSetup, EngineSetup, Limits, PairSetup
from traderagent_core.engine.snapshot import restore, snapshot
from traderagent_core.engine.standing import Standing
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import At, AverageTimes, Fixed, Held, Leg, Plan, Stop
from traderagent_core.model.position import money_context
from traderagent_core.model.regime import Regime
from traderagent_core.model.regime_reading import RegimeReading
from traderagent_core.testing.scripted import (
    BOT,
    LINEAR,
    START_MS,
    Callback,
    Does,
    FixedView,
    Puppet,
    ScriptedVenue,
)

D = Decimal
HEIR = "heir"
FIRST, NEXT = Regime.TIGHT_RANGE, Regime.BULL_TREND
TIMEOUT_MS = 7_200_000


class RegimeView(FixedView):
    """A view whose regime a test changes."""

    known = FIRST

    def regime(self, symbol: str) -> RegimeReading:  # type: ignore[override]
        return RegimeReading(self.known, START_MS, 1.0, 1.0, 1.0, 1.0)


class ScriptedPair(ScriptedVenue):
    """Two strategies that take turns: the first is the bot of ScriptedVenue, the second its heir."""

    def __init__(
        self,
        first: Mapping[str, Callback],
        heir: Mapping[str, Callback],
        placement: Any = "engine",
        limits: Limits = Limits(),  # noqa: B008
    ) -> None:
        super().__init__(first, LINEAR, placement=placement)
        self.view = RegimeView(D(100))
        self._doings = {BOT: Does(first), HEIR: Does(heir)}
        self._asked = (placement, limits)
        self.engine = self._build()

    def _build(self) -> Engine:
        placement, limits = self._asked
        self.puppets = {name: Puppet(does) for name, does in self._doings.items()}
        bots = tuple(
            BotSetup(name, "puppet", puppet, LINEAR, "1h", D(10_000), limits=limits, stop_placement=placement)
            for name, puppet in self.puppets.items()
        )
        routes = {regime: (HEIR if regime is NEXT else BOT,) for regime in Regime}
        pair = PairSetup("pair", LINEAR.symbol, (BOT, HEIR), routes, TIMEOUT_MS)
        return Engine(EngineSetup(bots, D(10_000), pairs=(pair,)), self.view)

    def begin(self) -> "ScriptedPair":
        for name in self.puppets:
            self.step(ev.OperatorCommand(self.now_ms, name, "start", ""))
        return self

    def change(self, regime: Regime = NEXT) -> list[cmd.Command]:
        self.view.known = regime  # type: ignore[attr-defined]
        return self.close_candle()

    def restart(self) -> None:
        """Save everything, throw it away and take it back, with a fold of all records beside it."""
        saved = json.loads(json.dumps(snapshot(self.engine)))
        self.engine = self._build()
        restore(self.engine, saved)
        folded = Account()
        with money_context():
            folded.fold(self.records)
        for key, ledger in self.account.ledgers.items():
            assert numbers(folded.ledger(*key)) == numbers(ledger)

    def holds(self, name: str) -> tuple[Decimal, Decimal]:
        ledger = self.account.ledger(name, self.symbol)
        return ledger.quantity, ledger.average_price

    def slot(self, name: str, slot: str) -> Any:
        return self.account.slots[name, slot].order

    @property
    def outcomes(self) -> list[str]:
        return [record[4] for record in self.told("transition_ended")]


def numbers(ledger: Ledger) -> tuple[Any, ...]:
    position = ledger.position
    return position.quantity, position.cost, position.realized_pnl, position.closed, ledger.fees, ledger.flow


def deal(stop: Stop | None = Stop(long=At(D(90)))) -> Plan:  # noqa: B008
    buy = Leg("in", "in", Side.BUY, Purpose.ENTRY, Fixed(D(2)), At(D(100)), ("tp",))
    sell = Leg("tp", "tp", Side.SELL, Purpose.TAKE_PROFIT, Held(), AverageTimes(D("1.1")))
    return Plan("deal", (buy, sell), ("in",), stop)


def giver(stop: Stop | None = Stop(long=At(D(90)))) -> dict[str, Callback]:  # noqa: B008
    return {
        "on_start": lambda context: context.enter(deal(stop)),
        "on_release": lambda *_: Release.HAND_OVER,
    }


def taker(**more: Callback) -> dict[str, Callback]:
    return {"takes_over": lambda *_: True, **more}


def bought(first: Any = None, heir: Any = None, **named: Any) -> ScriptedPair:
    """A pair whose first strategy has bought 2 at 100 and sells them at 110."""
    pair = ScriptedPair(
        giver() if first is None else first, taker() if heir is None else heir, **named
    ).begin()
    pair.fill("in", fee=D("0.2"))
    return pair


def test_a_position_moves_once_the_venue_has_confirmed_that_all_orders_are_gone() -> None:
    pair = bought()
    assert pair.wished(cmd.Submit)[-1].request.price == 110
    sent = pair.change()
    assert [type(each) for each in sent].count(cmd.Cancel) == 1
    assert pair.holds(BOT) == (2, 100)
    commands = pair.cancel("tp")
    assert not [each for each in commands if isinstance(each, cmd.Submit)]
    assert pair.told("ledger_handed_over") == [(BOT, pair.symbol, HEIR, D(2), D(100))]
    assert pair.holds(BOT) == (0, 0)
    assert pair.holds(HEIR) == (2, 100)
    assert pair.outcomes == ["handed over"]
    assert pair.puppets[BOT].said("on_closed") == [("handed_over",)]
    assert pair.puppets[HEIR].said("on_take_over") == [()]
    assert not pair.puppets[HEIR].said("on_start")


def test_nothing_is_paid_and_realised_money_stays_where_it_arose() -> None:
    pair = bought()
    pair.fill("tp", "0.5")
    pair.view.last_price = D(80)
    pair.change()
    pair.cancel("tp")
    first, heir = (pair.account.ledger(name, pair.symbol) for name in (BOT, HEIR))
    assert (first.realized_pnl, first.fees, first.position.closed) == (D(5), D("0.2"), 0)
    assert numbers(heir)[:4] == (D("1.5"), D(150), 0, 0)
    assert pair.told("transition_ended")[0][5:] == (0, 0)
    assert pair.account.net_quantity(pair.symbol) == D("1.5")


def test_the_stop_of_the_heir_stands_before_the_old_one_goes() -> None:
    pair = bought()
    pair.change()
    commands = pair.cancel("tp")
    stops = [each for each in commands if isinstance(each, cmd.Watch | cmd.Unwatch) and each.name == "~stop"]
    assert [(type(each), each.owner) for each in stops] == [(cmd.Watch, HEIR), (cmd.Unwatch, BOT)]
    assert stops[0].price == 90  # type: ignore[union-attr]
    pair.view.last_price = D(89)
    pair.step(ev.WatchCrossed(pair.now_ms, HEIR, "~stop", 89.0))
    pair.fill(pair.slot(HEIR, "exit").client_order_id)
    assert pair.puppets[HEIR].said("on_closed") == [("stop_loss",)]
    assert pair.account.net_quantity(pair.symbol) == 0


def test_a_plan_of_the_heir_brings_its_own_stop() -> None:
    sell = Leg("out", "out", Side.SELL, Purpose.TAKE_PROFIT, Held(), AverageTimes(D("1.05")))
    plan = Plan("mine", (sell,), ("out",), Stop(long=AverageTimes(D("0.8"))))
    pair = bought(heir=taker(on_take_over=lambda context: context.enter(plan)))
    pair.change()
    pair.cancel("tp")
    assert pair.engine.members[HEIR].stop.price == 80
    assert pair.slot(HEIR, "out").price == 105


def test_a_stop_ratio_of_the_bot_is_not_frozen_where_it_stood() -> None:
    pair = bought(giver(None), limits=Limits(stop_loss_ratio=D("0.2")))
    pair.change()
    pair.cancel("tp")
    assert pair.engine.members[HEIR].stop.rule is None
    assert pair.engine.members[HEIR].stop.price == 80


# -- nobody takes it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [lambda *_: False, lambda *_: 1 / 0])
def test_what_is_declined_keeps_its_closing_orders(answer: Callback) -> None:
    pair = bought(heir={"takes_over": answer})
    assert not [each for each in pair.change() if isinstance(each, cmd.Cancel)]
    assert pair.engine.members[BOT].standing is Standing.LEAVING
    pair.fill("tp")
    assert pair.outcomes == ["wound down"]
    assert pair.puppets[HEIR].said("on_start") == [()]


def test_a_question_changes_nothing() -> None:
    def asks(context: Any, position: Any) -> bool:
        context.exit("now")
        pair.puppets[HEIR].set_state("changed")
        return bool(position.quantity == 2)

    pair = bought(heir={"takes_over": asks})
    state = pair.puppets[HEIR].state
    pair.change()
    assert pair.puppets[HEIR].state is state
    assert not pair.requests("exit")
    assert pair.puppets[HEIR].said("takes_over")


def test_an_heir_that_is_paused_is_not_asked() -> None:
    pair = bought()
    pair.step(ev.OperatorCommand(pair.now_ms, HEIR, "pause", ""))
    pair.change()
    assert not pair.puppets[HEIR].said("takes_over")
    assert not pair.account.orders[pair.order_id("tp")].is_canceling


def test_an_heir_that_thinks_better_of_it_has_the_position_closed() -> None:
    answers = iter([True, False])
    pair = bought(heir={"takes_over": lambda *_: next(answers)})
    pair.change()
    pair.cancel("tp")
    assert not pair.told("ledger_handed_over")
    pair.fill("exit")
    assert pair.outcomes == ["wound down"]


def test_winding_down_closes_at_once() -> None:
    pair = bought({**giver(), "on_release": lambda *_: Release.WIND_DOWN})
    pair.change()
    pair.cancel("tp")
    pair.fill("exit")
    assert pair.outcomes == ["wound down"]


# -- what happens in between ----------------------------------------------------------------------------------


def test_a_fill_that_wins_the_race_is_the_old_ones() -> None:
    pair = bought()
    pair.change()
    pair.fill("tp", "0.5")
    pair.cancel("tp")
    assert pair.told("ledger_handed_over") == [(BOT, pair.symbol, HEIR, D("1.5"), D(100))]
    assert pair.account.ledger(BOT, pair.symbol).realized_pnl == 5


def test_a_position_that_is_gone_before_it_moves_was_wound_down() -> None:
    pair = bought()
    pair.change()
    pair.fill("tp")
    assert not pair.told("ledger_handed_over")
    assert pair.outcomes == ["wound down"]


def test_a_stop_that_is_reached_before_it_moves_closes_it() -> None:
    pair = bought()
    pair.change()
    pair.watch("~stop", 89)
    pair.cancel("tp")
    assert not pair.told("ledger_handed_over")
    pair.fill("exit")
    assert pair.puppets[BOT].said("on_closed") == [("stop_loss",)]
    assert pair.outcomes == ["wound down"]


def test_the_time_out_forces_what_the_venue_does_not_confirm() -> None:
    pair = bought()
    pair.change()
    pair.now_ms += TIMEOUT_MS
    pair.timer("~transition")
    pair.cancel("tp")
    assert pair.sent[pair.order_id("exit")].is_forced
    pair.fill("exit")
    assert pair.outcomes == ["forced"]


def test_a_halt_closes_what_was_to_move() -> None:
    pair = bought()
    pair.change()
    pair.step(ev.OperatorCommand(pair.now_ms, "*", "halt", "test"))
    assert pair.outcomes == ["aborted"]
    pair.cancel("tp")
    pair.fill("exit")
    assert not pair.told("ledger_handed_over")
    assert pair.account.net_quantity(pair.symbol) == 0
    assert [record[0] for record in pair.told("halt_changed")] == ["FREEZE", "CLOSE", "AWAIT_ACK"]


@pytest.mark.parametrize("restart_after", range(4))
def test_a_restart_in_the_middle_changes_nothing(restart_after: int) -> None:
    pair = bought()
    for number, act in enumerate((pair.change, lambda: pair.fill("tp", "0.5"), lambda: pair.cancel("tp"))):
        if number == restart_after:
            pair.restart()
        act()
    pair.restart()
    assert pair.holds(HEIR) == (D("1.5"), 100)
    assert pair.engine.members[HEIR].standing is Standing.OWNER
    assert pair.engine.members[HEIR].stop.price == 90


# -- stops that are orders ------------------------------------------------------------------------------------


def moved(placement: str = "resting") -> ScriptedPair:
    """A pair whose position has moved while the stop of the heir is still on its way."""
    pair = bought(placement=placement)
    pair.accept("stop")
    pair.change()
    pair.cancel("tp")
    return pair


def test_a_resting_stop_stays_until_the_new_one_is_there() -> None:
    pair = moved()
    assert pair.slot(HEIR, "stop").price == 90
    old, new = pair.slot(BOT, "stop"), pair.slot(HEIR, "stop")
    assert not old.is_canceling
    pair.accept(new.client_order_id)
    assert old.is_canceling
    pair.cancel(old.client_order_id)
    assert {plan.bot for plan in pair.account.plans.values()} == {HEIR}


def test_a_new_stop_that_is_refused_is_watched_and_the_old_one_stays() -> None:
    pair = moved()
    pair.reject(pair.slot(HEIR, "stop").client_order_id, "rate_limited")
    assert [each.owner for each in pair.wished(cmd.Watch) if each.name == "~stop"] == [HEIR]
    assert not pair.slot(BOT, "stop").is_canceling


@pytest.mark.parametrize("is_restarted", [False, True])
@pytest.mark.parametrize("parts", [("2",), ("0.5", "1.5")])
def test_an_old_stop_that_trades_late_closes_the_position_of_the_heir(
    parts: tuple[str, ...], is_restarted: bool
) -> None:
    pair = moved()
    old = pair.slot(BOT, "stop").client_order_id
    if is_restarted:
        pair.restart()
    for part in parts:
        pair.fill(old, part, 89)
    assert pair.holds(BOT) == (0, 0)
    assert pair.holds(HEIR) == (0, 0)
    assert pair.account.ledger(HEIR, pair.symbol).realized_pnl == -22
    new = pair.slot(HEIR, "stop")
    assert new.is_canceling
    pair.cancel(new.client_order_id)
    assert pair.puppets[HEIR].said("on_closed") == [("stop_loss",)]
    assert not pair.requests("exit")
    assert not pair.account.orders
    assert not pair.account.plans
    pair.restart()


def test_an_old_stop_ends_though_less_was_left_than_it_was_for() -> None:
    leg = Leg("out", "out", Side.SELL, Purpose.TAKE_PROFIT, Fixed(D(1)), At(D(101)))
    plan = Plan("mine", (leg,), ("out",))
    pair = bought(heir=taker(on_take_over=lambda context: context.enter(plan)), placement="resting")
    pair.accept("stop")
    pair.change()
    pair.cancel("tp")
    pair.fill(pair.slot(HEIR, "out").client_order_id)
    pair.fill(pair.slot(BOT, "stop").client_order_id, 1, 89)
    assert pair.account.net_quantity(pair.symbol) == 0
    pair.cancel(pair.slot(HEIR, "stop").client_order_id)
    assert not pair.account.orders


def test_a_position_that_comes_back_at_once_keeps_one_stop() -> None:
    pair = bought(
        {**giver(), **taker()}, {**taker(), "on_release": lambda *_: Release.HAND_OVER}, placement="resting"
    )
    pair.accept("stop")
    pair.change()
    pair.cancel("tp")
    pair.change(FIRST)
    assert pair.holds(BOT) == (2, 100)
    new = pair.slot(HEIR, "stop")
    assert new.is_canceling
    pair.cancel(new.client_order_id)
    assert [order.want.plan.bot for order in pair.account.orders.values()] == [BOT]


# -- money ----------------------------------------------------------------------------------------------------

PRICES = st.decimals("0.0001", "90000", places=4)
TRADES = st.lists(st.tuples(st.decimals("-50", "50", places=3).filter(bool), PRICES), min_size=1, max_size=8)


@given(own=TRADES, other=TRADES | st.just([]), mark=PRICES)
def test_handing_over_conserves_money_to_the_last_digit(own: Any, other: Any, mark: Decimal) -> None:
    with money_context():
        first, heir = Ledger("a", "AAA/USDT"), Ledger("b", "AAA/USDT")
        for ledger, trades in ((first, own), (heir, other)):
            for signed, price in trades:
                ledger.trade(signed, price)
        quantity, average, realized = first.quantity, first.average_price, first.realized_pnl
        held, closed = heir.quantity, first.position.closed
        flow, profit = first.flow + heir.flow, first.profit(mark) + heir.profit(mark)
        first.hand_over(heir, quantity, average)
        assert (first.quantity, first.position.cost, first.position.closed) == (0, 0, closed)
        traded = sum(abs(signed * price) for signed, price in own)
        assert abs(first.realized_pnl - realized) <= traded * D("1e-15")  # The average has 16 digits.
        assert heir.quantity == held + quantity
        assert first.flow + heir.flow == flow
        assert first.profit(mark) + heir.profit(mark) == profit
        if not held:
            assert heir.average_price == average

"""Single legs that a strategy places beside its plans are rounded, checked and sized as plans are."""

from decimal import Decimal

import pytest
from traderagent_core.contract.strategy import Strategy
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import At, Fixed, Held, Leg, Plan
from traderagent_core.testing.harness import run_strategy
from traderagent_core.testing.markets import market

SPOT = Instrument("BTC/USDT", min_notional=Decimal(5), lot_size=Decimal("0.0001"))
LINEAR = Instrument("BTC/USDT", Market.LINEAR, min_notional=Decimal(5), lot_size=Decimal("0.0001"))
FAR = At(Decimal("900.12345"))


def out(quantity, price=FAR):
    return Leg("out", "out", Side.SELL, Purpose.EXIT, quantity, price)


class BuysAndPlaces(Strategy):
    """Buys one unit at the market; on its fill places what the configuration says, one after the other."""

    def on_start(self, context):
        leg = Leg("in", "in", Side.BUY, Purpose.ENTRY, Fixed(Decimal(1)))
        context.enter(Plan("deal", (leg,), ("in",)))

    def on_fill(self, context, fill, slot, *, is_complete):
        for leg in self.config["legs"] if slot == "in" else ():
            context.place(leg)
        if slot == "in":
            context.set_timer("end", context.now_ms + 7_200_000)

    def on_timer(self, context, timer):
        context.exit("end")

    def on_order(self, context, news):
        context.note(f"{news.what}:{news.slot}:{news.reason}")


def run_with(*legs, instrument=SPOT):
    return run_strategy(BuysAndPlaces, {"legs": legs}, market("ranging", rows=50), instrument)


def placed(run):
    return [asked.request for asked in run.exchange.asked if "-out-" in asked.request.client_order_id]


def test_price_and_quantity_are_rounded():
    (order,) = placed(run_with(out(Fixed(Decimal("0.123456")))))
    assert (order.price, order.quantity) == (Decimal("900.13"), Decimal("0.1234"))


@pytest.mark.parametrize("bad", [Decimal("NaN"), Decimal(-1), Decimal(0)])
def test_impossible_numbers_fail_the_callback(bad):
    for leg in (out(Held(), At(bad)), out(Fixed(bad))):
        run = run_with(leg)
        assert not placed(run)
        assert "expected a positive number" in run.failures[0][4]


def test_too_small_leg_is_not_sent_and_told_and_does_not_hold_up_the_exit():
    run = run_with(out(Fixed(Decimal("0.0001"))))
    assert not placed(run)
    assert "blocked:out:below_minimum" in {record[3] for record in run.of("noted")}
    assert run.exchange.markets["BTC/USDT"].position.quantity == 0


def test_reduce_only_leg_has_no_minimum():
    (order,) = placed(run_with(out(Fixed(Decimal("0.0001"))), instrument=LINEAR))
    assert order.reduce_only


def test_leg_takes_the_place_of_what_its_slot_wanted():
    run = run_with(out(Fixed(Decimal("0.5"))), out(Held()))
    assert [order.quantity for order in placed(run)][-1] == 1
    assert "replaced" in {record[3] for record in run.of("want_ended")}
    assert not run.engine.account.plans
    assert run.exchange.markets["BTC/USDT"].position.quantity == 0

"""Legs priced from the fill of a named leg, and the count of what was bought."""

from decimal import Decimal as D

import pytest
from traderagent_core.contract.strategy import Strategy
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import AverageTimes, FillTimes, Fixed, Held, Leg, Plan
from traderagent_core.testing.harness import run_strategy
from traderagent_core.testing.markets import market

SPOT = Instrument("BTC/USDT", min_notional=D(5), lot_size=D("0.0001"))
LINEAR = Instrument("BTC/USDT", Market.LINEAR, min_notional=D(5), lot_size=D("0.0001"))


class Chain(Strategy):
    """A base order and two more in a chain, both priced from the base; all is closed at a gain."""

    def on_start(self, context):
        side, step = (Side.BUY, D("-0.01")) if self.config["long"] else (Side.SELL, D("0.01"))
        legs = [
            Leg("base", "base", side, Purpose.ENTRY, Fixed(self.config["quantity"]), then=("one", "out")),
            Leg("one", "one", side, Purpose.SAFETY, Fixed(D(1)), FillTimes(1 + step, "base"), then=("two",)),
            Leg("two", "two", side, Purpose.SAFETY, Fixed(D(1)), FillTimes(1 + 2 * step, "base")),
            Leg(
                "out",
                "out",
                side.opposite,
                Purpose.TAKE_PROFIT,
                Held(),
                AverageTimes(1 - 10 * step),
                closes=True,
            ),
        ]
        context.enter(Plan("chain", tuple(legs), ("base",)))

    def on_verdict(self, context, plan, verdict):
        context.note(verdict.reason or "granted", **verdict.evidence)


def run_chain(budget=D(10_000), quantity=D(1), is_long=True, instrument=SPOT):
    config = {"quantity": quantity, "long": is_long}
    return run_strategy(Chain, config, market("falling" if is_long else "rising"), instrument, budget=budget)


@pytest.mark.parametrize("is_long", [True, False])
def test_a_chained_leg_is_priced_from_the_leg_it_names(is_long):
    run = run_chain(is_long=is_long, instrument=LINEAR)
    assert not run.failures
    prices = {record[3]: record[6] for record in run.of("want_granted")}
    base = next(record[4] for record in run.of("filled"))
    side = Side.BUY if is_long else Side.SELL
    sign = -1 if is_long else 1
    assert prices["one"] == LINEAR.limit_price(side, base * (1 + sign * D("0.01")))
    assert prices["two"] == LINEAR.limit_price(side, base * (1 + sign * D("0.02")))


@pytest.mark.parametrize(("share", "is_granted"), [("2.971", True), ("2.969", False)])
def test_a_judge_expects_it_at_the_named_price(share, is_granted):
    # One at the market, one at 99 % and one at 98 % of it: 2.97 times the price at the start.
    price = run_chain().of("filled")[0][4]
    run = run_chain(budget=price * D(share))
    assert bool(run.of("plan_granted")) is is_granted
    assert [record[4] for record in run.of("plan_rejected")] == ([] if is_granted else ["over_budget"])


def test_what_was_bought_is_counted():
    run = run_chain(is_long=True, instrument=LINEAR)
    ledger = run.engine.members["bot"].ledger
    legs = {record[2]: record[3] for record in run.of("order_submitted")}
    bought = [
        (record[4], record[5])
        for record in run.of("filled")
        if "-out-" not in record[2] and "-exit-" not in record[2] and record[2] in legs
    ]
    assert ledger.bought_quantity == sum(quantity for _, quantity in bought)
    assert ledger.bought_notional == sum(price * quantity for price, quantity in bought)


def test_a_name_that_no_leg_has_is_refused():
    class Wrong(Strategy):
        def on_start(self, context):
            legs = (
                Leg("a", "a", Side.BUY, Purpose.ENTRY, Fixed(D(1)), then=("b",)),
                Leg("b", "b", Side.BUY, Purpose.SAFETY, Fixed(D(1)), FillTimes(D("0.9"), "c")),
            )
            context.enter(Plan("wrong", legs, ("a",)))

    run = run_strategy(Wrong, None, market("flat", rows=20), SPOT)
    assert "refers to legs that it does not have: c" in run.failures[0][4]

"""What is told of a finished run: positions with their stops and excursions, verdicts, exhibits."""

from decimal import Decimal as D
from itertools import count, pairwise

import pytest
from traderagent_core import generate_candles, load_config, simulate
from traderagent_core.simulator import study

PLUGIN = '''
from decimal import Decimal
from itertools import count

from pydantic import BaseModel, ConfigDict
from traderagent_core import (
    At, AverageTimes, Band, BreakEven, Column, EntryFilter, EntryFilterSpec, Exhibit, Fixed, Held, Layer, Leg, Needs,
    Plan, Purpose, Ruling, Side, Stop, Strategy, StrategySpec, Table, Trail, Verdict, Wake, hookimpl,
)

CALLS = count()


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    every: int = 50
    is_broken: bool = False
    is_random: bool = False


class Probe(Strategy):
    """Buys in two steps at every so many candles; sells at a gain, at a trailing stop, or at a stop."""

    @classmethod
    def needs(cls, config):
        return Needs(wake=Wake.EVERY_CANDLE, fills=False)

    def on_start(self, context):
        pass

    def on_candle(self, context, candle):
        if candle.open_time // 300_000 % self.config.every or context.position.quantity:
            return
        if self.config.is_random:
            context.note("call", number=next(CALLS))
        price, size = context.price, context.instrument.round_quantity(100 / context.price)
        buy = Leg("base", "base", Side.BUY, Purpose.ENTRY, Fixed(size), then=("more", "out"))
        more = Leg("more", "more", Side.BUY, Purpose.SAFETY, Fixed(size), At(price * Decimal("0.995")))
        out = Leg("out", "out", Side.SELL, Purpose.TAKE_PROFIT, Held(), AverageTimes(Decimal("1.02")), closes=True)
        trail = Trail(Decimal("0.004"), Decimal("0.006"), Decimal("0.001"), 0)
        stop = Stop(long=AverageTimes(Decimal("0.985")), trail=trail, break_even=BreakEven(Decimal("0.003")))
        context.enter(Plan("probe", (buy, more, out), ("base",), stop, {"price": price}))

    def exhibit(self, history):
        if self.config.is_broken:
            raise RuntimeError("no table today")
        rows = [(trip.number, trip.opened_ms, trip.net_profit) for trip in history.round_trips]
        columns = (Column("number", "No"), Column("opened", "Opened", "time"), Column("net", "Net", "money"))
        series = history.candles("BTC/USDT", "1h")
        band = Band(int(series.open_time[0]), history.end_ms, float(series.low.min()), float(series.high.max()))
        layer = Layer("Range", "BTC/USDT", bands=(band,))
        return Exhibit((Table("positions", "Positions", columns, rows),), (layer,))


class Odd(EntryFilter):
    """Refuses plans at odd hours."""

    def judge(self, plan, view, symbol):
        hour = view.last(symbol, "5m").open_time // 3_600_000 % 24
        ruling, reason = (Ruling.REJECT, "odd") if hour % 2 else (Ruling.ACCEPT, "even")
        return Verdict(ruling, reason, evidence={"hour": hour})

    def exhibit(self, history):
        columns = (Column("ruling", "Ruling"), Column("granted", "Granted"), Column("number", "Position", "count"))
        rows = [
            (each.verdict.ruling.value, each.is_granted, each.round_trip and each.round_trip.number)
            for each in history.verdicts
        ]
        return Exhibit((Table("verdicts", "Verdicts", columns, rows),))


@hookimpl
def traderagent_strategies():
    yield StrategySpec("probe", "Buys and sells.", Config, Probe)


@hookimpl
def traderagent_entry_filters():
    yield EntryFilterSpec("odd", "Refuses plans at odd hours.", Config, Odd)
'''
CANDLES = generate_candles(symbol="BTC/USDT", timeframe="5m", rows=6000, seed=3, start_ms=0, price=30000.0)


@pytest.fixture
def run(tmp_path):
    (tmp_path / "probe.py").write_text(PLUGIN)

    def simulated(*, filters=(), market="spot", candles=CANDLES, **section):
        content = {
            "plugins": [str(tmp_path / "probe.py")],
            "bots": [
                {"name": "one", "symbol": "BTC/USDT", "strategy": "probe", "market": market, "timeframe": "5m",
                 "probe": section}
            ],
            "filters": {name: {} for name in filters},
            "simulation": {
                "balance": "10000",
                "maker_fee": "0.001",
                "taker_fee": "0.001",
                "instruments": {"BTC/USDT": {"tick_size": "0.01", "lot_size": "0.000001"}},
            },
        }  # fmt: skip
        return simulate(load_config(content), candles).outcome

    return simulated


def test_positions_hold_every_fill_and_add_up_to_the_money(run):
    outcome = run()
    trips = outcome.study.round_trips
    assert len(trips) > 20
    assert [trip.number for trip in trips] == list(range(1, len(trips) + 1))
    assert all(a.closed_ms <= b.opened_ms for a, b in pairwise(trips))
    bought = [fill for fill in outcome.fills if fill.side == "BUY"]
    assert sum(trip.invested for trip in trips) == sum(fill.price * fill.quantity for fill in bought)
    assert sum(trip.entries for trip in trips) == len(bought)
    assert sum(trip.fees for trip in trips) == sum(fill.fee for fill in outcome.fills)
    open_value = sum(
        trip.quantity * outcome.money[0].last_price - trip.invested
        for trip in trips[-1:]
        if not trip.closed_ms
    )
    assert sum(trip.net_profit for trip in trips) + open_value == outcome.final_equity - 10_000
    assert {trip.reason for trip in trips if trip.closed_ms} == {"stop_loss", "take_profit"}


def test_average_steps_down_with_each_entry(run):
    for trip in run().study.round_trips:
        assert len(trip.averages) == trip.entries
        assert trip.averages[0][0] == trip.opened_ms
        assert trip.averages[-1][1] == pytest.approx(trip.entry_price, rel=D("1e-15"))
        assert all(a[1] > b[1] for a, b in pairwise(trip.averages))


def test_excursions_are_those_of_the_candles_inside(run):
    for trip in run().study.round_trips:
        end = trip.closed_ms or int(CANDLES.open_time[-1]) + 300_000
        prices = [trip.entry_price] + [trip.exit_price] * (trip.exit_price is not None)
        for index in range(len(CANDLES)):
            start, close = int(CANDLES.open_time[index]), int(CANDLES.open_time[index]) + 300_000
            if start >= trip.opened_ms and close <= end:
                prices += [D(repr(float(CANDLES.high[index]))), D(repr(float(CANDLES.low[index])))]
            elif start < trip.opened_ms < close <= end:
                prices.append(D(repr(float(CANDLES.close[index]))))
        assert (trip.mfe, trip.mae) == (max(prices) - trip.entry_price, trip.entry_price - min(prices))


def test_a_stop_that_the_engine_holds_is_told_as_one_that_rests_at_the_venue(run):
    held, resting = run().study.round_trips, run(market="linear").study.round_trips
    assert len(held) == len(resting)
    assert sum(len(trip.stops) > 2 for trip in held) > 5
    for one, other in zip(held, resting, strict=True):
        assert [price for _, price in one.stops] == [price for _, price in other.stops]
        assert one.stops[0][0] == one.opened_ms


def test_stops_only_tighten_but_for_a_new_average(run):
    for trip in run().study.round_trips:
        after = [price for time, price in trip.stops if time > trip.averages[-1][0] and price is not None]
        assert after == sorted(after)


def test_targets_are_told_where_they_rested(run):
    outcome = run()
    for trip in outcome.study.round_trips:
        rested = [
            (row.from_ms, row.price)
            for row in outcome.levels
            if row.purpose == "TAKE_PROFIT" and trip.opened_ms <= row.from_ms < (trip.closed_ms or 1 << 62)
        ]
        assert list(trip.targets) == rested
        assert len(rested) == trip.entries
        assert all(
            price == (average * D("1.02")).quantize(D("0.01"), "ROUND_CEILING")
            for (_, price), (_, average) in zip(trip.targets, trip.averages, strict=True)
        )


def test_every_verdict_is_told_with_what_became_of_it(run):
    outcome = run(filters=["odd"])
    [table] = outcome.study.exhibits[1].exhibit.tables
    rejected = [row for row in table.rows if row[0] == "REJECT"]
    assert len(rejected) == sum(row.what == "plan rejected" for row in outcome.decisions) > 5
    assert all(row[1:] == (False, None) for row in rejected)
    numbers = [row[2] for row in table.rows if row[0] == "ACCEPT"]
    assert numbers == [trip.number for trip in outcome.study.round_trips]


def test_exhibits_are_made_once_and_only_when_asked_for(run, monkeypatch):
    calls, read = count(), study.round_trips
    monkeypatch.setattr(study, "round_trips", lambda *given: (next(calls), read(*given))[1])
    outcome = run()
    assert next(calls) == 0
    assert outcome.study.exhibits is outcome.study.exhibits
    assert next(calls) == 2


def test_an_exhibit_that_fails_costs_its_own_and_is_told(run):
    outcome = run(filters=["odd"], is_broken=True)
    assert outcome.study.warnings == (
        "strategy one: exhibit of 'probe' failed: RuntimeError('no table today')",
    )
    assert [bool(shown.exhibit.tables) for shown in outcome.study.exhibits] == [False, True]


def test_a_run_that_cannot_be_repeated_is_told_as_it_was(run):
    found, usual = run(is_random=True).study, run().study
    assert found.warnings == ()
    assert [trip.stops for trip in found.round_trips] == [trip.stops for trip in usual.round_trips]
    assert any(trip.stops for trip in found.round_trips)


def test_what_a_plugin_is_given_cannot_be_written_to(run):
    outcome = run()
    history = outcome.study._history()
    with pytest.raises(ValueError, match="read-only"):
        history.candles("BTC/USDT", "1h").close[0] = 1.0

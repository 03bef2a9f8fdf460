"""What the filter shows of a run: the zones that it judged by, its verdicts, and what became of them."""

from collections import Counter
from decimal import Decimal as D
from typing import Any

import pytest
from attrs import evolve
from traderagent_core import Layer, generate_candles, load_config, simulate
from traderagent_core.simulator.outcome import Outcome
from traderagent_smc.filter import SmcFilter
from traderagent_smc.zones import Zone

STRATEGY = """
from decimal import Decimal
from pydantic import BaseModel
from traderagent_core import (
    At, Fixed, Held, Leg, Needs, Plan, Purpose, Side, Stop, Strategy, StrategySpec, Wake, hookimpl,
)


class Nothing(BaseModel):
    pass


class Eager(Strategy):
    @classmethod
    def needs(cls, config):
        return Needs(wake=Wake.EVERY_CANDLE, fills=False)

    def on_start(self, context):
        pass

    def on_candle(self, context, candle):
        price = context.price
        size = context.instrument.round_quantity(1000 / price)
        if context.position.quantity or candle.open_time // 900_000 % 5:
            return
        buy = Leg("in", "in", Side.BUY, Purpose.ENTRY, Fixed(size), then=("out",))
        out = Leg("out", "out", Side.SELL, Purpose.TAKE_PROFIT, Held(), At(price * Decimal("1.01")), closes=True)
        context.enter(Plan("eager", (buy, out), ("in",), Stop(long=At(price * Decimal("0.99")))))


@hookimpl
def traderagent_strategies():
    yield StrategySpec("eager", "Buys.", Nothing, Eager)
"""
CANDLES = generate_candles(
    symbol="BTC/USDT", timeframe="15m", rows=6000, seed=8, start_ms=900_000 * 3, price=30000.0
)
SECTION = {"timeframes": ["4h", "1h", "15m"], "swing_length": {"4h": 4, "1h": 6, "15m": 8}, "accept": 0.51}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    plugin = tmp_path_factory.mktemp("plugin") / "eager.py"
    plugin.write_text(STRATEGY)
    bot = {"name": "one", "symbol": "BTC/USDT", "strategy": "eager", "timeframe": "15m"}
    content = {"plugins": [str(plugin), "smc"], "bots": [bot], "filters": {"smc": SECTION}}
    return simulate(load_config(content), CANDLES).outcome


def rows(outcome: Outcome, name: str) -> list[dict[str, Any]]:
    assert outcome.study.warnings == ()
    [table] = [table for table in outcome.study.exhibits[1].exhibit.tables if table.name == name]
    return [dict(zip([column.name for column in table.columns], row, strict=True)) for row in table.rows]


def layer(outcome: Outcome, title: str) -> Layer:
    [found] = [each for each in outcome.study.exhibits[1].exhibit.layers if each.title == title]
    return found


def test_every_verdict_is_told_with_what_became_of_it(outcome: Outcome) -> None:
    verdicts = rows(outcome, "verdicts")
    assert Counter(each["ruling"] for each in verdicts).keys() == {"ACCEPT", "NEUTRAL", "REJECT"}
    refused = [row for row in outcome.decisions if row.what == "plan rejected"]
    told = [each for each in verdicts if each["ruling"] == "REJECT"]
    assert [each["time"] for each in told] == [row.time_ms for row in refused]
    assert [f"filter_rejected:smc:{each['reason']}" for each in told] == [row.reason for row in refused]
    trips = {trip.number: trip for trip in outcome.study.round_trips}
    granted = [each for each in verdicts if each["granted"]]
    assert [each["position"] for each in granted] == sorted(trips)
    for each in granted:
        trip = trips[each["position"]]
        assert each["time"] == trip.asked_ms
        assert each["net"] == (None if trip.closed_ms is None else trip.net_profit)


@pytest.mark.parametrize("name", ["rulings", "reasons"])
def test_statistics_are_those_of_the_verdicts(outcome: Outcome, name: str) -> None:
    verdicts = rows(outcome, "verdicts")
    statistics = rows(outcome, name)
    keys = ("ruling",) if name == "rulings" else ("ruling", "reason", "zone_kind")
    assert sum(row["verdicts"] for row in statistics) == len(verdicts)
    assert sum(row["share"] for row in statistics) == pytest.approx(1)
    for row in statistics:
        own = [each for each in verdicts if all(each[key] == row[key] for key in keys)]
        results = [each["net"] for each in own if each["net"] is not None]
        assert (row["verdicts"], row["closed"]) == (len(own), len(results))
        assert (row["won"], row["net"]) == (sum(net > 0 for net in results), sum(results, D(0)))
        if results:
            assert row["win_rate"] == row["won"] / len(results)
            assert row["mean"] == pytest.approx(row["net"] / len(results), rel=D("1e-20"))
        else:
            assert row["ruling"] == "REJECT"
            assert row["win_rate"] is None


def live_zones(outcome: Outcome, timeframe: str) -> list[Zone]:
    """The zones that the filter itself has in mind at the end."""
    asked = outcome.study._prepared.engine.setup.filters["smc"]  # type: ignore[attr-defined]
    assert isinstance(asked, SmcFilter)
    view = outcome.study._prepared.view  # type: ignore[attr-defined]
    asked.advance(view, "BTC/USDT")
    return list(asked.market("BTC/USDT").analyses[timeframe].book.alive.values())


@pytest.mark.parametrize("timeframe", ["4h", "1h", "15m"])
def test_zones_drawn_to_the_end_are_those_that_live(outcome: Outcome, timeframe: str) -> None:
    bands = [*layer(outcome, f"Order blocks {timeframe}").bands, *layer(outcome, f"Gaps {timeframe}").bands]
    open_bands = {(band.from_ms, band.low, band.high, band.tone) for band in bands if "alive" in band.text}
    live = {
        (zone.known_ms, zone.bottom, zone.top, "up" if zone.direction > 0 else "down")
        for zone in live_zones(outcome, timeframe)
    }
    assert open_bands == live
    assert len(bands) > len(open_bands)
    assert all(band.from_ms <= band.to_ms and band.low < band.high for band in bands)
    born = sum(row["born"] for row in rows(outcome, "zones") if row["timeframe"] == timeframe)
    assert born == len(bands)


def test_nothing_is_drawn_before_it_was_known(outcome: Outcome) -> None:
    for verdict in rows(outcome, "verdicts"):
        for name in filter(None, verdict["zones"].split(" ")):
            timeframe, _, kind, known_ms = name.split(":")
            bands = layer(outcome, f"{'Gaps' if kind == 'gap' else 'Order blocks'} {timeframe}").bands
            [band] = [
                band
                for band in bands
                if band.from_ms == int(known_ms) and (band.tone == "up") is ("bullish" in name)
            ][:1]
            assert band.from_ms <= verdict["time"]
            assert band.to_ms >= verdict["time"]


def test_breaks_go_from_the_swing_to_the_candle_that_broke_it(outcome: Outcome) -> None:
    closed = {int(time) + 900_000: index for index, time in enumerate(CANDLES.open_time)}
    lines = layer(outcome, "Structure 15m").lines
    assert {line.label for line in lines} == {"BOS", "CHoCH"}
    for line in lines:
        (start, level), (end, _) = line.points
        swing, breaker = closed[start], closed[end]
        assert level in (CANDLES.high[swing], CANDLES.low[swing])
        close = CANDLES.close[breaker]
        assert close > level if line.tone == "up" else close < level


def test_what_ended_before_the_run_is_left_out(outcome: Outcome) -> None:
    study = outcome.study._prepared  # type: ignore[attr-defined]
    asked = study.engine.setup.filters["smc"]
    whole = outcome.study._history()  # type: ignore[attr-defined]
    start = int(CANDLES.open_time[4000])
    late = asked.exhibit(evolve(whole, start_ms=start))
    for cut, full in zip(late.layers, asked.exhibit(whole).layers, strict=True):
        assert [band for band in full.bands if band.to_ms > start] == list(cut.bands)
        assert [line for line in full.lines if line.points[-1][0] > start] == list(cut.lines)
        assert [mark for mark in full.marks if mark.time_ms > start] == list(cut.marks)

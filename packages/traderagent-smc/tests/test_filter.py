"""Verdicts: their order, their reasons, their sizes; and that neither faults nor time change them."""

import json
import logging
from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import hypothesis.strategies as st
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from traderagent_core import DataError, Plan, Ruling, Side, Verdict
from traderagent_core.engine.codec import decode, encode
from traderagent_smc.config import CHECKPOINT_CANDLES, SmcConfig
from traderagent_smc.filter import SmcFilter
from traderagent_smc.state import Checkpoint
from traderagent_smc.zones import BLOCK, Merits, Zone

SYMBOL = "ETH/USDT"
SMALL = {"timeframes": ["4h", "1h", "15m"], "swing_length": {"4h": 3, "1h": 4, "15m": 4}}
Make = Callable[..., Any]
EACH = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def a_filter(**keys: Any) -> SmcFilter:
    return SmcFilter(SmcConfig.model_validate({**SMALL, **keys}))


class Quiet:
    """A view whose candles are fixed and whose price is told."""

    def __init__(self, view: Any, price: str) -> None:
        self.view, self.told = view, D(price)

    def price(self, symbol: str) -> D:
        return self.told

    def __getattr__(self, name: str) -> Any:
        return getattr(self.view, name)


@pytest.fixture
def bench(walk: Make, view_of: Make) -> Callable[..., tuple[SmcFilter, Quiet, Callable[..., Zone]]]:
    """A filter on quiet candles far away, a view with price 100, and a way to put zones around it."""

    def make(**keys: Any) -> tuple[SmcFilter, Quiet, Callable[..., Zone]]:
        asked, view = a_filter(**keys), Quiet(view_of(walk(300, 1)), "100")
        asked.advance(view, SYMBOL)
        analysis = asked.market(SYMBOL).analyses["15m"]
        for each in asked.market(SYMBOL).analyses.values():
            each.book.alive.clear()
            each.atr = 1.0

        def put(worth: float, bottom: float = 99.0, top: float = 101.0, direction: int = 1) -> Zone:
            number = len(analysis.book.alive) + 1
            merits = Merits(worth, 0.0, 1.0, has_grab=False)
            now = analysis.count - 1
            near, far = (top, bottom) if direction > 0 else (-bottom, -top)
            zone = Zone(BLOCK, direction, now, top, bottom, now, number, near, far, number, merits)
            analysis.book.alive[number] = zone
            return zone

        return asked, view, put

    return make


def reason_of(verdict: Verdict) -> tuple[str, str]:
    return verdict.ruling.value, verdict.reason


@pytest.mark.parametrize(
    ("worth", "told"),
    [
        (0.55, ("ACCEPT", "strong_zone")),
        (0.549, ("NEUTRAL", "plain_zone")),
        (0.2, ("NEUTRAL", "plain_zone")),
        (0.199, ("REJECT", "weak_zone")),
    ],
)
def test_confidence_decides(bench: Make, entry: Make, worth: float, told: tuple[str, str]) -> None:
    asked, view, put = bench()
    put(worth)
    verdict = asked.judge(entry(), view, SYMBOL)
    assert reason_of(verdict) == told
    assert verdict.evidence["confidence"] == pytest.approx(worth)
    assert verdict.evidence["zones"] == ("15m:bullish:order_block:1",)


def test_without_a_zone_an_entry_is_neutral_on_purpose(bench: Make, entry: Make) -> None:
    asked, view, _ = bench()
    verdict = asked.judge(entry(), view, SYMBOL)
    assert (*reason_of(verdict), verdict.size_factor) == ("NEUTRAL", "no_zone", D(1))
    assert verdict.evidence["confidence"] == 0.5


@pytest.mark.parametrize(
    ("price", "is_stale"), [("102", False), ("102.01", True), ("98", False), ("97.99", True)]
)
def test_an_entry_far_from_the_price_is_stale(bench: Make, entry: Make, price: str, is_stale: bool) -> None:
    asked, view, put = bench()
    put(0.9, 90.0, 110.0)
    assert (asked.judge(entry(price=price), view, SYMBOL).reason == "stale") is is_stale


@pytest.mark.parametrize(("worth", "is_rejected"), [(0.55, True), (0.5, False)])
@pytest.mark.parametrize("direction", [1, -1])
def test_an_opposing_zone_that_would_be_accepted_rejects(
    bench: Make, entry: Make, worth: float, is_rejected: bool, direction: int
) -> None:
    asked, view, put = bench()
    put(0.9, direction=direction)
    put(worth, direction=-direction)
    verdict = asked.judge(entry(Side.BUY if direction > 0 else Side.SELL), view, SYMBOL)
    assert reason_of(verdict) == (("REJECT", "opposing_zone") if is_rejected else ("ACCEPT", "strong_zone"))


def test_opposing_zones_can_be_left_out(bench: Make, entry: Make) -> None:
    asked, view, put = bench(reject_in_opposing_zone=False)
    put(0.9, direction=-1)
    assert asked.judge(entry(), view, SYMBOL).reason == "no_zone"


def test_a_grid_has_the_mean_of_its_levels_and_half_its_size_when_neutral(bench: Make, grid: Make) -> None:
    asked, view, put = bench()
    put(0.9, 98.4, 98.6)
    put(0.1, 101.4, 101.6, direction=-1)
    verdict = asked.judge(grid("100", ["98.5", "99.5"], ["101.5", "103"]), view, SYMBOL)
    assert (*reason_of(verdict), verdict.size_factor) == ("NEUTRAL", "plain_zone", D("0.5"))
    assert verdict.evidence["confidence"] == pytest.approx((0.9 + 0.5 + 0.1 + 0.5) / 4)


def test_a_grid_is_stale_by_its_planned_price_not_by_its_levels(bench: Make, grid: Make) -> None:
    asked, view, _ = bench()
    assert asked.judge(grid("101", ["80"], ["120"]), view, SYMBOL).reason == "no_zone"
    assert asked.judge(grid("103", ["99"], ["101"]), view, SYMBOL).reason == "stale"


def test_sizes_can_be_set(bench: Make, entry: Make) -> None:
    asked, view, _ = bench(neutral_size_factor={"single": "0.25"})
    assert asked.judge(entry(), view, SYMBOL).size_factor == D("0.25")


def test_what_is_no_entry_passes(bench: Make) -> None:
    asked, view, _ = bench()
    assert asked.judge(Plan("closing", (), ()), view, SYMBOL).ruling is Ruling.ACCEPT


def test_missing_data_is_neutral(walk: Make, view_of: Make, entry: Make) -> None:
    asked, view = a_filter(), view_of(walk(50, 1))
    assert reason_of(asked.judge(entry(), view, SYMBOL)) == ("NEUTRAL", "no_data")
    quiet = Quiet(view, "100")
    asked.advance(quiet, "BTC/USDT")
    assert reason_of(asked.judge(entry(), quiet, "BTC/USDT")) == ("NEUTRAL", "no_data")
    asked.advance(view, SYMBOL)
    assert asked.judge(entry(), view, SYMBOL).reason != "no_data"


def test_a_fault_rejects_and_is_logged_once(
    walk: Make, view_of: Make, entry: Make, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Quiet):
        def candles(self, *_: Any) -> Any:
            raise RuntimeError("lost")

    asked, good = a_filter(), view_of(walk(300, 1))
    bad = Broken(good, "2000")
    with caplog.at_level(logging.ERROR, "traderagent_smc"):
        for _ in range(3):
            asked.advance(bad, SYMBOL)
            verdict = asked.judge(entry(), bad, SYMBOL)
            assert reason_of(verdict) == ("REJECT", "filter_fault")
    assert len(caplog.records) == 1
    asked.advance(good, SYMBOL)
    assert asked.judge(entry(), good, SYMBOL).reason != "filter_fault"


def test_a_view_without_a_price_has_no_data(bench: Make, entry: Make) -> None:
    class Mute(Quiet):
        def price(self, symbol: str) -> D:
            raise DataError("no price yet")

    asked, view, _ = bench()
    assert asked.judge(entry(), Mute(view, "1"), SYMBOL).reason == "no_data"


def test_verdicts_are_counted(bench: Make, entry: Make) -> None:
    asked, view, put = bench()
    put(0.9)
    asked.judge(entry(), view, SYMBOL)
    asked.judge(entry(Side.SELL), view, SYMBOL)
    tally = asked.tally
    assert dict(tally.rulings) == {"ACCEPT": 1, "REJECT": 1}
    assert dict(tally.reasons) == {"strong_zone": 1, "opposing_zone": 1}
    assert dict(tally.zone_kinds) == {"ACCEPT:order_block": 1, "REJECT:order_block": 1}


# -- the same verdicts whoever asks, whenever ---------------------------------------------------------------


def verdicts(asked: SmcFilter, view: Any, stops: list[int], told: set[int], entry: Make) -> list[Any]:
    found = []
    for stop in stops:
        view.now_ms = stop
        asked.advance(view, SYMBOL)
        if stop in told:
            found += [asked.judge(entry(side), view, SYMBOL) for side in Side]
    return found


@EACH
@given(seed=st.integers(0, 999), picked=st.sets(st.integers(60, 399), min_size=1, max_size=8))
def test_a_loop_over_every_candle_and_a_few_jumps_rule_alike(
    walk: Make, view_of: Make, entry: Make, seed: int, picked: set[int]
) -> None:
    candles = walk(400, seed)
    times = [int(time) + candles.duration_ms for time in candles.open_time]
    told = {times[index] for index in picked}
    loop = verdicts(a_filter(), view_of(candles), times, told, entry)
    jumps = verdicts(a_filter(), view_of(candles), sorted(told), told, entry)
    assert jumps == loop


@EACH
@given(seed=st.integers(0, 999), cut=st.integers(100, 400))
def test_the_future_changes_no_verdict(walk: Make, view_of: Make, entry: Make, seed: int, cut: int) -> None:
    candles = walk(400, seed)
    times = [int(time) + candles.duration_ms for time in candles.open_time]
    told = set(times[cut - 40 : cut])
    whole = verdicts(a_filter(), view_of(candles), times[:cut], told, entry)
    assert verdicts(a_filter(), view_of(candles[:cut]), times[:cut], told, entry) == whole


@EACH
@given(seed=st.integers(0, 999), cut=st.integers(0, 330))
def test_a_restart_anywhere_changes_no_verdict(
    walk: Make, view_of: Make, entry: Make, seed: int, cut: int
) -> None:
    candles = walk(400, seed)
    times = [int(time) + candles.duration_ms for time in candles.open_time]
    told = set(times[350:])
    whole = verdicts(a_filter(), view_of(candles), times, told, entry)
    before = a_filter()
    early = verdicts(before, view_of(candles), times[:cut], told, entry)
    # What the view holds after the restart reaches back to the last checkpoint, and not to the beginning.
    late = view_of(candles[max(cut - CHECKPOINT_CANDLES, 0) :])
    assert early + verdicts(restarted(before), late, times[cut + 20 :], told, entry) == whole


def restarted(before: SmcFilter) -> SmcFilter:
    """As the engine saves and restores a filter."""
    after = a_filter()
    after.state = decode(json.loads(json.dumps(encode(before.state), allow_nan=False)), {"traderagent_smc"})
    return after


def test_a_state_that_is_given_back_is_gone_on_from(walk: Make, view_of: Make, entry: Make) -> None:
    candles = walk(4200, 4)
    times = [int(time) + candles.duration_ms for time in candles.open_time]
    asked, view = a_filter(), view_of(candles)
    verdicts(asked, view, times[:300], set(), entry)
    old = asked.state
    first = verdicts(asked, view, times[300:4200], {times[-1]}, entry)
    assert asked.state is not old
    asked.state = old
    assert verdicts(asked, view, times[-1:], {times[-1]}, entry) == first


def test_the_state_is_a_checkpoint_now_and_then(walk: Make, view_of: Make) -> None:
    candles = walk(4200, 4)
    asked, view = a_filter(), view_of(candles)
    states = []
    for stop in candles.open_time.tolist():
        view.now_ms = stop + candles.duration_ms
        asked.advance(view, SYMBOL)
        states.append(asked.state)
    counts = [state.checkpoints[SYMBOL].count for state in states]
    assert sorted(set(counts)) == [1, 2001, 4001]
    assert len({id(state) for state in states}) == 3
    assert len(states[-1].checkpoints[SYMBOL].text) < 200_000


def test_a_state_of_another_configuration_is_left_out_and_told(
    bench: Make, walk: Make, view_of: Make
) -> None:
    asked, _, _ = bench()
    other = a_filter(max_touches=3)
    other.state = asked.state
    other.advance(view_of(walk(300, 1)), SYMBOL)
    assert other.market(SYMBOL).analyses["15m"].count == 300
    assert "the saved state is left out" in other.market(SYMBOL).notes
    text = asked.state.checkpoints[SYMBOL].text.replace('"holes"', '"gaps"')
    broken = a_filter()
    broken.state = evolve(asked.state, checkpoints={SYMBOL: Checkpoint(300, text)})
    with pytest.raises(ValueError, match="another version"):
        broken.market(SYMBOL)

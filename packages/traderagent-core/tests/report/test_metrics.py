import json
from decimal import Decimal

import attrs
import numpy as np
import pytest
from traderagent_core.report.metrics import metrics, profit_factor
from traderagent_core.report.text import dumps
from traderagent_core.simulator.outcome import TradeRow


def walk(seed, days=400, drift=0.0005):
    returns = np.random.default_rng(seed).normal(drift, 0.02, days)
    return returns, 100 * np.cumprod(1 + returns)


@pytest.mark.parametrize("seed", range(6))
def test_ratios_equal_those_of_empyrical(curve_outcome, seed):
    empyrical = pytest.importorskip("empyrical")
    returns, equity = walk(seed, drift=(-1) ** seed * 0.001)
    found = metrics(curve_outcome(equity))
    assert found.sharpe == pytest.approx(empyrical.sharpe_ratio(returns, annualization=365), rel=1e-9)
    assert found.sortino == pytest.approx(empyrical.sortino_ratio(returns, annualization=365), rel=1e-9)
    assert found.calmar == pytest.approx(empyrical.calmar_ratio(returns, annualization=365), rel=1e-9)
    assert found.cagr == pytest.approx(empyrical.annual_return(returns, annualization=365), rel=1e-9)
    assert found.volatility == pytest.approx(empyrical.annual_volatility(returns, annualization=365))
    assert -found.max_drawdown == pytest.approx(empyrical.max_drawdown(returns))
    assert found.roi == pytest.approx(empyrical.cum_returns_final(returns))


@pytest.mark.parametrize(
    "returns",
    [[0.0] * 5, [0.1], [-0.5], [0.1, 0.2], [0.3, -1.0, 0.0, 0.0], [-1.0], []],
    ids=["flat", "one day", "one bad day", "only gains", "loss of all", "loss of all at once", "no day"],
)
def test_edges_are_those_of_empyrical_or_undefined(curve_outcome, returns):
    empyrical = pytest.importorskip("empyrical")
    found = metrics(curve_outcome(100 * np.cumprod(1 + np.array(returns))))
    array = np.array(returns)
    oracle = {
        "sharpe": empyrical.sharpe_ratio(array, annualization=365),
        "sortino": empyrical.sortino_ratio(array, annualization=365),
        "calmar": empyrical.calmar_ratio(array, annualization=365),
        "cagr": empyrical.annual_return(array, annualization=365),
        "volatility": empyrical.annual_volatility(array, annualization=365),
    }
    for name, expected in oracle.items():
        value = getattr(found, name)
        if value is None:
            assert not np.isfinite(expected), name
        else:
            assert value == pytest.approx(expected), name


def test_no_metric_is_ever_nan(curve_outcome, make_outcome):
    for outcome in (
        curve_outcome([]),
        curve_outcome([0.0, 0.0]),
        curve_outcome([-20.0]),
        curve_outcome([100.0], balance="0"),
        curve_outcome([1e300]),
        make_outcome(fills=0),
        make_outcome(count=3, fills=1),
    ):
        text = dumps(metrics(outcome).to_dict())
        assert "NaN" not in text
        assert "Infinity" not in text


def test_flat_equity_has_no_risk_and_no_ratios(curve_outcome):
    found = metrics(curve_outcome([100.0] * 10))
    assert (found.roi, found.cagr, found.volatility, found.max_drawdown) == (0.0, 0.0, 0.0, 0.0)
    assert (found.sharpe, found.sortino, found.calmar) == (None, None, None)
    assert found.max_drawdown_peak_ms is None


def test_steady_growth_has_no_sharpe_from_rounding_noise(curve_outcome):
    assert metrics(curve_outcome(100 * 1.001 ** np.arange(1, 200))).sharpe is None


def test_less_than_a_day_is_not_annualised_to_a_growth_rate(curve_outcome):
    found = metrics(curve_outcome([101.0, 102.0], timeframe="1h"))
    assert found.cagr is None
    assert found.roi == pytest.approx(0.02)


def test_more_than_everything_lost_has_no_growth_rate(curve_outcome):
    found = metrics(curve_outcome([50.0, -10.0]))
    assert found.cagr is None
    assert found.max_drawdown == pytest.approx(1.1)


def test_drawdown_times_are_those_of_peak_and_trough(curve_outcome):
    outcome = curve_outcome([110.0, 120.0, 90.0, 60.0, 100.0])
    found = metrics(outcome)
    assert found.max_drawdown == pytest.approx(0.5)
    assert found.max_drawdown_peak_ms == outcome.equity.time_ms[1]
    assert found.max_drawdown_trough_ms == outcome.equity.time_ms[3]


def test_fall_from_the_start_has_the_start_as_peak(curve_outcome):
    found = metrics(curve_outcome([90.0, 95.0]))
    assert found.max_drawdown_peak_ms == found.start_ms
    assert found.max_drawdown == pytest.approx(0.1)


def test_minute_curve_is_judged_at_day_ends(curve_outcome):
    empyrical = pytest.importorskip("empyrical")
    _, equity = walk(3, days=1440 * 9, drift=0)
    ends = np.concatenate(([100.0], equity[1439::1440]))
    found = metrics(curve_outcome(equity, timeframe="1m"))
    daily = np.diff(ends) / ends[:-1]
    assert found.sharpe == pytest.approx(empyrical.sharpe_ratio(daily, annualization=365))
    assert found.days == 9


def test_curve_without_closes_has_no_risk_figures(curve_outcome):
    found = metrics(curve_outcome([]))
    assert (found.days, found.roi, found.max_drawdown, found.exposure_time_ratio) == (0, 0.0, 0.0, None)


def trade(gross, fees="0", kind="cycle"):
    numbers = [Decimal(x) for x in ("1", "1", "1", gross, fees)]
    return TradeRow("grid", "BTC/USDT", kind, "grid:01", "LONG", 0, 1, *numbers)


def test_win_rate_and_profit_factor_are_net_of_fees(curve_outcome):
    outcome = curve_outcome([100.0])
    outcome.trades += [trade("3"), trade("1", fees="2"), trade("0"), trade("-1", kind="exit")]
    found = metrics(outcome)
    assert found.win_rate == 0.25
    assert found.profit_factor == 1.5


def test_profit_factor_without_losses_is_undefined():
    assert profit_factor([Decimal(1)]) is None
    assert profit_factor([]) is None
    assert profit_factor([Decimal(-1)]) == 0.0


def test_one_known_cycle(curve_outcome, make_outcome):
    """Bought at 31 140 for 6.228, sold at 31 744 for 6.348: a profit of 0.120 before fees."""
    money = make_outcome(fills=0).money[0]
    quantity = Decimal("0.0002")
    outcome = curve_outcome([1000.0] * 73, balance="1000")
    gross = quantity * (Decimal("31744") - Decimal("31140"))
    outcome.money.append(attrs.evolve(money, cycles=1, cycle_profit=gross, funding=Decimal(0)))
    outcome.trades.append(trade(str(gross), fees="0.0208"))
    found = metrics(outcome)
    assert found.cycle_profit == Decimal("0.1208")
    assert found.profit_per_cycle == Decimal("0.1")
    assert found.annualised_grid_profit == pytest.approx(0.1 / 1000 / 73 * 365)


def test_sums_and_counts_of_a_whole_run(make_outcome):
    outcome = make_outcome(fills=41)
    found = metrics(outcome)
    assert (found.fills, found.trades, found.cycles, found.orders) == (41, 20, 20, 41)
    assert found.fees == sum(fill.fee for fill in outcome.fills)
    assert found.turnover == sum(fill.price * fill.quantity for fill in outcome.fills)
    assert found.ambiguous_fills_ratio == pytest.approx(4 / 41)
    assert found.net_profit == sum(money.net_profit for money in outcome.money)
    held = outcome.equity.exposure > 0
    assert found.exposure_time_ratio == pytest.approx(held.mean())
    assert 0 < found.mean_exposure_ratio < found.exposure_time_ratio


def test_exposure_at_zero_equity_is_left_out(curve_outcome):
    outcome = curve_outcome([100.0, 0.0, 0.0])
    outcome.equity.exposure[:] = [0.5, np.inf, np.nan]
    assert metrics(outcome).mean_exposure_ratio == 0.5


def test_json_holds_money_as_text_and_times_as_iso(make_outcome):
    content = json.loads(dumps(metrics(make_outcome()).to_dict()))
    assert content["start"] == "2024-01-01T00:00:00Z"
    assert content["end"] == "2024-01-04T00:00:00Z"
    assert isinstance(content["fees"], str)
    assert isinstance(content["roi"], float)
    assert not any(name.endswith("_ms") for name in content)

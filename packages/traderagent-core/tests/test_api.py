"""`simulate`: what it takes, what it refuses, and what its results are worth."""

from collections.abc import Callable
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from traderagent_core import Candles, ConfigError, DataError, FundingRates, load_config, simulate
from traderagent_core.report.cautions import unattributed

D = Decimal
HOUR_MS = 3_600_000
Make = Callable[..., dict[str, Any]]
MarketMaker = Callable[..., Candles]


def funding_of(candles: Candles, every: int = 4) -> FundingRates:
    times = candles.open_time[::every]
    return FundingRates(candles.symbol, times, np.random.default_rng(5).normal(0, 0.001, len(times)))


# -- what it takes ------------------------------------------------------------------------------------------


def test_a_mapping_a_loaded_configuration_and_a_file_give_the_same(
    ladder: Make, market: MarketMaker, tmp_path: Path, ladder_file: Path
) -> None:
    candles, config = market("ranging"), ladder()
    path = tmp_path / "ladder.yaml"
    path.write_text(
        f"plugins: [{ladder_file}]\n"
        "simulation: {balance: 10000}\n"
        "bots: [{name: bot, symbol: BTC/USDT, strategy: ladder, ladder: {}}]\n"
    )
    results = [simulate(each, candles) for each in (config, load_config(config), path, str(path))]
    assert len({result.to_json() for result in results}) == 1
    assert results[0].metrics.cycles > 20


HALVES = """
from pydantic import BaseModel
from traderagent_core import ModeState, RiskLevels, RiskMode, RiskModeSpec, hookimpl

class Nothing(BaseModel):
    pass

class Halves(RiskMode):
    def levels(self):
        return RiskLevels()

    def judge(self, portfolio, previous):
        return ModeState(is_active=True, size_factor=0.5, reason="half")

@hookimpl
def traderagent_risk_modes():
    yield RiskModeSpec("halves", "Halves what is planned.", Nothing, Halves)
"""


def test_a_plugin_that_fails_is_told_in_front_of_all_figures(
    ladder: Make, market: MarketMaker, ladder_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "halves.py").write_text(HALVES)
    plugins = [str(ladder_file), str(tmp_path / "halves.py")]
    result = simulate({**ladder(), "plugins": plugins, "risk_modes": {"halves": {}}}, market("ranging"))
    told = "risk mode halves has failed 1 ×, at first with mode_failed:TypeError"
    assert told in result.warnings
    assert f"! {told}" in result.table()


def test_candles_may_be_one_series_several_or_a_mapping(ladder: Make, market: MarketMaker) -> None:
    candles, other = market("ranging"), market("rising", symbol="ETH/USDT")
    given: list[Any] = [
        candles,
        [candles],
        (series for series in (other, candles)),
        {"ETH/USDT": other, "BTC/USDT": candles},
    ]
    assert len({simulate(ladder(), each).to_json() for each in given}) == 1


def test_several_bots_share_one_account(ladder: Make, market: MarketMaker) -> None:
    candles = [
        market("ranging"),
        market("gappy", symbol="ETH/USDT", seed=4),
        market("falling", symbol="XRP/USDT"),
    ]
    config = ladder()
    (bot,) = config["bots"]
    config["bots"] = [{**bot, "name": f"b{i}", "symbol": series.symbol} for i, series in enumerate(candles)]
    result = simulate(config, candles)
    outcome = result.outcome
    assert [money.symbol for money in outcome.money] == ["BTC/USDT", "ETH/USDT", "XRP/USDT"]
    assert sum(money.net_profit for money in outcome.money) == outcome.final_equity - 10000
    assert unattributed(outcome) == 0
    alone = simulate({**config, "bots": config["bots"][:1]}, candles)
    first = [fill for fill in outcome.fills if fill.bot == "b0"]
    assert [fill[:9] for fill in first] == [fill[:9] for fill in alone.outcome.fills]
    times = np.unique(np.concatenate([series.open_time + HOUR_MS for series in candles]))
    assert outcome.equity.time_ms.tolist() == times.tolist()
    assert outcome.equity.equity[-1] == pytest.approx(float(outcome.final_equity), abs=1e-8)


def test_candles_before_the_start_only_warm_up(ladder: Make, market: MarketMaker) -> None:
    candles = market("ranging")
    start_ms = int(candles.open_time[100])
    config = ladder(average_of=50)
    late = simulate(config, candles, start_ms=start_ms)
    assert min(order.submitted_ms for order in late.outcome.orders) == start_ms
    assert late.outcome.equity.time_ms[0] == start_ms + HOUR_MS
    assert late.metrics.to_dict()["start"] == "2024-01-05T04:00:00Z"
    cold = simulate(config, candles[100:])
    assert min(order.submitted_ms for order in cold.outcome.orders) == start_ms + 50 * HOUR_MS


def test_the_end_is_exclusive_and_the_same_as_having_no_later_candles(
    ladder: Make, market: MarketMaker
) -> None:
    candles = market("ranging")
    ended = simulate(ladder(), candles, end_ms=int(candles.open_time[300]))
    assert ended.to_json() == simulate(ladder(), candles[:300]).to_json()
    assert ended.outcome.equity.time_ms[-1] == candles.open_time[300]


def test_a_path_replaces_the_configured_one(ladder: Make, market: MarketMaker) -> None:
    candles = market("ranging")
    asked = simulate(ladder(), candles, path="next_candle")
    configured = simulate(ladder(simulation={"path": "next_candle"}), candles)
    assert asked.assumptions["path"] == "next_candle"
    assert asked.to_json() == configured.to_json()
    assert asked.metrics.fills != simulate(ladder(), candles).metrics.fills


def test_bounds_tell_every_path_and_hold_the_run_itself(ladder: Make, market: MarketMaker) -> None:
    candles = market("gappy", seed=3)
    result = simulate(ladder(step="0.4"), candles, path="optimistic", with_bounds=True)
    assert result.bounds is not None
    assert set(result.bounds.paths) == {"default", "pessimistic", "optimistic", "next_candle"}
    for path, figures in result.bounds.paths.items():
        alone = simulate(ladder(step="0.4"), candles, path=path)
        assert figures["final_equity"] == alone.metrics.final_equity
    found = result.bounds.ranges["final_equity"]
    assert found.lowest < found.highest
    assert result.to_dict()["bounds"]["paths"].keys() == result.bounds.paths.keys()


def test_progress_is_told_with_times_that_never_go_back(ladder: Make, market: MarketMaker) -> None:
    seen: list[int] = []
    candles = market("ranging")
    result = simulate(ladder(), candles, progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) > result.metrics.fills / 2
    assert int(candles.open_time[0]) < seen[0] <= seen[-1] <= int(candles.open_time[-1]) + HOUR_MS


def test_an_interrupted_run_leaves_nothing_behind(ladder: Make, market: MarketMaker) -> None:
    def stop(time_ms: int) -> None:
        raise KeyboardInterrupt

    candles = market("ranging")
    before = simulate(ladder(), candles).to_json()
    with pytest.raises(KeyboardInterrupt):
        simulate(ladder(), candles, progress=stop)
    assert simulate(ladder(), candles).to_json() == before


def test_the_callers_decimal_context_changes_nothing(ladder: Make, market: MarketMaker) -> None:
    candles = market("ranging")
    config = ladder(market="linear", leverage=3)
    usual = simulate(config, candles, funding=[funding_of(candles)])
    text, orders = usual.to_json(), list(usual.outcome.orders)
    profits = [row.net_profit for row in usual.outcome.trades]
    with localcontext() as context:
        context.prec = 6
        coarse = simulate(config, candles, funding=[funding_of(candles)])
        assert coarse.to_json() == text
        assert unattributed(coarse.outcome) == 0
        assert [row.net_profit for row in coarse.outcome.trades] == profits
        assert list(coarse.outcome.orders) == orders


def test_finer_candles_serve_a_coarser_timeframe(ladder: Make, market: MarketMaker) -> None:
    quarters = market("ranging", timeframe="15m", rows=2400)
    result = simulate(ladder(average_of=5, timeframe="1h"), quarters)
    assert min(order.submitted_ms for order in result.outcome.orders) == int(quarters.open_time[20])
    assert result.assumptions["instruments"]["BTC/USDT"]["base_timeframe"] == "15m"


# -- what it refuses ----------------------------------------------------------------------------------------


def refused(words: str, config: Any, candles: Any, **options: Any) -> None:
    with pytest.raises((ConfigError, DataError), match=words):
        simulate(config, candles, **options)


def test_an_unknown_path_is_refused_with_those_that_are_known(ladder: Make, market: MarketMaker) -> None:
    refused(
        "unknown path 'worst'; expected one of default, pessimistic", ladder(), market("flat"), path="worst"
    )


def test_a_missing_symbol_is_told_with_those_that_are_there(ladder: Make, market: MarketMaker) -> None:
    words = "no candles of BTC/USDT, which bot 'bot' trades; there are: "
    refused(words + "ETH/USDT", ladder(), market("flat", symbol="ETH/USDT"))
    refused(words + "none", ladder(), [])


def test_too_coarse_candles_are_refused(ladder: Make, market: MarketMaker) -> None:
    refused("15m candles, which cannot be built from the 1h candles", ladder(timeframe="15m"), market("flat"))


def test_two_bots_on_one_symbol_are_refused(ladder: Make, market: MarketMaker) -> None:
    config = ladder()
    config["bots"] = [*config["bots"], {**config["bots"][0], "name": "other", "market": "linear"}]
    refused("this pair is already traded by the bot", config, market("flat"))


def test_strategy_auto_with_nothing_to_choose_from_is_refused(market: MarketMaker) -> None:
    config = {"bots": [{"name": "a", "symbol": "BTC/USDT", "strategy": "auto"}]}
    refused("strategy 'auto' has nothing to choose from", config, market("flat"))


def test_what_the_strategy_says_against_starting_is_refused_with_its_remedy(
    ladder: Make, market: MarketMaker
) -> None:
    refused(
        r"cannot start:\n  bot 'bot': the price 2000.0 is too high; wait until it falls",
        ladder(),
        market("flat", price=2000.0),
    )
    warned = simulate(ladder(), market("flat", price=700.0))
    assert "bot: the price 700.0 is high" in warned.warnings


def test_leverage_above_what_the_instrument_allows_is_refused(ladder: Make, market: MarketMaker) -> None:
    refused("leverage 101 is above the 100", ladder(market="linear", leverage=101), market("flat"))


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (50, 50, "ends at 2024-01-03T02:00:00Z, which is not after its start 2024-01-03T02:00:00Z"),
        (60, 50, "is not after its start"),
        (600, None, "the last candle closes at 2024-01-26T00:00:00Z; start earlier"),
        (None, -1, "have none before the end of the period"),
        (None, 0, "have none before the end of the period"),
    ],
)
def test_a_period_without_candles_is_refused(
    ladder: Make, market: MarketMaker, start: int | None, end: int | None, words: str
) -> None:
    candles = market("ranging")
    first_ms = int(candles.open_time[0])
    start_ms, end_ms = (None if hour is None else first_ms + hour * HOUR_MS for hour in (start, end))
    refused(words, ladder(), candles, start_ms=start_ms, end_ms=end_ms)


def with_value(candles: Candles, name: str, row: int, value: float) -> Candles:
    column = np.array(getattr(candles, name))
    column[row] = value
    changes: dict[str, Any] = {name: column}
    return attrs.evolve(candles, **changes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: None, "expected Candles, several of them or a mapping by symbol, not NoneType"),
        (lambda c: [1, 2], "expected Candles, not int"),
        (lambda c: {"BTC/USDT": c.close}, "are of|expected Candles, not ndarray"),
        (lambda c: {"ETH/USDT": c}, "the candles under 'ETH/USDT' are of BTC/USDT"),
        (lambda c: [c, c], "two series of BTC/USDT"),
        (lambda c: c[:0], "no candles of BTC/USDT: the series is empty"),
        (
            lambda c: attrs.evolve(c, open_time=c.open_time[::-1]),
            "is followed by one that begins before it is over",
        ),
        (
            lambda c: with_value(c, "open_time", 9, int(c.open_time[8])),
            "2024-01-01 08:00 .* begins before it is over",
        ),
        (
            lambda c: with_value(c, "open_time", 9, int(c.open_time[9]) - 1),
            "2024-01-01 08:00 .* begins before",
        ),
        (
            lambda c: attrs.evolve(c, open_time=c.open_time.astype(float)),
            "open_time must be one numpy column",
        ),
        (lambda c: attrs.evolve(c, close=c.close.tolist()), "close must be one numpy column of numbers"),
        (lambda c: attrs.evolve(c, high=c.high[:5]), "high has 5 rows, open_time has 600"),
        (lambda c: with_value(c, "close", 10, np.nan), "2024-01-01 10:00 .*close nan.* is broken"),
        (lambda c: with_value(c, "high", 10, np.inf), "is broken"),
        (lambda c: with_value(c, "low", 10, 0.0), "is broken: expected 0 < low <= open, close <= high"),
        (lambda c: with_value(c, "low", 10, 1e6), "is broken"),
        (lambda c: with_value(c, "open", 10, 1e6), "is broken"),
    ],
)
def test_broken_candles_are_refused_where_they_break(
    ladder: Make, market: MarketMaker, change: Callable[[Candles], Any], words: str
) -> None:
    refused(words, ladder(), change(market("ranging")))


# -- money --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ranging", "crash", "gappy", "falling"])
@pytest.mark.parametrize(
    "changes",
    [
        {"step": "0.37"},
        {"profit": "0.0061", "market_quantity": "1.7"},
        {"stop": "0.93", "market_quantity": "2"},
        {"give_up_every": 70, "step": "0.5", "market_quantity": "1"},
        {"market": "linear", "leverage": 5, "step": "0.37", "stop": "0.9", "quantity": "3.333"},
        {"risk_management": {"stop_loss_percentage": "0.05", "max_position_size": 250}},
    ],
)
def test_all_accounts_of_the_money_agree_to_the_last_digit(
    ladder: Make, market: MarketMaker, kind: str, changes: dict[str, Any]
) -> None:
    candles = market(kind)
    config = ladder(**changes, simulation={"slippage": "0.0003"})
    result = simulate(config, candles, funding=[funding_of(candles)] if "market" in changes else [])
    outcome = result.outcome
    (money,) = outcome.money
    last = D(repr(float(candles.close[-1])))
    change = outcome.final_equity - outcome.starting_balance
    assert money.cycle_profit + money.trend_pnl - money.fees + money.funding == change
    made = held = D(0)
    for fill in outcome.fills:
        signed = fill.quantity if fill.side == "BUY" else -fill.quantity
        made, held = made + signed * (last - fill.price), held + signed
    assert made == money.cycle_profit + money.trend_pnl
    assert held == money.quantity
    assert sum(fill.fee for fill in outcome.fills) == money.fees == result.metrics.fees
    assert outcome.equity.equity[-1] == pytest.approx(float(outcome.final_equity), abs=1e-8)
    assert len(outcome.fills) == result.metrics.fills > 0
    assert (money.funding != 0) is ("market" in changes)

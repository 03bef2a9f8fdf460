"""Runs configured bots over candles: builds engine, venue and driver, and gathers what the run leaves behind."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from attrs import frozen

from traderagent_core.config.loaded import Bot, Config
from traderagent_core.contract.strategy import Problem, Strategy
from traderagent_core.data.funding import FundingRates
from traderagent_core.data.resampling import divides
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.setup import BotSetup, EngineSetup, Limits
from traderagent_core.errors import ConfigError, DataError
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.position import money_context
from traderagent_core.model.timeframe import HOUR_MS
from traderagent_core.simulator.driver import Driver
from traderagent_core.simulator.equity import equity_curve
from traderagent_core.simulator.instruments import make_instrument
from traderagent_core.simulator.lazy_rows import LazyRows
from traderagent_core.simulator.outcome import BotMoney, Outcome
from traderagent_core.simulator.outcome_rows import fill_rows, level_rows, order_rows, read_orders
from traderagent_core.simulator.record_reader import RecordReader
from traderagent_core.simulator.scan import BlockScan, Finder
from traderagent_core.simulator.view import SimulatedView
from traderagent_core.specs import ExchangeAdapterSpec
from traderagent_core.venue.path import PathPolicy

FUNDING_INTERVAL_MS = 8 * HOUR_MS
ZERO = Decimal(0)


@frozen
class RunOptions:
    """What a run may be told beside its configuration. Times are ms UTC; None leaves a side open."""

    start_ms: int | None = None
    end_ms: int | None = None
    progress: Callable[[int], None] | None = None
    finder: Callable[[Candles], Finder] = BlockScan


@frozen
class Prepared:
    """Everything built and checked, before the first event."""

    config: Config
    engine: Engine
    driver: Driver
    view: SimulatedView
    candles: Mapping[str, Candles]
    problems: Mapping[str, Sequence[Problem]]
    assumptions: Mapping[str, Any]
    start_ms: int
    end_ms: int


def prepare(
    config: Config,
    candles: Mapping[str, Candles],
    funding: Sequence[FundingRates] = (),
    options: RunOptions = RunOptions(),
) -> Prepared:
    """Build a run; raises ConfigError or DataError when it cannot start."""
    candles = _checked_candles(config, candles, options)
    simulation = config.simulation
    built = {bot.name: make_instrument(bot, simulation, candles[bot.symbol]) for bot in config.bots}
    instruments = {name: instrument for name, (instrument, _) in built.items()}
    view = SimulatedView(candles)
    engine = Engine(_setup(config, instruments), view)
    exchange = _exchange_spec(config).factory(simulation, instruments.values())
    policy = PathPolicy(simulation.path)
    driver = Driver(
        engine,
        exchange,
        view,
        candles,
        policy=policy,
        latency_ms=simulation.latency_ms,
        finder=options.finder,
    )
    driver.progress = options.progress
    starts = []
    for bot in config.bots:
        strategy = engine.members[bot.name].strategy
        schedule = view.schedule(bot.name, bot.symbol, bot.timeframe, strategy, options.start_ms or 0)
        driver.schedule(bot.name, schedule)
        starts.append(schedule.start_ms)
    rates = _funding(config, candles, funding)
    driver.schedule_funding(rates)
    problems = _check(config, engine, view, dict(zip([bot.name for bot in config.bots], starts, strict=True)))
    end_ms = max(int(series.open_time[-1]) + series.duration_ms for series in candles.values())
    assumptions = _assumptions(config, built, candles, funding, rates)
    start_ms = options.start_ms if options.start_ms is not None else min(starts)
    return Prepared(config, engine, driver, view, candles, problems, assumptions, start_ms, end_ms)


def run(prepared: Prepared) -> Outcome:
    """Run to the last close and gather the outcome."""
    driver = prepared.driver
    with money_context():
        driver.run(prepared.end_ms)
        return _outcome(prepared)


# -- before -------------------------------------------------------------------------------------------------


def _checked_candles(
    config: Config, candles: Mapping[str, Candles], options: RunOptions
) -> Mapping[str, Candles]:
    chosen = {}
    for bot in config.bots:
        series = candles.get(bot.symbol)
        if series is None:
            raise DataError(
                f"no candles of {bot.symbol}, which bot {bot.name!r} trades; there are: {', '.join(candles)}"
            )
        if not divides(series.timeframe, bot.timeframe):
            raise DataError(
                f"bot {bot.name!r} works on {bot.timeframe} candles, which cannot be built from the "
                f"{series.timeframe} candles of {bot.symbol}; give finer data or set a timeframe that is a "
                f"multiple of {series.timeframe}"
            )
        part = series.between(None, options.end_ms)
        if not len(part):
            raise DataError(f"the candles of {bot.symbol} have none before the end of the period asked for")
        chosen[bot.symbol] = part
    return chosen


def _exchange_spec(config: Config) -> ExchangeAdapterSpec:
    if config.simulated is None:
        raise ConfigError("no plugin offers the exchange 'simulated'; install traderagent-core again")
    return config.simulated


def _setup(config: Config, instruments: Mapping[str, Instrument]) -> EngineSetup:
    modes = sorted(config.risk_modes, key=lambda part: -part.spec.priority)
    share = config.simulation.balance / len(config.bots)
    return EngineSetup(
        bots=tuple(_bot_setup(bot, instruments[bot.name], share) for bot in config.bots),
        balance=config.simulation.balance,
        filters={part.name: part.spec.factory(part.config) for part in config.filters},
        modes=tuple((part.name, part.spec.factory(part.config)) for part in modes),
    )


def _bot_setup(bot: Bot, instrument: Instrument, share: Decimal) -> BotSetup:
    if bot.spec is None:
        raise ConfigError(
            f"bot {bot.name!r}: strategy 'auto' needs the strategy router, which is not part of this release; "
            f"name one strategy, such as {next(iter(bot.sections), 'grid')!r}"
        )
    if bot.leverage > instrument.max_leverage:
        raise ConfigError(
            f"bot {bot.name!r}: leverage {bot.leverage} is above the {instrument.max_leverage} that "
            f"{instrument.symbol} allows; lower it"
        )
    strategy: Strategy = bot.spec.factory(bot.strategy_config)
    risk = bot.risk
    return BotSetup(
        name=bot.name,
        strategy_name=bot.strategy,
        strategy=strategy,
        instrument=instrument,
        timeframe=bot.timeframe,
        budget=share * bot.capital_share,
        leverage=bot.leverage,
        limits=Limits(risk.max_position_size, risk.stop_loss_percentage, risk.max_daily_loss),
        stop_placement="attached" if instrument.market is Market.LINEAR else "engine",
    )


def _check(
    config: Config, engine: Engine, view: SimulatedView, starts: Mapping[str, int]
) -> dict[str, Sequence[Problem]]:
    """What the strategies themselves say against starting, at the first price."""
    found: dict[str, Sequence[Problem]] = {}
    for bot in config.bots:
        setup = engine.members[bot.name].setup
        series = view.series(bot.symbol, bot.timeframe)
        index = int(series.close_time.searchsorted(starts[bot.name], side="right")) - 1
        price = Decimal(repr(float(series.candles.close[index])))
        strategy = type(setup.strategy)
        found[bot.name] = list(
            strategy.check(bot.strategy_config, setup.instrument, price, setup.budget * setup.leverage)
        )
    return found


def refuse_fatal(problems: Mapping[str, Sequence[Problem]]) -> None:
    """Raise ConfigError naming every problem that forbids a start."""
    lines = [
        f"bot {bot!r}: {problem.message}" + (f"; {problem.remedy}" if problem.remedy else "")
        for bot, found in problems.items()
        for problem in found
        if problem.is_fatal
    ]
    if lines:
        raise ConfigError("cannot start:\n" + "\n".join(f"  {line}" for line in lines))


def _funding(
    config: Config, candles: Mapping[str, Candles], funding: Sequence[FundingRates]
) -> list[FundingRates]:
    """Funding of each linear instrument: its series, or the configured constant every eight hours."""
    given = {series.symbol: series for series in funding}
    rates = []
    for bot in config.bots:
        if bot.market is not Market.LINEAR:
            continue
        if bot.symbol in given:
            rates.append(given[bot.symbol])
        elif config.simulation.funding_rate:
            series = candles[bot.symbol]
            first = -(-int(series.open_time[0]) // FUNDING_INTERVAL_MS) * FUNDING_INTERVAL_MS
            times = np.arange(first, int(series.open_time[-1]) + series.duration_ms + 1, FUNDING_INTERVAL_MS)
            rates.append(
                FundingRates(bot.symbol, times, np.full(len(times), float(config.simulation.funding_rate)))
            )
    return rates


def _assumptions(
    config: Config,
    built: Mapping[str, tuple[Instrument, list[str]]],
    candles: Mapping[str, Candles],
    funding: Sequence[FundingRates],
    rates: Sequence[FundingRates],
) -> dict[str, Any]:
    simulation = config.simulation
    series = {rate.symbol for rate in funding}
    settled = {rate.symbol for rate in rates}
    instruments = {}
    for bot in config.bots:
        instrument, missing = built[bot.name]
        paid = "from its series" if bot.symbol in series else f"constant {simulation.funding_rate} per 8 h"
        instruments[bot.symbol] = {
            "market": instrument.market.value,
            "tick_size": instrument.tick_size,
            "lot_size": instrument.lot_size,
            "min_quantity": instrument.min_quantity,
            "min_notional": instrument.min_notional,
            "maker_fee_ratio": instrument.maker_fee_ratio,
            "taker_fee_ratio": instrument.taker_fee_ratio,
            "not_configured": missing,
            "base_timeframe": candles[bot.symbol].timeframe,
            "leverage": bot.leverage,
            "stops": "attached to the entry" if bot.market is Market.LINEAR else "price watch of the engine",
            "funding": paid if bot.symbol in settled else "none",
        }
    return {
        "path": simulation.path,
        "slippage_ratio": simulation.slippage,
        "latency_ms": simulation.latency_ms,
        "starting_balance": simulation.balance,
        "fees": "charged in the quote currency",
        "fills": "a limit order trades whole at its price once the price is at or through it",
        "margin": "isolated, one maintenance tier, liquidation at the last price",
        "open_positions": "valued at the last close, not closed",
        "instruments": instruments,
    }


# -- after --------------------------------------------------------------------------------------------------


def _outcome(prepared: Prepared) -> Outcome:
    driver, engine, config = prepared.driver, prepared.engine, prepared.config
    balance = config.simulation.balance
    reader = RecordReader(balance).read(driver.records)
    prices = {symbol: Decimal(repr(float(series.close[-1]))) for symbol, series in prepared.candles.items()}
    orders = LazyRows(len(reader.owners), lambda: order_rows(read_orders(driver.records, reader)))
    warnings = [
        f"{bot}: {problem.message}"
        for bot, found in prepared.problems.items()
        for problem in found
        if not problem.is_fatal
    ]
    return Outcome(
        candles=prepared.candles,
        starting_balance=balance,
        final_equity=_final_equity(engine, balance, prices),
        equity=equity_curve(reader.money, prepared.candles, prepared.start_ms),
        fills=LazyRows(len(reader.fills), lambda: fill_rows(reader)),
        orders=orders,
        trades=reader.trades.rows,
        decisions=reader.decisions,
        levels=LazyRows(reader.priced_orders, lambda: level_rows(orders, prepared.end_ms)),
        money=_money(config, engine, prices),
        assumptions={**prepared.assumptions, "warnings": warnings},
        events=driver.events,
    )


def _final_equity(engine: Engine, balance: Decimal, prices: Mapping[str, Decimal]) -> Decimal:
    ledgers = engine.account.ledgers.values()
    return balance + sum((ledger.profit(prices[ledger.symbol]) for ledger in ledgers), ZERO)


def _money(config: Config, engine: Engine, prices: Mapping[str, Decimal]) -> list[BotMoney]:
    strategies = {bot.name: bot.strategy for bot in config.bots}
    return [
        BotMoney(
            bot=ledger.bot,
            symbol=ledger.symbol,
            strategy=strategies.get(ledger.bot, ""),
            cycles=ledger.cycles,
            cycle_profit=ledger.cycle_profit,
            trend_pnl=ledger.profit(prices[ledger.symbol])
            + ledger.fees
            - ledger.funding
            - ledger.cycle_profit,
            fees=ledger.fees,
            funding=ledger.funding,
            quantity=ledger.quantity,
            last_price=prices[ledger.symbol],
        )
        for ledger in engine.account.ledgers.values()
    ]

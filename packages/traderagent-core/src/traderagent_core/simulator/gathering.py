"""Gathers what a finished run leaves behind."""

from collections.abc import Mapping
from decimal import Decimal

from traderagent_core.config.loaded import Config
from traderagent_core.engine.engine import Engine
from traderagent_core.simulator.equity import equity_curve
from traderagent_core.simulator.lazy_rows import LazyRows
from traderagent_core.simulator.outcome import BotMoney, FillTotals, Outcome
from traderagent_core.simulator.outcome_rows import fill_rows, level_rows, order_rows, read_orders
from traderagent_core.simulator.preparing import Prepared
from traderagent_core.simulator.record_reader import RecordReader

ZERO = Decimal(0)


def gather(prepared: Prepared) -> Outcome:
    """Rows, money and the equity curve of a run that has ended."""
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
        fill_totals=_totals(reader),
    )


def _totals(reader: RecordReader) -> FillTotals:
    """The totals of the fills, straight from their records."""
    own = [record for record, want in reader.fills if want is not None]
    foreign = [record for record, want in reader.fills if want is None]
    turnover = sum((record[4] * record[5] for record in own), ZERO)
    return FillTotals(
        fills=len(reader.fills),
        ambiguous=sum(record[8] for record in own),
        fees=sum((record[6] for record in own), sum((record[8] for record in foreign), ZERO)),
        turnover=sum((record[6] * record[7] for record in foreign), turnover),
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

"""Gathers what a finished run leaves behind."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from traderagent_core.config.loaded import Config
from traderagent_core.engine.engine import Engine
from traderagent_core.simulator.decision_rows import decision_rows, last_decisions
from traderagent_core.simulator.equity import equity_curve
from traderagent_core.simulator.lazy_rows import LazyRows
from traderagent_core.simulator.outcome import BotMoney, Outcome
from traderagent_core.simulator.outcome_rows import (
    OrderEntry,
    fill_rows,
    level_rows,
    order_rows,
    read_orders,
)
from traderagent_core.simulator.preparing import Prepared
from traderagent_core.simulator.study import RunStudy

ZERO = Decimal(0)


def gather(prepared: Prepared) -> Outcome:
    """Rows, money and the equity curve of a run that has ended."""
    driver, engine, config = prepared.driver, prepared.engine, prepared.config
    balance = config.simulation.balance
    reader = prepared.reader.read(driver.records.latest)
    prices = {symbol: Decimal(repr(float(series.close[-1]))) for symbol, series in prepared.candles.items()}

    def orders() -> Iterator[OrderEntry]:
        return read_orders(driver.records, reader)

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
        fills=LazyRows(reader.fills, lambda: fill_rows(driver.records, reader)),
        orders=LazyRows(len(reader.owners), lambda: order_rows(orders())),
        trades=reader.trades.rows,
        decisions=LazyRows(
            reader.told,
            lambda: decision_rows(driver.records, reader),
            lambda count: last_decisions(driver.records, reader, count),
        ),
        levels=LazyRows(None, lambda: level_rows(orders(), prepared.end_ms)),
        money=_money(config, engine, prices),
        assumptions={**prepared.assumptions, "warnings": warnings},
        events=driver.events,
        study=RunStudy(prepared, reader),
        fill_totals=reader.totals(),
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

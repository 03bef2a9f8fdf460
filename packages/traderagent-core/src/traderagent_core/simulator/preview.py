"""Shows what a bot would do first: its real first steps in the engine, written down instead of traded."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from attrs import frozen

from traderagent_core.config.loaded import Bot, Config
from traderagent_core.contract.strategy import Problem
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import Side
from traderagent_core.model.plan import At, FillTimes, Leg
from traderagent_core.model.position import money_context
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.simulator.outcome_rows import OrderEntry, RecordReader
from traderagent_core.simulator.run import Prepared, RunOptions, prepare

ZERO = Decimal(0)
FLAT_CANDLES = 600


@frozen
class PreviewOrder:
    """An order as the engine sends it, with its counter where it has one; money in quote currency."""

    slot: str
    purpose: str
    side: str
    type: str
    price: Decimal
    quantity: Decimal
    notional: Decimal
    counter_price: Decimal | None
    profit_per_cycle: Decimal | None


@frozen
class BotPreview:
    """The first orders of one bot, what they need, and what speaks against them."""

    bot: str
    symbol: str
    strategy: str
    price: Decimal
    orders: Sequence[PreviewOrder]
    funds_needed: Decimal
    evidence: Mapping[str, Any]
    problems: Sequence[Problem]
    refusals: Sequence[str]


def flat_candles(bot: Bot, price: Decimal) -> Candles:
    """A market that stands at a price, long enough for indicators to be warm."""
    column = np.full(FLAT_CANDLES, float(price))
    times = np.arange(FLAT_CANDLES, dtype=np.int64) * timeframe_ms(bot.timeframe)
    return Candles(bot.symbol, bot.timeframe, times, column, column, column, column, np.zeros(FLAT_CANDLES))


def preview(config: Config, candles: Mapping[str, Candles]) -> list[BotPreview]:
    """What every bot would send at the last close of its candles."""
    end_ms = max(int(series.open_time[-1]) + series.duration_ms for series in candles.values())
    prepared = prepare(config, candles, options=RunOptions(start_ms=end_ms))
    with money_context():
        prepared.driver.run(end_ms)
        reader = RecordReader().read(prepared.driver.records)
        return [_bot_preview(prepared, reader, bot) for bot in config.bots]


def _bot_preview(prepared: Prepared, reader: RecordReader, bot: Bot) -> BotPreview:
    member = prepared.engine.members[bot.name]
    price = prepared.view.price(bot.symbol)
    legs = {
        name: leg for owner, _, legs, _ in reader.plans if owner == bot.name for name, leg in legs.items()
    }
    entries = [entry for entry in reader.orders.values() if entry.want.bot == bot.name]
    orders = [_order(entry, legs, member.instrument, price) for entry in entries]
    evidence = next((dict(shown) for owner, _, _, shown in reader.plans if owner == bot.name and shown), {})
    refused = ("plan rejected", "want blocked", "plugin failed")
    return BotPreview(
        bot=bot.name,
        symbol=bot.symbol,
        strategy=bot.strategy,
        price=price,
        orders=orders,
        funds_needed=_funds(orders),
        evidence=evidence,
        problems=list(prepared.problems[bot.name]),
        refusals=[
            " ".join(filter(None, (row.what, row.name, row.reason, row.evidence)))
            for row in reader.decisions
            if row.bot == bot.name and row.what in refused
        ],
    )


def _order(
    entry: OrderEntry, legs: Mapping[str, Leg], instrument: Instrument, market: Decimal
) -> PreviewOrder:
    want = entry.want
    price = market if entry.price is None else entry.price
    leg = legs.get(want.leg_name)
    counters = [legs[name] for name in leg.then if legs[name].slot == leg.slot] if leg is not None else []
    counter = _counter_price(counters[0], price, instrument) if counters else None
    return PreviewOrder(
        slot=want.slot,
        purpose=want.purpose.value,
        side=want.side.value,
        type=entry.type.value,
        price=price,
        quantity=entry.quantity,
        notional=price * entry.quantity,
        counter_price=counter,
        profit_per_cycle=None
        if counter is None
        else _profit(want.side, price, counter, entry.quantity, instrument),
    )


def _counter_price(leg: Leg, fill: Decimal, instrument: Instrument) -> Decimal | None:
    if type(leg.price) is At:
        return leg.price.price
    if type(leg.price) is FillTimes:
        return instrument.limit_price(leg.side, fill * leg.price.ratio)
    return None


def _profit(
    side: Side, price: Decimal, counter: Decimal, quantity: Decimal, instrument: Instrument
) -> Decimal:
    """What one cycle leaves after the maker fees of both its fills."""
    gain = counter - price if side is Side.BUY else price - counter
    return (gain - (price + counter) * instrument.maker_fee_ratio) * quantity


def _funds(orders: Sequence[PreviewOrder]) -> Decimal:
    """Quote currency that the largest side of these orders ties up, before leverage and fees."""
    bought = sum((order.notional for order in orders if order.side == "BUY"), ZERO)
    sold = sum((order.notional for order in orders if order.side == "SELL"), ZERO)
    held = sum((order.quantity for order in orders if order.type == "MARKET" and order.side == "BUY"), ZERO)
    return bought if held else max(bought, sold)

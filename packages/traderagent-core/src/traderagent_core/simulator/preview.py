"""Shows what a bot would do first: its real first steps in the engine, written down instead of traded."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from attrs import frozen

from traderagent_core.config.loaded import Bot, Config
from traderagent_core.contract.strategy import Problem
from traderagent_core.engine.engine import Engine
from traderagent_core.errors import DataError, asking
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import Side
from traderagent_core.model.plan import At, Filled, FillTimes, Fixed, Leg, Plan
from traderagent_core.model.position import money_context
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.simulator.decision_rows import decision_rows
from traderagent_core.simulator.outcome_rows import OrderEntry, read_orders
from traderagent_core.simulator.preparing import Prepared, RunOptions, prepare
from traderagent_core.simulator.record_reader import RecordReader

ZERO = Decimal(0)
FLAT_CANDLES = 600
REFUSALS = ("plan rejected", "want blocked", "plugin failed")


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
    """The first orders of one bot, what they need, and what speaks against them.

    A bot whose strategy is auto has one for each strategy and configuration that its routes lead to; `idle` says
    which of them trades now instead of this one.
    `later` are orders that a sketched plan places when its moment comes or others have been filled, as far as that
    is known now: legs that follow the average price are shown at the average of the first ones.
    """

    bot: str
    symbol: str
    strategy: str
    price: Decimal
    orders: Sequence[PreviewOrder]
    later: Sequence[PreviewOrder]
    funds_needed: Decimal
    evidence: Mapping[str, Any]
    problems: Sequence[Problem]
    refusals: Sequence[str]
    idle: str = ""


def preview(
    config: Config, candles: Mapping[str, Candles], prices: Mapping[str, Decimal] | None = None
) -> list[BotPreview]:
    """What every bot would send at the last close of its candles, or at a price of `prices` instead.

    To be at another price, the whole market is moved there in proportion, so that indicators keep their ratios; a
    symbol without candles gets a market that stands still. Steps and minimums come from the candles as they are.
    """
    markets = {
        bot.symbol: _market(bot, candles.get(bot.symbol), (prices or {}).get(bot.symbol))
        for bot in config.bots
    }
    end_ms = max(int(series.open_time[-1]) + series.duration_ms for series in markets.values())
    options = RunOptions(start_ms=end_ms, steps_from=candles, starts_between_closes=True)
    prepared = prepare(config, markets, options=options)
    with money_context():
        prepared.driver.run(end_ms)
        records = prepared.driver.records
        reader = RecordReader(config.simulation.balance).read(records)
        sent = list(read_orders(records, reader))
        return [_bot_preview(prepared, reader, sent, bot) for bot in prepared.config.bots]


def _market(bot: Bot, candles: Candles | None, price: Decimal | None) -> Candles:
    if candles is None:
        if price is None:
            raise DataError(
                f"no candles of {bot.symbol} and no price for it; give data, or a price to start at"
            )
        return _flat(bot, float(price))
    return candles if price is None else _moved(candles, float(price))


def _flat(bot: Bot, price: float) -> Candles:
    """A market that stands at a price, long enough for indicators to be warm."""
    column = np.full(FLAT_CANDLES, price)
    times = np.arange(FLAT_CANDLES, dtype=np.int64) * timeframe_ms(bot.timeframe)
    return Candles(bot.symbol, bot.timeframe, times, column, column, column, column, np.zeros(FLAT_CANDLES))


def _moved(candles: Candles, price: float) -> Candles:
    """The market moved in proportion, so that it closes at exactly this price."""
    factor = price / float(candles.close[-1])
    opens, highs, lows, closes = (
        np.asarray(column) * factor for column in (candles.open, candles.high, candles.low, candles.close)
    )
    closes[-1] = price
    highs[-1], lows[-1] = max(highs[-1], price), min(lows[-1], price)
    return Candles(
        candles.symbol, candles.timeframe, candles.open_time, opens, highs, lows, closes, candles.volume
    )


def _bot_preview(prepared: Prepared, reader: RecordReader, sent: list[OrderEntry], bot: Bot) -> BotPreview:
    member = prepared.engine.members[bot.name]
    price = prepared.view.price(bot.symbol)
    plans = [plan for plan in reader.plans if plan.bot == bot.name]
    granted = (record for record in prepared.driver.records if record[0] == "plan_granted")
    legs = {leg.name: leg for record in granted if record[2] == bot.name for leg in record[7]}
    own = [entry for entry in sent if entry.want.plan.bot == bot.name]
    orders = [_order(entry, legs, member.instrument, price) for entry in own]
    with asking(bot.strategy, "sketch"):
        sketch = type(member.strategy).sketch(bot.strategy_config, member.instrument, price)
    sent_legs = {entry.want.leg.name for entry in own}
    later = [] if sketch is None else _later(sketch, member.instrument, price, sent_legs)
    evidence = next((dict(plan.evidence) for plan in plans if plan.evidence), {})
    return BotPreview(
        bot=bot.name,
        symbol=bot.symbol,
        strategy=bot.strategy,
        price=price,
        orders=orders,
        later=later,
        funds_needed=_funds([*orders, *later]),
        evidence=evidence if sketch is None else dict(sketch.evidence),
        problems=list(prepared.problems[bot.name]),
        refusals=[
            " ".join(filter(None, (row.what, row.name, row.reason, row.evidence)))
            for row in decision_rows(prepared.driver.records, reader)
            if row.bot == bot.name and row.what in REFUSALS
        ],
        idle=_idle(prepared.engine, bot.name),
    )


def _idle(engine: Engine, name: str) -> str:
    """Why a strategy of a pair has no orders now; nothing for one that has."""
    for pair in engine.director.pairs.values():
        if name in pair.members and name != pair.holder:
            regime = pair.memory.regime
            return f"{'no regime' if regime is None else regime.value} now: {pair.holder or 'nobody'} trades"
    return ""


def _later(plan: Plan, instrument: Instrument, market: Decimal, sent: Collection[str]) -> list[PreviewOrder]:
    """The legs that a plan comes to and that were not sent yet, its first ones filled at once, as they follow."""
    by_name = {leg.name: leg for leg in plan.legs}
    seen: dict[str, tuple[Decimal, Decimal]] = {}
    waiting = [(name, "") for name in plan.start]
    for name, parent in waiting:
        if name in seen:
            continue
        leg = by_name[name]
        first = [seen[start] for start in plan.start if start in seen]
        size = sum((quantity for _, quantity in first), ZERO)
        average = sum((price * quantity for price, quantity in first), ZERO) / size if size else market
        origin = seen.get(getattr(leg.price, "of", "") or parent, (market, ZERO))
        price = _leg_price(leg, origin[0], average, market, instrument)
        seen[name] = price, _leg_quantity(leg, seen.get(parent, (market, ZERO))[1], size, instrument)
        waiting += [(after, name) for after in leg.then]
    return [_later_order(by_name[name], *seen[name]) for name in seen if name not in sent]


def _later_order(leg: Leg, price: Decimal, quantity: Decimal) -> PreviewOrder:
    kind = "MARKET" if leg.price is None else "STOP" if leg.is_stop else "LIMIT"
    place = (leg.slot, leg.purpose.value, leg.side.value, kind)
    return PreviewOrder(*place, price, quantity, price * quantity, None, None)


def _leg_price(
    leg: Leg, origin: Decimal, average: Decimal, market: Decimal, instrument: Instrument
) -> Decimal:
    if leg.price is None:
        return market
    if isinstance(leg.price, At):
        return leg.price.price
    price = (origin if isinstance(leg.price, FillTimes) else average) * leg.price.ratio
    return instrument.stop_price(leg.side, price) if leg.is_stop else instrument.limit_price(leg.side, price)


def _leg_quantity(leg: Leg, filled: Decimal, size: Decimal, instrument: Instrument) -> Decimal:
    if isinstance(leg.quantity, Fixed):
        return leg.quantity.quantity
    return (
        filled if isinstance(leg.quantity, Filled) else instrument.round_quantity(size * leg.quantity.ratio)
    )


def _order(
    entry: OrderEntry, legs: Mapping[str, Leg], instrument: Instrument, market: Decimal
) -> PreviewOrder:
    leg = legs[entry.want.leg.name]
    price = market if entry.price is None else entry.price
    counters = [legs[name] for name in leg.then if legs[name].slot == leg.slot]
    counter = _counter_price(counters[0], price, instrument) if counters else None
    profit = None if counter is None else _profit(leg.side, price, counter, entry.quantity, instrument)
    return PreviewOrder(
        slot=leg.slot,
        purpose=leg.purpose.value,
        side=leg.side.value,
        type=entry.type,
        price=price,
        quantity=entry.quantity,
        notional=price * entry.quantity,
        counter_price=counter,
        profit_per_cycle=profit,
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

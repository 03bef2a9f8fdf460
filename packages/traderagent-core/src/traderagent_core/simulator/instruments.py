"""Instruments of a simulation: as configured, and what is not said read off the candles."""

from decimal import Decimal

import numpy as np

from traderagent_core.config.loaded import Bot
from traderagent_core.config.schema import SimulationConfig
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.position_side import pair_of

SAMPLE = 500
USUAL_DIGITS = 5
LOT_VALUE = Decimal("0.1")
MIN_NOTIONAL = Decimal(5)
MAX_LEVERAGE = Decimal(100)


def make_instrument(bot: Bot, simulation: SimulationConfig, candles: Candles) -> tuple[Instrument, list[str]]:
    """The instrument of a bot, and the names of its values that were read off the candles or assumed."""
    return instrument_of(bot.symbol, bot.market, simulation, candles)


def instrument_of(
    symbol: str, market: Market, simulation: SimulationConfig, candles: Candles
) -> tuple[Instrument, list[str]]:
    """The instrument of a symbol; see `make_instrument`."""
    configured = simulation.instruments.get(symbol) or simulation.instruments.get(pair_of(symbol))
    given = {} if configured is None else configured.model_dump(exclude_none=True)
    assumed = {
        "tick_size": observed_tick(candles),
        "lot_size": usual_lot(candles),
        "min_notional": MIN_NOTIONAL,
        "max_leverage": MAX_LEVERAGE if market is Market.LINEAR else Decimal(1),
    }
    missing = [name for name in assumed if name not in given]
    values = {**{name: assumed[name] for name in missing}, **given}
    instrument = Instrument(
        symbol,
        market,
        maker_fee_ratio=simulation.maker_fee_ratio(market),
        taker_fee_ratio=simulation.taker_fee_ratio(market),
        **values,
    )
    return instrument, missing


def observed_tick(candles: Candles) -> Decimal:
    """The smallest power of ten that the last closes are multiples of: the finest price step seen.

    A market that has not moved shows no step; it gets a ten-thousandth to a hundred-thousandth of its price.
    """
    closes = set(np.asarray(candles.close[-SAMPLE:]).tolist())
    if len(closes) == 1:
        return Decimal(1).scaleb(Decimal(repr(closes.pop())).adjusted() - USUAL_DIGITS + 1)
    exponent = min((Decimal(repr(price)).normalize().as_tuple().exponent for price in closes), default=-2)
    return Decimal(1).scaleb(min(int(exponent), 0))


def usual_lot(candles: Candles) -> Decimal:
    """The largest power of ten, at most 1, whose value at the last close is at most 0.1 quote."""
    price = Decimal(repr(float(candles.close[-1]))) if len(candles) else Decimal(1)
    lot = Decimal(1)
    while lot * price > LOT_VALUE:
        lot = lot.scaleb(-1)
    return lot

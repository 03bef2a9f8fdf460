"""What a run takes for granted, written down for its report; and the funding that it will charge."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from traderagent_core.config.loaded import Config
from traderagent_core.data.funding import FundingRates
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.timeframe import HOUR_MS

FUNDING_INTERVAL_MS = 8 * HOUR_MS


def funding_of(
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
            rates.append(constant_funding(candles[bot.symbol], config.simulation.funding_rate))
    return rates


def constant_funding(candles: Candles, rate: Decimal) -> FundingRates:
    """One rate every eight hours, over the time of some candles."""
    first = -(-int(candles.open_time[0]) // FUNDING_INTERVAL_MS) * FUNDING_INTERVAL_MS
    times = np.arange(first, int(candles.open_time[-1]) + candles.duration_ms + 1, FUNDING_INTERVAL_MS)
    return FundingRates(candles.symbol, times, np.full(len(times), float(rate)))


def assumptions_of(
    config: Config,
    built: Mapping[str, tuple[Instrument, list[str]]],
    candles: Mapping[str, Candles],
    funding: Sequence[FundingRates],
    rates: Sequence[FundingRates],
) -> dict[str, Any]:
    """Venue, instruments and valuation as the run assumes them; JSON-ready but for Decimals."""
    simulation = config.simulation
    series = {rate.symbol for rate in funding}
    settled = {rate.symbol for rate in rates}
    instruments = {}
    for bot in config.bots:
        instrument, missing = built[bot.symbol]
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
    forced = config.coordinator.transition.forced_slippage
    routed = {"forced_slippage_ratio": forced} if any(bot.spec is None for bot in config.bots) else {}
    return {
        **routed,
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

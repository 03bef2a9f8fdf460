"""Contracts of the sandbox: Bybit's names and filters beside the instruments of the venue."""

from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Any

from attrs import field, frozen
from traderagent_core import Candles, Instrument, Market
from traderagent_core.simulator.instruments import observed_tick

from traderagent_bybit.sandbox.numbers import plain

LOT_VALUE = Decimal(50)
"""Steps of quantity are worth about this much at most, in USDT, as those of large contracts at Bybit are."""

NO_LIMIT = Decimal(10**9)
"""What an instrument without a largest order has here, as each one at Bybit has some number."""

KNOWN = {
    "BTCUSDT": ("0.1", "0.001"),
    "ETHUSDT": ("0.01", "0.01"),
    "SOLUSDT": ("0.01", "0.1"),
    "XRPUSDT": ("0.0001", "0.1"),
}


class Leg(Enum):
    """Positions that a symbol can have, by `positionIdx`."""

    BOTH = 0
    LONG = 1
    SHORT = 2


@frozen
class Contract:
    """One linear USDT perpetual. Quantities are in base units, prices in USDT, ratios fractions."""

    symbol: str
    instrument: Instrument
    launch_ms: int
    price_limit_x: Decimal = Decimal("0.01")
    price_limit_y: Decimal = Decimal("0.02")
    funding_interval_minutes: int = 480
    risk_limit_value: Decimal = Decimal(2_000_000)
    legs: dict[Leg, Instrument] = field(init=False)

    @legs.default
    def _make_legs(self) -> dict[Leg, Instrument]:
        """The venue keeps one net position per instrument, so each leg of hedge mode is one of its own."""
        from attrs import evolve

        name = self.instrument.symbol
        return {
            leg: self.instrument if leg is Leg.BOTH else evolve(self.instrument, symbol=f"{name}#{leg.value}")
            for leg in Leg
        }

    @property
    def tick(self) -> Decimal:
        """Smallest step of the price."""
        return self.instrument.tick_size

    @property
    def step(self) -> Decimal:
        """Smallest step of the quantity."""
        return self.instrument.lot_size

    @property
    def max_quantity(self) -> Decimal:
        """Largest order that has a price."""
        return self.instrument.max_quantity or NO_LIMIT

    @property
    def max_market_quantity(self) -> Decimal:
        """Largest order at the market."""
        return self.instrument.max_market_quantity or NO_LIMIT

    def to_tick(self, price: Decimal) -> Decimal:
        """The nearest price on the tick, at least one tick."""
        ticks = (price / self.tick).quantize(Decimal(1), ROUND_HALF_UP)
        return max(ticks, Decimal(1)) * self.tick

    def price_limits(self, mark: Decimal) -> tuple[Decimal, Decimal]:
        """Highest price to buy at and lowest to sell at; the index is the mark and its premium is zero here."""
        x, y = self.price_limit_x, self.price_limit_y
        highest = min(mark * (1 + y), max(mark, mark * (1 + x)))
        lowest = max(mark * (1 - y), min(mark, mark * (1 - x)))
        return self.to_tick(highest), self.to_tick(lowest)

    def row(self) -> dict[str, Any]:
        """Its row of `instruments-info`."""
        made = self.instrument
        return {
            "symbol": self.symbol,
            "contractType": "LinearPerpetual",
            "status": "Trading",
            "baseCoin": made.base,
            "quoteCoin": made.quote,
            "settleCoin": made.quote,
            "launchTime": str(self.launch_ms),
            "deliveryTime": "0",
            "deliveryFeeRate": "",
            "priceScale": str(max(0, -int(self.tick.normalize().as_tuple().exponent))),
            "symbolType": "",
            "leverageFilter": {
                "minLeverage": "1",
                "maxLeverage": f"{made.max_leverage:.2f}",
                "leverageStep": "0.01",
            },
            "priceFilter": {
                "minPrice": plain(self.tick),
                "maxPrice": "1999999.80",
                "tickSize": str(self.tick),
            },
            "lotSizeFilter": {
                "maxOrderQty": plain(self.max_quantity),
                "minOrderQty": plain(made.min_quantity),
                "qtyStep": plain(self.step),
                "postOnlyMaxOrderQty": plain(self.max_quantity),
                "maxMktOrderQty": plain(self.max_market_quantity),
                "minNotionalValue": plain(made.min_notional),
            },
            "unifiedMarginTrade": True,
            "fundingInterval": self.funding_interval_minutes,
            "copyTrading": "none",
            "upperFundingRate": "0.00375",
            "lowerFundingRate": "-0.00375",
            "isPreListing": False,
            "preListingInfo": None,
            "displayName": "",
            "riskParameters": {
                "priceLimitRatioX": plain(self.price_limit_x),
                "priceLimitRatioY": plain(self.price_limit_y),
            },
        }

    def risk_row(self) -> dict[str, Any]:
        """Its only tier: the venue has one maintenance margin."""
        made = self.instrument
        return {
            "id": 1,
            "symbol": self.symbol,
            "riskLimitValue": plain(self.risk_limit_value),
            "maintenanceMargin": plain(made.maintenance_margin_ratio),
            "initialMargin": plain(1 / made.max_leverage),
            "isLowestRisk": 1,
            "maxLeverage": f"{made.max_leverage:.2f}",
            "mmDeduction": "",
        }


def contract_of(
    candles: Candles,
    given: Instrument | None = None,
    *,
    maker_fee: Decimal = Decimal("0.0002"),
    taker_fee: Decimal = Decimal("0.00055"),
) -> Contract:
    """The contract for a series: as given, or with Bybit's steps where they are known and the prices lie on them."""
    base, _, rest = candles.symbol.partition("/")
    quote = rest.partition(":")[0]
    symbol = f"{base}{quote}"
    tick, step = observed_tick(candles), _usual_step(candles)
    if symbol in KNOWN and not tick % Decimal(KNOWN[symbol][0]):
        tick = Decimal(KNOWN[symbol][0])
    if symbol in KNOWN:
        step = Decimal(KNOWN[symbol][1])
    scale = Decimal(1) if step < Decimal("0.01") else Decimal(100)
    instrument = given or Instrument(
        f"{base}/{quote}:{quote}",
        Market.LINEAR,
        tick_size=tick,
        lot_size=step,
        min_quantity=step,
        min_notional=Decimal(5),
        maker_fee_ratio=maker_fee,
        taker_fee_ratio=taker_fee,
        max_leverage=Decimal(100),
        max_quantity=Decimal(1190) * scale,
        max_market_quantity=Decimal(500) * scale,
    )
    return Contract(symbol, instrument, int(candles.open_time[0]))


def _usual_step(candles: Candles) -> Decimal:
    price = Decimal(repr(float(candles.close[-1])))
    step = Decimal(1)
    while step * price > LOT_VALUE:
        step = step.scaleb(-1)
    return step

"""The entry filter: accepts, scales or rejects a plan by the zones around its price."""

import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal
from sys import intern
from typing import Any, ClassVar

import numpy as np
from traderagent_core import (
    DataError,
    EntryFilter,
    Exhibit,
    MarketView,
    Plan,
    Ruling,
    RunHistory,
    Verdict,
)

from traderagent_smc.analysis import TimeframeAnalysis
from traderagent_smc.config import SmcConfig
from traderagent_smc.exhibit import exhibit
from traderagent_smc.intent import Intent, read_plan
from traderagent_smc.market import SymbolMarket
from traderagent_smc.state import SmcState
from traderagent_smc.tally import Tally
from traderagent_smc.valuation import Placed, Valuation, value_zones

NOT_AN_ENTRY = "not_an_entry"
STALE = "stale"
NO_DATA = "no_data"
NO_ZONE = "no_zone"
STRONG_ZONE = "strong_zone"
PLAIN_ZONE = "plain_zone"
WEAK_ZONE = "weak_zone"
OPPOSING_ZONE = "opposing_zone"
FILTER_FAULT = "filter_fault"
ZONES_TOLD = 8

log = logging.getLogger("traderagent_smc")


class SmcFilter(EntryFilter):
    """Judges ENTRY plans on closed candles; missing data is NEUTRAL, a fault inside it REJECTs."""

    config: SmcConfig
    state: SmcState
    state_class: ClassVar[type] = SmcState

    def __init__(self, config: SmcConfig) -> None:
        super().__init__(config)
        self.tally = Tally()
        self._markets: dict[str, SymbolMarket] = {}
        self._basis = self.state
        self._faults: dict[str, str] = {}
        self._logged: dict[str, str] = {}
        self._stale_ratio = Decimal(str(config.stale_ratio))

    def advance(self, view: MarketView, symbol: str) -> None:
        """Take the candles closed since the last time; a fault is kept for the verdict."""
        self._faults.pop(symbol, None)
        try:
            market = self.market(symbol)
            market.advance(view)
            self.state = self._basis = self.state.with_checkpoint(market)
        except DataError as error:
            # Nothing was taken of the timeframe with the wrong candle: all is as it was before it.
            self._faults[symbol] = self._fault(symbol, "advance", error)
        except Exception as error:
            self._markets.pop(symbol, None)
            self._faults[symbol] = self._fault(symbol, "advance", error)

    def market(self, symbol: str) -> SymbolMarket:
        """The timeframes of a symbol as last advanced: for reports, and for strategies that want setups."""
        if self.state is not self._basis:
            # The state was given back by the engine: what was built on another one does not hold.
            self._basis = self.state
            self._markets.clear()
        if symbol not in self._markets:
            self._markets[symbol] = self.state.market(symbol, self.config)
        return self._markets[symbol]

    def judge(self, plan: Plan, view: MarketView, symbol: str) -> Verdict:
        """Judge a plan at the last closed candles and the current price. It never raises."""
        try:
            verdict = self._judged(plan, view, symbol)
        except Exception as error:
            verdict = self._rejected(FILTER_FAULT, detail=self._fault(symbol, "judge", error))
        self.tally.count(verdict)
        return verdict

    def exhibit(self, history: RunHistory) -> Exhibit:
        """Zones, liquidity, structure and verdicts of a run; what can be had again makes room for them."""
        self._markets.clear()
        return exhibit(self.config, history)

    # -- the steps of a verdict -----------------------------------------------------------------------------

    def _judged(self, plan: Plan, view: MarketView, symbol: str) -> Verdict:
        if symbol in self._faults:
            return self._rejected(FILTER_FAULT, detail=self._faults[symbol])
        market = self.market(symbol)
        price = _price(view, symbol)
        if price is None:
            return self._neutral(NO_DATA, self.config.neutral_size_factor.single, {})
        intent = read_plan(plan, price)
        if intent is None:
            return Verdict(Ruling.ACCEPT, NOT_AN_ENTRY)
        if abs(intent.price - price) > self._stale_ratio * price:
            return self._rejected(STALE, planned_at=str(intent.price), price=str(price))
        usable = market.usable
        if not usable:
            return self._neutral(NO_DATA, self._factor(intent), {"missing": dict(market.notes)})
        return self._ruling(intent, usable, market.notes)

    def _ruling(
        self, intent: Intent, analyses: Sequence[TimeframeAnalysis], notes: Mapping[str, str]
    ) -> Verdict:
        valuation = value_zones(analyses, self.config.proximity_atr)
        confidence, used = self._confidence(intent, valuation)
        evidence = _evidence(confidence, used, analyses, notes)
        opposing = self._opposing(intent, valuation)
        if opposing is not None:
            return self._rejected(
                OPPOSING_ZONE, **evidence | {"opposing": opposing.identity, "zone_kind": opposing.zone.kind}
            )
        if confidence >= self.config.accept:
            return Verdict(Ruling.ACCEPT, STRONG_ZONE, evidence=evidence)
        if confidence < self.config.reject:
            return self._rejected(WEAK_ZONE, **evidence)
        return self._neutral(PLAIN_ZONE if used else NO_ZONE, self._factor(intent), evidence)

    def _confidence(self, intent: Intent, valuation: Valuation) -> tuple[float, list[Placed]]:
        """The best relevant zone of a single entry; of a ladder the mean over its levels."""
        missing = self.config.no_zone_confidence
        if not intent.is_ladder:
            side = valuation.side(intent.direction)
            used = side.relevant(float(intent.price))
            return side.worth(used[0]) if used else missing, used
        total, used = 0.0, []
        for direction in (1, -1):
            prices = [level.price for level in intent.levels if level.direction == direction]
            found, zones = valuation.side(direction).best(prices, missing)
            total += float(np.add.reduce(found))
            used += zones
        return total / len(intent.levels), used

    def _opposing(self, intent: Intent, valuation: Valuation) -> Placed | None:
        """A zone against the entry that holds its price and would itself be accepted; ladders may go both ways."""
        if not self.config.reject_in_opposing_zone or not intent.direction:
            return None
        worth, placed = valuation.side(-intent.direction).strongest_around(float(intent.price))
        return placed if worth >= self.config.accept else None

    # -- answers --------------------------------------------------------------------------------------------

    def _factor(self, intent: Intent) -> Decimal:
        factors = self.config.neutral_size_factor
        return factors.grid if intent.is_ladder else factors.single

    def _neutral(self, reason: str, factor: Decimal, evidence: dict[str, Any]) -> Verdict:
        return Verdict(Ruling.NEUTRAL, reason, factor, evidence)

    def _rejected(self, reason: str, **evidence: Any) -> Verdict:
        return Verdict(Ruling.REJECT, reason, evidence=evidence)

    def _fault(self, symbol: str, where: str, error: Exception) -> str:
        """Log a fault; the same one of a symbol is logged once in a row."""
        text = f"{where}: {error!r}"
        if self._logged.get(symbol) != text:
            log.error("filter_fault symbol=%s %s", symbol, text, exc_info=error)
        self._logged[symbol] = text
        return text


def _price(view: MarketView, symbol: str) -> Decimal | None:
    try:
        return view.price(symbol)
    except DataError:
        return None


def _evidence(
    confidence: float, used: list[Placed], analyses: Sequence[TimeframeAnalysis], notes: Mapping[str, str]
) -> dict[str, Any]:
    """What the verdict rests on; the best zones first, at most ZONES_TOLD of them."""
    evidence: dict[str, Any] = {
        "confidence": confidence,
        "zones": tuple([intern(placed.identity) for placed in used[:ZONES_TOLD]]),
        "trend": {analysis.timeframe: analysis.trend for analysis in analyses},
    }
    if used:
        evidence["zone_kind"] = used[0].zone.kind
    if notes:
        evidence["notes"] = dict(notes)
    return evidence

"""What the filter shows in a report: zones, liquidity and structure on the chart, verdicts, and their statistics."""

from collections import defaultdict
from collections.abc import Iterator

from traderagent_core import (
    Candles,
    Column,
    DataError,
    Exhibit,
    Judged,
    Layer,
    Mark,
    Ruling,
    RunHistory,
    Table,
)
from traderagent_core.contract.exhibit import Tone

from traderagent_smc.config import SmcConfig
from traderagent_smc.drawings import CAUSES, Drawn, zone_rows
from traderagent_smc.market import beginning
from traderagent_smc.records import find_all
from traderagent_smc.statistics import Row, tables, told

ZONES = (
    Column("symbol", "Symbol"),
    Column("timeframe", "Timeframe"),
    Column("kind", "Zone"),
    Column("born", "Born", "count"),
    Column("alive", "Alive", "count"),
    *(Column(cause, cause.capitalize(), "count") for cause in CAUSES),
    Column("mean_life", "Mean life, candles", "number"),
)
NOTE = "Zones that lived while the run went on, and how they ended."
SIGNS: dict[Ruling, tuple[Tone, str]] = {
    Ruling.ACCEPT: ("good", "A"),
    Ruling.NEUTRAL: ("neutral", "N"),
    Ruling.REJECT: ("bad", "R"),
}


def exhibit(config: SmcConfig, history: RunHistory) -> Exhibit:
    """Tables and layers of a run, found anew by the detectors candle by candle."""
    verdicts: list[Row] = []
    marks: dict[str, list[Mark]] = defaultdict(list)
    for each in history.verdicts:  # One at a time: with its plan a verdict is larger than what is told of it.
        verdicts.append(told(each))
        marks[each.symbol].append(_mark(each))
    layers: list[Layer] = []
    rows: list[tuple[str | int | float, ...]] = []
    for symbol in history.timeframes:
        for drawn in _drawn(
            config, history, symbol
        ):  # One at a time: findings are larger than what is drawn of them.
            layers += drawn.layers()
            rows += zone_rows(drawn)
    zones = Table("zones", "SMC zones", ZONES, rows, NOTE)
    judged = (Layer("SMC verdicts", symbol, marks=marks[symbol]) for symbol in history.timeframes)
    return Exhibit((*tables(verdicts), zones), (*judged, *layers))


def _drawn(config: SmcConfig, history: RunHistory, symbol: str) -> Iterator[Drawn]:
    """The findings of each timeframe that the data give, from high to low."""
    found: dict[str, Candles] = {}
    for timeframe in config.timeframes:
        try:
            found[timeframe] = history.candles(symbol, timeframe)
        except DataError:
            continue
    if not found:
        return
    start = min(int(candles.open_time[0]) for candles in [*found.values()][-1:] if len(candles))
    for timeframe, candles in found.items():
        taken = beginning(candles, start, config, history.start_ms)
        if len(taken):
            yield Drawn(taken, find_all(taken, config.settings(timeframe)), history.start_ms)


def _mark(each: Judged) -> Mark:
    tone, label = SIGNS[each.verdict.ruling]
    return Mark(each.time_ms, float(each.price), "square", tone, label, _text(each))


def _text(each: Judged) -> str:
    verdict = each.verdict
    parts = [f"{verdict.ruling.value} {verdict.reason}"]
    confidence = verdict.evidence.get("confidence")
    if confidence is not None:
        parts.append(f"confidence {confidence:.2f}")
    parts += [str(zone) for zone in verdict.evidence.get("zones", ())[:2]]
    if "opposing" in verdict.evidence:
        parts.append(f"opposing {verdict.evidence['opposing']}")
    return ", ".join(parts)

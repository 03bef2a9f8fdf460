"""Drawings of what the detectors find, for the charts of a report: zones, liquidity, structure and swings."""

from collections.abc import Iterable, Iterator, Sequence
from sys import intern

from attrs import field, frozen
from traderagent_core import Band, Candles, Layer, Line, Mark

from traderagent_smc.pools import Pool
from traderagent_smc.records import Records
from traderagent_smc.structure import Break
from traderagent_smc.swings import Swing
from traderagent_smc.zones import BLOCK, GAP, Zone

NAMES = {GAP: "fair value gap"}


@frozen(eq=False)
class Drawn:
    """The findings of one timeframe in its candles; what ended before the run is left out.

    `zones` are those that lived while the run went on, `closes` the times at which the candles closed.
    """

    candles: Candles
    records: Records
    start_ms: int = 0
    closes: list[int] = field(init=False)
    zones: list[Zone] = field(init=False)

    @closes.default
    def _close_times(self) -> list[int]:
        times: list[int] = (self.candles.open_time + self.candles.duration_ms).tolist()
        return times

    @zones.default
    def _lived(self) -> list[Zone]:
        return [zone for zone in self.records.zones if self._closed(zone.dead_at) > self.start_ms]

    def layers(self) -> Iterator[Layer]:
        """A layer for each kind of finding; a part begins when it became known, not when it happened.

        There are tens of thousands of parts and few different texts: equal ones are one object.
        """
        records, candles = self.records, self.candles
        symbol, name = candles.symbol, candles.timeframe
        for kind, title in ((BLOCK, "Order blocks"), (GAP, "Gaps")):
            bands = [self._zone(zone) for zone in self.zones if zone.kind == kind]
            yield Layer(f"{title} {name}", symbol, bands=bands, timeframe=name)
        pools = self._since(self._pool(pool) for pool in records.pools)
        yield Layer(f"Liquidity {name}", symbol, lines=pools, timeframe=name)
        breaks = self._since(self._break(each) for each in records.breaks)
        yield Layer(f"Structure {name}", symbol, lines=breaks, timeframe=name)
        swings = [self._swing(each) for each in records.swings if self._closed(each.idx) > self.start_ms]
        yield Layer(f"Swings {name}", symbol, marks=swings, timeframe=name, is_shown=False)

    def _since(self, lines: Iterable[Line]) -> list[Line]:
        return [line for line in lines if line.points[-1][0] > self.start_ms]

    def _closed(self, index: int | None) -> int:
        """When a candle closed; the end of the series for None."""
        return self.closes[-1 if index is None else index]

    def _zone(self, zone: Zone) -> Band:
        is_up = zone.direction > 0
        words = [
            f"{self.candles.timeframe} {'bullish' if is_up else 'bearish'} {kind_name(zone.kind)}",
            f"strength from {zone.merits.strength(0.0):.0f}",
            f"{zone.touches} touches" if zone.touches != 1 else "1 touch",
            f"ended by {zone.cause}" if zone.cause else "alive",
        ]
        span = zone.known_ms, self._closed(zone.dead_at)
        return Band(*span, zone.bottom, zone.top, "up" if is_up else "down", intern(", ".join(words)))

    def _pool(self, pool: Pool) -> Line:
        is_high = pool.direction > 0
        what = f"{self.candles.timeframe} equal {'highs' if is_high else 'lows'}, {pool.members} of them"
        end = pool.swept_at if pool.swept_at is not None else pool.withdrawn_at
        fate = pool.kind or (
            "swept" if pool.swept_at is not None else "withdrawn" if end is not None else "open"
        )
        span = (self._closed(pool.known_at), pool.level), (self._closed(end), pool.level)
        return Line(span, "accent", "dotted", text=intern(f"{what}, {fate}"))

    def _break(self, each: Break) -> Line:
        is_up = each.direction > 0
        label = "CHoCH" if each.kind == "CHOCH" else each.kind
        span = (self._closed(each.swing_idx), each.level), (self._closed(each.at), each.level)
        text = intern(f"{self.candles.timeframe} {label} {'up' if is_up else 'down'}")
        return Line(span, "up" if is_up else "down", "dashed", label, text)

    def _swing(self, swing: Swing) -> Mark:
        is_high = swing.direction > 0
        wait = swing.confirmed_at - swing.idx
        text = intern(
            f"{self.candles.timeframe} swing {'high' if is_high else 'low'}, known {wait} candles later"
        )
        time_ms = self._closed(swing.idx)
        if is_high:
            return Mark(time_ms, swing.level, "arrow_down", "down", text=text)
        return Mark(time_ms, swing.level, "arrow_up", "up", text=text)


def kind_name(kind: str) -> str:
    """A kind of zone in words."""
    return NAMES.get(kind, kind.replace("_", " "))


def zone_rows(drawn: Drawn) -> list[tuple[str | int | float, ...]]:
    """How many zones of each kind were born and how they ended, with the mean life of the dead."""
    candles, lived = drawn.candles, drawn.zones
    rows: list[tuple[str | int | float, ...]] = []
    for kind in sorted({zone.kind for zone in lived}):
        zones = [zone for zone in lived if zone.kind == kind]
        rows.append((candles.symbol, candles.timeframe, kind_name(kind), *_lives(zones)))
    return rows


CAUSES = ("mitigated", "filled", "touches", "age")


def _lives(zones: Sequence[Zone]) -> tuple[int | float, ...]:
    lives = [zone.dead_at - zone.known_at for zone in zones if zone.dead_at is not None]
    ends = [sum(zone.cause == cause for zone in zones) for cause in CAUSES]
    mean = sum(lives) / len(lives) if lives else 0.0
    return len(zones), len(zones) - len(lives), *ends, mean

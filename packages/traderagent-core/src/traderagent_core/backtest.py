"""A back-test from files: what was asked for, the data for it, the run, and a manifest to run it again."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from traderagent_core.api import refuse_empty_period, simulate
from traderagent_core.config.effective import effective
from traderagent_core.config.load import Config, load_config
from traderagent_core.data.loading import LoadedData, load_for_backtest
from traderagent_core.errors import ConfigError, DataError
from traderagent_core.model.candle import Candles
from traderagent_core.report.manifest import DataSource, build
from traderagent_core.report.result import Result

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@frozen
class Request:
    """What a back-test shall do. `expected` are checksums by symbol and kind that the data must have."""

    config: Config
    data: Path | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    path: str | None = None
    with_bounds: bool = False
    with_comparison: bool = False
    expected: Mapping[str, str] | None = None

    def load(self) -> LoadedData:
        """The candles and funding of every bot; raises DataError when something is missing or not as expected."""
        refuse_empty_period(self.start_ms, self.end_ms)
        parts = [
            load_for_backtest(
                self.data,
                [bot.symbol],
                bot.timeframe,
                self.start_ms,
                self.end_ms,
                exchange=self.config.simulation.data_exchange,
                market=bot.market.value,
                prefer=(bot.exchange.exchange_id, bot.market.value),
                with_earlier=True,
            )
            for bot in self.config.bots
        ]
        loaded = LoadedData.joined(parts)
        self._compare(loaded)
        note = loaded.differing_periods(self.start_ms)
        return loaded if note is None else evolve(loaded, notes=(*loaded.notes, note))

    def _compare(self, loaded: LoadedData) -> None:
        if self.expected is None:
            return
        found = {f"{source.symbol} {source.kind}": source.checksum for source in loaded.sources}
        for name in sorted(found.keys() | self.expected.keys()):
            has, wanted = found.get(name), self.expected.get(name)
            if has != wanted:
                raise DataError(
                    f"{name}: these are not the data of the run to be repeated (it used {_short(wanted)}, here is "
                    f"{_short(has)}); give the same data with --data"
                )

    def period(self, loaded: LoadedData) -> tuple[int, int]:
        """First and last time of the run, ms UTC."""
        series: list[Candles] = list(loaded.candles.values())
        first = min(int(candles.open_time[0]) for candles in series)
        last = max(int(candles.open_time[-1]) + candles.duration_ms for candles in series)
        return self.start_ms or first, last


def run_request(
    request: Request, loaded: LoadedData, progress: Callable[[int], None] | None = None
) -> Result:
    """Run a request on its data."""
    return simulate(
        request.config,
        loaded.candles,
        funding=list(loaded.funding.values()),
        path=request.path,
        start_ms=request.start_ms,
        end_ms=request.end_ms,
        with_bounds=request.with_bounds,
        with_comparison=request.with_comparison,
        progress=progress,
        manifest=_manifest(request, loaded),
    )


def _manifest(request: Request, loaded: LoadedData) -> dict[str, Any]:
    sources = [
        DataSource(
            source.symbol,
            source.kind,
            f"{source.exchange} {source.market}",
            source.checksum,
            source.rows,
            source.first_ms,
            source.last_ms,
        )
        for source in loaded.sources
    ]
    return build(
        configuration=effective(request.config),
        data=sources,
        start_ms=request.start_ms,
        end_ms=request.end_ms,
        path=request.path or request.config.simulation.path,
        options={"bounds": request.with_bounds, "compare": request.with_comparison},
        plugins=request.config.distributions,
    )


def again(result_file: Path, data: Path | None) -> Request:
    """The request that a result.json came from; raises ConfigError when the file is not one."""
    try:
        manifest = json.loads(result_file.read_text(encoding="utf-8"))["manifest"]
        configuration, period = manifest["configuration"], manifest["period"]
        expected = {f"{entry['symbol']} {entry['timeframe']}": entry["sha256"] for entry in manifest["data"]}
        path, asked = str(manifest["path"]), manifest["options"]
        with_bounds, with_comparison = bool(asked["bounds"]), bool(asked.get("compare"))
        start_ms, end_ms = _time(period["from"]), _time(period["to"])
        loaded = load_config({**configuration})
    except OSError as error:
        raise ConfigError(
            f"cannot read {result_file}: {error.strerror or error}; name a result.json"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{result_file} is no result of a back-test with a manifest ({error!r})") from error
    return Request(loaded, data, start_ms, end_ms, path, with_bounds, with_comparison, expected)


def _short(checksum: str | None) -> str:
    return "none" if checksum is None else f"a series of checksum {checksum[:12]}…"


def _time(text: str | None) -> int | None:
    return None if text is None else (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


__all__ = ["Request", "again", "run_request"]

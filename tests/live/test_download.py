"""`traderagent data download` through the Bybit adapter, at the sandbox: resumed, with gaps told."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from traderagent_bybit.sandbox.app import serving
from traderagent_bybit.sandbox.session import Session, Settings
from traderagent_bybit.sandbox.world import AccountSpec
from traderagent_core import Candles, downloading
from traderagent_core.cli.main import run
from traderagent_core.data.catalogue import Catalogue
from traderagent_core.model.timeframe import DAY_MS
from traderagent_core.testing import market

ROWS, HOLE = 2_500, slice(700, 730)
CLOSED = ROWS - 30 - 1


@contextmanager
def sandbox(series: Candles) -> Iterator[str]:
    """A sandbox in a thread, whose time stands at the open of the last candle; gives its URL."""
    ready, done, urls = Event(), Event(), list[str]()
    now_ms = int(series.open_time[-1])

    async def serve() -> None:
        settings = Settings(
            [AccountSpec("kit", "key", "secret", Decimal(1))], has_rate_limits=False, start_ms=now_ms
        )
        async with serving(Session(settings, [series], lambda: now_ms)) as (_, url):
            urls.append(url)
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(30)
    try:
        yield urls[0]
    finally:
        done.set()
        thread.join()


@pytest.fixture
def series() -> Candles:
    """Minutes with a hole of half an hour."""
    whole = market("ranging", timeframe="1m", rows=ROWS)
    kept = np.delete(np.arange(ROWS), HOLE)
    columns = ("open_time", "open", "high", "low", "close", "volume")
    return Candles(whole.symbol, "1m", *(getattr(whole, name)[kept] for name in columns))


def configuration(folder: Path, url: str) -> Path:
    file = folder / "bot.yaml"
    sockets = f"{url.replace('http', 'ws', 1)}/v5"
    file.write_text(
        "bots:\n"
        "- {name: bot, symbol: BTC/USDT, strategy: grid, market: linear, timeframe: 1m, dry_run: false,\n"
        f"   exchange: {{exchange_id: bybit, sandbox: true, rest_url: {url}, private_url: {sockets}/private,\n"
        f"   public_url: {sockets}/public/linear}},\n"
        '   grid: {upper_price: "112", lower_price: "88", grid_levels: 12, amount_per_grid: "50"}}\n'
    )
    return file


def test_a_download_goes_on_where_it_was(
    series: Candles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(downloading, "PART_ROWS", 1_000)
    times = [str(np.datetime64(int(series.open_time[row]), "ms")) for row in (200, 1_500, 0)]
    root = tmp_path / "catalogue"
    with sandbox(series) as url:
        common = ["data", "download", "--config", str(configuration(tmp_path, url)), "--catalogue", str(root)]
        assert run([*common, "--from", times[0], "--to", times[1]]) == 0
        first = capsys.readouterr()
        assert "1,300 candles added, 1,300 stored, 1 gaps" in first.out
        assert f"from {times[0][:10]}" in first.out
        assert "30 are missing" in first.out
        assert run([*common, "--from", times[2]]) == 0
        assert f"{CLOSED - 1_300:,} candles added, {CLOSED:,} stored, 1 gaps" in capsys.readouterr().out
        assert run([*common, "--from", times[2]]) == 0
        again = capsys.readouterr()
        assert f" 0 candles added, {CLOSED:,} stored, 1 gaps" in again.out
        assert again.err == ""
        common[-1] = str(tmp_path / "another")
        before_listing = str(np.datetime64(int(series.open_time[0]) - 5 * DAY_MS, "ms"))
        assert run([*common, "--from", before_listing]) == 0
        assert f"{CLOSED:,} candles added" in capsys.readouterr().out
    (info,) = Catalogue(root).series()
    stored = Catalogue(root).load("BTC/USDT", "1m")
    assert info.key.exchange == "bybit"
    for name in ("open_time", "open", "high", "low", "close"):
        assert np.array_equal(getattr(stored, name), getattr(series, name)[:-1]), name

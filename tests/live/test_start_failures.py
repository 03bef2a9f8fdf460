"""A start that cannot be says what is wrong and how to mend it: exit code 2, no traceback."""

import asyncio
import errno
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from traderagent_bybit.sandbox.app import serving
from traderagent_bybit.sandbox.desk import Desk
from traderagent_bybit.sandbox.session import Session, Settings
from traderagent_bybit.sandbox.world import AccountSpec
from traderagent_core import load_config
from traderagent_core.cli.main import run
from traderagent_core.errors import TraderAgentError
from traderagent_core.live_run import run_live
from traderagent_core.persistence.journal.disk import Disk
from traderagent_core.testing import market

KEYS = {"key": "kit", "secret": "hush"}
NOWHERE = "http://127.0.0.1:9"


@contextmanager
def sandbox() -> Iterator[tuple[Desk, str]]:
    """A sandbox on a thread of its own."""
    account = AccountSpec("kit", KEYS["key"], KEYS["secret"], Decimal(20_000))
    series = market("ranging", timeframe="1m", rows=600)
    settings = Settings([account], speed=0.0, has_rate_limits=False, start_ms=int(series.open_time[-2]))
    found: list[tuple[Desk, str]] = []
    loop, ends = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with serving(Session(settings, [series], lambda: time.time_ns() // 1_000_000)) as (desk, url):
            found.append((desk, url))
            await ends.wait()

    thread = Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    while not found:
        time.sleep(0.01)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(ends.set)
        thread.join()
        loop.close()


def configuration(url: str, symbol: str = "BTC/USDT", more: str = "") -> str:
    sockets = f"{url.replace('http', 'ws', 1)}/v5"
    return f"""
{more}
bots:
  - name: bot
    symbol: {symbol}
    strategy: grid
    market: linear
    dry_run: false
    exchange:
      {{exchange_id: bybit, credentials_name: kit, sandbox: true, rest_url: {url},
       private_url: {sockets}/private, public_url: {sockets}/public/linear}}
    risk_management: {{stop_loss_percentage: "0.3"}}
    grid: {{upper_price: "112", lower_price: "88", grid_levels: 12, amount_per_grid: "50"}}
"""


def started(tmp_path: Path, url: str, keys: Mapping[str, str], symbol: str = "BTC/USDT") -> TraderAgentError:
    """What a start raises that cannot be."""
    file = tmp_path / "bot.yaml"
    file.write_text(configuration(url, symbol))
    with pytest.raises(TraderAgentError) as error:
        run_live(load_config(file), tmp_path / "run", keys, lambda *_, **__: None)
    return error.value


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"key": "made-elsewhere"}, r"API key is invalid.*a key belongs to one environment"),
        ({"secret": "another"}, r"error sign.*store both again with `traderagent credentials add`"),
    ],
    ids=["key of another environment", "wrong secret"],
)
def test_keys_that_do_not_fit(tmp_path: Path, keys: dict[str, str], told: str) -> None:
    with sandbox() as (desk, url):
        error = started(tmp_path, url, {**KEYS, **keys})
        assert not desk.session.world.accounts["kit"].orders
    assert error.exit_code == 2
    assert "hush" not in str(error)
    assert re.search(told, str(error)), error


def test_a_region_that_is_refused(tmp_path: Path) -> None:
    with sandbox() as (desk, url):
        desk.faults.replace([{"kind": "http_status", "status": 403}], 0)
        error = started(tmp_path, url, KEYS)
    assert error.exit_code == 2
    assert "trade from a region that it serves" in str(error)


def test_a_host_that_is_not_there(tmp_path: Path) -> None:
    error = started(tmp_path, NOWHERE, KEYS)
    assert error.exit_code == 2
    assert f"{NOWHERE} does not answer" in str(error)
    assert "exchange.rest_url" in str(error)


def test_a_symbol_that_is_not_traded(tmp_path: Path) -> None:
    with sandbox() as (_, url):
        error = started(tmp_path, url, KEYS, "DOGE/USDT")
    assert error.exit_code == 2
    assert "DOGEUSDT" in str(error)
    assert "choose symbols that the exchange trades" in str(error)


def in_hedge_mode(desk: Desk) -> None:
    desk.session.apply("kit", "switch-mode", {"category": "linear", "symbol": "BTCUSDT", "mode": 3})


def test_a_symbol_in_hedge_mode(tmp_path: Path) -> None:
    with sandbox() as (desk, url):
        in_hedge_mode(desk)
        error = started(tmp_path, url, KEYS)
    assert error.exit_code == 2
    assert "write `symbol: BTC/USDT:long` or `symbol: BTC/USDT:short`" in str(error)


def test_a_neutral_grid_on_a_position_of_hedge_mode(tmp_path: Path) -> None:
    with sandbox() as (desk, url):
        in_hedge_mode(desk)
        error = started(tmp_path, url, KEYS, "BTC/USDT:short")
        assert not desk.session.world.accounts["kit"].orders
    assert error.exit_code == 2
    assert "set direction: short; a neutral grid needs an account in one-way mode" in str(error)


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Disk, "write", full)
    error = started(tmp_path, NOWHERE, KEYS)
    assert error.exit_code == 2
    assert "free some space" in str(error)


def test_a_database_that_is_down_where_the_keys_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    monkeypatch.setenv("ENCRYPTION_KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
    monkeypatch.setenv("TRADERAGENT_STATE", str(tmp_path / "state"))
    file = tmp_path / "bot.yaml"
    file.write_text(configuration(NOWHERE, more="database_url: postgresql://me:canary@127.0.0.1:9/none"))
    assert run(["run", "--config", str(file)]) == 2
    err = capfd.readouterr().err
    assert "Traceback" not in err
    assert "canary" not in err
    assert "database" in err

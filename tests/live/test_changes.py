"""What an edited configuration changes in a run, and when each change counts."""

from pathlib import Path

import pytest
from traderagent_core import load_config
from traderagent_core.config.changes import Counts, changes

CONFIG = """
bots:
- name: bot
  symbol: BTC/USDT
  strategy: grid
  market: linear
  exchange: {exchange_id: bybit, credentials_name: mine, sandbox: true, recv_window_ms: 5000}
  grid: {upper_price: "110", lower_price: "90", grid_levels: 6, amount_per_grid: "50"}
"""


@pytest.mark.parametrize(
    ("old", "new", "key", "counts"),
    [
        ("grid_levels: 6", "grid_levels: 8", "bots.bot.grid.grid_levels", Counts.NOW),
        ("strategy: grid", "strategy: grid\n  leverage: 2", "bots.bot.leverage", Counts.WHEN_STOPPED),
        (
            "recv_window_ms: 5000",
            "recv_window_ms: 9000",
            "bots.bot.exchange.recv_window_ms",
            Counts.NEXT_START,
        ),
        ("recv", "rest_url: 'http://elsewhere', recv", "bots.bot.exchange.rest_url", Counts.NEXT_START),
        ("sandbox: true", "environment: test", "bots.bot.exchange.environment", Counts.NEVER),
        ("mine", "theirs", "bots.bot.exchange.credentials_name", Counts.NEVER),
        ("BTC/USDT", "ETH/USDT", "bots.bot.symbol", Counts.NEVER),
    ],
)
def test_each_key_counts_when_it_can(old: str, new: str, key: str, counts: Counts, tmp_path: Path) -> None:
    before, after = tmp_path / "before.yaml", tmp_path / "after.yaml"
    before.write_text(CONFIG)
    after.write_text(CONFIG.replace(old, new))
    found = {each.key: each.counts for each in changes(load_config(before), load_config(after))}
    assert found[key] is counts

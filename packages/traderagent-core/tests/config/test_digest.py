"""The fingerprint of a configuration: of what it means, not of how it is written, and of no secret."""

from typing import Any

import pytest
from traderagent_core.config.load import load_config

GRID = {"lower_price": "1", "upper_price": "2", "grid_levels": 5}
BASE: dict[str, Any] = {
    "encryption_key": "k",
    "simulation": {"balance": "1000"},
    "filters": {"volume": {"api_token": "t"}},
    "bots": [{"name": "a", "symbol": "BTC/USDT", "strategy": "grid", "grid": GRID}],
}


def digest(host: Any, **changes: Any) -> str:
    return load_config({**BASE, **changes}, host=host, environ={"B": "1000"}).sha256


@pytest.mark.parametrize(
    "same",
    [
        {"simulation": {"balance": "1000.00", "slippage": 0}},
        {"simulation": {"balance": "${B}"}},
        {"simulation": {"balance": 1e3}},
        {"encryption_key": "another"},
        {"database_url": "sqlite:///x"},
        {"filters": {"volume": {"api_token": "u", "period": 14, "enabled": True}}},
        {"bots": [dict(reversed({**BASE["bots"][0], "timeframe": "1h"}.items()))]},
        {"bots": [{**BASE["bots"][0], "exchange": {"credentials_name": "mine"}}]},
    ],
)
def test_what_means_the_same_has_the_same_digest(host: Any, same: dict[str, Any]) -> None:
    assert digest(host, **same) == digest(host)


@pytest.mark.parametrize(
    "other",
    [
        {"simulation": {"balance": "1000.01"}},
        {"simulation": {"balance": "100"}},
        {"simulation": {"balance": "1000", "path": "optimistic"}},
        {"filters": {}},
        {"filters": {"volume": {"period": 15}}},
        {"risk_modes": {"drawdown": {}}},
        {"bots": [{**BASE["bots"][0], "grid": {**GRID, "grid_levels": 6}}]},
        {"bots": [{**BASE["bots"][0], "symbol": "ETH/USDT"}]},
        {"bots": [{**BASE["bots"][0], "market": "linear"}]},
    ],
)
def test_what_means_something_else_has_another_digest(host: Any, other: dict[str, Any]) -> None:
    assert digest(host, **other) != digest(host)


def test_the_digest_is_hexadecimal_sha_256(host: Any) -> None:
    assert len(digest(host)) == 64
    assert int(digest(host), 16) > 0

"""Whatever happens to a valid configuration, it loads or is refused by name; nothing else is raised."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traderagent_core.config.load import InvalidConfigError, load_config

VALID: dict[str, Any] = {
    "database_url": "${DATABASE_URL}",
    "log_level": "INFO",
    "plugins": ["grid"],
    "disabled_plugins": ["web"],
    "filters": {"volume": {"enabled": True, "period": 20}},
    "risk_modes": {"drawdown": {"period": 5}},
    "simulation": {
        "balance": "10000",
        "maker_fee": 0.001,
        "slippage": "0.0005",
        "latency_ms": 50,
        "path": "pessimistic",
        "instruments": {"BTC/USDT": {"tick_size": "0.1", "max_leverage": 10}},
    },
    "bots": [
        {
            "name": "one",
            "symbol": "BTC/USDT",
            "strategy": "grid",
            "market": "linear",
            "leverage": 3,
            "timeframe": "15m",
            "exchange": {"exchange_id": "bybit", "sandbox": True, "environment": "demo"},
            "grid": {
                "enabled": True,
                "upper_price": "72000",
                "lower_price": "65000",
                "grid_levels": 6,
                "stops": {"distance": 0.1, "trailing": True},
                "weights": [1, "2", 0.5],
            },
            "quiet": {"enabled": False},
            "risk_management": {"max_position_size": "3000", "stop_loss_percentage": "0.12"},
            "dry_run": False,
            "capital_share": "0.25",
        },
        {"name": "two", "symbol": "ETH/USDT", "strategy": "quiet"},
    ],
}

Path_ = tuple[str | int, ...]


def paths(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield (*path, key)
        yield from paths(child, (*path, key))


PATHS = list(paths(VALID))
# An instrument may be any symbol, so its key is none that could be wrong.
KEYS = [path for path in PATHS if isinstance(path[-1], str) and "/" not in path[-1]]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        ["", "${X}", "${", "$$", "1e999", "nan", "-1", "0", "yes", "BTC/USDT", "auto", "hybrid", "dca"]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
SCRAP = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=4),
    st.sampled_from(["\t", "- ", ": ", "&a ", "*a", "<<: ", "# ", "!!x ", "| ", "> "]),
)
many = settings(max_examples=1000, deadline=None)


def holder(document: Any, path: Path_) -> Any:
    for part in path[:-1]:
        document = document[part]
    return document


def refusal(source: Path | dict[str, Any], host: Any) -> str:
    """What is said of a configuration, or nothing when it loads; any other exception fails the test."""
    try:
        load_config(source, host=host, environ={})
    except InvalidConfigError as error:
        return str(error) or "an error without a word"
    return ""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutations")


def test_the_configuration_to_be_mutated_is_valid(host: Any, folder: Path) -> None:
    (folder / "valid.yaml").write_text(json.dumps(VALID, indent=1))
    assert refusal(folder / "valid.yaml", host) == refusal(VALID, host) == ""


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_a_deleted_key_is_a_default_or_named(host: Any, path: Path_) -> None:
    document = copy.deepcopy(VALID)
    del holder(document, path)[path[-1]]
    said = refusal(document, host)
    assert said == "" or str(path[-1]) in said


@many
@given(path=st.sampled_from(KEYS), suffix=st.sampled_from("_xX9-s"), cut=st.integers(0, 40))
def test_a_renamed_key_is_named(host: Any, path: Path_, suffix: str, cut: int) -> None:
    document = copy.deepcopy(VALID)
    group, old = holder(document, path), str(path[-1])
    new = old[:cut] + suffix + old[cut:]
    group[new] = group.pop(path[-1])
    assert new in refusal(document, host)


@many
@given(path=st.sampled_from(PATHS), junk=JUNK)
def test_a_replaced_value_is_accepted_or_its_key_is_named(host: Any, path: Path_, junk: Any) -> None:
    document = copy.deepcopy(VALID)
    holder(document, path)[path[-1]] = junk
    said = refusal(document, host)
    assert said == "" or any(str(part) in said for part in path[-2:])


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_damage_to_the_text_gives_a_configuration_or_a_refusal(
    host: Any, folder: Path, data: st.DataObject
) -> None:
    text = json.dumps(VALID, indent=1).replace('"', data.draw(st.sampled_from(['"', "", "'"])))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 30)))
        text = text[:start] + data.draw(SCRAP) + text[end:]
    (folder / "damaged.yaml").write_text(text, encoding="utf-8", errors="surrogateescape")
    refusal(folder / "damaged.yaml", host)

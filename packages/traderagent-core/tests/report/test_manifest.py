import json
from decimal import Decimal
from hashlib import sha256

import attrs
import pytest
from traderagent_core.report.manifest import (
    build,
    candles_sha256,
    configuration_sha256,
    data_source,
    file_sha256,
)
from traderagent_core.report.text import dumps


@pytest.fixture
def candles(make_outcome):
    return make_outcome(count=50).candles["BTC/USDT"]


def manifest(candles, configuration=None, **changes):
    given = {
        "configuration": configuration or {"bots": [{"name": "grid", "amount": Decimal("150")}]},
        "data": [data_source(candles, source="btc.csv.gz")],
        "start_ms": 1_704_067_200_000,
        "end_ms": None,
        "path": "nearer_first",
        "seed": 7,
        "options": {"latency_ms": 0},
        "plugins": {"traderagent-grid": "0.1.0"},
    }
    return build(**{**given, **changes})


def test_manifest_holds_what_a_second_run_needs(candles):
    content = json.loads(dumps(manifest(candles)))
    assert content["configuration"] == {"bots": [{"name": "grid", "amount": "150"}]}
    assert content["period"] == {"from": "2024-01-01T00:00:00Z", "to": None}
    assert (content["path"], content["seed"], content["options"]) == ("nearer_first", 7, {"latency_ms": 0})
    assert content["data"][0]["source"] == "btc.csv.gz"
    assert content["data"][0]["rows"] == 50
    assert content["data"][0]["last"] == "2024-01-01T00:49:00Z"
    assert content["data"][0]["sha256"] == candles_sha256(candles)


def test_versions_name_python_numpy_and_packages(candles):
    versions = manifest(candles)["versions"]
    assert versions["packages"]["traderagent-grid"] == "0.1.0"
    assert "traderagent-core" in versions["packages"]
    assert versions["numpy"]
    assert versions["python"].startswith("3.")


def test_configuration_checksum_ignores_the_order_of_keys_and_sees_values():
    one = configuration_sha256({"a": 1, "b": {"c": 2, "d": 3}})
    assert one == configuration_sha256({"b": {"d": 3, "c": 2}, "a": 1})
    assert one != configuration_sha256({"a": 1, "b": {"c": 2, "d": 4}})


def test_checksum_is_that_of_the_numbers_alone(candles):
    same = attrs.evolve(candles, close=candles.close[::-1].copy()[::-1])
    other = attrs.evolve(candles, close=candles.close + 0.01)
    assert candles_sha256(same) == candles_sha256(candles) != candles_sha256(other)
    assert candles_sha256(candles[:10]) != candles_sha256(candles)


def test_sources_are_listed_in_one_order(candles):
    other = attrs.evolve(candles, symbol="ADA/USDT")
    sources = [data_source(candles), data_source(other)]
    listed = manifest(candles, data=sources)["data"]
    assert listed == manifest(candles, data=sources[::-1])["data"]
    assert [source["symbol"] for source in listed] == ["ADA/USDT", "BTC/USDT"]


def test_known_checksum_is_taken_and_empty_series_have_no_times(candles):
    source = data_source(candles[:0], checksum="abc").to_dict()
    assert (source["sha256"], source["rows"], source["first"], source["last"]) == ("abc", 0, None, None)


def test_file_checksum(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"candles" * 300_000)
    assert file_sha256(path) == sha256(b"candles" * 300_000).hexdigest()

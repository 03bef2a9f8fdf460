"""What to install for a name, and the nearest name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core.host.hints import nearest
from traderagent_core.host.known import KNOWN_PACKAGES, package_of_plugin, package_offering
from traderagent_core.host.records import Kind


@pytest.mark.parametrize(
    ("kind", "name", "package"),
    [
        (Kind.STRATEGY, "dca", "traderagent-dca"),
        ("strategy", "grid", "traderagent-grid"),
        ("strategy", "momentum", None),
        ("entry_filter", "smc", "traderagent-smc"),
        ("strategy", "smc", None),
        ("exchange_adapter", "bybit", "traderagent-bybit"),
        ("exchange_adapter", "binance", "traderagent-ccxt"),
        ("exchange_adapter", "simulated", "traderagent-core"),
        ("service", "telegram", "traderagent-telegram"),
    ],
)
def test_package_that_offers_a_name(kind, name, package):
    assert package_offering(kind, name) == package


def test_plugins_go_by_the_tail_of_their_package():
    assert package_of_plugin("telegram") == "traderagent-telegram"
    assert package_of_plugin("momentum") is None


def test_kinds_of_the_table_are_kinds_that_can_be_asked():
    assert {kind for kind, _ in KNOWN_PACKAGES} | {Kind.EVENT_SINK} == {
        *Kind,
        "service",
    }  # No package of ours offers one.


@pytest.mark.parametrize(
    ("name", "found"), [("gird", "grid"), ("GRID", "grid"), ("sim", "simulated"), ("xyz", None)]
)
def test_nearest_name(name, found):
    assert nearest(name, ["grid", "trend", "simulated"]) == found


@given(st.text(max_size=12), st.sets(st.text(max_size=12), max_size=6))
def test_nearest_is_a_known_name(name, known):
    assert nearest(name, known) in {*known, None}

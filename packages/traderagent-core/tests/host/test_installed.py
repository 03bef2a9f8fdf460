"""Discovery in the real environment: the core's own plugin, damaged metadata, and shadowed distributions."""

import importlib
import sys

from traderagent_core.host import PluginHost
from traderagent_core.host.records import Status


def by_name(host):
    return {info.name: info for info in host.plugins}


def test_core_is_found_first_and_cannot_be_disabled():
    host = PluginHost.discover(None, disabled=["core"])
    assert host.plugins[0].distribution == "traderagent-core"
    assert host.plugins[0].status is not Status.DISABLED


def test_core_takes_part_without_being_listed():
    host = PluginHost.discover([])
    assert "simulated" in host.exchange_adapters
    assert {"drawdown", "halt", "reduced", "stress"} <= set(host.risk_modes)


def test_modes_come_by_their_priority():
    modes = PluginHost.discover([]).risk_modes
    own = ("drawdown", "halt", "reduced", "stress")
    assert sorted(own, key=lambda name: -modes[name].priority) == ["halt", "reduced", "stress", "drawdown"]


def test_plugin_on_the_path_is_found(site):
    site.strategy("ta-alpha")
    importlib.invalidate_caches()
    assert "ta-alpha" in PluginHost.discover(None).strategies


def test_rival_of_the_core_loses_and_the_core_stays(site):
    site.install(
        "rival",
        """
        @hookimpl
        def traderagent_exchange_adapters():
            yield ExchangeAdapterSpec("simulated", "Mine.", Config, dict)
        """,
    )
    importlib.invalidate_caches()
    host = PluginHost.discover(None)
    assert host.origin(host.exchange_adapter("simulated")).name == "core"
    assert "also claimed by plugin 'core'" in by_name(host)["rival"].cause


def test_damaged_entry_points_file_hurts_only_its_own_distribution(site):
    site.strategy("ta-alpha")
    site.metadata("ta-damaged", "0.9", (), "a line without its value")
    importlib.invalidate_caches()
    host = PluginHost.discover(["ta-alpha"])
    assert "ta-alpha" in host.strategies
    damaged = by_name(host)["ta-damaged"]
    assert (damaged.status, damaged.version) == (Status.BROKEN, "0.9")
    assert "entry_points.txt cannot be read" in damaged.cause


def test_distribution_without_metadata_still_loads(site):
    module = site.strategy("ta-alpha")
    (site.folder / "ta_alpha-1.2.3.dist-info" / "METADATA").unlink()
    importlib.invalidate_caches()
    host = PluginHost.discover(None)
    assert host.origin(host.strategy("ta-alpha")).module == module


def test_first_distribution_of_a_name_hides_a_later_one(site, tmp_path, monkeypatch):
    later = tmp_path / "later"
    later.mkdir()
    site.strategy("ta-alpha")
    stale = type(site)(later)
    stale.strategy("ta-alpha", version="0.1")
    monkeypatch.setattr("sys.path", [*sys.path, str(later)])
    importlib.invalidate_caches()
    found = [info for info in PluginHost.discover(None).plugins if info.name == "ta-alpha"]
    assert [info.version for info in found] == ["1.2.3"]

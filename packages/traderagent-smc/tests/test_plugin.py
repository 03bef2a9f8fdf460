from importlib.metadata import entry_points

import pytest
from traderagent_core import EntryFilterSpec
from traderagent_smc import plugin
from traderagent_smc.config import SmcConfig
from traderagent_smc.filter import SmcFilter


def test_the_hook_offers_the_filter() -> None:
    (spec,) = plugin.traderagent_entry_filters()
    assert isinstance(spec, EntryFilterSpec)
    assert (spec.name, spec.config_model, spec.factory) == ("smc", SmcConfig, SmcFilter)


def test_the_entry_point_names_the_plugin() -> None:
    found = list(entry_points(group="traderagent", name="smc"))
    if not found:
        pytest.skip("the package is not installed")
    assert found[0].load() is plugin

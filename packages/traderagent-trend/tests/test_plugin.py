"""The plugin is found and offers what it says."""

from importlib.metadata import entry_points

from traderagent_core import StrategySpec
from traderagent_trend import plugin
from traderagent_trend.config import TrendConfig
from traderagent_trend.strategy import TrendStrategy


def test_the_hook_offers_the_trend_follower() -> None:
    (spec,) = plugin.traderagent_strategies()
    assert isinstance(spec, StrategySpec)
    assert (spec.name, spec.config_model, spec.factory) == ("trend", TrendConfig, TrendStrategy)


def test_the_entry_point_names_the_plugin() -> None:
    (found,) = entry_points(group="traderagent", name="trend")
    assert found.load() is plugin

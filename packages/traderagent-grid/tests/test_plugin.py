from importlib.metadata import entry_points

from traderagent_core import StrategySpec
from traderagent_grid import plugin
from traderagent_grid.config import GridConfig
from traderagent_grid.strategy import GridStrategy


def test_the_hook_offers_the_grid() -> None:
    (spec,) = plugin.traderagent_strategies()
    assert isinstance(spec, StrategySpec)
    assert (spec.name, spec.config_model, spec.factory) == ("grid", GridConfig, GridStrategy)


def test_the_entry_point_names_the_plugin() -> None:
    (found,) = entry_points(group="traderagent", name="grid")
    assert found.load() is plugin

"""How the strategy is found."""

from importlib.metadata import entry_points

from traderagent_core import StrategySpec
from traderagent_dca import plugin
from traderagent_dca.config import DcaConfig
from traderagent_dca.strategy import DcaStrategy


def test_the_hook_offers_dca() -> None:
    (spec,) = plugin.traderagent_strategies()
    assert isinstance(spec, StrategySpec)
    assert (spec.name, spec.config_model, spec.factory) == ("dca", DcaConfig, DcaStrategy)


def test_the_entry_point_names_the_plugin() -> None:
    (found,) = entry_points(group="traderagent", name="dca")
    assert found.load() is plugin

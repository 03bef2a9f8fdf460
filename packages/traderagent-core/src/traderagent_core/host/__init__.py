"""The plugin host: finds, checks and selects plugins for one run."""

from traderagent_core.host.plugin_host import PluginHost

__all__ = ["PluginHost"]

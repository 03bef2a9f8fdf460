"""Which plugins a configuration wants loaded: its list, or whatever its bots name."""

from pathlib import Path

from traderagent_core.config.installed import Installed
from traderagent_core.config.schema import GeneralConfig
from traderagent_core.config.tree import Node, Problems
from traderagent_core.config.validate import valid_fields
from traderagent_core.errors import PluginError


def discover(root: Node, file: Path | None, problems: Problems) -> Installed:
    """A plugin host for this configuration; a listed plugin that fails is a problem at the key `plugins`.

    Without a list every plugin that works may be used by name, and broken ones matter only when named.
    """
    from traderagent_core.host import PluginHost

    general = root.without(*(root.children.keys() - {"plugins", "disabled_plugins"}))
    listed = valid_fields(GeneralConfig, general)
    names, disabled = listed.get("plugins"), listed.get("disabled_plugins", ())
    if names is None:
        return PluginHost.discover(None, disabled)
    folder = file.parent if file else Path()
    local = [folder / Path(name).expanduser() for name in names if is_path(name)]
    try:
        return PluginHost.discover([name for name in names if not is_path(name)], disabled, local)
    except PluginError as error:
        rule, _, remedy = str(error).partition("\n")
        problems.at_key(root.children["plugins"], ("plugins",), rule, remedy)
        return PluginHost.discover(None, disabled)


def is_path(name: str) -> bool:
    """Whether an entry of `plugins` is a local file or folder, not a name."""
    return "/" in name or "\\" in name or name.startswith((".", "~")) or name.endswith(".py")

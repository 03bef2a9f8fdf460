"""A folder of real distributions on `sys.path`: dist-info, entry points and modules, as pip leaves them."""

import importlib
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from textwrap import dedent

import pytest

HEADER = """
import attrs
from pydantic import BaseModel, ConfigDict
from traderagent_core.contract.entry_filter import EntryFilter, Verdict
from traderagent_core.contract.risk_mode import RiskMode
from traderagent_core.contract.strategy import Strategy
from traderagent_core.hookspecs import hookimpl
from traderagent_core.specs import EntryFilterSpec, ExchangeAdapterSpec, RiskModeSpec, StrategySpec

class Config(BaseModel):
    model_config = ConfigDict(extra="forbid")

class Still(Strategy):
    def on_start(self, context):
        pass

def spec(name, **changes):
    values = dict(name=name, summary="Does nothing.", config_model=Config, factory=Still)
    return StrategySpec(**(values | changes))
"""

STRATEGY = """
@hookimpl
def traderagent_strategies():
    yield spec({name!r})
"""


class Site:
    """Installs distributions into one folder."""

    header = HEADER

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self,
        distribution: str,
        code: str,
        *,
        name: str | None = None,
        version: str = "1.2.3",
        requires: Iterable[str] = (),
        value: str | None = None,
        header: str = HEADER,
    ) -> str:
        """Write a distribution with one module and one entry point; returns the module's name."""
        module = "ta_test_" + distribution.replace("-", "_")
        (self.folder / f"{module}.py").write_text(header + dedent(code))
        self.metadata(distribution, version, requires, f"{name or distribution} = {value or module}")
        return module

    def strategy(self, distribution: str, offers: str | None = None, **options: str) -> str:
        """Install a sound plugin that offers one strategy."""
        return self.install(distribution, STRATEGY.format(name=offers or distribution), **options)

    def metadata(self, distribution: str, version: str, requires: Iterable[str], entry: str) -> None:
        """Write the dist-info folder; `entry` is the text under the group."""
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = [f"Requires-Dist: {line}" for line in requires]
        head = ["Metadata-Version: 2.1", f"Name: {distribution}", f"Version: {version}"]
        (info / "METADATA").write_text("\n".join([*head, *lines, ""]))
        (info / "entry_points.txt").write_text(f"[traderagent]\n{entry}\n")

    def entry_points(self) -> list[EntryPoint]:
        """What is installed in this folder, and nothing else."""
        importlib.invalidate_caches()
        found = distributions(path=[str(self.folder)])
        return [entry for each in found for entry in each.entry_points.select(group="traderagent")]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An empty folder of distributions that can be imported."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield Site(folder)
    for module in [name for name in sys.modules if name.startswith(("ta_test_", "_traderagent_local_"))]:
        del sys.modules[module]

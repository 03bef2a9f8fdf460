"""`traderagent demo` where the grid is not installed; with it, see the tests across packages."""

from typing import Any

import pytest
from traderagent_core.host import discovery


def test_without_the_grid_it_says_what_to_install(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    find = discovery.find

    def found(entry_points: Any, local: Any) -> list[Any]:
        return [each for each in find(entry_points, local) if each.name != "grid"]

    monkeypatch.setattr("traderagent_core.host.plugin_host.find", found)
    printed = desk.run("demo")
    assert printed.code == 2
    assert "pip install traderagent-grid" in printed.err
    assert not (desk.folder / "traderagent-out").exists()


def test_a_bad_seed_is_refused(desk: Any) -> None:
    assert desk.run("demo", "--seed", "lucky").code == 2

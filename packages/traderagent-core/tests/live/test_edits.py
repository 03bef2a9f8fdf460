"""Edited configurations, before a run knows where it stands."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from traderagent_core.errors import OrderError
from traderagent_core.live.edits import plan_reload, reload


@pytest.mark.parametrize("ask", [plan_reload, lambda driver: reload(driver, "asked")])
def test_nothing_is_loaded_before_present_prices_are_known(ask: Any) -> None:
    driver = SimpleNamespace(has_prices=asyncio.Event(), assembly=None)
    with pytest.raises(OrderError, match="present prices yet, which strategies need; try again"):
        asyncio.run(ask(driver))

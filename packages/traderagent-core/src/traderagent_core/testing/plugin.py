"""The pytest plugin that comes with the core: fixtures for authors of plugins, and subjects for conformance kits."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from traderagent_core.model.candle import Candles


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a case of a conformance kit for every subject that its class names."""
    subjects = getattr(metafunc.cls, "subjects", None)
    if "subject" in metafunc.fixturenames and subjects is not None:
        found = subjects(metafunc.cls())
        if not found:
            raise pytest.UsageError(
                f"{metafunc.cls.__name__} names nothing to examine; give it configs and instruments"
            )
        metafunc.parametrize("subject", found, ids=[subject.label for subject in found])


@pytest.fixture
def market() -> "Callable[..., Candles]":
    """Builds a small made-up market: `market("ranging", rows=600)`; see traderagent_core.testing.markets."""
    from traderagent_core.testing import markets

    return markets.market


@pytest.fixture
def run_strategy() -> "Callable[..., Any]":
    """Runs a strategy in the simulator; see traderagent_core.testing.harness.run_strategy."""
    from traderagent_core.testing import harness

    return harness.run_strategy

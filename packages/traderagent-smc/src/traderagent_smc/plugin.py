"""Registers the Smart Money Concepts entry filter."""

from collections.abc import Iterable

from traderagent_core import EntryFilterSpec, hookimpl

from traderagent_smc.config import SmcConfig
from traderagent_smc.filter import SmcFilter


@hookimpl
def traderagent_entry_filters() -> Iterable[EntryFilterSpec]:
    """The filter."""
    yield EntryFilterSpec(
        name="smc",
        summary="Judges entries by order blocks, fair value gaps and structure of several timeframes.",
        config_model=SmcConfig,
        factory=SmcFilter,
    )

"""Registers the Bybit adapter, and the command that runs the sandbox."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from traderagent_core import CommandSpec, ExchangeAdapterSpec, hookimpl

if TYPE_CHECKING:
    from click import Command
    from traderagent_core import ExchangeAdapter, Surroundings

    from traderagent_bybit.adapter.config import BybitConfig


@hookimpl
def traderagent_exchange_adapters() -> Iterable[ExchangeAdapterSpec]:
    """Bybit V5."""
    from traderagent_bybit.adapter.config import BybitConfig

    yield ExchangeAdapterSpec(
        name="bybit",
        summary="Trades linear USDT perpetuals at Bybit: demo, main or test net, or the local sandbox.",
        config_model=BybitConfig,
        factory=_adapter,
    )


@hookimpl
def traderagent_commands() -> Iterable[CommandSpec]:
    """The sandbox."""
    yield CommandSpec("bybit-sandbox", "Run a local Bybit V5 server over the simulated exchange.", _sandbox)


def _adapter(config: "BybitConfig", surroundings: "Surroundings") -> "ExchangeAdapter":
    from traderagent_bybit.adapter.bybit import BybitAdapter

    return BybitAdapter(config, surroundings)


def _sandbox() -> "Command":
    from traderagent_bybit.sandbox.command import bybit_sandbox

    return bybit_sandbox

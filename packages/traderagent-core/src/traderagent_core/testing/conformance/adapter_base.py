"""What the cases of the kit for exchange adapters share: a rig for each case, and one session on it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import ClassVar

import pytest

from traderagent_core.contract.capabilities import Capabilities
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.testing.conformance.adapter_session import Session
from traderagent_core.testing.conformance.subjects import Configured, Subject
from traderagent_core.testing.exchange_rig import ExchangeRig, MissingPowerError

Scenario = Callable[[Session], Awaitable[None]]

SPOT = Instrument("BTC/USDT", lot_size=Decimal("0.0001"), min_notional=Decimal(5))
LINEAR = Instrument(
    "ETH/USDT", Market.LINEAR, lot_size=Decimal("0.001"), min_notional=Decimal(5), max_leverage=Decimal(10)
)


class AdapterKit(Configured):
    """Attributes and methods by which an adapter says what is to be examined; see ExchangeAdapterConformance."""

    instruments: ClassVar[Sequence[Instrument]] = (SPOT, LINEAR)
    patience_seconds: ClassVar[float] = 5.0

    def rig(self, subject: Subject) -> ExchangeRig:
        """A new exchange with this instrument and an account, whose adapter has this configuration."""
        raise NotImplementedError(f"{type(self).__name__} does not define rig")

    def play(self, subject: Subject, scenario: Scenario) -> None:
        """Run a scenario against a new rig, with a connected adapter."""

        async def run() -> None:
            async with self.rig(subject) as rig:
                session = Session(rig, rig.adapter(), subject.instrument, self.patience_seconds)
                try:
                    await session.open()
                    await scenario(session)
                finally:
                    await session.close()

        try:
            asyncio.run(run())
        except MissingPowerError as error:
            pytest.skip(str(error))

    def capabilities(self, subject: Subject) -> Capabilities:
        """What the adapter declares before it is connected."""

        async def ask() -> Capabilities:
            async with self.rig(subject) as rig:
                return rig.adapter().capabilities

        return asyncio.run(ask())

    def require(self, subject: Subject, holds: Callable[[Capabilities], bool], what: str) -> None:
        """Skip a case that does not suit what the adapter declares."""
        if not holds(self.capabilities(subject)):
            pytest.skip(f"the adapter declares that it {what}")

    def require_linear(self, subject: Subject) -> None:
        """Skip a case on spot."""
        if subject.instrument.market is not Market.LINEAR:
            pytest.skip("a spot market has no positions and no leverage")

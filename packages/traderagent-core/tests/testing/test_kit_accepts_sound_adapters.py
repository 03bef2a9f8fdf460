"""The kit for exchange adapters lets sound ones through: one on a wire, and the paper exchange."""

from typing import Any

from attrs import evolve
from pydantic import BaseModel, ConfigDict
from traderagent_core.adapters.built_in import PaperConfig
from traderagent_core.adapters.paper import PaperAdapter
from traderagent_core.config.schema import SimulationConfig
from traderagent_core.testing import ExchangeAdapterConformance
from traderagent_core.testing.wire import WireAdapter, WireRig


class NoKeys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


SPOT, LINEAR = ExchangeAdapterConformance.instruments
LONG = evolve(LINEAR, symbol=f"{LINEAR.symbol}:long")


class TestWire(ExchangeAdapterConformance):
    configs = (NoKeys(),)
    instruments = (SPOT, LINEAR, LONG)

    def rig(self, subject: Any) -> WireRig:
        return WireRig(subject.instrument)


class PaperRig(WireRig):
    """Paper trading on the prices of the venue model; its own account has no wire that could be cut."""

    def __init__(self, subject: Any) -> None:
        super().__init__(subject.instrument)
        self.config = subject.config

    def adapter(self) -> Any:
        surroundings = evolve(self.backend.surroundings, simulation=SimulationConfig())
        source = WireAdapter(None, surroundings, self.wire)
        return PaperAdapter(self.config, surroundings, source)

    async def split_fills(self, parts: int) -> None:
        self._cannot("split the fills of paper orders")

    async def place_foreign(self, *order: Any) -> None:
        self._cannot("place an order by hand in an account that is only in memory")

    async def lose_next_request(self) -> None:
        self._cannot("lose what never leaves the process")

    lose_next_reply = fail_next_read = break_links = lose_next_request

    async def answer_next_write(self, code: str, text: str) -> None:
        self._cannot("answer for an exchange in the same process")


class TestPaper(ExchangeAdapterConformance):
    configs = (PaperConfig(),)
    instruments = (SPOT, LINEAR, LONG)
    skips = {"test_another_connection_sees_the_same_account": "a paper account lives as long as its adapter"}

    def rig(self, subject: Any) -> PaperRig:
        return PaperRig(subject)

"""The exchange behind an adapter, in the hands of the kit: its price moves, its links break, replies are lost."""

import asyncio
from decimal import Decimal
from types import TracebackType
from typing import NoReturn, Self

from traderagent_core.contract.exchange_adapter import ExchangeAdapter
from traderagent_core.model.order import Side

TURNS = 30


class MissingPowerError(Exception):
    """A rig cannot do what a case needs; the case is skipped, and says so."""


class ExchangeRig:
    """One account at one exchange, alive inside `async with`: a loopback server, a sandbox, or the venue model.

    The account holds at least 10,000 of the quote currency and no position, and the price stands at `price`. What a
    rig cannot do it leaves out; cases that need it are skipped by name.
    """

    price: Decimal = Decimal(100)

    async def __aenter__(self) -> Self:
        """Start the exchange."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it."""

    def adapter(self) -> ExchangeAdapter:
        """A new adapter to the account, not connected yet."""
        raise NotImplementedError(f"{type(self).__name__} does not define adapter")

    async def settle(self) -> None:
        """Return when everything that has happened has been told."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def move_price(self, price: Decimal) -> None:  # noqa: ARG002
        """Trade at a price; orders on the way there trade."""
        self._cannot("move the price")

    async def split_fills(self, parts: int) -> None:  # noqa: ARG002
        """Split every fill from now on into so many executions."""
        self._cannot("split fills")

    async def lose_next_request(self) -> None:
        """Lose the next write on its way: the exchange never sees it."""
        self._cannot("lose a request")

    async def lose_next_reply(self) -> None:
        """Carry out the next write, and lose the reply."""
        self._cannot("lose a reply")

    async def answer_next_write(self, code: str, text: str) -> None:  # noqa: ARG002
        """Answer the next write with a code that nobody has seen; nothing is carried out."""
        self._cannot("answer with an unknown code")

    async def fail_next_read(self) -> None:
        """Answer the next read with a failure, such as a status 503."""
        self._cannot("fail a read")

    async def break_links(self) -> None:
        """Cut all streams; they stay down until they are mended."""
        self._cannot("break links")

    async def mend_links(self) -> None:
        """Let streams connect again."""
        self._cannot("mend links")

    async def place_foreign(self, side: Side, quantity: Decimal, price: Decimal) -> None:  # noqa: ARG002
        """Place a limit order by hand, without a client order id."""
        self._cannot("place an order by hand")

    def _cannot(self, what: str) -> NoReturn:
        raise MissingPowerError(f"{type(self).__name__} cannot {what}")

"""Cases about money: executions, positions and balances that agree with each other to the last digit."""

from decimal import Decimal
from typing import Any

from traderagent_core.model import event as ev
from traderagent_core.model.instrument import Market
from traderagent_core.model.order import Side
from traderagent_core.testing.comparing import refuse
from traderagent_core.testing.conformance.adapter_base import AdapterKit
from traderagent_core.testing.conformance.adapter_session import Session
from traderagent_core.testing.conformance.subjects import Subject

ZERO = Decimal(0)


class AdapterMoney(AdapterKit):
    """See ExchangeAdapterConformance."""

    def test_executions_are_complete_from_a_time_on(self, subject: Subject) -> None:
        """All executions since a time come oldest first, each once, that time included; later ones follow later.

        Mend: page until the end, order by time and trade id, and treat the start as included.
        """

        async def scenario(session: Session) -> None:
            requests = [await session.buy(session.quantity("0.5")) for _ in range(5)]
            await session.rig.settle()
            every = await session.adapter.executions(0)
            self._require_all(session, every, len(requests))
            middle = every[2].time_ms
            since = [fill.trade_id for fill in await session.adapter.executions(middle)]
            wanted = [fill.trade_id for fill in every if fill.time_ms >= middle]
            if since != wanted:
                refuse(
                    expected=f"trades {wanted} since {middle}",
                    found=f"{since}",
                    mend="take the start as included, and order by time and trade id",
                )

        self.play(subject, scenario)

    def _require_all(self, session: Session, every: Any, count: int) -> None:
        heard = {fact.trade_id for fact in session.facts if isinstance(fact, ev.OrderFilled)}
        ids = [fill.trade_id for fill in every]
        times = [fill.time_ms for fill in every]
        if len(ids) < count or len(set(ids)) != len(ids) or set(ids) != heard or times != sorted(times):
            refuse(
                expected=f"the {len(heard)} trades of the stream, each once, oldest first",
                found=f"trades {ids} at {times}",
                mend="page until the end, order by time, and use the venue's trade ids",
            )

    def test_positions_and_balances_agree_with_executions(self, subject: Subject) -> None:
        """What is held, and what money is left, follows to the last digit from the executions and their fees.

        Mend: parse numbers as Decimal of their text; tell fees in quote, rebates as negative; sign positions.
        """

        async def scenario(session: Session) -> None:
            quote, base = subject.instrument.quote, subject.instrument.base
            before = await session.adapter.balances()
            for side, share in ((Side.BUY, "3"), (Side.SELL, "1"), (Side.BUY, "0.5")):
                request = session.request(side, quantity=session.quantity(share))
                await session.send(request)
                await session.hear_filled(request)
            await session.rig.settle()
            fills = await session.adapter.executions(0)
            held = sum((_signed(fill) for fill in fills), ZERO)
            spent = sum((_signed(fill) * fill.price + fill.fee for fill in fills), ZERO)
            after = await session.adapter.balances()
            if subject.instrument.market is Market.SPOT:
                was = before[base].total if base in before else ZERO
                _require_equal(f"{base} held", was + held, after[base].total)
                _require_equal(f"{quote} left", before[quote].total - spent, after[quote].total)
                return
            (position,) = await session.adapter.positions()
            _require_equal("position", held, position.quantity)
            entry, wallet = position.entry_price, after[quote].total
            _require_near(f"{quote} in the wallet", before[quote].total - spent + held * entry, wallet)

        self.play(subject, scenario)

    def test_what_orders_tie_up_is_not_available(self, subject: Subject) -> None:
        """A resting order makes less available and leaves the total as it is; its end makes it available again.

        Mend: tell the wallet balance as total, and what is free of orders and margin as available.
        """

        async def scenario(session: Session) -> None:
            quote = subject.instrument.quote
            before = (await session.adapter.balances())[quote]
            request = await session.rest(quantity=session.quantity("2"))
            during = (await session.adapter.balances())[quote]
            await session.adapter.cancel(request.symbol, request.client_order_id)
            await session.hear(ev.OrderCanceled, request.client_order_id)
            after = (await session.adapter.balances())[quote]
            is_same = before.total == during.total == after.total
            if not is_same or not during.available < before.available == after.available:
                refuse(
                    expected=f"less than {before.available} {quote} available while an order rests, then as before",
                    found=f"{during.available} of {during.total}, then {after.available} of {after.total}",
                    mend="total is the wallet balance; available is what new orders may use",
                )

        self.play(subject, scenario)

    def test_a_short_position_is_negative(self, subject: Subject) -> None:
        """A position that was sold short has a negative quantity; a flat one is zero or left out.

        Mend: give the quantity the sign of the venue's side.
        """
        if subject.instrument.market is not Market.LINEAR or subject.instrument.side is Side.BUY:
            return

        async def scenario(session: Session) -> None:
            sell = session.request(Side.SELL)
            await session.send(sell)
            await session.hear_filled(sell)
            await session.rig.settle()
            (position,) = await session.adapter.positions()
            _require_equal("position", -sell.quantity, position.quantity)
            await session.buy(sell.quantity)
            await session.rig.settle()
            left = sum((each.quantity for each in await session.adapter.positions()), ZERO)
            _require_equal("position", ZERO, left)

        self.play(subject, scenario)


def _signed(fill: Any) -> Decimal:
    quantity: Decimal = fill.quantity if fill.side is Side.BUY else -fill.quantity
    return quantity


def _require_equal(what: str, expected: Decimal, found: Any) -> None:
    if type(found) is not Decimal or found != expected:
        refuse(
            expected=f"{what}: {expected}, from the executions",
            found=repr(found),
            mend="parse numbers as Decimal of their text, and tell quantities, fees and balances as the venue does",
        )


def _require_near(what: str, expected: Decimal, found: Decimal) -> None:
    """The average entry price may be rounded, so a wallet that follows from it may be too."""
    if abs(expected - found) > Decimal("0.000001") * max(abs(expected), Decimal(1)):
        _require_equal(what, expected, found)

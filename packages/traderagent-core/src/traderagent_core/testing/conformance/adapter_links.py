"""Cases about what goes wrong on the way: lost requests and replies, unknown codes, broken streams, and the end."""

import asyncio
from decimal import Decimal
from typing import Any

from traderagent_core.contract.outcome import OutcomeKind
from traderagent_core.contract.venue_facts import LinkDown, LinkUp
from traderagent_core.model import event as ev
from traderagent_core.model.order import Side
from traderagent_core.testing.comparing import refuse
from traderagent_core.testing.conformance.adapter_base import AdapterKit
from traderagent_core.testing.conformance.adapter_session import Session, require_kind, told
from traderagent_core.testing.conformance.subjects import Subject
from traderagent_core.testing.exchange_rig import ExchangeRig

UNKNOWN = OutcomeKind.UNKNOWN
STRANGE_CODE, STRANGE_TEXT = "987654", "nobody has documented this"


class AdapterLinks(AdapterKit):
    """See ExchangeAdapterConformance."""

    def test_a_lost_reply_is_unknown_and_can_be_read(self, subject: Subject) -> None:
        """When the reply is lost the outcome is UNKNOWN, the order is not sent anew, and `order` finds it by its id.

        Mend: catch time-outs and broken connections of writes as UNKNOWN, and let no library repeat them.
        """

        async def scenario(session: Session) -> None:
            request = session.request(Side.BUY, session.price("0.9"))
            await session.rig.lose_next_reply()
            outcome = await self._submit(session, request)
            require_kind(outcome, UNKNOWN, f"the lost reply to {told(request)}", _MEND_LOST)
            await session.report(request.client_order_id, expected=f"{told(request)} is found by its id")
            await session.rig.settle()
            mine = [
                report
                for report in await session.adapter.open_orders()
                if report.client_order_id == request.client_order_id
            ]
            if len(mine) != 1:
                refuse(
                    expected=f"{told(request)} once",
                    found=f"{len(mine)} times",
                    mend="never repeat a write in the adapter",
                )

        self.play(subject, scenario)

    def test_a_lost_request_is_unknown_and_can_be_sent_again(self, subject: Subject) -> None:
        """When the request is lost the outcome is UNKNOWN, `order` answers None, and the same id can be sent again.

        Mend: catch time-outs and broken connections of writes as UNKNOWN; remember nothing of what was sent.
        """

        async def scenario(session: Session) -> None:
            request = session.request(Side.BUY, session.price("0.9"))
            await session.rig.lose_next_request()
            outcome = await self._submit(session, request)
            require_kind(outcome, UNKNOWN, f"the lost {told(request)}", _MEND_LOST)
            await session.rig.settle()
            found = await session.adapter.order(request.symbol, request.client_order_id)
            if found is not None:
                refuse(
                    expected="None for an order that the venue never had",
                    found=repr(found),
                    mend="answer from what the venue says, not from what was sent",
                )
            await session.send(request)

        self.play(subject, scenario)

    def test_an_unknown_code_is_unknown(self, subject: Subject) -> None:
        """A write that is answered with a code that stands in no table is UNKNOWN, with code and text as they came.

        Mend: let OutcomeTable decide; never take an unknown code for a refusal.
        """

        async def scenario(session: Session) -> None:
            resting = await session.rest()
            await session.rig.answer_next_write(STRANGE_CODE, STRANGE_TEXT)
            sent = await self._submit(session, session.request(Side.BUY, session.price("0.9")))
            await session.rig.answer_next_write(STRANGE_CODE, STRANGE_TEXT)
            canceled = await session.adapter.cancel(resting.symbol, resting.client_order_id)
            for name, outcome in (("an order", sent), ("a cancellation", canceled)):
                require_kind(outcome, UNKNOWN, f"{name} that is answered with code {STRANGE_CODE}")
                if (outcome.code, outcome.text) != (STRANGE_CODE, STRANGE_TEXT):
                    refuse(
                        expected=f"code {STRANGE_CODE!r} and text {STRANGE_TEXT!r}",
                        found=repr(outcome),
                        mend="keep the venue's own code and text",
                    )

        self.play(subject, scenario)

    async def _submit(self, session: Session, request: Any) -> Any:
        try:
            async with asyncio.timeout(self.patience_seconds * 4):
                return await session.adapter.submit(request)
        except Exception as error:
            refuse(
                expected=f"an outcome of {told(request)}",
                found=f"{type(error).__name__}: {error}",
                mend="answer every write with an Outcome; set a time-out for requests, and call it UNKNOWN",
            )

    def test_a_broken_link_is_told_and_heals(self, subject: Subject) -> None:
        """A stream that breaks tells LinkDown with a cause, then LinkUp by itself, and goes on telling.

        Mend: reconnect with a back-off, subscribe again, and only then tell LinkUp; never end the iteration.
        """

        async def scenario(session: Session) -> None:
            await session.rig.break_links()
            await _hear_link(session, LinkDown, 1)
            await session.rig.mend_links()
            await _hear_link(session, LinkUp, 2)
            await session.rest()
            downs = [fact for fact in session.facts if isinstance(fact, LinkDown)]
            if not all(fact.cause for fact in downs):
                refuse(expected="LinkDown with a cause", found=repr(downs), mend="say what has broken")

        self.play(subject, scenario)

    def test_nothing_is_lost_or_doubled_across_a_break(self, subject: Subject) -> None:
        """What traded while the stream was down is read afterwards; stream and reads agree trade by trade.

        Mend: read executions from the venue, page by page; use its trade ids in both; replay nothing of one's own.
        """

        async def scenario(session: Session) -> None:
            first, second = await session.rest("0.95"), await session.rest("0.92")
            await session.rig.move_price(session.price("0.94"))
            await session.hear_filled(first)
            await session.rig.break_links()
            await _hear_link(session, LinkDown, 1)
            await session.rig.move_price(session.price("0.91"))
            await session.rig.mend_links()
            await _hear_link(session, LinkUp, 2)
            third = await session.buy()
            await session.rig.settle()
            await _require_same_trades(session, [first, second, third])

        self.play(subject, scenario)

    def test_another_connection_sees_the_same_account(self, subject: Subject) -> None:
        """After a restart a new adapter finds the orders and executions of the old one under the same ids.

        Mend: keep nothing in the adapter that the venue does not have; ids travel with the orders.
        """

        async def scenario(session: Session) -> None:
            resting, traded = await session.rest(), await session.buy()
            rig: ExchangeRig = session.rig
            old = {fill.trade_id for fill in await session.adapter.executions(0)}
            again = rig.adapter()
            await again.connect()
            try:
                reports = [report.client_order_id for report in await again.open_orders()]
                found = await again.executions(0)
            finally:
                await again.close()
            ids = {fill.client_order_id for fill in found}
            is_same = {fill.trade_id for fill in found} == old and ids == {traded.client_order_id}
            if reports != [resting.client_order_id] or not is_same:
                refuse(
                    expected=f"{resting.client_order_id} open, and the trades of {traded.client_order_id}",
                    found=f"open {reports}, trades of {sorted(ids)}",
                    mend="read client order ids from the venue; do not keep a map in memory only",
                )

        self.play(subject, scenario)

    def test_orders_of_others_are_shown_and_told_apart(self, subject: Subject) -> None:
        """An order placed by hand is among the open ones without one of our ids, and its fills are executions too.

        Mend: list all orders of the account, and leave the client order id empty where the venue has none.
        """

        async def scenario(session: Session) -> None:
            mine = await session.rest("0.9")
            await session.rig.place_foreign(Side.BUY, session.quantity(), session.price("0.97"))
            found: list[Any] = []

            async def both() -> bool:
                found[:] = await session.adapter.open_orders()
                return len(found) == 2

            await session.until_read(
                both,
                expected="two open orders, one of them placed by hand",
                found=lambda: repr(found),
                mend="list all orders of the account",
            )
            foreign = [report for report in found if report.client_order_id != mine.client_order_id]
            if (
                len(foreign) != 1
                or foreign[0].client_order_id.startswith("kit-")
                or not foreign[0].venue_order_id
            ):
                refuse(
                    expected="the other one without an id of ours, with the venue's id",
                    found=repr(foreign),
                    mend="leave client_order_id empty where the venue tells none",
                )
            await session.rig.move_price(session.price("0.96"))
            await session.rig.settle()
            fills = await session.adapter.executions(0)
            if sum((fill.quantity for fill in fills), Decimal(0)) != session.quantity():
                refuse(
                    expected=f"an execution of {session.quantity()} that nobody here has sent",
                    found=repr(fills),
                    mend="read the executions of the whole account",
                )

        self.play(subject, scenario)

    def test_close_leaves_nothing_behind(self, subject: Subject) -> None:
        """`close` ends both streams and all tasks of the adapter, and can be called again, or without a connection.

        Mend: cancel and await every task, close sessions and sockets, and let listeners end.
        """

        async def run() -> None:
            async with self.rig(subject) as rig:
                await rig.adapter().close()
                before = asyncio.all_tasks()
                session = Session(rig, rig.adapter(), subject.instrument, self.patience_seconds)
                await session.open()
                streams = [session.adapter.events(), session.adapter.prices([subject.instrument.symbol])]
                ends = [asyncio.ensure_future(_drain(stream)) for stream in streams]
                await rig.settle()
                await session.adapter.close()
                await session.close()
                _, pending = await asyncio.wait(ends, timeout=self.patience_seconds)
                await rig.settle()
                left = [task for task in asyncio.all_tasks() - before if not task.done() and task not in ends]
                if pending or left:
                    what = [*(["a stream that goes on"] if pending else []), *map(repr, left)]
                    refuse(
                        expected="no task and no stream of the adapter after close()",
                        found="; ".join(what),
                        mend="cancel and await every task, and end the streams",
                    )

        asyncio.run(run())


_MEND_LOST = "catch time-outs and broken connections of writes, and answer Outcome.unknown"


async def _drain(stream: Any) -> None:
    async for _ in stream:
        pass


async def _hear_link(session: Session, kind: type, count: int) -> None:
    await session.until(
        lambda: sum(isinstance(fact, kind) for fact in session.facts) >= count,
        expected=f"{kind.__name__} number {count} in the stream of events",
        mend="tell each break and each recovery of the stream of events",
    )


async def _require_same_trades(session: Session, requests: list[Any]) -> None:
    read = await session.adapter.executions(0)
    ids = [fill.trade_id for fill in read]
    traded = {request.client_order_id: request.quantity for request in requests}
    sums = dict.fromkeys(traded, Decimal(0))
    for fill in read:
        sums[fill.client_order_id] = sums.get(fill.client_order_id, Decimal(0)) + fill.quantity
    if len(ids) != len(set(ids)) or sums != traded:
        refuse(
            expected=f"executions of {traded}, each trade once",
            found=f"{sums}, {len(ids)} trades with {len(set(ids))} ids",
            mend="read all pages, and each execution once",
        )
    known = {fill.trade_id: (fill.client_order_id, fill.price, fill.quantity) for fill in read}
    heard = [fact for fact in session.facts if isinstance(fact, ev.OrderFilled)]
    for fact in heard:
        if known.get(fact.trade_id) != (fact.client_order_id, fact.price, fact.quantity):
            refuse(
                expected="each trade of the stream among the executions, with the same values",
                found=repr(fact),
                mend="take trade_id, price and quantity of both from the venue's execution",
            )
    if len(heard) != len({fact.trade_id for fact in heard}):
        refuse(
            expected="no trade told twice by the stream",
            found=f"{len(heard)} fills, {len({fact.trade_id for fact in heard})} trades",
            mend="do not replay what was told before a break; the driver reads what it has missed",
        )

"""Cases about the life of an order: sent, sent twice, traded in parts, canceled, refused."""

from decimal import Decimal

from traderagent_core.contract.outcome import OutcomeKind, Refusal
from traderagent_core.contract.venue_facts import OrderReport
from traderagent_core.model import event as ev
from traderagent_core.model.order import OrderRequest, OrderStatus, Side
from traderagent_core.testing.comparing import refuse
from traderagent_core.testing.conformance.adapter_base import AdapterKit
from traderagent_core.testing.conformance.adapter_session import Session, require_kind, told
from traderagent_core.testing.conformance.subjects import Subject

ALREADY_SO = OutcomeKind.ALREADY_SO
REJECTED = OutcomeKind.REJECTED
BUY, SELL = Side.BUY, Side.SELL


class AdapterOrders(AdapterKit):
    """See ExchangeAdapterConformance."""

    def test_an_order_rests_as_it_was_sent(self, subject: Subject) -> None:
        """An accepted order is read back with all its values, by its id and among the open ones, until it ends.

        Mend: translate every field both ways, to the last digit; `open_orders` lists what is live and nothing else.
        """

        async def scenario(session: Session) -> None:
            first, second = await session.rest("0.9"), await session.rest("0.85")
            for request in (first, second):
                report = await session.report(request.client_order_id, expected=f"{told(request)} is found")
                _require_as_sent(report, request)
            await _require_open(session, [first, second])
            await session.adapter.cancel(first.symbol, first.client_order_id)
            await session.hear(ev.OrderCanceled, first.client_order_id)
            await _require_open(session, [second])

        self.play(subject, scenario)

    def test_an_order_sent_twice_exists_once(self, subject: Subject) -> None:
        """The same client order id again is ALREADY_SO and adds nothing, while the order rests and after its end.

        Mend: send the client order id with every order, and give the venue's word for a repeated one its meaning.
        """

        async def scenario(session: Session) -> None:
            resting, traded = await session.rest(), await session.buy()
            for request in (resting, traded):
                outcome = await session.adapter.submit(request)
                require_kind(outcome, ALREADY_SO, f"{told(request)}, sent for the second time")
            await session.rig.settle()
            await _require_open(session, [resting])
            filled = sum(fill.quantity for fill in await session.adapter.executions(0))
            if filled != traded.quantity:
                refuse(
                    expected=f"{traded.quantity} traded by an order that was sent twice",
                    found=f"{filled}",
                    mend="pass client_order_id to the venue as its idempotency key",
                )

        self.play(subject, scenario)

    def test_accepted_comes_before_filled(self, subject: Subject) -> None:
        """An order that trades at once is told as accepted first and as filled then, each as a fact of its own.

        Mend: publish OrderAccepted when the venue has the order, before any OrderFilled of it.
        """

        async def scenario(session: Session) -> None:
            request = await session.buy()
            mine = [
                type(fact).__name__
                for fact in session.facts
                if getattr(fact, "client_order_id", "") == request.client_order_id
            ]
            if mine[:2] != ["OrderAccepted", "OrderFilled"]:
                refuse(
                    expected="OrderAccepted, then OrderFilled",
                    found=", ".join(mine),
                    mend="order the facts of one order as they happened",
                )
            _require_no_price_worse(session, request)

        self.play(subject, scenario)

    def test_partial_fills_add_up(self, subject: Subject) -> None:
        """However a fill is split, each part has a trade id of its own and together they are the order.

        Mend: one OrderFilled for each execution; quantity is that of the execution, not the total so far.
        """

        async def scenario(session: Session) -> None:
            await session.rig.split_fills(3)
            request = await session.rest("0.95")
            await session.rig.move_price(session.price("0.94"))
            await session.hear_filled(request)
            await session.rig.settle()
            fills = {fill.trade_id: fill for fill in session.of(ev.OrderFilled, request.client_order_id)}
            quantity = sum((fill.quantity for fill in fills.values()), Decimal(0))
            if len(fills) < 2 or quantity != request.quantity:
                refuse(
                    expected=f"several executions that sum up to {request.quantity}",
                    found=f"{len(fills)} with {quantity} together",
                    mend="publish the venue's executions one by one, with the quantity of each",
                )
            report = await session.report(
                request.client_order_id,
                lambda found: found.status is OrderStatus.FILLED,
                expected="the order is read as FILLED",
            )
            if report.filled != request.quantity:
                refuse(
                    expected=f"filled {request.quantity}",
                    found=f"{report.filled}",
                    mend="take `filled` from the venue's total",
                )

        self.play(subject, scenario)

    def test_a_cancellation_is_confirmed_with_what_was_filled(self, subject: Subject) -> None:
        """A canceled order is told as canceled with the venue's total of its fills, and is read as CANCELED.

        Mend: publish OrderCanceled with `filled` as the venue tells it; a canceled order may hold fills.
        """

        async def scenario(session: Session) -> None:
            request = await session.rest()
            outcome = await session.adapter.cancel(request.symbol, request.client_order_id)
            require_kind(outcome, OutcomeKind.ACCEPTED, f"the cancellation of {told(request)}")
            canceled = await session.hear(ev.OrderCanceled, request.client_order_id)
            report = await session.report(
                request.client_order_id,
                lambda found: found.status is OrderStatus.CANCELED,
                expected="the order is read as CANCELED",
            )
            if (canceled.filled, report.filled) != (Decimal(0), Decimal(0)):
                refuse(
                    expected="nothing filled",
                    found=f"{canceled.filled} in the event, {report.filled} in the report",
                    mend="take `filled` from the venue's total",
                )

        self.play(subject, scenario)

    def test_canceling_what_is_not_open_is_already_so(self, subject: Subject) -> None:
        """Canceling a filled, a canceled or an unheard-of order is ALREADY_SO: no evidence of anything.

        Mend: map the venue's words for an order that is unknown or over to ALREADY_SO in the table of `cancel`.
        """

        async def scenario(session: Session) -> None:
            traded, canceled = await session.buy(), await session.rest()
            await session.adapter.cancel(canceled.symbol, canceled.client_order_id)
            await session.hear(ev.OrderCanceled, canceled.client_order_id)
            for name in (traded.client_order_id, canceled.client_order_id, "kit-unheard-of"):
                outcome = await session.adapter.cancel(subject.instrument.symbol, name)
                require_kind(outcome, ALREADY_SO, f"the cancellation of {name}, which is not open")
            await session.rig.settle()
            if session.of(ev.OrderCanceled, traded.client_order_id):
                refuse(
                    expected="a filled order is never told as canceled",
                    found=f"OrderCanceled of {traded.client_order_id}",
                    mend="a cancellation that was refused is no cancellation",
                )

        self.play(subject, scenario)

    def test_an_order_that_never_was_is_none(self, subject: Subject) -> None:
        """`order` answers None for an id that the venue has never had.

        Mend: return None only when the venue's live and past orders were both read and do not have it.
        """

        async def scenario(session: Session) -> None:
            found = await session.adapter.order(subject.instrument.symbol, "kit-unheard-of")
            if found is not None:
                refuse(
                    expected="None",
                    found=repr(found),
                    mend="compare client order ids; do not return the first order of a list",
                )

        self.play(subject, scenario)

    def test_refusals_are_final_and_have_a_reason(self, subject: Subject) -> None:
        """Too small, off the tick, or too dear: REJECTED with our word for it and the venue's own, and nothing rests.

        Mend: give each of the venue's codes its Refusal in the table, and keep code and text as they came.
        """

        async def scenario(session: Session) -> None:
            instrument = session.instrument
            small = session.request(BUY, session.price("0.9"), instrument.lot_size)
            off = session.request(BUY, session.price("0.9") + instrument.tick_size / 2)
            dear = session.request(BUY, session.price("0.9"), session.quantity("1000000"))
            money = {Refusal.INSUFFICIENT_QUOTE, Refusal.INSUFFICIENT_MARGIN, Refusal.ORDER_TOO_LARGE}
            cases = (
                (small, {Refusal.ORDER_TOO_SMALL}),
                (off, {Refusal.PRICE_NOT_ON_TICK, Refusal.BAD_PARAMETERS}),
                (dear, money),
            )
            for request, reasons in cases:
                await _require_refused(session, request, reasons)
            await session.rig.settle()
            await _require_open(session, [])

        self.play(subject, scenario)

    def test_batches_answer_in_order(self, subject: Subject) -> None:
        """Orders sent together are answered one by one, in their order, the bad one among them alone refused.

        Mend: match the venue's rows with the requests by position or by id; one bad row leaves the others alone.
        """
        self.require(subject, lambda able: able.largest_batch > 1, "takes one order at a time")

        async def scenario(session: Session) -> None:
            bad = session.request(BUY, session.price("0.9"), session.instrument.lot_size)
            good = [session.request(BUY, session.price(share)) for share in ("0.9", "0.85")]
            outcomes = await session.adapter.submit_all([good[0], bad, good[1]])
            kinds = [outcome.kind for outcome in outcomes]
            wanted = [OutcomeKind.ACCEPTED, REJECTED, OutcomeKind.ACCEPTED]
            if kinds != wanted:
                refuse(
                    expected=", ".join(kind.value for kind in wanted),
                    found=", ".join(kind.value for kind in kinds),
                    mend="give one outcome for each request, in the order of the requests",
                )
            for request in good:
                await session.hear(ev.OrderAccepted, request.client_order_id)
            await _require_open(session, good)

        self.play(subject, scenario)


async def _require_refused(session: Session, request: OrderRequest, reasons: set[Refusal]) -> None:
    outcome = await session.adapter.submit(request)
    require_kind(outcome, REJECTED, told(request))
    if outcome.reason not in reasons or not (outcome.code or outcome.text):
        refuse(
            expected=f"one of {', '.join(sorted(reasons))}, with the venue's own code or text",
            found=repr(outcome),
            mend="give the code its Refusal in the table, and keep code and text as the venue sent them",
        )
    report = await session.adapter.order(request.symbol, request.client_order_id)
    if report is not None and report.status is not OrderStatus.REJECTED:
        refuse(
            expected="a refused order that is not there, or there as REJECTED",
            found=repr(report),
            mend="an outcome of REJECTED has to be the venue's last word",
        )


async def _require_open(session: Session, requests: list[OrderRequest]) -> None:
    """The open orders are these and no others, as soon as the venue shows them."""
    wanted = {request.client_order_id for request in requests}
    found: list[str] = []

    async def read() -> bool:
        found[:] = [report.client_order_id for report in await session.adapter.open_orders()]
        return set(found) == wanted and len(found) == len(wanted)

    await session.until_read(
        read,
        expected=f"open orders {sorted(wanted)}, each once",
        found=lambda: f"{sorted(found)}",
        mend="list live orders of every kind on every page, and none that has ended",
    )


def _require_as_sent(report: OrderReport, request: OrderRequest) -> None:
    sent = (request.symbol, request.side, request.type, request.quantity, request.price)
    read = (report.symbol, report.side, report.type, report.quantity, report.price)
    if sent != read or report.client_order_id != request.client_order_id:
        refuse(
            expected=f"{told(request)} as it was sent",
            found=repr(report),
            mend="translate symbol, side, type, quantity and price both ways, as Decimal of the venue's text",
        )
    if report.status is not OrderStatus.OPEN or report.filled or not report.venue_order_id:
        refuse(
            expected="an order that is OPEN, not filled, with the venue's id",
            found=repr(report),
            mend="map the venue's words for status; an unknown one is UNKNOWN",
        )


def _require_no_price_worse(session: Session, request: OrderRequest) -> None:
    for fill in session.of(ev.OrderFilled, request.client_order_id):
        is_same = (fill.symbol, fill.side) == (request.symbol, request.side)
        if not is_same or type(fill.price) is not Decimal or type(fill.fee) is not Decimal:
            refuse(
                expected=f"a fill of {told(request)} in Decimal",
                found=repr(fill),
                mend="fill symbol and side of every execution, and parse numbers from their text",
            )

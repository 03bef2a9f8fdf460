"""Cases about particular orders: post-only, reduce-only, stops, amended ones; and leverage."""

from decimal import Decimal

from traderagent_core.contract.outcome import OutcomeKind, Refusal
from traderagent_core.model import event as ev
from traderagent_core.model.order import Amendment, AttachedStop, OrderRequest, OrderStatus, OrderType, Side
from traderagent_core.testing.comparing import refuse
from traderagent_core.testing.conformance.adapter_base import AdapterKit
from traderagent_core.testing.conformance.adapter_session import Session, require_kind, told
from traderagent_core.testing.conformance.subjects import Subject

BUY, SELL = Side.BUY, Side.SELL
ACCEPTED, REJECTED = OutcomeKind.ACCEPTED, OutcomeKind.REJECTED
STOP = OrderType.STOP


class AdapterKinds(AdapterKit):
    """See ExchangeAdapterConformance."""

    def test_post_only_never_takes(self, subject: Subject) -> None:
        """A post-only order that would trade at once ends without a fill: refused, or accepted and canceled.

        Mend: send the venue's flag for post-only; a plain limit order would have traded.
        """
        self.require(subject, lambda able: able.can_post_only, "has no post-only orders")

        async def scenario(session: Session) -> None:
            request = session.request(BUY, session.price("1.02"), post_only=True)
            outcome = await session.adapter.submit(request)
            if outcome.kind is ACCEPTED:
                await session.until(
                    lambda: (
                        bool(session.of(ev.OrderCanceled, request.client_order_id))
                        or bool(session.filled(request.client_order_id))
                    ),
                    expected=f"the end of {told(request)}",
                    mend="tell how a post-only order ends that would have traded",
                )
            elif outcome.reason is not Refusal.POST_ONLY_WOULD_CROSS:
                refuse(
                    expected="REJECTED with post_only_would_cross, or ACCEPTED and then canceled",
                    found=repr(outcome),
                    mend="give the venue's code for it its Refusal",
                )
            await session.rig.settle()
            if session.filled(request.client_order_id):
                refuse(
                    expected=f"{told(request)} never takes liquidity",
                    found="it was filled",
                    mend="send the venue's flag for post-only",
                )

        self.play(subject, scenario)

    def test_reduce_only_never_turns_the_position(self, subject: Subject) -> None:
        """A reduce-only order larger than the position closes it and no more; on a flat one it is refused.

        Mend: send the venue's flag for reduce-only.
        """
        self.require_linear(subject)
        self.require(subject, lambda able: able.can_reduce_only, "has no reduce-only orders")

        async def scenario(session: Session) -> None:
            bought = await session.buy()
            sell = session.request(SELL, quantity=session.quantity("3"), reduce_only=True)
            outcome = await session.adapter.submit(sell)
            if outcome.kind is ACCEPTED:
                await session.until(
                    lambda: session.filled(sell.client_order_id) >= bought.quantity,
                    expected=f"{told(sell)} closes the position of {bought.quantity}",
                    mend="publish the fills of reduce-only orders like all others",
                )
                await session.rig.settle()
                await self._require_flat(session, bought.quantity, session.filled(sell.client_order_id))
            else:
                require_kind(outcome, REJECTED, told(sell))
                await session.send(session.request(SELL, quantity=bought.quantity, reduce_only=True))
            late = session.request(SELL, quantity=bought.quantity, reduce_only=True)
            outcome = await session.adapter.submit(late)
            if outcome.kind is ACCEPTED:
                await session.hear(ev.OrderCanceled, late.client_order_id)
            await self._require_flat(session, Decimal(0), session.filled(late.client_order_id))

        self.play(subject, scenario)

    async def _require_flat(self, session: Session, wanted: Decimal, sold: Decimal) -> None:
        held = {report.symbol: report.quantity for report in await session.adapter.positions()}
        left = held.get(session.instrument.symbol, Decimal(0))
        if left or sold != wanted:
            refuse(
                expected=f"{wanted} sold and nothing held",
                found=f"{sold} sold and {left} held",
                mend="send the venue's flag for reduce-only with every order that has reduce_only",
            )

    def test_a_stop_waits_for_its_price(self, subject: Subject) -> None:
        """A stop order rests among the open ones with its trigger, and trades once the price is there.

        Mend: send the trigger with the right direction, list conditional orders too, and keep their client order id.
        """
        self.require(subject, lambda able: STOP in able.order_types, "has no stop orders")

        async def scenario(session: Session) -> None:
            request = session.request(BUY, session.price("1.05"), kind=STOP)
            await session.send(request)
            report = await session.report(request.client_order_id, expected=f"{told(request)} is found")
            open_ids = [each.client_order_id for each in await session.adapter.open_orders()]
            if (report.type, report.price) != (
                STOP,
                request.price,
            ) or request.client_order_id not in open_ids:
                refuse(
                    expected=f"{told(request)} among the open orders, with its trigger",
                    found=f"{report!r}; open: {open_ids}",
                    mend="ask for conditional orders too, and tell the trigger as the price",
                )
            await session.rig.move_price(session.price("1.04"))
            await session.rig.settle()
            if session.filled(request.client_order_id):
                refuse(
                    expected="a stop that waits until its price is reached",
                    found=f"it traded at {session.price('1.04')}",
                    mend="send the price as a trigger, not as a limit",
                )
            await session.rig.move_price(session.price("1.06"))
            await session.hear_filled(request)

        self.play(subject, scenario)

    def test_an_attached_stop_follows_the_entry(self, subject: Subject) -> None:
        """A stop that travels with an order comes to life with its first fill, and closes the whole position.

        Mend: attach the stop to the order, and tell it under the id of its AttachedStop.
        """
        self._require_attached(subject)

        async def scenario(session: Session) -> None:
            stop = AttachedStop("kit-stop", session.price("0.9"))
            request = await session.rest("0.95", attached_stop=stop)
            if await session.adapter.order(request.symbol, "kit-stop") is not None:
                refuse(
                    expected="no stop before the entry has traded",
                    found="it is there",
                    mend="attach the stop to the order instead of sending it beside it",
                )
            await _fill_with_stop(session, request, stop)
            await session.rig.move_price(session.price("0.89"))
            await session.until(
                lambda: session.filled("kit-stop") == request.quantity,
                expected="the stop closes the whole position",
                mend="tell the fills of attached stops under the id of their AttachedStop",
            )

        self.play(subject, scenario)

    def test_an_attached_stop_is_moved_and_taken_back_under_its_id(self, subject: Subject) -> None:
        """An attached stop that lives is amended and canceled like any order, and both are told.

        Mend: take its id in `amend`, where the venue can, and in `cancel`.
        """
        self._require_attached(subject)

        async def scenario(session: Session) -> None:
            stop, symbol = AttachedStop("kit-stop", session.price("0.9")), subject.instrument.symbol
            await _fill_with_stop(session, await session.rest("0.95", attached_stop=stop), stop)
            if session.adapter.capabilities.can_amend:
                higher = session.price("0.92")
                outcome = await session.adapter.amend(symbol, Amendment("kit-stop", higher, None))
                require_kind(outcome, ACCEPTED, f"the amendment of the stop to {higher}")
                await session.hear(ev.OrderAmended, "kit-stop")
                await session.report(
                    "kit-stop", lambda found: found.price == higher, expected=f"the stop is at {higher}"
                )
            require_kind(await session.adapter.cancel(symbol, "kit-stop"), ACCEPTED, "taking the stop back")
            await session.hear(ev.OrderCanceled, "kit-stop")
            if await session.adapter.open_orders():
                refuse(
                    expected="no order after the stop was taken back",
                    found=repr(await session.adapter.open_orders()),
                    mend="take the stop of the position away when its id is canceled",
                )

        self.play(subject, scenario)

    def _require_attached(self, subject: Subject) -> None:
        market = subject.instrument.market
        self.require(
            subject,
            lambda able: able.stop_placement(market) == "attached",
            f"does not attach stops on {market.value}",
        )

    def test_an_amended_order_stays_the_same_order(self, subject: Subject) -> None:
        """An amended order rests at the new price under both its ids, and the change is told; there is still one.

        Mend: use the venue's amendment in place; cancel and create is none: declare can_amend=False then.
        """
        self.require(subject, lambda able: able.can_amend, "cannot amend")

        async def scenario(session: Session) -> None:
            request = await session.rest("0.9")
            before = await session.report(request.client_order_id, expected=f"{told(request)} is found")
            price = session.price("0.88")
            change = Amendment(request.client_order_id, price, None)
            outcome = await session.adapter.amend(request.symbol, change)
            require_kind(outcome, ACCEPTED, f"the amendment of {told(request)} to {price}")
            amended = await session.hear(ev.OrderAmended, request.client_order_id)
            after = await session.report(
                request.client_order_id, lambda found: found.price == price, expected=f"its price is {price}"
            )
            is_same = (after.venue_order_id, after.quantity) == (before.venue_order_id, before.quantity)
            if not is_same or (amended.price, amended.quantity) != (price, request.quantity):
                refuse(
                    expected=f"order {before.venue_order_id} of {request.quantity}, now at {price}",
                    found=f"{amended!r}, {after!r}",
                    mend="amend in place, and tell the values that rest now",
                )
            if len(await session.adapter.open_orders()) != 1:
                refuse(
                    expected="one open order after an amendment",
                    found=repr(await session.adapter.open_orders()),
                    mend="amend in place",
                )

        self.play(subject, scenario)

    def test_amending_what_is_not_open_is_refused(self, subject: Subject) -> None:
        """An amendment of an order that is over is REJECTED with order_not_open, and brings nothing back.

        Mend: map the venue's words for an unknown or ended order to ORDER_NOT_OPEN in the table of `amend`.
        """
        self.require(subject, lambda able: able.can_amend, "cannot amend")

        async def scenario(session: Session) -> None:
            traded = await session.buy()
            for name in (traded.client_order_id, "kit-unheard-of"):
                change = Amendment(name, session.price("0.9"), None)
                outcome = await session.adapter.amend(subject.instrument.symbol, change)
                if outcome.reason is not Refusal.ORDER_NOT_OPEN:
                    refuse(
                        expected=f"REJECTED with order_not_open for {name}",
                        found=repr(outcome),
                        mend="give the venue's code for it that meaning when it answers an amendment",
                    )
            report = await session.report(traded.client_order_id, expected="the filled order is found")
            if report.status is not OrderStatus.FILLED:
                refuse(expected="FILLED", found=repr(report), mend="leave an order alone that is over")

        self.play(subject, scenario)

    def test_leverage_set_twice_is_already_so(self, subject: Subject) -> None:
        """Leverage is set once and is ALREADY_SO the second time; more than the instrument allows is REJECTED.

        Mend: map the venue's "not modified" to ALREADY_SO: it is a success.
        """
        self.require_linear(subject)

        async def scenario(session: Session) -> None:
            symbol, most = subject.instrument.symbol, subject.instrument.max_leverage
            wanted = ((Decimal(3), ACCEPTED), (Decimal(3), OutcomeKind.ALREADY_SO), (most * 2, REJECTED))
            for leverage, kind in wanted:
                outcome = await session.adapter.set_leverage(symbol, leverage)
                require_kind(outcome, kind, f"leverage {leverage} of {symbol}, which allows {most}")
            await session.buy()
            held = {report.symbol: report for report in await session.adapter.positions()}
            if held[symbol].leverage != 3:
                refuse(
                    expected="a position with leverage 3",
                    found=repr(held[symbol]),
                    mend="read the leverage of positions from the venue",
                )

        self.play(subject, scenario)


async def _fill_with_stop(session: Session, request: OrderRequest, stop: AttachedStop) -> None:
    """Have an entry traded, and see that its stop lives then."""
    await session.rig.move_price(session.price("0.94"))
    await session.hear_filled(request)
    report = await session.report("kit-stop", expected="the attached stop lives after the entry's fill")
    if (report.side, report.type, report.price) != (SELL, STOP, stop.price):
        refuse(
            expected=f"a STOP to SELL at {stop.price}",
            found=repr(report),
            mend="report the stop with its side, type and trigger",
        )

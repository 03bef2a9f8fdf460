"""Every faulty exchange adapter is refused by the case meant for it, with a message that says how to mend it."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from pydantic import BaseModel, ConfigDict
from traderagent_core.adapters.recorded import closed_candles_of
from traderagent_core.contract.outcome import Outcome, OutcomeKind, Refusal
from traderagent_core.contract.venue_facts import LinkDown, OrderReport, Price
from traderagent_core.errors import ExchangeUnavailableError
from traderagent_core.model import event as ev
from traderagent_core.model.candle import Candles
from traderagent_core.model.order import OrderRequest, OrderStatus, OrderType, Side
from traderagent_core.testing import ExchangeAdapterConformance
from traderagent_core.testing.conformance.adapter_base import LINEAR, SPOT
from traderagent_core.testing.seeded_faults import SeededFaults
from traderagent_core.testing.wire import Wire, WireAdapter, WireRig

META = "test_no_case_is_overridden_or_skipped_without_a_reason"
CONFIGURED = (
    "test_configuration_refuses_unknown_keys_and_has_a_schema",
    "test_configuration_survives_being_written_and_read",
)


class NoKeys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FaultyKit(ExchangeAdapterConformance):
    """The kit on one class of adapters, with little patience."""

    adapter_class: type[WireAdapter]
    instruments = (LINEAR,)
    patience_seconds = 0.4

    def rig(self, subject: Any) -> WireRig:
        rig = WireRig(subject.instrument)
        rig.adapter_class = self.adapter_class
        return rig


FAULTS = SeededFaults(FaultyKit, "adapter_class", lambda _: NoKeys(), frozenset({META, *CONFIGURED}))
refused_by = FAULTS.refused_by


# -- reads --------------------------------------------------------------------------------------------------------


@refused_by("test_capabilities_are_declared_and_true", "among the markets")
class DeclaresNoMarket(WireAdapter):
    capabilities = evolve(WireAdapter.capabilities, markets=())


@refused_by("test_instruments_are_as_the_exchange_has_them", "lot_size")
class RoundsTheLot(WireAdapter):
    async def instruments(self):
        return [evolve(each, lot_size=Decimal("0.01")) for each in await super().instruments()]


@refused_by("test_server_time_is_in_milliseconds_and_never_goes_back", "milliseconds")
class TellsSeconds(WireAdapter):
    async def server_time(self):
        return await super().server_time() // 1000


@refused_by("test_candles_are_closed_aligned_and_in_order", "closes at")
class TellsTheCandleThatForms(WireAdapter):
    async def candles(self, symbol, timeframe, since_ms, limit):
        series = self.wire.backend.recorded[symbol]
        return closed_candles_of(series, timeframe, since_ms, limit, self.clock.now_ms() + 60_000)


@refused_by("test_candles_are_closed_aligned_and_in_order", "in the order")
class TellsTheNewestFirst(WireAdapter):
    async def candles(self, symbol, timeframe, since_ms, limit):
        found = await super().candles(symbol, timeframe, since_ms, limit)
        columns = (found.open_time, found.open, found.high, found.low, found.close, found.volume)
        return Candles(symbol, timeframe, *(column[::-1] for column in columns))


@refused_by("test_a_failed_read_raises", "empty answer")
class AnswersNothingWhenReadsFail(WireAdapter):
    async def open_orders(self):
        try:
            return await super().open_orders()
        except ExchangeUnavailableError:
            return []


@refused_by("test_prices_follow_the_market", "Price of")
class TellsFloatPrices(WireAdapter):
    async def _follow_prices(self, source):
        async for fact in source:
            if isinstance(fact, Price):
                fact = Price(fact.time_ms, fact.symbol, float(fact.last))
            self.ticks.publish(fact)


# -- orders -------------------------------------------------------------------------------------------------------


@refused_by("test_an_order_rests_as_it_was_sent", "as it was sent")
class SwapsSides(WireAdapter):
    async def order(self, symbol, client_order_id):
        report = await super().order(symbol, client_order_id)
        return report and evolve(report, side=report.side.opposite)


@refused_by("test_an_order_rests_as_it_was_sent", "open orders")
class ReadsTheFirstPageOnly(WireAdapter):
    async def open_orders(self):
        return list(await super().open_orders())[:1]


@refused_by("test_an_order_sent_twice_exists_once", "ALREADY_SO")
class MakesIdsOfItsOwn(WireAdapter):
    sent = 0

    async def submit(self, request):
        self.sent += 1
        return await super().submit(evolve(request, client_order_id=f"own-{self.sent}"))

    def pass_on(self, fact):
        order_id = getattr(fact, "client_order_id", "")
        self.facts.publish(evolve(fact, client_order_id=order_id.replace("own", "kit")) if order_id else fact)


@refused_by("test_accepted_comes_before_filled", "OrderAccepted, then OrderFilled")
class TellsFillsFirst(WireAdapter):
    held: Any = None

    def pass_on(self, fact):
        if isinstance(fact, ev.OrderAccepted):
            self.held = fact
            asyncio.get_running_loop().call_later(0.02, self.facts.publish, fact)
        else:
            self.facts.publish(fact)


@refused_by("test_partial_fills_add_up", "executions")
class TellsTotalsAsFills(WireAdapter):
    total = Decimal(0)

    def pass_on(self, fact):
        if isinstance(fact, ev.OrderFilled):
            self.total += fact.quantity
            fact = evolve(fact, quantity=self.total)
        self.facts.publish(fact)


@refused_by("test_a_cancellation_is_confirmed_with_what_was_filled", "OrderCanceled")
class KeepsCancellationsToItself(WireAdapter):
    def pass_on(self, fact):
        if not isinstance(fact, ev.OrderCanceled):
            self.facts.publish(fact)


@refused_by("test_canceling_what_is_not_open_is_already_so", "not open")
class TakesARefusedCancelForAnError(WireAdapter):
    async def cancel(self, symbol, client_order_id):
        outcome = await super().cancel(symbol, client_order_id)
        if outcome.kind is OutcomeKind.ALREADY_SO:
            return Outcome.rejected(Refusal.BAD_PARAMETERS, outcome.code)
        return outcome


@refused_by("test_canceling_what_is_not_open_is_already_so", "told as canceled")
class TakesARefusedCancelForACancellation(WireAdapter):
    async def cancel(self, symbol, client_order_id):
        outcome = await super().cancel(symbol, client_order_id)
        if outcome.kind is OutcomeKind.ALREADY_SO:
            self.facts.publish(ev.OrderCanceled(self.clock.now_ms(), client_order_id, Decimal(0)))
        return outcome


@refused_by("test_an_order_that_never_was_is_none", "None")
class InventsOrders(WireAdapter):
    async def order(self, symbol, client_order_id):
        found = await super().order(symbol, client_order_id)
        if found is None and client_order_id == "kit-unheard-of":
            return OrderReport(
                client_order_id,
                "1",
                symbol,
                Side.BUY,
                OrderType.LIMIT,
                Decimal(1),
                Decimal(0),
                Decimal(1),
                OrderStatus.OPEN,
            )
        return found


@refused_by("test_refusals_are_final_and_have_a_reason", "order_too_small")
class SaysBadParametersToEverything(WireAdapter):
    async def submit(self, request):
        outcome = await super().submit(request)
        return outcome if outcome.reason is None else evolve(outcome, reason=Refusal.BAD_PARAMETERS)


@refused_by("test_refusals_are_final_and_have_a_reason", "code or text")
class DropsTheVenuesWords(WireAdapter):
    async def submit(self, request):
        outcome = await super().submit(request)
        return outcome if outcome.reason is None else evolve(outcome, code="", text="")


@refused_by("test_batches_answer_in_order", "ACCEPTED, REJECTED, ACCEPTED")
class SortsBatchAnswers(WireAdapter):
    async def submit_all(self, requests):
        return sorted(await super().submit_all(requests), key=lambda outcome: outcome.kind.value)


# -- particular orders --------------------------------------------------------------------------------------------


class ChangesRequests(WireAdapter):
    def changed(self, request):
        raise NotImplementedError

    async def submit(self, request):
        return await super().submit(self.changed(request))


@refused_by("test_post_only_never_takes", "post-only")
class ForgetsPostOnly(ChangesRequests):
    def changed(self, request):
        return evolve(request, post_only=False)


@refused_by("test_reduce_only_never_turns_the_position", "nothing held")
class ForgetsReduceOnly(ChangesRequests):
    def changed(self, request):
        return evolve(request, reduce_only=False)


@refused_by("test_a_stop_waits_for_its_price", "stop")
class SendsStopsAsMarketOrders(ChangesRequests):
    def changed(self, request):
        return (
            evolve(request, type=OrderType.MARKET, price=None) if request.type is OrderType.STOP else request
        )


@refused_by("test_a_stop_waits_for_its_price", "among the open orders")
class ListsNoConditionalOrders(WireAdapter):
    async def open_orders(self):
        return [report for report in await super().open_orders() if report.type is not OrderType.STOP]


@refused_by("test_an_attached_stop_follows_the_entry", "attached stop lives")
class ForgetsTheAttachedStop(ChangesRequests):
    def changed(self, request):
        return evolve(request, attached_stop=None)


@refused_by("test_an_attached_stop_is_moved_and_taken_back_under_its_id", "taking the stop back")
class CancelsOnlyWhatItHasSent(WireAdapter):
    async def cancel(self, symbol, client_order_id):
        is_attached = client_order_id == "kit-stop"
        return Outcome.already_so() if is_attached else await super().cancel(symbol, client_order_id)


@refused_by("test_an_amended_order_stays_the_same_order", "amend in place")
class AmendsByCancelAndCreate(WireAdapter):
    async def amend(self, symbol, amendment):
        report = await self.order(symbol, amendment.client_order_id)
        await self.cancel(symbol, amendment.client_order_id)
        request = OrderRequest("again", symbol, report.side, report.type, report.quantity, amendment.price)
        await self.submit(request)
        self.facts.publish(ev.OrderAmended(0, amendment.client_order_id, amendment.price, report.quantity))
        return Outcome.accepted()

    async def order(self, symbol, client_order_id):
        found = await super().order(symbol, "again") or await super().order(symbol, client_order_id)
        return found and evolve(found, client_order_id=client_order_id)


@refused_by("test_amending_what_is_not_open_is_refused", "order_not_open")
class SaysYesToEveryAmendment(WireAdapter):
    async def amend(self, symbol, amendment):
        await super().amend(symbol, amendment)
        return Outcome.accepted()


@refused_by("test_leverage_set_twice_is_already_so", "ALREADY_SO")
class TakesUnchangedLeverageForARefusal(WireAdapter):
    async def set_leverage(self, symbol, leverage):
        outcome = await super().set_leverage(symbol, leverage)
        if outcome.kind is OutcomeKind.ALREADY_SO:
            return Outcome.rejected(Refusal.BAD_PARAMETERS, outcome.code)
        return outcome


# -- money --------------------------------------------------------------------------------------------------------


@refused_by("test_executions_are_complete_from_a_time_on", "each once")
class ReadsThreeExecutions(WireAdapter):
    async def executions(self, since_ms):
        return list(await super().executions(since_ms))[-3:]


@refused_by("test_executions_are_complete_from_a_time_on", "since")
class LeavesTheStartOut(WireAdapter):
    async def executions(self, since_ms):
        return await super().executions(since_ms + 1)


@refused_by("test_positions_and_balances_agree_with_executions", "USDT", instruments=(SPOT,))
class ForgetsFees(WireAdapter):
    async def executions(self, since_ms):
        return [evolve(fill, fee=Decimal(0)) for fill in await super().executions(since_ms)]


@refused_by("test_a_short_position_is_negative", "position")
class TellsSizesWithoutSigns(WireAdapter):
    async def positions(self):
        return [evolve(each, quantity=abs(each.quantity)) for each in await super().positions()]


@refused_by("test_what_orders_tie_up_is_not_available", "available")
class TellsTotalsAsAvailable(WireAdapter):
    async def balances(self):
        found = await super().balances()
        return {name: evolve(each, available=each.total) for name, each in found.items()}


# -- the way there and back ---------------------------------------------------------------------------------------


@refused_by("test_a_lost_reply_is_unknown_and_can_be_read", "UNKNOWN")
class TakesATimeoutForARefusal(WireAdapter):
    async def write(self, call):
        outcome = await super().write(call)
        if outcome.kind is OutcomeKind.UNKNOWN:
            return Outcome.rejected(Refusal.BAD_PARAMETERS, outcome.code, outcome.text)
        return outcome


@refused_by("test_a_lost_reply_is_unknown_and_can_be_read", "TimeoutError")
class LetsTimeoutsOut(WireAdapter):
    async def write(self, call):
        return await self.wire.write(call)


@refused_by("test_a_lost_request_is_unknown_and_can_be_sent_again", "never had")
class AnswersFromWhatItSent(WireAdapter):
    sent: Any = None

    async def submit(self, request):
        self.sent = request
        return await super().submit(request)

    async def order(self, symbol, client_order_id):
        found = await super().order(symbol, client_order_id)
        if found is not None or self.sent is None:
            return found
        rig = WireRig(LINEAR)
        await rig.backend.submit(self.sent)
        return await rig.backend.order(symbol, client_order_id)


@refused_by("test_an_unknown_code_is_unknown", "987654")
class TakesUnknownCodesForRefusals(TakesATimeoutForARefusal):
    """The same mistake, seen from a code that nobody knows."""


@refused_by("test_an_unknown_code_is_unknown", "as they came|own code")
class RewordsTheVenue(WireAdapter):
    async def write(self, call):
        return evolve(await super().write(call), text="something went wrong")


@refused_by("test_a_broken_link_is_told_and_heals", "LinkDown")
class KeepsBreaksToItself(WireAdapter):
    async def follow(self):
        facts = self.wire.backend.events()
        await anext(facts)
        async for fact in self.until_changed(facts):
            if fact is not None and self.wire.is_up:
                self.facts.publish(fact)


@refused_by("test_a_broken_link_is_told_and_heals", "LinkUp number 2")
class NeverComesBack(WireAdapter):
    async def follow(self):
        await self.wire.is_changed.wait()
        self.facts.publish(LinkDown(self.clock.now_ms(), "over"))

    async def submit(self, request):
        self.facts.publish(ev.OrderAccepted(0, request.client_order_id, "1"))
        return await super().submit(request)


@refused_by("test_nothing_is_lost_or_doubled_across_a_break", "told twice")
class ReplaysAfterABreak(WireAdapter):
    def __init__(self, config, surroundings, wire: Wire) -> None:
        super().__init__(config, surroundings, wire)
        self.told: list[Any] = []

    def pass_on(self, fact):
        for old in self.told if self.told and self.has_been_down else []:
            self.facts.publish(old)
        self.facts.publish(fact)
        if isinstance(fact, ev.OrderFilled):
            self.told.append(fact)

    @property
    def has_been_down(self) -> bool:
        return len(self.told) == 1


@refused_by("test_nothing_is_lost_or_doubled_across_a_break", "each trade once")
class RemembersExecutionsInsteadOfReading(WireAdapter):
    def __init__(self, config, surroundings, wire: Wire) -> None:
        super().__init__(config, surroundings, wire)
        self.known: list[Any] = []

    def pass_on(self, fact):
        if isinstance(fact, ev.OrderFilled):
            self.known.append(fact)
        self.facts.publish(fact)

    async def executions(self, since_ms):
        return self.known


@refused_by("test_another_connection_sees_the_same_account", "traded|trades|open")
class KeepsIdsInMemory(WireAdapter):
    def __init__(self, config, surroundings, wire: Wire) -> None:
        super().__init__(config, surroundings, wire)
        self.mine: set[str] = set()

    async def submit(self, request):
        self.mine.add(request.client_order_id)
        return await super().submit(request)

    async def open_orders(self):
        reports = await super().open_orders()
        return [
            report if report.client_order_id in self.mine else evolve(report, client_order_id="")
            for report in reports
        ]


@refused_by("test_orders_of_others_are_shown_and_told_apart", "two open orders")
class HidesWhatOthersPlaced(WireAdapter):
    async def open_orders(self):
        return [each for each in await super().open_orders() if each.client_order_id.startswith("kit-")]


@refused_by("test_close_leaves_nothing_behind", "no task")
class LeavesATaskBehind(WireAdapter):
    async def connect(self):
        await super().connect()
        self.forgotten = asyncio.create_task(asyncio.sleep(60))


@refused_by("test_close_leaves_nothing_behind", "no stream")
class LetsListenersWait(WireAdapter):
    async def close(self):
        tasks, self.tasks = self.tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0)


# -- the table ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS.faults, ids=str)
def test_faulty_adapter_is_refused_by_its_case(fault):
    FAULTS.require_refusal(fault)


ONLY_BY_THEIR_CASE = (
    RoundsTheLot,
    TellsTheNewestFirst,
    AnswersNothingWhenReadsFail,
    TakesARefusedCancelForACancellation,
    DropsTheVenuesWords,
    ForgetsReduceOnly,
    ListsNoConditionalOrders,
    TakesUnchangedLeverageForARefusal,
    LeavesTheStartOut,
    TellsSizesWithoutSigns,
    TellsTotalsAsAvailable,
    KeepsIdsInMemory,
    HidesWhatOthersPlaced,
)


@pytest.mark.parametrize("fault", [FAULTS.of(plugin) for plugin in ONLY_BY_THEIR_CASE], ids=str)
def test_fault_with_one_effect_is_refused_by_no_other_case(fault):
    FAULTS.require_no_other_refusal(fault)


def test_every_case_about_the_exchange_refuses_some_adapter():
    FAULTS.require_all_cases()

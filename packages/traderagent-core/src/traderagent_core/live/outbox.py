"""Carries commands to the exchange, in the order of asking, and finds out what became of each."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable

from traderagent_core.account.state import WantStatus
from traderagent_core.contract.exchange_adapter import ExchangeAdapter
from traderagent_core.contract.outcome import Outcome, OutcomeKind, Refusal
from traderagent_core.engine.engine import Engine
from traderagent_core.live.reports import never_accepted
from traderagent_core.live.resolver import Resolver
from traderagent_core.live.vitals import Vitals
from traderagent_core.live.waits import until_some
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.order import Amendment, OrderRequest, OrderStatus, OrderType

TURNS = 3
"""How often others get their turn before the next command leaves: a fact that is told at once is heard before."""

RETRY_MS = 1_000
LeavingCommand = cmd.Submit | cmd.Cancel | cmd.Amend | cmd.SetLeverage
Tell = Callable[[ev.Event], None]


class Outbox:
    """Each command is carried by a task of its own, so that none waits for another's answer.

    A request that nobody can say the end of is looked up by reads; it is never sent under another id. That of a stop
    or of a close at the market is sent again under its own, as an order sent twice exists once: the position cannot
    wait for a proof.
    """

    def __init__(
        self, adapter: ExchangeAdapter, engine: Engine, resolver: Resolver, tell: Tell, vitals: Vitals
    ) -> None:
        self._adapter = adapter
        self._engine = engine
        self._resolver = resolver
        self._tell = tell
        self._vitals = vitals
        self._waiting: deque[Callable[[], object] | LeavingCommand] = deque()
        self._has_commands = asyncio.Event()
        self._under_way: Counter[str] = Counter()
        self.sent = 0
        self.in_flight = 0

    def put(self, commands: Iterable[LeavingCommand | Callable[[], object]]) -> None:
        """Send these after what was put before; a function is called in its turn instead."""
        for command in commands:
            if not callable(command):
                self._under_way[_subject(command)] += 1
            self._waiting.append(command)
            self._has_commands.set()

    def is_under_way(self, client_order_id: str) -> bool:
        """Whether anything about an order waits to leave, or for its answer."""
        return self._under_way[client_order_id] > 0

    @property
    def is_empty(self) -> bool:
        """Whether everything has left."""
        return not self._waiting

    async def work(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as carriers:
            while True:
                await until_some(self._waiting, self._has_commands)
                command = self._waiting.popleft()
                self.sent += 1
                if callable(command):
                    command()
                else:
                    carriers.create_task(self._carry(command))
                for _ in range(TURNS):
                    await asyncio.sleep(0)

    async def _carry(self, command: LeavingCommand) -> None:
        self.in_flight += 1
        try:
            match command:
                case cmd.Submit():
                    await self._submit(command.request)
                case cmd.Cancel():
                    await self._cancel(command)
                case cmd.Amend():
                    await self._amend(command)
                case cmd.SetLeverage():
                    await self._set_leverage(command)
        finally:
            self.in_flight -= 1
            subject = _subject(command)
            self._under_way[subject] -= 1
            if not self._under_way[subject]:
                del self._under_way[subject]

    # -- one for each kind ----------------------------------------------------------------------------------

    async def _submit(self, request: OrderRequest) -> None:
        order_id = request.client_order_id
        while True:
            self._resolver.sent_again(order_id)
            outcome = await self._timed(self._adapter.submit(request))
            if outcome.kind is OutcomeKind.REJECTED:
                await self._answer(ev.OrderRejected(self._now(), order_id, _reason(outcome)))
            if outcome.kind in (OutcomeKind.UNKNOWN, OutcomeKind.ALREADY_SO):
                self._resolver.ask(request)
            is_urgent = outcome.kind is OutcomeKind.UNKNOWN and protects(request)
            if outcome.kind is not OutcomeKind.NOT_PROCESSED and not is_urgent:
                return
            await self._pause(outcome)
            if is_urgent and not self.is_wanted(order_id):
                return  # There, or needed no more; the search goes on until that is known.
            if not self.is_wanted(order_id):
                if self.is_unheard_of(order_id):
                    await self._answer(never_accepted(order_id, self._now()))
                return

    async def _cancel(self, command: cmd.Cancel) -> None:
        order_id = command.client_order_id
        while True:
            outcome = await self._timed(self._adapter.cancel(command.symbol, order_id))
            if outcome.kind is OutcomeKind.REJECTED:
                await self._answer(ev.CancelRejected(self._now(), order_id, _reason(outcome)))
                return
            if outcome.kind is OutcomeKind.ALREADY_SO:
                await self._answer(ev.CancelRejected(self._now(), order_id, Refusal.ORDER_NOT_OPEN.value))
                self._resolver.look_up(command.symbol, order_id)
            if outcome.kind in (OutcomeKind.ACCEPTED, OutcomeKind.ALREADY_SO):
                return
            await self._pause(outcome)  # Asking twice for a cancellation does no harm.
            if order_id not in self._engine.account.orders:
                return

    async def _amend(self, command: cmd.Amend) -> None:
        order_id = command.amendment.client_order_id
        while True:
            outcome = await self._timed(self._adapter.amend(command.symbol, command.amendment))
            if outcome.kind is OutcomeKind.REJECTED:
                await self._answer(ev.AmendRejected(self._now(), order_id, _reason(outcome)))
            if outcome.kind in (OutcomeKind.UNKNOWN, OutcomeKind.ALREADY_SO):
                self._resolver.look_up(command.symbol, order_id)
            if outcome.kind not in (OutcomeKind.NOT_PROCESSED, OutcomeKind.UNKNOWN):
                return
            await self._pause(outcome)
            if not self._is_current(command.amendment):  # An old one that comes late would undo a newer one.
                return

    async def _set_leverage(self, command: cmd.SetLeverage) -> None:
        while True:
            outcome = await self._adapter.set_leverage(command.symbol, command.leverage)
            if outcome.kind not in (OutcomeKind.NOT_PROCESSED, OutcomeKind.UNKNOWN):
                return
            await self._pause(outcome)  # Setting the same leverage twice does no harm.

    # -- inside ---------------------------------------------------------------------------------------------

    def is_unheard_of(self, order_id: str) -> bool:
        """Whether the venue has never said that it has an order: what it has said cannot be proved away."""
        order = self._engine.account.orders.get(order_id)
        return order is not None and order.status is OrderStatus.SUBMITTED

    def is_wanted(self, order_id: str) -> bool:
        """Whether an order that is not at the venue has still to go there."""
        order = self._engine.account.orders.get(order_id)
        return (
            order is not None
            and order.status is OrderStatus.SUBMITTED
            and not order.is_canceling
            and order.want.status is WantStatus.OPEN
        )

    async def _timed(self, request: Awaitable[Outcome]) -> Outcome:
        begun_ms = self._now()
        outcome = await request
        self._vitals.answered(self._now() - begun_ms)
        if outcome.kind not in (OutcomeKind.ACCEPTED, OutcomeKind.ALREADY_SO):
            self._vitals.failed(
                self._now(), f"request_{outcome.kind.value}", f"{outcome.code} {outcome.text}".strip()
            )
        return outcome

    def _is_current(self, amendment: Amendment) -> bool:
        """Whether an amendment is what is still wanted of its order."""
        order = self._engine.account.orders.get(amendment.client_order_id)
        if order is None or order.is_canceling or order.want.status is not WantStatus.OPEN:
            return False
        quantity = order.want.quantity - order.want.filled + order.filled
        return (amendment.price, amendment.quantity) == (order.want.price, quantity)

    async def _answer(self, event: ev.Event) -> None:
        """Tell what a reply has said, after the facts that were told before it."""
        await asyncio.sleep(0)
        self._tell(event)

    async def _pause(self, outcome: Outcome) -> None:
        clock = self._adapter.clock
        await clock.sleep_until(clock.now_ms() + max(outcome.retry_after_ms, RETRY_MS))

    def _now(self) -> int:
        return self._adapter.clock.now_ms()


def protects(request: OrderRequest) -> bool:
    """Whether an order is the stop of a position, or closes one at the market."""
    is_stop = request.type is OrderType.STOP and request.closes_position
    return is_stop or (request.type is OrderType.MARKET and request.reduce_only)


def _subject(command: LeavingCommand) -> str:
    """The order that a command is about, or the symbol."""
    match command:
        case cmd.Submit():
            return command.request.client_order_id
        case cmd.Cancel():
            return command.client_order_id
        case cmd.Amend():
            return command.amendment.client_order_id
    return command.symbol


def _reason(outcome: Outcome) -> str:
    assert outcome.reason is not None
    return outcome.reason.value

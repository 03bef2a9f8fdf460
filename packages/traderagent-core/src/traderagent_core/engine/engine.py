"""The engine of one exchange account: steps from event to event, and nothing else changes its state."""

from collections.abc import Callable
from decimal import Decimal, getcontext
from typing import Any, NamedTuple

from traderagent_core.account import reasons
from traderagent_core.account.account import HOUSE, Account
from traderagent_core.account.state import ActivePlan, Order, Record, Retry, Want, WantStatus
from traderagent_core.contract.strategy import OrderNews, Wake
from traderagent_core.engine.allocating import Allocating
from traderagent_core.engine.barring import Barring
from traderagent_core.engine.caller import Caller
from traderagent_core.engine.context import StrategyContext
from traderagent_core.engine.desk import CANCEL_TIMER, Desk
from traderagent_core.engine.director import TRANSITION_TIMER, Director
from traderagent_core.engine.exits import NAKED_TIMER, Exits
from traderagent_core.engine.guarding import MIDNIGHT_TIMER, Guards
from traderagent_core.engine.halting import HALT_TIMER, Halting
from traderagent_core.engine.handing import Handing
from traderagent_core.engine.isolation import isolated
from traderagent_core.engine.judge import Judge
from traderagent_core.engine.member import Member, make_member
from traderagent_core.engine.operator import Operator
from traderagent_core.engine.planner import Planner
from traderagent_core.engine.releasing import let_go_of_what_adds
from traderagent_core.engine.setup import EngineSetup
from traderagent_core.engine.standing import Standing
from traderagent_core.engine.stops import STOP_WATCH, Stops
from traderagent_core.engine.trails import TRAIL_TIMER, TRAIL_WATCH, Trails
from traderagent_core.model import event as ev
from traderagent_core.model.command import Command, SetTimer
from traderagent_core.model.order import Side
from traderagent_core.model.position import MONEY, money_context
from traderagent_core.ports import Call, MarketView, call_plainly

OWNER, IDLE = Standing.OWNER, Standing.IDLE
ON_FILL = Retry.ON_FILL
BLOCKED = WantStatus.BLOCKED
new_effects = tuple.__new__
"""Making a named tuple this way takes a third of the time of calling its class."""


class Effects(NamedTuple):
    """What a step asks for and what it has decided."""

    commands: list[Command]
    records: list[Record]


class Engine:
    """Synchronous and deterministic: the same events, setup and code give the same records."""

    def __init__(self, setup: EngineSetup, view: MarketView) -> None:
        self.view = view
        self.call: Call = isolated(call_plainly)
        self.build(setup)

    def build(self, setup: EngineSetup) -> None:
        """Be as new; see `engine.reseating` for what an engine at work takes with it into another setup."""
        self.setup = setup
        self.former: EngineSetup | None = None
        self.now_ms = 0
        self.commands: list[Command] = []
        self.records: list[Record] = []
        self.account = Account(setup.run_id)
        self.members: dict[str, Member] = {}
        for bot in setup.bots:
            ledger = self.account.ledger(bot.name, bot.instrument.symbol)
            self.members[bot.name] = make_member(bot, ledger, setup.run_id)
        self._called = [member for member in self.members.values() if member.needs.wake is not Wake.NEVER]
        self.is_restricted = False
        self.desk = Desk(self)
        self.barring = Barring(self)
        self.guards = Guards(self)
        self.judge = Judge(self)
        self.planner = Planner(self)
        self.exits = Exits(self)
        self.stops = Stops(self)
        self.trails = Trails(self)
        self.caller = Caller(self)
        self.handing = Handing(self)
        self.director = Director(self)
        self.halting = Halting(self)
        self.allocating = None if setup.allocation is None else Allocating(self, setup.allocation)
        for member in self.members.values():
            member.context = StrategyContext(self, member)
        self._handlers: dict[type, Callable[[Any], None]] = {
            ev.OrderFilled: self._filled,
            ev.OrderAccepted: self.desk.accepted,
            ev.OrderRejected: self._over(self.desk.rejected),
            ev.OrderCanceled: self._over(self.desk.canceled),
            ev.CancelRejected: self.desk.cancel_rejected,
            ev.OrderAmended: self.desk.amended,
            ev.AmendRejected: self.desk.amend_rejected,
            ev.FundingPaid: self._funding_paid,
            ev.CandlesClosed: self._candles_closed,
            ev.TimerFired: self._timer_fired,
            ev.WatchCrossed: self._watch_crossed,
            ev.OperatorCommand: Operator(self).said,
            ev.EntriesBarred: self.barring.barred,
            ev.EntriesAllowed: self.barring.allowed,
        }

    def step(self, event: ev.Event) -> Effects:
        """Take in one event. Nothing else changes orders, wants and ledgers."""
        if getcontext() is not MONEY:
            with money_context():
                return self.step(event)
        self.now_ms = event.time_ms
        commands: list[Command] = []
        records: list[Record] = []
        self.commands = commands
        self.records = records
        self._handlers[type(event)](event)
        if self.caller.waiting:
            self.caller.run()
        if self.is_restricted:  # Else no strategy is letting go and nothing is halted.
            self._advance(event)
        return new_effects(Effects, (commands, records))

    def _advance(self, event: ev.Event) -> None:
        """Go on with transitions and with a halt, as far as the account has come."""
        if self.director.moving and type(event) is not ev.OrderAccepted:  # That leaves nobody with less.
            self.director.advance(event.symbol if type(event) is ev.OrderFilled else "")
        if self.halting.is_on:
            self.halting.advance()

    # -- for the parts of the engine ------------------------------------------------------------------------

    def record(self, kind: str, *arguments: Any) -> Any:
        """Write a record and let the account take it in."""
        self.records.append((kind, self.now_ms, *arguments))
        return getattr(self.account, kind)(self.now_ms, *arguments)

    def tell_order(self, want: Want, what: str, reason: str) -> None:
        """Tell a strategy what became of an order of its own plans."""
        member = self.members[want.plan.bot]
        self.caller.later(member, "on_order", OrderNews(want.slot.name, what, reason))

    def set_timer(self, owner: str, name: str, due_ms: int) -> None:
        """Ask the driver for a timer."""
        self.commands.append(SetTimer(owner, name, due_ms))

    def hears_candles(self, member: Member) -> bool:
        """Whether a close on which a bot is due calls it now: not while its plan works, if it wants it so."""
        if member.standing is not OWNER:
            return False
        return not (member.needs.between_plans and self.planner.is_at_work(member))

    def budget(self, member: Member) -> Decimal:
        """What a strategy may commit, in quote currency before leverage."""
        return member.setup.budget if self.allocating is None else self.allocating.budget(member)

    def refresh_restriction(self) -> None:
        """Note whether any order that adds exposure has to be looked at twice."""
        guards = self.guards
        self.is_restricted = (
            guards.size_factor != 1
            or not guards.is_entry_allowed
            or bool(self.director.moving)
            or self.halting.is_on
            or bool(self.barring.bars)
            or any(
                m.is_paused or m.is_halted or m.is_stopped or m.is_over_daily_loss
                for m in self.members.values()
            )
        )

    # -- facts of the venue ---------------------------------------------------------------------------------

    def _filled(self, event: ev.OrderFilled) -> None:
        account = self.account
        trade_id = event.trade_id
        if trade_id in account.seen_trades:
            return
        order_id = event.client_order_id
        order = account.orders.get(order_id) or account.closed_orders.get(order_id)
        if order is None:
            self._foreign_filled(event)
            return
        price, quantity, fee = event.price, event.quantity, event.fee
        how = (event.liquidity, event.is_ambiguous)
        self.records.append(("filled", event.time_ms, order_id, trade_id, price, quantity, fee, *how))
        is_complete = account.fill(order, trade_id, price, quantity, fee)
        member = self.members[order.want.plan.bot]
        if member.standing is IDLE:
            self.handing.pass_on(member, order)
        if order.reduce_only:
            self.exits.settle(member)
        self._after_fill(member, order, event, is_complete=is_complete)

    def _after_fill(self, member: Member, order: Order, event: ev.OrderFilled, *, is_complete: bool) -> None:
        want = order.want
        plan = want.plan
        if member.stop.travelling is not None:
            self.stops.arrived(member, event.client_order_id)
        if is_complete:
            self._spent(member, want)
        slot = want.slot
        if slot.order is None and slot.want is not None:
            self._slot_freed(member, order)
        if member.is_guarded:
            self._follow(member)
        if plan.plan.has_pegs or self._has_other_plans(plan):
            self.planner.repeg(member)
        if self.account.blocked:
            self.planner.retry_blocked(member, ON_FILL)
        if not plan.wants:
            self.planner.close_if_done(plan)
        if member.exit_reason or member.standing is not OWNER:
            self._go_on_leaving(member)
        if member.needs.fills:
            self.caller.later(member, "on_fill", event, want.slot.name, is_complete=is_complete)

    def _has_other_plans(self, plan: ActivePlan) -> bool:
        """Whether a bot has a plan beside this one, which may be over by now."""
        own = self.account.plans_of(plan.bot)
        return len(own) > 1 or (bool(own) and plan.id not in self.account.plans)

    def _go_on_leaving(self, member: Member) -> None:
        """After a fill of a strategy that lets go, or whose position is being closed."""
        if member.standing is not OWNER:
            let_go_of_what_adds(self, member, reasons.HALTED if self.halting.is_on else reasons.TRANSITION)
        if member.exit_reason:
            self.exits.advance(member)

    def _spent(self, member: Member, want: Want) -> None:
        """A want has been traded whole; an order that is larger than the want has become is taken back."""
        if want.order is not None:
            self.desk.cancel(want.order)
        if want.slot.name == "stop":
            self._stop_filled(member)
        else:
            self.planner.spent(member, want)

    def _follow(self, member: Member) -> None:
        """Let what protects the position follow it."""
        if member.standing is IDLE:
            return  # If there is a stop still, it protects the heir of the position until he relieves it.
        self.stops.refresh(member)
        if member.needs.max_drawdown is not None and not member.ledger.quantity:
            self.guards.went_flat(member)

    def _slot_freed(self, member: Member, order: Order) -> None:
        """The last fill of an order did not spend what is wanted in its slot, or something else is wanted there."""
        want = order.want
        if want.slot.name == "stop" and want.slot.want is want:
            self.record("want_ended", want.id, reasons.TRIGGERED)
            self._stop_filled(member)
        else:
            self.desk.settled(order)

    def _stop_filled(self, member: Member) -> None:
        member.stop.want = None
        self.exits.begin(self.handing.heir_of(member), "stop_loss")

    def _foreign_filled(self, event: ev.OrderFilled) -> None:
        """An execution nobody here ordered: a liquidation belongs to the bot that holds, all else to the house.

        A liquidation makes a position smaller; what adds to one was bought or sold by somebody.
        """
        owners = [m for m in self.members.values() if m.symbol == event.symbol and _takes_from(event, m)]
        is_taken_over = not event.client_order_id
        owner = owners[0] if owners and is_taken_over else None
        bot = owner.name if owner is not None else HOUSE
        self.record(
            "foreign_filled",
            bot,
            event.symbol,
            event.trade_id,
            event.side,
            event.price,
            event.quantity,
            event.fee,
        )
        if owner is not None:
            held = owner.ledger.quantity
            if held and (held > 0) is (event.side is Side.BUY):  # It was more than there was to take.
                self.record("ledger_handed_over", owner.name, event.symbol, HOUSE, held, event.price)
            self.exits.begin(owner, "liquidation")

    def _funding_paid(self, event: ev.FundingPaid) -> None:
        """Share funding by ledger quantity; the last ledger takes what rounding leaves."""
        ledgers = [
            own for own in self.account.ledgers.values() if own.symbol == event.symbol and own.quantity
        ]
        total = sum((own.quantity for own in ledgers), Decimal(0))
        rest = event.amount
        for own in ledgers[:-1]:
            share = (event.amount * own.quantity / total).quantize(Decimal("1e-12")) if total else Decimal(0)
            self.record("funding_booked", own.bot, event.symbol, share)
            rest -= share
        self.record("funding_booked", ledgers[-1].bot if ledgers else HOUSE, event.symbol, rest)

    def _over(self, handler: Callable[[Any], None]) -> Callable[[Any], None]:
        """After an order has ended: close its plan if that was the last of it, and go on with an exit."""

        def handle(event: Any) -> None:
            order = self.account.orders.get(event.client_order_id)
            handler(event)
            if order is None or event.client_order_id in self.account.orders:
                return
            plan = order.want.plan
            member = self.members[plan.bot]
            self.planner.close_if_done(plan)
            self.stops.release_unborn(member)
            if member.exit_reason:
                self.exits.advance(member)

        return handle

    # -- wake-ups -------------------------------------------------------------------------------------------

    def _candles_closed(self, event: ev.CandlesClosed) -> None:
        self.guards.judge()
        self.director.look()
        view, time_ms = self.view, event.time_ms
        for member in self._called:
            if member.standing is not OWNER or not member.is_able or not self._is_due(member, time_ms):
                continue
            if not self.hears_candles(member):
                continue
            candle = view.last(member.symbol, member.timeframe)
            if candle is not None:
                self.caller.later(member, "on_candle", candle)

    def _is_due(self, member: Member, time_ms: int) -> bool:
        """Whether a bot asked for this candle; `candidates` is the plugin's own, and may fail."""
        try:
            return self.view.is_due(member.name, time_ms)
        except Exception as error:
            self.caller.failed(member, "candidates", error)
            return False

    def _timer_fired(self, event: ev.TimerFired) -> None:
        name = event.name
        if name == MIDNIGHT_TIMER:
            self.guards.judge()
            self.guards.arm()
            return
        member = self.members[event.owner]
        if name == TRAIL_TIMER:
            self.trails.due(member)
        elif name.startswith(CANCEL_TIMER):
            self.desk.cancel_again(name.removeprefix(CANCEL_TIMER))
        elif name.startswith("~retry:"):
            want = self.account.wants.get(int(name.removeprefix("~retry:")))
            if want is not None and want.status is BLOCKED:
                self.desk.retry(want)
        elif name == NAKED_TIMER:
            self.exits.still_naked(member)
        elif name == HALT_TIMER:
            self.halting.timed_out()
        elif name == TRANSITION_TIMER:
            self.director.timed_out(member)
        elif member.standing is OWNER:
            self.caller.later(member, "on_timer", event)

    def _watch_crossed(self, event: ev.WatchCrossed) -> None:
        member = self.members[event.owner]
        if event.name == STOP_WATCH:
            self.stops.watch_crossed(member, Decimal(repr(event.price)))
        elif event.name == TRAIL_WATCH:
            self.trails.crossed(member, Decimal(repr(event.price)))
        elif member.standing is OWNER:
            self.caller.later(member, "on_watch", event)


def _takes_from(event: ev.OrderFilled, member: Member) -> bool:
    """Whether an execution makes what a bot holds smaller."""
    held = member.ledger.quantity
    return held > 0 if event.side is Side.SELL else held < 0

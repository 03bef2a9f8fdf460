"""What must be true at every second, whatever goes wrong, and what must be true at rest."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

from traderagent_core.account.state import Order
from traderagent_core.engine.engine import Engine
from traderagent_core.engine.member import Member
from traderagent_core.live.driver import Driver
from traderagent_core.model.order import OrderRequest, OrderStatus, OrderType, Side
from traderagent_core.model.position import money_context
from traderagent_core.testing.faults import conduct
from traderagent_core.testing.faults.endings import Endings
from traderagent_core.testing.faults.outside import Outside
from traderagent_core.testing.faults.process import RUN_ID, Process
from traderagent_core.testing.faults.setting import Setting
from traderagent_core.testing.faults.strategies import SCRIPTS
from traderagent_core.testing.faults.world import Violation, World

NAKED_MS = 10_000
STOPLESS_MS = 30_000
"""How long the engine may watch the price in place of a stop at the exchange."""

LAG_MS = 30_000
RECONNECTED_MS = 10_000
"""So long after a reconnection what was missed meanwhile has been read."""

SKEW_MS = 5_000
"""With a clock that is further off entries are barred; until then timers may fire early."""

EXIT_MS = 180_000
"""An exit whose orders get lost twice, one after the other, takes more than a minute; an endless one takes longer."""

IDLE_MS = 30_000
ORPHAN_MS = 30_000
HINDERED_MS = 45_000
"""So long after the last fault the program may still be busy with it: an order is proved absent after 20 s."""

ROUNDING = Decimal("1.02")
ZERO = Decimal(0)
FINAL = "at rest"


class Checks:
    """Looks at exchange and process from outside. Raises Violation with the name of what was broken.

    `process` gives the life that is on, if any; `durable` says whether an order's intent is on the disk for good.
    """

    def __init__(
        self,
        world: World,
        outside: Outside,
        setting: Setting,
        process: Callable[[], Process | None],
        durable: Callable[[str], bool],
    ) -> None:
        self._world, self._outside, self._setting = world, outside, setting
        self._process, self._durable = process, durable
        self._seen: object = None
        self._state: object = None
        self._is_all_well = False
        self._since: dict[tuple[str, str], int] = {}
        self._endings, self._pace, self._direction = Endings(outside), conduct.Pace(), conduct.Direction()
        self._caps = {
            bot.symbol: bot.risk.max_position_size
            for bot in setting.config.bots
            if bot.risk.max_position_size is not None
        }
        self._is_scripted = all(bot.strategy in SCRIPTS for bot in setting.config.bots)
        outside.before_submit = self.submitted
        outside.before_change = self.changed

    # -- at each request ------------------------------------------------------------------------------------

    def submitted(self, request: OrderRequest) -> None:
        """I2, I9: nothing reaches the exchange before its intent is durable, and exits can only reduce."""
        process = self._process()
        if process is not None and process.driver is not None:
            conduct.only_reduces(request, process.driver.engine)
        if not self._durable(request.client_order_id):
            raise Violation(
                f"I2: {request.client_order_id} reached the exchange before its intent was durable"
            )

    def changed(self, order_id: str) -> None:
        """I6: what is not ours is never touched."""
        if not _is_ours(order_id):
            raise Violation(f"I6: somebody else's order {order_id} was touched")

    # -- each second ----------------------------------------------------------------------------------------

    def look(self, version: object) -> None:
        """Everything that can be seen at any time; `version` is the outside's."""
        if version != self._seen:
            self._seen = version
            self._one_order_per_slot()
            with money_context():
                for symbol in self._outside.instruments:
                    self._exposure(symbol)
        process = self._process()
        if process is not None:
            self._look_at_pace(process)
        if process is None or process.driver is None or not process.is_running:
            self._since.clear()
            return
        self._endings.look(process.driver, self._world.now_ms)
        state = (process, process.driver.stepper.steps, version)
        if state != self._state or not self._is_all_well:
            self._state, self._is_all_well = state, True
            self._look_at(process, process.driver)

    def _look_at_pace(self, process: Process) -> None:
        """I11, also while a start goes on for long; pauses of a clock that was set are shorter."""
        if abs(process.clock.now_ms() - self._world.now_ms) > SKEW_MS:
            self._pace = conduct.Pace(process.wire.writes)
        self._pace.look(process.wire.writes)

    def _look_at(self, process: Process, driver: Driver) -> None:
        """What follows from where both sides stand, the engine after its last step. As long as that stays all well,
        it has not to be looked at.
        """
        engine = driver.engine
        for member in engine.members.values():
            self._protected(member)
            self._goes_on(driver, member)
            self._direction.look(member)
            conduct.is_guarded(member)
        self._orphans(engine)
        for symbol in self._outside.instruments:
            self._lag(engine, symbol)
            self._lag_after_reconnection(process, engine, symbol)

    def _one_order_per_slot(self) -> None:
        """I1: a second generation of a slot while the first lives means that one intent gave two orders.

        Stops may overlap for a moment: one that travels with several entries can come back after it was refused.
        """
        live = [report for key, report in self._outside.backend.log.open.items() if _is_ours(key)]
        slots = Counter(
            report.client_order_id.rpartition("-")[0] for report in live if not report.closes_position
        )
        twice = [slot for slot, count in slots.items() if count > 1]
        if twice:
            raise Violation(f"I1: {twice[0]} has {slots[twice[0]]} live orders")

    def _exposure(self, symbol: str) -> None:
        """I8: position and all open orders together stay within the limit."""
        cap = self._caps.get(symbol)
        if cap is None:
            return
        market = self._outside.exchange.markets[symbol]
        added = {Side.BUY: ZERO, Side.SELL: ZERO}
        for order in market.orders.values():
            if _is_ours(order.request.client_order_id) and not order.request.reduce_only:
                price = order.price or market.last_price()
                added[order.request.side] += (order.quantity - order.filled) * price
        cost = market.position.cost
        worst = max(cost + added[Side.BUY], added[Side.SELL] - cost)
        if worst > cap * ROUNDING and not self._is_hindered and not self._has_foreign(symbol):
            raise Violation(f"I8: {symbol} could come to {worst:.2f}, above the limit of {cap}")

    def _has_foreign(self, symbol: str) -> bool:
        return any(
            fill.symbol == symbol and not _is_ours(fill.client_order_id)
            for fill in self._outside.backend.log.fills
        )

    def _protected(self, member: Member) -> None:
        """I5: what is held has a live stop at the exchange, or the engine watches in its place for a moment."""
        is_stopless = self._needs_stop(member) and not self._has_stop(member.symbol)
        is_naked = is_stopless and member.stop.watched is None
        if self._lasts("I5", member.name, NAKED_MS, is_so=is_naked) and not self._is_hindered:
            raise Violation(
                f"I5: {member.name} holds {member.ledger.quantity} without a stop for {NAKED_MS} ms"
            )
        if self._lasts("I5 stop", member.name, STOPLESS_MS, is_so=is_stopless) and not self._is_hindered:
            raise Violation(f"I5: {member.name} has had no stop at the exchange for {STOPLESS_MS} ms")

    def _goes_on(self, driver: Driver, member: Member) -> None:
        """Exits come to an end, and a script never waits for nothing."""
        is_exiting = bool(member.exit_reason)
        if self._lasts("exit", member.name, EXIT_MS, is_so=is_exiting) and not self._is_hindered:
            raise Violation(f"liveness: {member.name} has been closing its position for {EXIT_MS} ms")
        is_idle = self._is_scripted and conduct.is_idle(driver, member)
        if self._lasts("idle", member.name, IDLE_MS, is_so=is_idle) and not self._is_hindered:
            raise Violation(f"liveness: {member.name} waits for nothing")

    def _needs_stop(self, member: Member) -> bool:
        """Whether the account holds what a bot has bought that always has a stop."""
        held, own = self._outside.position(member.symbol), member.ledger.quantity
        return self._setting.has_stops and held * own > 0

    def _has_stop(self, symbol: str) -> bool:
        orders = self._outside.exchange.markets[symbol].orders.values()
        return any(order.request.type is OrderType.STOP for order in orders)

    def _orphans(self, engine: Engine) -> None:
        """I6: no order of ours lives at the exchange that the engine does not know as live."""
        for order_id in self._outside.backend.log.open:
            is_orphan = _is_ours(order_id) and order_id not in engine.account.orders
            if self._lasts(
                "I6", order_id, ORPHAN_MS, is_so=is_orphan, counts=is_orphan and not self._is_hindered
            ):
                raise Violation(f"I6: {order_id} is live at the exchange and nobody wants it")

    def _lag(self, engine: Engine, symbol: str) -> None:
        """I4: the ledgers follow the exchange, once it answers."""
        held, known = self._outside.position(symbol), engine.account.net_quantity(symbol)
        is_behind = known != held
        if self._lasts("I4", symbol, LAG_MS, is_so=is_behind, counts=is_behind and not self._is_hindered):
            raise Violation(f"I4: ledgers have {known} {symbol}, the exchange has {held}")

    def _lag_after_reconnection(self, process: Process, engine: Engine, symbol: str) -> None:
        """I4: what happened while the connection was away is read once it is back, if nothing else is wrong."""
        link = process.link
        disturbed_ms = max(process.wire.outages.last_ms, link.silent_until_ms)
        is_undisturbed = self._world.last_strike_ms <= link.down_ms < link.up_ms >= disturbed_ms
        held, known = self._outside.position(symbol), engine.account.net_quantity(symbol)
        if self._lasts("I4 link", symbol, RECONNECTED_MS, is_so=known != held, counts=is_undisturbed):
            raise Violation(
                f"I4: {RECONNECTED_MS} ms after a reconnection ledgers have {known} {symbol}, not {held}"
            )

    def _lasts(self, what: str, name: str, limit_ms: int, *, is_so: bool, counts: bool = True) -> bool:
        """Whether something has been so, at times that count, for longer than it may."""
        if is_so:
            self._is_all_well = False
        if not is_so or not counts:
            self._since.pop((what, name), None)
            return False
        return self._world.now_ms - self._since.setdefault((what, name), self._world.now_ms) > limit_ms

    @property
    def _is_hindered(self) -> bool:
        """Whether a fault has struck a while ago at most; an outage of the exchange is one until it is over."""
        now_ms, process = self._world.now_ms, self._process()
        outage_ms = 0 if process is None else min(process.wire.outages.last_ms, now_ms)
        return now_ms - max(self._world.last_strike_ms, outage_ms) < HINDERED_MS

    # -- at rest --------------------------------------------------------------------------------------------

    def at_rest(self) -> None:
        """After a time without faults and without prices: equal to the last digit, and nothing under way."""
        process = self._process()
        if process is None or process.driver is None or not process.is_running:
            raise Violation("liveness: the process has not come back to work")
        driver, engine = process.driver, process.driver.engine
        account, exchange = engine.account, self._outside.exchange
        for symbol in self._outside.instruments:
            held, known = self._outside.position(symbol), account.net_quantity(symbol)
            _equal("I4", f"position of {symbol}", known, held)
        with money_context():
            _equal("I4", "money", account.flow(), exchange.flow - exchange.balance)
        fills = {fill.trade_id for fill in self._outside.backend.log.fills}
        adjustments = {trade for trade in account.seen_trades if trade.startswith("adjustment-")}
        _equal("I3", "executions", set(account.seen_trades) - adjustments, fills)
        for symbol in self._outside.instruments:
            if not self._has_foreign(symbol):
                conduct.has_its_fills(engine, symbol)
        ours = {order_id for order_id in self._outside.backend.log.open if _is_ours(order_id)}
        live = {key for key in account.orders if not engine.stops.is_travelling(key)}
        _equal("I6", "live orders", live, ours)
        submitted = [key for key, order in account.orders.items() if _is_unsettled(order) and key in ours]
        _equal("liveness", "orders whose end is open", submitted, [])
        _equal("liveness", "what is looked for", list(driver.aligning.resolver.cases), [])
        _equal("liveness", "what stands against entries", list(engine.barring.bars), [])
        conduct.rests_as_wanted(driver, self._outside)
        conduct.has_its_candles(driver, self._outside)
        for member in engine.members.values():
            conduct.is_watched(driver, member)
            if self._needs_stop(member) and not self._has_stop(member.symbol):
                raise Violation(f"I5: {member.name} holds {member.ledger.quantity} at rest without a stop")


def _is_unsettled(order: Order) -> bool:
    return order.status is OrderStatus.SUBMITTED or order.is_canceling


def _is_ours(order_id: str) -> bool:
    return order_id.startswith(RUN_ID)


def _equal(what: str, name: str, own: object, other: object) -> None:
    if own != other:
        raise Violation(f"{what}: {name} {FINAL}: ours {own}, the exchange's {other}")

"""The simulated exchange: takes commands, matches orders against a moving price, answers with events."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.order import Amendment, Liquidity, OrderRequest, OrderType, Side
from traderagent_core.venue.book import ORDER_RANK, WATCH_RANK, Entry
from traderagent_core.venue.funding import funding_payment
from traderagent_core.venue.liquidation import bankruptcy_price, liquidation_price
from traderagent_core.venue.market import ONE, ZERO, Liquidation, VenueMarket, VenueOrder, VenueWatch
from traderagent_core.venue.slippage import slipped_price

BUY, SELL = Side.BUY, Side.SELL
LIMIT, MARKET, STOP = OrderType.LIMIT, OrderType.MARKET, OrderType.STOP
MAKER, TAKER = Liquidity.MAKER, Liquidity.TAKER
REMEMBERED_ORDERS = 100_000
"""Client order ids that are known when they come again; of those whose orders are over the oldest are forgotten."""


class SimulatedExchange:
    """One account at a venue with any number of markets.

    `flow` is the starting balance plus all money that fills, fees and funding brought in, so that the equity is
    flow + sum of position × price, spot and linear alike. Answers are appended to `events` in the order in which
    they happened. Fees are charged in the quote currency.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        *,
        balance: Decimal,
        slippage_ratio: Decimal = ZERO,
        forced_slippage_ratio: Decimal = ZERO,
        defers_orders: bool = False,
    ) -> None:
        self.markets = {instrument.symbol: VenueMarket(instrument) for instrument in instruments}
        self.balance = balance
        self.flow = balance
        self.reserved = ZERO
        self.margin = ZERO
        self.linear_cost = ZERO
        self.slippage_ratio = slippage_ratio
        self.forced_slippage_ratio = forced_slippage_ratio
        self.defers_orders = defers_orders
        self.events: deque[ev.Event] = deque()
        self._known_ids: dict[str, None] = {}
        self._trades = 0
        self._handlers: dict[type, Callable[[Any, int], None]] = {
            cmd.Submit: self._submitted,
            cmd.Cancel: self._cancel,
            cmd.Amend: self._amend,
            cmd.Watch: self._watch,
            cmd.Unwatch: self._unwatch,
            cmd.SetLeverage: self._set_leverage,
        }

    def execute(self, command: cmd.Command, now_ms: int) -> None:
        """Carry out a command that has arrived; the market must stand at the price of that time."""
        self._handlers[type(command)](command, now_ms)

    # -- orders in ------------------------------------------------------------------------------------------

    def _submitted(self, command: cmd.Submit, now_ms: int) -> None:
        self.submit(command.request, now_ms)

    def submit(self, request: OrderRequest, now_ms: int) -> None:
        """Take an order; the same client order id a second time changes nothing."""
        order_id = request.client_order_id
        if order_id in self._known_ids:
            self.events.append(ev.OrderAccepted(now_ms, order_id, order_id))
            return
        market, price = self.markets[request.symbol], request.price
        level = 0.0 if price is None else float(price)
        order = VenueOrder(request, price, level, request.quantity, ZERO, market.candle)
        refusal = self._refusal(market, order)
        if refusal is not None:
            self.events.append(ev.OrderRejected(now_ms, order_id, refusal))
        else:
            self._accept(market, order, now_ms)

    def _accept(self, market: VenueMarket, order: VenueOrder, now_ms: int) -> None:
        order_id = order.request.client_order_id
        self._know(order_id)
        market.orders[order_id] = order
        self._reserve(market, order, order.quantity)
        self.events.append(ev.OrderAccepted(now_ms, order_id, order_id))
        if self.defers_orders:
            market.pending.append(order)
            market.version += 1
        else:
            self._admit(market, order, now_ms)

    def _know(self, order_id: str) -> None:
        known = self._known_ids
        known[order_id] = None
        if len(known) > REMEMBERED_ORDERS:
            oldest = list(islice(known, REMEMBERED_ORDERS // 10))
            live = {key for market in self.markets.values() for key in market.orders}
            for key in oldest:
                if key not in live:
                    del known[key]

    def admit_pending(self, market: VenueMarket, now_ms: int) -> None:
        """Let deferred orders trade from now on."""
        pending, market.pending = market.pending, []
        market.version += 1
        for order in pending:
            if order.request.client_order_id in market.orders:
                self._admit(market, order, now_ms)

    def _admit(self, market: VenueMarket, order: VenueOrder, now_ms: int) -> None:
        request = order.request
        if request.type is MARKET:
            self._take(market, order, now_ms)
            return
        level = order.level
        is_above = (request.side is SELL) is (request.type is LIMIT)
        if market.price >= level if is_above else market.price <= level:
            self._take(market, order, now_ms)
        else:
            market.wait(order, level, ORDER_RANK, is_above=is_above)

    def _refusal(self, market: VenueMarket, order: VenueOrder) -> str | None:
        """The venue's reason for not taking an order, or None."""
        request = order.request
        instrument = market.instrument
        price, quantity = order.price, order.quantity
        if price is not None and price % instrument.tick_size:
            return "price_not_on_tick"
        if quantity % instrument.lot_size:
            return "quantity_not_on_lot"
        most = None if request.closes_position else instrument.largest_order(request.type)
        if most is not None and quantity > most:
            return "order_too_large"
        must_rest = request.post_only or request.type is STOP
        if must_rest and price is not None and market.is_beyond(request.side, request.type, order.level):
            return "post_only_would_cross" if request.type is LIMIT else "would_trigger"
        if request.reduce_only:
            return None if self._reducible(market, request.side) else "reduce_only_without_position"
        at = price or market.last_price()
        if quantity < instrument.min_quantity or quantity * at < instrument.min_notional or not quantity:
            return "order_too_small"
        if request.attached_stop is not None and _is_passed(request, market.last_price()):
            return "would_trigger"
        return self._funds_refusal(market, order)

    def _funds_refusal(self, market: VenueMarket, order: VenueOrder) -> str | None:
        request = order.request
        quantity = request.quantity
        if not market.is_linear and request.side is SELL:
            enough = market.position.quantity - market.open_sells >= quantity
            return None if enough else "insufficient_base"
        price = order.price or market.last_price() * (ONE + self.slippage_ratio)
        fee_ratio = market.instrument.taker_fee_ratio
        if not market.is_linear:
            order.unit_reserve = price * (ONE + fee_ratio)
            return None if self.available >= quantity * order.unit_reserve else "insufficient_quote"
        order.unit_reserve = price
        before = market.margin
        self._reserve(market, order, quantity)
        is_covered = self.available >= ZERO or market.margin <= before
        self._reserve(market, order, -quantity)
        return None if is_covered else "insufficient_margin"

    @property
    def available(self) -> Decimal:
        """Quote currency free for new orders: cash less reserves and margins."""
        return self.flow + self.linear_cost - self.reserved - self.margin

    def _reserve(self, market: VenueMarket, order: VenueOrder, quantity: Decimal) -> None:
        """Tie up the money (or the coins) that `quantity` more of an order needs; negative frees it."""
        request = order.request
        if request.reduce_only:
            return
        if market.is_linear:
            if request.side is BUY:
                market.open_buys += quantity * order.unit_reserve
            else:
                market.open_sells += quantity * order.unit_reserve
            self._refresh_margin(market)
        elif request.side is BUY:
            self.reserved += quantity * order.unit_reserve
        else:
            market.open_sells += quantity

    def _refresh_margin(self, market: VenueMarket) -> None:
        margin = market.needed_margin()
        self.margin += margin - market.margin
        market.margin = margin

    # -- orders out -----------------------------------------------------------------------------------------

    def fire(self, market: VenueMarket, entry: Entry, now_ms: int, *, is_above: bool) -> None:
        """Something that waited for the present price has got it."""
        item = entry[3]
        market.unrest(item)
        if type(item) is VenueOrder:
            if item.request.type is LIMIT:
                level = entry[0] if is_above else -entry[0]
                price = item.price if level == market.price else market.last_price()
                assert price is not None
                self._fill(market, item, price, MAKER, now_ms, is_above=is_above)
            else:
                self._take(market, item, now_ms)
        elif type(item) is VenueWatch:
            del market.watches[item.owner, item.name]
            self.events.append(ev.WatchCrossed(now_ms, item.owner, item.name, market.price))
        else:
            self._liquidate(market, now_ms)
        if is_above:
            market.has_fired_above = True
        else:
            market.has_fired_below = True

    def _take(self, market: VenueMarket, order: VenueOrder, now_ms: int) -> None:
        request = order.request
        limit = order.price if request.type is LIMIT else None
        ratio = self.slippage_ratio + self.forced_slippage_ratio if request.is_forced else self.slippage_ratio
        price = slipped_price(market.instrument, request.side, market.last_price(), ratio, limit)
        self._fill(market, order, price, TAKER, now_ms, is_above=order.is_above)

    def _fill(
        self,
        market: VenueMarket,
        order: VenueOrder,
        price: Decimal,
        liquidity: Liquidity,
        now_ms: int,
        *,
        is_above: bool,
    ) -> None:
        request = order.request
        quantity = order.quantity - order.filled if order.filled else order.quantity
        if request.closes_position:
            quantity = order.quantity = self._reducible(market, request.side)
        elif request.reduce_only:
            quantity = min(quantity, self._reducible(market, request.side))
        is_ambiguous = market.is_ambiguous(order, is_above=is_above)
        instrument = market.instrument
        ratio = instrument.maker_fee_ratio if liquidity is MAKER else instrument.taker_fee_ratio
        is_buy = request.side is BUY
        for part in self._parts(order, quantity):
            fee = part * price * ratio
            order.filled = order.filled + part if order.filled else part
            self._reserve(market, order, -part)
            self._book_fill(market, part if is_buy else -part, price, fee)
            self._trades += 1
            how = (price, part, fee, liquidity, is_ambiguous)
            trade_id = f"t{self._trades}"
            self.events.append(
                ev.OrderFilled(now_ms, request.client_order_id, trade_id, request.symbol, request.side, *how)
            )
        self._finish(market, order, now_ms)
        if market.attached:
            self._clear_attached(market, now_ms)
        if request.attached_stop is not None:
            self._attach(market, request, now_ms)

    def _attach(self, market: VenueMarket, request: OrderRequest, now_ms: int) -> None:
        """Bring the stop to life that travelled with an order that trades, or move that of the position to its price.

        Nothing refuses it: where the price has passed it, it trades at once.
        """
        stop = request.attached_stop
        assert stop is not None
        quantity = abs(market.position.quantity)
        order = market.orders.get(market.attached)
        if order is not None and order.price != stop.price:
            self.change(market, order, Amendment(market.attached, stop.price, quantity), now_ms)
        if stop.client_order_id in self._known_ids:
            return
        market.attached = name = stop.client_order_id
        side, symbol = request.side.opposite, request.symbol
        closing = OrderRequest(
            name, symbol, side, STOP, quantity, stop.price, reduce_only=True, closes_position=True
        )
        attached = VenueOrder(closing, stop.price, float(stop.price), quantity, ZERO, market.candle)
        self._accept(market, attached, now_ms)

    def _clear_attached(self, market: VenueMarket, now_ms: int) -> None:
        """A stop that came with a position goes with it."""
        order = market.orders.get(market.attached)
        if order is not None and self._reducible(market, order.request.side):
            return
        market.attached = ""
        if order is not None:
            name = order.request.client_order_id
            del market.orders[name]
            self._drop(market, order)
            self.events.append(ev.OrderCanceled(now_ms, name, order.filled, "reduce_only_without_position"))

    def _parts(self, order: VenueOrder, quantity: Decimal) -> Sequence[Decimal]:  # noqa: ARG002
        """How a fill is split into executions; one, here. Test exchanges split at random."""
        return (quantity,) if quantity else ()

    def _finish(self, market: VenueMarket, order: VenueOrder, now_ms: int) -> None:
        """Forget an order that is filled, and cancel the rest of one that may not fill further."""
        order_id = order.request.client_order_id
        del market.orders[order_id]
        if order.filled != order.quantity or not order.filled:
            self._reserve(market, order, order.filled - order.quantity)
            self.events.append(
                ev.OrderCanceled(now_ms, order_id, order.filled, "reduce_only_without_position")
            )

    def _book_fill(self, market: VenueMarket, signed: Decimal, price: Decimal, fee: Decimal) -> None:
        position = market.position
        self.flow -= signed * price + fee
        market.version += 1  # Paths that depend on the position have to be found anew.
        if not market.is_linear:
            position.quantity += signed
            return
        cost = position.cost
        position.apply(signed, price)
        self.linear_cost += position.cost - cost
        self._refresh_margin(market)
        self._refresh_liquidation(market)

    def _reducible(self, market: VenueMarket, side: Side) -> Decimal:
        """How much of the position an order of this side can close."""
        quantity = market.position.quantity
        return max(quantity if side is SELL else -quantity, ZERO)

    def _cancel(self, command: cmd.Cancel, now_ms: int) -> None:
        market = self.markets[command.symbol]
        order = market.orders.pop(command.client_order_id, None)
        if order is None:
            self.events.append(ev.CancelRejected(now_ms, command.client_order_id, "order_not_open"))
            return
        self._drop(market, order)
        self.events.append(ev.OrderCanceled(now_ms, command.client_order_id, order.filled))

    def _drop(self, market: VenueMarket, order: VenueOrder) -> None:
        market.unrest(order)
        if order in market.pending:
            market.pending.remove(order)
        self._reserve(market, order, order.filled - order.quantity)

    def _amend(self, command: cmd.Amend, now_ms: int) -> None:
        change = command.amendment
        market = self.markets[command.symbol]
        order = market.orders.get(change.client_order_id)
        refusal = "order_not_open" if order is None else self._amend_refusal(market, order, change)
        if order is None or refusal is not None:
            self.events.append(ev.AmendRejected(now_ms, change.client_order_id, refusal or ""))
            return
        self.change(market, order, change, now_ms)

    def change(self, market: VenueMarket, order: VenueOrder, change: Amendment, now_ms: int) -> None:
        """Give an open order other numbers without asking; what the price has passed then trades at once."""
        is_waiting = order in market.pending
        market.unrest(order)
        self._reserve(market, order, order.filled - order.quantity)
        if change.price is not None:
            order.price, order.level = change.price, float(change.price)
        order.quantity = order.quantity if change.quantity is None else change.quantity
        self._reprice_reserve(market, order)
        self._reserve(market, order, order.quantity - order.filled)
        self.events.append(ev.OrderAmended(now_ms, change.client_order_id, order.price, order.quantity))
        if not is_waiting:
            self._admit(market, order, now_ms)

    def _amend_refusal(self, market: VenueMarket, order: VenueOrder, change: Any) -> str | None:
        request = order.request
        if change.quantity is not None and change.quantity <= order.filled:
            return "quantity_already_filled"
        if change.price is None or (request.type is LIMIT and not request.post_only):
            return None
        if market.is_beyond(request.side, request.type, float(change.price)):
            return "would_trigger"
        return None

    def _reprice_reserve(self, market: VenueMarket, order: VenueOrder) -> None:
        if order.request.type is LIMIT and order.price is not None:
            fees = ZERO if market.is_linear else market.instrument.taker_fee_ratio
            order.unit_reserve = order.price * (ONE + fees)

    # -- watches, leverage, funding, liquidation ----------------------------------------------------------------

    def _watch(self, command: cmd.Watch, now_ms: int) -> None:
        market = self.markets[command.symbol]
        owner, name, is_above = command.owner, command.name, command.is_above
        item = market.watches.pop((owner, name), None)
        if item is not None:
            market.unrest(item)
        level, price = float(command.price), market.price
        if price >= level if is_above else price <= level:
            self.events.append(ev.WatchCrossed(now_ms, owner, name, price))
            return
        market.watches[owner, name] = item = item or VenueWatch(owner, name)
        market.wait(item, level, WATCH_RANK, is_above=is_above)

    def _unwatch(self, command: cmd.Unwatch, now_ms: int) -> None:  # noqa: ARG002
        market = self.markets[command.symbol]
        item = market.watches.pop((command.owner, command.name), None)
        if item is not None:
            market.unrest(item)

    def _set_leverage(self, command: cmd.SetLeverage, now_ms: int) -> None:  # noqa: ARG002
        market = self.markets[command.symbol]
        market.leverage = command.leverage
        self._refresh_margin(market)

    def settle_funding(self, symbol: str, rate: Decimal, now_ms: int) -> None:
        """Charge funding on the position held now, at the last price."""
        market = self.markets[symbol]
        if not market.position.quantity:
            return
        amount = funding_payment(market.position.quantity, market.last_price(), rate)
        self.flow += amount
        self.events.append(ev.FundingPaid(now_ms, symbol, amount))

    def _refresh_liquidation(self, market: VenueMarket) -> None:
        level = market.liquidation
        market.unrest(level)
        position = market.position
        if not position.quantity:
            return
        is_long = position.quantity > ZERO
        maintenance = market.instrument.maintenance_margin_ratio
        price = liquidation_price(position.average_price, market.leverage, maintenance, is_long=is_long)
        if price > ZERO:
            market.wait(level, float(price), WATCH_RANK, is_above=not is_long)

    def _liquidate(self, market: VenueMarket, now_ms: int) -> None:
        """Take the position over at the bankruptcy price and cancel what rests in the market."""
        for order_id, order in list(market.orders.items()):
            del market.orders[order_id]
            self._drop(market, order)
            self.events.append(ev.OrderCanceled(now_ms, order_id, order.filled, "liquidation"))
        position = market.position
        quantity = position.quantity
        is_long = quantity > ZERO
        bankrupt = bankruptcy_price(position.average_price, market.leverage, is_long=is_long)
        price = market.instrument.stop_price(SELL if is_long else BUY, bankrupt)
        self._book_fill(market, -quantity, price, ZERO)
        self._trades += 1
        self.events.append(
            ev.OrderFilled(
                now_ms,
                "",
                f"liquidation-{self._trades}",
                market.instrument.symbol,
                SELL if is_long else BUY,
                price,
                abs(quantity),
                ZERO,
                TAKER,
            )
        )

    def equity(self) -> Decimal:
        """Equity at the last prices, in quote currency."""
        held = (m.position.quantity * m.last_price() for m in self.markets.values() if m.position.quantity)
        return self.flow + sum(held, ZERO)


def _is_passed(request: OrderRequest, last: Decimal) -> bool:
    """Whether the stop that travels with an order would be triggered by the price that the order trades at."""
    stop, base = request.attached_stop, request.price or last
    assert stop is not None
    if request.side is BUY:
        return stop.price >= (min(base, last) if request.type is LIMIT else base)
    return stop.price <= (max(base, last) if request.type is LIMIT else base)


__all__ = ["Liquidation", "SimulatedExchange"]

"""One path for start, reconnection and the periodic pass: what the account is by reads, against what we hold."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from attrs import define, field, frozen

from traderagent_core.account.state import Order
from traderagent_core.contract.exchange_adapter import ExchangeAdapter
from traderagent_core.contract.venue_facts import Balance, OrderReport, PositionReport
from traderagent_core.engine.desk import NOT_TAKEN
from traderagent_core.engine.engine import Engine
from traderagent_core.model import event as ev
from traderagent_core.model.instrument import Instrument, Market
from traderagent_core.model.order import Liquidity, Purpose, Side
from traderagent_core.model.remembered import forget_oldest

OVERLAP_MS = 600_000
"""Executions are read again from so long before the last completed read."""

APART_MS = 2_000
"""A position has to differ at two reads so far apart before the ledgers are adjusted to it."""

REMEMBERED_FUNDING = 10_000
"""Settlements kept to recognise what is told twice."""

FEES_RATIO = Decimal("0.01")
"""Share of a spot holding that fees taken in its own currency may have cost, and that nobody is told of."""


@frozen
class Reads:
    """What the venue has told in one pass. `known` were our live orders before the first read, and
    `held` what the ledgers held.

    `skew_ms` is how far its clock is ahead of ours at least. `balances` are read where a bot trades on spot.
    """

    time_ms: int
    skew_ms: int
    known: frozenset[str]
    held: Mapping[str, Decimal]
    orders: Mapping[str, OrderReport]
    fills: tuple[ev.OrderFilled, ...]
    funding: tuple[ev.FundingPaid, ...]
    positions: tuple[PositionReport, ...]
    balances: Mapping[str, Balance]


async def read_account(adapter: ExchangeAdapter, engine: Engine, since_ms: int) -> Reads:
    """Read positions first, then orders, executions and funding; raises ExchangeError when any read fails."""
    known = frozenset(engine.account.orders)
    held = dict(engine.account.net)
    before_ms = adapter.clock.now_ms()
    time_ms = await adapter.server_time()
    skew_ms = _skew_ms(before_ms, time_ms, adapter.clock.now_ms())
    positions = tuple(await adapter.positions())
    orders = {report.client_order_id: report for report in await adapter.open_orders()}
    fills = tuple(await adapter.executions(since_ms))
    funding = tuple(await adapter.funding_paid(since_ms)) if adapter.capabilities.has_funding else ()
    has_spot = any(each.instrument.market is Market.SPOT for each in engine.members.values())
    balances = await adapter.balances() if has_spot else {}
    return Reads(time_ms, skew_ms, known, held, orders, fills, funding, positions, balances)


def _skew_ms(before_ms: int, venue_ms: int, after_ms: int) -> int:
    """How far a clock that was read between two of our times is off for certain: 0 while it lies between them."""
    return max(venue_ms - after_ms, 0) or min(venue_ms - before_ms, 0)


@define(eq=False)
class Reconciler:
    """Says which events bring the engine in line with a read, and what has to be looked for or taken back."""

    engine: Engine
    funded: dict[tuple[str, int], None]
    _suspected: dict[str, tuple[Decimal, int]] = field(factory=dict)

    def missed(self, reads: Reads) -> Iterator[ev.Event]:
        """Executions and funding that nobody has told us, oldest first. Step with each before asking for the next."""
        symbols = {member.symbol for member in self.engine.members.values()}
        for fill in sorted(reads.fills, key=lambda each: each.time_ms):
            if fill.symbol in symbols and fill.trade_id not in self.engine.account.seen_trades:
                yield fill
        for paid in reads.funding:
            if paid.symbol in symbols and self.is_new_funding(paid):
                yield paid

    def is_new_funding(self, paid: ev.FundingPaid) -> bool:
        """Whether a settlement has not been booked; it counts as booked from now on."""
        key = (paid.symbol, paid.time_ms)
        is_new = key not in self.funded
        self.funded[key] = None
        forget_oldest(self.funded, REMEMBERED_FUNDING)
        return is_new

    def orders(self, reads: Reads) -> Iterator[tuple[Order, OrderReport | None]]:
        """Our orders that were live before the read and still are, stops first, each with the venue's word on it."""
        live = [order for key, order in self.engine.account.orders.items() if key in reads.known]
        live.sort(key=lambda order: order.purpose is not Purpose.STOP_LOSS)
        for order in live:
            yield order, reads.orders.get(order.client_order_id)

    def strays(self, reads: Reads) -> Iterator[tuple[str, OrderReport]]:
        """Live orders that bear the prefix of a bot of ours and that we know nothing of, with the bot's name."""
        account = self.engine.account
        for order_id, report in reads.orders.items():
            if order_id in account.orders or order_id in reads.known:
                continue
            for member in self.engine.members.values():
                if order_id.startswith(member.prefix):
                    closed = account.closed_orders.get(order_id)
                    if closed is None or closed.status in NOT_TAKEN:
                        yield member.name, report

    def moved(self, reads: Reads) -> frozenset[str]:
        """Symbols that were traded while they were read: what was read of the position may be of before or after.

        To be asked before anything of these reads is booked.
        """
        symbols = {member.symbol for member in self.engine.members.values()}
        net = self.engine.account.net_quantity
        told = {symbol for symbol in symbols if net(symbol) != reads.held.get(symbol, Decimal(0))}
        return frozenset(told | {fill.symbol for fill in reads.fills if fill.time_ms >= reads.time_ms})

    def adjustments(self, reads: Reads, moved: frozenset[str]) -> Iterator[ev.OrderFilled]:
        """What the house ledger has to take so that it equals the venue; only what differs twice, and at rest.

        Linear positions are compared as they are. On spot the account may hold more than ours, which is somebody's
        own; it must not hold less, but for what fees in the base currency may have taken.
        """
        found: dict[str, tuple[Decimal, Decimal]] = {}
        for report in reads.positions:
            quantity, _ = found.get(report.symbol, (Decimal(0), Decimal(0)))
            found[report.symbol] = (quantity + report.quantity, report.entry_price)
        for instrument in {each.symbol: each.instrument for each in self.engine.members.values()}.values():
            symbol = instrument.symbol
            if symbol in moved or self._has_unlisted(symbol, reads):
                continue
            if instrument.market is Market.LINEAR:
                quantity, price = found.get(symbol, (Decimal(0), Decimal(0)))
                missing = quantity - self.engine.account.net_quantity(symbol)
            else:
                missing, price = self._lack(instrument, reads), Decimal(0)
            if self._is_certain(symbol, missing, reads.time_ms):
                yield _adjustment(symbol, missing, price, reads.time_ms, self.engine)

    def _has_unlisted(self, symbol: str, reads: Reads) -> bool:
        """Whether a live order of ours is in no list: it may have traded, and its executions be on their way."""
        return any(
            order.symbol == symbol and key not in reads.orders and not self.engine.stops.is_travelling(key)
            for key, order in self.engine.account.orders.items()
        )

    def _lack(self, instrument: Instrument, reads: Reads) -> Decimal:
        """What the account holds less of a currency than the ledgers say; 0 or negative."""
        held = self.engine.account.net_quantity(instrument.symbol)
        balance = reads.balances.get(instrument.base)
        lack = (Decimal(0) if balance is None else balance.total) - held
        tolerated = max(held * FEES_RATIO, instrument.lot_size)
        return lack if lack < -tolerated else Decimal(0)

    @property
    def suspected(self) -> frozenset[str]:
        """Symbols whose position differed at the last read, so that another one is due soon."""
        return frozenset(self._suspected)

    def _is_certain(self, symbol: str, missing: Decimal, now_ms: int) -> bool:
        if not missing:
            self._suspected.pop(symbol, None)
            return False
        before, since_ms = self._suspected.get(symbol, (None, now_ms))
        if before == missing and now_ms - since_ms >= APART_MS:
            del self._suspected[symbol]
            return True
        self._suspected[symbol] = (missing, since_ms if before == missing else now_ms)
        return False


def _adjustment(
    symbol: str, quantity: Decimal, price: Decimal, now_ms: int, engine: Engine
) -> ev.OrderFilled:
    side = Side.BUY if quantity > 0 else Side.SELL
    name = f"adjustment-{symbol}-{now_ms}"
    at = price or engine.view.price(symbol)
    return ev.OrderFilled(now_ms, name, name, symbol, side, at, abs(quantity), Decimal(0), Liquidity.TAKER)

"""Trades: which fill closed which. A counter closes its own opening; an exit closes whatever is open."""

from decimal import Decimal

from attrs import Factory, define

from traderagent_core.model.order import Side
from traderagent_core.simulator.outcome import TradeRow

ZERO = Decimal(0)
TINY = Decimal("1e-12")
"""Shares of costs and fees are rounded to this; what remains keeps the rest, so that parts add up exactly."""
BUY = Side.BUY


@define(eq=False)
class Lot:
    """Something opened and not yet closed: a signed quantity with what it cost and the fees paid for it."""

    bot: str
    symbol: str
    slot: str
    side: Side
    opened_ms: int
    quantity: Decimal = ZERO
    notional: Decimal = ZERO
    fees: Decimal = ZERO
    only_price: Decimal | None = None

    def add(self, price: Decimal, quantity: Decimal, fee: Decimal) -> None:
        """Take in a fill."""
        if not self.quantity:
            self.quantity, self.notional, self.fees = quantity, price * quantity, fee
            self.only_price = price
            return
        if price != self.only_price:
            self.only_price = None
        self.quantity += quantity
        self.notional += price * quantity
        self.fees += fee

    @property
    def price(self) -> Decimal:
        """Average price of the fills."""
        return self.notional / self.quantity if self.only_price is None else self.only_price

    @property
    def signed(self) -> Decimal:
        """Quantity, negative when short."""
        return self.quantity if self.side is BUY else -self.quantity

    def split(self, quantity: Decimal) -> "Lot":
        """Take a part out of the lot; the parts add up to it exactly."""
        part = Lot(self.bot, self.symbol, self.slot, self.side, self.opened_ms, quantity)
        part.only_price = self.only_price
        part.notional = (self.notional * quantity / self.quantity).quantize(TINY)
        part.fees = (self.fees * quantity / self.quantity).quantize(TINY)
        self.quantity -= quantity
        self.notional -= part.notional
        self.fees -= part.fees
        return part


@define(eq=False)
class TradeBook:
    """Open lots by bot, and the trades that closed lots have become."""

    rows: list[TradeRow] = Factory(list)
    lots: dict[str, dict[int, Lot]] = Factory(dict)

    def open(self, bot: str, symbol: str, slot: str, time_ms: int, side: Side) -> Lot:
        """Begin a lot."""
        lot = Lot(bot, symbol, slot, side, time_ms)
        self.lots.setdefault(bot, {})[id(lot)] = lot
        return lot

    def holds(self, lot: Lot) -> bool:
        """Whether a lot is still open; an exit may have closed it."""
        return id(lot) in self.lots.get(lot.bot, ())

    def _part(self, lot: Lot, quantity: Decimal) -> Lot:
        if lot.quantity > quantity:
            return lot.split(quantity)
        return self.lots[lot.bot].pop(id(lot))

    def cycle(self, opening: Lot, closing: Lot, time_ms: int) -> None:
        """A counter has closed its own opening, or as much of it as is still open; what is left stays open."""
        if not (self.holds(opening) and self.holds(closing)):
            return
        quantity = min(opening.quantity, closing.quantity)
        opening, closing = self._part(opening, quantity), self._part(closing, quantity)
        gain = closing.notional - opening.notional
        is_long = opening.side is BUY
        self.rows.append(
            TradeRow(
                opening.bot,
                opening.symbol,
                "cycle",
                opening.slot,
                "LONG" if is_long else "SHORT",
                opening.opened_ms,
                time_ms,
                opening.quantity,
                opening.price,
                closing.price,
                gain if is_long else -gain,
                opening.fees + closing.fees,
            )
        )

    def hand_over(self, bot: str, heir: str) -> None:
        """What a bot has opened is the other one's to close; the trade is his who closes it."""
        lots = self.lots.pop(bot, {})
        for lot in lots.values():
            lot.bot = heir
        self.lots.setdefault(heir, {}).update(lots)

    def exit(
        self,
        bot: str,
        symbol: str,
        slot: str,
        time_ms: int,
        side: Side,
        price: Decimal,
        quantity: Decimal,
        fee: Decimal,
    ) -> None:
        """A fill that closes whatever is open, oldest first; all of it when it brings the bot to flat.

        What finds nothing to close is open from now on.
        """
        closed, rest = self._take(bot, side, quantity)
        if rest:
            share = fee if rest == quantity else (fee * rest / quantity).quantize(TINY)
            self.open(bot, symbol, slot, time_ms, side).add(price, rest, share)
            fee -= share
        signed, cost, opened_ms = ZERO, ZERO, time_ms
        for lot in closed:
            is_long = lot.side is BUY
            signed += lot.quantity if is_long else -lot.quantity
            cost += lot.notional if is_long else -lot.notional
            fee += lot.fees
            opened_ms = min(opened_ms, lot.opened_ms)
        if not signed:
            return
        self.rows.append(
            TradeRow(
                bot,
                symbol,
                "exit",
                slot,
                "LONG" if signed > ZERO else "SHORT",
                opened_ms,
                time_ms,
                abs(signed),
                cost / signed,
                price,
                signed * price - cost,
                fee,
            )
        )

    def _take(self, bot: str, side: Side, quantity: Decimal) -> tuple[list[Lot], Decimal]:
        """Lots that a fill closes, and how much of the fill is left over."""
        lots = self.lots.get(bot, {})
        net = ZERO
        for lot in lots.values():
            net += lot.quantity if lot.side is BUY else -lot.quantity
        if net == (-quantity if side is BUY else quantity):
            taken = list(lots.values())
            lots.clear()
            return taken, ZERO
        taken = []
        for lot in [lot for lot in lots.values() if lot.side is not side]:
            part = self._part(lot, min(lot.quantity, quantity))
            taken.append(part)
            quantity -= part.quantity
            if not quantity:
                break
        return taken, quantity

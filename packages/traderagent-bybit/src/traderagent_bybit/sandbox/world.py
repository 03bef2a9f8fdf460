"""The world of a sandbox: tapes, accounts, and one virtual time that they share. Synchronous, no I/O."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from attrs import field, frozen
from traderagent_core import Candles, FundingRates
from traderagent_core.model.position import money_context

from traderagent_bybit.codes import BybitError
from traderagent_bybit.sandbox import changing, placing, positions, protection, wallet
from traderagent_bybit.sandbox.account import Account, LegState, SymbolState
from traderagent_bybit.sandbox.contracts import Contract
from traderagent_bybit.sandbox.messages import settle
from traderagent_bybit.sandbox.numbers import ZERO
from traderagent_bybit.sandbox.tape import Place, Tape
from traderagent_bybit.sandbox.walker import FUNDING_PHASE, OPEN_PHASE, VENUE_PHASE, Moment

Operation = Callable[[Account, Mapping[str, Any]], dict[str, Any]]
OPERATIONS: dict[str, Operation] = {
    "create": placing.create,
    "amend": changing.amend,
    "cancel": changing.cancel,
    "cancel-all": changing.cancel_all,
    "trading-stop": protection.trading_stop,
    "set-leverage": positions.set_leverage,
    "switch-mode": positions.switch_mode,
    "set-limit-px-action": positions.set_price_action,
    "demo-apply-money": wallet.apply_money,
}
"""What changes an account. Everything else is a read."""

NEVER: Moment = (2**62, 0)


@frozen
class AccountSpec:
    """An account to open: the keys of its owner and its balance in USDT."""

    name: str
    key: str
    secret: str = field(repr=False)
    balance: Decimal = Decimal(100_000)


@frozen
class Listing:
    """A contract with its market: candles, and funding rates where there are any."""

    contract: Contract
    candles: Candles
    funding: FundingRates | None = None


class World:
    """Accounts over shared tapes. The same calls at the same times give the same world, whatever lies between."""

    def __init__(
        self,
        listings: Iterable[Listing],
        accounts: Iterable[AccountSpec],
        *,
        start_ms: int,
        seed: int = 0,
        funding_rate: Decimal = Decimal("0.0001"),
    ) -> None:
        self.listings = {listing.contract.symbol: listing for listing in listings}
        self.tapes = {
            symbol: (listing.contract, Tape(listing.candles, listing.contract.instrument))
            for symbol, listing in self.listings.items()
        }
        self.accounts = {spec.name: Account(spec.name, self.tapes, spec.balance, seed) for spec in accounts}
        self.funding_rate = funding_rate
        self.now_ms = start_ms
        self._funded_ms = start_ms
        self._arrive(start_ms)

    # -- requests -------------------------------------------------------------------------------------------

    def apply(self, account: str, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Let an account do something now; raises BybitError when it is refused."""
        owner = self.accounts[account]
        with money_context():
            try:
                return OPERATIONS[operation](owner, body)
            finally:
                settle(owner)

    # -- time -----------------------------------------------------------------------------------------------

    def advance(self, to_ms: int, *, stops_at_events: bool = False) -> bool:
        """Let time pass up to `to_ms`, or to the first time at which something happens in an account.

        Returns whether something happened.
        """
        has_happened = False
        with money_context():
            while True:
                moment, happen = self._next(to_ms)
                if moment > (to_ms, OPEN_PHASE - 1) or (
                    has_happened and stops_at_events and moment[0] > self.now_ms
                ):
                    break
                self.now_ms = moment[0]
                has_happened = happen() or has_happened
        if not (has_happened and stops_at_events):
            self._arrive(to_ms)
        else:
            self._arrive(self.now_ms)
        return has_happened

    def next_moment(self, to_ms: int) -> Moment | None:
        """Time and phase of the next thing that happens, if that is not after `to_ms`."""
        with money_context():
            moment = self._next(to_ms)[0]
        return None if moment[0] > to_ms else moment

    def step(self, to_ms: int) -> None:
        """Let the next thing happen that `next_moment` tells of, and nothing else of its time."""
        with money_context():
            moment, happen = self._next(to_ms)
            if moment[0] <= to_ms:
                self.now_ms = moment[0]
                happen()
                self._arrive(moment[0])

    def trade(self, symbol: str, price: float) -> bool:
        """Let the market go to a price within one candle, whatever the data had to come; see `advance`."""
        return self.advance(self.tapes[symbol][1].trade(self.now_ms, price))

    def _arrive(self, time_ms: int) -> None:
        self.now_ms = time_ms
        for account in self.accounts.values():
            account.now_ms = time_ms
            for state in account.symbols.values():
                state.seek(state.tape.place(time_ms))

    def _next(self, to_ms: int) -> tuple[Moment, Callable[[], bool]]:
        """What happens next. At one time: what waits at the venue, then trailing stops, then funding."""
        best: tuple[Moment, int] = (NEVER, 0)
        happen: Callable[[], bool] = bool
        for account in self.accounts.values():
            for leg in account.legs.values():
                moment = leg.walker.peek(to_ms)
                if moment is not None and (moment, 0) < best:
                    best, happen = (moment, 0), _Hit(account, leg, moment[0])
            for state in account.symbols.values():
                turn = self._next_turn(account, state)
                if turn is not None and (turn[0], 1) < best:
                    best, happen = (turn[0], 1), _Turn(account, state, turn[1])
        funding = (next_funding_ms(self._funded_ms), FUNDING_PHASE)
        if (funding, 2) < best and funding[0] <= to_ms:
            return funding, lambda: self._settle_funding(funding[0])
        return best[0], happen

    def _next_turn(self, account: Account, state: SymbolState) -> tuple[Moment, Place] | None:
        if not protection.is_following(account, state):
            return None
        here = min(leg.walker.place for leg in state.active_legs())
        place = state.tape.next_turn(here)
        if place is None:
            return None
        time_ms = state.tape.time_ms(place)
        is_open = time_ms == state.tape.open_ms(place.candle)
        return (time_ms, OPEN_PHASE if is_open else VENUE_PHASE), place

    def _settle_funding(self, time_ms: int) -> bool:
        has_happened = False
        self._funded_ms = time_ms
        for account in self.accounts.values():
            account.now_ms = time_ms
            for name, leg in account.legs.items():
                if not leg.quantity:
                    continue
                account.symbols[leg.contract.symbol].seek(leg.walker.tape.place(time_ms))
                rate = self.rate_at(leg.contract.symbol, time_ms)
                account.exchange.settle_funding(name, rate, time_ms)
                has_happened = True
            settle(account)
        return has_happened

    def rate_at(self, symbol: str, time_ms: int) -> Decimal:
        """The funding rate that is settled at a time."""
        rates = self.listings[symbol].funding
        if rates is None:
            return self.funding_rate
        index = int(np.searchsorted(rates.time_ms, time_ms, "right")) - 1
        return Decimal(repr(float(rates.rate[index]))) if index >= 0 else ZERO


FUNDING_MS = 8 * 3_600_000


def next_funding_ms(time_ms: int) -> int:
    """The next settlement after a time: 00:00, 08:00 and 16:00 UTC."""
    return (time_ms // FUNDING_MS + 1) * FUNDING_MS


@frozen
class _Hit:
    account: Account
    leg: LegState
    time_ms: int

    def __call__(self) -> bool:
        self.account.now_ms = self.time_ms
        self.leg.walker.take()
        told = len(self.account.outbox)
        settle(self.account)
        return len(self.account.outbox) > told


@frozen
class _Turn:
    account: Account
    state: SymbolState
    place: Place

    def __call__(self) -> bool:
        self.account.now_ms = self.state.tape.time_ms(self.place)
        self.state.seek(self.place)
        protection.follow(self.account, self.state)
        settle(self.account)
        return False


__all__ = ["OPERATIONS", "AccountSpec", "BybitError", "Listing", "World", "next_funding_ms"]

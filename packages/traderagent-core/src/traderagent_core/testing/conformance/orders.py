"""Cases about what is asked for: valid orders, large enough, not too many, within the budget, when there are data."""

import re
from collections.abc import Sequence
from decimal import Decimal, localcontext

import numpy as np
from attrs import evolve

from traderagent_core.account.account import Account
from traderagent_core.account.reasons import BELOW_MINIMUM
from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument
from traderagent_core.model.position import MONEY
from traderagent_core.testing.comparing import refuse
from traderagent_core.testing.conformance.base import Kit
from traderagent_core.testing.conformance.subjects import Subject
from traderagent_core.testing.faulty_exchanges import Asked
from traderagent_core.testing.run import Run

ID_PATTERN = re.compile(r"^[A-Za-z0-9_-]{1,36}$")
"""What every venue takes as a client order id."""

TOLERANCE = Decimal("1.05")
"""Fills at better or worse prices and realised gains may move what is committed a little above the budget."""


class Orders(Kit):
    """Every order could be sent to a real venue."""

    def test_orders_keep_the_contract(self, subject: Subject) -> None:
        """Prices are positive and on the tick, quantities positive and on the lot, ids short, orders not too many.

        Mend: compute prices and quantities with Decimal and refuse to trade on nan; the engine rounds. Raise
        `max_orders_per_candle` of the test class if so many orders are meant.
        """
        for name in self.markets(subject):
            run = self.usual(subject, name)
            for asked in run.exchange.asked:
                problem = _order_problem(asked, subject.instrument)
                if problem is not None:
                    refuse(
                        expected=f"an order that a venue can take, on the {name} market",
                        found=f"{problem}: {asked.request}",
                        mend="compute prices and quantities with Decimal and check them before you ask",
                    )
            self.require_few_orders(run, f"the {name} market")

    def require_few_orders(self, run: Run, where: str) -> None:
        """Refuse a run with more than `max_orders_per_candle` orders on average."""
        count, rows = len(run.exchange.asked), len(run.bots[0].candles)
        if count > self.max_orders_per_candle * rows:
            refuse(
                expected=f"at most {self.max_orders_per_candle} orders a candle on average, on {where}",
                found=f"{count} orders on {rows} candles",
                mend="do not answer every piece of news with new orders; or raise max_orders_per_candle",
            )

    def test_nothing_is_sent_below_the_minimum(self, subject: Subject) -> None:
        """Where the venue's minimums are high, `check` says so, or plans are refused; nothing too small is sent.

        Mend: let `check` compare the smallest order with `instrument.size_problem` and return a fatal Problem; exit
        with `context.exit` or with what the position holds, never with a fixed small quantity.
        """
        candles = self.busiest(subject).bots[0].candles
        for instrument in self._strict_instruments(subject):
            run = self.run(evolve(subject, instrument=instrument), candles)
            for asked in run.exchange.asked:
                problem = _size_problem(asked, instrument)
                if problem is not None:
                    refuse(
                        expected=f"no order below the minimums of {_minimums(instrument)}",
                        found=f"{problem}: {asked.request}",
                        mend="trade what the position holds, or nothing; ask instrument.size_problem",
                    )
            self._require_foresight(subject, instrument, run, candles)

    def _strict_instruments(self, subject: Subject) -> Sequence[Instrument]:
        instrument = subject.instrument
        notionals = [self.budget * Decimal(share) for share in ("0.002", "0.02", "0.2", "3")]
        lots = [self.budget / Decimal(str(self.price)) * Decimal(share) for share in ("0.03", "0.7", "7")]
        return [
            *(evolve(instrument, min_notional=notional) for notional in notionals),
            *(evolve(instrument, lot_size=Decimal(1).scaleb(lot.adjusted())) for lot in lots),
        ]

    def _require_foresight(
        self, subject: Subject, instrument: Instrument, run: Run, candles: Candles
    ) -> None:
        """A bot that could never trade must not be started: `check` has to know."""
        is_too_small = any(BELOW_MINIMUM in record for record in run.of("plan_rejected"))
        if not is_too_small or run.exchange.asked:
            return
        price = Decimal(str(float(candles.close[0])))
        problems = self.strategy_class.check(subject.config, instrument, price, self.buying_power)
        if not any(problem.is_fatal for problem in problems):
            refuse(
                expected=f"a fatal Problem from check() for {_minimums(instrument)}",
                found=f"{list(problems)}, but every plan is refused as {BELOW_MINIMUM}",
                mend="let check() compare the smallest order with instrument.size_problem",
            )

    def test_commits_no_more_than_the_budget(self, subject: Subject) -> None:
        """What is held, at its cost, and what open orders would add stays within budget × leverage.

        Mend: size plans from `context.budget`, and withdraw the old plan before you ask for another.
        """
        for name in self.markets(subject):
            self.require_within_budget(self.usual(subject, name), f"the {name} market")

    def require_within_budget(self, run: Run, where: str) -> None:
        """Refuse a run that commits more than its bot may."""
        bot = run.bots[0]
        limit = bot.budget * bot.leverage * TOLERANCE
        time_ms, most = _most_committed(run, bot.name)
        if most > limit:
            refuse(
                expected=f"at most {bot.budget} × {bot.leverage} (+ 5 %) committed, on {where}",
                found=f"{most:.2f} at {time_ms} ms",
                mend="size plans from context.budget; withdraw the old plan before you ask for another",
            )

    def test_trades_only_when_there_are_data(self, subject: Subject) -> None:
        """With holes in the candles no callback raises and no order is sent inside a hole.

        Mend: when a timer comes, compare `context.view.last(…)` with `context.now_ms` before you act.
        """
        run = self.usual(subject, "gappy")
        candles = run.bots[0].candles
        for asked in run.exchange.asked:
            index = int(np.searchsorted(candles.open_time, asked.time_ms, side="right")) - 1
            # Until the next candle would have closed nobody can know that it is missing.
            if asked.time_ms >= int(candles.open_time[index]) + 2 * candles.duration_ms:
                refuse(
                    expected="no order inside a hole in the candles, where the last price is stale",
                    found=f"{asked.request} at {asked.time_ms} ms",
                    mend="compare the last candle's time with context.now_ms before you act on a timer",
                )

    def test_survives_bad_markets(self, subject: Subject) -> None:
        """A crash, a long fall, a long rise and a market that stands still: no callback raises.

        Mend: allow for a range of zero, for levels that are far away, and for stops that have just closed everything.
        """
        for name in self.markets(subject):
            self.usual(subject, name)


def _order_problem(asked: Asked, instrument: Instrument) -> str | None:
    request = asked.request
    for what, number, step in (
        ("price", request.price, instrument.tick_size),
        ("quantity", request.quantity, instrument.lot_size),
    ):
        if number is None:
            continue
        if not number.is_finite() or number <= 0:
            return f"{what} {number} is not a positive number"
        if number % step:
            return f"{what} {number} is not a multiple of {step}"
    if not ID_PATTERN.match(request.client_order_id):
        return f"the id {request.client_order_id!r} is not 1 to 36 of A-Z, a-z, 0-9, _ and -"
    return None


def _size_problem(asked: Asked, instrument: Instrument) -> str | None:
    """Why a venue would refuse the size; orders that can only close have no minimum."""
    request = asked.request
    if request.reduce_only or request.closes_position:
        return None
    return instrument.size_problem(request.quantity, request.price or asked.last_price)


def _minimums(instrument: Instrument) -> str:
    return f"notional {instrument.min_notional}, lot {instrument.lot_size}"


def _most_committed(run: Run, bot: str) -> tuple[int, Decimal]:
    """Folds the records again and finds the most that a bot has committed: (time, quote currency)."""
    account = Account()
    most, at_ms = Decimal(0), 0
    with localcontext(MONEY):
        for record in run.records:
            account.fold([record])
            if record[0] not in ("order_submitted", "filled", "ledger_handed_over"):
                continue
            ledger = account.ledger(bot, run.bots[0].instrument.symbol)
            cost = ledger.position.cost
            committed = max(cost + ledger.open_buys, ledger.open_sells - cost)
            if committed > most:
                most, at_ms = committed, record[1]
    return at_ms, most

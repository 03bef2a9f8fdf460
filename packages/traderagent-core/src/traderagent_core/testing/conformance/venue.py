"""Cases about venues that behave badly: fills in parts, refusals, news told twice or late."""

from functools import partial

from traderagent_core.testing.comparing import (
    ledgers,
    open_wants,
    refuse,
    require_same_lines,
    traded,
)
from traderagent_core.testing.conditions import Conditions
from traderagent_core.testing.conformance.orders import Orders
from traderagent_core.testing.conformance.subjects import Subject
from traderagent_core.testing.faulty_exchanges import (
    OrderStormError,
    RejectingExchange,
    RepeatingExchange,
    SplittingExchange,
)
from traderagent_core.testing.run import Run

LATENCY_MS = 1_500


class Venue(Orders):
    """How the venue tells its news must not matter; what it refuses must not hurt."""

    def test_split_fills_end_the_same(self, subject: Subject) -> None:
        """However the fills of an order are split, the same wants trade and the same ledgers are left.

        Mend: act on a fill when `is_complete`, or in proportion to `fill.quantity`; never take a part for the whole.
        """
        whole = self.busiest(subject)
        for seed in (1, 2):
            split = self.again(whole, Conditions(exchange=partial(SplittingExchange, seed=seed)))
            _require_same_end(
                whole,
                split,
                what="the same trades when fills come in parts",
                mend="act on is_complete, or in proportion to fill.quantity",
            )

    def test_refused_orders_cause_no_storm(self, subject: Subject) -> None:
        """A venue that refuses orders for any reason meets patience: no exception, no flood, no half-open plan.

        Mend: the engine tries again by itself where that makes sense; in `on_order` note what happened, and wait
        for a candle or a timer before you ask for something new.
        """
        run = self.busiest(subject)
        for seed, share in ((1, 0.3), (2, 0.3), (3, 1.0)):
            conditions = Conditions(exchange=partial(RejectingExchange, seed=seed, share=share))
            try:
                refused = self.again(run, conditions)
            except OrderStormError as storm:
                refuse(
                    expected="no new order at the very moment at which the venue has refused one",
                    found=str(storm),
                    mend="do not ask again in on_order; wait for a candle or a timer",
                )
            self.require_few_orders(refused, f"a venue that refuses {share:.0%} of the orders")

    def test_news_told_twice_or_late_change_nothing(self, subject: Subject) -> None:
        """Fills, cancellations and refusals told twice, and acceptances told too late, lead to the same ledgers.

        Mend: rely on the ledger and on `is_complete`, not on counting news.
        """
        once = self.busiest(subject)
        _require_same_end(
            once,
            self.again(once, Conditions(exchange=RepeatingExchange)),
            what="the same trades when the venue repeats itself",
            mend="rely on context.position and is_complete instead of counting news",
        )

    def test_a_slow_venue_does_no_harm(self, subject: Subject) -> None:
        """With a second and a half on the way to the venue no callback raises and the books stay right.

        Mend: expect fills between asking and confirmation; a cancelled order may have traded.
        """
        self.again(self.busiest(subject), Conditions(latency_ms=LATENCY_MS))


def _require_same_end(expected: Run, found: Run, *, what: str, mend: str) -> None:
    for of in (traded, ledgers, open_wants):
        require_same_lines(of(expected), of(found), what=what, mend=mend)

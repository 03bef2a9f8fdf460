"""What the cases of the strategy kit share: markets to run a strategy on, and runs that are made once."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from traderagent_core.contract.strategy import Needs, Strategy
from traderagent_core.engine.setup import StopPlacement
from traderagent_core.model.candle import Candles
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.testing.comparing import books_problem, refuse
from traderagent_core.testing.conditions import GOOD, Bot, Conditions
from traderagent_core.testing.conformance.subjects import Examination, Subject
from traderagent_core.testing.harness import run_bots
from traderagent_core.testing.run import Run


class Kit(Examination):
    """Attributes and methods by which a plugin says what is to be examined; see StrategyConformance."""

    strategy_class: ClassVar[type[Strategy]]
    budget: ClassVar[Decimal] = Decimal(10_000)
    leverage: ClassVar[Decimal] = Decimal(1)
    stop_placement: ClassVar[StopPlacement] = "engine"
    max_orders_per_candle: ClassVar[int] = 40

    _runs: ClassVar[dict[tuple[str, str], Run]]

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        cls._runs = {}

    @property
    def buying_power(self) -> Decimal:
        """What `check` is given as budget: quote currency, leverage included."""
        return self.budget * self.leverage

    # -- running --------------------------------------------------------------------------------------------

    def needs(self, subject: Subject) -> Needs:
        """What the strategy needs under this configuration."""
        return self.strategy_class.needs(subject.config)

    def markets(self, subject: Subject) -> Mapping[str, Candles]:
        """The candles for a subject, with rows for warming up."""
        needs = self.needs(subject)
        ratio = timeframe_ms(needs.timeframe or self.timeframe) // timeframe_ms(self.timeframe)
        warm_up = max((indicator.warm_up for indicator in needs.indicators), default=0)
        return self.candles(subject.instrument, self.rows + (warm_up + needs.look_back) * ratio)

    def bot(self, subject: Subject, candles: Candles) -> Bot:
        """The subject as a bot on candles."""
        return Bot(
            self.strategy_class,
            subject.config,
            candles,
            subject.instrument,
            self.budget,
            self.leverage,
            stop_placement=self.stop_placement,
        )

    def run(self, subject: Subject, candles: Candles, conditions: Conditions = GOOD) -> Run:
        """One run in which no callback may raise and the books must be right."""
        return self.approve(run_bots([self.bot(subject, candles)], conditions))

    def approve(self, run: Run) -> Run:
        """Refuse a run in which a callback raised or the books are wrong."""
        if run.failures:
            _, time_ms, _, callback, error = run.failures[0]
            refuse(
                expected=f"{self.strategy_class.__name__}.{callback} returns",
                found=f"{error} at {time_ms} ms, and {len(run.failures) - 1} more failures",
                mend="run the strategy on this market with testing.harness.run_strategy and let the callback cope",
            )
        problem = books_problem(run)
        if problem is not None:
            refuse(
                expected="ledgers, wants and orders that agree with the venue at the end of a run",
                found=problem,
                mend="this is the engine's duty: report it with the strategy and the configuration",
            )
        return run

    def usual(self, subject: Subject, name: str) -> Run:
        """The run on a market under good conditions, made once."""
        key = (subject.label, name)
        if key not in self._runs:
            self._runs[key] = self.run(subject, self.markets(subject)[name])
        return self._runs[key]

    def busiest(self, subject: Subject) -> Run:
        """The usual run on the market on which the strategy trades most."""
        runs = (self.usual(subject, name) for name in self.markets(subject) if name not in ("flat", "gappy"))
        return max(runs, key=lambda run: (len(run.of("filled")), len(run.records)))

    def again(self, run: Run, conditions: Conditions) -> Run:
        """The same bots on the same candles under other conditions."""
        return self.approve(run_bots(run.bots, conditions))

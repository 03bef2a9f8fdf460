"""Cases about what a strategy declares: configuration, state, needs, candidates, problems."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from attrs import evolve

from traderagent_core.contract.state import check_state_class
from traderagent_core.contract.strategy import Needs, Problem, Wake
from traderagent_core.engine.codec import StateError, encode
from traderagent_core.errors import DataError
from traderagent_core.model.candle import Candles, FloatColumn
from traderagent_core.model.timeframe import timeframe_ms
from traderagent_core.testing.comparing import refuse
from traderagent_core.testing.conformance.base import Kit
from traderagent_core.testing.conformance.subjects import Configured, Subject


class Specification(Kit, Configured):
    """What is declared can be checked, shown and saved."""

    def test_state_can_be_saved(self, subject: Subject) -> None:
        """The state is one frozen attrs object with a schema_version, of values that can be saved.

        Mend: `@attrs.frozen class State: schema_version: int = 1 …`, set `state_class = State`, and change the
        state with `self.state = attrs.evolve(self.state, …)`.
        """
        problem = check_state_class(self.strategy_class)
        strategy = self.strategy_class(subject.config)
        if problem is None and type(strategy.state) is not strategy.state_class:
            problem = f"a new strategy has a {type(strategy.state).__name__} instead of its state_class"
        if problem is not None:
            refuse(
                expected="a frozen attrs class with a field schema_version",
                found=problem,
                mend="make the state_class with attrs.frozen and give every field a default",
            )
        try:
            encode(strategy.state)
        except StateError as error:
            refuse(
                expected="a state that can be saved", found=str(error), mend="keep only plain values in it"
            )

    def test_needs_are_sound(self, subject: Subject) -> None:
        """Timeframe, indicators and look-back are valid, and do not change from call to call.

        Mend: `needs` reads nothing but its argument and returns a Needs of hashable indicator declarations.
        """
        needs = self.needs(subject)
        problem = _needs_problem(needs, self.timeframe)
        if problem is None and needs != self.needs(subject):
            problem = "another answer at the second call"
        if problem is not None:
            refuse(
                expected="a Needs with valid values, the same at every call",
                found=problem,
                mend="let needs depend on the configuration only",
            )

    def test_candidates_are_a_column_of_truth_values(self, subject: Subject) -> None:
        """`candidates` gives one bool for each row and leaves the columns as they are.

        Mend: return an array of dtype bool and of the length of the columns; copy a column before changing it.
        """
        if self.needs(subject).wake is not Wake.CANDIDATES:
            return
        for name, candles in self.markets(subject).items():
            columns = columns_of(candles, self.needs(subject))
            try:
                mask = np.asarray(self.strategy_class.candidates(subject.config, columns))
            except Exception as error:
                refuse(
                    expected=f"candidates on the {name} market returns; its columns are read-only",
                    found=f"{type(error).__name__}: {error}",
                    mend="copy a column before you change it, and allow for nan while indicators warm up",
                )
            rows = len(columns["close"])
            if mask.dtype != bool or mask.shape != (rows,):
                refuse(
                    expected=f"a bool array of {rows} rows",
                    found=f"{mask.dtype} of shape {mask.shape}",
                    mend="return a comparison of columns such as `columns['close'] < columns['open']`",
                )

    def test_check_answers_with_problems(self, subject: Subject) -> None:
        """`check` says what speaks against starting, for any instrument, price and budget, and never raises.

        Mend: return a sequence of Problem, each with a message; a price or budget may be unreasonable.
        """
        price, power = Decimal(str(self.price)), self.buying_power
        for instrument in _instruments_around(subject):
            for at, budget in ((price, power), (price / 1000, power), (price * 1000, Decimal(1))):
                try:
                    problems: Any = self.strategy_class.check(subject.config, instrument, at, budget)
                except Exception as error:
                    problems = f"{type(error).__name__}: {error}"
                if not _are_problems(problems):
                    refuse(
                        expected=f"a sequence of Problem with messages at price {at} and budget {budget}",
                        found=repr(problems),
                        mend="return [Problem(message, remedy), …], empty when all is well",
                    )

    def test_trades_on_some_market(self, subject: Subject) -> None:
        """Something is bought or sold on one of the markets; otherwise the other cases would prove nothing.

        Mend: set `price`, `budget` or `configs` of the test class so that the strategy trades, or give your own
        markets with `candles()`.
        """
        fills = {name: len(self.usual(subject, name).of("filled")) for name in self.markets(subject)}
        if not any(fills.values()):
            rejected = self.busiest(subject).of("plan_rejected")
            refuse(
                expected="fills on at least one market",
                found=f"none on {', '.join(fills)}; the first refused plan: {rejected[0] if rejected else 'none'}",
                mend="set price, budget or configs so that the strategy trades, or override candles()",
            )


def columns_of(candles: Candles, needs: Needs) -> dict[str, FloatColumn]:
    """The read-only columns that `candidates` gets, of the timeframe that the strategy needs."""
    from traderagent_core.data.resampling import resample

    timeframe = needs.timeframe or candles.timeframe
    series = candles if timeframe == candles.timeframe else resample(candles, timeframe)
    columns = {name: np.array(getattr(series, name)) for name in ("open", "high", "low", "close", "volume")}
    columns |= {indicator.key: np.array(indicator.batch(series)) for indicator in needs.indicators}
    for column in columns.values():
        column.setflags(write=False)
    return columns


def _needs_problem(needs: Any, timeframe: str) -> str | None:
    if not isinstance(needs, Needs):
        return f"{needs!r}"
    try:
        ratio = timeframe_ms(needs.timeframe or timeframe) / timeframe_ms(timeframe)
        keys = {indicator.key for indicator in set(needs.indicators)}
    except (DataError, TypeError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"
    if ratio < 1 or ratio % 1:
        return f"timeframe {needs.timeframe}, which cannot be built from {timeframe}"
    if len(keys) != len(needs.indicators):
        return f"the same indicator twice: {', '.join(indicator.key for indicator in needs.indicators)}"
    return None


def _instruments_around(subject: Subject) -> list[Any]:
    instrument = subject.instrument
    return [
        instrument,
        evolve(instrument, min_notional=Decimal(1_000_000)),
        evolve(instrument, lot_size=Decimal(1_000), min_quantity=Decimal(1_000)),
        evolve(instrument, tick_size=Decimal(50)),
    ]


def _are_problems(problems: Any) -> bool:
    return isinstance(problems, Sequence) and all(
        isinstance(problem, Problem) and problem.message for problem in problems
    )

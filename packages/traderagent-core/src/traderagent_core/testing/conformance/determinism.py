"""Cases about determinism: the same events and the same configuration give the same records, everywhere."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from attrs import evolve

from traderagent_core.contract.strategy import Wake
from traderagent_core.testing.comparing import ledgers, refuse, require_same_lines
from traderagent_core.testing.conditions import GOOD, Bot, Conditions
from traderagent_core.testing.conformance.base import Kit
from traderagent_core.testing.conformance.specification import columns_of
from traderagent_core.testing.conformance.subjects import Subject
from traderagent_core.testing.fresh_process import NotImportableError, lines_in_fresh_process
from traderagent_core.testing.harness import run_bots
from traderagent_core.testing.outside_world import Watchman, other_world
from traderagent_core.testing.run import Run


class Determinism(Kit):
    """Nothing but events, configuration and code decides."""

    def test_same_events_give_the_same_records(self, subject: Subject) -> None:
        """Two runs write the same records byte for byte, whatever the global random generators say.

        Mend: draw no random numbers, and keep nothing in modules or classes from one run to the next.
        """
        first = self.busiest(subject)
        for seed in (1, 2):
            with other_world(seed):
                second = self.again(first, GOOD)
            require_same_lines(
                first.lines,
                second.lines,
                what="the same records in every run",
                mend="decide from events, context and state only: no random numbers, no globals, no addresses",
            )

    def test_reads_no_clock_no_chance_and_no_files(self, subject: Subject) -> None:
        """Callbacks call no clock, random generator, file, process, thread or network.

        Mend: read time from `context.now_ms`; everything else has to come with the configuration.
        """
        watchman = Watchman()
        run = self.busiest(subject)
        self.again(run, Conditions(around=watchman.around))
        with watchman.watching("needs"):
            needs = self.needs(subject)
        with watchman.watching("check"):
            price = Decimal(str(self.price))
            self.strategy_class.check(subject.config, subject.instrument, price, self.buying_power)
        if needs.wake is Wake.CANDIDATES:
            columns = columns_of(run.bots[0].candles, needs)
            with watchman.watching("candidates"):
                self.strategy_class.candidates(subject.config, columns)
        if watchman.seen:
            refuse(
                expected="callbacks that read nothing but context, configuration and state",
                found=f"{watchman.seen[0]}, and {len(watchman.seen) - 1} more such calls",
                mend="read time from context.now_ms; bring all else in with the configuration",
            )

    def test_another_process_gives_the_same_records(self) -> None:
        """A fresh interpreter in which sets are ordered otherwise writes the same records.

        Skipped when the strategy cannot be imported by name (a class in a test module).
        Mend: sort sets before walking through them; keep nothing in modules or classes.
        """
        runs = [self.busiest(subject) for subject in self.subjects()]
        try:
            found = lines_in_fresh_process([run.bots[0] for run in runs], hash_seed=4_711)
        except NotImportableError as error:
            pytest.skip(f"the strategy cannot be imported by name in another process: {error}")
        for run, lines in zip(runs, found, strict=True):
            require_same_lines(
                run.lines,
                lines,
                what="the same records in another process",
                mend="sort sets before walking through them; use no hash(), no id(), no module globals",
            )

    def test_bots_do_not_disturb_each_other(self, subject: Subject) -> None:
        """A bot trades the same whether or not another bot of the same strategy runs beside it.

        Mend: keep what you remember in `self.state`, never in a module, a class or a mutable default.
        """
        alone = self.busiest(subject)
        bot = alone.bots[0]
        both = self.approve(run_bots([bot, self._neighbour(subject, bot)]))
        for of in (_fills, ledgers):
            require_same_lines(
                _told(of, alone, bot),
                _told(of, both, bot),
                what="a bot that trades beside another one as it does alone",
                mend="keep what you remember in self.state, never in a module, a class or a mutable default",
            )

    def _neighbour(self, subject: Subject, bot: Bot) -> Bot:
        """The same configuration on another instrument and another market."""
        markets = self.markets(subject)
        candles = next(series for series in markets.values() if series is not bot.candles)
        symbol = f"OTHER/{subject.instrument.symbol.partition('/')[2]}"
        return evolve(
            bot,
            name="neighbour",
            candles=evolve(candles, symbol=symbol),
            instrument=evolve(bot.instrument, symbol=symbol),
        )


def _told(of: Callable[[Run, str], list[str]], run: Run, bot: Bot) -> list[str]:
    return of(run, bot.name)


def _fills(run: Run, bot: str) -> list[str]:
    """Fills of one bot without the venue's trade numbers, which count for all bots."""
    prefix = run.engine.members[bot].prefix
    return [
        repr((time_ms, order_id, *values[1:]))
        for _, time_ms, order_id, *values in run.of("filled")
        if order_id.startswith(prefix)
    ]

"""`traderagent faults`: deterministic fault simulation of many seeds or one; crashes at each step of scenarios."""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from traderagent_core.testing.faults.strategies import SCRIPTS

if TYPE_CHECKING:
    from traderagent_core.testing.faults.campaign import Subject, Tally
    from traderagent_core.testing.faults.run import Report

MOST_JOBS = 256
TOLD_EVERY = 100
MOST_FAILURES_SHOWN = 10
MOST_GROWTH = 0.05
SECOND_EVERY = 50
ROW = "{:<18} {:>6} {:>8} {:>8} {:>10} {:>9} {:>7}"


class SeedRange(click.ParamType):  # type: ignore[type-arg]
    """A..B, both ends included, or one number."""

    name = "A..B"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> range:
        """The seeds."""
        if isinstance(value, range):
            return value
        match = re.fullmatch(r"(\d{1,18})(?:\.\.(\d{1,18}))?", str(value))
        if match is None:
            self.fail(f"{value!r} is no range of seeds; write one such as 1..1000", param, ctx)
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            self.fail(f"{value!r} ends before it begins", param, ctx)
        return range(first, last + 1)


def _subject_options(command: Any) -> Any:
    for option in (
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            help="Trade with the bots of this configuration; its exchange does not count.",
        ),
        click.option(
            "--strategy",
            type=click.Choice(list(SCRIPTS)),
            help="Trade with this scripted strategy [default: the seed draws one].",
        ),
    ):
        command = option(command)
    return command


@click.group()
def faults() -> None:
    """Run the live driver in a world in which things go wrong.

    Exchange, network, disk and clock follow from one integer, the seed, and so do the faults. What must always be
    true is checked each simulated second.
    """


@faults.command()
@click.option("--seeds", type=SeedRange(), required=True, help="Seeds to run, both ends included.")
@click.option(
    "--jobs", type=click.IntRange(1, MOST_JOBS), default=1, show_default=True, help="Processes at once."
)
@_subject_options
@click.pass_context
def run(
    context: click.Context, *, seeds: range, jobs: int, strategy: str | None, config: Path | None
) -> None:
    """Run many seeds, and sum up by kind of fault. Exit code 1 when anything was violated."""
    from traderagent_core.testing.faults.campaign import run_seeds

    subject = _subject(strategy, config)
    begun, done = time.monotonic(), 0

    def tell(report: "Report") -> None:
        nonlocal done
        done += 1
        if report.failure:
            click.echo(f"seed {report.seed}: {report.failure}", err=True)
        if done % TOLD_EVERY == 0:
            click.echo(
                f"{done} of {len(seeds)} seeds, {done / (time.monotonic() - begun):.1f} a second", err=True
            )

    tally = run_seeds(subject, seeds, jobs, tell)
    _show(tally, time.monotonic() - begun)
    for report in tally.failures[:MOST_FAILURES_SHOWN]:
        _show_failure(report, strategy, config)
    if tally.failures:
        context.exit(1)


@faults.command()
@click.argument("seed", type=click.IntRange(0))
@_subject_options
@click.pass_context
def replay(context: click.Context, *, seed: int, strategy: str | None, config: Path | None) -> None:
    """Run one seed twice, compare, and tell the last events. Exit code 1 when anything was violated or differs."""
    from traderagent_core.testing.faults.campaign import run_seed

    subject = _subject(strategy, config)
    report, again = run_seed(subject, seed), run_seed(subject, seed)
    click.echo(f"faults: {report.mix}")
    click.echo("\n".join(report.events))
    click.echo(f"digest of world and journal: {report.digest}")
    if again.digest != report.digest:
        click.echo(f"the same seed gave another run the second time: {again.digest}")
        context.exit(1)
    if report.failure:
        click.echo(f"violated: {report.failure}")
        context.exit(1)
    click.echo("nothing was violated")


@faults.command()
@click.option("--days", type=click.IntRange(1), default=30, show_default=True, help="Simulated days.")
@click.option(
    "--events",
    type=click.IntRange(1_000),
    default=10_000_000,
    show_default=True,
    help="Events in all of them, about; most are prices.",
)
@click.option(
    "--symbols", type=click.IntRange(1, 500), default=20, show_default=True, help="Bots, each on its own."
)
@click.option(
    "--warm-up", type=click.IntRange(0), default=15, show_default=True, help="Days that do not count."
)
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="What all prices follow from."
)
@click.pass_context
def soak(context: click.Context, *, days: int, events: int, symbols: int, warm_up: int, seed: int) -> None:
    """Run the session for simulated days without faults, and tell the memory it takes after each.

    Exit code 1 when it takes 5 % more at the end than after the warm-up, in which what is kept of candles, orders and
    executions comes to its bounds.
    """
    from traderagent_core.testing.faults.soak import Day, Soak
    from traderagent_core.testing.faults.soak import soak as run_days

    if warm_up >= days:
        raise click.UsageError(f"--warm-up {warm_up} leaves nothing of {days} days to be measured")
    seen: list[Day] = []

    def tell(day: Day) -> None:
        seen.append(day)
        click.echo(
            f"{day.number:>4} {day.events:>10} {day.steps:>9} {day.memory_bytes / 1e6:>9.1f} {day.cpu_seconds:>8.0f}"
        )

    click.echo(f"{'day':>4} {'events':>10} {'steps':>9} {'memory MB':>9} {'CPU s':>8}")
    run_days(Soak(days, events, symbols, seed), tell)
    growth = seen[-1].memory_bytes / seen[max(warm_up - 1, 0)].memory_bytes - 1
    click.echo(f"memory after the warm-up: {growth:+.1%}")
    if growth > MOST_GROWTH:
        context.exit(1)


@faults.command()
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...")
@click.option(
    "--every",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Crash at every so many-th step only.",
)
@click.option(
    "--second-every",
    type=click.IntRange(0),
    default=SECOND_EVERY,
    show_default=True,
    help="Of the crashes in a recovery try every so many-th one; 0 for none.",
)
@click.option(
    "--jobs", type=click.IntRange(1, MOST_JOBS), default=1, show_default=True, help="Processes at once."
)
@click.pass_context
def crash(
    context: click.Context, *, scenarios: tuple[str, ...], every: int, second_every: int, jobs: int
) -> None:
    """Crash at each step of scripted scenarios, and again in the recovery. Exit code 1 when anything was violated.

    Without a name all scenarios are run. Each is a few minutes of the grid, DCA or trend strategy.
    """
    from traderagent_core.testing.faults.exploring import Share, explore_all
    from traderagent_core.testing.faults.scenarios import SCENARIOS

    unknown = [name for name in scenarios if name not in SCENARIOS]
    if unknown:
        raise click.UsageError(f"no scenario {unknown[0]!r}; there are {', '.join(SCENARIOS)}")
    click.echo(ROW.format("scenario", "steps", "crashes", "second", "other end", "violated", "CPU s"))
    violations = []
    for found, seconds in explore_all(scenarios or tuple(SCENARIOS), Share(every, 0, second_every), jobs):
        told = (found.first, found.second, found.other_ends, len(found.violations))
        click.echo(ROW.format(found.name, found.steps, *told, f"{seconds:.1f}"))
        violations += [(found.name, outcome) for outcome in found.violations]
    for name, outcome in violations[:MOST_FAILURES_SHOWN]:
        click.echo(f"\n{name}, {outcome}")
        click.echo("\n".join(outcome.events))
    if violations:
        context.exit(1)


@faults.command()
@click.argument("names", nargs=-1)
@click.option(
    "--seeds",
    type=SeedRange(),
    default="1..2000",
    show_default=True,
    help="Seeds to search, both ends included.",
)
@click.option(
    "--jobs", type=click.IntRange(1, MOST_JOBS), default=1, show_default=True, help="Processes at once."
)
@click.option(
    "--provoked", is_flag=True, help="Have each defect's own faults on, rather than those that a seed draws."
)
@click.pass_context
def planted(
    context: click.Context, *, names: tuple[str, ...], seeds: range, jobs: int, provoked: bool
) -> None:
    """Plant known defects, one at a time, and search for the first seed that shows each.

    All are planted unless NAMES says which. Exit code 1 when one is not found.
    """
    from traderagent_core.testing.faults.defects.known import known
    from traderagent_core.testing.faults.defects.search import find_all

    defects = known(names)
    found = {}
    for each in find_all([defect.name for defect in defects], seeds, jobs, is_provoked=provoked):
        found[each.defect] = each
        told = f"seed {each.seed}: {each.failure}" if each.seed is not None else "not found"
        click.echo(f"{len(found)} of {len(defects)}: {each.defect} {told}", err=True)
    click.echo("| defect | what is wrong | seeds | noticed as |\n|---|---|--:|---|")
    for defect in defects:
        each = found[defect.name]
        seeds_told = str(each.tried) if each.seed is not None else f"not in {each.tried}"
        click.echo(f"| `{defect.name}` | {defect.summary} | {seeds_told} | {each.noticed_as} |")
    if any(each.seed is None for each in found.values()):
        context.exit(1)


def _subject(strategy: str | None, config: Path | None) -> "Subject":
    from traderagent_core.testing.faults.campaign import Subject

    if strategy is not None and config is not None:
        raise click.UsageError("--strategy names a script; with --config the file says what trades")
    return Subject(strategy or "", config)


def _show(tally: "Tally", seconds: float) -> None:
    from traderagent_core.testing.faults.kinds import Fault

    click.echo(f"{'fault':<20} {'seeds on':>9} {'struck':>9}")
    for fault in Fault:
        click.echo(f"{fault.label:<20} {tally.on[fault]:>9} {tally.struck[fault]:>9}")
    _show_worst(tally)
    click.echo(
        f"{tally.runs} seeds, {tally.lives} processes, {len(tally.failures)} violations, {seconds:.1f} s, "
        f"{tally.runs / max(tally.cpu_seconds, 1e-9):.1f} runs a second of one core"
    )


def _show_worst(tally: "Tally") -> None:
    from traderagent_core.testing.faults.gauge import AFTER_FAULTS_MS, Lasting

    click.echo(f"\n{'at worst, s':<66} {'any time':>8} {'calm':>8}")
    for what in Lasting:
        worst, calm = tally.worst[what] / 1000, tally.worst_calm[what] / 1000
        click.echo(f"{what.value:<66} {worst:>8g} {calm:>8g}")
    click.echo(
        f"{'ledgers differ from the exchange after the end of all faults':<66} {tally.settled_ms / 1000:>8g}"
    )
    touched = sum("somebody else's order" in report.failure for report in tally.failures)
    click.echo(f"{'orders of others that were touched (a number)':<66} {touched:>8}")
    click.echo(f"calm: {AFTER_FAULTS_MS // 1000} s after a fault, and until the next one\n")


def _show_failure(report: "Report", strategy: str | None, config: Path | None) -> None:
    from traderagent_core.testing.faults.version import version

    more = f" --strategy {strategy}" if strategy else f" --config {config}" if config else ""
    click.echo(f"\nseed {report.seed} at {version()}: {report.failure}")
    click.echo(f"faults: {report.mix}")
    click.echo("\n".join(report.events))
    click.echo(f"again: traderagent faults replay {report.seed}{more}")

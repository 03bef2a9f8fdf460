"""Measures TraderAgent through its public path and prints every figure beside what is wanted.

python benchmarks/run.py                       everything that needs no data, as tables
python benchmarks/run.py --json                the same as one JSON object
python benchmarks/run.py --only runs --profile the 20 functions that the longest run spends its time in
"""

import argparse
import cProfile
import json
import os
import platform
import pstats
import sys
from collections.abc import Callable
from io import StringIO

from commands import peak_memory, start_up
from figures import Figure, table
from indicators import batch_indicators
from measures import fills, planned_runs, quiet_candles, where_time_goes, whole_runs
from portfolio import portfolios
from setups import LONG
from smc import smc_costs
from timing import load_average
from traderagent_core import simulate

Section = Callable[[int], dict[str, list[Figure]]]

SECTIONS: dict[str, Section] = {
    "runs": lambda repetitions: {"Whole runs": whole_runs(repetitions)},
    "plans": lambda repetitions: {"Strategies with plans and callbacks": planned_runs(repetitions)},
    "indicators": lambda repetitions: {"Indicators over 1,000,000 candles": batch_indicators(repetitions)},
    "smc": lambda repetitions: {"The SMC filter": smc_costs(repetitions)},
    "quiet": lambda repetitions: {"A quiet candle": quiet_candles(repetitions)},
    "fills": lambda repetitions: {"A fill with its counter order": fills(repetitions)},
    "stages": lambda repetitions: {
        f"Where the time goes: {name}": figures for name, figures in where_time_goes(repetitions).items()
    },
    "portfolio": lambda repetitions: {"Strategies by regime on many pairs": portfolios(repetitions)},
    "commands": lambda _: {"Commands, each a process of its own": start_up() + peak_memory()},
}

USUAL = [name for name in SECTIONS if name != "portfolio"]
"""Sections that need no real series."""


def main() -> None:
    """Measure the sections asked for and print them."""
    given = _arguments()
    found: dict[str, list[Figure]] = {}
    for section in given.only:
        print(f"measuring: {section} (load average {load_average():.1f})", file=sys.stderr)
        found.update(SECTIONS[section](given.repetitions))
    if given.is_json:
        sections = {name: [figure.to_dict() for figure in figures] for name, figures in found.items()}
        print(json.dumps({"machine": _machine(), "sections": sections}, indent=1, ensure_ascii=False))
    else:
        print("\n\n".join([_machine(), *(table(name, figures) for name, figures in found.items())]))
    if given.profile:
        print(_profile(), file=sys.stderr if given.is_json else sys.stdout)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", dest="is_json", action="store_true", help="print one JSON object")
    parser.add_argument("--repetitions", type=int, default=7, help="timed rounds after a warm-up [7]")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=SECTIONS,
        default=USUAL,
        help="sections to measure [all that need no data]",
    )
    parser.add_argument(
        "--profile", action="store_true", help="add the profile of the longest run, by own time"
    )
    return parser.parse_args()


def _machine() -> str:
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.python_implementation()} "
        f"{platform.python_version()}, load average {load_average():.1f}"
    )


def _profile() -> str:
    config, candles = LONG.bot.config(), LONG.series.candles()
    simulate(config, candles)
    profile = cProfile.Profile()
    profile.runcall(simulate, config, candles)
    text = StringIO()
    pstats.Stats(profile, stream=text).sort_stats("tottime").print_stats(20)
    return text.getvalue()


if __name__ == "__main__":
    main()

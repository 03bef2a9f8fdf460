"""Where the time and the memory of the portfolio of `examples/` go, part by part, in one process.

    python benchmarks/portfolio_parts.py                # 35 pairs over the hours that all of them have
    python benchmarks/portfolio_parts.py --majors       # its eight majors over 52 months, the run alone

Memory is what is resident after a part, and the most that has been. Processor time is that outside the kernel.
"""

import argparse
import resource
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

from attrs import evolve
from portfolio import COMMON, CONFIG, LONG, MAJORS, Portfolio, hours, loaded_portfolio
from traderagent_core import Result, load_config
from traderagent_core.report.html import render
from traderagent_core.simulator.collecting import no_cyclic_collection

STATUS = Path("/proc/self/status")


def main() -> None:
    """Run once, and print a line after each part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--majors", action="store_true", help="the eight majors, and no files")
    is_long = parser.parse_args().majors
    print(f"{'part':32} {'processor':>9} {'memory':>8} {'most':>8}")
    told("start and libraries", process_time)
    config = told("configuration and plugins", lambda: load_config(CONFIG))
    if is_long:
        config = evolve(config, bots=tuple(bot for bot in config.bots if bot.symbol in MAJORS))
    with hours(config) as folder:
        period = LONG if is_long else COMMON
        loaded: Portfolio = told("reading files", lambda: loaded_portfolio(config, folder, period))
    result: Result = told("the run", loaded.run)
    if not is_long:
        with no_cyclic_collection():
            tell_files(result)
    metrics = result.metrics
    print(f"{metrics.events:,} events, {metrics.fills:,} fills; {len(result.outcome.orders):,} orders")


def tell_files(result: Result) -> None:
    """What is read off the finished run, and its files."""
    study = result.outcome.study
    told("positions", lambda: study.round_trips)
    told("what plugins show", lambda: study.exhibits)
    told("coordination", lambda: study.coordination)
    with TemporaryDirectory() as out:
        told("files but for the page", lambda: result.write(out, html=False))
    told("the page", lambda: render(result))


def told(part: str, work: Callable[[], Any]) -> Any:
    """Do a part, and print what it took."""
    began = 0.0 if work is process_time else user_time()
    made = work()
    fields = dict(line.split(":", 1) for line in STATUS.read_text().splitlines() if ":" in line)
    now, most = (int(fields[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM"))
    print(f"{part:32} {user_time() - began:7.1f} s {now:5.0f} MB {most:5.0f} MB", flush=True)
    return made


def user_time() -> float:
    """Processor time outside the kernel so far, seconds."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


if __name__ == "__main__":
    main()

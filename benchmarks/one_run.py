"""Simulates one set-up on candles kept in a catalogue: a process of its own, for its peak memory."""

import argparse

from setups import SYMBOL, Grid
from traderagent_core import Catalogue, load_config, simulate


def main() -> None:
    """Load the candles and run a grid on them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("catalogue")
    parser.add_argument("timeframe")
    parser.add_argument("lower", type=int)
    parser.add_argument("upper", type=int)
    parser.add_argument("levels", type=int)
    given = parser.parse_args()
    candles = Catalogue(given.catalogue).load(SYMBOL, given.timeframe)
    config = load_config(Grid(given.lower, given.upper, given.levels).mapping())
    print(simulate(config, candles).metrics.fills)


if __name__ == "__main__":
    main()

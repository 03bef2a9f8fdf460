"""`traderagent demo`: one command, offline: a generated market, a grid back-tested on it, a report on disk."""

from pathlib import Path

import click

ROWS = 365 * 24 * 12
START_MS = 1_672_531_200_000
TIMEFRAME = "5m"
CONFIG = {
    "bots": [
        {
            "name": "demo",
            "symbol": "BTC/USDT",
            "strategy": "grid",
            "timeframe": "1h",
            "grid": {
                "upper_price": "36000",
                "lower_price": "24000",
                "grid_levels": 25,
                "amount_per_grid": "400",
            },
        }
    ],
    "simulation": {"balance": "10000"},
}


@click.command()
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of the generated market.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("traderagent-out/demo"),
    show_default=True,
    help="Folder for the results.",
)
def demo(*, seed: int, out: Path) -> None:
    """Back-test a grid on a generated market, offline."""
    from traderagent_core.api import load_config, simulate
    from traderagent_core.config.effective import effective
    from traderagent_core.data.generate import generate_candles
    from traderagent_core.report.manifest import build, data_source

    config = load_config(CONFIG)
    candles = generate_candles(
        symbol="BTC/USDT", timeframe=TIMEFRAME, rows=ROWS, seed=seed, start_ms=START_MS, price=30000.0
    )
    click.echo(
        f"Market: GENERATED with seed {seed} ({ROWS:,} candles of {TIMEFRAME}); these are no real prices."
    )
    manifest = build(
        configuration=effective(config),
        data=[data_source(candles, source="generated")],
        start_ms=None,
        end_ms=None,
        path=config.simulation.path,
        seed=seed,
        plugins=config.distributions,
    )
    result = simulate(config, candles, manifest=manifest)
    result.write(out)
    click.echo(result.table())
    click.echo(f"\nReport: {out / 'report.html'}")

"""The market of a sandbox: candles of a file, folder or catalogue, or made-up ones."""

from collections.abc import Sequence
from pathlib import Path

from attrs import frozen
from traderagent_core import Candles, FundingRates, generate_candles
from traderagent_core.data.loading import load_for_backtest

_ANY_TIMEFRAME = "1d"
_START_MS = 1_704_067_200_000  # 2024-01-01
_PRICES = {"BTC": 40_000.0, "ETH": 2_500.0, "SOL": 100.0}
_OTHER_PRICE = 10.0
GENERATED_ROWS = 200_000


@frozen(eq=False)
class MarketData:
    """Candles by symbol, funding rates where there are any, and what the user should know."""

    candles: dict[str, Candles]
    funding: dict[str, FundingRates]
    notes: tuple[str, ...] = ()


def load_market(
    data: Path | None, symbols: Sequence[str], seed: int, start_ms: int | None = None
) -> MarketData:
    """The finest candles of each symbol that are there from a start on; without data, made-up minutes."""
    if data is None:
        made = {symbol: _generated(symbol, seed + number) for number, symbol in enumerate(symbols)}
        return MarketData(made, {}, (f"the market is made up, seed {seed}",))
    loaded = load_for_backtest(
        data, symbols, _ANY_TIMEFRAME, start_ms, prefer=("bybit", "linear"), with_earlier=True
    )
    return MarketData(loaded.candles, loaded.funding, loaded.notes)


def _generated(symbol: str, seed: int) -> Candles:
    price = _PRICES.get(symbol.partition("/")[0], _OTHER_PRICE)
    return generate_candles(
        symbol=symbol, timeframe="1m", rows=GENERATED_ROWS, seed=seed, start_ms=_START_MS, price=price
    )

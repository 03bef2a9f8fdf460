"""DCA on real markets: every deal can be found again in the fills, and the books agree."""

import os
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from traderagent_core import load_config
from traderagent_core.backtest import Request
from traderagent_core.model.position import money_context
from traderagent_core.simulator.preparing import prepare

FOLDER = Path(os.environ.get("TRADERAGENT_DATA", ""))
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not os.environ.get("TRADERAGENT_DATA"), reason="TRADERAGENT_DATA is not set"),
]

KNOWN = {
    "trigger_percentage": "0.04",
    "amount_per_step": "150",
    "max_steps": 4,
    "take_profit_percentage": "0.08",
}
SHORT = {**KNOWN, "direction": "short", "stop_loss_percentage": "0.15", "volume_scale": "1.3"}
BUSY = {
    **KNOWN,
    "start": "immediate",
    "cooldown_candles": 1,
    "price_deviation": "0.01",
    "take_profit_percentage": "0.015",
    "take_profit_steps": [{"gain": "0.008", "share": "0.5"}],
    "max_steps": 12,
    "max_active_safety_orders": 3,
    "step_scale": "1.2",
}
SERIES = [
    ("binance_spot_BTC-USDT_1h_20170817-20220930.csv.gz", "spot", KNOWN),
    ("binance_spot_DOGE-USDT_1h_20190705-20220930.csv.gz", "spot", BUSY),
    ("binance_linear_LTC-USDT_1h_20200109-20220930.csv.gz", "linear", SHORT),
]


@pytest.mark.parametrize(("name", "market", "section"), SERIES)
def test_deals_are_the_fills(name: str, market: str, section: dict[str, Any]) -> None:
    symbol = name.split("_")[2].replace("-", "/")
    bot = {
        "name": "bot",
        "symbol": symbol,
        "strategy": "dca",
        "timeframe": "1h",
        "market": market,
        "dca": section,
    }
    config = load_config({"bots": [bot]})
    prepared = prepare(config, Request(config, FOLDER / name).load().candles)
    with money_context():
        prepared.driver.run(prepared.end_ms)
    records = prepared.driver.records
    assert not [record for record in records if record[0] == "plugin_failed"]
    member = prepared.engine.members["bot"]
    state, ledger = member.strategy.state, member.ledger
    assert state.deals > 20
    adding = [r for r in records if r[0] == "filled" and ("-base-" in r[2] or "-so-" in r[2])]
    for deal in state.history:
        own = [record for record in adding if deal.opened_ms <= record[1] <= deal.closed_ms]
        assert deal.invested == sum((record[4] * record[5] for record in own), D(0))
        assert deal.quantity == sum((record[5] for record in own), D(0))
        assert deal.steps == len({record[2] for record in own})
    total = state.profit if state.deal is None else state.profit + _so_far(state.deal, ledger)
    assert total == ledger.realized_pnl - ledger.fees + ledger.funding


def _so_far(deal: Any, ledger: Any) -> D:
    """What the deal in hand has realised and paid."""
    mark = deal.mark
    realized: D = (
        ledger.realized_pnl - mark.realized - (ledger.fees - mark.fees) + ledger.funding - mark.funding
    )
    return realized

"""What a run has left in its folder says the same as the process would."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from traderagent_core import load_config
from traderagent_core.data.csv_writing import write_csv
from traderagent_core.errors import DataError
from traderagent_core.live.control.left import describe_left
from traderagent_core.live.control.status import BotFacts, describe
from traderagent_core.live_run import Recorded, run_recorded
from traderagent_core.model.position import money_context
from traderagent_core.testing import market


@pytest.mark.parametrize("has_snapshot", [True, False])
def test_the_journal_tells_what_the_process_knew(
    has_snapshot: bool, tmp_path: Path, ladder: Callable[..., dict[str, Any]]
) -> None:
    write_csv(market("ranging", timeframe="5m", rows=900), tmp_path / "test_spot_BTC-USDT_5m.csv")
    config = load_config(ladder(timeframe="5m", stop="0.5"))
    folder = tmp_path / "run"
    engine = run_recorded(Recorded(config, tmp_path, None), folder, lambda *_, **__: None).engine
    (member,) = engine.members.values()
    price = engine.view.price(member.symbol)
    facts = BotFacts(
        member.name,
        "ladder",
        member.symbol,
        "RUNNING",
        [member],
        stop_price=member.stop.price,
        stop_placement=member.setup.stop_placement,
        price=price,
    )
    with money_context():
        known = describe([facts], engine.account)
    if not has_snapshot:
        for path in folder.glob("*.snapshot"):
            path.unlink()
    left = describe_left(folder)
    assert known["bots"][0]["pnl"]["cycles"] > 0
    for part in ("position", "orders", "life_cycle"):
        assert left["bots"][0][part] == known["bots"][0][part]
    for part in ("realized", "fees", "cycles"):
        assert left["bots"][0]["pnl"][part] == known["bots"][0]["pnl"][part]
    assert (left["halt"], left["unconfirmed"]) == (None, known["unconfirmed"])


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no run"):
        describe_left(tmp_path)

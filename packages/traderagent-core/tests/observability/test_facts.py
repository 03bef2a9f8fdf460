"""What records tell those who watch, and that watching disturbs nobody."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from traderagent_core import load_config
from traderagent_core.account.account import Account
from traderagent_core.data.csv_writing import write_csv
from traderagent_core.live import observing
from traderagent_core.live_run import Recorded, run_recorded
from traderagent_core.model.fact import Fact
from traderagent_core.model.position import money_context
from traderagent_core.observability.facts import facts_of
from traderagent_core.persistence.journal.entry import EntryKind
from traderagent_core.persistence.journal.reading import read_entries
from traderagent_core.persistence.payloads import records_of
from traderagent_core.replay import replay
from traderagent_core.testing import market


@pytest.fixture
def trade(tmp_path: Path, ladder: Callable[..., dict[str, Any]]) -> Callable[[], tuple[Path, list[str]]]:
    """Runs the ladder; gives the folder of the run and what its log was told."""

    def run() -> tuple[Path, list[str]]:
        write_csv(market("ranging", timeframe="5m", rows=900), tmp_path / "test_spot_BTC-USDT_5m.csv")
        told: list[str] = []
        config = load_config(ladder(timeframe="5m"))
        run_recorded(Recorded(config, tmp_path, None), tmp_path / "run", lambda what, **_: told.append(what))
        return tmp_path / "run", told

    return run


def test_every_fill_and_every_accepted_order_is_told(trade: Callable[[], tuple[Path, list[str]]]) -> None:
    folder, _ = trade()
    account, kinds, facts = Account(), Counter[str](), list[Fact]()
    with money_context():
        for entry in read_entries(folder):
            if entry.kind is EntryKind.RECORDS:
                records = records_of(entry.value)
                account.fold(records)
                kinds.update(record[0] for record in records)
                facts += facts_of(records, account)
    names = Counter(fact.name for fact in facts)
    assert names["ORDER_FILLED"] == kinds["filled"] > 0
    assert names["ORDER_PLACED"] == kinds["order_accepted"] > 0
    assert names["BOT_STARTED"] == 1
    fill = next(fact.to_payload() for fact in facts if fact.name == "ORDER_FILLED")
    assert (fill["bot"], fill["symbol"]) == ("bot", "BTC/USDT")
    assert fill["purpose"] == "GRID_COUNTER"


def test_a_limit_is_told_of_its_bot_and_a_risk_mode_of_the_account() -> None:
    modes = ("btc:max_daily_loss", "drawdown")
    records = [("mode_changed", 7, mode, True, "why", Decimal(1), False) for mode in modes]
    assert [fact.bot for fact in facts_of(records, Account())] == ["btc", ""]


def test_what_fails_in_watching_does_not_reach_the_trading(
    trade: Callable[[], tuple[Path, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("no")

    monkeypatch.setattr(observing, "facts_of", fail)
    folder, told = trade()
    assert "observer_failed" in told
    assert replay(folder).difference is None

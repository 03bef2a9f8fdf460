import json
from decimal import Decimal
from pathlib import Path

import pytest
from traderagent_core.errors import DataError
from traderagent_core.report.bounds import bounds
from traderagent_core.report.cautions import cautions, unattributed
from traderagent_core.report.metrics import metrics
from traderagent_core.report.result import result_of

FILES = {
    "result.json",
    "fills.csv",
    "trades.csv",
    "orders.csv",
    "equity.csv",
    "decisions.csv",
    "positions.csv",
    "drawings.json",
    "report.html",
}


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_all_files_are_written_and_nothing_else(make_outcome, tmp_path):
    written = result_of(make_outcome()).write(tmp_path / "new" / "run")
    assert {path.name for path in written} == FILES == set(contents(tmp_path / "new" / "run"))


def test_same_run_gives_the_same_bytes(make_outcome, tmp_path):
    for name in ("one", "two"):
        result_of(make_outcome(symbols=("BTC/USDT", "ETH/USDT"))).write(tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_second_run_replaces_the_first_and_takes_its_page_away(make_outcome, tmp_path):
    result_of(make_outcome()).write(tmp_path)
    result_of(make_outcome(seed=8)).write(tmp_path, html=False)
    assert set(contents(tmp_path)) == FILES - {"report.html"}
    assert json.loads((tmp_path / "result.json").read_text())["manifest"]["seed"] == 8


def test_failure_leaves_the_old_files_and_no_rubbish(make_outcome, tmp_path, monkeypatch):
    result_of(make_outcome()).write(tmp_path)
    before = contents(tmp_path)

    def full(self, mode="r", **further):
        if "w" in mode:
            raise OSError(28, "No space left on device")
        return open_any(self, mode, **further)

    open_any = Path.open
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(DataError, match=r"cannot write the results to .*No space left"):
        result_of(make_outcome(seed=8)).write(tmp_path)
    assert contents(tmp_path) == before


def test_folder_that_is_a_file_is_told(make_outcome, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(DataError, match="taken"):
        result_of(make_outcome()).write(tmp_path / "taken", html=False)


def test_json_is_one_object_with_the_promised_keys(make_outcome):
    result = result_of(make_outcome())
    content = json.loads(result.to_json())
    assert set(content) == {
        "metrics",
        "assumptions",
        "manifest",
        "money",
        "unattributed",
        "warnings",
        "exhibits",
    }
    assert content["assumptions"]["equity_csv"] == "every base close"
    assert content["assumptions"]["maker_fee_ratio"] == "0.001"
    assert json.loads(result.to_json()) == json.loads(json.dumps(result.to_dict()))


def test_money_adds_up_exactly(make_outcome):
    content = json.loads(result_of(make_outcome(symbols=("BTC/USDT", "ETH/USDT"))).to_json())
    for bot in content["money"]:
        parts = [Decimal(bot[name]) for name in ("cycle_profit", "trend_pnl", "fees", "funding")]
        assert parts[0] + parts[1] - parts[2] + parts[3] == Decimal(bot["net_profit"])
    total = sum(Decimal(bot["net_profit"]) for bot in content["money"])
    assert total == Decimal(content["metrics"]["net_profit"])
    assert Decimal(content["unattributed"]) == 0


def test_money_that_belongs_to_no_bot_is_shown(make_outcome):
    outcome = make_outcome()
    outcome.final_equity += Decimal("12.5")
    assert unattributed(outcome) == Decimal("12.5")
    assert "(no bot)" in result_of(outcome).table()


def test_table_tells_the_headline_money_bounds_and_warnings(make_outcome):
    outcome = make_outcome(timeframe="1h", count=200)
    table = result_of(outcome, bounds=bounds({"nearer_first": outcome})).table()
    for text in ("ROI", "Max drawdown", "Cycle profit", "Account", "over 1 paths", "! Generated market."):
        assert text in table
    assert "12–20 %" in table


def test_warnings_follow_from_the_figures(make_outcome, curve_outcome):
    def told(outcome):
        return " ".join(cautions(outcome, metrics(outcome)))

    assert "Nothing was traded" in told(make_outcome(fills=0))
    assert "Few closed trades (20)" in told(make_outcome())
    assert "3.0 days" in told(make_outcome())
    assert "9.8 % of the fills are ambiguous" in told(make_outcome())
    assert "lost" in told(curve_outcome([100.0, 0.0]))
    assert told(make_outcome(count=60 * 24 * 40, fills=2)).count("days") == 0

"""What a terminal and a page show of bots whose strategy is chosen by regime adds up to the account."""

import re
from decimal import Decimal
from typing import Any

import pytest
from traderagent_core import simulate
from traderagent_core.report.html import render
from traderagent_core.report.money import bot_rows, money_rows, strategy_rows

PAIRS = ("BTC/USDT", "ETH/USDT")


@pytest.fixture(scope="module")
def result(portfolio: Any, made: Any) -> Any:
    bot = {"dca": {"trigger_percentage": "0.02", "amount_per_step": 560, "max_steps": 4}}
    return simulate(portfolio(PAIRS, bot), made(PAIRS, days=40, seed=5))


def number(text: str) -> Decimal:
    return Decimal(text.replace("−", "-").replace(",", ""))


def test_the_same_money_is_told_by_strategy_by_bot_and_by_name(result: Any) -> None:
    outcome = result.outcome
    bots, names = bot_rows(outcome), strategy_rows(outcome)
    assert [row[:3] for row in bots[:-1]] == [("btc", "BTC/USDT", "auto"), ("eth", "ETH/USDT", "auto")]
    whole = outcome.final_equity - outcome.starting_balance
    for rows in (money_rows(outcome)[:-1], bots[:-1], names):
        assert abs(sum(number(row[-1]) for row in rows) - whole) < Decimal("0.1")
        for row in rows:
            *parts, change = map(number, row[-5:])
            assert abs(sum(parts) - change) < Decimal("0.03")
    traded = {money.bot for money in outcome.money if money.fees}
    for name, pairs, *_ in names:
        assert int(pairs) == sum(bot.endswith(f":{name}") for bot in traded)


def test_the_page_has_a_row_for_each_bot_and_each_strategy_and_both_together_on_demand(result: Any) -> None:
    page = render(result)
    _, after = page.split("<h2>Money per bot</h2>")
    shown, detail, *_ = re.split("<details>|</details>", after)
    cells = re.findall("<tr><td>(.*?)</td>", shown)
    assert cells == ["btc", "eth", *(row[0] for row in strategy_rows(result.outcome))]
    assert re.findall("<tr><td>(.*?)</td>", detail) == [money.bot for money in result.outcome.money]
    assert "btc (auto), eth (auto) ·" in page


def test_the_table_tells_transitions_and_modes_as_the_result_does(result: Any) -> None:
    told, found = result.table(), result.to_dict()["coordination"]
    counted = found["transitions"]
    assert counted["count"] > 0
    assert f"{counted['count']:,}: " in told
    for outcome, count in counted["outcomes"].items():
        assert f"{count:,} {outcome}" in told
    for name, ratio in found["time_in_mode_ratio"].items():
        assert f"Time in {name}" in told
        assert f"{ratio * 100:.2f} %" in told

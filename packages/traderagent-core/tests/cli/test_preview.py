"""`traderagent preview`: orders as the engine sends them, problems, and exit codes."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from traderagent_core import Candles, load_config
from traderagent_core.cli.preview import HEADER
from traderagent_core.simulator.preview import preview as previews

D = Decimal
Make = Callable[..., dict[str, Any]]


def preview(desk: Any, *args: object, code: int = 0) -> Any:
    printed = desk.run("preview", "--config", "ladder.yaml", *args)
    assert printed.code == code, printed.err
    return printed


def test_json_is_one_object_with_the_exact_orders(
    desk: Any, ladder: Make, market: Callable[..., Candles]
) -> None:
    config = ladder(rungs=["95.1", "97.25"], profit="0.01", market_quantity="0.5")
    desk.configure(config)
    found = json.loads(preview(desk, "--data", desk.data, "--json").out)
    (shown,) = previews(load_config(config), {"BTC/USDT": market("ranging")})
    (bot,) = found["bots"]
    assert bot["orders"] == [
        {
            "slot": order.slot,
            "purpose": order.purpose,
            "side": order.side,
            "type": order.type,
            "price": str(order.price),
            "quantity": str(order.quantity),
            "notional": f"{order.notional:f}",
            "counter_price": None if order.counter_price is None else str(order.counter_price),
            "profit_per_cycle": None if order.profit_per_cycle is None else f"{order.profit_per_cycle:f}",
        }
        for order in shown.orders
    ]
    assert {order["type"] for order in bot["orders"]} == {"LIMIT", "MARKET"}
    assert (bot["bot"], bot["symbol"], bot["strategy"]) == ("bot", "BTC/USDT", "ladder")
    assert D(bot["funds_needed"]) == shown.funds_needed
    assert (bot["problems"], bot["refusals"]) == ([], [])


def test_the_table_shows_every_order_to_the_last_digit(desk: Any, ladder: Make) -> None:
    desk.configure(ladder(rungs=["95.5", "90.25"], quantity="1.2345", step="2"))
    lines = preview(desk, "--data", desk.data).out.splitlines()
    assert lines[0].startswith("bot: ladder on BTC/USDT at ")
    assert tuple(lines[1].split()) == HEADER
    profit = D("1.2345") * (D(2) - D("0.001") * (D("95.5") + D("97.5")))
    assert lines[2].split() == [
        "rung:0", "GRID_COUNTER", "BUY", "LIMIT", "95.5", "1.2345", "117.89475", "97.5", f"{profit:f}",
    ]  # fmt: skip
    assert lines[4] == "  orders: 2, funds needed before leverage and fees: 229.308375"


def test_a_price_moves_the_market_there(desk: Any) -> None:
    (bot,) = json.loads(preview(desk, "--data", desk.data, "--price", "97.5", "--json").out)["bots"]
    assert bot["price"] == "97.5"
    # The two rungs above the price are bought at once, and their counters follow.
    sides = [(order["side"], D(order["price"])) for order in bot["orders"]]
    assert sides == [*(("BUY", D(price)) for price in range(95, 100)), ("SELL", D(99)), ("SELL", D(100))]


def test_a_price_without_data_is_enough_and_says_what_is_assumed(desk: Any) -> None:
    printed = preview(desk, "--price", "100.5", "--json")
    assert len(json.loads(printed.out)["bots"][0]["orders"]) == 5
    assert "note: no candles found, so price and quantity steps are assumed" in printed.err


def test_without_price_and_data_it_says_what_to_do(desk: Any) -> None:
    assert "traderagent data import PATH" in preview(desk, code=2).err


def test_data_that_are_named_must_be_there_even_with_a_price(desk: Any) -> None:
    assert "nowhere.csv" in preview(desk, "--price", "100", "--data", "nowhere.csv", code=2).err


@pytest.mark.parametrize("text", ["cheap", "0", "-5", "nan", "inf", ""])
def test_a_bad_price_is_refused(desk: Any, text: str) -> None:
    assert f"{text!r} is not a price; write a positive number" in preview(desk, "--price", text, code=2).err


def test_a_price_is_for_one_bot(desk: Any, ladder: Make) -> None:
    config = ladder()
    config["bots"].append({**config["bots"][0], "name": "other", "symbol": "ETH/USDT"})
    desk.configure(config)
    assert "--price goes with a configuration of one bot" in preview(desk, "--price", "100", code=2).err


def test_fatal_problems_are_shown_beside_the_orders_with_exit_code_2(desk: Any, ladder: Make) -> None:
    desk.configure(ladder(fatal_above=50))
    printed = preview(desk, "--data", desk.data, code=2)
    assert "  problem: the price" in printed.out
    assert "is too high; wait until it falls" in printed.out
    assert "orders: 5" in printed.out
    (problem,) = json.loads(preview(desk, "--data", desk.data, "--json", code=2).out)["bots"][0]["problems"]
    assert (problem["is_fatal"], problem["remedy"]) == (True, "wait until it falls")


def test_warnings_leave_the_exit_code_0(desk: Any, ladder: Make) -> None:
    desk.configure(ladder(warn_above=50))
    assert "  warning: the price" in preview(desk, "--data", desk.data).out


def test_refusals_of_the_engine_are_shown(desk: Any, ladder: Make) -> None:
    desk.configure(ladder(quantity="0.001"))
    printed = preview(desk, "--data", desk.data)
    assert "orders: 0" in printed.out
    assert "plan rejected ladder" in printed.out


def test_problems_of_the_configuration_leave_no_traceback(desk: Any, ladder: Make) -> None:
    desk.configure(ladder(rungs="none"))
    assert "bots[0].ladder.rungs: expected a list" in preview(desk, "--data", desk.data, code=2).err
    desk.configure({"bots": [{"name": "a", "symbol": "BTC/USDT", "strategy": "auto"}]})
    assert "strategy 'auto' has nothing to choose from" in preview(desk, "--data", desk.data, code=2).err

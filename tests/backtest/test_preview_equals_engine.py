"""`preview` lists exactly the orders that a back-test sends when it starts at that close."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from traderagent_core.cli.main import run

STEPS = {"tick_size": "0.01", "lot_size": "0.0001", "min_notional": 5, "max_leverage": 50}
GRIDS: dict[str, dict[str, Any]] = {
    "arithmetic": {},
    "geometric": {"spacing": "geometric", "lower_price": "91.37", "upper_price": "111.11", "grid_levels": 12},
    "profit": {"profit_per_grid": "0.0123", "amount_per_grid": "123.45"},
    "atr": {"bounds": "atr", "lower_price": None, "upper_price": None, "atr_multiplier": 4, "atr_period": 20},
    "atr, 4h": {"bounds": "atr", "lower_price": None, "upper_price": None, "timeframe": "4h"},
    "linear": {"market": "linear", "leverage": 5},
    "linear long": {"market": "linear", "leverage": 5, "direction": "long", "stop_loss_price": 80},
    "linear short": {"market": "linear", "leverage": 5, "direction": "short", "stop_loss_price": 140},
    "above the price": {"lower_price": 120, "upper_price": 150},
    "below the price": {"lower_price": 60, "upper_price": 80},
    "trailing": {"trailing_enabled": True},
}


@pytest.fixture
def previewed(desk: Any, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """What the command prints, as JSON."""

    def preview(*args: object, code: int = 0) -> Any:
        capsys.readouterr()
        config = desk.folder / "grid.yaml"
        assert run([str(arg) for arg in ("preview", "--config", config, "--json", *args)]) == code
        (bot,) = json.loads(capsys.readouterr().out)["bots"]
        return bot

    return preview


def listed(bot: Any) -> list[tuple[str, ...]]:
    """Orders of a preview as orders.csv writes them; a market order has no price there."""
    return [
        (
            order["slot"],
            order["purpose"],
            order["side"],
            order["type"],
            "" if order["type"] == "MARKET" else order["price"],
            order["quantity"],
        )
        for order in bot["orders"]
        if order["type"] != "STOP"
    ]


def sent(books: Any, time: str) -> list[tuple[str, ...]]:
    """The orders of a back-test that were sent at a time; its stops follow the position later and are left out."""
    names = ("slot", "purpose", "side", "type", "price", "quantity")
    rows = [row for row in books.orders if row["submitted"] == time and row["type"] != "STOP"]
    return [tuple(row[name] for name in names) for row in rows]


@pytest.mark.parametrize("count", [120, 244])
@pytest.mark.parametrize("name", GRIDS)
def test_the_orders_are_the_same_to_the_last_digit(
    desk: Any,
    grid: Callable[..., Any],
    market: Callable[..., Any],
    previewed: Callable[..., Any],
    name: str,
    count: int,
) -> None:
    changes = {key: value for key, value in GRIDS[name].items() if value is not None}
    config = grid(**changes, simulation={"instruments": {"BTC/USDT": STEPS}, "slippage": "0.001"})
    if "bounds" in changes:
        del config["bots"][0]["grid"]["lower_price"], config["bots"][0]["grid"]["upper_price"]
    candles = market("ranging", rows=400)
    venue = changes.get("market", "spot")
    time = f"{candles.open_time[count].astype('datetime64[ms]').astype('datetime64[s]')}Z"
    books = desk.backtest(config, desk.write(candles, venue), "--from", time)
    for file in (desk.folder / "data").iterdir():
        file.unlink()
    bot = previewed("--data", desk.write(candles[:count], venue))
    assert listed(bot) == sent(books, time)
    assert len(bot["orders"]) > 0
    assert bot["price"] == repr(float(candles.close[count - 1]))
    assert not any(problem["is_fatal"] for problem in bot["problems"])


def test_steps_are_read_off_the_same_candles_as_by_a_back_test(
    desk: Any, grid: Callable[..., Any], market: Callable[..., Any], previewed: Callable[..., Any]
) -> None:
    data = desk.write(market("ranging", price=0.25, rows=300, tick_size=Decimal("0.0001")))
    books = desk.backtest(grid(lower_price="0.2217", upper_price="0.2783", amount_per_grid=55), data)
    steps = books.result["assumptions"]["instruments"]["BTC/USDT"]
    assert (steps["tick_size"], steps["lot_size"]) == ("0.0001", "0.1")
    orders = previewed("--data", data)["orders"]
    assert len(orders) > 5
    assert all(Decimal(order["price"]) % Decimal(steps["tick_size"]) == 0 for order in orders)
    assert all(Decimal(order["quantity"]) % Decimal(steps["lot_size"]) == 0 for order in orders)


def test_a_fatal_problem_is_exit_code_2_in_both(
    desk: Any,
    grid: Callable[..., Any],
    market: Callable[..., Any],
    previewed: Callable[..., Any],
    capsys: Any,
) -> None:
    config = grid(amount_per_grid=3)
    data = desk.write(market("ranging"))
    desk.configure(config)
    (problem, *_) = previewed("--data", data, code=2)["problems"]
    assert problem["is_fatal"]
    assert run(["backtest", "--config", str(desk.folder / "grid.yaml"), "--data", str(data)]) == 2
    assert problem["message"] in capsys.readouterr().err


def test_an_atr_range_at_another_price_is_as_wide_in_proportion(
    desk: Any, grid: Callable[..., Any], market: Callable[..., Any], previewed: Callable[..., Any]
) -> None:
    config = grid(bounds="atr", amount_per_grid=500, simulation={"balance": 10**7})
    del config["bots"][0]["grid"]["lower_price"], config["bots"][0]["grid"]["upper_price"]
    desk.configure(config)
    data = desk.write(market("ranging", rows=300))
    here = previewed("--data", data)
    there = previewed("--data", data, "--price", str(float(here["price"]) * 10))
    widths = []
    for bot in (here, there):
        levels = [float(level) for level in bot["evidence"]["levels"]]
        widths.append((max(levels) - min(levels)) / float(bot["price"]))
        assert bot["evidence"]["range_source"] == "atr"
    assert widths[0] == pytest.approx(widths[1], rel=0.002)


def test_a_price_without_any_data_lays_the_grid_of_that_price(
    desk: Any, grid: Callable[..., Any], previewed: Callable[..., Any]
) -> None:
    desk.configure(grid(lower_price=8000, upper_price=12000, grid_levels=5, amount_per_grid=500))
    bot = previewed("--price", "10400")
    assert bot["evidence"]["levels"] == ["8000", "9000", "10000", "11000", "12000"]
    assert Decimal(bot["price"]) == 10400
    assert [order["price"] for order in bot["orders"] if order["type"] == "LIMIT" and order["side"] == "BUY"] == [
        "8000", "9000",
    ]  # fmt: skip

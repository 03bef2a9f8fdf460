from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from pydantic import ValidationError
from traderagent_grid.config import Direction, GridConfig, Spacing

Make = Callable[..., GridConfig]


def test_the_example_of_the_product_is_accepted() -> None:
    config = GridConfig.model_validate(
        {
            "upper_price": "72000",
            "lower_price": "65000",
            "grid_levels": 6,
            "amount_per_grid": "150",
            "profit_per_grid": "0.012",
        }
    )
    assert config.upper_price == D(72000)
    assert config.profit_per_grid == D("0.012")
    assert (config.spacing, config.direction) == (Spacing.ARITHMETIC, Direction.NEUTRAL)


def test_numbers_are_kept_to_the_last_digit(config: Make) -> None:
    assert config(profit_per_grid=0.1).profit_per_grid == D("0.1")
    assert config(upper_price="110.000000000000000000001").upper_price == D("110.000000000000000000001")


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"lower_price": 110}, "expected a price below upper_price 110"),
        ({"lower_price": None}, "needs upper_price and lower_price"),
        ({"grid_levels": 1}, "greater than or equal to 2"),
        ({"grid_levels": 501}, "less than or equal to 500"),
        ({"amount_per_grid": 0}, "greater than 0"),
        ({"profit_per_grid": 1}, "less than 1"),
        ({"profit_per_grid": "1.2 %"}, "ratios are written as fractions: 0.012"),
        ({"trailing_shift_threshold_pct": 2}, "less than 1"),
        ({"max_drawdown": 15}, "less than 1"),
        ({"trend_guard_resume_adx": 40}, "expected at most trend_guard_adx 32"),
        ({"grid_level": 5}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_section_is_refused(config: Make, keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        config(**keys)


def test_bounds_from_atr_need_no_prices() -> None:
    assert GridConfig.model_validate({"bounds": "atr", "amount_per_grid": 10}).needs_atr


def test_every_key_says_what_it_means_and_the_schema_can_be_made() -> None:
    schema = GridConfig.model_json_schema()
    assert all(entry["description"].endswith(".") for entry in schema["properties"].values())
    assert set(schema["required"]) == {"amount_per_grid"}


def test_a_default_is_judged_beside_what_is_given() -> None:
    with pytest.raises(ValidationError, match="expected at most trend_guard_adx 20"):
        GridConfig.model_validate(
            {"upper_price": "2", "lower_price": "1", "amount_per_grid": "10", "trend_guard_adx": "20"}
        )


def test_prices_beside_bounds_from_atr_are_refused() -> None:
    with pytest.raises(ValidationError, match="takes the range from ATR, not from upper_price"):
        GridConfig.model_validate({"bounds": "atr", "amount_per_grid": 10, "upper_price": 5})

"""Configuration keys in words."""

from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field
from traderagent_core.host.describe import config_keys, config_schema, schema_problem, type_text
from traderagent_core.specs import ExchangeAdapterSpec


class Side(Enum):
    LONG = "long"
    SHORT = "short"


class Inner(BaseModel):
    depth: int = Field(3, description="How deep.")


class Outer(BaseModel):
    price: Decimal = Field(description="In quote currency.")
    side: Side = Side.LONG
    inner: Inner = Field(default_factory=Inner)
    maybe: Inner | None = None
    names: tuple[str, ...] = ()
    again: "Outer | None" = None
    is_on: bool = Field(True, alias="on")


def test_keys_carry_path_type_default_and_description():
    keys = {key.path: (key.type, key.default) for key in config_keys(Outer)}
    assert keys == {
        "price": ("decimal", None),
        "side": ("long or short", "long"),
        "inner.depth": ("integer", "3"),
        "maybe.depth": ("integer", "3"),
        "names": ("list of text", "[]"),
        "again": ("Outer or none", "none"),
        "on": ("true or false", "true"),
    }
    assert next(config_keys(Outer)).description == "In quote currency."


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (Annotated[Decimal, Field(gt=0)] | None, "decimal or none"),
        (Literal["default", "optimistic"], "default or optimistic"),
        (dict[str, Inner], "dict[text, Inner]"),
        (list[float], "list[number]"),
    ],
)
def test_types_in_words(annotation, text):
    assert type_text(annotation) == text


def test_model_without_a_schema_is_told():
    class Odd(BaseModel):
        hook: Callable[[int], int] = abs

    spec = ExchangeAdapterSpec("odd", "", Odd, dict)
    assert "PydanticInvalidForJsonSchema" in (schema_problem(spec) or "")
    assert config_schema(spec) is None

"""The JSON Schema for editors: describes every key, knows the installed plugins, refuses other keys."""

from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from pydantic import BaseModel, Field
from traderagent_core.config.json_schema import DRAFT, config_schema
from traderagent_core.specs import ExchangeAdapterSpec

CORE_MODELS = ("BotConfig", "ExchangeConfig", "RiskManagementConfig", "SimulationConfig", "InstrumentConfig")


@pytest.fixture(scope="module")
def schema(host: Any) -> dict[str, Any]:
    return config_schema(host)


def properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from schema["properties"].items()
    for model in CORE_MODELS:
        yield from schema["$defs"][model]["properties"].items()


def references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from [schema["$ref"]] if isinstance(schema.get("$ref"), str) else []
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def test_every_key_is_described(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == DRAFT
    for name, described in properties(schema):
        target = schema["$defs"].get(described.get("$ref", "").removeprefix("#/$defs/"), {})
        assert described.get("description") or target.get("description"), name


def test_keys_of_exchanges_stand_beside_those_that_all_share(host: Any) -> None:
    class Here(BaseModel):
        base_url: str = Field(default="", description="Where it is.")
        window_ms: int = Field(default=5, description="How long.")

    class There(BaseModel):
        base_url: int = Field(default=1, description="Number of the host.")

    specs = {
        name: ExchangeAdapterSpec(name, "Trades.", model, lambda config, surroundings: None)
        for name, model in (("here", Here), ("there", There))
    }
    exchange = config_schema(attrs.evolve(host, exchange_adapters=specs))["$defs"]["ExchangeConfig"]
    assert exchange["additionalProperties"] is False
    assert {"exchange_id", "sandbox", "base_url", "window_ms"} <= exchange["properties"].keys()
    assert "enabled" not in exchange["properties"]
    assert "required" not in exchange
    shown = str(exchange["properties"]["base_url"])
    assert "string" in shown
    assert "integer" in shown


def test_sections_of_installed_plugins_stand_in_their_places(schema: dict[str, Any]) -> None:
    bot = schema["$defs"]["BotConfig"]
    assert bot["additionalProperties"] is False
    grid = bot["properties"]["grid"]
    assert grid["required"] == ["upper_price", "lower_price", "grid_levels"]
    assert grid["properties"]["grid_levels"]["description"] == "Number of levels."
    assert grid["properties"]["enabled"]["anyOf"][0] == {"type": "boolean"}
    assert schema["properties"]["filters"]["properties"].keys() == {"volume"}
    assert schema["properties"]["risk_modes"]["additionalProperties"] is False
    assert bot["properties"]["strategy"]["anyOf"][0]["enum"] == ["auto", "grid", "quiet"]


def test_all_references_lead_somewhere(schema: dict[str, Any]) -> None:
    targets = set(references(schema))
    assert "#/$defs/strategy.grid.Stops" in targets
    for target in targets:
        assert target.removeprefix("#/$defs/") in schema["$defs"]


def test_limits_reach_the_editor(schema: dict[str, Any]) -> None:
    share = schema["$defs"]["BotConfig"]["properties"]["capital_share"]
    number = share["anyOf"][0]["anyOf"][0]
    assert (number["exclusiveMinimum"], number["maximum"]) == (0, 1)


GRID = {"lower_price": "1", "upper_price": 2, "grid_levels": 5}
BOT = {"name": "a", "symbol": "BTC/USDT", "strategy": "grid", "grid": GRID}


@pytest.mark.parametrize(
    ("document", "is_valid"),
    [
        ({"bots": [BOT]}, True),
        (
            {
                "bots": [
                    {**BOT, "dry_run": "${DRY}", "grid": {**GRID, "enabled": True, "grid_levels": "${N}"}}
                ]
            },
            True,
        ),
        ({"bots": [{**BOT, "quiet": None}], "filters": {"volume": {"period": 3}}, "log_level": "INFO"}, True),
        ({"bots": []}, False),
        ({"bots": [{**BOT, "gird": {}}]}, False),
        ({"bots": [{**BOT, "strategy": "gird"}]}, False),
        ({"bots": [{**BOT, "grid": {**GRID, "grid_levels": 1}}]}, False),
        ({"bots": [{**BOT, "symbol": "BTCUSDT"}]}, False),
        ({"bots": [BOT], "simulation": {"balance": -1}}, False),
        ({"bots": [BOT], "filters": {"volumes": {}}}, False),
    ],
)
def test_an_editor_accepts_what_loading_accepts(
    schema: dict[str, Any], document: Any, is_valid: bool
) -> None:
    jsonschema = pytest.importorskip(
        "jsonschema", reason="the schema is tried with jsonschema where it is installed"
    )
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    assert validator.is_valid(document) is is_valid

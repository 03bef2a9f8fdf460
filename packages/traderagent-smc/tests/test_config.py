"""The configuration refuses what cannot work, and says how to mend it."""

from typing import Any

import pytest
from pydantic import ValidationError
from traderagent_smc.config import SmcConfig


def test_the_defaults_are_those_of_the_specification() -> None:
    config = SmcConfig()
    assert config.timeframes == ("1d", "4h", "1h", "15m")
    assert config.swing_length == {"1d": 50, "4h": 50, "1h": 20, "15m": 10}
    assert config.zoned == ("4h", "1h", "15m")
    assert (config.accept, config.reject, config.no_zone_confidence) == (0.55, 0.2, 0.5)
    assert {config.history(timeframe) for timeframe in config.timeframes} == {2001}
    assert config.settings("1d").has_zones is False


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"accept": 0.5}, "expected reject <= 0.5 < accept"),
        ({"reject": 0.51}, "expected reject <= 0.5 < accept"),
        ({"no_zone_confidence": 0.1}, "from reject 0.2 to below accept 0.55"),
        ({"timeframes": ["15m", "1h"]}, r"write \[1h, 15m\]"),
        ({"timeframes": ["1h", "1h"]}, "each once"),
        ({"timeframes": ["2h", "1h"]}, "expected a swing length for 2h"),
        ({"timeframes": []}, "at least 1"),
        ({"swing_length": {"2h": 20}}, "2h is not one"),
        ({"swing_length": {"15m": 1}}, "greater than or equal to 2"),
        ({"zone_timeframes": ["5m"]}, "add 5m there"),
        ({"strength_weights": {"volume": 0.5}}, "add up to 1, not to 1.35"),
        ({"setups": {"weights": {"trend": 0.5}}}, "add up to 1"),
        ({"neutral_size_factor": {"grid": 0}}, "greater than 0"),
        ({"stale_ratio": "2 %"}, "ratios are written as fractions: 0.02"),
        ({"ob_mitigation": "body"}, "pattern"),
        ({"max_touches": 0}, "greater than or equal to 1"),
        ({"tolerance": 1}, "Extra inputs"),
    ],
)
def test_a_wrong_section_is_refused(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        SmcConfig.model_validate(keys)


def test_timeframes_can_be_chosen_and_known_lengths_stay() -> None:
    config = SmcConfig.model_validate({"timeframes": ["4h", "2h", "15m"], "swing_length": {"2h": 30}})
    assert config.swing_length == {"4h": 50, "2h": 30, "15m": 10}
    assert SmcConfig(timeframes=("1d",)).zoned == ("1d",)


def test_every_key_says_what_it_means_and_the_schema_can_be_made() -> None:
    schema = SmcConfig.model_json_schema()
    sections = [schema, *schema["$defs"].values()]
    entries = [entry for section in sections for entry in section["properties"].values()]
    assert all(entry["description"].rstrip(")").endswith(".") for entry in entries)

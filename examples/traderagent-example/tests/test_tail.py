"""The sink writes what it is told, and only what is asked for is told to it."""

import json

import pytest
from traderagent_core import ConfigError, Fact, load_config

from traderagent_example.config import TailConfig
from traderagent_example.tail import Tail

BOT = {"name": "bot", "symbol": "BTC/USDT", "strategy": "breakout"}


def test_each_event_is_a_line(tmp_path):
    path = tmp_path / "events.jsonl"
    for number in range(2):  # A second run goes on in the same file.
        sink = Tail(TailConfig(path=path))
        sink.take(Fact("ORDER_FILLED", number, "bot", {"price": "100.5"}))
        sink.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [
        {"event": "ORDER_FILLED", "time_ms": number, "bot": "bot", "price": "100.5"} for number in range(2)
    ]


def test_a_configuration_names_it_with_its_events(tmp_path):
    section = {"path": str(tmp_path / "events.jsonl"), "events": ["BOT_STARTED"]}
    (part,) = load_config({"bots": [BOT], "event_sinks": {"tail": section}}).event_sinks
    sink = part.spec.factory(part.config)
    assert list(sink.topics()) == ["BOT_STARTED"]
    sink.close()
    with pytest.raises(ConfigError, match=r"event_sinks\.tail\.path"):
        load_config({"bots": [BOT], "event_sinks": {"tail": {}}})

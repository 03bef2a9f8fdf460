"""What the engine takes in and gives out, as payloads of journal entries and back."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import asdict, evolve, frozen

from traderagent_core.account.state import Record
from traderagent_core.engine.codec import decode, to_json
from traderagent_core.model.command import Command
from traderagent_core.model.event import Event
from traderagent_core.model.plan import Plan
from traderagent_core.persistence.journal.entry import JsonText

CORE = ("traderagent_core",)
PLAIN = (type(None), bool, int, float, str, Decimal)


@frozen
class BotDescription:
    """A bot as the journal and the database know it. `budget` is in quote currency, before leverage."""

    name: str
    strategy: str
    symbol: str
    market: str
    timeframe: str
    budget: Decimal
    leverage: Decimal


def setup_payload(bots: Sequence[BotDescription], balance: Decimal, config_sha256: str) -> dict[str, Any]:
    """What an engine has been built with."""
    described = [{key: _text(value) for key, value in asdict(bot).items()} for bot in bots]
    return {"bots": described, "balance": str(balance), "config_sha256": config_sha256}


def setup_bots(payload: Mapping[str, Any]) -> list[BotDescription]:
    """The bots of a setup."""
    return [
        BotDescription(**{**bot, "budget": Decimal(bot["budget"]), "leverage": Decimal(bot["leverage"])})
        for bot in payload["bots"]
    ]


def event_payload(event: Event) -> JsonText:
    """An event."""
    return JsonText(to_json(event))


def records_payload(records: Iterable[Record]) -> JsonText:
    """The records of a step. A plan's evidence, which changes nothing, is kept as plain values."""
    return JsonText(to_json([_plain_record(record) for record in records]))


def intent_payload(commands: Iterable[Command]) -> JsonText:
    """Commands that are about to leave."""
    return JsonText(to_json(list(commands)))


def from_payload(payload: dict[str, Any]) -> Any:
    """The event, records or commands again. Raises StateError for a class that is not the core's."""
    return decode(payload, CORE)


def records_of(payload: dict[str, Any]) -> list[Record]:
    """The records of a payload."""
    records: list[Record] = from_payload(payload)
    return records


def _plain_record(record: Record) -> Record:
    if record[0] != "plan_granted":
        return record
    plan: Plan = record[4]
    return (*record[:4], evolve(plan, evidence=plain_values(plan.evidence)), *record[5:])


def plain_values(value: Any) -> Any:
    """Evidence as values that anybody can read without the plugin that gave them."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, Mapping):
        return {str(key): plain_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(plain_values(item) for item in value)
    return str(value)


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value

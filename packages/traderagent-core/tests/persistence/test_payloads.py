import json
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from traderagent_core.account.account import Account
from traderagent_core.engine.codec import StateError
from traderagent_core.model import event as ev
from traderagent_core.model.command import Cancel, Submit
from traderagent_core.model.order import Liquidity, OrderRequest, OrderType, Purpose, Side
from traderagent_core.model.plan import Fixed, Leg, Plan
from traderagent_core.persistence.journal.entry import to_text
from traderagent_core.persistence.payloads import (
    BotDescription,
    event_payload,
    from_payload,
    intent_payload,
    plain_values,
    records_of,
    records_payload,
    setup_bots,
    setup_payload,
)

PRICE = Decimal("0.1234567890123456789012345")


class Mood(Enum):
    CALM = 1


def by_text(payload: Any) -> Any:
    return json.loads(to_text(payload))


@pytest.mark.parametrize(
    "event",
    [
        ev.OrderFilled(
            1, "id", "t", "BTC/USDT", Side.BUY, PRICE, Decimal(1), Decimal("1E-9"), Liquidity.MAKER
        ),
        ev.WatchCrossed(2, "bot", "w", 0.1 + 0.2),
        ev.OrderCanceled(3, "id", Decimal(0)),
        ev.OperatorCommand(4, "bot", "halt", "fear \u2028 \ud83d"),
    ],
)
def test_events_come_back_from_text(event: Any) -> None:
    back = from_payload(by_text(event_payload(event)))
    assert type(back) is type(event)
    assert repr(back) == repr(event)


def test_commands_come_back_from_text() -> None:
    request = OrderRequest("id", "BTC/USDT", Side.SELL, OrderType.LIMIT, Decimal(1), PRICE)
    back = from_payload(by_text(intent_payload([Submit(request), Cancel("id", "BTC/USDT")])))
    assert repr(back) == repr([Submit(request), Cancel("id", "BTC/USDT")])


def test_records_of_plans_survive_any_evidence() -> None:
    evidence = MappingProxyType(
        {
            "mood": Mood.CALM,
            "float": np.float64(1.5),
            "deep": [{"x": (1, Decimal(2))}],
            3: {1},
            "nan": float("nan"),
        }
    )
    leg = Leg("in", "in", Side.BUY, Purpose.ENTRY, Fixed(Decimal(1)))
    plan = Plan("p", (leg,), ("in",), evidence=evidence)
    record = ("plan_granted", 1, "bot", "BTC/USDT", plan, Decimal(1), Decimal(1), (leg,), "")
    (back,) = records_of(by_text(records_payload([record])))
    assert back[4].legs == plan.legs
    assert back[4].evidence["mood"] == "Mood.CALM"
    assert back[4].evidence["deep"] == ({"x": (1, Decimal(2))},)
    Account().fold([back])


def test_plain_evidence_is_not_changed() -> None:
    evidence = {"a": 1, "b": "text", "c": Decimal("1.50"), "d": (True, None, 0.5)}
    assert plain_values(evidence) == evidence


def test_a_payload_cannot_name_code_of_others() -> None:
    with pytest.raises(StateError, match="which is not of traderagent_core"):
        from_payload({"root": {"r": 0}, "objects": [{"class": "subprocess:Popen", "fields": {}}]})


def test_bots_of_a_setup_come_back() -> None:
    bots = [BotDescription("b", "grid", "BTC/USDT", "spot", "1h", PRICE, Decimal(2))]
    assert setup_bots(by_text(setup_payload(bots, Decimal(1), "0"))) == bots

"""Events for those who watch: past-tense facts that follow from the records of a step."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from traderagent_core.account import reasons
from traderagent_core.account.account import Account
from traderagent_core.account.state import Record
from traderagent_core.model.fact import Fact
from traderagent_core.model.order import OrderStatus, Purpose

WORDS = {
    "operator_start": "BOT_STARTED",
    "operator_pause": "BOT_PAUSED",
    "operator_resume": "BOT_RESUMED",
    "operator_stop": "BOT_STOPPING",
    "operator_halt": "EMERGENCY",
    "operator_acknowledge": "EMERGENCY_ACKNOWLEDGED",
    "operator_reset": "BOT_RESET",
    "operator_reload": "CONFIGURATION_CHANGED",
    "plugin_quarantined": "BOT_QUARANTINED",
    "stop_refused": "STOP_REFUSED",
}
"""Notes of the engine, and what they are called here."""


def facts_of(records: Iterable[Record], account: Account) -> Iterator[Fact]:
    """What the records of one step tell; `account` has taken them in."""
    for record in records:
        teller = _TELLERS.get(record[0])
        if teller is not None:
            yield from teller(record, account)


def _accepted(record: Record, account: Account) -> Iterator[Fact]:
    yield _of_order("ORDER_PLACED", record[1], record[2], account)


def _ended(record: Record, account: Account) -> Iterator[Fact]:
    _, time_ms, order_id, status, _filled, code = record
    name = "ORDER_FAILED" if status == OrderStatus.REJECTED.value else "ORDER_CANCELED"
    yield _of_order(name, time_ms, order_id, account, code=code)


def _filled(record: Record, account: Account) -> Iterator[Fact]:
    _, time_ms, order_id, trade_id, price, quantity, fee, liquidity, _ = record
    order = account.order(order_id)
    told = {
        "price": f"{price:f}",
        "quantity": f"{quantity:f}",
        "fee": f"{fee:f}",
        "liquidity": liquidity.value,
    }
    yield _of_order("ORDER_FILLED", time_ms, order_id, account, trade_id=trade_id, **told)
    if order is not None and order.purpose is Purpose.TAKE_PROFIT:
        yield _of_order("TAKE_PROFIT_HIT", time_ms, order_id, account, **told)


def _noted(record: Record, _: Account) -> Iterator[Fact]:
    _, time_ms, bot, what, text = record
    if what in WORDS:
        yield Fact(WORDS[what], time_ms, bot, {"reason": text})
    elif what == "exit_begun" and text == "stop_loss":
        yield Fact("STOP_LOSS", time_ms, bot, {"reason": text})


def _plugin_failed(record: Record, _: Account) -> Iterator[Fact]:
    _, time_ms, bot, callback, error = record
    yield Fact("STRATEGY_ERROR", time_ms, bot, {"callback": callback, "error": error})


def _regime(record: Record, _: Account) -> Iterator[Fact]:
    _, time_ms, bot, symbol, old, new, evidence = record
    yield Fact(
        "MARKET_REGIME_CHANGED",
        time_ms,
        bot,
        {"symbol": symbol, "old": old, "new": new, "evidence": evidence},
    )


def _owner(record: Record, _: Account) -> Iterator[Fact]:
    _, time_ms, bot, symbol, old, new = record
    yield Fact("OWNER_CHANGED", time_ms, bot, {"symbol": symbol, "old": old, "new": new})


def _halt(record: Record, _: Account) -> Iterator[Fact]:
    yield Fact("HALT_CHANGED", record[1], "", {"stage": record[2], "reason": record[3]})


def _mode(record: Record, _: Account) -> Iterator[Fact]:
    told = {"mode": record[2], "is_active": record[3], "reason": record[4]}
    yield Fact("RISK_MODE_CHANGED", record[1], reasons.bot_of_mode(record[2]), told)


def _of_order(name: str, time_ms: int, order_id: str, account: Account, **more: Any) -> Fact:
    order = account.order(order_id)
    if order is None:
        return Fact(name, time_ms, "", {"client_order_id": order_id, **more})
    told = {
        "client_order_id": order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "purpose": order.purpose.value,
        "price": None if order.price is None else f"{order.price:f}",
        "quantity": f"{order.quantity:f}",
    }
    return Fact(name, time_ms, order.want.plan.bot, {**told, **more})


_TELLERS: Mapping[str, Callable[[Record, Account], Iterator[Fact]]] = {
    "order_accepted": _accepted,
    "order_ended": _ended,
    "filled": _filled,
    "noted": _noted,
    "plugin_failed": _plugin_failed,
    "regime_changed": _regime,
    "owner_changed": _owner,
    "halt_changed": _halt,
    "mode_changed": _mode,
}

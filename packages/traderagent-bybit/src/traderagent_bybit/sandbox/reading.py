"""Reads of an account: orders, executions, closed trades, the transaction log; windows and pages."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from traderagent_bybit.codes import bad_parameter
from traderagent_bybit.sandbox.account import Account
from traderagent_bybit.sandbox.changing import selected
from traderagent_bybit.sandbox.placing import require_linear
from traderagent_bybit.sandbox.records import Execution, Order

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
CLOSED_KEPT = 500
Row = TypeVar("Row")


def page(rows: Sequence[Row], query: Mapping[str, Any], *, usual: int, most: int) -> tuple[list[Row], str]:
    """One page of rows and the cursor of the next, empty at the end."""
    limit = whole(query, "limit", usual)
    if not 1 <= limit <= most:
        limit = most if limit > most else usual
    start = _offset(str(query.get("cursor") or ""))
    rest = start + limit
    cursor = quote(base64.b64encode(f"offset:{rest}".encode()).decode(), safe="") if rest < len(rows) else ""
    return list(rows[start:rest]), cursor


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        text = base64.b64decode(unquote(cursor), validate=True).decode()
        return int(text.removeprefix("offset:"))
    except ValueError:
        raise bad_parameter("cursor invalid") from None


def whole(query: Mapping[str, Any], key: str, usual: int) -> int:
    """A whole number of a query."""
    try:
        return int(query.get(key) or usual)
    except ValueError:
        raise bad_parameter(f"{key} invalid") from None


def window(query: Mapping[str, Any], now_ms: int, *, usual_ms: int = WEEK_MS) -> tuple[int, int]:
    """The time that a query asks for; more than seven days are refused."""
    start = whole(query, "startTime", 0)
    end = whole(query, "endTime", 0)
    if not start and not end:
        return now_ms - usual_ms, now_ms
    start, end = start or end - usual_ms, end or start + usual_ms
    if end < start or end - start > WEEK_MS:
        raise bad_parameter("The time range between startTime and endTime cannot exceed 7 days")
    return start, end


def realtime(account: Account, query: Mapping[str, Any]) -> dict[str, Any]:
    """Open orders, or with an id that order whatever its status, or with openOnly 1 the last closed ones."""
    require_linear(query)
    if query.get("orderId") or query.get("orderLinkId"):
        order = account.find_order(query)
        found = [order] if order is not None else []
    else:
        if str(query.get("openOnly")) == "1":
            orders = selected(account.orders.values(), account, query)
            found = [order for order in orders if not order.is_open][-CLOSED_KEPT:]
        else:
            found = selected(account.open_orders.values(), account, query)
        found = _filtered(found, query)[::-1]
    return _listed(found, query, Order.row, usual=20, most=50)


def history(account: Account, query: Mapping[str, Any]) -> dict[str, Any]:
    """Orders that are final."""
    require_linear(query)
    if query.get("orderId") or query.get("orderLinkId"):
        order = account.find_order(query)
        found = [order] if order is not None and not order.is_open else []
    else:
        start, end = window(query, account.now_ms)
        found = [
            order
            for order in account.orders.values()
            if not order.is_open
            and start <= order.updated_ms <= end
            and query.get("symbol") in (None, "", order.contract.symbol)
            and query.get("orderStatus") in (None, "", order.status)
        ]
        found = _filtered(found, query)[::-1]
    return _listed(found, query, Order.row, usual=20, most=50)


def _filtered(orders: Sequence[Order], query: Mapping[str, Any]) -> list[Order]:
    wanted = query.get("orderFilter")
    return [order for order in orders if not wanted or order.filter == wanted]


def _listed(
    found: Sequence[Row],
    query: Mapping[str, Any],
    row: Callable[[Row], dict[str, Any]],
    *,
    usual: int,
    most: int,
) -> dict[str, Any]:
    rows, cursor = page(found, query, usual=usual, most=most)
    return {"category": "linear", "list": [row(item) for item in rows], "nextPageCursor": cursor}


def executions(account: Account, query: Mapping[str, Any]) -> dict[str, Any]:
    """Executions, newest first."""
    require_linear(query)
    named = account.links.get(str(query.get("orderLinkId") or ""), query.get("orderId"))
    if query.get("orderLinkId") and named is None:
        return {"category": "linear", "list": [], "nextPageCursor": ""}
    start, end = window(query, account.now_ms)
    found = [
        execution
        for execution in account.executions
        if query.get("symbol") in (None, "", execution.symbol)
        and query.get("execType") in (None, "", execution.kind)
        and (execution.order_id == named if named else start <= execution.time_ms <= end)
    ]
    return _listed(found[::-1], query, Execution.row, usual=50, most=100)


def closed_pnl(account: Account, query: Mapping[str, Any]) -> dict[str, Any]:
    """Reductions of positions, newest first."""
    require_linear(query)
    start, end = window(query, account.now_ms)
    found = [
        trade
        for trade in account.closed_trades
        if start <= trade.time_ms <= end and query.get("symbol") in (None, "", trade.order.contract.symbol)
    ]
    rows, cursor = page(found[::-1], query, usual=50, most=100)
    return {"category": "linear", "list": [trade.row() for trade in rows], "nextPageCursor": cursor}


def transaction_log(account: Account, query: Mapping[str, Any]) -> dict[str, Any]:
    """Money movements, newest first."""
    start, end = window(query, account.now_ms, usual_ms=DAY_MS)
    found = [
        line
        for line in account.movements
        if start <= line.time_ms <= end
        and query.get("type") in (None, "", line.kind)
        and query.get("currency") in (None, "", "USDT")
    ]
    rows, cursor = page(found[::-1], query, usual=20, most=50)
    return {"list": [line.row() for line in rows], "nextPageCursor": cursor}

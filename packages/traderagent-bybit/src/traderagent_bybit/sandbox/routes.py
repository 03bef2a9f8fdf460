"""The paths of the REST API: what each reads or does, who may call it and which limit counts it."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from traderagent_bybit.codes import BybitError, Code, bad_parameter
from traderagent_bybit.sandbox import market_data, positions, reading, wallet
from traderagent_bybit.sandbox.account import Account
from traderagent_bybit.sandbox.numbers import plain
from traderagent_bybit.sandbox.placing import require_linear

Read = Callable[[Account, Mapping[str, Any]], dict[str, Any]]


@frozen
class Route:
    """A private path: an operation that changes an account, a batch of them, or a read."""

    limit: str
    operation: str = ""
    is_batch: bool = False
    read: Read | None = None


def _positions(account: Account, query: Mapping[str, Any]) -> dict[str, Any]:
    require_linear(query)
    rows, cursor = reading.page(positions.list_positions(account, query), query, usual=20, most=200)
    return {"category": "linear", "list": rows, "nextPageCursor": cursor}


def _account_info(account: Account, _: Mapping[str, Any]) -> dict[str, Any]:
    """The venue model liquidates each position by itself: isolated margin."""
    return {
        "unifiedMarginStatus": 5,
        "marginMode": "ISOLATED_MARGIN",
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
        "dcpStatus": "OFF",
        "timeWindow": 0,
        "smpGroup": 0,
        "updatedTime": str(account.now_ms),
    }


def _fee_rate(account: Account, query: Mapping[str, Any]) -> dict[str, Any]:
    require_linear(query)
    chosen = [account.symbol(query["symbol"])] if query.get("symbol") else list(account.symbols.values())
    rows = [
        {
            "symbol": state.contract.symbol,
            "takerFeeRate": plain(state.contract.instrument.taker_fee_ratio),
            "makerFeeRate": plain(state.contract.instrument.maker_fee_ratio),
        }
        for state in chosen
    ]
    return {"category": "linear", "list": rows}


def _query_api(account: Account, _: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": "1",
        "note": account.name,
        "apiKey": account.name,
        "readOnly": 0,
        "secret": "",
        "permissions": {"ContractTrade": ["Order", "Position"], "Wallet": ["AccountTransfer"]},
        "ips": ["*"],
        "type": 1,
        "deadlineDay": 90,
        "userID": 1,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "uta": 1,
        "unified": 0,
        "isMaster": True,
        "parentUid": "0",
    }


def _coins(_: Account, query: Mapping[str, Any]) -> dict[str, Any]:
    names = [query["coin"]] if query.get("coin") else list(wallet.LARGEST_GRANTS)
    rows: list[dict[str, Any]] = [
        {"name": name, "coin": name, "remainAmount": "0", "chains": []} for name in names
    ]
    return {"rows": rows}


def _set_margin_mode(_: Account, body: Mapping[str, Any]) -> dict[str, Any]:
    if body.get("setMarginMode") != "ISOLATED_MARGIN":
        raise BybitError(Code.MARGIN_MODE)
    return {"reasons": []}


def _nothing(_: Account, __: Mapping[str, Any]) -> dict[str, Any]:
    return {"list": [], "nextPageCursor": ""}


ROUTES: dict[tuple[str, str], Route] = {
    ("POST", "/v5/order/create"): Route("create", "create"),
    ("POST", "/v5/order/amend"): Route("amend", "amend"),
    ("POST", "/v5/order/cancel"): Route("cancel", "cancel"),
    ("POST", "/v5/order/cancel-all"): Route("cancel-all", "cancel-all"),
    ("POST", "/v5/order/create-batch"): Route("create-batch", "create", is_batch=True),
    ("POST", "/v5/order/amend-batch"): Route("amend-batch", "amend", is_batch=True),
    ("POST", "/v5/order/cancel-batch"): Route("cancel-batch", "cancel", is_batch=True),
    ("POST", "/v5/position/set-leverage"): Route("set-leverage", "set-leverage"),
    ("POST", "/v5/position/switch-mode"): Route("switch-mode", "switch-mode"),
    ("POST", "/v5/position/trading-stop"): Route("trading-stop", "trading-stop"),
    ("POST", "/v5/account/set-limit-px-action"): Route("other", "set-limit-px-action"),
    ("POST", "/v5/account/demo-apply-money"): Route("other", "demo-apply-money"),
    ("POST", "/v5/account/set-margin-mode"): Route("other", read=_set_margin_mode),
    ("GET", "/v5/order/realtime"): Route("realtime", read=reading.realtime),
    ("GET", "/v5/order/history"): Route("history", read=reading.history),
    ("GET", "/v5/execution/list"): Route("executions", read=reading.executions),
    ("GET", "/v5/position/list"): Route("positions", read=_positions),
    ("GET", "/v5/position/closed-pnl"): Route("closed-pnl", read=reading.closed_pnl),
    ("GET", "/v5/account/wallet-balance"): Route("wallet", read=wallet.wallet_balance),
    ("GET", "/v5/account/info"): Route("other", read=_account_info),
    ("GET", "/v5/account/fee-rate"): Route("fee-rate", read=_fee_rate),
    ("GET", "/v5/account/transaction-log"): Route("transaction-log", read=reading.transaction_log),
    ("GET", "/v5/account/collateral-info"): Route("other", read=_nothing),
    ("GET", "/v5/account/borrow-history"): Route("other", read=_nothing),
    ("GET", "/v5/user/query-api"): Route("other", read=_query_api),
    ("GET", "/v5/asset/coin/query-info"): Route("other", read=_coins),
}

PUBLIC = {("GET", path): read for path, read in market_data.MARKET_READS.items()}
MOST_IN_BATCH = 10


def batch_rows(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The requests of a batch, each with the category of all."""
    require_linear(body)
    rows = body.get("request")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise bad_parameter("params error: request is invalid")
    if len(rows) > MOST_IN_BATCH:
        raise bad_parameter(f"params error: at most {MOST_IN_BATCH} orders in a batch")
    return [{**row, "category": "linear"} for row in rows]

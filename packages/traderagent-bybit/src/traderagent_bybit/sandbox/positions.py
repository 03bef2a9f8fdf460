"""Positions: their rows, leverage and mode."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from traderagent_core.model import command as cmd
from traderagent_core.venue.liquidation import bankruptcy_price, liquidation_price

from traderagent_bybit.codes import BybitError, Code, bad_parameter
from traderagent_bybit.sandbox.account import Account, LegState, SymbolState
from traderagent_bybit.sandbox.numbers import ZERO, money, parse, plain, plain_or_empty
from traderagent_bybit.sandbox.records import Order

_ISOLATED = 1


def position_row(account: Account, leg: LegState) -> dict[str, Any]:
    """The position as `position/list` shows it."""
    size = abs(leg.quantity)
    contract, market = leg.contract, leg.market
    value = abs(leg.position.cost)
    maintenance = contract.instrument.maintenance_margin_ratio
    protection = {order.stop_kind: order for order in account.orders_of(leg)}
    margin = value / market.leverage
    return {
        "positionIdx": leg.leg.value,
        "riskId": 1,
        "riskLimitValue": plain(contract.risk_limit_value),
        "symbol": contract.symbol,
        "side": leg.side,
        "size": plain(size),
        "avgPrice": plain(round(leg.position.average_price, 8)) if size else "0",
        "positionValue": money(value) if size else "",
        "tradeMode": _ISOLATED,
        "autoAddMargin": 0,
        "positionStatus": "Normal",
        "leverage": plain(market.leverage),
        "markPrice": plain(leg.last_price),
        "liqPrice": _liquidation_text(leg, maintenance),
        "bustPrice": _bust_text(leg),
        "positionIM": money(margin) if size else "",
        "positionIMByMp": money(margin) if size else "",
        "positionMM": money(value * maintenance) if size else "",
        "positionMMByMp": money(value * maintenance) if size else "",
        "positionBalance": money(margin) if size else "",
        "tpslMode": "Full",
        "takeProfit": _trigger_text(protection.get("TakeProfit")),
        "stopLoss": _trigger_text(protection.get("StopLoss")),
        "trailingStop": plain_or_empty(_distance(protection.get("TrailingStop"))) or "0",
        "sessionAvgPrice": "",
        "unrealisedPnl": money(account.unrealized([leg])) if size else "",
        "curRealisedPnl": money(leg.position.realized_pnl),
        "cumRealisedPnl": money(leg.position.realized_pnl),
        "adlRankIndicator": 2 if size else 0,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "createdTime": str(leg.created_ms),
        "updatedTime": str(leg.updated_ms),
        "seq": leg.seq or -1,
    }


def position_pushed(account: Account, leg: LegState) -> dict[str, Any]:
    """The position as the private socket shows it: the entry has another name there."""
    leg.seq = account.next_seq()
    row = position_row(account, leg)
    return {**row, "entryPrice": row.pop("avgPrice"), "category": "linear"}


def _liquidation_text(leg: LegState, maintenance: Decimal) -> str:
    if not leg.quantity:
        return ""
    is_long = leg.quantity > ZERO
    price = liquidation_price(leg.position.average_price, leg.market.leverage, maintenance, is_long=is_long)
    return plain(leg.contract.to_tick(price)) if price > ZERO else ""


def _bust_text(leg: LegState) -> str:
    if not leg.quantity:
        return ""
    price = bankruptcy_price(leg.position.average_price, leg.market.leverage, is_long=leg.quantity > ZERO)
    return plain(leg.contract.to_tick(price)) if price > ZERO else ""


def _trigger_text(order: Order | None) -> str:
    return plain_or_empty(order.trigger_price) if order is not None else ""


def _distance(order: Order | None) -> Decimal:
    return order.distance if order is not None else ZERO


def list_positions(account: Account, query: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of a symbol all, the empty ones too; of a settle coin those that are open."""
    if query.get("symbol"):
        legs = account.symbol(query["symbol"]).active_legs()
    elif query.get("settleCoin") or query.get("baseCoin"):
        legs = [leg for state in account.symbols.values() for leg in state.active_legs() if leg.quantity]
    else:
        raise bad_parameter("Symbol or settleCoin cannot be both empty")
    return [position_row(account, leg) for leg in legs]


def set_leverage(account: Account, body: Mapping[str, Any]) -> dict[str, Any]:
    """Set the leverage of both sides of a symbol."""
    state = account.symbol(body.get("symbol"))
    buy, sell = parse(body.get("buyLeverage")), parse(body.get("sellLeverage"))
    if buy is None or sell is None or buy != sell or buy < 1:
        raise bad_parameter("buy leverage invalid")
    most = state.contract.instrument.max_leverage
    if buy > most:
        raise BybitError(Code.LEVERAGE, leverage=plain(buy), most=plain(most))
    before = next(iter(state.legs.values())).market.leverage
    if buy == before:
        raise BybitError(Code.LEVERAGE_SAME)
    _execute(account, state, buy)
    if account.exchange.available < ZERO:
        _execute(account, state, before)
        raise BybitError(Code.NO_FUNDS)
    account.moved_legs |= {leg.market.instrument.symbol: leg for leg in state.active_legs()}
    return {}


def _execute(account: Account, state: SymbolState, leverage: Decimal) -> None:
    for leg in state.legs.values():
        account.exchange.execute(cmd.SetLeverage(leg.market.instrument.symbol, leverage), account.now_ms)


def switch_mode(account: Account, body: Mapping[str, Any]) -> dict[str, Any]:
    """Switch a symbol, or all of a coin, between one-way (0) and hedge mode (3)."""
    if str(body.get("mode")) not in ("0", "3"):
        raise bad_parameter("mode invalid")
    is_hedged = str(body["mode"]) == "3"
    if body.get("symbol"):
        chosen = [account.symbol(body["symbol"])]
    elif body.get("coin"):
        chosen = list(account.symbols.values())
    else:
        raise bad_parameter("Symbol or coin cannot be both empty")
    chosen = [state for state in chosen if state.is_hedged is not is_hedged]
    if not chosen:
        raise BybitError(Code.MODE_SAME)
    for state in chosen:
        if any(leg.quantity for leg in state.legs.values()):
            raise BybitError(Code.MODE_POSITION)
        if any(leg.orders for leg in state.legs.values()):
            raise BybitError(Code.MODE_ORDERS)
    for state in chosen:
        state.is_hedged = is_hedged
    return {}


def set_price_action(account: Account, body: Mapping[str, Any]) -> dict[str, Any]:
    """Whether prices outside the band are moved to its edge, or refused."""
    is_on = body.get("modifyEnable")
    if not isinstance(is_on, bool):
        raise bad_parameter("modifyEnable invalid")
    for state in account.symbols.values():
        state.moves_price = is_on
    return {}

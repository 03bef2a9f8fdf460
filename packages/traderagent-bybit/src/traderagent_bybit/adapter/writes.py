"""Orders and changes of them on their way to Bybit; each has an outcome, also where no answer comes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from traderagent_core import (
    Amendment,
    ExchangeRefusedError,
    ExchangeUnavailableError,
    OrderAmended,
    OrderFact,
    OrderReport,
    OrderRequest,
    OrderType,
    Outcome,
    OutcomeKind,
    OutcomeTable,
)
from traderagent_core.model.order import AttachedStop

from traderagent_bybit.adapter import fields, outcomes, translate
from traderagent_bybit.adapter.fields import STRANGE, rows_of
from traderagent_bybit.adapter.http import UNANSWERED, Answer, Http
from traderagent_bybit.adapter.position_stops import PositionStops, trigger
from traderagent_bybit.adapter.symbols import theirs

LINEAR = {"category": "linear"}
TRADING_STOP = "/v5/position/trading-stop"
Find = Callable[[str, str], Awaitable[OrderReport | None]]


class Writes:
    """Writes of one account. `find` reads an order, `tell` publishes a fact."""

    def __init__(
        self, http: Http, stops: PositionStops, find: Find, tell: Callable[[OrderFact], None]
    ) -> None:
        self._http = http
        self._stops = stops
        self._find = find
        self._tell = tell

    async def submit(self, request: OrderRequest) -> Outcome:
        """See ExchangeAdapter.submit."""
        body = self._stops.body_of(request)
        return await self._write(outcomes.SUBMIT, "/v5/order/create", body, is_protective=_protects(request))

    async def submit_all(self, requests: Sequence[OrderRequest]) -> Sequence[Outcome]:
        """See ExchangeAdapter.submit_all."""
        rows = [self._stops.body_of(request) for request in requests]
        for row in rows:
            del row["category"]
        answer = await self._post(
            "/v5/order/create-batch",
            {**LINEAR, "request": rows},
            is_protective=all(map(_protects, requests)),
            weight=len(rows),
        )
        if isinstance(answer, Outcome):
            return [answer] * len(rows)
        if answer.code != outcomes.OK:
            whole = outcomes.outcome_of(outcomes.SUBMIT, answer.code, answer.text, "", answer.retry_after_ms)
            return [whole] * len(rows)
        try:
            codes, done = rows_of(answer.extra.get("list")), rows_of(answer.result.get("list"))
            return [
                outcomes.outcome_of(
                    outcomes.SUBMIT, _code_of(told), str(told["msg"]), str(row.get("orderId", ""))
                )
                for told, row, _ in zip(codes, done, rows, strict=True)
            ]
        except STRANGE as error:
            return [Outcome.unknown("0", f"rows that make no sense: {error}")] * len(rows)

    async def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        """See ExchangeAdapter.cancel. The stop-loss of a position is set to nothing."""
        place = {**LINEAR, "symbol": theirs(symbol)}
        if self._stops.has(symbol, client_order_id):
            body = {**place, **trigger(symbol), "stopLoss": "0"}
            return await self._write(outcomes.UNSET, TRADING_STOP, body, is_protective=True)
        body = {**place, "orderLinkId": client_order_id}
        return await self._write(outcomes.CANCEL, "/v5/order/cancel", body, is_protective=True)

    async def amend(self, symbol: str, amendment: Amendment) -> Outcome:
        """See ExchangeAdapter.amend."""
        name = amendment.client_order_id
        if self._stops.has(symbol, name):
            return await self._move_stop(symbol, amendment)
        body = {**LINEAR, "symbol": theirs(symbol), "orderLinkId": name}
        if amendment.quantity is not None:
            body["qty"] = translate.plain(amendment.quantity)
        if amendment.price is not None:
            key = "triggerPrice" if await self._is_stop(symbol, name) else "price"
            body[key] = translate.plain(amendment.price)
        return await self._write(outcomes.AMEND, "/v5/order/amend", body, is_protective=True)

    async def _move_stop(self, symbol: str, amendment: Amendment) -> Outcome:
        """The stop-loss of a position has its quantity: where only that is asked for, nobody else will tell."""
        name, price, quantity = amendment.client_order_id, amendment.price, amendment.quantity
        if price is None:
            return Outcome.already_so()
        self._stops.learn(symbol, AttachedStop(name, price))
        place = {"symbol": theirs(symbol), "stopLoss": translate.plain(price)}
        body = {**LINEAR, **trigger(symbol), **place}
        outcome = await self._write(outcomes.AMEND, TRADING_STOP, body, is_protective=True)
        if outcome.kind is not OutcomeKind.ALREADY_SO or quantity is None:
            return outcome
        self._tell(OrderAmended(self._http.clock.now_ms(), name, price, quantity))
        return Outcome.accepted()

    async def _is_stop(self, symbol: str, client_order_id: str) -> bool:
        """Which field a price belongs to; what cannot be read is asked of the venue as a limit, and refused there."""
        try:
            report = await self._find(symbol, client_order_id)
        except (ExchangeUnavailableError, ExchangeRefusedError):
            return False
        return report is not None and report.type is OrderType.STOP

    async def set_leverage(self, symbol: str, leverage: Decimal) -> Outcome:
        """See ExchangeAdapter.set_leverage."""
        text = translate.plain(leverage)
        body = {**LINEAR, "symbol": theirs(symbol), "buyLeverage": text, "sellLeverage": text}
        return await self._write(outcomes.LEVERAGE, "/v5/position/set-leverage", body)

    async def _write(
        self, table: OutcomeTable, path: str, body: Mapping[str, Any], *, is_protective: bool = False
    ) -> Outcome:
        answer = await self._post(path, body, is_protective=is_protective)
        if isinstance(answer, Outcome):
            return answer
        order_id = str(answer.result.get("orderId") or "")
        return outcomes.outcome_of(table, answer.code, answer.text, order_id, answer.retry_after_ms)

    async def _post(
        self, path: str, body: Mapping[str, Any], *, is_protective: bool, weight: int = 1
    ) -> Answer | Outcome:
        try:
            return await self._http.post(path, body, is_protective=is_protective, weight=weight)
        except (*UNANSWERED, *STRANGE, ExchangeUnavailableError) as error:
            return Outcome.unknown(getattr(error, "code", "") or type(error).__name__, str(error))


def _code_of(told: Mapping[str, Any]) -> str:
    """The code of one order of a batch; what is no code is one that nobody knows."""
    return str(told["code"]) if type(told["code"]) is int else f"no code: {fields.shown(told['code'])}"


def _protects(request: OrderRequest) -> bool:
    return request.reduce_only or request.type is OrderType.STOP

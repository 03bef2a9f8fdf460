"""The REST side: raw bytes in, signature, limits, faults, the call itself, the envelope out."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from attrs import frozen

from traderagent_bybit.codes import BybitError, Code, bad_parameter
from traderagent_bybit.sandbox.desk import Desk
from traderagent_bybit.sandbox.faults import Fault
from traderagent_bybit.sandbox.garbling import garbled
from traderagent_bybit.sandbox.limits import Allowance
from traderagent_bybit.sandbox.placing import REJECTED_KEY
from traderagent_bybit.sandbox.routes import PUBLIC, ROUTES, Route, batch_rows
from traderagent_bybit.sandbox.world import AccountSpec
from traderagent_bybit.signing import is_signature, sign_request

DEFAULT_WINDOW = "5000"
AHEAD_MS = 1_000
_HTML = "<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
_EXECUTING = ("lose_reply", "broken_json", "garble")


@frozen
class Call:
    """One request as it came: path, raw payload, and what the payload says."""

    method: str
    path: str
    payload: bytes
    headers: Mapping[str, str]
    address: str

    def parameters(self) -> dict[str, Any]:
        """The query or the JSON body."""
        if self.method == "GET":
            return dict(parse_qsl(self.payload.decode(), keep_blank_values=True))
        if not self.payload:
            return {}
        try:
            body = json.loads(self.payload)
        except ValueError:
            raise bad_parameter("params error: the body is not JSON") from None
        if not isinstance(body, dict):
            raise bad_parameter("params error: the body is not an object")
        return body


class Rest:
    """Answers requests. Acknowledgements leave before the sockets tell what became of an order."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any path that nothing else serves."""
        target, _, query = request.raw_path.partition("?")
        body = await request.read()
        payload = query.encode() if request.method == "GET" else body
        call = Call(request.method, target, payload, request.headers, request.remote or "")
        if self.desk.limits.is_banned(call.address):
            return web.Response(status=403, text="access too frequent, please try again later")
        spec = self.desk.accounts_by_key.get(request.headers.get("X-BAPI-API-KEY", ""))
        name = spec.name if spec is not None else ""
        faults = self.desk.faults
        delay = faults.first("delay", call.path, name)
        if delay is not None:
            await asyncio.sleep(delay.delay_ms / 1000)
        if faults.first("lose_request", call.path, name) is not None:
            return _cut(request)
        fault = next(iter(faults.draw(("http_status", "ret_code", *_EXECUTING), call.path, name)), None)
        response = self._answer(call, fault)
        if fault is not None and fault.kind == "lose_reply":
            self.desk.hub.tell_accounts()
            return _cut(request)
        with suppress(ConnectionError):  # Who asked may be gone; what it asked for has happened.
            await response.prepare(request)
            await response.write_eof()
        self.desk.hub.tell_accounts()
        return response

    def _answer(self, call: Call, fault: Fault | None) -> web.Response:
        if fault is not None and fault.kind not in _EXECUTING and not fault.is_executed:
            return self._faulty(fault, None)
        if (
            (call.method, call.path) not in PUBLIC
            and (call.method, call.path) not in ROUTES
            and call.path != _TIME
        ):
            return self._enveloped(None, BybitError(Code.ROUTE), None, status=404)
        result, error, allowance = None, None, None
        try:
            result, allowance = self._result(call)
        except _Limited as limited:
            allowance, error = limited.allowance, BybitError(Code.TOO_MANY)
        except _Unsigned:
            return web.Response(status=401)
        except BybitError as refused:
            error = refused
        response = self._enveloped(result, error, allowance)
        return response if fault is None else self._faulty(fault, response)

    def _faulty(self, fault: Fault, response: web.Response | None) -> web.Response:
        if fault.kind == "ret_code":
            return self._enveloped(None, BybitError(fault.code, fault.message), None)
        if fault.kind == "http_status":
            return web.Response(
                status=fault.status, text=_HTML.format(status=fault.status), content_type="text/html"
            )
        assert response is not None
        if fault.kind == "broken_json":
            text = response.text or ""
            return web.Response(text=text[: len(text) // 2], content_type="application/json")
        if fault.kind == "garble":
            return web.Response(
                text=garbled(response.text or "", fault.random), content_type="application/json"
            )
        return response

    def _result(self, call: Call) -> tuple[dict[str, Any], Allowance | None]:
        if call.path == _TIME:
            return self._time(), None
        read = PUBLIC.get((call.method, call.path))
        self.desk.session.tick()
        if read is not None:
            return read(self.desk.session.world, call.parameters()), None
        route = ROUTES[call.method, call.path]
        spec = self._authorise(call)
        parameters = call.parameters()
        rows = batch_rows(parameters) if route.is_batch else []
        allowance = self.desk.limits.call(spec.name, route.limit, max(len(rows), 1))
        if allowance.is_over:
            raise _Limited(allowance)
        return self._do(spec, route, call, parameters, rows), allowance

    def _do(
        self,
        spec: AccountSpec,
        route: Route,
        call: Call,
        parameters: Mapping[str, Any],
        rows: list[dict[str, Any]],
    ) -> dict[str, Any]:
        if rows:
            return self.desk.batch(spec.name, route.operation, rows)
        if route.operation == "create" and self.desk.faults.first("reject", call.path, spec.name) is not None:
            parameters = {**parameters, REJECTED_KEY: "EC_Others"}
        if route.read is None:
            return self.desk.session.apply(spec.name, route.operation, parameters)
        result = route.read(self.desk.session.world.accounts[spec.name], parameters)
        hiding = self.desk.faults.first("hide_orders", call.path, spec.name)
        if hiding is not None and "list" in result:
            newest = self.desk.session.world.now_ms - hiding.delay_ms
            result["list"] = [row for row in result["list"] if int(row.get("createdTime", 0)) <= newest]
        return result

    def _authorise(self, call: Call) -> AccountSpec:
        """Whose request this is: the signature is over the bytes as they came, the time is that of the wall."""
        headers = call.headers
        key, given = headers.get("X-BAPI-API-KEY"), headers.get("X-BAPI-SIGN")
        timestamp = headers.get("X-BAPI-TIMESTAMP", "")
        window = headers.get("X-BAPI-RECV-WINDOW", DEFAULT_WINDOW)
        if not key or not given or not timestamp.isdecimal() or not window.isdecimal():
            raise _Unsigned
        spec = self.desk.accounts_by_key.get(key)
        if spec is None:
            raise BybitError(Code.KEY)
        now = self.desk.session.wall_ms()
        if not now - int(window) <= int(timestamp) < now + AHEAD_MS:
            raise BybitError(Code.TIMESTAMP, request=timestamp, server=now, window=window)
        expected = sign_request(spec.secret, key, timestamp, window, call.payload)
        if not is_signature(expected, given):
            origin = f"{timestamp}{key}{window}{call.payload.decode(errors='replace')}"
            raise BybitError(Code.SIGN, origin=origin)
        return spec

    def _time(self) -> dict[str, Any]:
        now = self.desk.session.wall_ms()
        return {"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)}

    def _enveloped(
        self,
        result: dict[str, Any] | None,
        error: BybitError | None,
        allowance: Allowance | None,
        *,
        status: int = 200,
    ) -> web.Response:
        found = dict(result or {})
        extra = found.pop("retExtInfo", {})
        body = {
            "retCode": 0 if error is None else error.code,
            "retMsg": "OK" if error is None else error.message,
            "result": found,
            "retExtInfo": extra,
            "time": self.desk.session.wall_ms(),
        }
        headers = allowance.headers() if allowance is not None else {}
        text = json.dumps(body, separators=(",", ":"))
        return web.Response(text=text, content_type="application/json", headers=headers, status=status)


_TIME = "/v5/market/time"


class _Limited(Exception):
    """A call is one too many."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__()
        self.allowance = allowance


class _Unsigned(Exception):
    """A private call without the headers that sign it."""


def _cut(request: web.Request) -> web.Response:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)

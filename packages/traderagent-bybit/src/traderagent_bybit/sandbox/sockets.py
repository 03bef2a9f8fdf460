"""The socket side: public, private and order-entry sockets; requests are handled in the order received."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import WSMsgType, web

from traderagent_bybit.codes import BybitError, Code
from traderagent_bybit.sandbox.desk import Desk
from traderagent_bybit.sandbox.hub import PRIVATE_TOPICS, Connection
from traderagent_bybit.sandbox.topics import TopicState, is_topic, news
from traderagent_bybit.signing import is_signature, sign_socket

REPLY_DELAY_SECONDS = 0.005
"""Some clients file the id of a request after sending it, and miss a reply that is quicker."""

PUBLIC_PATH, PRIVATE_PATH, TRADE_PATH = "/v5/public/linear", "/v5/private", "/v5/trade"
_TRADE_OPERATIONS = {"order.create": "create", "order.amend": "amend", "order.cancel": "cancel"}
_TRADE_BATCHES = {f"{name}-batch": operation for name, operation in _TRADE_OPERATIONS.items()}
_IDLE_SECONDS = 600


class Sockets:
    """Serves the three kinds of sockets."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One connection, from its start to its end."""
        if self.desk.faults.first("refuse", request.path, "") is not None:
            return web.Response(status=503)
        socket = web.WebSocketResponse(receive_timeout=_IDLE_SECONDS)
        await socket.prepare(request)
        connection = Connection(socket, request.path)
        self.desk.hub.connections.add(connection)
        try:
            await self._serve(connection)
        except TimeoutError:
            await socket.close()
        finally:
            self.desk.hub.connections.discard(connection)
            connection.stop()
        return socket

    async def _serve(self, connection: Connection) -> None:
        async for message in connection.socket:
            if message.type is WSMsgType.TEXT:
                try:
                    request = json.loads(message.data)
                except ValueError:
                    request = None
                if isinstance(request, dict):
                    await self._answer(connection, request)

    async def _answer(self, connection: Connection, request: dict[str, Any]) -> None:
        await asyncio.sleep(REPLY_DELAY_SECONDS)
        operation = str(request.get("op", ""))
        if operation == "ping":
            connection.put(self._pong(connection, request))
        elif operation == "auth":
            self._authorise(connection, request)
        elif connection.path == TRADE_PATH:
            self._trade(connection, request)
        elif operation in ("subscribe", "unsubscribe"):
            self._subscribe(connection, request)
        else:
            connection.put(self._reply(connection, request, f"error:unknown op {operation}"))

    def _pong(self, connection: Connection, request: Mapping[str, Any]) -> dict[str, Any]:
        if connection.path.startswith("/v5/public"):
            return {
                "success": True,
                "ret_msg": "pong",
                "conn_id": connection.number,
                "req_id": request.get("req_id", ""),
                "op": "ping",
            }
        pong = {"op": "pong", "args": [str(self.desk.session.wall_ms())], "conn_id": connection.number}
        return (
            {**pong, "retCode": 0}
            if connection.path == TRADE_PATH
            else {"req_id": request.get("req_id", ""), **pong}
        )

    def _reply(self, connection: Connection, request: Mapping[str, Any], problem: str = "") -> dict[str, Any]:
        return {
            "success": not problem,
            "ret_msg": problem,
            "conn_id": connection.number,
            "req_id": request.get("req_id", ""),
            "op": request.get("op", ""),
        }

    def _authorise(self, connection: Connection, request: Mapping[str, Any]) -> None:
        problem = self._auth_problem(connection, request.get("args"))
        if connection.path == TRADE_PATH:
            code = 10004 if problem else 0
            reply = {"retCode": code, "retMsg": problem or "OK", "op": "auth", "connId": connection.number}
            connection.put(reply)
        else:
            connection.put(self._reply(connection, request, problem))

    def _auth_problem(self, connection: Connection, args: Any) -> str:
        if not isinstance(args, list) or len(args) != 3:
            return "Params Error"
        key, expires, given = (str(arg) for arg in args)
        spec = self.desk.accounts_by_key.get(key)
        if spec is None:
            return "API key is invalid."
        if not expires.isdecimal() or int(expires) <= self.desk.session.wall_ms():
            return "Request expired"
        if not is_signature(sign_socket(spec.secret, expires), given):
            return "Request not authorized: signature mismatch"
        connection.account = spec.name
        return ""

    def _subscribe(self, connection: Connection, request: Mapping[str, Any]) -> None:
        args = request.get("args")
        topics = [str(arg) for arg in args] if isinstance(args, list) else []
        problem = self._topic_problem(connection, topics)
        connection.put(self._reply(connection, request, problem))
        if problem:
            return
        for topic in topics:
            if request.get("op") == "unsubscribe":
                connection.topics.pop(topic, None)
            else:
                self._add(connection, topic)

    def _add(self, connection: Connection, topic: str) -> None:
        world = self.desk.session.world
        state = connection.topics[topic] = TopicState(world.now_ms)
        if connection.path != PRIVATE_PATH:
            for message in news(world, topic, state, is_first=True):
                connection.put(message)

    def _topic_problem(self, connection: Connection, topics: list[str]) -> str:
        if not topics:
            return "error:no topics"
        if connection.path == PRIVATE_PATH:
            if not connection.account:
                return "Request not authorized"
            wrong = [topic for topic in topics if topic.removesuffix(".linear") not in PRIVATE_TOPICS]
        else:
            wrong = [topic for topic in topics if not is_topic(self.desk.session.world, topic)]
        return f"error:handler not found,topic:{wrong[0]}" if wrong else ""

    def _trade(self, connection: Connection, request: dict[str, Any]) -> None:
        data, extra = {}, {}
        code, text = 0, "OK"
        try:
            data = self._traded(connection, request)
            extra = data.pop("retExtInfo", {})
        except BybitError as error:
            code, text = error.code, error.message
        connection.put(
            {
                "reqId": request.get("reqId", ""),
                "retCode": code,
                "retMsg": text,
                "op": request.get("op", ""),
                "data": data,
                "retExtInfo": extra,
                "header": {"Timenow": str(self.desk.session.wall_ms())},
                "connId": connection.number,
            }
        )
        self.desk.hub.tell_accounts()

    def _traded(self, connection: Connection, request: dict[str, Any]) -> dict[str, Any]:
        if not connection.account:
            raise BybitError(Code.KEY)
        args = request.get("args")
        body = args[0] if isinstance(args, list) and args and isinstance(args[0], dict) else {}
        name = str(request.get("op"))
        operation = _TRADE_OPERATIONS.get(name) or _TRADE_BATCHES.get(name)
        if operation is None:
            raise BybitError(Code.ROUTE)
        rows = body.get("request") if name in _TRADE_BATCHES else None
        kind = operation if rows is None else f"{operation}-batch"
        if self.desk.limits.call(connection.account, kind, len(rows) if rows else 1).is_over:
            raise BybitError(Code.TOO_MANY)
        if isinstance(rows, list):
            return self.desk.batch(
                connection.account, operation, [{**row, "category": "linear"} for row in rows]
            )
        return self.desk.session.apply(connection.account, operation, body)

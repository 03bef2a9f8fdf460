"""The control surface, outside the paths of Bybit: time in lockstep, faults, and what the sandbox is."""

from typing import Any

from aiohttp import web

from traderagent_bybit.sandbox.desk import Desk

PREFIX = "/sandbox"


class Control:
    """Answers `GET /sandbox`, `POST` to `advance`, `trade` and `fills` there, and all calls of `/sandbox/faults`."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def add_routes(self, app: web.Application) -> None:
        """Put the paths into an application."""
        app.router.add_get(PREFIX, self.status)
        app.router.add_post(f"{PREFIX}/advance", self.advance)
        app.router.add_post(f"{PREFIX}/trade", self.trade)
        app.router.add_post(f"{PREFIX}/fills", self.fills)
        app.router.add_get(f"{PREFIX}/faults", self.faults)
        app.router.add_put(f"{PREFIX}/faults", self.set_faults)
        app.router.add_delete(f"{PREFIX}/faults", self.clear_faults)

    async def status(self, _: web.Request) -> web.Response:
        """Time, contracts, accounts."""
        return web.json_response(self._status())

    def _status(self, *, has_happened: bool = False) -> dict[str, Any]:
        session = self.desk.session
        session.tick()
        world = session.world
        return {
            "now_ms": world.now_ms,
            "is_lockstep": session.is_lockstep,
            "speed": session.speed,
            "symbols": {
                symbol: {
                    "first_ms": tape.first_ms,
                    "end_ms": tape.end_ms,
                    "timeframe": tape.candles.timeframe,
                }
                for symbol, (_, tape) in world.tapes.items()
            },
            "accounts": list(world.accounts),
            "has_happened": has_happened,
        }

    async def advance(self, request: web.Request) -> web.Response:
        """Move time: `{"to_ms": T}`, `{"ms": N}` or `{"candles": N}`; `stops_at_events` stops at the first event.

        The answer comes when everything that this made the sockets tell has left.
        """
        body = await request.json()
        session = self.desk.session
        try:
            to_ms = self._target(body)
            has_happened = session.advance(to_ms, stops_at_events=bool(body.get("stops_at_events")))
        except (TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        self.desk.hub.flush()
        await self.desk.hub.drained()
        return web.json_response(self._status(has_happened=has_happened))

    async def trade(self, request: web.Request) -> web.Response:
        """Let a market in lockstep go to a price: `{"symbol": "BTCUSDT", "price": "40000"}`."""
        body = await request.json()
        try:
            has_happened = self.desk.session.trade(body["symbol"], float(body["price"]))
        except (KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        self.desk.hub.flush()
        await self.desk.hub.drained()
        return web.json_response(self._status(has_happened=has_happened))

    async def fills(self, request: web.Request) -> web.Response:
        """Split every fill from now on: `{"parts": 3}`."""
        parts = (await request.json()).get("parts")
        if type(parts) is not int or parts < 1:
            return web.json_response({"error": "expected a whole number of parts, at least 1"}, status=400)
        self.desk.session.split_fills(parts)
        return web.json_response(self._status())

    def _target(self, body: dict[str, Any]) -> int:
        now = self.desk.session.world.now_ms
        if "to_ms" in body:
            return int(body["to_ms"])
        if "ms" in body:
            return now + int(body["ms"])
        if "candles" in body:
            lengths = [tape.duration_ms for _, tape in self.desk.session.world.tapes.values()]
            length = min(lengths)
            return (now // length + int(body["candles"])) * length
        raise ValueError('expected one of "to_ms", "ms" and "candles"')

    async def faults(self, _: web.Request) -> web.Response:
        """The rules in force, with how often each matched and applied."""
        return web.json_response({"rules": [rule.row() for rule in self.desk.faults.rules]})

    async def set_faults(self, request: web.Request) -> web.Response:
        """Put rules in force: `{"seed": 1, "rules": [{"kind": "lose_reply", "match": "/v5/order/create"}]}`."""
        body = await request.json()
        try:
            self.desk.faults.replace(body["rules"], int(body.get("seed", 0)))
        except (TypeError, ValueError, KeyError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return await self.faults(request)

    async def clear_faults(self, request: web.Request) -> web.Response:
        """No faults any more."""
        self.desk.faults.replace([], 0)
        return await self.faults(request)

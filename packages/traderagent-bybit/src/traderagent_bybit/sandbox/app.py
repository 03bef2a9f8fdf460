"""The server: one port on loopback for REST, sockets and control."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from traderagent_bybit.sandbox.control import Control
from traderagent_bybit.sandbox.desk import Desk
from traderagent_bybit.sandbox.rest import Rest
from traderagent_bybit.sandbox.session import Session
from traderagent_bybit.sandbox.sockets import PRIVATE_PATH, PUBLIC_PATH, TRADE_PATH, Sockets

HOST = "127.0.0.1"
TICK_SECONDS = 0.1


def make_app(desk: Desk) -> web.Application:
    """The application of a sandbox."""
    app = web.Application()
    sockets = Sockets(desk)
    for path in (PUBLIC_PATH, PRIVATE_PATH, TRADE_PATH):
        app.router.add_get(path, sockets.handle)
    Control(desk).add_routes(app)
    app.router.add_route("*", "/{path:.*}", Rest(desk).handle)
    return app


@asynccontextmanager
async def serving(session: Session, *, port: int = 0) -> AsyncIterator[tuple[Desk, str]]:
    """Serve a session while inside; gives the desk and the base URL. Port 0 takes any that is free."""
    desk = Desk(session)
    runner = web.AppRunner(make_app(desk), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, HOST, port)
    await site.start()
    ticker = asyncio.create_task(_tick(desk))
    address = runner.addresses[0]
    try:
        yield desk, f"http://{HOST}:{address[1]}"
    finally:
        ticker.cancel()
        with suppress(asyncio.CancelledError):
            await ticker
        for connection in list(desk.hub.connections):
            connection.cut()
        await runner.cleanup()
        session.close()


async def _tick(desk: Desk) -> None:
    """Let time pass where it passes by itself."""
    while not desk.session.is_lockstep:
        await asyncio.sleep(TICK_SECONDS)
        desk.session.tick()  # A request may have been first.
        desk.hub.flush()

"""Panic without a running process: a run that starts no bot, halts, and ends when everything is closed."""

import asyncio

from traderagent_core.coordinator.halt import Stage
from traderagent_core.engine.life_cycle import bots_of, is_at_work
from traderagent_core.live.control.words import Words
from traderagent_core.live.driver import Driver
from traderagent_core.live.running import Keeper

LOOK_SECONDS = 0.1


def keep_panic(bot: str | None) -> Keeper:
    """Halt one bot, or with None the account; returns when nothing is held or open any more."""

    async def keep(driver: Driver) -> None:
        driver.tell(lambda: Words(driver).panic(bot, "panic"))
        await asyncio.sleep(LOOK_SECONDS)
        while not is_closed(driver, bot):
            await asyncio.sleep(LOOK_SECONDS)

    return keep


def is_closed(driver: Driver, bot: str | None) -> bool:
    """Whether what was to be closed is closed, by the exchange's word."""
    engine = driver.engine
    if bot is None:
        return engine.halting.state.stage is Stage.AWAIT_ACK
    members = bots_of(engine)[bot]
    names = {member.name for member in members}
    has_orders = any(order.want.plan.bot in names for order in engine.account.orders.values())
    is_flat = all(engine.exits.is_flat(member) for member in members)
    return is_flat and not has_orders and not is_at_work(members, engine.account)

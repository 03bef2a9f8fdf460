"""Having something done between two steps of the engine, and waiting for what comes of it."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from traderagent_core.errors import ConfigError, OrderError
from traderagent_core.live.driver import Driver

Done = TypeVar("Done")


async def in_turn(driver: Driver, doer: Callable[[], Done]) -> Done:
    """What a function gives in the driver's turn; its refusals are raised here, all else ends the run."""
    done: asyncio.Future[Done] = asyncio.get_running_loop().create_future()

    def do() -> None:
        if done.done():  # Who has asked is gone.
            return
        try:
            done.set_result(doer())
        except (OrderError, ConfigError) as error:
            done.set_exception(error)

    driver.tell(do)
    return await done

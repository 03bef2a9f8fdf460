"""Waiting for the first of several, and for something to do."""

import asyncio
from collections.abc import Awaitable, Sized
from typing import Any


async def first_of(*waits: Awaitable[Any] | None) -> None:
    """Wait until one is there, and cancel the others; None is never there."""
    tasks = [asyncio.ensure_future(wait) for wait in waits if wait is not None]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def until_some(waiting: Sized, news: asyncio.Event) -> None:
    """Wait until something waits; whoever adds to it sets `news`."""
    while not waiting:
        news.clear()
        await news.wait()

"""The log of a run: one JSON object a line, rotated."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

FILE = "run.log"
MOST_BYTES = 100 * 1024 * 1024
FILES = 10


@contextmanager
def run_log(folder: Path, level: str) -> Iterator[Callable[..., None]]:
    """Gives a function that writes to `run.log` in `folder` what happened, with values by name."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    logger = logging.Logger("traderagent.run", level)
    handler = RotatingFileHandler(folder / FILE, maxBytes=MOST_BYTES, backupCount=FILES - 1, encoding="utf-8")
    logger.addHandler(handler)

    def tell(what: str, **values: Any) -> None:
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        logger.info("%s", json.dumps({"time": time, "event": what, **values}, default=str))

    try:
        yield tell
    finally:
        handler.close()

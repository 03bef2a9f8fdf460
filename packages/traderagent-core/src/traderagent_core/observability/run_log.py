"""The log of a run: one JSON object a line, rotated, without secrets and without floods.

Loggers of libraries write to it too, from the level on that the configuration says.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict

from traderagent_core.observability.flood import FloodFilter
from traderagent_core.observability.hiding import Hider

FILE = "run.log"
MOST_BYTES = 100 * 1024 * 1024
FILES = 10
LEVELS = {
    "read_failed": logging.WARNING,
    "link_lost": logging.WARNING,
    "stream_failed": logging.ERROR,
    "journal_tail_dropped": logging.WARNING,
    "snapshot_skipped": logging.WARNING,
    "callback_slow": logging.WARNING,
    "entries_barred": logging.WARNING,
    "database_behind": logging.WARNING,
    "ledger_adjusted": logging.ERROR,
    "stray_order": logging.ERROR,
    "order_failed": logging.WARNING,
    "strategy_failed": logging.ERROR,
    "bot_quarantined": logging.ERROR,
    "stop_refused": logging.ERROR,
    "health_critical": logging.ERROR,
    "halt_changed": logging.ERROR,
}
"""Of what happened; all else is INFO."""


@contextmanager
def run_log(folder: Path, level: str, secrets: Iterable[str] = ()) -> Iterator[Callable[..., None]]:
    """Gives a function that writes to `run.log` in `folder` what happened, with values by name.

    `secrets` are hidden wherever they would appear, also in an error that ends the run.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    hider = Hider(secrets)
    handler = _handler(folder / FILE, hider)
    own = logging.Logger("traderagent", level)
    own.addHandler(handler)
    log = structlog.wrap_logger(
        own,
        processors=[structlog.stdlib.add_log_level, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
    )

    def tell(what: str, **values: Any) -> None:
        log.log(LEVELS.get(what, logging.INFO), what, **values)

    with _libraries_too(handler, level):
        try:
            yield tell
        except Exception as error:
            hider.error(error)
            log.error("run_failed", exc_info=error)
            raise
        finally:
            handler.close()


def _handler(path: Path, hider: Hider) -> logging.Handler:
    def clean(_logger: Any, _method: str, event: EventDict) -> EventDict:
        first = {key: event.pop(key) for key in ("time", "level", "event") if key in event}
        return dict(hider.value({**first, **event}))

    def repeated(_logger: Any, _method: str, event: EventDict) -> EventDict:
        count = getattr(event["_record"], "repeated", 0)
        return {**event, "repeated": count} if count else event

    handler = RotatingFileHandler(path, maxBytes=MOST_BYTES, backupCount=FILES - 1, encoding="utf-8")
    handler.addFilter(FloodFilter())
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name],
            processors=[
                repeated,
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                structlog.processors.format_exc_info,
                clean,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    return handler


@contextmanager
def _libraries_too(handler: logging.Handler, level: str) -> Iterator[None]:
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield
    finally:
        root.setLevel(before)
        root.removeHandler(handler)

"""What a grid remembers between two calls: enough to go on after a restart."""

from enum import Enum

from attrs import frozen

from traderagent_grid.ranges import Range


class Phase(Enum):
    """Where a grid stands. The three in between wait for the venue's word that the old orders are gone."""

    WAITING = "waiting"
    RUNNING = "running"
    SHIFTING = "shifting"
    PAUSING = "pausing"
    PAUSED = "paused"
    RESUMING = "resuming"
    STOPPED = "stopped"


BETWEEN = frozenset({Phase.SHIFTING, Phase.PAUSING, Phase.RESUMING})


@frozen
class GridState:
    """The state of a grid; replaced, never changed.

    `reason` says why it waits, is paused, stands still or has stopped. `left_ms` is when the price left the range.
    `attempts` counts refusals in a row. `fixed_fallbacks` counts ranges that had to do without an ATR.
    """

    schema_version: int = 1
    phase: Phase = Phase.WAITING
    reason: str = ""
    range: Range | None = None
    left_ms: int | None = None
    shifts_up: int = 0
    shifts_down: int = 0
    fixed_fallbacks: int = 0
    attempts: int = 0
    is_trending: bool = False
    has_closing_orders: bool = False

"""What can go wrong, and how one seed chooses: which faults are on, and how strong each of them is."""

from collections.abc import Mapping
from enum import Enum
from random import Random

from attrs import frozen

STRENGTHS = (0.5, 1.0, 4.0)
"""How many times as often as usual a fault that is on strikes."""

ONLY_ONE, FEW, MANY = 0.25, 0.15, 0.5
"""Share of seeds with a single fault, and chances of each fault to be on in other seeds."""


class Fault(Enum):
    """A kind of fault, with how often it strikes by itself: chance for each request or message, or times in a run."""

    LOST_REQUEST = ("lost_request", 0.04)
    LOST_REPLY = ("lost_reply", 0.04)
    DOUBLED_REQUEST = ("doubled_request", 0.05)
    LATE_REQUEST = ("late_request", 0.08)
    LATE_REPLY = ("late_reply", 0.05)
    REFUSED = ("refused", 0.02)
    NOT_PROCESSED = ("not_processed", 0.05)
    UNKNOWN_CODE = ("unknown_code", 0.05)
    STOP_REFUSED = ("stop_refused", 0.1)
    FAILED_READ = ("failed_read", 0.05)
    HIDDEN_ORDERS = ("hidden_orders", 0.25)
    STALE_PAGE = ("stale_page", 0.1)
    RATE_LIMIT = ("rate_limit", 1.0)
    BAN = ("ban", 0.5)
    MAINTENANCE = ("maintenance", 0.5)
    CONNECTION_LOSS = ("connection_loss", 2.0)
    SILENT_STREAM = ("silent_stream", 1.0)
    DROPPED_MESSAGE = ("dropped_message", 0.05)
    DOUBLED_MESSAGE = ("doubled_message", 0.1)
    REORDERED_MESSAGE = ("reordered_message", 0.1)
    LATE_MESSAGE = ("late_message", 0.1)
    REPLAYED_MESSAGES = ("replayed_messages", 0.5)
    PARTIAL_FILL = ("partial_fill", 0.2)
    CANCEL_RACE = ("cancel_race", 0.2)
    DELEVERAGED = ("deleveraged", 0.5)
    FOREIGN_ORDER = ("foreign_order", 1.0)
    MANUAL_TRADE = ("manual_trade", 0.5)
    PRICE_GAP = ("price_gap", 1.0)
    CANDLE_MISSING = ("candle_missing", 0.1)
    CANDLE_LATE = ("candle_late", 0.1)
    CANDLE_DOUBLED = ("candle_doubled", 0.1)
    CLOCK_JUMP = ("clock_jump", 0.5)
    CLOCK_DRIFT = ("clock_drift", 1.0)
    SUSPEND = ("suspend", 0.5)
    CRASH = ("crash", 1.0)
    CRASH_AT_STEP = ("crash_at_step", 1.0)
    CRASH_IN_RECOVERY = ("crash_in_recovery", 0.5)
    TORN_WRITE = ("torn_write", 0.5)
    SLOW_FLUSH = ("slow_flush", 0.1)
    DISK_FULL = ("disk_full", 0.5)

    __hash__ = object.__hash__  # That of an enum is slow, and each request asks for the rates of many.

    def __init__(self, label: str, base: float) -> None:
        self.label = label
        self.base = base


@frozen
class Mix:
    """Strength of each fault that is on; what is not named is off."""

    strengths: Mapping[Fault, float]

    def rate(self, fault: Fault) -> float:
        """How often a fault strikes here; 0 when it is off."""
        return fault.base * self.strengths.get(fault, 0.0)

    def __str__(self) -> str:
        return (
            ", ".join(f"{fault.label} x{strength:g}" for fault, strength in self.strengths.items()) or "none"
        )


def draw(random: Random) -> Mix:
    """The faults of one seed."""
    if random.random() < ONLY_ONE:
        chosen = [random.choice(list(Fault))]
    else:
        chance = random.choice((FEW, MANY))
        chosen = [fault for fault in Fault if random.random() < chance]
    return Mix({fault: random.choice(STRENGTHS) for fault in chosen})

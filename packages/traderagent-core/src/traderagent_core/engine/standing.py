"""What a strategy may do on its pair."""

from enum import Enum


class Standing(Enum):
    """Add to a position; only let go of one; or nothing, as another strategy trades there."""

    OWNER = "owner"
    LEAVING = "leaving"
    IDLE = "idle"

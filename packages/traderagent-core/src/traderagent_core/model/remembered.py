"""Memory of what has been, for what comes late or twice: bounded, the newest are kept."""

from itertools import islice
from typing import Any


def forget_oldest(remembered: dict[Any, Any], most: int) -> None:
    """Let go of the oldest tenth once there is more than `most`.

    One at a time, each would be looked for behind the gaps that those before it have left.
    """
    if len(remembered) > most:
        for key in list(islice(remembered, most // 10)):
            del remembered[key]

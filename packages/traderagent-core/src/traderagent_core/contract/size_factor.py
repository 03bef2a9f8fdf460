"""What a size factor may be: filters and risk modes give one each."""

from decimal import Decimal
from typing import Any


def check_size_factor(value: Any, instead: str) -> None:
    """Raise TypeError for no Decimal, ValueError for one out of range; `instead` is how to let nothing be added."""
    if not isinstance(value, Decimal):
        raise TypeError(f"size_factor must be a Decimal, such as Decimal('0.5'), not {value!r}")
    if not Decimal(0) < value <= 1:
        raise ValueError(
            f"size_factor must be above 0 and at most 1, not {value}; to let nothing be added say {instead}"
        )

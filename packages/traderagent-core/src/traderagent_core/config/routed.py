"""A strategy's section as a route changes it."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from pydantic import BaseModel

from traderagent_core.config.coordinator import ReserveConfig


class FactorError(ValueError):
    """A factor on what is no number; `key` is that of the section."""

    def __init__(self, key: str, value: Any) -> None:
        super().__init__(f"{key} is {value!r}, which is no number and can have no factor")
        self.key = key


def routed(section: BaseModel, route: ReserveConfig) -> BaseModel:
    """A strategy's configuration with a route's parameters and factors; raises ValidationError, or FactorError.

    Whole numbers stay whole. Keys that the strategy does not have change nothing: a file cannot write them, and the
    default routes speak of the strategies of this project.
    """
    model = type(section)
    values = {name: getattr(section, name) for name in section.model_fields_set}
    values |= {name: value for name, value in route.parameters.items() if name in model.model_fields}
    for name, factor in route.factors.items():
        value = getattr(section, name, None)
        if value is not None:
            values[name] = _times(name, value, factor)
    return model.model_validate(values, by_name=True)


def _times(name: str, value: Any, factor: Decimal) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise FactorError(name, value)
    if isinstance(value, float):
        return float(Decimal(repr(value)) * factor)
    product = value * factor
    return int(product.to_integral_value(ROUND_HALF_EVEN)) if isinstance(value, int) else product

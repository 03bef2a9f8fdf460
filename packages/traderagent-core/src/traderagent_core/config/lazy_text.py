"""A text whose environment variable may be unset: that is an error only for the command that asks for it."""

from typing import Any

from attrs import field, frozen
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from traderagent_core.config.problems import ConfigProblem, InvalidConfigError


@frozen
class LazyText:
    """A text of the configuration, never shown; `problem` says why it cannot be had."""

    _text: str = field(default="", repr=False)
    problem: ConfigProblem | None = field(default=None, repr=False)

    @property
    def is_set(self) -> bool:
        """Whether `reveal` will answer."""
        return self.problem is None

    def reveal(self) -> str:
        """The text; raises InvalidConfigError when its environment variable is not set."""
        if self.problem is not None:
            raise InvalidConfigError([self.problem])
        return self._text

    def __str__(self) -> str:
        return "***"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accept a text or a LazyText."""
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """A string, to an editor."""
        return {"type": "string"}

    @classmethod
    def _validate(cls, value: Any) -> "LazyText":
        if isinstance(value, LazyText):
            return value
        if isinstance(value, str):
            return cls(value)
        raise PydanticCustomError("string_type", "Input should be a valid string")

"""What the kits of all kinds share: the subjects to examine, the candles, and that no case is left out silently."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest
from attrs import frozen
from pydantic import BaseModel

from traderagent_core.model.candle import Candles
from traderagent_core.model.instrument import Instrument
from traderagent_core.testing.comparing import refuse
from traderagent_core.testing.hand_made import SPOT
from traderagent_core.testing.markets import MARKETS, market


@frozen
class Subject:
    """What one case examines: a configuration on an instrument."""

    config: Any
    instrument: Instrument
    label: str


class Examination:
    """Attributes and methods by which a test class says what is to be examined, whatever the kind of plugin."""

    configs: ClassVar[Sequence[Any]] = ()
    instruments: ClassVar[Sequence[Instrument]] = (SPOT,)
    timeframe: ClassVar[str] = "1h"
    price: ClassVar[float] = 100.0
    rows: ClassVar[int] = 600
    skips: ClassVar[Mapping[str, str]] = {}

    def config(self) -> Any:
        """The configuration object, or several in a list or tuple."""
        return self.configs

    def instrument(self) -> Any:
        """The instrument, or several in a list or tuple."""
        return self.instruments

    def candles(self, instrument: Instrument, rows: int) -> Mapping[str, Candles]:
        """Candles by name of the market: `rows` of each, enough for the indicators to warm up."""
        return {
            name: market(
                name,
                symbol=instrument.symbol,
                timeframe=self.timeframe,
                rows=rows,
                price=self.price,
                tick_size=instrument.tick_size,
            )
            for name in MARKETS
        }

    def subjects(self) -> list[Subject]:
        """Every configuration on every instrument."""
        configs, instruments = _several(self.config()), _several(self.instrument())
        return [
            Subject(config, instrument, f"{instrument.symbol}-{instrument.market.value}-{number}")
            for number, config in enumerate(configs)
            for instrument in instruments
        ]

    @pytest.fixture(autouse=True)
    def _skip_with_a_reason(self, request: pytest.FixtureRequest) -> None:
        reason = self.skips.get(getattr(request, "function").__name__)  # noqa: B009
        if reason is not None:
            pytest.skip(reason)

    def test_no_case_is_overridden_or_skipped_without_a_reason(self) -> None:
        """A case that does not suit a plugin is skipped for all to see.

        Mend: name the case in `skips`, with the reason, instead of overriding it.
        """
        known = dict(cases(_kit(type(self))))
        overridden = [name for name, case in cases(type(self)) if name in known and case is not known[name]]
        if overridden:
            refuse(
                expected="the cases of the kit as they are",
                found=f"{', '.join(overridden)} overridden",
                mend='write skips = {"test_…": "the reason"} instead',
            )
        wrong = [name for name, reason in self.skips.items() if name not in known or not reason.strip()]
        if wrong:
            refuse(
                expected=f"in skips, names of cases with reasons; the cases are {', '.join(sorted(known))}",
                found=f"{', '.join(wrong)}, unknown or without a reason",
                mend="correct the name, or state the reason",
            )


class Configured(Examination):
    """Cases about the configuration of a plugin, whatever its kind."""

    def test_configuration_refuses_unknown_keys_and_has_a_schema(self, subject: Subject) -> None:
        """A typing error in a configuration file is told, and editors can complete keys.

        Mend: derive the configuration from pydantic.BaseModel with `model_config = ConfigDict(extra="forbid")`,
        and use types that have a JSON Schema.
        """
        model = type(subject.config)
        if not issubclass(model, BaseModel):
            refuse(
                expected="a configuration that is a pydantic model",
                found=f"an object of {model.__name__}",
                mend="derive the configuration class from pydantic.BaseModel",
            )
        if model.model_config.get("extra") != "forbid":
            refuse(
                expected=f"{model.__name__} refuses keys that it does not know",
                found=f"extra={model.model_config.get('extra')!r}",
                mend='give it model_config = ConfigDict(extra="forbid")',
            )
        try:
            json.dumps(model.model_json_schema())
        except Exception as error:
            refuse(
                expected=f"a JSON Schema of {model.__name__}",
                found=f"{type(error).__name__}: {error}",
                mend="use field types that pydantic can describe",
            )

    def test_configuration_survives_being_written_and_read(self, subject: Subject) -> None:
        """A preset that was exported and loaded again is the same configuration.

        Mend: a field whose text is not read back as the same value needs another type or a serializer.
        """
        model = type(subject.config)
        try:
            text = subject.config.model_dump_json()
            back = model.model_validate_json(text)
        except ValueError as error:
            refuse(
                expected=f"{model.__name__} can be written as JSON and read again",
                found=str(error),
                mend="use field types that pydantic writes and reads",
            )
        if back != subject.config:
            refuse(
                expected=repr(subject.config),
                found=repr(back),
                mend="compare the fields: one of them is not read back as it was",
            )


def _several(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _kit(examination: type) -> type:
    """The kit that a test class inherits."""
    return next(base for base in examination.__mro__ if base.__module__.startswith(__package__))


def cases(kit: type) -> Iterator[tuple[str, Callable[..., None]]]:
    """The cases of a kit: (name, function)."""
    for name in dir(kit):
        if name.startswith("test_"):
            yield name, getattr(kit, name)

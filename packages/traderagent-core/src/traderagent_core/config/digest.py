"""A fingerprint of what a configuration means: equal values, equal digest, however the file is written."""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

import attrs
from pydantic import BaseModel, SecretBytes, SecretStr

from traderagent_core.config.lazy_text import LazyText
from traderagent_core.config.problems import is_secret


def digest(values: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the canonical JSON of some values; secrets are left out."""
    text = json.dumps(_canonical(values), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _keys({name: getattr(value, name) for name in type(value).model_fields})
    if attrs.has(type(value)) and not isinstance(value, LazyText):
        return _keys({name: getattr(value, name) for name in attrs.fields_dict(type(value))})
    if isinstance(value, Mapping):
        return _keys({str(key): item for key, item in value.items()})
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_canonical(item) for item in value), key=repr)
    return _scalar(value)


def _keys(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is not given is left out, so that it equals a secret that is."""
    unsaid = (LazyText, SecretStr, SecretBytes, type(None))
    return {
        key: _canonical(value)
        for key, value in values.items()
        if not is_secret((key,)) and not isinstance(value, unsaid)
    }


def _scalar(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, Enum):
        return _canonical(value.value)
    if isinstance(value, type):
        return value.__qualname__
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _number(value: Decimal) -> str:
    """0.1, 0.10 and 1E-1 are one number; a huge exponent stays an exponent."""
    if not value.is_finite():
        return str(value)
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    trimmed = text.rstrip("0")
    if not trimmed:
        return "0"
    return f"{'-' if sign else ''}{trimmed}E{int(exponent) + len(text) - len(trimmed)}"

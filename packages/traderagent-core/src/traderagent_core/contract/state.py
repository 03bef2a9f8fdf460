"""What plugins remember: one frozen attrs object with a schema_version, which is replaced and never changed."""

from typing import Any

import attrs
from attrs import frozen


@frozen
class NoState:
    """The state of a plugin that remembers nothing."""

    schema_version: int = 1


def check_state_class(owner: Any) -> str | None:
    """Why the state of a class of strategies or filters cannot be saved and taken back, or None when it can."""
    state_class = owner.state_class
    if not attrs.has(state_class):
        return f"state_class of {owner.__name__} must be an attrs class, not {state_class!r}"
    if "schema_version" not in attrs.fields_dict(state_class):
        return f"{state_class.__name__} needs a field schema_version"
    if not _is_frozen(state_class):
        return (
            f"{state_class.__name__} must be frozen (attrs.frozen): a callback replaces the state as a whole"
        )
    return None


def _is_frozen(cls: type) -> bool:
    return cls.__setattr__.__name__ == "_frozen_setattrs"

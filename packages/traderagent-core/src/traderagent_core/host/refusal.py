"""Why a plugin is refused: the cause in words and what would mend it."""

import traceback


class Refusal(Exception):
    """A plugin cannot be used; caught by the host, never shown to callers."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy


def describe_exception(error: BaseException) -> str:
    """Type, message and place on one line."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} ({error.filename}, line {error.lineno})"
    if isinstance(error, SystemExit):
        text = f"it called exit({error.code!r})"
    else:
        text = f"{type(error).__name__}: {' '.join(_message(error).split())}".rstrip(": ")
    place = _place(error)
    return f"{text} ({place})" if place else text


def _message(error: BaseException) -> str:
    # The validators of attrs put the attribute, the class and the value behind the message.
    if isinstance(error, TypeError) and len(error.args) > 1:
        return str(error.args[0])
    return str(error)


def _place(error: BaseException) -> str:
    """File and line of the innermost frame outside the import system and this package."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame for frame in frames if not frame.filename.startswith("<") and not _is_machinery(frame.filename)
    ]
    return f"{own[-1].filename}, line {own[-1].lineno}" if own else ""


def _is_machinery(filename: str) -> bool:
    path = filename.replace("\\", "/")
    return any(
        part in path for part in ("/importlib/", "/traderagent_core/host/", "/traderagent_core/specs.py")
    )

"""The error tree. Each class says who has to react."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

LONGEST_ERROR = 300


class TraderAgentError(Exception):
    """Everything this project raises on purpose; printed without a traceback, by default with exit code 2."""

    exit_code: ClassVar[int] = 2


class ConfigError(TraderAgentError):
    """The configuration is wrong: the user mends the file."""


class DataError(TraderAgentError):
    """Market data are missing or broken: the user mends or imports them."""


class PluginError(TraderAgentError):
    """A plugin is missing, broken or incompatible."""

    def __init__(self, message: str, *, plugin: str = "", distribution: str = "") -> None:
        super().__init__(message)
        self.plugin = plugin
        self.distribution = distribution


class PluginHungError(PluginError):
    """A call of a plugin took so long that its process was ended; it is not made again."""


class OrderError(TraderAgentError):
    """A plan or order breaks the contract: the strategy's author mends it."""


class PersistenceError(TraderAgentError):
    """Kept state cannot be read or written: the operator mends what the message names."""


class JournalError(PersistenceError):
    """The journal cannot be written any more; nothing may be sent until the process has started anew."""


class DiskFullError(JournalError):
    """No room for one more entry; what is written stays sound, and may go on once there is room."""


class JournalDamagedError(JournalError):
    """A journal lacks or garbles something that was durable: the operator restores a backup."""

    def __init__(self, message: str, *, file: str, sequence: int) -> None:
        super().__init__(message)
        self.file = file
        self.sequence = sequence


class AccountHeldError(PersistenceError):
    """Another instance holds the exchange account: the operator stops one of the two."""

    exit_code = 3

    def __init__(self, message: str, *, account: str) -> None:
        super().__init__(message)
        self.account = account


class StoreError(PersistenceError):
    """The database cannot be used, or holds what it should not: the operator mends it."""


class VaultError(PersistenceError):
    """Credentials or their key are missing, wrong or not where they belong: the operator mends them."""


class BackupError(PersistenceError):
    """A backup is incomplete or damaged, or there is no free place to restore it to."""


class ExchangeError(TraderAgentError):
    """A read at an exchange failed; it says nothing about what is there. `code` is the venue's own."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class ExchangeUnavailableError(ExchangeError):
    """The exchange did not answer, or not sensibly: the driver reads again, after `retry_after_ms` at least."""

    def __init__(self, message: str, *, code: str = "", retry_after_ms: int = 0) -> None:
        super().__init__(message, code=code)
        self.retry_after_ms = retry_after_ms


class ExchangeRefusedError(ExchangeError):
    """The exchange refuses this account or this request: the user mends keys, rights or configuration."""


def told(error: BaseException) -> str:
    """An error in words, whatever its author makes of them."""
    name = type(error).__name__
    try:
        return clipped(f"{name}: {error}", LONGEST_ERROR)
    except Exception:
        return f"{name} that cannot be told"


def clipped(text: str, most: int) -> str:
    """A text of bounded length that every file can hold."""
    shown = text if len(text) <= most else f"{text[: most - 1]}…"
    return shown if shown.isascii() else shown.encode("utf-8", "replace").decode("utf-8")


@contextmanager
def asking(plugin: str, what: str) -> Iterator[None]:
    """Whatever a plugin raises inside is a PluginError with its name, but what the user does or has to mend."""
    try:
        yield
    except (TraderAgentError, KeyboardInterrupt):
        raise
    except BaseException as error:
        message = f"plugin {plugin!r} failed in {what}: {told(error)}; tell its author"
        raise PluginError(message, plugin=plugin) from error

"""One writer for one exchange account: a lock that the system releases when its process ends."""

import json
import os
from pathlib import Path

from attrs import asdict, define, frozen

from traderagent_core.errors import AccountHeldError, PersistenceError

try:
    import fcntl
except ImportError:  # Without such locks nothing keeps two instances apart, and one account cannot bear two.
    fcntl = None  # type: ignore[assignment]

FILE = "lock"


@frozen
class Owner:
    """Who holds an account: the venue's account id, and a process. The driver tells the time, ms UTC."""

    account: str
    host: str
    process_id: int
    since_ms: int


@define(eq=False)
class AccountLock:
    """The lock while it is held."""

    path: Path
    owner: Owner
    _descriptor: int

    @classmethod
    def take(cls, folder: Path, owner: Owner) -> "AccountLock":
        """Take the lock of an account. Raises AccountHeldError when another instance has it."""
        if fcntl is None:
            raise PersistenceError(
                "live trading needs file locks of the system, which this one has not (fcntl)"
            )
        path = folder / FILE
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise _held(path, owner) from None
        lock = cls(path, owner, descriptor)
        if not lock._is_in_place():
            os.close(descriptor)
            return cls.take(folder, owner)  # The former holder has just removed or replaced the file.
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps(asdict(owner)).encode())
        return lock

    def verify(self) -> None:
        """Raises AccountHeldError when the lock's file is not the one that was locked."""
        if not self._is_in_place():
            raise AccountHeldError(
                f"the lock {self.path} of account {self.owner.account} was removed or replaced while it was held;"
                " stop every instance on this account, then start one",
                account=self.owner.account,
            )

    def release(self) -> None:
        """Let another instance have the account."""
        os.close(self._descriptor)

    def _is_in_place(self) -> bool:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return False
        own = os.fstat(self._descriptor)
        return (found.st_ino, found.st_dev) == (own.st_ino, own.st_dev)


def _held(path: Path, asking: Owner) -> AccountHeldError:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        seconds = max(asking.since_ms - int(found["since_ms"]), 0) // 1000
        who = f"process {found['process_id']} on {found['host']}, for {seconds} s"
    except (OSError, ValueError, KeyError, TypeError):
        who = "an instance that has not said its name"
    return AccountHeldError(
        f"account {asking.account} is held by {who} ({path}); stop that instance first",
        account=asking.account,
    )

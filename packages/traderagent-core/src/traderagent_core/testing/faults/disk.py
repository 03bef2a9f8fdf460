"""The disk of the process: it knows what is durable, may be full or slow, and tears what a power cut interrupts."""

import errno
import os
import re
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

from attrs import Factory, define, evolve

from traderagent_core.persistence.journal.disk import Disk
from traderagent_core.persistence.journal.lock import FILE as LOCK
from traderagent_core.persistence.journal.reserve import RESERVE_BYTES
from traderagent_core.testing.faults.crash import Leave
from traderagent_core.testing.faults.kinds import Fault
from traderagent_core.testing.faults.world import World

PLENTY = 1 << 40
ORDER_IDS = re.compile(rb'"client_order_id":\s*"([^"]+)"')
INTENT = b" intent "


class ProcessDiedError(BaseException):
    """The process is gone: whatever still runs of it has no effect any more."""


@define
class Pending:
    """A file as it was written, how much of that is durable, and the orders of intents in the rest."""

    size: int = 0
    flushed: int = 0
    orders: tuple[str, ...] = ()


@define(eq=False)
class OpenFile:
    """A file in its place; `unsaved` is what has been written to it and has not been put there yet."""

    path: Path
    state: Pending
    unsaved: bytearray = Factory(bytearray)

    def save(self) -> None:
        """Put into place what was written."""
        if self.unsaved or not self.state.size:
            with self.path.open("ab") as stream:
                stream.write(self.unsaved)
            self.unsaved.clear()


DURABLE = Pending()


class FaultDisk(Disk):
    """Real files in a folder in memory, and beside them what a power cut would leave of each.

    What is appended is put into its file when that is closed, when names are flushed and when the process dies: in
    between nobody reads it. Descriptors are numbers of its own.

    `durable` holds the ids of orders in intents that nothing can take away any more; it outlives the process, and so
    does `pending`, what was written and not flushed, by the names of files. `step` is told before and after
    everything that is done, so that the process can end there.
    """

    def __init__(
        self,
        world: World,
        folder: Path,
        step: Callable[[str], None],
        durable: set[str],
        pending: dict[str, Pending],
    ) -> None:
        self.folder = folder
        self.durable = durable
        self.is_dead = False
        self._world = world
        self._step = step
        self._free = PLENTY
        self._numbers = count()
        self._open: dict[int, OpenFile] = {}
        self._states: dict[Path, Pending] = {}
        for name, left in pending.items():
            path = folder / name
            self._states[path] = evolve(left, size=path.stat().st_size)

    # -- what the journal asks for --------------------------------------------------------------------------

    def create(self, path: Path) -> int:
        """A new file."""
        self._enter("create")
        if path.exists():
            raise FileExistsError(errno.EEXIST, "the file exists", str(path))
        self._states[path] = Pending()
        descriptor = self._opened(path)
        self._step("created")
        return descriptor

    def open(self, path: Path) -> int:
        """A file that is there; what nothing is known of is durable."""
        if path not in self._states:
            size = path.stat().st_size
            self._states[path] = Pending(size, size)
        return self._opened(path)

    def _opened(self, path: Path) -> int:
        descriptor = next(self._numbers)
        self._open[descriptor] = OpenFile(path, self._states[path])
        return descriptor

    def copy(self, descriptor: int) -> int:
        """Another number of the same file."""
        number = next(self._numbers)
        self._open[number] = self._open[descriptor]
        return number

    def close(self, descriptor: int) -> None:
        """Put what was written into its place."""
        file = self._open.pop(descriptor)
        if file not in self._open.values():
            file.save()

    def write(self, descriptor: int, data: bytes) -> int:
        """Append bytes, as far as there is room."""
        self._enter("write")
        file = self._open[descriptor]
        if self._free < len(data):
            taken = data[: self._free]
            self._append(file, taken)
            if not taken:
                raise OSError(errno.ENOSPC, "no space left on device")
            return len(taken)
        self._append(file, data)
        if INTENT in data:
            file.state.orders += tuple(name.decode() for name in ORDER_IDS.findall(data))
        self._step("written")
        return len(data)

    def flush(self, descriptor: int) -> None:
        """Everything written so far is durable."""
        self._enter("flush")
        state = self._open[descriptor].state
        state.flushed = state.size
        self.durable.update(state.orders)
        state.orders = ()
        self._step("flushed")

    def truncate(self, descriptor: int, size: int) -> None:
        """Take back what was written last."""
        self._enter("truncate")
        file = self._open[descriptor]
        file.save()
        os.truncate(file.path, size)
        state = file.state
        self._free += max(state.size - size, 0) if self._free < PLENTY else 0
        state.size, state.flushed = size, min(state.flushed, size)

    def free_bytes(self, folder: Path) -> int:  # noqa: ARG002
        """Room that is left."""
        return self._free

    def take_room(self, path: Path, size: int) -> None:
        """Note the room; nothing has to be written for that."""
        self._enter("reserve")
        if self._free < size:
            raise OSError(errno.ENOSPC, "no space left on device")
        path.touch()
        self._free -= size if self._free < PLENTY else 0

    def give_up_room(self, path: Path) -> None:
        """The room is free again."""
        self._enter("unreserve")
        path.unlink(missing_ok=True)
        self._free += RESERVE_BYTES if self._free < PLENTY else 0

    def flush_folder(self, folder: Path) -> None:  # noqa: ARG002
        """Names are durable at once."""
        self._enter("flush names")
        self.save()

    def save(self) -> None:
        """Put what was appended to open files into its place."""
        for file in self._open.values():
            file.save()

    def _enter(self, what: str) -> None:
        if self.is_dead:
            raise ProcessDiedError
        self._step(what)

    def _append(self, file: OpenFile, data: bytes) -> None:
        file.unsaved += data
        file.state.size += len(data)
        self._free -= len(data) if self._free < PLENTY else 0

    # -- what happens to it ---------------------------------------------------------------------------------

    def fill(self, room: int) -> None:
        """Somebody fills the disk up; `room` bytes are left."""
        self._free = room

    def clean(self) -> None:
        """There is room again."""
        self._free = PLENTY

    @property
    def has_pending(self) -> bool:
        """Whether there is anything that a power cut would take."""
        return any(state.flushed < state.size and path.exists() for path, state in self._states.items())

    def die(self, target: Path, leave: Leave | None = None) -> dict[str, Pending]:
        """The process ends now: what the next one will find goes to another folder; gives what of it is pending.

        A process that is killed loses nothing of what it has written; a power cut may, of what was not flushed.
        Without `leave` the seed says which it is, and where it tears.
        """
        self.is_dead = True
        self.save()
        target.mkdir()
        is_cut = self._world.strikes(Fault.TORN_WRITE) if leave is None else leave is not Leave.KILL
        pending: dict[str, Pending] = {}
        for path in sorted(self.folder.iterdir()):
            file = self._states.get(path, DURABLE)
            if path.name == LOCK:
                continue
            if is_cut and file.flushed < file.size:
                self._tear(path, target / path.name, file, leave)
                continue
            shutil.copyfile(path, target / path.name)
            if file.flushed < file.size:
                pending[path.name] = file
        return pending

    def _tear(self, path: Path, kept: Path, file: Pending, leave: Leave | None) -> None:
        flushed, size = file.flushed, file.size
        dice = self._world.dice("torn")
        data = path.read_bytes()
        if leave is None:
            end = dice.randint(flushed, size)
        else:
            end = flushed if leave is Leave.POWER_CUT else (flushed + size) // 2
        tail, whole = bytearray(data[flushed:end]), end - flushed
        if leave is None and tail and dice.random() < 0.3:
            whole = dice.randrange(len(tail))
            tail[whole] ^= 0x55
        lines = data[flushed : flushed + whole].splitlines(keepends=True)
        intents = [line for line in lines if INTENT in line and line.endswith(b"\n")]
        self.durable.update(name.decode() for line in intents for name in ORDER_IDS.findall(line))
        kept.write_bytes(data[:flushed] + bytes(tail))
        self._world.tell(f"{path.name} is torn at {end}, {flushed} bytes were durable")

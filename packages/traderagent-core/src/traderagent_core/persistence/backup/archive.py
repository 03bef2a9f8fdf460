"""The file of a backup: a compressed tar archive that begins with a manifest of all that is in it."""

import gzip
import hashlib
import json
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from attrs import asdict, frozen

from traderagent_core.errors import BackupError

MANIFEST = "manifest.json"
FORMAT = 1
_BLOCK = 1 << 20


@frozen
class Member:
    """One file in an archive."""

    name: str
    size: int
    sha256: str


@frozen
class AccountPart:
    """An account in a backup: its last entry and epoch."""

    account: str
    folder: str
    last_sequence: int
    epoch: int


@frozen
class Manifest:
    """What a backup holds. `revision` is that of the schema that the tables have; times are ms UTC."""

    created_ms: int
    version: str
    revision: str
    accounts: tuple[AccountPart, ...]
    rows: Mapping[str, int]
    members: tuple[Member, ...]

    def to_json(self) -> str:
        """As text."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1)


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Disks that refuse are told as BackupError."""
    try:
        yield
    except OSError as error:
        raise BackupError(f"{what}: {error}") from error


def pack(folder: Path, manifest: Manifest, out: Path) -> None:
    """Write an archive of a folder's files; it is seen whole or not at all."""
    draft = out.with_name(f"{out.name}.draft")
    (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
    with tarfile.open(draft, "w:gz") as archive:
        for name in (MANIFEST, *(member.name for member in manifest.members)):
            archive.add(folder / name, name)
    draft.chmod(0o600)
    draft.replace(out)


@contextmanager
def unpacked(path: Path, beside: Path) -> Iterator[tuple[Manifest, Path]]:
    """The manifest and a temporary folder with every file, checked. Raises BackupError for a damaged archive."""
    beside.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=beside, prefix=".restoring-") as name:
        yield _unpack(path, Path(name)), Path(name)


def _unpack(path: Path, folder: Path) -> Manifest:
    try:
        _require_sound(path)
        return _extract(path, folder)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise BackupError(f"{path}: the backup cannot be read: {error}; use another one") from error


def _require_sound(path: Path) -> None:
    """Read to the end, where the checksum over everything is."""
    with gzip.open(path) as stream:
        while stream.read(_BLOCK):
            pass


def _extract(path: Path, folder: Path) -> Manifest:
    with tarfile.open(path, "r:gz") as archive:
        manifest = _read_manifest(path, archive)
        expected = {member.name: member for member in manifest.members}
        for info in archive:
            member = expected.pop(info.name, None)
            if info.name == MANIFEST:
                continue
            if member is None or not info.isreg():
                raise BackupError(f"{path}: {info.name} is not in the manifest; this is no backup of ours")
            stream = archive.extractfile(info)
            assert stream is not None
            _copy_checked(path, member, stream, folder / member.name)
    if expected:
        raise BackupError(f"{path}: {', '.join(sorted(expected))} is missing; use another backup")
    return manifest


def _read_manifest(path: Path, archive: tarfile.TarFile) -> Manifest:
    first = archive.next()
    stream = archive.extractfile(first) if first is not None and first.name == MANIFEST else None
    if stream is None:
        raise BackupError(f"{path}: it does not begin with a manifest; this is no backup of ours")
    data: dict[str, Any] = json.load(stream)
    if data.pop("format", None) != FORMAT:
        raise BackupError(
            f"{path}: another format than {FORMAT}; use the version of traderagent-core that made it"
        )
    accounts = tuple(AccountPart(**each) for each in data.pop("accounts"))
    members = tuple(Member(**each) for each in data.pop("members"))
    return Manifest(accounts=accounts, members=members, **data)


def _copy_checked(path: Path, member: Member, stream: IO[bytes], target: Path) -> None:
    if ".." in Path(member.name).parts or Path(member.name).is_absolute():
        raise BackupError(f"{path}: {member.name} is no name of ours")
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with target.open("wb") as out:
        while block := stream.read(_BLOCK):
            digest.update(block)
            out.write(block)
    if digest.hexdigest() != member.sha256:
        raise BackupError(f"{path}: the checksum of {member.name} does not fit; use another backup")


def describe_member(folder: Path, name: str) -> Member:
    """A file as the manifest names it."""
    digest = hashlib.sha256()
    with (folder / name).open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return Member(name, (folder / name).stat().st_size, digest.hexdigest())

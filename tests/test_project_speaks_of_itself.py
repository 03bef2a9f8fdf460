"""The repository stands alone: it names no place outside itself."""

from collections.abc import Iterator
from pathlib import Path

GENERATED = {
    ".git", ".tox", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache",
    "__pycache__", "dist", "build", "traderagent-out",
}  # fmt: skip
OUTSIDE = ("../" + "shared", "/" + "work/")
ALLOWED = {Path(".ci/run"): {OUTSIDE[0]}}
"""The one file that may look for data beside the checkout."""


def files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in GENERATED or path.is_symlink():
            continue
        if path.is_dir():
            yield from files(path)
        else:
            yield path


def test_no_file_names_a_place_outside_the_repository(root: Path) -> None:
    found = []
    for path in files(root):
        text = path.read_bytes().decode("utf-8", errors="ignore")
        name = path.relative_to(root)
        found += [
            f"{name}: {place}" for place in OUTSIDE if place in text and place not in ALLOWED.get(name, ())
        ]
    assert found == []


def test_the_walk_sees_the_sources(root: Path) -> None:
    names = {path.relative_to(root).as_posix() for path in files(root)}
    assert {"README.md", "tox.ini", ".ci/run", "packages/traderagent-core/pyproject.toml"} <= names

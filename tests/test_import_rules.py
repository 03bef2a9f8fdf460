"""Slow libraries are imported where they are used, never with a module; import-linter cannot tell the two apart."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

SLOW = {
    "ccxt",
    "pandas",
    "pyarrow",
    "sqlalchemy",
    "asyncpg",
    "aiosqlite",
    "numba",
    "fastapi",
    "telegram",
    "optuna",
}
SLOW_FOR_A_COMMAND = SLOW | {"numpy", "pydantic", "rich", "ruamel", "structlog"}
DATABASE = "traderagent_core.persistence.database"
DATABASE_LIBRARIES = {"sqlalchemy", "alembic", "aiosqlite"}
"""What that one package imports at its top. It is itself imported where used, never at the top of another module."""
COMMAND_MODULES = ("cli", "errors.py", "hookspecs.py", "specs.py", "plugin.py")


def imported_with(tree: ast.Module) -> Iterator[str]:
    """Top-level names of what importing this module imports."""
    for name in modules_imported_with(tree):
        yield name.partition(".")[0]


def modules_imported_with(tree: ast.Module) -> Iterator[str]:
    """Names of modules, or of what is taken from one, that importing this module imports.

    Not those in functions or for type checkers.
    """
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(level=0, module=str(module)):
                yield from (f"{module}.{alias.name}" for alias in node.names)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                pass
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                waiting += node.orelse
            case _:
                waiting += ast.iter_child_nodes(node)


def offenders(files: Iterable[Path], forbidden: set[str]) -> list[str]:
    found = []
    for file in files:
        names = set(imported_with(ast.parse(file.read_text(encoding="utf-8"))))
        found += [f"{file}: {name}" for name in sorted(names & forbidden)]
    return found


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import pandas.core", {"pandas"}),
        ("from pandas import DataFrame", {"pandas"}),
        ("try:\n    import pandas\nexcept ImportError:\n    pass", {"pandas"}),
        ("class A:\n    import pandas", {"pandas"}),
        ("def f():\n    import pandas", set()),
        ("if TYPE_CHECKING:\n    import pandas\nelse:\n    import numpy", {"numpy"}),
        ("from . import pandas", set()),
    ],
)
def test_only_imports_that_run_with_the_module_count(text: str, names: set[str]) -> None:
    assert set(imported_with(ast.parse(text))) == names


def is_of_the_database(file: Path) -> bool:
    return f"/{DATABASE.replace('.', '/')}/" in file.as_posix()


def test_no_module_imports_a_slow_library_at_its_top(package: Any) -> None:
    files = package.modules()
    assert offenders([file for file in files if not is_of_the_database(file)], SLOW) == []
    assert offenders(filter(is_of_the_database, files), SLOW - DATABASE_LIBRARIES) == []


def test_no_other_module_imports_the_database_at_its_top(package: Any) -> None:
    found = [
        f"{file}: {name}"
        for file in package.modules()
        if not is_of_the_database(file)
        for name in modules_imported_with(ast.parse(file.read_text(encoding="utf-8")))
        if f"{name}.".startswith(f"{DATABASE}.")
    ]
    assert found == []


def test_what_every_command_loads_imports_nothing_slow(packages: list[Any]) -> None:
    core = next(package for package in packages if package.name == "traderagent-core")
    parts = [core.source / name for name in COMMAND_MODULES]
    files = [file for part in parts for file in (part.rglob("*.py") if part.is_dir() else [part])]
    assert len(files) > len(parts)
    assert offenders(files, SLOW_FOR_A_COMMAND) == []


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        ("--help", SLOW_FOR_A_COMMAND),
        ("--version", SLOW_FOR_A_COMMAND),
        ("plugins --help", SLOW_FOR_A_COMMAND),
        ("plugins list", SLOW),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} libraries",
)
def test_a_quick_command_loads_nothing_slow(arguments: str, forbidden: set[str]) -> None:
    program = (
        "import sys, json; from traderagent_core.cli.main import run; code = run(sys.argv[1:]);"
        "print(); print(json.dumps([code, sorted({name.partition('.')[0] for name in sys.modules})]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments.split()], capture_output=True, text=True, check=True
    )
    code, loaded = json.loads(done.stdout.splitlines()[-1])
    assert code == 0
    assert set(loaded) & forbidden == set()

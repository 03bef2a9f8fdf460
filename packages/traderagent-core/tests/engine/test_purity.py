"""What the engine stands on is deterministic and does no I/O: its modules import nothing that could."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import traderagent_core

ROOT = Path(traderagent_core.__file__).parent
PURE = ("engine", "account", "coordinator", "venue", "model", "contract")
FORBIDDEN = frozenset(
    {
        "asyncio",
        "random",
        "secrets",
        "uuid",
        "time",
        "os",
        "sys",
        "socket",
        "ssl",
        "threading",
        "multiprocessing",
        "subprocess",
        "pathlib",
        "io",
        "tempfile",
        "shutil",
        "sqlite3",
        "logging",
        "structlog",
        "urllib",
        "http",
        "requests",
        "aiohttp",
        "ccxt",
    }
)
CALLS = frozenset({"open", "input", "print", "exec", "eval", "id", "hash"})
CLOCKS = frozenset({"now", "utcnow", "today"})

MODULES = sorted(path for folder in PURE for path in (ROOT / folder).rglob("*.py"))


def imported(tree: ast.AST) -> Iterator[str]:
    """Top-level names of all imports, also those inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def called(tree: ast.AST) -> Iterator[str]:
    """Built-in functions and clock methods that are called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id
        elif isinstance(node, ast.Attribute) and node.attr in CLOCKS:
            yield node.attr


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_pure_module_reaches_nothing_outside(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not FORBIDDEN & set(imported(tree))
    found = set(called(tree))
    assert not CLOCKS & found
    allowed = (
        {"id"} if path.name == "codec.py" else set()
    )  # Numbers shared objects; never leaves the process.
    assert not (CALLS & found) - allowed


def test_the_check_sees_what_it_is_to_see() -> None:
    bad = ast.parse(
        "def f():\n    import os.path\n    from random import random\n    return open(datetime.now())"
    )
    assert {"os", "random"} <= FORBIDDEN & set(imported(bad))
    assert {"open", "now"} <= set(called(bad))
    assert len(MODULES) > 40

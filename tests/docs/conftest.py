"""How tests read the documentation: pages, their sections, and tables that have to equal the code."""

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import attrs
import pytest

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Page:
    """One markdown page."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text(encoding="utf-8")

    def section(self, heading: str) -> str:
        """The text between a heading and the next one; fails the test where there is no such heading."""
        found = re.split(rf"^#+ {re.escape(heading)}$", self.text, maxsplit=1, flags=re.MULTILINE)
        assert len(found) == 2, f"{self.path.relative_to(ROOT)} has no section {heading!r}"
        return re.split(r"^#+ ", found[1], maxsplit=1, flags=re.MULTILINE)[0]

    def headings(self) -> list[str]:
        """All headings below the title."""
        prose = FENCE.sub("", self.text)
        return re.findall(r"^##+ (.*)$", prose, re.MULTILINE)

    def fenced(self) -> list[tuple[str, str]]:
        """Language and text of every fenced block, in order."""
        return FENCE.findall(self.text)

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks of a language."""
        return [text for name, text in self.fenced() if name == language]

    def check_table(self, heading: str, expected: Iterable[str], *, told: bool = False) -> None:
        """Fail with the lines that a section's table lacks, and those that the code does not know.

        With `told` each line has one more cell, which says what the thing means and must not be empty.
        """
        text = self.section(heading)
        lines = [line for line in text.splitlines() if line.startswith("|")][2:]
        wanted = list(expected)
        if told:
            parts = [line.rstrip(" |").rpartition(" | ") for line in lines]
            lines = [f"{head} |" for head, _, meaning in parts if meaning]
        lacking = "\n".join(line for line in wanted if line not in lines)
        stale = "\n".join(line for line in lines if line not in wanted)
        where = f"{self.path.relative_to(ROOT)}, section {heading}"
        glued = re.search(r"^\|.*\n([^|\n].*)$", text, re.MULTILINE)
        assert glued is None, f"{where} has a line that runs into the table: {glued and glued[1]}"
        assert not lacking, f"{where} lacks:\n{lacking}"
        assert not stale, f"{where} has what the code does not:\n{stale}"


@pytest.fixture(scope="session")
def page() -> Callable[[str], Page]:
    """Opens a page by its path in the repository."""
    return lambda name: Page(ROOT / name)


def row(*cells: str) -> str:
    """One line of a table."""
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def summary(thing: Any) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def signature(function: Callable[..., Any]) -> str:
    """A signature as the source has it, without `self` or `cls`: `place(leg: Leg) -> None`."""
    tree = ast.parse(dedent(inspect.getsource(function)))
    node = tree.body[0]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    arguments = re.sub(r"^(self|cls)(, )?", "", ast.unparse(node.args))
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    waits = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    return f"{waits}{node.name}({arguments}){returns}".replace("'", "") if node.args else node.name


def member_rows(owner: type) -> list[str]:
    """Every public property and method of a class, in the order of its source."""
    rows = []
    for name, member in vars(owner).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            text = signature(member.fget)  # type: ignore[arg-type]
            rows.append(row(f"`{name}: {text.partition(' -> ')[2]}`", summary(member)))
        elif isinstance(member, classmethod | staticmethod) or inspect.isfunction(member):
            function: Any = getattr(member, "__func__", member)
            rows.append(row(f"`{signature(function)}`", summary(function)))
    return rows


def field_rows(owner: type) -> list[str]:
    """Every field that a constructor takes: name, type, and default or `required`."""
    return [
        row(f"`{field.name}`", f"`{annotation(field.type)}`", default(field))
        for field in attrs.fields(owner)
        if field.init and not field.name.startswith("_")
    ]


def name_rows(owner: type) -> list[str]:
    """Every field that a constructor takes, by its name alone."""
    return [row(f"`{field.name}`") for field in attrs.fields(owner) if field.init]


def annotation(type_: Any) -> str:
    text = type_ if isinstance(type_, str) else getattr(type_, "__name__", str(type_))
    if not isinstance(type_, type):
        text = str(type_)
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", text.replace("ForwardRef(", "").replace("')", "'")).replace(
        "'", ""
    )


def default(field: Any) -> str:
    if field.default is attrs.NOTHING:
        return "required"
    if isinstance(field.default, attrs.Factory):  # type: ignore[arg-type]
        return f"`{field.default.factory()!r}`"
    value = field.default
    return f"`{value if hasattr(value, 'value') or not isinstance(value, str) else repr(value)}`"


@pytest.fixture(scope="session")
def tables() -> Mapping[str, Callable[..., Any]]:
    """The functions that make the lines of tables from code."""
    return {
        "row": row,
        "summary": summary,
        "signature": signature,
        "members": member_rows,
        "fields": field_rows,
        "names": name_rows,
    }

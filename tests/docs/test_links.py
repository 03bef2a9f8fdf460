"""Every link of every page leads somewhere, and every page can be reached."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "packages/*/README.md", "examples/*/README.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)
LINK = re.compile(r"\[[^\]\n]+\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def links(path: Path) -> list[str]:
    return LINK.findall(CODE.sub("`code`", path.read_text(encoding="utf-8")))


def anchor(heading: str) -> str:
    """The anchor of a heading, as code hosts make it."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_resolve(path: Path, page: Callable[[str], Any]) -> None:
    broken = []
    for link in links(path):
        if re.match(r"https?://|mailto:", link):
            continue
        name, _, fragment = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        is_found = target.exists() and ROOT in (target, *target.parents)
        if not is_found or (fragment and fragment not in map(anchor, page(str(target)).headings())):
            broken.append(link)
    assert broken == []


def test_every_page_of_the_documentation_can_be_reached_from_its_index() -> None:
    index = ROOT / "docs" / "index.md"
    reached, waiting = set(), [index]
    while waiting:
        path = waiting.pop()
        if path in reached or path.suffix != ".md":
            continue
        reached.add(path)
        targets = (link.partition("#")[0] for link in links(path) if not link.startswith("http"))
        waiting += [
            found for target in targets if target and (found := (path.parent / target).resolve()).is_file()
        ]
    assert set((ROOT / "docs").rglob("*.md")) - reached == set()


def test_decisions_point_to_code_that_exists() -> None:
    core = ROOT / "packages" / "traderagent-core" / "src" / "traderagent_core"
    for path in (ROOT / "docs" / "decisions").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        told = text.partition("Code: ")[2].partition("\n\n")[0]
        assert told, f"{path.name} does not say where its code is"
        assert {file for file in re.findall(r"`([\w/]+\.py)`", text) if not (core / file).is_file()} == set()
        for file, names in re.findall(r"`([\w/]+\.py)` \(((?:`\w+`(?:, )?)+)\)", told):
            source = (core / file).read_text(encoding="utf-8")
            assert [
                name for name in re.findall(r"`(\w+)`", names) if not re.search(rf"\b{name}\b", source)
            ] == []


def test_decisions_are_numbered_without_holes() -> None:
    names = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert [name[:5] for name in names] == [f"{number:04}-" for number in range(1, len(names) + 1)]

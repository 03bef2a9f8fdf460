"""Lines of the next release are named and begin so that a release can be built from them."""

import re
from collections.abc import Callable
from typing import Any

KINDS = {"added", "changed", "fixed", "removed"}


def test_fragments_are_named_by_kind_and_begin_with_a_package(root: Any, packages: list[Any]) -> None:
    names = tuple(f"{package.name}: " for package in packages)
    for path in (root / "changelog.d").glob("[!.]*"):
        assert re.fullmatch(rf"[\w+-]+\.({'|'.join(KINDS)})\.md", path.name), path.name
        for line in path.read_text(encoding="utf-8").splitlines():
            assert line.startswith(names), f"{path.name}: {line}"


def test_the_changelog_has_a_place_for_releases(page: Callable[[str], Any]) -> None:
    assert "<!-- releases -->" in page("CHANGELOG.md").text

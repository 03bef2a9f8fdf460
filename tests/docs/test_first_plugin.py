"""docs/tutorial/your-first-plugin.md is followed as a reader would: made, installed, tested, back-tested, changed."""

import json
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from traderagent_core.testing import StrategyConformance

PAGE = "docs/tutorial/your-first-plugin.md"
MAIN = "from traderagent_core.cli.main import main; main()"


class Reader:
    """Somebody who does what a page says, in an environment of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.installed = folder / "installed"
        self.sources: list[Path] = []
        self.told: dict[str, str] = {}

    def do(self, line: str) -> None:
        """One line of a shell."""
        program, *arguments = shlex.split(line)
        if program == "cd":
            self.folder = self.folder / arguments[0]
        elif program == "pip":
            assert arguments == ["install", "-e", ".[test]"]
            self.install()
        else:
            start = {"traderagent": ["-c", MAIN], "pytest": ["-m", "pytest", "-q", "-p", "no:cacheprovider"]}
            self.told[line] = self.run([*start[program], *arguments], line)

    def install(self) -> None:
        """What pip would write for an editable installation: metadata with the entry point, and a path."""
        project = tomllib.loads((self.folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        info = self.installed / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir(parents=True)
        head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        needs = "".join(f"Requires-Dist: {line}\n" for line in project["dependencies"])
        (info / "METADATA").write_text(head + needs, encoding="utf-8")
        entries = "".join(
            f"{key} = {value}\n" for key, value in project["entry-points"]["traderagent"].items()
        )
        (info / "entry_points.txt").write_text(f"[traderagent]\n{entries}", encoding="utf-8")
        self.sources.append(self.folder / "src")

    def run(self, arguments: list[str], line: str) -> str:
        """Run Python; anything but success fails the test."""
        path = os.pathsep.join(map(str, [self.installed, *self.sources]))
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def follow(self, page: Any) -> None:
        """Everything on a page, in order: a block that begins with `# in FILE` is what the file is to hold."""
        for language, text in page.fenced():
            first, _, rest = text.partition("\n")
            if language == "sh":
                for line in text.splitlines():
                    self.do(line)
            elif first.startswith("# in "):
                (self.folder / first.removeprefix("# in ")).write_text(rest, encoding="utf-8")


def test_the_tutorial_leads_from_nothing_to_a_changed_plugin(
    page: Callable[[str], Any], tmp_path: Path
) -> None:
    tutorial, reader = page(PAGE), Reader(tmp_path)
    reader.follow(tutorial)
    before, after = (
        json.loads((reader.folder / name / "result.json").read_text())["metrics"]
        for name in ("before", "after")
    )
    assert before["fills"] > 0
    assert after["fills"] > 0
    assert abs(float(after["net_profit"])) < abs(float(before["net_profit"]))
    assert "traderagent-my-dip" in reader.told["traderagent plugins list"]


def test_the_tree_on_the_page_is_what_is_written(page: Callable[[str], Any], tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    reader.do("traderagent new strategy my-dip")
    (tree,) = page(PAGE).blocks("text")
    words = {word for line in tree.splitlines() for word in line.split("  ") if word}
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name not in ("__init__.py", "py.typed", ".gitignore"):
            named = {path.name, *(f"{parent.name}/" for parent in path.parents if parent != tmp_path)}
            named.add(path.relative_to(tmp_path / "traderagent-my-dip").as_posix())
            assert words & named, path


def test_what_is_shown_first_is_the_template_with_one_change(
    page: Callable[[str], Any], tmp_path: Path
) -> None:
    Reader(tmp_path).do("traderagent new strategy my-dip")
    for name, changed in (("config.py", 1), ("strategy.py", 3)):
        path = f"src/traderagent_my_dip/{name}"
        written = (tmp_path / "traderagent-my-dip" / path).read_text(encoding="utf-8").splitlines()
        (shown,) = (
            block.splitlines()[1:]
            for block in page(PAGE).blocks("python")
            if block.startswith(f"# in {path}")
        )
        assert len([line for line in shown if line not in written]) == changed


def test_the_kit_that_the_tutorial_speaks_of_has_the_case_on_check() -> None:
    assert "check" in (StrategyConformance.test_nothing_is_sent_below_the_minimum.__doc__ or "")

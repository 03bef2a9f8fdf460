"""Pages that a reader follows step by step are followed here: files are written, commands run, examples loaded."""

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md"))


def run(line: str, folder: Path) -> str:
    """Run a `traderagent` command as the reader would, with the Python of this environment."""
    program, *arguments = shlex.split(line)
    assert program == "traderagent", f"only our own commands are run: {line}"
    call = [sys.executable, "-c", "from traderagent_core.cli.main import main; main()", *arguments]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def write_files(page: Any, folder: Path) -> None:
    """Write every block that begins with a comment which is a file's name."""
    for language in ("yaml", "python"):
        for block in page.blocks(language):
            name = block.partition("\n")[0].removeprefix("# ")
            if Path(name).suffix in (".yaml", ".py") and " " not in name:
                (folder / name).write_text(block, encoding="utf-8")


def command_lines(page: Any) -> Iterator[str]:
    for block in page.blocks("sh"):
        yield from (line for line in block.splitlines() if line)


def follow(page: Any, folder: Path) -> None:
    """Do everything that a page says."""
    write_files(page, folder)
    lines = list(command_lines(page))
    assert len(lines) >= 3
    for line in lines:
        run(line, folder)


def test_the_tutorial_leads_to_a_report_and_repeats_it_to_the_last_byte(
    page: Callable[[str], Any], tmp_path: Path
) -> None:
    follow(page("docs/tutorial/first-backtest.md"), tmp_path)
    first, again = ((tmp_path / name / "result.json").read_bytes() for name in ("first", "again"))
    assert json.loads(first)["metrics"]["fills"] > 0
    assert first == again
    assert (tmp_path / "first" / "report.html").is_file()


GUIDES = (
    ("docs/how-to/write-a-strategy.md", "dips"),
    ("docs/how-to/write-a-filter-or-risk-mode.md", "guarded"),
    ("docs/how-to/use-local-plugins.md", "tiny"),
)


@pytest.mark.parametrize(("name", "out"), GUIDES)
def test_the_plugins_of_a_guide_trade(
    name: str, out: str, page: Callable[[str], Any], tmp_path: Path
) -> None:
    follow(page(name), tmp_path)
    assert json.loads((tmp_path / out / "result.json").read_text())["metrics"]["fills"] > 0


def test_the_guards_of_the_guide_hold_back(page: Callable[[str], Any], tmp_path: Path) -> None:
    follow(page("docs/how-to/write-a-filter-or-risk-mode.md"), tmp_path)
    told = (tmp_path / "guarded" / "decisions.csv").read_text(encoding="utf-8")
    assert "bad_day" in told


@pytest.mark.parametrize(
    ("name", "tests"),
    [
        ("docs/how-to/write-a-strategy.md", "test_dip.py"),
        ("docs/how-to/write-a-filter-or-risk-mode.md", "test_guards.py"),
    ],
)
def test_the_plugins_of_a_guide_pass_the_kit(
    name: str, tests: str, page: Callable[[str], Any], tmp_path: Path
) -> None:
    write_files(page(name), tmp_path)
    call = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", PAGES)
def test_every_configuration_on_a_page_is_valid(
    name: str, page: Callable[[str], Any], tmp_path: Path
) -> None:
    write_files(page(name), tmp_path)
    presets = [file for file in tmp_path.glob("*.yaml") if "bots:" not in file.read_text(encoding="utf-8")]
    for file in sorted({*tmp_path.glob("*.yaml")} - {*presets}):
        assert file.name in run(f"traderagent config check {file.name}", tmp_path)


@pytest.mark.parametrize("name", PAGES)
def test_every_python_block_compiles(name: str, page: Callable[[str], Any]) -> None:
    for block in page(name).blocks("python"):
        source = f"{block.rstrip()}\n    ...\n" if block.rstrip().endswith(":") else block
        compile(source, name, "exec")

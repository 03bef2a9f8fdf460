"""The wheels as a user gets them: built, installed together into an empty environment, run from there."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CORE = "traderagent-core"
uv = pytest.importorskip("uv", reason="building wheels needs the group `dist`: tox run -e dist")


def run(command: Sequence[str | Path], folder: Path, *, code: int = 0) -> str:
    """Run a command and return what it printed; anything but the expected exit code fails the test."""
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{command} left with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheels(packages: list[Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of each distribution, built from its folder with what pyproject.toml says."""
    out = tmp_path_factory.mktemp("wheels")
    for package in packages:
        build = [uv.find_uv_bin(), "build", "--wheel", "--no-build-isolation", "--python", sys.executable]
        run([*build, "--out-dir", out, package.folder], out)
    return {package.name: next(out.glob(f"{package.import_name}-*.whl")) for package in packages}


def install(wheels: Iterable[Path], folder: Path) -> Path:
    """Where the commands of a new environment are that holds nothing but some wheels and what they declare."""
    run([uv.find_uv_bin(), "venv", "--python", sys.executable, folder / "venv"], folder)
    python = folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run([uv.find_uv_bin(), "pip", "install", "--python", python, *wheels], folder)
    return python.parent


@pytest.fixture(scope="module")
def scripts(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands where all wheels are installed."""
    return install(wheels.values(), tmp_path_factory.mktemp("empty"))


def shipped(package: Any) -> set[str]:
    """Files of a package as names in a wheel, without what tools leave in folders of their own."""
    paths = (path.relative_to(package.source) for path in package.source.rglob("*") if path.is_file())
    kept = (path for path in paths if not any(part[0] == "." or part == "__pycache__" for part in path.parts))
    return {f"{package.import_name}/{path.as_posix()}" for path in kept}


def test_a_wheel_holds_every_file_of_the_source(package: Any, wheels: dict[str, Path]) -> None:
    with zipfile.ZipFile(wheels[package.name]) as wheel:
        assert shipped(package) - set(wheel.namelist()) == set()


def test_a_wheel_holds_no_tests(package: Any, wheels: dict[str, Path]) -> None:
    with zipfile.ZipFile(wheels[package.name]) as wheel:
        tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {package.import_name}


def test_the_command_tells_its_version(package: Any, scripts: Path, tmp_path: Path) -> None:
    printed = run([scripts / "traderagent", "--version"], tmp_path)
    assert package.metadata["project"]["version"] in printed


def test_installed_plugins_are_found(package: Any, scripts: Path, tmp_path: Path) -> None:
    printed = run([scripts / "traderagent", "plugins", "list"], tmp_path)
    rows = [line.split() for line in printed.splitlines()]
    assert [row[3] for row in rows if len(row) > 3 and row[2] == package.name] == ["enabled"]


def few_plugins() -> Iterator[tuple[str, ...]]:
    """None, each of the plugins alone, and each two of them."""
    folders = sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml"))
    plugins = [folder.name for folder in folders if folder.name != CORE]
    for count in range(3):
        yield from combinations(plugins, count)


@pytest.mark.parametrize("plugins", list(few_plugins()), ids=lambda names: " ".join(names) or "none")
def test_any_few_plugins_need_the_core_alone(
    plugins: tuple[str, ...], wheels: dict[str, Path], tmp_path: Path
) -> None:
    installed = (CORE, *plugins)
    scripts = install([wheels[name] for name in installed], tmp_path)
    listed = run([scripts / "traderagent", "plugins", "list"], tmp_path)
    rows = [line.split() for line in listed.splitlines()]
    found = {row[2]: row[3] for row in rows if len(row) > 3 and row[2].startswith("traderagent-")}
    assert found == dict.fromkeys(installed, "enabled")
    run([scripts / "traderagent", "plugins", "doctor"], tmp_path)


def test_nothing_is_broken(scripts: Path, tmp_path: Path) -> None:
    run([scripts / "traderagent", "plugins", "doctor"], tmp_path)


def test_the_demo_leaves_a_report_that_needs_no_network(scripts: Path, tmp_path: Path) -> None:
    printed = run([scripts / "traderagent", "demo", "--out", tmp_path / "out"], tmp_path)
    assert "generated" in printed.lower()
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert 'src="http' not in report
    assert 'href="http' not in report.replace('href="https://www.tradingview.com', "")
    assert {"result.json", "fills.csv", "trades.csv", "orders.csv", "equity.csv"} <= {
        path.name for path in (tmp_path / "out").iterdir()
    }

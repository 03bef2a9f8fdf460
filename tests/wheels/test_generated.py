"""What `traderagent new` writes, as an author has it: installed, tested, linted, typed, back-tested and built."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

uv = pytest.importorskip("uv", reason="building wheels needs the group `dist`: tox run -e dist")
pytest.importorskip("ruff", reason="linting what is generated needs the group `dist`: tox run -e dist")
pytest.importorskip("mypy", reason="typing what is generated needs the group `dist`: tox run -e dist")

KINDS = ("strategy", "filter", "exchange", "risk-mode")
DATA = "example/generated_spot_BTC-USDT_5m.csv.gz"
GENERATE = "data generate --symbol BTC/USDT --timeframe 5m --rows 20000 --seed 7 --price 30000 --out"


def run(command: Sequence[str | Path], folder: Path) -> str:
    """Run a command and return what it printed; failure fails the test."""
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} left with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def scripts(packages: list[Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Commands of an environment that holds the wheel of the core and what tests need."""
    folder = tmp_path_factory.mktemp("author")
    core = next(package for package in packages if package.name == "traderagent-core")
    build = [uv.find_uv_bin(), "build", "--wheel", "--no-build-isolation", "--python", sys.executable]
    run([*build, "--out-dir", folder, core.folder], folder)
    run([uv.find_uv_bin(), "venv", "--python", sys.executable, folder / "venv"], folder)
    python = folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    (wheel,) = folder.glob("*.whl")
    run([uv.find_uv_bin(), "pip", "install", "--python", python, f"{wheel}[testing]"], folder)
    return python.parent


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy knows about libraries, for every package: finding it out takes longer than all else."""
    return tmp_path_factory.mktemp("cache")


def pip_install(scripts: Path, package: Path, *what: str) -> None:
    install = [uv.find_uv_bin(), "pip", "install", "--python", scripts / "python"]
    run([*install, *what], package)


def try_example(kind: str, scripts: Path, package: Path) -> None:
    """What the README says to try: a back-test, or for an exchange a configuration that names it."""
    if kind == "exchange":
        told = run([scripts / "traderagent", "config", "check", "example/bot.yaml"], package)
        assert f"exchange tried-{kind}" in told
        return
    run([scripts / "traderagent", *GENERATE.split(), DATA], package)
    told = run(
        [scripts / "traderagent", "backtest", "--config", "example/backtest.yaml", "--data", DATA], package
    )
    assert "report.html" in told


@pytest.mark.parametrize("kind", KINDS)
def test_a_generated_package_goes_all_the_way(kind: str, scripts: Path, tmp_path: Path) -> None:
    name = f"tried-{kind}"
    run([scripts / "traderagent", "new", kind, name], tmp_path)
    package = tmp_path / f"traderagent-{name}"
    pip_install(scripts, package, "-e", ".[test]")
    assert " passed" in run([scripts / "pytest", "-q"], package)
    assert name in run([scripts / "traderagent", "plugins", "list"], package)
    try_example(kind, scripts, package)
    run([uv.find_uv_bin(), "build", "--wheel", "--python", scripts / "python"], package)
    pip_install(scripts, package, "--reinstall", "--no-deps", *map(str, (package / "dist").glob("*.whl")))
    run([scripts / "traderagent", "plugins", "doctor"], package)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["x", "name-of-20-characters"[:20]])
def test_a_generated_package_is_clean_whatever_its_name(
    kind: str, name: str, scripts: Path, cache: Path, tmp_path: Path
) -> None:
    run([scripts / "traderagent", "new", kind, name], tmp_path)
    package = tmp_path / f"traderagent-{name}"
    run([sys.executable, "-m", "ruff", "check", "--no-cache", "."], package)
    run([sys.executable, "-m", "ruff", "format", "--no-cache", "--check", "."], package)
    typed = [sys.executable, "-m", "mypy", "--python-executable", scripts / "python", "src", "tests"]
    run([*typed, "--cache-dir", cache], package)

"""`traderagent new` writes packages that are whole: importable, tested by the kit, back-tested by their example."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from traderagent_core.cli import main as cli
from traderagent_core.cli.scaffold import KINDS, names_of
from traderagent_core.config.schema import BotConfig

LOGIC = {
    "strategy": "strategy.py",
    "filter": "entry_filter.py",
    "risk-mode": "risk_mode.py",
    "exchange": "adapter.py",
}
MOST_LINES = {"exchange": 170}
EXAMPLES = {"exchange": "example/bot.yaml"}


def make(kind, name, folder, capsys):
    """Call the command; the folder of the package."""
    assert cli.run(["new", kind, name, "--dir", str(folder)]) == 0
    told = capsys.readouterr().out
    return Path(re.search(r"Written to (.*):", told)[1]), told


def put_on_path(package, folder):
    """What pip would write for an editable installation; the environment in which it is found."""
    project = tomllib.loads((package / "pyproject.toml").read_text())
    info = folder / "installed" / f"{project['project']['name'].replace('-', '_')}-0.1.0.dist-info"
    info.mkdir(parents=True)
    requires = "".join(f"Requires-Dist: {line}\n" for line in project["project"]["dependencies"])
    name = project["project"]["name"]
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n{requires}")
    ((plugin, module),) = project["project"]["entry-points"]["traderagent"].items()
    (info / "entry_points.txt").write_text(f"[traderagent]\n{plugin} = {module}\n")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(info.parent), str(package / "src")])}


@pytest.mark.parametrize("kind", KINDS)
def test_the_package_passes_its_own_tests(kind, tmp_path, capsys):
    package, _ = make(kind, "tried-out", tmp_path, capsys)
    call = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        call, cwd=package, env=put_on_path(package, tmp_path), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 20
    skipped = re.search(r"(\d+) skipped", done.stdout)
    assert (skipped is None) is (kind != "exchange")  # An exchange has not everything, and the kit says so.
    assert skipped is None or int(skipped[1]) <= 12


@pytest.mark.parametrize("kind", KINDS)
def test_the_plugin_is_listed_with_its_offer(kind, tmp_path, capsys):
    package, _ = make(kind, "tried-out", tmp_path, capsys)
    program = "from traderagent_core.cli.main import main; main()"
    call = [sys.executable, "-c", program, "plugins", "list"]
    done = subprocess.run(
        call, env=put_on_path(package, tmp_path), capture_output=True, text=True, check=True
    )
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("tried-out"))
    label = KINDS[kind].label.partition(" ")[2]
    assert re.fullmatch(rf"tried-out +0.1.0 +traderagent-tried-out +enabled +{label} tried-out", line)


@pytest.mark.parametrize("kind", KINDS)
def test_the_logic_is_short(kind, tmp_path, capsys):
    package, _ = make(kind, "short", tmp_path, capsys)
    text = (package / "src" / "traderagent_short" / LOGIC[kind]).read_text()
    assert len(text.splitlines()) <= MOST_LINES.get(kind, 60)


@pytest.mark.parametrize("kind", KINDS)
def test_all_files_are_told_and_no_word_of_a_template_is_left(kind, tmp_path, capsys):
    package, told = make(kind, "my-very-own", tmp_path, capsys)
    files = [path for path in package.rglob("*") if path.is_file()]
    for path in files:
        assert f"  {path.relative_to(package).as_posix()}\n" in told
        assert "$" not in path.read_text()
        assert path.suffix != ".tmpl"
    names = {path.relative_to(package).as_posix() for path in files}
    example = EXAMPLES.get(kind, "example/backtest.yaml")
    assert {"README.md", "tox.ini", ".gitignore", "docs/my-very-own.md", example} <= names
    assert {f"src/traderagent_my_very_own/{name}" for name in ("py.typed", "plugin.py", "config.py")} <= names


def test_the_package_asks_for_the_core_that_made_it(tmp_path, capsys):
    package, _ = make("strategy", "ranged", tmp_path, capsys)
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    ranges = [Requirement(line) for line in lines if line.startswith("traderagent-core")]
    assert len(ranges) == 2
    for requirement in ranges:
        assert requirement.specifier.contains(version("traderagent-core"))
        assert {specifier.operator for specifier in requirement.specifier} == {">=", "<"}


@pytest.mark.parametrize(
    ("text", "distribution", "package", "class_name"),
    [
        ("dip", "traderagent-dip", "traderagent_dip", "Dip"),
        ("my-dip", "traderagent-my-dip", "traderagent_my_dip", "MyDip"),
        ("my_dip2", "traderagent-my-dip2", "traderagent_my_dip2", "MyDip2"),
        ("traderagent-dip", "traderagent-dip", "traderagent_dip", "Dip"),
        ("class", "traderagent-class", "traderagent_class", "Class"),
    ],
)
def test_names_follow_from_one_name(text, distribution, package, class_name):
    assert names_of(text)[1:] == (distribution, package, class_name)


@pytest.mark.parametrize(("kind", "name"), [("strategy", "my-strategy"), ("filter", "filter")])
def test_a_name_that_says_the_kind_does_not_say_it_twice(kind, name, tmp_path, capsys):
    package, _ = make(kind, name, tmp_path, capsys)
    (module,) = package.glob(f"src/*/{LOGIC[kind]}")
    text = module.read_text()
    assert "StrategyStrategy" not in text
    assert re.search(r"^class (MyStrategy|FilterFilter)\(", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("MyDip", "write 'my-dip'"),
        ("2fast", "write 'fast'"),
        ("my dip", "write 'my-dip'"),
        ("dip!", "write 'dip'"),
        ("a--b", "write 'a-b'"),
        ("dip-", "write 'dip'"),
        ("..", "write 'my-plugin', for example"),
        ("../up", "write 'up'"),
        ("a" * 21, f"write '{'a' * 20}'"),
        ("дип", "write 'my-plugin', for example"),
        ("dip\n", "write 'dip'"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_with_one_that_can(name, hint, tmp_path, capsys):
    assert cli.run(["new", "strategy", "--dir", str(tmp_path), "--", name]) == 2
    told = capsys.readouterr().err
    assert "expected small letters and digits" in told
    assert hint in told
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "name", "why"),
    [
        ("strategy", "core", "taken by the plugin 'core' (traderagent-core"),
        ("strategy", "simulated", "taken by the plugin 'core' (traderagent-core"),
        ("risk-mode", "drawdown", "taken by the plugin 'core' (traderagent-core"),
        ("filter", "telegram", "that of traderagent-telegram"),
        ("strategy", "auto", "a meaning of its own"),
        ("strategy", "hybrid", "a meaning of its own"),
        *(("strategy", key, "a meaning of its own") for key in ("name", "symbol", "timeframe", "leverage")),
    ],
)
def test_a_name_that_is_taken_is_refused_and_says_by_whom(kind, name, why, tmp_path, capsys):
    assert cli.run(["new", kind, name, "--dir", str(tmp_path)]) == 2
    assert why in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_every_key_of_a_bot_that_could_be_a_name_is_known_to_be_taken():
    assert {"name", "symbol", "timeframe", "leverage", "market"} <= set(BotConfig.model_fields)


def test_a_folder_that_exists_is_left_alone(tmp_path, capsys):
    package, _ = make("strategy", "mine", tmp_path, capsys)
    (package / "README.md").write_text("my own words")
    assert cli.run(["new", "strategy", "mine", "--dir", str(tmp_path)]) == 2
    assert f"{package} exists already" in capsys.readouterr().err
    assert (package / "README.md").read_text() == "my own words"


def test_folders_on_the_way_are_made(tmp_path, capsys):
    package, _ = make("strategy", "deep", tmp_path / "a" / "b", capsys)
    assert package == tmp_path / "a" / "b" / "traderagent-deep"


def test_a_bot_can_name_a_generated_exchange(tmp_path, capsys):
    package, told = make("exchange", "tried-out", tmp_path, capsys)
    assert "traderagent config check example/bot.yaml" in told
    program = "from traderagent_core.cli.main import main; main()"
    call = [sys.executable, "-c", program, "config", "check", "example/bot.yaml"]
    environment = put_on_path(package, tmp_path)
    done = subprocess.run(call, cwd=package, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "exchange tried-out" in done.stdout
    assert "note" not in done.stdout
    example = package / "example" / "bot.yaml"
    example.write_text(example.read_text().replace("timeout_seconds", "timeout_secnds"))
    done = subprocess.run(call, cwd=package, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "did you mean 'timeout_seconds'?" in done.stderr

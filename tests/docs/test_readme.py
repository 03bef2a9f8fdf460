"""The README's two commands are what continuous integration runs, and what tox.ini knows."""

import re
from ast import literal_eval
from collections.abc import Callable
from configparser import ConfigParser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def commands(page: Callable[[str], Any]) -> list[str]:
    """The lines that do all the set-up and then call tox."""
    return [block.strip() for block in page("README.md").blocks("sh") if "/tox run" in block]


def environments() -> tuple[list[str], set[str]]:
    """Names in `env_list`, and names that have a section."""
    settings = ConfigParser(interpolation=None)
    settings.read(ROOT / "tox.ini", encoding="utf-8")
    listed = [name.strip() for name in settings["tox"]["env_list"].split(",")]
    return listed, {
        name.removeprefix("testenv:") for name in settings.sections() if name.startswith("testenv:")
    }


def test_there_are_two_commands_of_one_line_each(page: Callable[[str], Any]) -> None:
    demo, everything = commands(page)
    assert "\n" not in demo + everything
    assert demo == f"{everything} -e demo"


def test_their_environments_exist(page: Callable[[str], Any], packages: list[Any]) -> None:
    listed, sections = environments()
    named = {name for line in commands(page) for name in re.findall(r"-e (\w+)", line)}
    assert named <= sections
    own = {package.name.removeprefix("traderagent-") for package in packages}
    assert set(listed) == {*own, "example", "system", "docs", "dist", "lint", "type"}


def test_continuous_integration_runs_the_second_one(page: Callable[[str], Any]) -> None:
    assert commands(page)[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_continuous_integration_counts_the_tests_of_every_environment_that_has_some() -> None:
    told = re.search(r"^names = (\(.*\))$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert told is not None
    counted = literal_eval(told[1])
    assert sorted([*counted, "lint", "type"]) == sorted(environments()[0])


def test_every_package_has_an_environment_and_a_line_in_the_table(
    page: Callable[[str], Any], packages: list[Any]
) -> None:
    text = page("README.md").section("Packages")
    for package in packages:
        assert package.name.removeprefix("traderagent-") in environments()[0]
        assert f"(packages/{package.name})" in text


def test_contributing_names_every_environment(page: Callable[[str], Any]) -> None:
    text = page("CONTRIBUTING.md").text
    assert [name for name in (*environments()[0], "demo") if f"-e {name} " not in text] == []


def test_contributing_maps_every_part_of_the_core(page: Callable[[str], Any], packages: list[Any]) -> None:
    core = next(package for package in packages if package.name == "traderagent-core")
    parts = {
        f"`{path.name}/`" if path.is_dir() else f"`{path.name}`"
        for path in core.source.iterdir()
        if (path / "__init__.py").is_file() or (path.suffix == ".py" and path.name != "__init__.py")
    }
    assert {part for part in parts if part not in page("CONTRIBUTING.md").section("The map")} == set()

"""Every package declares what it imports, says that it is typed, and registers what it promises."""

import ast
import sys
from functools import cache
from importlib.metadata import entry_points, packages_distributions, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CORE = "traderagent-core"
BROUGHT = {"pydantic_core": "pydantic"}
"""Import names of a distribution that another one brings, in exactly one version: that one is declared."""


@cache
def imported(file: Path) -> frozenset[str]:
    """Top-level names imported anywhere in a file, in functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return frozenset(names)


def third_party(package: Any) -> set[str]:
    """Names imported by a package that neither it nor Python brings."""
    names = {BROUGHT.get(name, name) for file in package.modules() for name in imported(file)}
    return names - sys.stdlib_module_names - {package.import_name}


distributions_by_name = cache(packages_distributions)


def distributions(name: str) -> set[str]:
    """Distributions that bring an import name."""
    return {canonicalize_name(found) for found in distributions_by_name().get(name, [name])}


def requirements(package: Any, *, with_extras: bool) -> dict[str, Requirement]:
    project = package.metadata["project"]
    lines = list(project["dependencies"])
    if with_extras:
        lines += [line for extra in project.get("optional-dependencies", {}).values() for line in extra]
    return {canonicalize_name(requirement.name): requirement for requirement in map(Requirement, lines)}


def test_every_import_is_declared(package: Any) -> None:
    declared = requirements(package, with_extras=True).keys()
    assert {name for name in third_party(package) if not distributions(name) & declared} == set()


def test_every_dependency_is_used(package: Any) -> None:
    used = {found for name in third_party(package) for found in distributions(name)}
    assert requirements(package, with_extras=False).keys() - used == set()


def test_dependencies_have_a_floor_and_only_the_core_a_ceiling(package: Any) -> None:
    for name, requirement in requirements(package, with_extras=True).items():
        operators = {specifier.operator for specifier in requirement.specifier}
        assert operators == ({">=", "<"} if name == CORE else {">="}), requirement


def test_no_plugin_imports_another(package: Any, packages: list[Any]) -> None:
    others = {other.import_name for other in packages if other.name not in (CORE, package.name)}
    assert third_party(package) & others == set()


def test_the_core_imports_no_plugin(packages: list[Any]) -> None:
    core = next(package for package in packages if package.name == CORE)
    assert not {name for name in third_party(core) if name.startswith("traderagent_")}


def test_a_package_is_marked_as_typed(package: Any) -> None:
    assert (package.source / "py.typed").is_file()


def test_test_folders_are_no_packages(package: Any, root: Path) -> None:
    assert [*(package.folder / "tests").rglob("__init__.py"), *(root / "tests").rglob("__init__.py")] == []


def test_what_is_installed_is_what_the_repository_says(package: Any) -> None:
    assert version(package.name) == package.metadata["project"]["version"]


def test_all_packages_have_one_version_and_python(packages: list[Any]) -> None:
    assert len({package.metadata["project"]["version"] for package in packages}) == 1
    assert {package.metadata["project"]["requires-python"] for package in packages} == {">=3.11"}


def test_plugins_take_this_version_of_the_core(packages: list[Any]) -> None:
    core = next(package for package in packages if package.name == CORE)
    for plugin in (package for package in packages if package is not core):
        requirement = requirements(plugin, with_extras=False)[CORE]
        assert requirement.specifier.contains(core.metadata["project"]["version"])


def test_declared_entry_points_load_and_implement_a_hook(package: Any) -> None:
    declared = package.metadata["project"]["entry-points"]["traderagent"]
    installed = {point.name: point for point in entry_points(group="traderagent")}
    for name, module in declared.items():
        assert installed[name].value == module
        plugin = installed[name].load()
        assert [hook for hook in vars(plugin) if hook.startswith("traderagent_")], f"{module} has no hook"


def test_every_part_of_a_plugin_is_found_by_the_host(package: Any) -> None:
    from traderagent_core.host import PluginHost

    found = {info.distribution: info for info in PluginHost.discover(None).plugins}
    assert found[package.name].is_enabled, found[package.name].describe()
    assert found[package.name].offers

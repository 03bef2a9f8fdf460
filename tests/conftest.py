"""What the tests across packages share: where the packages are and what they say of themselves."""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[1]


class Package(NamedTuple):
    """One folder under packages/ with its pyproject.toml."""

    folder: Path
    metadata: dict[str, Any]

    @property
    def name(self) -> str:
        """The name of the distribution."""
        return str(self.metadata["project"]["name"])

    @property
    def import_name(self) -> str:
        """The name that Python imports."""
        return self.name.replace("-", "_")

    @property
    def source(self) -> Path:
        """Where the modules are."""
        return self.folder / "src" / self.import_name

    def modules(self) -> list[Path]:
        """All Python files that are shipped."""
        return sorted(self.source.rglob("*.py"))


def find_packages() -> list[Package]:
    """Every distribution of the repository."""
    return [
        Package(path.parent, tomllib.loads(path.read_text(encoding="utf-8")))
        for path in sorted(ROOT.glob("packages/*/pyproject.toml"))
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with the argument `package` runs once for each package."""
    if "package" in metafunc.fixturenames:
        found = find_packages()
        metafunc.parametrize("package", found, ids=[package.name for package in found])


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def packages() -> list[Package]:
    """Every distribution of the repository."""
    return find_packages()

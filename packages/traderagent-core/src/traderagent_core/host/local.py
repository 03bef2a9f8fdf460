"""Plugins from a local file or folder, without installing anything."""

import hashlib
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from traderagent_core.host.candidate import Candidate
from traderagent_core.host.refusal import Refusal


def local_candidates(path: Path) -> list[Candidate]:
    """The plugins at a path: a file, a package, or a folder of files and packages.

    In a folder, names that begin with `_` or `.` are left out. A path without any plugin gives a candidate
    that is refused when loaded, so that the failure is told like every other.
    """
    path = path.expanduser().resolve()
    if path.is_file() and path.suffix == ".py":
        return [_candidate(path)]
    if (path / "__init__.py").is_file():
        return [_candidate(path)]
    inside = [item for item in sorted(path.glob("*")) if _is_plugin(item)] if path.is_dir() else []
    return [_candidate(item) for item in inside] or [_nothing_at(path)]


def _is_plugin(path: Path) -> bool:
    if path.name.startswith(("_", ".")):
        return False
    return path.suffix == ".py" if path.is_file() else (path / "__init__.py").is_file()


def _candidate(path: Path) -> Candidate:
    module = _module_name(path)
    return Candidate(
        name=path.stem,
        distribution=f"local file {path}",
        version="",
        module=module,
        load=lambda: _load(path, module),
        is_local=True,
    )


def _nothing_at(path: Path) -> Candidate:
    if not path.exists():
        cause, remedy = "there is no such file or folder", "correct the path in the configuration"
    elif (path / "pyproject.toml").is_file():
        cause, remedy = "it is a project, not a plugin", f"install it: pip install -e {path}"
    else:
        cause, remedy = "it holds no plugin", "name a .py file, a package, or a folder of these"

    def refuse() -> object:
        raise Refusal(cause, remedy)

    return Candidate(path.stem, f"local file {path}", "", "", refuse, is_local=True)


def _module_name(path: Path) -> str:
    # The digest keeps files of one name in different folders apart, and away from installed modules.
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    return f"_traderagent_local_{path.stem.replace('.', '_').replace('-', '_')}_{digest}"


def _load(path: Path, name: str) -> ModuleType:
    _forget(name)
    try:
        module = _execute(path, name)
        if path.is_dir() and (path / "plugin.py").is_file():
            module = importlib.import_module(f"{name}.plugin")
    except BaseException:
        _forget(name)
        raise
    return module


def _execute(path: Path, name: str) -> ModuleType:
    file, folders = (path / "__init__.py", [str(path)]) if path.is_dir() else (path, None)
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=folders)
    if spec is None or spec.loader is None:
        raise Refusal(f"{file} cannot be imported as a module", "name a .py file or a package")
    module = importlib.util.module_from_spec(spec)
    # Class definitions look their module up by name while it is being executed.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _forget(name: str) -> None:
    """An edited file is read anew by the next host, with everything that belongs to it."""
    for loaded in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
        del sys.modules[loaded]

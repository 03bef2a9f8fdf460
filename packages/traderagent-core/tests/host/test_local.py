"""Plugins from a file or folder that nobody installed."""

import pytest
from traderagent_core.errors import PluginError
from traderagent_core.host import PluginHost

STRATEGY = "\n@hookimpl\ndef traderagent_strategies():\n    yield spec({name!r})\n"


@pytest.fixture
def write(site, tmp_path):
    def write(path, name=None, code=""):
        file = tmp_path / "local" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(site.header + code + (STRATEGY.format(name=name) if name else ""))
        return file

    return write


def discover(*paths, **options):
    return PluginHost.discover([], local=paths, entry_points=[], **options)


def test_file_is_listed_by_being_given(write):
    path = write("alpha.py", "momentum")
    host = discover(path)
    info = host.origin(host.strategy("momentum"))
    assert (info.name, info.distribution, info.version) == ("alpha", f"local file {path}", "")
    assert info.label == f"plugin 'alpha' (local file {path})"


def test_path_may_be_text_relative_to_the_current_folder(write, monkeypatch):
    path = write("alpha.py", "momentum")
    monkeypatch.chdir(path.parent)
    assert list(discover("alpha.py").strategies) == ["momentum"]


def test_package_loads_its_plugin_module_with_relative_imports(write):
    write("alpha/__init__.py")
    write("alpha/names.py", code="NAME = 'momentum'\n")
    path = write(
        "alpha/plugin.py",
        code="from .names import NAME\n@hookimpl\ndef traderagent_strategies():\n    yield spec(NAME)\n",
    )
    assert list(discover(path.parent).strategies) == ["momentum"]


def test_package_without_plugin_module_is_the_plugin_itself(write):
    path = write("alpha/__init__.py", "momentum")
    assert list(discover(path.parent).strategies) == ["momentum"]


def test_folder_gives_its_files_and_packages_but_no_private_ones(write):
    write("alpha.py", "one")
    write("beta/__init__.py", "two")
    write("_helper.py", code="1 / 0\n")
    folder = write("notes.txt").parent
    (folder / "empty").mkdir()
    assert sorted(discover(folder).strategies) == ["one", "two"]


def test_file_named_again_by_its_folder_counts_once(write):
    path = write("alpha.py", "one")
    assert list(discover(path, path.parent, path).strategies) == ["one"]


def test_files_of_one_name_in_two_folders_are_told_apart(write):
    paths = write("a/alpha.py", "one"), write("b/alpha.py", "two")
    with pytest.raises(PluginError, match=r"plugin name 'alpha'.*a/alpha\.py.*b/alpha\.py"):
        discover(*paths)


def test_edited_file_is_read_anew_by_the_next_host(write):
    discover(write("alpha.py", "one"))
    # Another length, so that the cache of compiled files cannot hide the change.
    assert list(discover(write("alpha.py", "another")).strategies) == ["another"]


def test_local_file_and_installed_plugin_with_one_strategy_are_both_named(site, write):
    site.strategy("alpha", offers="one")
    with pytest.raises(
        PluginError, match=r"'alpha' \(alpha 1\.2\.3\) and plugin 'mine' \(local file .*mine\.py\)"
    ):
        PluginHost.discover(["alpha"], local=[write("mine.py", "one")], entry_points=site.entry_points())


@pytest.mark.parametrize(
    ("path", "code", "cause"),
    [
        ("alpha.py", "1 / 0", "ZeroDivisionError"),
        ("alpha.py", "TRADERAGENT_API = 7", "hook API 7"),
        ("alpha/__init__.py", "from . import missing", "cannot import name 'missing'"),
    ],
)
def test_broken_local_plugin_stops_by_its_path(write, path, code, cause):
    file = write(path, "one", code)
    given = file.parent if file.name == "__init__.py" else file
    with pytest.raises(PluginError, match=cause) as caught:
        discover(given)
    assert f"(local file {given})" in str(caught.value)


@pytest.mark.parametrize(
    ("path", "cause"),
    [("gone.py", "no such file"), ("local", "holds no plugin"), ("local/alpha.toml", "holds no plugin")],
)
def test_path_without_a_plugin_stops(write, tmp_path, path, cause):
    write("alpha.toml")
    with pytest.raises(PluginError, match=cause):
        discover(tmp_path / path)


def test_project_folder_is_to_be_installed(write):
    folder = write("pyproject.toml").parent
    with pytest.raises(PluginError, match=f"pip install -e {folder}"):
        discover(folder)

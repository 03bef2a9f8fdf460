"""docs/reference/hooks.md has every hook with its signature, what it yields, and what those things must do."""

import ast
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import traderagent_core
from traderagent_core import EntryFilter, EventSink, RiskMode, hookspecs, specs

PAGE = "docs/reference/hooks.md"


def hooks() -> list[Callable[..., Any]]:
    return [thing for name, thing in vars(hookspecs).items() if name.startswith("traderagent_")]


def test_every_hook_has_its_signature_and_meaning(
    page: Callable[[str], Any], tables: Mapping[str, Callable[..., Any]]
) -> None:
    reference = page(PAGE)
    assert len(hooks()) >= 5
    for hook in hooks():
        section = reference.section(f"`{hook.__name__}`")
        node = ast.parse(inspect.getsource(hook)).body[0]
        assert isinstance(node, ast.FunctionDef)
        assert node.returns is not None
        assert f"def {hook.__name__}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}:" in section
        assert tables["summary"](hook) in section


def test_every_record_that_a_hook_yields_is_described_field_by_field(
    page: Callable[[str], Any], tables: Mapping[str, Callable[..., Any]]
) -> None:
    for spec in specs.Spec.__args__:
        page(PAGE).check_table(f"`{spec.__name__}`", tables["fields"](spec), told=True)


def test_what_filters_modes_and_sinks_implement_is_described(
    page: Callable[[str], Any], tables: Mapping[str, Callable[..., Any]]
) -> None:
    for contract in (EntryFilter, RiskMode, EventSink):
        page(PAGE).check_table(f"`{contract.__name__}`", tables["members"](contract))


def test_the_version_of_the_hooks_is_told(page: Callable[[str], Any]) -> None:
    assert f"`HOOK_API_VERSION` is {traderagent_core.HOOK_API_VERSION}" in " ".join(page(PAGE).text.split())


def test_every_public_name_of_the_core_stands_in_the_reference(root: Any) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (root / "docs" / "reference").glob("*.md"))
    assert [name for name in traderagent_core.__all__ if f"`{name}" not in text] == []

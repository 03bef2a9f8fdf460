"""docs/reference/ has every case of every conformance kit, every attribute, and every value that guards exchange."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, get_origin

import pytest
from traderagent_core import testing
from traderagent_core.contract.entry_filter import Ruling, Verdict
from traderagent_core.contract.risk_mode import ModeState, Portfolio, RiskLevels
from traderagent_core.testing import (
    EntryFilterConformance,
    ExchangeAdapterConformance,
    RiskModeConformance,
    StrategyConformance,
    conditions,
    markets,
)
from traderagent_core.testing.conformance.subjects import Examination, cases

KIT = "docs/reference/conformance-kit.md"
GUARDS = "docs/reference/filters-and-risk-modes.md"
KITS = (StrategyConformance, EntryFilterConformance, RiskModeConformance, ExchangeAdapterConformance)
Tables = Mapping[str, Callable[..., Any]]


def attributes(kit: type, *, shared: bool) -> dict[str, Any]:
    """What a test class may set: those of all kits, or those of one, with `required` where there is no default."""
    found = {}
    for owner in kit.__mro__[:-1]:
        if issubclass(Examination, owner) is shared:
            for name, type_ in inspect.get_annotations(owner, eval_str=True).items():
                if get_origin(type_) is ClassVar and not name.startswith("_"):
                    found[name] = getattr(kit, name, "required")
    return found


def attribute_rows(kit: type, row: Callable[..., str], *, shared: bool) -> list[str]:
    return [
        row(f"`{name}`", value if value == "required" else f"`{value!r}`")
        for name, value in attributes(kit, shared=shared).items()
        if name != "instruments"
    ]


@pytest.mark.parametrize("kit", KITS, ids=lambda kit: kit.__name__)
def test_every_case_is_listed_with_what_it_proves(
    kit: type, page: Callable[[str], Any], tables: Tables
) -> None:
    rows = [tables["row"](f"`{name}`", tables["summary"](case)) for name, case in cases(kit)]
    page(KIT).check_table(f"Cases of `{kit.__name__}`", rows)


@pytest.mark.parametrize("kit", KITS, ids=lambda kit: kit.__name__)
def test_every_case_says_how_to_mend_what_it_finds(kit: type) -> None:
    assert [name for name, case in cases(kit) if "Mend: " not in (case.__doc__ or "")] == []


def test_the_attributes_of_all_kits_are_described(page: Callable[[str], Any], tables: Tables) -> None:
    rows = attribute_rows(StrategyConformance, tables["row"], shared=True)
    page(KIT).check_table("Attributes of every kit", rows, told=True)


@pytest.mark.parametrize("kit", KITS, ids=lambda kit: kit.__name__)
def test_the_attributes_of_each_kit_are_described(
    kit: type, page: Callable[[str], Any], tables: Tables
) -> None:
    rows = attribute_rows(kit, tables["row"], shared=False)
    page(KIT).check_table(f"Attributes of `{kit.__name__}`", rows, told=True)


@pytest.mark.parametrize("value", [conditions.Bot, conditions.Conditions])
def test_the_harness_is_described(value: type, page: Callable[[str], Any], tables: Tables) -> None:
    page(KIT).check_table(f"`{value.__name__}`", tables["names"](value), told=True)


def test_a_run_is_described(page: Callable[[str], Any], tables: Tables) -> None:
    page(KIT).check_table("`Run`", tables["members"](testing.Run))


@pytest.mark.parametrize("word", ["start_strategy", "start_turns"])
def test_a_run_worked_out_by_hand_is_as_the_page_says(page: Callable[[str], Any], word: str) -> None:
    (program,) = (text for text in page(KIT).blocks("python") if word in text)
    exec(compile(program, KIT, "exec"), {})


def test_every_market_is_described(page: Callable[[str], Any], tables: Tables) -> None:
    rows = [tables["row"](f"`{name}`", tables["summary"](make)) for name, make in markets.MARKETS.items()]
    page(KIT).check_table("Markets", rows)


def test_every_public_name_of_the_kit_is_told(page: Callable[[str], Any]) -> None:
    assert [name for name in testing.__all__ if f"`{name}" not in page(KIT).text] == []


@pytest.mark.parametrize("value", [Verdict, Portfolio, RiskLevels, ModeState])
def test_every_field_is_described(value: type, page: Callable[[str], Any], tables: Tables) -> None:
    page(GUARDS).check_table(f"`{value.__name__}`", tables["fields"](value), told=True)


def test_every_ratio_of_a_portfolio_is_described(page: Callable[[str], Any], tables: Tables) -> None:
    page(GUARDS).check_table("Ratios of a `Portfolio`", tables["members"](Portfolio))


def test_every_ruling_is_told(page: Callable[[str], Any]) -> None:
    text = page(GUARDS).text
    assert [word for word in Ruling if f"`Ruling.{word.name}`" not in text] == []

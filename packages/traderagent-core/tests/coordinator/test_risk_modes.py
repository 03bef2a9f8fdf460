"""Stress and halt: what turns them on, how they go with the other modes, and what ends a halt."""

from decimal import Decimal

import pytest
from traderagent_core.contract.risk_mode import INACTIVE, Portfolio
from traderagent_core.coordinator.guards import AccountGuard, ModeWatch
from traderagent_core.coordinator.risk_modes import (
    DrawdownConfig,
    DrawdownMode,
    HaltConfig,
    HaltMode,
    ReducedConfig,
    ReducedMode,
    StressConfig,
    StressMode,
)
from traderagent_core.model.timeframe import HOUR_MS

D = Decimal


def guard(*modes: str) -> AccountGuard:
    built = {
        "halt": HaltMode(HaltConfig()),
        "reduced": ReducedMode(ReducedConfig()),
        "stress": StressMode(StressConfig()),
        "drawdown": DrawdownMode(DrawdownConfig()),
    }
    watches = [ModeWatch(name, mode) for name, mode in built.items() if name in modes]
    return AccountGuard(watches, D(100), D(100), D(100), D(100), day=0)


def active(account: AccountGuard) -> list[str]:
    return [watch.name for watch in account.modes if watch.state.is_active]


@pytest.mark.parametrize(
    ("equity", "is_on"), [("85.01", False), ("85", False), ("84.9999999999", True), ("10", True)]
)
def test_a_halt_begins_above_its_drawdown_not_at_it(equity: str, is_on: bool) -> None:
    state = HaltMode(HaltConfig()).judge(Portfolio(0, D(equity), D(100), D(100)), INACTIVE)
    assert state.is_active == is_on
    assert state.is_entry_allowed != is_on


def test_size_factors_of_reduced_and_stress_multiply() -> None:
    account = guard("reduced", "stress")
    account.is_stressed = True
    changed = account.judge(HOUR_MS, D(94))
    assert [watch.name for watch in changed] == ["reduced", "stress"]
    assert (account.size_factor, account.is_entry_allowed) == (D("0.25"), True)
    account.is_stressed = False
    assert [watch.name for watch in account.judge(2 * HOUR_MS, D(94))] == ["stress"]
    assert account.size_factor == D("0.5")


def test_all_modes_at_once() -> None:
    account = guard("halt", "reduced", "stress", "drawdown")
    account.is_stressed = True
    account.judge(HOUR_MS, D(80))
    assert active(account) == ["halt", "reduced", "stress", "drawdown"]
    assert not account.is_entry_allowed
    assert account.size_factor == D("0.5") * D("0.5") * D("0.75")


def test_recovery_does_not_end_a_halt_but_an_acknowledgement_does() -> None:
    account = guard("halt")
    account.judge(HOUR_MS, D(84))
    account.is_halted = True
    account.judge(2 * HOUR_MS, D(99))
    assert not account.is_entry_allowed
    account.judge(3 * HOUR_MS, D(70))
    account.is_halted = False
    account.forget_peak()
    account.judge(3 * HOUR_MS, D(70))
    assert account.is_entry_allowed
    assert account.peak == D(70)


def test_the_band_ends_where_the_halt_begins() -> None:
    account = guard("halt")
    account.judge(HOUR_MS, D(90))
    band = account.band(D(90), {})
    assert band.floor is not None
    assert D("84.9999") < band.floor < D(85)

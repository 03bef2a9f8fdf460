"""Bots come back from quarantine with back-off, and what is wrong for long is said once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from traderagent_core import load_config
from traderagent_core.data.csv_writing import write_csv
from traderagent_core.live.driver import Driver
from traderagent_core.live.health import (
    FIRST_PAUSE_MS,
    GOOD_MS,
    INTERVAL_MS,
    LONG_DOWN_MS,
    MOST_ATTEMPTS,
    Health,
)
from traderagent_core.live.observing import Observer
from traderagent_core.live.vitals import Vitals
from traderagent_core.live_run import Recorded, run_recorded
from traderagent_core.model import event as ev
from traderagent_core.testing import market


@define
class Patient:
    """A run that is over, with the parts of a driver that are looked at."""

    engine: Any
    vitals: Vitals = field(factory=Vitals)
    told: list[tuple[str, dict[str, Any]]] = field(factory=list)
    observer: Any = None
    options: Any = None
    now_ms: int = 0

    def tell(self, what: str, **values: Any) -> None:
        self.told.append((what, values))

    def say(self, bot: str, action: str, reason: str = "") -> None:
        self.engine.step(ev.OperatorCommand(max(self.engine.now_ms, self.now_ms), bot, action, reason))

    def events(self, name: str) -> list[dict[str, Any]]:
        return [values for what, values in self.told if what == name]


@pytest.fixture
def patient(tmp_path: Path, ladder: Callable[..., dict[str, Any]]) -> Patient:
    write_csv(market("ranging", timeframe="5m", rows=300), tmp_path / "test_spot_BTC-USDT_5m.csv")
    wish = Recorded(load_config(ladder(timeframe="5m")), tmp_path, None)
    found = Patient(run_recorded(wish, tmp_path / "run", lambda *_, **__: None).engine)
    found.observer = Observer(found.engine, found.vitals, found.tell)
    found.options = found
    return found


def look(patient: Patient, health: Health, span_ms: int) -> None:
    end_ms = patient.now_ms + span_ms
    while patient.now_ms < end_ms:
        patient.now_ms += INTERVAL_MS
        health.look(patient.now_ms)


def health_of(patient: Patient) -> Health:
    driver: Driver = patient  # type: ignore[assignment]
    return Health(driver)


def test_a_bot_that_fails_again_and_again_is_given_up_after_growing_pauses(patient: Patient) -> None:
    (member,) = patient.engine.members.values()
    health, times = health_of(patient), []
    for _ in range(MOST_ATTEMPTS):
        member.is_quarantined = True
        begun_ms = patient.now_ms
        while member.is_quarantined:
            look(patient, health, INTERVAL_MS)
        times.append(patient.now_ms - begun_ms)
    expected = [FIRST_PAUSE_MS * 2**attempt for attempt in range(MOST_ATTEMPTS)]
    assert all(abs(time - pause) <= INTERVAL_MS for time, pause in zip(times, expected, strict=True))
    member.is_quarantined = True
    look(patient, health, GOOD_MS)
    assert member.is_quarantined
    assert [each["problem"] for each in patient.events("health_critical")] == ["bot_given_up"]


def test_a_good_day_begins_anew(patient: Patient) -> None:
    (member,) = patient.engine.members.values()
    health = health_of(patient)
    for _ in range(2):
        member.is_quarantined = True
        look(patient, health, FIRST_PAUSE_MS + INTERVAL_MS)
        assert not member.is_quarantined
        look(patient, health, GOOD_MS + INTERVAL_MS)
    assert [each["reason"] for each in patient.events("bot_brought_back")] == ["health: attempt 1 of 6"] * 2


@pytest.mark.parametrize("flag", ["is_paused", "is_halted", "is_stopped"])
def test_what_an_operator_has_said_is_not_undone(patient: Patient, flag: str) -> None:
    (member,) = patient.engine.members.values()
    member.is_quarantined = True
    setattr(member, flag, True)
    look(patient, health_of(patient), GOOD_MS // 24)
    assert member.is_quarantined
    assert patient.told == []


def test_a_link_that_is_down_for_long_is_told_once(patient: Patient) -> None:
    health = health_of(patient)
    patient.vitals.link("orders", is_up=False, time_ms=0, cause="reset")
    look(patient, health, LONG_DOWN_MS - INTERVAL_MS)
    assert patient.told == []
    look(patient, health, 10 * LONG_DOWN_MS)
    assert patient.events("health_critical") == [{"problem": "link_down", "cause": "orders: reset"}]

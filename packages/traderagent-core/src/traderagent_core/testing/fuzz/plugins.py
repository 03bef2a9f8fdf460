"""Strategies that misbehave in a callback while they hold a position: the engine goes on, and so does the stop."""

import asyncio
import decimal
import json
import random
import sys
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Any

from attrs import evolve

from traderagent_core.contract.strategy import Wake
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import At, AverageTimes, FillTimes, Fixed, Held, Leg, Plan, Stop, Trail
from traderagent_core.persistence.journal.entry import to_text
from traderagent_core.persistence.payloads import records_payload
from traderagent_core.testing.fuzz.examining import Tally, limited
from traderagent_core.testing.scripted import BOT, Callback, ScriptedVenue

D = Decimal
PRICE, STOP_PRICE = D(100), D(90)
MOST_RECORDS = 50
LONGEST_RECORD = 10_000
MISDEEDS: dict[str, Callback] = {}


def misdeed(function: Callback) -> Callback:
    """Enter a function of the context as something that a strategy may do in any callback."""
    MISDEEDS[function.__name__] = function
    return function


# -- raising ------------------------------------------------------------------------------------------------


class _Rude(Exception):
    """Cannot even be told."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class _Fundamental(BaseException):
    """Is no Exception."""


def _raising(name: str, error: Callable[[], BaseException]) -> None:
    def act(context: Any) -> None:
        context.exit("never meant")
        raise error()

    MISDEEDS[name] = act


_raising("raises", lambda: ValueError("oh"))
_raising("raises_what_cannot_be_told", _Rude)
_raising("raises_text_that_no_file_holds", lambda: ValueError("\ud800"))
_raising("raises_a_megabyte", lambda: ValueError("x" * 1_000_000))
_raising("raises_no_exception", _Fundamental)
_raising("exits", lambda: SystemExit(3))
_raising("ends_a_generator", GeneratorExit)
_raising("stops_an_iteration", StopIteration)
_raising("cancels", asyncio.CancelledError)
_raising("has_no_memory", MemoryError)


@misdeed
def calls_exit(_: Any) -> None:
    sys.exit("enough")


@misdeed
def recurses(context: Any) -> None:
    recurses(context)


@misdeed
def divides_by_zero(context: Any) -> None:
    context.note(str(context.price / D(0)))


# -- asking for nonsense ------------------------------------------------------------------------------------


def _leg(**changes: Any) -> Leg:
    usual = Leg("a", "a", Side.BUY, Purpose.ENTRY, Fixed(D(1)), At(D(95)))
    return evolve(usual, **changes)


def _plan(*legs: Leg, **changes: Any) -> Plan:
    usual = Plan("more", legs or (_leg(),), ("a",))
    return evolve(usual, **changes)


def _asking(name: str, plan: Callable[[], Any]) -> None:
    MISDEEDS[f"enters_{name}"] = lambda context: context.enter(plan())


_asking("nothing", lambda: None)
_asking("a_text", lambda: "buy")
_asking("a_plan_without_legs", lambda: _plan(legs=()))
_asking("a_plan_named_5", lambda: _plan(name=5))
_asking("a_plan_of_texts", lambda: _plan(legs=("a",)))
_asking("a_plan_with_a_text_as_stop", lambda: _plan(stop="90"))
_asking("a_plan_with_a_strange_trail", lambda: _plan(stop=Stop(At(D(90)), None, Trail(0.5, "x", None))))  # type: ignore[arg-type]
_asking("a_hundred_thousand_legs", lambda: _plan(*[_leg(name=f"l{each}") for each in range(100_000)]))
_asking("nan", lambda: _plan(_leg(quantity=Fixed(D("NaN")))))
_asking("infinity", lambda: _plan(_leg(price=At(D("Infinity")))))
_asking("less_than_nothing", lambda: _plan(_leg(quantity=Fixed(D(-1)))))
_asking("a_float", lambda: _plan(_leg(quantity=Fixed(0.1))))  # type: ignore[arg-type]
_asking("a_bare_number", lambda: _plan(_leg(quantity=D(1))))
_asking("a_bare_price", lambda: _plan(_leg(price=95.0)))
_asking("a_side_as_text", lambda: _plan(_leg(side="BUY")))
_asking("a_purpose_as_text", lambda: _plan(_leg(purpose="ENTRY")))
_asking("a_number_beyond_numbers", lambda: _plan(_leg(quantity=Fixed(D("1e400000")))))
_asking("a_price_of_dust", lambda: _plan(_leg(price=At(D("1e-400000")))))
_asking("a_billion", lambda: _plan(_leg(quantity=Fixed(D(10**9)))))
_asking("a_slot_that_is_a_list", lambda: _plan(_leg(slot=["a"])))
_asking("a_start_that_is_a_number", lambda: _plan(start=5))
_asking("a_target_before_any_fill", lambda: _plan(_leg(price=FillTimes(D(2)))))
_asking("pegs_of_nothing", lambda: _plan(_leg(quantity=Held(D(0)), price=AverageTimes(D(0)))))
_asking("a_name_that_no_file_holds", lambda: _plan(name="\ud800"))
_asking("a_leg_named_5", lambda: _plan(_leg(name=5), start=(5,)))
_asking("a_megabyte_of_evidence", lambda: _plan(evidence={"text": "x" * 1_000_000}))
_asking("evidence_that_no_file_holds", lambda: _plan(evidence={"text": "\ud800"}))
_asking("evidence_that_is_no_value", lambda: _plan(evidence={"thing": object(), 5: {1, 2}}))


def _verb(name: str, act: Callback) -> None:
    MISDEEDS[name] = act


_verb("places_a_text", lambda context: context.place("a leg"))
_verb("places_an_entry", lambda context: context.place(_leg()))
_verb("places_a_bare_number", lambda context: context.place(_leg(purpose=Purpose.EXIT, quantity=5)))
_verb("cancels_nothing", lambda context: context.cancel(None))
_verb("exits_for_a_number", lambda context: context.exit(5))
_verb("withdraws_for_an_object", lambda context: context.withdraw(object()))
_verb("sets_a_timer_to_infinity", lambda context: context.set_timer("t", float("inf")))
_verb("sets_a_timer_beyond_time", lambda context: context.set_timer("t", 10**400))
_verb("watches_a_text", lambda context: context.watch_price("w", "100"))
_verb("notes_an_object", lambda context: context.note(object()))
_verb("notes_a_megabyte", lambda context: context.note("x", text="y" * 1_000_000))
_verb("notes_what_cannot_be_told", lambda context: context.note("x", thing=_Rude()))
_verb("notes_text_that_no_file_holds", lambda context: context.note("\ud800"))


@misdeed
def asks_ten_thousand_times(context: Any) -> None:
    for number in range(10_000):
        context.set_timer(f"t{number}", context.now_ms + number)


# -- reaching for what is not its own -----------------------------------------------------------------------


@misdeed
def writes_into_its_ledger(context: Any) -> None:
    context.position.quantity = D(10**6)


@misdeed
def forges_verbs(context: Any) -> None:
    context.actions.append(("boom", 1, 2, 3))


@misdeed
def throws_its_verbs_away(context: Any) -> None:
    context.actions = None


@misdeed
def counts_with_two_digits(_: Any) -> None:
    decimal.getcontext().prec = 2
    decimal.getcontext().rounding = decimal.ROUND_UP


@misdeed
def draws_lots(_: Any) -> None:
    random.seed(5)


@misdeed
def starts_a_thread_that_asks_later(context: Any) -> None:
    thread = threading.Thread(target=lambda: context.exit("from a thread"))
    thread.start()
    thread.join()
    raise RuntimeError("and fails")


# -- examining ----------------------------------------------------------------------------------------------


def fuzz_plugins(count: int | None = None) -> Tally:
    """Let a strategy with a position commit each misdeed, or so many of them, in each callback."""
    tally = Tally()
    for name, act in islice(MISDEEDS.items(), count):
        for callback in PROVOKED:
            where = f"{name} in {callback}"
            try:
                with limited():
                    wrong = "; ".join(_committed(act, callback))
                tally.count(where, "refused", wrong)
            except Exception as error:
                tally.count(where, "broken", f"the engine raised {type(error).__name__}: {error!r}"[:300])
            except BaseException as error:
                tally.count(where, "broken", f"the engine let {type(error).__name__} through")
    return tally


def _committed(act: Callback, callback: str) -> Iterator[str]:
    """What is wrong after a misdeed."""
    guilty = {"is_on": False}

    def behave(context: Any, *_: Any) -> Any:
        return act(context) if guilty["is_on"] else None

    venue = ScriptedVenue({**dict.fromkeys(PROVOKED, behave), "on_start": _start}, wake=Wake.EVERY_CANDLE)
    venue.start().fill("base")
    venue.accept("low")
    venue.records.clear()
    guilty["is_on"] = True
    PROVOKED[callback](venue)
    guilty["is_on"] = False
    yield from _record_flaws(venue)
    yield from _protection_flaws(venue)


def _start(context: Any) -> None:
    base = Leg("base", "base", Side.BUY, Purpose.ENTRY, Fixed(D(2)), then=("low",))
    low = Leg("low", "low", Side.BUY, Purpose.SAFETY, Fixed(D(1)), At(D(95)))
    context.enter(Plan("first", (base, low), ("base",), Stop(At(STOP_PRICE))))


def _resume(venue: ScriptedVenue) -> None:
    venue.operator("pause")
    venue.operator("resume")


PROVOKED: dict[str, Callable[[ScriptedVenue], object]] = {
    "on_candle": ScriptedVenue.close_candle,
    "on_fill": lambda venue: venue.fill("low"),
    "on_timer": lambda venue: venue.timer("t"),
    "on_watch": lambda venue: venue.watch("w", 101),
    "on_resume": _resume,
}
"""The callbacks in which a strategy misbehaves, and what makes the engine call them."""


def _record_flaws(venue: ScriptedVenue) -> Iterator[str]:
    """Records have to be of ordinary number and size, fit for the journal, and name the bot that failed."""
    if len(venue.records) > MOST_RECORDS:
        yield f"{len(venue.records)} records"
    for record in venue.records:
        text = json.dumps(json.loads(to_text(records_payload([record]))), ensure_ascii=False)
        text.encode("utf-8")
        if len(text) > LONGEST_RECORD:
            yield f"a record of {len(text)} characters"
    if any(failure[0] != BOT for failure in venue.told("plugin_failed")):
        yield "a failure without the name of the bot"


def _protection_flaws(venue: ScriptedVenue) -> Iterator[str]:
    """What is held has its stop, which closes it when its price comes."""
    if venue.ledger.quantity not in (D(2), D(3)):
        yield f"the ledger says {venue.ledger.quantity}"
    if venue.live("exit") is None:
        if venue.member.stop.watched != STOP_PRICE:
            yield f"the stop is at {venue.member.stop.watched}"
        venue.watch("~stop", STOP_PRICE - 1)
    for slot in ("low", "a"):
        if venue.live(slot) is not None:
            venue.cancel(slot)
    if venue.live("exit") is None:
        yield "nothing closes the position"
        return
    venue.fill("exit")
    if venue.ledger.quantity:
        yield f"{venue.ledger.quantity} is left"

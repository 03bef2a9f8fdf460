"""Long sequences whose older items are packed tell the same as a list."""

from decimal import Decimal as D
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from traderagent_core.simulator.packed import Packed
from traderagent_core.simulator.record_columns import BETWEEN, unpacked
from traderagent_core.simulator.record_columns import packed as packed_columns
from traderagent_core.simulator.record_log import SHOWN, RecordLog, numbered, only


class Here:
    """Nobody outside of this test could find the class that is made of it."""


def packed(items: Any, most: int = 10, block: int = 4) -> Packed[Any]:
    kept: Packed[Any] = Packed(most, block)
    for item in items:
        kept.append(item)
    return kept


@pytest.mark.parametrize("length", [0, 9, 10, 11, 14, 15, 47])
def test_length_order_and_places_are_those_of_a_list(length: int) -> None:
    kept = packed(range(length))
    plain = list(range(length))
    assert (len(kept), list(kept), kept[:], kept[3:-2]) == (length, plain, plain, plain[3:-2])
    assert [kept[place] for place in range(-length, length)] == plain + plain
    assert len(kept.latest) <= kept.most
    with pytest.raises(IndexError):
        kept[length]


def test_numbers_keep_every_digit_and_shared_texts_their_content() -> None:
    items = [(D("1E+3"), D("-0.000"), D("1.10"), 0.1 + 0.2, "text" * number) for number in range(40)]
    assert list(map(repr, packed(items))) == list(map(repr, items))


def test_what_cannot_be_packed_stays_as_it_is() -> None:
    numbers = count()
    nameless = type("Nameless", (Here,), {"number": property(lambda self: next(numbers))})
    items = [(place, nameless() if place == 5 else None) for place in range(30)]
    kept = packed(items)
    assert list(kept) == items
    assert kept[5][1] is items[5][1]


@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_records_of_any_run_come_back_to_the_letter(kit: Any, data: Any) -> None:
    records = kit.run(data.draw(kit.worlds())).records
    heard: list[Any] = []
    whole, heard_log = RecordLog(most=7, block=3), RecordLog(heard.extend, most=7, block=3)
    for record in records:
        whole.append(record)
        heard_log.append(record)
    assert list(map(repr, whole)) == list(map(repr, records))
    assert [*heard, *heard_log.latest] == records
    kept = [record[: SHOWN.get(record[0])] for record in heard]
    assert list(map(repr, heard_log)) == list(map(repr, [*kept, *heard_log.latest]))


@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_some_kinds_of_records_come_back_at_their_places(kit: Any, data: Any) -> None:
    records = kit.run(data.draw(kit.worlds())).records
    log = RecordLog(most=7, block=3)
    for record in records:
        log.append(record)
    there = sorted({record[0] for record in records})
    kinds = data.draw(st.sets(st.sampled_from([*there, "nothing"])))
    wanted = list(numbered(records, kinds))
    assert list(map(repr, numbered(log, kinds))) == list(map(repr, wanted))
    assert list(map(repr, only(log, kinds))) == [repr(record) for _, record in wanted]


def test_texts_with_any_sign_and_numbers_of_any_form_come_back() -> None:
    texts = ["", "a\nb", BETWEEN, f"one{BETWEEN}two", "ä€"]
    numbers = [D("1E+3"), D("-0.000"), D("0E-8"), D("1.10"), D(2)]
    block = [
        *(("noted", 7, "bot", text, text) for text in texts),
        *(("want_resized", 8, place, number, None) for place, number in enumerate(numbers)),
        ("want_resized", 9, -1, D(1), D("0.10")),
        *(("funding_booked", 9, "bot", "A/B", number) for number in numbers),
    ]
    assert list(map(repr, unpacked(packed_columns(block)))) == list(map(repr, block))


def test_records_that_are_none_of_an_account_stay_as_they_are() -> None:
    log = RecordLog(most=3, block=2)
    strange = [("never_heard_of", place) for place in range(9)]
    for record in strange:
        log.append(record)
    assert list(log) == list(only(log, {"never_heard_of"})) == strange

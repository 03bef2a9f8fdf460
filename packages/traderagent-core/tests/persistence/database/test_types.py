"""What goes into a column comes out again, on both databases, to the last digit."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from traderagent_core.errors import StoreError
from traderagent_core.persistence.database.connect import Database
from traderagent_core.persistence.database.store import Store

Run = Callable[[Any], Any]
NOW = datetime(2024, 1, 1, tzinfo=UTC)
amounts = st.decimals(allow_nan=False, allow_infinity=False, places=None) | st.builds(
    lambda sign, digits, exponent: Decimal((sign, tuple(digits), exponent)),
    st.integers(0, 1),
    st.lists(st.integers(0, 9), min_size=1, max_size=60),
    st.integers(-60, 30),
)
slow = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def bot(name: str, **changes: Any) -> dict[str, Any]:
    row = dict.fromkeys(("strategy", "symbol", "market", "timeframe", "status", "status_reason"), "")
    money = {"budget": Decimal(1), "leverage": Decimal(1)}
    return {"account": "a", "name": name, **row, **money, "created_at": NOW, "updated_at": NOW, **changes}


async def stored(url: str, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    async with Database.open(url) as database:
        store = Store(database)
        await store.prepare()
        await store.write({"bots": rows})
        return {row["name"]: row for row in await store.rows("bots")}


@slow
@given(found=st.lists(amounts, min_size=1, max_size=40))
def test_amounts_are_exact(found: list[Decimal], database_url: str, run: Run) -> None:
    found = [amount for amount in found if abs(amount.adjusted()) < 1000]
    rows = run(stored(database_url, [bot(str(index), budget=amount) for index, amount in enumerate(found)]))
    for index, amount in enumerate(found):
        back = rows[str(index)]["budget"]
        assert type(back) is Decimal
        assert f"{back:f}".removeprefix("-") == f"{amount:f}".removeprefix("-"), (
            "to the last digit, zeros too"
        )
        assert back == amount


@slow
@given(
    times=st.lists(
        st.datetimes(
            min_value=datetime(1970, 1, 2),  # noqa: DTZ001
            timezones=st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m))),
        ),
        min_size=1,
        max_size=20,
    ).filter(
        lambda times: all(1970 <= time.astimezone(UTC).year < 9999 for time in times if time.year < 9998)
    )
)
def test_times_come_back_aware_in_utc_and_sort_by_time(
    times: list[datetime], database_url: str, run: Run
) -> None:
    times = [time for time in times if time.year < 9998]
    rows = run(stored(database_url, [bot(str(index), created_at=time) for index, time in enumerate(times)]))
    for index, time in enumerate(times):
        assert rows[str(index)]["created_at"] == time
        assert rows[str(index)]["created_at"].tzinfo is UTC

    async def in_order() -> list[str]:
        async with Database.open(database_url) as database, database.reading() as connection:
            found = await connection.execute(text("SELECT name FROM bots ORDER BY created_at"))
            return [name for (name,) in found]

    ordered = [rows[name]["created_at"] for name in run(in_order())]
    assert ordered == sorted(ordered)


@slow
@given(words=st.lists(st.text(alphabet=st.characters()), min_size=1, max_size=20))
def test_any_text_is_taken_and_ordinary_text_is_unchanged(
    words: list[str], database_url: str, run: Run
) -> None:
    words = [*words, "nul \0 inside", "half a pair \ud83d", "ünïcode 🙂 'quoted' \"twice\" %s :x"]
    rows = run(
        stored(database_url, [bot(str(index), status_reason=word) for index, word in enumerate(words)])
    )
    for index, word in enumerate(words):
        back = rows[str(index)]["status_reason"]
        is_plain = "\0" not in word and not any(0xD800 <= ord(letter) < 0xE000 for letter in word)
        assert (back == word) or not is_plain


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("budget", Decimal("NaN"), "finite Decimal"),
        ("budget", Decimal("-Infinity"), "finite Decimal"),
        ("budget", 1.5, "finite Decimal"),
        ("budget", 1, "finite Decimal"),
        ("created_at", datetime(2024, 1, 1), "aware"),  # noqa: DTZ001
    ],
)
def test_what_is_not_exact_is_refused(
    column: str, value: Any, message: str, database_url: str, run: Run
) -> None:
    with pytest.raises(StoreError, match=message):
        run(stored(database_url, [bot("x", **{column: value})]))

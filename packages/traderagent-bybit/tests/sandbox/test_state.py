"""What a sandbox keeps over its end: orders, positions, fills; and what it refuses to start with."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from traderagent_bybit.codes import BybitError
from traderagent_bybit.sandbox.session import Session, Settings
from traderagent_core import Candles, DataError

Make = Callable[..., Session]
LINEAR = {"category": "linear", "symbol": "BTCUSDT"}
MINUTE_MS = 60_000


def picture(session: Session) -> Any:
    """Everything that an account can be asked for."""
    found = {}
    for name, account in session.world.accounts.items():
        found[name] = (
            [order.row() for order in account.orders.values()],
            [execution.row() for execution in account.executions],
            [line.row() for line in account.movements],
            {key: (leg.quantity, leg.position.cost, leg.seq) for key, leg in account.legs.items()},
            account.wallet_balance,
            account.exchange.margin,
            account.spent_links,
        )
    return session.world.now_ms, found


def trade(session: Session) -> None:
    for number in range(6):
        price = session.world.accounts["one"].symbols["BTCUSDT"].active_legs()[0].last_price
        for side, sign in (("Buy", -1), ("Sell", 1)):
            at = str(round(price * (1000 + sign) / 1000, 1))
            body = {"side": side, "orderType": "Limit", "qty": "0.002", "price": at}
            session.apply("one", "create", {**LINEAR, **body, "orderLinkId": f"{side}{number}"})
        with pytest.raises(BybitError):
            session.apply("two", "create", {**LINEAR, "side": "Buy", "orderType": "Market", "qty": "9"})
        session.advance(session.world.now_ms + 7 * MINUTE_MS)
    sale = {"side": "Sell", "orderType": "Market", "qty": "0.01", "takeProfit": "30000"}
    session.apply("two", "create", {**LINEAR, **sale})
    session.advance(session.world.now_ms + 90_500, stops_at_events=True)


@pytest.fixture
def make(candles: Candles) -> Iterator[Callable[..., Session]]:
    """Opens sessions, and closes them when the test is over; killed processes close nothing either."""
    made: list[Session] = []

    def build(settings: Settings, wall_ms: Callable[[], int] = lambda: 1_750_000_000_000) -> Session:
        made.append(Session(settings, [candles], wall_ms))
        return made[-1]

    yield build
    for session in made:
        session.close()


@pytest.fixture
def kept(settings: Settings, tmp_path: Path) -> Settings:
    return evolve(settings, state=tmp_path / "state.jsonl")


def test_everything_is_there_after_a_restart_and_goes_on_alike(kept: Settings, make: Make) -> None:
    first = make(kept)
    trade(first)
    again = make(kept, lambda: 1_760_000_000_000)
    assert picture(again) == picture(first)
    assert len(picture(first)[1]["one"][1]) > 4
    for session in (first, again):
        session.world.advance(session.world.now_ms + 30 * MINUTE_MS)
        trade_more = {**LINEAR, "side": "Buy", "orderType": "Market", "qty": "0.01"}
        session.world.apply("one", "create", trade_more)
    assert picture(again) == picture(first)


def test_a_market_in_real_time_has_gone_on_meanwhile(kept: Settings, make: Make) -> None:
    clock = [1_750_000_000_000]
    moving = evolve(kept, speed=1.0)
    first = make(moving, lambda: clock[0])
    price = first.world.accounts["one"].symbols["BTCUSDT"].active_legs()[0].last_price
    body = {"side": "Buy", "orderType": "Limit", "qty": "0.01", "price": str(round(price * 999 / 1000, 1))}
    first.apply("one", "create", {**LINEAR, **body})
    clock[0] += 1_000 * MINUTE_MS
    again = make(moving, lambda: clock[0])
    again.tick()
    assert again.world.now_ms - first.world.now_ms == 1_000 * MINUTE_MS
    assert [order.status for order in again.world.accounts["one"].orders.values()] == ["Filled"]


def test_data_are_moved_to_now_unless_their_dates_are_kept(
    settings: Settings, make: Make, candles: Candles
) -> None:
    moved = make(settings, lambda: 1_750_000_012_345)
    assert moved.world.now_ms == 1_750_000_012_345 // MINUTE_MS * MINUTE_MS
    there = make(evolve(settings, keeps_dates=True), lambda: 1_750_000_012_345)
    assert int(candles.open_time[0]) < there.world.now_ms < int(candles.open_time[-1])


def test_last_line_that_was_torn_is_dropped(kept: Settings, make: Make) -> None:
    first = make(kept)
    trade(first)
    before = picture(first)
    assert kept.state is not None
    with kept.state.open("ab") as file:
        file.write(b'{"at":17500')
    again = make(kept)
    assert picture(again) == before
    again.apply("one", "cancel-all", LINEAR)
    assert picture(make(kept)) == picture(again)


def test_damage_elsewhere_is_told_with_its_line(kept: Settings, make: Make) -> None:
    trade(make(kept))
    assert kept.state is not None
    lines = kept.state.read_bytes().splitlines(keepends=True)
    kept.state.write_bytes(b"".join([*lines[:3], lines[3][5:], *lines[4:]]))
    with pytest.raises(DataError, match=r"state\.jsonl, line 4 is damaged"):
        make(kept)


@pytest.mark.parametrize(("change", "word"), [({"seed": 5}, "seed"), ({"speed": 2.0}, "speed")], ids=str)
def test_state_of_another_sandbox_is_refused(
    kept: Settings, make: Make, change: dict[str, Any], word: str
) -> None:
    make(kept).close()
    with pytest.raises(DataError, match=f"with another {word}"):
        make(evolve(kept, **change))


def test_file_of_something_else_is_refused(kept: Settings, make: Make) -> None:
    assert kept.state is not None
    kept.state.write_text('{"a": 1}\n')
    with pytest.raises(DataError, match="no state of a Bybit sandbox"):
        make(kept)


def test_start_outside_the_data_is_refused(settings: Settings, make: Make) -> None:
    with pytest.raises(DataError, match="the market cannot begin"):
        make(evolve(settings, start_ms=1))


def test_time_moves_by_hand_only_in_lockstep(settings: Settings, make: Make) -> None:
    moving = make(evolve(settings, speed=1.0))
    with pytest.raises(ValueError, match="time moves by itself"):
        moving.advance(moving.world.now_ms + 1)
    still = make(settings)
    with pytest.raises(ValueError, match="time does not go back"):
        still.advance(still.world.now_ms - 1)


def test_prices_made_by_hand_and_split_fills_are_kept_too(kept: Settings, make: Make) -> None:
    first = make(kept)
    first.split_fills(3)
    price = float(first.world.accounts["one"].symbols["BTCUSDT"].active_legs()[0].last_price)
    body = {"side": "Buy", "orderType": "Limit", "qty": "0.01", "price": str(round(price - 50, 1))}
    first.apply("one", "create", {**LINEAR, **body})
    first.trade("BTCUSDT", round(price - 80, 1))
    first.trade("BTCUSDT", round(price + 80, 1))
    account = first.world.accounts["one"]
    assert [row.quantity for row in account.executions] == [
        Decimal(each) for each in ("0.003", "0.003", "0.004")
    ]
    statuses = [row["orderStatus"] for topic, row in account.outbox if topic == "order"]
    assert statuses == ["New", "PartiallyFilled", "PartiallyFilled", "Filled"]
    assert picture(make(kept)) == picture(first)


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan")])
def test_prices_that_are_none_are_refused(settings: Settings, make: Make, price: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        make(settings).trade("BTCUSDT", price)

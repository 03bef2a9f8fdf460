"""Who is told what, and when: accounts at once, markets when time passes."""

from decimal import Decimal
from typing import Any

from traderagent_bybit.sandbox.desk import Desk
from traderagent_bybit.sandbox.session import Session, Settings
from traderagent_bybit.sandbox.topics import TopicState
from traderagent_bybit.sandbox.world import AccountSpec
from traderagent_core.testing import market


class Listener:
    """A connection that keeps what it is told."""

    number, held = 1, None

    def __init__(self, account: str, topic: str, time_ms: int) -> None:
        self.account, self.topics, self.told = account, {topic: TopicState(time_ms)}, list[str]()

    def put(self, message: dict[str, Any]) -> None:
        self.told.append(message["topic"])


def test_an_order_is_told_before_and_without_the_news_of_markets() -> None:
    now = [1_800_000_000_000]
    settings = Settings(
        [AccountSpec("kit", "kit", "hush", Decimal(10_000))], speed=60.0, has_rate_limits=False
    )
    desk = Desk(Session(settings, [market("ranging", timeframe="1m", rows=600)], lambda: now[0]))
    started_ms = desk.session.world.now_ms
    private, public = Listener("kit", "order", started_ms), Listener("", "tickers.BTCUSDT", started_ms)
    desk.hub.connections = {private, public}  # type: ignore[arg-type]
    now[0] += 1_000
    price = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "price": "50"}
    desk.session.apply("kit", "create", {**price, "qty": "1"})
    desk.hub.tell_accounts()
    assert (private.told, public.told) == (["order"], [])
    desk.hub.flush()
    assert (private.told, public.told) == (["order"], ["tickers.BTCUSDT"])

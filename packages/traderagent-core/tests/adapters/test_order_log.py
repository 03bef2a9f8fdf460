"""What a simulated venue tells of orders that are over, as an exchange would when it is asked."""

from decimal import Decimal

from traderagent_core.adapters.order_log import Facts, OrderLog
from traderagent_core.model import event as ev
from traderagent_core.model.order import AttachedStop, OrderRequest, OrderStatus, OrderType, Side
from traderagent_core.model.remembered import forget_oldest

SYMBOL = "BTC/USDT"
ENTRY = OrderRequest(
    "entry",
    SYMBOL,
    Side.BUY,
    OrderType.MARKET,
    Decimal(2),
    None,
    attached_stop=AttachedStop("stop", Decimal(90)),
)


def test_a_stop_that_was_refused_when_its_entry_traded_can_be_asked_for() -> None:
    """Its refusal is told once, and may be lost; who asks later must not hear that there never was one."""
    log = OrderLog()
    log.expect(ENTRY)
    log.note(ev.OrderAccepted(1, "entry", "v1"))
    assert log.report("stop") is None
    log.note(ev.OrderRejected(2, "stop", "would_trigger"))
    found = log.report("stop")
    assert found is not None
    assert (found.status, found.code, found.closes_position) == (OrderStatus.REJECTED, "would_trigger", True)
    assert "stop" not in log.open


def test_facts_since_a_time_are_found_though_some_were_heard_late() -> None:
    """Markets move singly, so one may tell of a fill before what another has told of already."""
    facts: Facts[ev.FundingPaid] = Facts()
    for time_ms in (10, 30, 20, 40, 25, 50):
        facts.append(ev.FundingPaid(time_ms, SYMBOL, Decimal(1)))
    for since_ms in range(0, 60, 5):
        found = [fact.time_ms for fact in facts.since(since_ms)]
        assert found == [each for each in (10, 30, 20, 40, 25, 50) if each >= since_ms]


def test_of_what_is_remembered_the_oldest_is_forgotten() -> None:
    remembered: dict[int, None] = {}
    for number in range(1_000):
        remembered[number] = None
        forget_oldest(remembered, 100)
    assert 90 <= len(remembered) <= 100
    assert list(remembered) == list(range(1_000 - len(remembered), 1_000))

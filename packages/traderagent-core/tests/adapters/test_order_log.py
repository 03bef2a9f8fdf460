"""What a simulated venue tells of orders that are over, as an exchange would when it is asked."""

from decimal import Decimal

from traderagent_core.adapters.order_log import OrderLog
from traderagent_core.model import event as ev
from traderagent_core.model.order import AttachedStop, OrderRequest, OrderStatus, OrderType, Side

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

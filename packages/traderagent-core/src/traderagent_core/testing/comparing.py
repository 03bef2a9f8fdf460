"""Compares two runs, and says what is wrong in three parts: what was expected, what was found, how to mend it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NoReturn

from attrs import define

from traderagent_core.account.ledger import Ledger
from traderagent_core.account.state import WantStatus
from traderagent_core.engine.engine import Engine
from traderagent_core.testing.run import Run

ZERO = Decimal(0)


def refuse(*, expected: str, found: str, mend: str) -> NoReturn:
    """Fail a case with a message for the author of the plugin."""
    raise AssertionError(f"\nexpected: {expected}\nfound:    {found}\nmend:     {mend}")


def require_same_lines(
    expected: Sequence[str], found: Sequence[str], *, what: str, mend: str, is_prefix: bool = False
) -> None:
    """Two runs must have written the same records; with `is_prefix` the found ones may end earlier."""
    for index, (left, right) in enumerate(zip(expected, found, strict=False)):
        if left != right:
            refuse(
                expected=f"{what}\n          record {index}: {left}",
                found=f"record {index}: {right}{_before(expected, index)}",
                mend=mend,
            )
    if len(found) > len(expected) or (not is_prefix and len(found) < len(expected)):
        longer = expected if len(expected) > len(found) else found
        index = min(len(expected), len(found))
        refuse(
            expected=f"{what}\n          {len(expected)} records",
            found=f"{len(found)} records; the first that only one of the runs has: {longer[index]}",
            mend=mend,
        )


def _before(lines: Sequence[str], index: int) -> str:
    return f"\n          (the last common record: {lines[index - 1]})" if index else ""


@define
class Traded:
    """What became of one want: where it stood, and what all fills of its orders sum up to."""

    bot: str
    slot: str
    leg: str
    side: str
    filled: Decimal = ZERO
    notional: Decimal = ZERO
    fees: Decimal = ZERO


def traded(run: Run, bot: str | None = None) -> list[str]:
    """All wants that traded, in the order in which they were granted, as text; of one bot if `bot` is given.

    Fills are summed up, so that it does not matter how they were split.
    """
    plans: dict[int, tuple[str, dict[str, Any]]] = {}
    wants: dict[int, Traded] = {}
    orders: dict[str, Traded] = {}
    for kind, _, *values in run.records:
        if kind == "plan_granted":
            plans[len(plans) + 1] = (values[0], {leg.name: leg for leg in values[5]})
        elif kind == "want_granted":
            owner, legs = plans[values[0]]
            leg = legs[values[1]]
            wants[len(wants) + 1] = Traded(owner, leg.slot, leg.name, leg.side.value)
        elif kind == "order_submitted":
            orders[values[0]] = wants[values[1]]
        elif kind == "filled":
            want = orders[values[0]]
            want.filled += values[3]
            want.notional += values[2] * values[3]
            want.fees += values[4]
    chosen = [want for want in wants.values() if want.filled and bot in (None, want.bot)]
    return [
        f"{want.bot} {want.slot} {want.leg} {want.side} {_plain(want.filled)} for {_plain(want.notional)}"
        f" fees {_plain(want.fees)}"
        for want in chosen
    ]


def ledgers(run: Run, bot: str | None = None) -> list[str]:
    """All ledgers with everything that is exact in them, as text; of one bot if `bot` is given."""
    return [_ledger_text(own) for own in run.engine.account.ledgers.values() if bot in (None, own.bot)]


def _ledger_text(own: Ledger) -> str:
    position = own.position
    numbers = {
        "quantity": position.quantity,
        "cost": position.cost,
        "realized": position.realized_pnl,
        "fees": own.fees,
        "funding": own.funding,
        "cycles": Decimal(own.cycles),
        "cycle profit": own.cycle_profit,
        "open buys": own.open_buys,
        "open sells": own.open_sells,
    }
    shown = ", ".join(f"{name} {_plain(number)}" for name, number in numbers.items())
    return f"{own.bot or 'house'} on {own.symbol}: {shown}"


def open_wants(run: Run) -> list[str]:
    """What is still wanted at the end, in order of slots, as text."""
    wants = [want for plan in run.engine.account.plans.values() for want in plan.wants.values()]
    return sorted(
        f"{want.plan.bot} {want.slot.name} {want.leg.name} {want.side.value} {_plain(want.quantity - want.filled)}"
        f" at {want.price} {want.status.value}"
        for want in wants
    )


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text if number else "0"


def books_problem(run: Run) -> str | None:
    """Where the ledgers, the wants and the venue disagree, or None. This is the engine's duty, not a strategy's."""
    account = run.engine.account
    for symbol, market in run.exchange.markets.items():
        ours, theirs = account.net_quantity(symbol), market.position.quantity
        if ours != theirs:
            return f"the ledgers hold {ours} of {symbol}, the venue {theirs}"
    flow = run.exchange.flow - run.exchange.balance
    if abs(account.flow() - flow) > Decimal("1e-9"):
        return f"the ledgers' money is {account.flow()}, the venue's {flow}"
    return _halfway_problem(run.engine)


def _halfway_problem(engine: Engine) -> str | None:
    """A want that is open without an order, or blocked without a reason."""
    for plan in engine.account.plans.values():
        for want in plan.wants.values():
            if want.status is WantStatus.OPEN and want.slot.order is None:
                return f"the want {want.leg.name} in slot {want.slot.name} is open without an order"
            if want.status is WantStatus.BLOCKED and not want.reason:
                return f"the want {want.leg.name} in slot {want.slot.name} is blocked without a reason"
    return None

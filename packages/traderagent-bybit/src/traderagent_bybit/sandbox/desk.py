"""What REST, sockets and control share: the session, the keys, limits, faults and the hub of the sockets."""

from collections.abc import Mapping, Sequence
from typing import Any

from traderagent_bybit.codes import BybitError
from traderagent_bybit.sandbox.faults import Faults
from traderagent_bybit.sandbox.hub import Hub
from traderagent_bybit.sandbox.limits import RateLimits
from traderagent_bybit.sandbox.session import Session
from traderagent_bybit.sandbox.world import AccountSpec


class Desk:
    """One running sandbox."""

    def __init__(self, session: Session) -> None:
        self.session = session
        settings = session.settings
        self.accounts_by_key: dict[str, AccountSpec] = {spec.key: spec for spec in settings.accounts}
        self.limits = RateLimits(session.wall_ms, is_on=settings.has_rate_limits)
        self.faults = Faults()
        self.hub = Hub(session, self.faults)

    def batch(self, account: str, operation: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Do several things; each has its own code, and the outer one is 0 whatever they are."""
        results, codes = [], []
        for row in rows:
            named = {"category": "linear", "symbol": row.get("symbol", "")}
            try:
                done = self.session.apply(account, operation, row)
                created = {"createAt": str(self.session.world.now_ms)} if operation == "create" else {}
                results.append({**named, **done, **created})
                codes.append({"code": 0, "msg": "OK"})
            except BybitError as error:
                results.append({**named, "orderId": "", "orderLinkId": str(row.get("orderLinkId") or "")})
                codes.append({"code": error.code, "msg": error.message})
        return {"list": results, "retExtInfo": {"list": codes}}

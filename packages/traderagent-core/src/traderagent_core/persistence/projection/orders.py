"""Rows of orders and of their executions."""

from decimal import Decimal

from attrs import Factory, define

from traderagent_core.account.account import REMEMBERED_ORDERS
from traderagent_core.account.state import Order
from traderagent_core.persistence.projection.rows import Changes, Row, moment
from traderagent_core.persistence.projection.step import Step

ZERO = Decimal(0)


@define(eq=False)
class Orders:
    """Orders, from the moment they are sent, and trades: one for each execution.

    `live` and `ended` are the rows of orders that the account remembers.
    """

    changes: Changes
    live: dict[str, Row] = Factory(dict)
    ended: dict[str, Row] = Factory(dict)

    def see(self, step: Step) -> None:
        """Take in what a record did."""
        if step.kind == "foreign_filled":
            self._foreign(step)
        if step.order is None:
            return
        if step.kind == "order_submitted":
            self._sent(step, step.order)
        row = self._row(step.order)
        if row is None:
            return
        if step.kind == "filled":
            self._filled(step, row)
        elif step.kind == "order_accepted":
            row["venue_order_id"] = step.record[3]
        self._follow(step, step.order, row)

    def _row(self, order: Order) -> Row | None:
        return self.live.get(order.client_order_id) or self.ended.get(order.client_order_id)

    def _sent(self, step: Step, order: Order) -> None:
        want = order.want
        self.live[order.client_order_id] = {
            "client_order_id": order.client_order_id,
            "venue_order_id": None,
            "bot": want.plan.bot,
            "symbol": want.plan.symbol,
            "plan_id": want.plan.id,
            "want_id": want.id,
            "slot": want.slot.name,
            "generation": step.record[4],
            "purpose": want.leg.purpose.value,
            "side": order.side.value,
            "type": order.type.value,
            "reduce_only": order.reduce_only,
            "notional": ZERO,
            "fee": ZERO,
            "submitted_at": moment(step.time_ms),
        }

    def _follow(self, step: Step, order: Order, row: Row) -> None:
        row["status"] = order.status.value
        row["price"] = order.price
        row["quantity"] = order.quantity
        row["filled"] = order.filled
        row["reason"] = order.reason
        row["updated_at"] = moment(step.time_ms)
        self.changes.put("orders", (order.client_order_id,), row)
        if order.status.is_final:
            self._ended(order.client_order_id)

    def _ended(self, order_id: str) -> None:
        row = self.live.pop(order_id, None)
        if row is None:
            return
        self.ended[order_id] = row
        if len(self.ended) > REMEMBERED_ORDERS:
            del self.ended[next(iter(self.ended))]

    def _filled(self, step: Step, row: Row) -> None:
        _, time_ms, order_id, trade_id, price, quantity, fee, liquidity, _ = step.record
        row["notional"] += price * quantity
        row["fee"] += fee
        self.changes.put(
            "trades",
            (trade_id,),
            {
                "trade_id": trade_id,
                "client_order_id": order_id,
                "bot": row["bot"],
                "symbol": row["symbol"],
                "side": row["side"],
                "price": price,
                "quantity": quantity,
                "fee": fee,
                "liquidity": liquidity.value,
                "realized_pnl": step.realized,
                "traded_at": moment(time_ms),
            },
        )

    def _foreign(self, step: Step) -> None:
        _, time_ms, bot, symbol, trade_id, side, price, quantity, fee = step.record
        self.changes.put(
            "trades",
            (trade_id,),
            {
                "trade_id": trade_id,
                "client_order_id": None,
                "bot": bot or None,
                "symbol": symbol,
                "side": side.value,
                "price": price,
                "quantity": quantity,
                "fee": fee,
                "liquidity": None,
                "realized_pnl": step.realized,
                "traded_at": moment(time_ms),
            },
        )

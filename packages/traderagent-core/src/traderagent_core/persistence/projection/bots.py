"""Rows of bots: what each is, where it stands, what it said, and how it stood at snapshots."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import Factory, define, evolve

from traderagent_core.account import reasons
from traderagent_core.model.order import Side
from traderagent_core.persistence.payloads import BotDescription
from traderagent_core.persistence.projection.deals import Deal
from traderagent_core.persistence.projection.rows import Changes, Row, moment
from traderagent_core.persistence.projection.step import Step

KEPT_SNAPSHOTS = 20
STATUS = {
    "operator_start": "RUNNING",
    "operator_resume": "RUNNING",
    "operator_pause": "PAUSED",
    "operator_stop": "STOPPED",
    "operator_halt": "EMERGENCY",
    "operator_acknowledge": "STOPPING",
    "operator_reset": "STOPPED",
}
"""Where a bot stands after an operator's word."""
LEVELS = {
    "noted": "INFO",
    "plan_rejected": "INFO",
    "want_blocked": "WARNING",
    "mode_changed": "WARNING",
    "plugin_failed": "ERROR",
}


@define(eq=False)
class Known:
    """One bot."""

    description: BotDescription
    created_ms: int
    status: str = "STOPPED"
    status_reason: str = ""
    snapshots: int = 0
    buys: int = 0
    sells: int = 0


@define(eq=False)
class Bots:
    """Bots by name. One that no setup has described is known by its records alone."""

    changes: Changes
    known: dict[str, Known] = Factory(dict)

    def strategy(self, bot: str) -> str:
        """The strategy that a bot runs."""
        return self.known[bot].description.strategy

    def set_up(self, bots: list[BotDescription], time_ms: int) -> None:
        """Take in the bots of a setup."""
        for description in bots:
            known = self.known.get(description.name)
            if known is None:
                known = self.known[description.name] = Known(description, time_ms)
            known.description = description
            self._put(known, time_ms)

    def meet(self, step: Step) -> None:
        """Make sure that the bot of a record has a row before any other row names it."""
        if step.kind == "ledger_handed_over":
            self._meet(step.record[4], step.record[3], step.time_ms)
        if step.kind in ("plan_granted", "foreign_filled", "funding_booked", "ledger_handed_over"):
            self._meet(step.record[2], step.record[3], step.time_ms)
        elif step.kind in ("plan_rejected", "noted", "plugin_failed"):
            self._meet(step.record[2], "", step.time_ms)

    def _meet(self, bot: str, symbol: str, time_ms: int) -> None:
        if bot and bot not in self.known:
            unknown = BotDescription(bot, "", symbol, "", "", Decimal(0), Decimal(1))
            self._put(self.known.setdefault(bot, Known(unknown, time_ms)), time_ms)
        elif bot and symbol and not self.known[bot].description.symbol:
            known = self.known[bot]
            known.description = evolve(known.description, symbol=symbol)
            self._put(known, time_ms)

    def see(self, step: Step) -> None:
        """Take in what a record did."""
        if step.kind == "filled" and step.want is not None:
            known = self.known[step.bot]
            known.buys += step.want.side is Side.BUY
            known.sells += step.want.side is Side.SELL
        elif step.kind == "noted" and step.record[3] in STATUS:
            bot = step.record[2]  # An empty one stands for the whole account.
            for known in [self.known[bot]] if bot else self.known.values():
                known.status, known.status_reason = STATUS[step.record[3]], step.record[4]
                self._put(known, step.time_ms)

    def log(self, step: Step, sequence: int, position: int) -> None:
        """Keep what a record tells people."""
        level = LEVELS.get(step.kind)
        if level is None:
            return
        bot, reason, evidence = _said(step)
        row = {
            "sequence": sequence,
            "position": position,
            "bot": bot if bot in self.known else None,
            "level": level,
            "event": step.kind,
            "reason": reason,
            "evidence": evidence,
            "logged_at": moment(step.time_ms),
        }
        self.changes.put("bot_logs", (sequence, position), row)

    def snapshot(self, sequence: int, view: dict[str, Any], deals: Mapping[str, Deal], time_ms: int) -> None:
        """Keep how each bot stood, with its open deal if it has one; the oldest of many makes room."""
        for name, state in view.get("bots", {}).items():
            known = self.known.get(name)
            if known is None:
                continue
            place = known.snapshots % KEPT_SNAPSHOTS
            known.snapshots += 1
            deal = deals[name].row(time_ms) if name in deals else None
            row: Row = {
                "bot": name,
                "place": place,
                "sequence": sequence,
                "state": {
                    **state,
                    "buys": known.buys,
                    "sells": known.sells,
                    "deal": deal
                    and {key: value if value is None else str(value) for key, value in deal.items()},
                    "account": view.get("account", {}),
                },
                "taken_at": moment(time_ms),
            }
            self.changes.put("bot_state_snapshots", (name, place), row)

    def _put(self, known: Known, time_ms: int) -> None:
        about = known.description
        self.changes.put(
            "bots",
            (about.name,),
            {
                "name": about.name,
                "strategy": about.strategy,
                "symbol": about.symbol,
                "market": about.market,
                "timeframe": about.timeframe,
                "budget": about.budget,
                "leverage": about.leverage,
                "status": known.status,
                "status_reason": known.status_reason,
                "created_at": moment(known.created_ms),
                "updated_at": moment(time_ms),
            },
        )


def _said(step: Step) -> tuple[str, str, str]:
    """Bot, reason and evidence of a record."""
    record = step.record
    match step.kind:
        case "want_blocked":
            return step.bot, record[3], f"slot={step.want.slot.name}, retry={record[4]}" if step.want else ""
        case "mode_changed":
            return reasons.bot_of_mode(record[2]), f"{record[2]} {'on' if record[3] else 'off'}", record[4]
        case "plan_rejected":
            return record[2], record[4], f"plan={record[3]}, {record[5]}"
        case _:
            return record[2], record[3], record[4]

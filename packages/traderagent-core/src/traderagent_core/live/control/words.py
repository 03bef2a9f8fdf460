"""What an operator can have done with a run. Each word is an event on the journal; nothing goes past the engine."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from attrs import define

from traderagent_core.coordinator.halt import Stage
from traderagent_core.engine.life_cycle import LifeCycle, bots_of, is_at_work
from traderagent_core.engine.member import Member
from traderagent_core.engine.operator import EVERYBODY
from traderagent_core.errors import OrderError
from traderagent_core.live.control.standing import life_of
from traderagent_core.live.driver import Driver
from traderagent_core.live.starting import refuse_fatal

STOPPED, STARTING, RUNNING, PAUSED, STOPPING, EMERGENCY = LifeCycle
FROM = {
    "start": (STOPPED,),
    "pause": (RUNNING,),
    "resume": (PAUSED,),
    "stop": (STARTING, RUNNING, PAUSED),
}
"""Where a bot has to be for a word."""
ALREADY = {
    "start": (STARTING, RUNNING),
    "pause": (PAUSED,),
    "resume": (RUNNING,),
    "stop": (STOPPING, STOPPED),
}
"""Where a bot is already what the word asks for."""
FIRST = {
    STOPPED: "`traderagent start` it first",
    STARTING: "wait until it runs",
    RUNNING: "it runs",
    PAUSED: "`traderagent resume` or `stop` it first",
    STOPPING: "wait until it is STOPPED",
    EMERGENCY: "`traderagent ack` first",
}


class RefusedError(OrderError):
    """A word that cannot be carried out now: the operator does first what the message says."""


@define(eq=False)
class Words:
    """Carries out the words of an operator; to be called in the driver's turn."""

    driver: Driver

    def say(self, word: str, bot: str | None, reason: str) -> dict[str, str]:
        """Start, pause, resume or stop one bot, or with None all that it fits; says where each is now."""
        for name, members in self._chosen(bot).items():
            life = life_of(self.driver, name)
            if life in FROM[word] or (word == "resume" and life == RUNNING and self._has_hung_mode()):
                self._carry_out(word, name, members, reason)
            elif bot is not None and life not in ALREADY[word]:
                raise RefusedError(f"bot {name!r} is {life}: it cannot {word} now; {FIRST[life]}")
        return self._lives(bot)

    def _has_hung_mode(self) -> bool:
        """Whether a risk mode lets nothing be added until an operator speaks, though every bot runs."""
        return self.driver.engine.guards.account.has_hung

    def panic(self, bot: str | None, reason: str) -> dict[str, str]:
        """Cancel everything and close at the market; for all bots that is the emergency halt of the account."""
        for name in self._chosen(bot):
            self.driver.forget_start(name)
            if bot is not None:
                self.driver.say(name, "halt", reason or "panic")
        if bot is None:
            self.driver.say(EVERYBODY, "halt", reason or "panic")
        return self._lives(bot)

    def acknowledge(self, reason: str) -> dict[str, str]:
        """An emergency was seen and is over: its bots go to STOPPED."""
        halt = self.driver.engine.halting.state
        if halt.stage not in (None, Stage.AWAIT_ACK):
            raise RefusedError(f"the halt is not over yet: {halt.stage}; wait until all is closed")
        halted = {
            name: each for name, each in self._bots().items() if life_of(self.driver, name) is EMERGENCY
        }
        if not halted:
            raise RefusedError("there is no emergency to acknowledge")
        for name, members in halted.items():
            self._require_flat(name, members, "acknowledged")
        for name in halted:
            self.driver.say(name, "stop", reason or "acknowledged")
            if halt.stage is None:
                self.driver.say(name, "acknowledge", reason)
        if halt.stage is not None:
            self.driver.say(EVERYBODY, "acknowledge", reason)
        return self._lives(None)

    def reset(self, bot: str, reason: str) -> dict[str, str]:
        """From an emergency of its own, or a quarantine, to STOPPED."""
        ((name, members),) = self._chosen(bot).items()
        if self.driver.engine.halting.is_on:
            raise RefusedError("the whole account is halted; `traderagent ack` ends that")
        is_quarantined = any(member.is_quarantined for member in members)
        life = life_of(self.driver, name)
        if life is not EMERGENCY and not is_quarantined:
            raise RefusedError(f"bot {name!r} is {life} and not in quarantine: there is nothing to reset")
        self._require_flat(name, members, "reset")
        self.driver.say(name, "reset", reason)
        return self._lives(bot)

    def plan_of_panic(self, bot: str | None) -> dict[str, Any]:
        """Which orders a panic would cancel and which positions it would close, at the last prices."""
        members = [member for each in self._chosen(bot).values() for member in each]
        names = {member.name for member in members}
        orders = [
            {
                "bot": order.want.plan.bot,
                "symbol": order.symbol,
                "side": order.side.value,
                "price": None if order.price is None else f"{order.price:f}",
                "quantity": f"{order.quantity - order.filled:f}",
                "purpose": order.purpose.value,
            }
            for order in self.driver.engine.account.orders.values()
            if order.want.plan.bot in names
        ]
        return {
            "orders": orders,
            "positions": [self._closing(each) for each in members if each.ledger.quantity],
        }

    # -- inside ---------------------------------------------------------------------------------------------

    def _carry_out(self, word: str, name: str, members: Sequence[Member], reason: str) -> None:
        if word == "start":
            self._require_ready(members)
        if word == "stop":
            self.driver.forget_start(name)
        self.driver.say(name, word, reason)

    def _require_ready(self, members: Sequence[Member]) -> None:
        bars = self.driver.engine.barring.bars
        if bars:
            ((_, reason), detail) = next(iter(bars.items()))
            raise RefusedError(f"nothing may add exposure now, so no bot starts: {reason}: {detail}")
        for member in members:
            if member.is_quarantined:
                raise RefusedError(f"bot {member.name!r} is in quarantine; `traderagent reset` it first")
            if not self.driver.view.is_ready(member.name):
                raise RefusedError(
                    f"bot {member.name!r} cannot start yet: no price is known, or its indicators are not warm; "
                    "try again after the next candle"
                )
        refuse_fatal(members, self.driver.view)

    def _require_flat(self, name: str, members: Sequence[Member], done: str) -> None:
        """An emergency is over when nothing is held or open any more, and the end of every order is known."""
        engine = self.driver.engine
        names = {member.name for member in members}
        orders = [order for order in engine.account.orders.values() if order.want.plan.bot in names]
        held = [member for member in members if not engine.exits.is_flat(member)]
        if held:
            told = f"holds {held[0].ledger.quantity:f} {held[0].instrument.base}"
        elif orders:
            told = f"has {len(orders)} live orders"
        elif is_at_work(members, engine.account):
            told = "is still closing"
        else:
            return
        raise RefusedError(f"bot {name!r} {told}: it cannot be {done} before that is over")

    def _closing(self, member: Member) -> dict[str, Any]:
        view, quantity = self.driver.view, member.ledger.quantity
        price = view.price(member.symbol) if view.has_price(member.symbol) else Decimal(0)
        return {
            "bot": member.name,
            "symbol": member.symbol,
            "quantity": f"{quantity:f}",
            "price": f"{price:f}",
            "notional": f"{abs(quantity * price):f}",
        }

    def _bots(self) -> dict[str, tuple[Member, ...]]:
        return bots_of(self.driver.engine)

    def _chosen(self, bot: str | None) -> dict[str, tuple[Member, ...]]:
        bots = self._bots()
        if bot is None:
            return bots
        if bot not in bots:
            raise RefusedError(f"unknown bot {bot!r}; this run has {', '.join(sorted(bots))}")
        return {bot: bots[bot]}

    def _lives(self, bot: str | None) -> dict[str, str]:
        return {name: life_of(self.driver, name).value for name in self._chosen(bot)}

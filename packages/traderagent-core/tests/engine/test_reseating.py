"""Another setup for an engine at work: what it remembers goes along, and the new numbers bind from there on."""

from decimal import Decimal
from typing import Any, ClassVar

import pytest
from attrs import evolve, frozen
from traderagent_core.contract.entry_filter import EntryFilter
from traderagent_core.contract.risk_mode import ModeState, Portfolio, RiskLevels, RiskMode
from traderagent_core.engine.reseating import reseat
from traderagent_core.engine.setup import BotSetup, EngineSetup, Limits
from traderagent_core.engine.snapshot import snapshot
from traderagent_core.errors import ConfigError
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.order import Purpose, Side
from traderagent_core.model.plan import At, Fixed, Leg, Plan
from traderagent_core.testing.scripted import Does, Puppet, ScriptedVenue

D = Decimal


def leg(name: str, price: Any, quantity: Any = 2, purpose: Purpose = Purpose.SAFETY) -> Leg:
    return Leg(name, name, Side.BUY, purpose, Fixed(D(quantity)), At(D(price)))


def ladder() -> Plan:
    legs = (leg("a", 100, purpose=Purpose.ENTRY), leg("b", 95), leg("c", 90), leg("d", 85))
    return Plan("plan", legs, tuple(own.name for own in legs))


def single(name: str) -> Plan:
    return Plan(name, (leg(name, 80, purpose=Purpose.ENTRY),), (name,))


def bot_of(venue: ScriptedVenue) -> BotSetup:
    return venue.engine.setup.bots[0]


def go_over(venue: ScriptedVenue, **setup: Any) -> list[cmd.Command]:
    """Another setup, and the step that settles it."""
    reseat(venue.engine, evolve(venue.engine.setup, **setup))
    return venue.step(ev.OperatorCommand(venue.now_ms, "*", "reload", "test"))


def with_limits(venue: ScriptedVenue, **limits: Any) -> tuple[BotSetup, ...]:
    return (evolve(bot_of(venue), limits=Limits(**limits)),)


def test_the_same_setup_changes_nothing_that_is_remembered() -> None:
    venue = ScriptedVenue(ladder()).start()
    venue.fill("a")
    before = snapshot(venue.engine)
    assert go_over(venue) == []
    assert snapshot(venue.engine) == {**before, "root": snapshot(venue.engine)["root"]}
    venue.fill("b")
    assert venue.ledger.quantity == 4


def test_a_lower_position_limit_holds_back_the_orders_farthest_away_and_a_higher_one_frees_them() -> None:
    venue = ScriptedVenue(ladder()).start()
    venue.fill("a")
    go_over(venue, bots=with_limits(venue, max_position_size=D(400)))
    assert venue.told("want_blocked")[0][1] == "max_position_size"
    canceled = {command.client_order_id for command in venue.wished(cmd.Cancel)}
    assert canceled == {venue.order_id("c"), venue.order_id("d")}
    for slot in "cd":
        venue.cancel(slot, code="asked")
    assert venue.live("b") is not None
    assert (venue.live("c"), venue.live("d")) == (None, None)
    go_over(venue, bots=with_limits(venue))
    assert {slot for slot in "bcd" if venue.live(slot)} == set("bcd")


def test_a_stop_follows_its_new_ratio_and_stands_when_the_ratio_goes() -> None:
    venue = ScriptedVenue(ladder(), limits=Limits(stop_loss_ratio=D("0.3"))).start()
    venue.fill("a")
    assert venue.member.stop.price == 70
    go_over(venue, bots=with_limits(venue, stop_loss_ratio=D("0.2")))
    assert venue.member.stop.price == 80
    go_over(venue, bots=with_limits(venue))
    assert venue.member.stop.price == 80
    assert venue.wished(cmd.Watch)[-1].price == 80


def test_the_loss_of_the_day_counts_from_the_change_on_and_another_limit_judges_anew() -> None:
    venue = ScriptedVenue(ladder()).start()
    venue.fill("a")
    venue.view.last_price = D(50)  # A loss of 100 that nobody has watched.
    go_over(venue, bots=with_limits(venue, max_daily_loss=D(20)))
    venue.close_candle()
    assert not venue.member.is_over_daily_loss
    venue.view.last_price = D(39)
    venue.close_candle()
    assert venue.member.is_over_daily_loss
    go_over(venue, bots=with_limits(venue, max_daily_loss=D(30)))
    assert not venue.member.is_over_daily_loss
    go_over(venue, bots=with_limits(venue, max_daily_loss=D(21)))
    assert venue.member.is_over_daily_loss
    go_over(venue, bots=with_limits(venue))
    assert not venue.member.is_over_daily_loss


class Cautious(RiskMode):
    """Active from the drawdown of its configuration on."""

    def levels(self) -> RiskLevels:
        return RiskLevels(drawdown=(self.config,))

    def judge(self, portfolio: Portfolio, previous: ModeState) -> ModeState:
        return ModeState(portfolio.drawdown_ratio >= self.config, size_factor=D("0.5"))


def test_modes_come_move_and_go() -> None:
    venue = ScriptedVenue(ladder(), balance=D(1000)).start()
    venue.fill("a")
    venue.view.last_price = D(50)
    go_over(venue, modes=(("cautious", Cautious(D("0.2"))),))
    assert venue.engine.guards.size_factor == 1, "the peak is of now"
    venue.view.last_price = D(5)
    venue.close_candle()
    assert venue.engine.guards.size_factor == 1
    go_over(venue, modes=(("cautious", Cautious(D("0.05"))),))
    assert venue.engine.guards.size_factor == D("0.5")
    go_over(venue, modes=())
    assert venue.engine.guards.size_factor == 1


class Counting(EntryFilter):
    """Counts how often it was brought to now."""

    @frozen
    class State:
        schema_version: int = 1
        count: int = 0

    state_class: ClassVar[type] = State


def test_a_filter_keeps_what_it_knows_unless_its_configuration_changes() -> None:
    own = Counting("one")
    own.state = Counting.State(count=7)
    venue = ScriptedVenue(ladder(), filters={"own": own}).start()
    go_over(venue, filters={"own": Counting("one")})
    assert venue.engine.setup.filters["own"].state.count == 7
    go_over(venue, filters={"own": Counting("two"), "more": Counting("one")})
    assert [each.state.count for each in venue.engine.setup.filters.values()] == [0, 0]


class Picky(Puppet):
    """Refuses a configuration without callbacks."""

    def adopt(self, former: Any) -> None:
        if not self.config.callbacks:
            raise ConfigError("not without callbacks")
        super().adopt(former)


def other(venue: ScriptedVenue, kind: type[Puppet], callbacks: dict[str, Any]) -> BotSetup:
    return evolve(bot_of(venue), strategy=kind(Does(callbacks)))


def test_a_strategy_with_another_configuration_goes_on_with_its_state_and_is_called() -> None:
    venue = ScriptedVenue(ladder()).start()
    venue.strategy.state = evolve(venue.strategy.state, schema_version=9)
    heir = other(venue, Picky, {"on_resume": lambda c: c.enter(single("e"))})
    go_over(venue, bots=(heir,))
    assert heir.strategy.state.schema_version == 9
    assert venue.live("e") is not None
    paused = ev.OperatorCommand(venue.now_ms, "bot", "pause")
    venue.step(paused)
    quiet = other(venue, Picky, {"on_resume": lambda c: c.enter(single("f"))})
    go_over(venue, bots=(quiet,))
    assert venue.live("f") is None, "a paused bot is called when it is resumed"
    venue.step(ev.OperatorCommand(venue.now_ms, "bot", "resume"))
    assert venue.live("f") is not None


def test_a_strategy_that_refuses_leaves_everything_as_it_was() -> None:
    venue = ScriptedVenue(ladder()).start()
    setup: EngineSetup = venue.engine.setup
    with pytest.raises(ConfigError, match="not without callbacks"):
        reseat(venue.engine, evolve(setup, bots=(other(venue, Picky, {}),)))
    assert venue.engine.setup is setup
    venue.fill("a")
    assert venue.ledger.quantity == 2

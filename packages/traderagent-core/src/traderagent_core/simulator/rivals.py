"""What a run is compared with: each fixed strategy of its bots, buying and holding, and cash."""

from collections.abc import Sequence
from typing import Literal

from attrs import evolve, frozen

from traderagent_core.config.loaded import Bot, Config
from traderagent_core.config.schema import AUTO
from traderagent_core.simulator.holding import holding

Kind = Literal["strategy", "hold", "cash"]
HOLDING, CASH = "buy and hold", "cash"


@frozen
class Rival:
    """Another way to use the same account; without a configuration nothing is traded.

    `why_not` says why it cannot be run.
    """

    name: str
    kind: Kind
    config: Config | None = None
    why_not: str = ""


def rivals(config: Config) -> Sequence[Rival]:
    """The strategies that bots with `strategy: auto` have sections for, one at a time, then holding, then cash."""
    auto = [bot for bot in config.bots if bot.strategy == AUTO]
    names = sorted({name for bot in auto for name, each in bot.sections.items() if each.is_enabled})
    return (
        *(_fixed(config, auto, name) for name in names),
        Rival(HOLDING, "hold", holding(config)),
        Rival(CASH, "cash"),
    )


def _fixed(config: Config, auto: Sequence[Bot], name: str) -> Rival:
    """Every auto bot trades one strategy; the others go on with theirs, and capital is shared by the same rules."""
    lacking = [bot.name for bot in auto if not _has(bot, name)]
    if lacking:
        told = ", ".join(lacking[:5]) + (f" and {len(lacking) - 5} more" if len(lacking) > 5 else "")
        return Rival(
            name,
            "strategy",
            why_not=f"no section `{name}:` that is switched on in the bots {told}; write one",
        )
    bots = tuple(_trading(bot, name) if bot.strategy == AUTO else bot for bot in config.bots)
    # The allocator is at work where its section is written.
    coordinator = config.coordinator.model_copy(update={"allocator": config.coordinator.allocator})
    return Rival(name, "strategy", evolve(config, bots=bots, coordinator=coordinator))


def _has(bot: Bot, name: str) -> bool:
    section = bot.sections.get(name)
    return section is not None and section.is_enabled and section.config is not None


def _trading(bot: Bot, name: str) -> Bot:
    section = bot.sections[name]
    return evolve(bot, strategy=name, spec=section.spec, strategy_config=section.config)

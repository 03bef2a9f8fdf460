"""Somebody who operates a run of a seed: he says his words to it whatever else goes wrong, and brings it back."""

from collections.abc import Iterator

from traderagent_core.testing.faults.scenario import Word
from traderagent_core.testing.faults.world import START_MS, World

OPERATED = 0.125
"""Share of the seeds in which anybody says anything."""

EPISODES = (("pause", "resume"), ("stop", "start"), ("panic", "ack", "start"))
FIRST_SECOND, LAST_BEFORE_CALM = 20, 60
PAUSES_SECONDS = (5, 30), (20, 200)
"""Least and most between two words of an episode, and between two episodes."""


def words_of(world: World, calm_ms: int) -> tuple[Word, ...]:
    """What is said, and when at the earliest; nothing in most seeds. The last episode ends about when faults do."""
    dice = world.dice("operator")
    return tuple(_episodes(world, (calm_ms - START_MS) // 1_000)) if dice.random() < OPERATED else ()


def _episodes(world: World, calm_second: int) -> Iterator[Word]:
    dice = world.dice("operator")
    within, between = PAUSES_SECONDS
    second = FIRST_SECOND + dice.randint(*between)
    while second < calm_second - LAST_BEFORE_CALM:
        for word in dice.choice(EPISODES):
            yield Word(second, word)
            second += dice.randint(*within)
        second += dice.randint(*between)

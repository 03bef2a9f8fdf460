"""The capital allocator: what each bot may commit, and how new orders shrink while much is committed.

    active pool = equity × (1 − reserve)
    share       = active pool × weight / sum of weights × capital_share × cold-start factor
    factor      = 1 up to 90 % of the active pool committed, falling in a line to 0 at all of it

The factor is that of what is committed before an order, which `available` then limits. Everything is rounded so
that shares never add up to more than the pool. What is committed may come to be more than the pool when equity has
fallen: then nothing is added, and nothing is closed for that reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_DOWN, ROUND_UP, Context, Decimal
from functools import reduce

from attrs import frozen

from traderagent_core.config.coordinator import AllocatorConfig

ZERO = Decimal(0)
ONE = Decimal(1)

_DOWN = Context(prec=40, rounding=ROUND_DOWN)
_UP = Context(prec=40, rounding=ROUND_UP)


@frozen
class Claim:
    """What a bot brings to the table; `committed` is what its position and its orders that add to it bind, in quote.

    `capital_share` is the bot's own share of what it is given, above 0 and at most 1.
    """

    bot: str
    capital_share: Decimal = ONE
    committed: Decimal = ZERO
    closed_trades: int = 0


@frozen
class Allocation:
    """Who of those with a claim may commit how much, in quote currency, at one equity; made by `allocate`.

    `committed` is what all bots of the account bind, and `total_weight` the sum of their weights. A share is worked
    out when it is asked for.
    """

    config: AllocatorConfig
    pool: Decimal
    committed: Decimal
    total_weight: Decimal
    claims: Mapping[str, Claim]

    @property
    def shares(self) -> dict[str, Decimal]:
        """Every share; together they are at most the pool."""
        return {bot: self.share(bot) for bot in self.claims}

    @property
    def is_overcommitted(self) -> bool:
        """Whether there is nothing left for new orders of anybody."""
        return self.committed >= self.pool

    @property
    def free(self) -> Decimal:
        """What is left of the active pool, at least 0."""
        return max(_DOWN.subtract(self.pool, self.committed), ZERO)

    @property
    def size_factor(self) -> Decimal:
        """What is left of the size of new orders, 0 to 1."""
        if self.is_overcommitted:
            return ZERO
        used = _DOWN.divide(self.committed, self.pool)
        if used <= self.config.soft_limit_ratio:
            return ONE
        return _DOWN.divide(ONE - used, ONE - self.config.soft_limit_ratio)

    def share(self, bot: str) -> Decimal:
        """What a bot may commit in all."""
        claim = self.claims[bot]
        return share_of(
            self.config, self.pool, self.total_weight, bot, claim.capital_share, claim.closed_trades
        )

    def available(self, bot: str) -> Decimal:
        """What a bot may still commit: the rest of its share, and never more than what is left of the pool."""
        rest = _DOWN.subtract(self.share(bot), self.claims[bot].committed)
        return min(max(rest, ZERO), self.free)

    def granted(self, bot: str, notional: Decimal) -> Decimal:
        """How much of a new order or plan of this size a bot may place."""
        return min(_DOWN.multiply(notional, self.size_factor), self.available(bot))


def allocate(config: AllocatorConfig, equity: Decimal, claims: Sequence[Claim]) -> Allocation:
    """Share out the equity of an account among its bots; equity of nothing or less is shared out as nothing."""
    committed = added_up(claim.committed for claim in claims)
    total_weight = added_up(weight_of(config, claim.bot) for claim in claims)
    pool = active_pool(config, equity)
    return Allocation(config, pool, committed, total_weight, {claim.bot: claim for claim in claims})


def share_of(
    config: AllocatorConfig,
    pool: Decimal,
    total_weight: Decimal,
    bot: str,
    capital_share: Decimal,
    closed_trades: int,
) -> Decimal:
    """What a bot may commit in all, of an active pool and by its weight among all."""
    weight = weight_of(config, bot)
    if not weight:
        return ZERO
    is_cold = closed_trades < config.cold_start_trades
    factor = capital_share * (config.cold_start_factor if is_cold else ONE)
    return _DOWN.multiply(_DOWN.divide(_DOWN.multiply(pool, weight), total_weight), factor)


def active_pool(config: AllocatorConfig, equity: Decimal) -> Decimal:
    """The part of equity that is shared out."""
    return _DOWN.multiply(max(equity, ZERO), ONE - config.reserve_ratio)


def added_up(amounts: Iterable[Decimal]) -> Decimal:
    """A sum that is never too small."""
    return reduce(_UP.add, amounts, ZERO)


def weight_of(config: AllocatorConfig, bot: str) -> Decimal:
    """The weight of a bot, 1 where none is configured."""
    return config.weights.get(bot, ONE)

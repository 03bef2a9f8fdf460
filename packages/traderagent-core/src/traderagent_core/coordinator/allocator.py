"""The capital allocator: what each bot may commit, and how new orders shrink while much is committed.

    active pool = equity × (1 − reserve)
    share       = active pool × weight / sum of weights × capital_share × cold-start factor
    factor      = 1 up to 90 % of the active pool committed, falling in a line to 0 at all of it

The factor is that of what is committed before an order, which `available` then limits. Everything is rounded so
that shares never add up to more than the pool. What is committed may come to be more than the pool when equity has
fallen: then nothing is added, and nothing is closed for that reason.
"""

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_UP, Context, Decimal
from functools import reduce

from attrs import field, frozen

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
    """Who may commit how much, in quote currency, at one equity; made by `allocate`."""

    pool: Decimal
    committed: Decimal
    size_factor: Decimal
    shares: dict[str, Decimal] = field(repr=False)
    bound: dict[str, Decimal] = field(repr=False)

    @property
    def is_overcommitted(self) -> bool:
        """Whether there is nothing left for new orders of anybody."""
        return self.committed >= self.pool

    @property
    def free(self) -> Decimal:
        """What is left of the active pool, at least 0."""
        return max(_DOWN.subtract(self.pool, self.committed), ZERO)

    def available(self, bot: str) -> Decimal:
        """What a bot may still commit: the rest of its share, and never more than what is left of the pool."""
        return min(max(_DOWN.subtract(self.shares[bot], self.bound[bot]), ZERO), self.free)

    def granted(self, bot: str, notional: Decimal) -> Decimal:
        """How much of a new order or plan of this size a bot may place."""
        return min(_DOWN.multiply(notional, self.size_factor), self.available(bot))


def allocate(config: AllocatorConfig, equity: Decimal, claims: Sequence[Claim]) -> Allocation:
    """Share out the equity of an account among its bots; equity of nothing or less is shared out as nothing."""
    pool = _DOWN.multiply(max(equity, ZERO), ONE - config.reserve_ratio)
    committed = reduce(_UP.add, (claim.committed for claim in claims), ZERO)
    weights = {claim.bot: config.weights.get(claim.bot, ONE) for claim in claims}
    total = reduce(_UP.add, weights.values(), ZERO)
    return Allocation(
        pool=pool,
        committed=committed,
        size_factor=_size_factor(config, pool, committed),
        shares={claim.bot: _share(config, pool, weights[claim.bot], total, claim) for claim in claims},
        bound={claim.bot: claim.committed for claim in claims},
    )


def _share(config: AllocatorConfig, pool: Decimal, weight: Decimal, total: Decimal, claim: Claim) -> Decimal:
    if not weight:
        return ZERO
    is_cold = claim.closed_trades < config.cold_start_trades
    factor = claim.capital_share * (config.cold_start_factor if is_cold else ONE)
    return _DOWN.multiply(_DOWN.divide(_DOWN.multiply(pool, weight), total), factor)


def _size_factor(config: AllocatorConfig, pool: Decimal, committed: Decimal) -> Decimal:
    if committed >= pool:
        return ZERO
    used = _DOWN.divide(committed, pool)
    if used <= config.soft_limit_ratio:
        return ONE
    return _DOWN.divide(ONE - used, ONE - config.soft_limit_ratio)

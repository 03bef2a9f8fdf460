"""The allocator: shares add up to the active pool at most, and new orders end where it does."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from traderagent_core.config.coordinator import AllocatorConfig
from traderagent_core.coordinator.allocator import Allocation, Claim, allocate

D = Decimal
WARM = AllocatorConfig(cold_start_trades=0)

money = st.decimals(0, 10**9, allow_nan=False, places=8)
ratios = st.decimals("0.01", 1, allow_nan=False, places=4)
weights = st.decimals(0, 1000, allow_nan=False, places=6)


def claims(*committed: str, trades: int = 0) -> list[Claim]:
    return [Claim(f"b{n}", committed=D(each), closed_trades=trades) for n, each in enumerate(committed)]


@st.composite
def tables(draw: st.DrawFn) -> tuple[AllocatorConfig, Decimal, list[Claim]]:
    bots = draw(st.integers(1, 6))
    given = draw(st.dictionaries(st.sampled_from([f"b{n}" for n in range(bots)]), weights))
    if not any(given.get(f"b{n}", 1) for n in range(bots)):
        given = {}
    config = AllocatorConfig(
        reserve_ratio=draw(st.decimals(0, "0.99", places=3)),
        soft_limit_ratio=draw(st.decimals("0.001", "0.999", places=3)),
        weights=given,
    )
    made = [
        Claim(f"b{n}", draw(ratios), draw(money | st.just(D(0))), draw(st.integers(0, 40)))
        for n in range(bots)
    ]
    return config, draw(money | st.just(D("-5"))), made


@given(tables())
def test_shares_never_exceed_the_active_pool(table) -> None:
    config, equity, made = table
    found = allocate(config, equity, made)
    exact = max(Fraction(equity), Fraction(0)) * (1 - Fraction(config.reserve_ratio))
    assert sum(map(Fraction, found.shares.values())) <= Fraction(found.pool) <= exact
    assert all(share >= 0 for share in found.shares.values())


@given(tables(), st.lists(st.tuples(st.integers(0, 5), money), max_size=12))
def test_orders_that_are_granted_keep_to_the_pool_and_to_the_shares(table, orders) -> None:
    """Whoever starts inside the pool stays inside; whoever starts outside adds nothing."""
    config, equity, made = table
    bound = {claim.bot: claim.committed for claim in made}
    for number, notional in orders:
        bot = made[number % len(made)].bot
        now = [Claim(c.bot, c.capital_share, bound[c.bot], c.closed_trades) for c in made]
        found = allocate(config, equity, now)
        granted = found.granted(bot, notional)
        assert 0 <= granted <= notional
        if not granted:
            continue
        assert not found.is_overcommitted
        with localcontext(prec=200):
            bound[bot] += granted
            assert bound[bot] <= found.shares[bot]
            assert sum(bound.values()) <= found.pool


@given(tables(), st.decimals("0.1", 5, places=2))
def test_more_equity_gives_nobody_less(table, factor) -> None:
    config, equity, made = table
    low, high = sorted([equity, equity * factor])
    less, more = allocate(config, low, made), allocate(config, high, made)
    assert all(less.shares[bot] <= more.shares[bot] for bot in less.shares)
    assert less.size_factor <= more.size_factor


def test_weights_are_normalised_whatever_their_sum() -> None:
    one = allocate(AllocatorConfig(weights={"b0": 3}, cold_start_trades=0), D(1000), claims("0", "0"))
    two = allocate(
        AllocatorConfig(weights={"b0": 300, "b1": 100}, cold_start_trades=0), D(1000), claims("0", "0")
    )
    assert one.shares == two.shares == {"b0": D("637.5"), "b1": D("212.5")}
    assert one.pool == D(850)


def test_a_bot_of_no_weight_has_no_share() -> None:
    found = allocate(AllocatorConfig(weights={"b0": 0}, cold_start_trades=0), D(1000), claims("0", "0"))
    assert found.shares == {"b0": D(0), "b1": D(850)}
    assert found.granted("b0", D(5)) == 0


def test_a_cold_start_lasts_until_twenty_closed_trades() -> None:
    config = AllocatorConfig()
    assert allocate(config, D(1000), claims("0", trades=19)).shares["b0"] == D(680)
    assert allocate(config, D(1000), claims("0", trades=20)).shares["b0"] == D(850)


def test_the_capital_share_of_a_bot_is_left_unused_by_the_others() -> None:
    made = [Claim("a", capital_share=D("0.05")), Claim("b")]
    assert allocate(WARM, D(1000), made).shares == {"a": D("21.25"), "b": D(425)}


@pytest.mark.parametrize(
    ("committed", "factor"),
    [("0", "1"), ("765", "1"), ("807.5", "0.5"), ("841.5", "0.1"), ("850", "0"), ("9999", "0")],
)
def test_sizes_fall_in_a_line_from_nine_tenths_of_the_pool_to_all_of_it(committed: str, factor: str) -> None:
    found = allocate(WARM, D(1000), claims("0", committed))
    assert found.size_factor == D(factor)
    assert found.is_overcommitted == (D(factor) == 0)


def test_a_share_that_is_used_up_ends_before_the_pool_does() -> None:
    found: Allocation = allocate(WARM, D(1000), claims("400", "0"))
    assert (found.available("b0"), found.available("b1")) == (D(25), D(425))
    assert found.granted("b0", D(100)) == D(25)


def test_no_equity_is_overcommitted() -> None:
    assert allocate(WARM, D(-3), claims("0")).is_overcommitted


@pytest.mark.parametrize("wrong", [{"a": -1, "b": 2}, {"a": "NaN"}, {"a": "Infinity"}, {"a": "much"}])
def test_weights_that_cannot_be_normalised_are_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        AllocatorConfig(weights=wrong)

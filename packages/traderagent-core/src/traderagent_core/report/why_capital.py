"""The capital of a finished run at a time, from its files: pool, reserve, shares and what was committed."""

from collections.abc import Iterator
from decimal import Decimal

from traderagent_core.config.coordinator import AllocatorConfig
from traderagent_core.config.schema import AUTO
from traderagent_core.coordinator.allocator import Allocation, Claim, allocate
from traderagent_core.model.position import money_context
from traderagent_core.report import display
from traderagent_core.report.run_folder import RunFolder, milliseconds

ZERO = Decimal(0)


def capital(run: RunFolder, bot: str, at_ms: int) -> Iterator[str]:
    """What was given to a bot and committed at a time; nothing where no allocator was at work."""
    config = allocator_of(run)
    if config is None:
        return
    claims = claims_at(run, at_ms)
    equity = run.equity_at(at_ms)
    with money_context():
        found = allocate(config, equity, claims)
        reserve = equity - found.pool
    used = found.committed / found.pool if found.pool else ZERO
    yield (
        f"capital: equity {display.money(equity)}, reserve {display.money(reserve)}, "
        f"active pool {display.money(found.pool)}"
    )
    yield f"  committed {display.money(found.committed)}, {display.percent(float(used))} of the pool"
    own = next(claim for claim in claims if claim.bot == bot)
    share = display.money(found.shares[bot])
    yield f"  {bot}: {display.money(own.committed)} of its share of {share}{_cold(config, own)}"
    yield f"  {_room(config, found, used)}"


def allocator_of(run: RunFolder) -> AllocatorConfig | None:
    """The allocator is at work where its section is written, or a strategy is chosen by regime."""
    configuration = run.configuration
    written = configuration.get("coordinator", {}).get("allocator")
    if written is None and not any(bot["strategy"] == AUTO for bot in configuration.get("bots", ())):
        return None
    return AllocatorConfig.model_validate(written or {})


def claims_at(run: RunFolder, at_ms: int) -> list[Claim]:
    """What every bot had committed at a time, and how many trades it had closed."""
    last = {row["bot"]: row for row in run.rows("committed.csv") if milliseconds(row["time"]) <= at_ms}
    return [
        Claim(
            bot["name"],
            Decimal(bot.get("capital_share", 1)),
            Decimal(last[bot["name"]]["committed"]) if bot["name"] in last else ZERO,
            int(last[bot["name"]]["closed_trades"]) if bot["name"] in last else 0,
        )
        for bot in run.configuration["bots"]
    ]


def _cold(config: AllocatorConfig, claim: Claim) -> str:
    if claim.closed_trades >= config.cold_start_trades:
        return ""
    return f" (× {config.cold_start_factor:f}: {claim.closed_trades} of {config.cold_start_trades} trades closed)"


def _room(config: AllocatorConfig, found: Allocation, used: Decimal) -> str:
    if found.is_overcommitted:
        return "all of the pool is committed: nothing may be added"
    limit = f"{float(config.soft_limit_ratio * 100):g} %"
    if used <= config.soft_limit_ratio:
        return f"up to {limit} of the pool new orders are granted whole, as far as the share goes"
    return f"above {limit} of the pool: new orders × {display.number(float(found.size_factor))}"

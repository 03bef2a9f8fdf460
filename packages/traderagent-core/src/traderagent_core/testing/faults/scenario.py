"""Scripted scenarios: what trades, how the price goes, what happens beside it, and what has come of it at the end."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import Factory, define, fields, frozen

from traderagent_core.config.loaded import Config

if TYPE_CHECKING:
    from traderagent_core.testing.faults.outside import Outside
    from traderagent_core.testing.faults.process import Process

SECOND_MS = 1_000
MONEY_IS_EQUAL = Decimal("1e-9")


@frozen(eq=False)
class Word:
    """An operator says `do`, as `traderagent panic`, `ack`, `pause`, `resume`, `start` and `stop` do, at a second.

    One who is not answered, as the process has died, says it again to the next one; one who is refused, a second
    later.
    """

    second: float
    do: str
    bot: str | None = None


@frozen(eq=False)
class Edit:
    """The file of the configuration is another one from a second on; the process that runs goes over to it."""

    second: float
    config: Config


@frozen(eq=False)
class Shutdown:
    """The process is told to end, as by SIGTERM, and is started again."""

    second: float


@frozen(eq=False)
class Offline:
    """The connection of the process is lost for `seconds`."""

    second: float
    seconds: float


@frozen(eq=False)
class ByHand:
    """Somebody trades `quantity` base units of a symbol at the market, below 0 to sell, without the program."""

    second: float
    symbol: str
    quantity: Decimal


Act = Word | Edit | Shutdown | Offline | ByHand
Row = tuple[Any, ...]


@define(eq=False)
class End:
    """What there was at rest. Orders and fills are told without their ids, and counted: a crash may change those.

    `orders` and `fills` are rows of symbol, side, type, price, quantity …; `halt` is the stage of a halt, empty for
    none; `owners` says which strategy may add to each pair that several share; `config` is the configuration in use.
    """

    positions: Mapping[str, Decimal] = Factory(dict)
    orders: Counter[Row] = Factory(Counter)
    fills: Counter[Row] = Factory(Counter)
    money: Decimal = Decimal(0)
    halt: str = ""
    owners: Mapping[str, str | None] = Factory(dict)
    lives: Mapping[str, tuple[bool, ...]] = Factory(dict)
    config: str = ""

    def differences(self, other: "End") -> list[str]:
        """What is not the same in another one, in words."""
        found = [_difference(each.name, self, other) for each in fields(End) if each.name != "money"]
        if abs(self.money - other.money) > MONEY_IS_EQUAL:
            found.append(f"money {other.money} instead of {self.money}")
        return [each for each in found if each]


def _difference(name: str, own: End, other: End) -> str:
    mine, theirs = getattr(own, name), getattr(other, name)
    if mine == theirs:
        return ""
    if isinstance(mine, Counter):
        return f"{name} without {dict(mine - theirs)}, and with {dict(theirs - mine)}"
    return f"{name} {theirs} instead of {mine}"


def no_other_end(whole: End, end: End) -> bool:  # noqa: ARG001
    """An outage changes nothing of what is wanted: any other end is wrong."""
    return False


@frozen
class Scenario:
    """A few minutes at one account. Seconds are counted from the start of the first process.

    `prices` are pairs of a second and the price from then on; all symbols have the same. What the program does about
    one should be over when the next one comes, also after two crashes: 75 s are enough. `history` has the closes
    of the minutes before the start. With `has_stops` everything that is held must have a stop. The run ends at the
    second `until`, in which nothing may be under way.

    After a crash the end has to be that of the run without one, or one that `allows(whole, end)`: where it counts
    when the process is there, as with a signal at the close of a candle.
    """

    name: str
    config: Config
    prices: Sequence[tuple[float, float]]
    until: float
    acts: Sequence[Act] = ()
    history: Sequence[float] = ()
    has_stops: bool = False
    allows: Callable[[End, End], bool] = no_other_end


def end_of(outside: "Outside", process: "Process") -> End:
    """What there is at present at the exchange, and in the engine of a process."""
    assert process.driver is not None
    engine, log = process.driver.engine, outside.backend.log
    return End(
        {symbol: outside.position(symbol) for symbol in outside.instruments},
        Counter(
            (
                each.symbol,
                each.side.value,
                each.type.value,
                f"{each.price}",
                f"{each.quantity - each.filled}",
            )
            for each in log.open.values()
        ),
        Counter((each.symbol, each.side.value, f"{each.price}", f"{each.quantity}") for each in log.fills),
        outside.exchange.flow,
        engine.halting.state.stage or "",
        {bot: pair.memory.state.owner for bot, pair in engine.director.pairs.items()},
        {
            name: (member.is_started, member.is_paused, member.is_stopped, member.is_halted)
            for name, member in engine.members.items()
        },
        str([bot.strategy_config for bot in process.driver.assembly.config.bots]),
    )

"""What a simulated run leaves behind, as plain rows and columns: the input of metrics and reports."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from attrs import Factory, define, field, frozen

from traderagent_core.contract.exhibit import Exhibit
from traderagent_core.contract.history import RoundTrip
from traderagent_core.model.candle import Candles, FloatColumn, TimeColumn
from traderagent_core.model.position import MONEY

if TYPE_CHECKING:
    from traderagent_core.simulator.coordination import Coordination


class FillRow(NamedTuple):
    """One execution; money in quote currency, times in ms UTC. `bot` is empty for fills nobody asked for."""

    time_ms: int
    bot: str
    symbol: str
    slot: str
    purpose: str
    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    liquidity: str
    is_ambiguous: bool
    client_order_id: str
    trade_id: str


@frozen
class FillTotals:
    """What all fills add up to; fees and turnover (sum of price × quantity) in quote currency."""

    fills: int
    ambiguous: int
    fees: Decimal
    turnover: Decimal

    @classmethod
    def of(cls, rows: Sequence[FillRow]) -> "FillTotals":
        """The totals of some rows."""
        ambiguous = sum(row.is_ambiguous for row in rows)
        fees = sum((row.fee for row in rows), Decimal(0))
        return cls(len(rows), ambiguous, fees, sum((row.price * row.quantity for row in rows), Decimal(0)))


class OrderRow(NamedTuple):
    """One order over its life. `price` is None for a market order; `reason` tells why it ended unfilled."""

    submitted_ms: int
    final_ms: int | None
    bot: str
    symbol: str
    slot: str
    purpose: str
    side: str
    type: str
    price: Decimal | None
    quantity: Decimal
    filled: Decimal
    status: str
    reason: str
    client_order_id: str


class TradeRow(NamedTuple):
    """A quantity from entry to exit. `kind` is "cycle" when a leg and its counter leg closed it, else "exit"."""

    bot: str
    symbol: str
    kind: str
    slot: str
    position: str
    opened_ms: int
    closed_ms: int
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    gross_profit: Decimal
    fees: Decimal

    @property
    def net_profit(self) -> Decimal:
        """Gross profit less the fees of both sides; funding is accounted per bot, not per trade."""
        return MONEY.subtract(self.gross_profit, self.fees)


class DecisionRow(NamedTuple):
    """A plan, want or note with its reason code."""

    time_ms: int
    bot: str
    what: str
    name: str
    reason: str
    evidence: str


class LevelRow(NamedTuple):
    """A price at which an order rested, for drawing: from when to when. An order that moved has several."""

    bot: str
    symbol: str
    side: str
    price: Decimal
    from_ms: int
    to_ms: int
    purpose: str = "ENTRY"


@frozen
class BotMoney:
    """The money of one bot in quote currency; the parts add up exactly.

    cycle_profit + trend_pnl - fees + funding = change of the bot's equity, where cycle_profit is the gross
    profit of completed cycles and trend_pnl all other price gains, realised or not (inventory at the last close).
    """

    bot: str
    symbol: str
    strategy: str
    cycles: int
    cycle_profit: Decimal
    trend_pnl: Decimal
    fees: Decimal
    funding: Decimal
    quantity: Decimal
    last_price: Decimal

    @property
    def net_profit(self) -> Decimal:
        """Change of the bot's equity over the run."""
        price_gains = MONEY.add(self.cycle_profit, self.trend_pnl)
        return MONEY.add(MONEY.subtract(price_gains, self.fees), self.funding)


@frozen(eq=False)
class EquityCurve:
    """Account money at each close of the base timeframe, in quote currency, as equally long columns.

    `time_ms` is the close time. `exposure` is the sum of |position value| / equity.
    """

    time_ms: TimeColumn
    equity: FloatColumn
    exposure: FloatColumn


ShownKind = Literal["strategy", "filter"]


@frozen
class Shown:
    """What one plugin shows; `owner` is the name of the bot or filter, `problem` why it shows nothing."""

    owner: str
    kind: ShownKind
    plugin: str
    exhibit: Exhibit = Factory(Exhibit)
    problem: str = ""


class Study:
    """What can be told of a run beyond its rows, made on the first look; of one put together by hand nothing is."""

    @property
    def timeframes(self) -> Mapping[str, str]:
        """The timeframe of trading by symbol."""
        return {}

    @property
    def round_trips(self) -> Sequence[RoundTrip]:
        """Positions from flat to flat, in order of opening."""
        return ()

    @property
    def exhibits(self) -> Sequence[Shown]:
        """What each strategy and then each filter shows."""
        return ()

    @property
    def coordination(self) -> "Coordination | None":
        """Regimes, owners, transitions and halts; None for a run without any."""
        return None

    @property
    def failures(self) -> Sequence[str]:
        """Which calls of plugins have failed, how often, and how at first."""
        return ()

    @property
    def warnings(self) -> Sequence[str]:
        """What could not be made."""
        return ()


@define
class Outcome:
    """Everything a run produced. Rows are in time order."""

    candles: Mapping[str, Candles]
    starting_balance: Decimal
    final_equity: Decimal
    equity: EquityCurve
    fills: Sequence[FillRow]
    orders: Sequence[OrderRow]
    trades: Sequence[TradeRow]
    decisions: Sequence[DecisionRow]
    levels: Sequence[LevelRow]
    money: list[BotMoney]
    assumptions: Mapping[str, Any] = field(factory=dict)
    manifest: Mapping[str, Any] = field(factory=dict)
    events: int = 0
    study: Study = field(factory=Study)
    fill_totals: FillTotals = field(default=Factory(lambda self: FillTotals.of(self.fills), takes_self=True))

"""The tables. Their rows but for credentials, templates and the journal are folded from the journal.

Money is in quote currency unless the name says otherwise; quantities are in base units; `account` is the venue's
account id. Migrations make the tables; a test keeps the two alike.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
)
from sqlalchemy.schema import SchemaItem

from traderagent_core.persistence.database.types import Money, UtcTime, Words

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Words, nullable=nullable)


def _whole(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _money(*names: str, nullable: bool = False) -> list[SchemaItem]:
    return [Column(name, Money, nullable=nullable) for name in names]


def _time(*names: str, nullable: bool = False) -> list[SchemaItem]:
    return [Column(name, UtcTime, nullable=nullable) for name in names]


def _key(*names: str) -> PrimaryKeyConstraint:
    return PrimaryKeyConstraint(*names)


def _of(table: str, own: str, theirs: str) -> ForeignKeyConstraint:
    """A reference to another row of the same account."""
    return ForeignKeyConstraint(["account", own], [f"{table}.account", f"{table}.{theirs}"])


exchange_credentials = Table(
    "exchange_credentials",
    metadata,
    _text("name"),
    _text("exchange_id"),
    _text("environment"),
    _text("api_key"),
    _text("api_secret"),
    _text("passphrase", nullable=True),
    *_time("created_at", "updated_at"),
    _key("name"),
    comment="Keys of exchanges, each field encrypted and bound to its row",
)

strategy_templates = Table(
    "strategy_templates",
    metadata,
    _text("name"),
    _text("strategy"),
    _text("description"),
    Column("config", JSON, nullable=False),
    *_time("created_at", "updated_at"),
    _key("name"),
    comment="Sections of strategies, kept to make further bots from",
)

journal = Table(
    "journal",
    metadata,
    _text("account"),
    Column("sequence", BigInteger, nullable=False, autoincrement=False),
    _whole("epoch"),
    _text("kind"),
    _text("checksum"),
    _text("payload"),
    _key("account", "sequence"),
    comment="Mirror of the local journal, entry by entry",
)

bots = Table(
    "bots",
    metadata,
    _text("account"),
    _text("name"),
    _text("strategy"),
    _text("symbol"),
    _text("market"),
    _text("timeframe"),
    *_money("budget", "leverage"),
    _text("status"),
    _text("status_reason"),
    *_time("created_at", "updated_at"),
    _key("account", "name"),
    comment="Bots as they were last set up",
)

strategies = Table(
    "strategies",
    metadata,
    _text("account"),
    _text("bot"),
    _text("name"),
    _whole("total_signals"),
    _whole("executed_trades"),
    *_money("total_pnl"),
    *_time("updated_at"),
    _key("account", "bot", "name"),
    _of("bots", "bot", "name"),
    comment="What each strategy of a bot has done; total_pnl is realised, after fees and funding",
)

signals = Table(
    "signals",
    metadata,
    _text("account"),
    Column("number", BigInteger, nullable=False, autoincrement=False),
    _text("bot"),
    _text("strategy"),
    _text("plan"),
    _text("verdict"),
    _text("reason"),
    *_money("size_factor", nullable=True),
    _text("direction", nullable=True),
    *_money("entry_price", "stop_price", "target_price", "confidence", nullable=True),
    *_time("signaled_at"),
    _key("account", "number"),
    _of("bots", "bot", "name"),
    Index(None, "account", "bot", "signaled_at"),
    comment="Plans that strategies asked for, with the verdict on each",
)

orders = Table(
    "orders",
    metadata,
    _text("account"),
    _text("client_order_id"),
    _text("venue_order_id", nullable=True),
    _text("bot"),
    _text("symbol"),
    _whole("plan_id"),
    _whole("want_id"),
    _text("slot"),
    Column("generation", Integer, nullable=False),
    _text("purpose"),
    _text("side"),
    _text("type"),
    Column("reduce_only", Boolean, nullable=False),
    *_money("price", nullable=True),
    *_money("quantity", "filled", "notional", "fee"),
    _text("status"),
    _text("reason"),
    *_time("submitted_at", "updated_at"),
    _key("account", "client_order_id"),
    _of("bots", "bot", "name"),
    Index(None, "account", "bot", "status"),
    Index(None, "account", "submitted_at"),
    comment="Orders sent to the venue; notional is what was traded, price × quantity over all executions",
)

trades = Table(
    "trades",
    metadata,
    _text("account"),
    _text("trade_id"),
    _text("client_order_id", nullable=True),
    _text("bot", nullable=True),
    _text("symbol"),
    _text("side"),
    *_money("price", "quantity", "fee"),
    _text("liquidity", nullable=True),
    *_money("realized_pnl"),
    *_time("traded_at"),
    _key("account", "trade_id"),
    _of("orders", "client_order_id", "client_order_id"),
    _of("bots", "bot", "name"),
    Index(None, "account", "bot", "traded_at"),
    Index(None, "account", "client_order_id"),
    comment="Executions; one that no bot asked for has no order; realized_pnl is before its fee",
)

positions = Table(
    "positions",
    metadata,
    _text("account"),
    _text("bot"),
    _text("symbol"),
    *_money("quantity", "average_price", "realized_pnl", "fees", "funding"),
    _whole("cycles"),
    *_money("cycle_profit"),
    *_time("updated_at"),
    _key("account", "bot", "symbol"),
    comment="Ledgers; the house's, for what no bot asked for, has an empty bot, so bot refers to no row",
)

grid_levels = Table(
    "grid_levels",
    metadata,
    _text("account"),
    _text("bot"),
    _text("slot"),
    _text("symbol"),
    _text("side", nullable=True),
    *_money("price", "quantity", "filled", nullable=True),
    _text("status", nullable=True),
    _text("client_order_id", nullable=True),
    _whole("cycles"),
    *_money("profit"),
    *_time("updated_at"),
    _key("account", "bot", "slot"),
    _of("bots", "bot", "name"),
    _of("orders", "client_order_id", "client_order_id"),
    comment="Levels of grids: what is wanted there now, null when nothing is, and what its cycles have made",
)

dca_deals = Table(
    "dca_deals",
    metadata,
    _text("account"),
    Column("plan_id", BigInteger, nullable=False, autoincrement=False),
    _text("bot"),
    _text("symbol"),
    _text("direction"),
    _text("status"),
    _whole("steps"),
    *_money("quantity", "invested"),
    *_money("average_price", "last_price", nullable=True),
    *_money("realized_pnl", "fees", "funding"),
    _text("reason"),
    *_time("opened_at"),
    *_time("closed_at", nullable=True),
    *_time("updated_at"),
    _key("account", "plan_id"),
    _of("bots", "bot", "name"),
    Index(None, "account", "bot", "status"),
    comment="Deals: steps that bought (or sold short), what they cost, and what the deal has realised",
)

dca_orders = Table(
    "dca_orders",
    metadata,
    _text("account"),
    _text("client_order_id"),
    _whole("plan_id"),
    _text("purpose"),
    _whole("step", nullable=True),
    _key("account", "client_order_id"),
    _of("orders", "client_order_id", "client_order_id"),
    _of("dca_deals", "plan_id", "plan_id"),
    Index(None, "account", "plan_id"),
    comment="Orders of deals; step 0 is the base order, null what takes the deal out",
)

dca_history = Table(
    "dca_history",
    metadata,
    _text("account"),
    Column("plan_id", BigInteger, nullable=False, autoincrement=False),
    Column("step", BigInteger, nullable=False, autoincrement=False),
    *_money("quantity", "price", "fee", "invested", "average_price"),
    *_time("filled_at"),
    _key("account", "plan_id", "step"),
    _of("dca_deals", "plan_id", "plan_id"),
    comment="Steps of deals: what each traded, and the deal's cost and average after it",
)

dca_signals = Table(
    "dca_signals",
    metadata,
    _text("account"),
    Column("signal", BigInteger, nullable=False, autoincrement=False),
    _whole("plan_id"),
    _text("evidence"),
    _key("account", "signal"),
    _of("signals", "signal", "number"),
    _of("dca_deals", "plan_id", "plan_id"),
    comment="Which signal began which deal, and on what evidence",
)

bot_logs = Table(
    "bot_logs",
    metadata,
    _text("account"),
    Column("sequence", BigInteger, nullable=False, autoincrement=False),
    Column("position", Integer, nullable=False, autoincrement=False),
    _text("bot", nullable=True),
    _text("level"),
    _text("event"),
    _text("reason"),
    _text("evidence"),
    *_time("logged_at"),
    _key("account", "sequence", "position"),
    _of("bots", "bot", "name"),
    Index(None, "account", "bot", "logged_at"),
    comment="Why things were done or left undone; sequence is the journal's entry",
)

bot_state_snapshots = Table(
    "bot_state_snapshots",
    metadata,
    _text("account"),
    _text("bot"),
    Column("place", Integer, nullable=False, autoincrement=False),
    _whole("sequence"),
    Column("state", JSON, nullable=False),
    *_time("taken_at"),
    _key("account", "bot", "place"),
    _of("bots", "bot", "name"),
    comment="How bots stood at the last snapshots; a place is used again, sequence tells the order",
)

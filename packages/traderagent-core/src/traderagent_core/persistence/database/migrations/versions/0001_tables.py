"""The tables of the first version."""

import sqlalchemy as sa
from alembic import op
from traderagent_core.persistence.database.types import Money, UtcTime, Words

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bots",
        sa.Column("account", Words(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("strategy", Words(), nullable=False),
        sa.Column("symbol", Words(), nullable=False),
        sa.Column("market", Words(), nullable=False),
        sa.Column("timeframe", Words(), nullable=False),
        sa.Column("budget", Money(), nullable=False),
        sa.Column("leverage", Money(), nullable=False),
        sa.Column("status", Words(), nullable=False),
        sa.Column("status_reason", Words(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("account", "name", name=op.f("pk_bots")),
        comment="Bots as they were last set up",
    )
    op.create_table(
        "exchange_credentials",
        sa.Column("name", Words(), nullable=False),
        sa.Column("exchange_id", Words(), nullable=False),
        sa.Column("environment", Words(), nullable=False),
        sa.Column("api_key", Words(), nullable=False),
        sa.Column("api_secret", Words(), nullable=False),
        sa.Column("passphrase", Words(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_exchange_credentials")),
        comment="Keys of exchanges, each field encrypted and bound to its row",
    )
    op.create_table(
        "journal",
        sa.Column("account", Words(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("kind", Words(), nullable=False),
        sa.Column("checksum", Words(), nullable=False),
        sa.Column("payload", Words(), nullable=False),
        sa.PrimaryKeyConstraint("account", "sequence", name=op.f("pk_journal")),
        comment="Mirror of the local journal, entry by entry",
    )
    op.create_table(
        "positions",
        sa.Column("account", Words(), nullable=False),
        sa.Column("bot", Words(), nullable=False),
        sa.Column("symbol", Words(), nullable=False),
        sa.Column("quantity", Money(), nullable=False),
        sa.Column("average_price", Money(), nullable=False),
        sa.Column("realized_pnl", Money(), nullable=False),
        sa.Column("fees", Money(), nullable=False),
        sa.Column("funding", Money(), nullable=False),
        sa.Column("cycles", sa.BigInteger(), nullable=False),
        sa.Column("cycle_profit", Money(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("account", "bot", "symbol", name=op.f("pk_positions")),
        comment="Ledgers; the house's, for what no bot asked for, has an empty bot, so bot refers to no row",
    )
    op.create_table(
        "strategy_templates",
        sa.Column("name", Words(), nullable=False),
        sa.Column("strategy", Words(), nullable=False),
        sa.Column("description", Words(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_strategy_templates")),
        comment="Sections of strategies, kept to make further bots from",
    )
    op.create_table(
        "bot_logs",
        sa.Column("account", Words(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bot", Words(), nullable=True),
        sa.Column("level", Words(), nullable=False),
        sa.Column("event", Words(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("evidence", Words(), nullable=False),
        sa.Column("logged_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account", "bot"], ["bots.account", "bots.name"], name=op.f("fk_bot_logs_account_bot")
        ),
        sa.PrimaryKeyConstraint("account", "sequence", "position", name=op.f("pk_bot_logs")),
        comment="Why things were done or left undone; sequence is the journal's entry",
    )
    op.create_index(
        op.f("ix_bot_logs_account_bot_logged_at"), "bot_logs", ["account", "bot", "logged_at"], unique=False
    )

    op.create_table(
        "bot_state_snapshots",
        sa.Column("account", Words(), nullable=False),
        sa.Column("bot", Words(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("taken_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account", "bot"], ["bots.account", "bots.name"], name=op.f("fk_bot_state_snapshots_account_bot")
        ),
        sa.PrimaryKeyConstraint("account", "bot", "place", name=op.f("pk_bot_state_snapshots")),
        comment="How bots stood at the last snapshots; a place is used again, sequence tells the order",
    )
    op.create_table(
        "dca_deals",
        sa.Column("account", Words(), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bot", Words(), nullable=False),
        sa.Column("symbol", Words(), nullable=False),
        sa.Column("direction", Words(), nullable=False),
        sa.Column("status", Words(), nullable=False),
        sa.Column("steps", sa.BigInteger(), nullable=False),
        sa.Column("quantity", Money(), nullable=False),
        sa.Column("invested", Money(), nullable=False),
        sa.Column("average_price", Money(), nullable=True),
        sa.Column("last_price", Money(), nullable=True),
        sa.Column("realized_pnl", Money(), nullable=False),
        sa.Column("fees", Money(), nullable=False),
        sa.Column("funding", Money(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("opened_at", UtcTime(), nullable=False),
        sa.Column("closed_at", UtcTime(), nullable=True),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account", "bot"], ["bots.account", "bots.name"], name=op.f("fk_dca_deals_account_bot")
        ),
        sa.PrimaryKeyConstraint("account", "plan_id", name=op.f("pk_dca_deals")),
        comment="Deals: steps that bought (or sold short), what they cost, and what the deal has realised",
    )
    op.create_index(
        op.f("ix_dca_deals_account_bot_status"), "dca_deals", ["account", "bot", "status"], unique=False
    )

    op.create_table(
        "orders",
        sa.Column("account", Words(), nullable=False),
        sa.Column("client_order_id", Words(), nullable=False),
        sa.Column("venue_order_id", Words(), nullable=True),
        sa.Column("bot", Words(), nullable=False),
        sa.Column("symbol", Words(), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("want_id", sa.BigInteger(), nullable=False),
        sa.Column("slot", Words(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("purpose", Words(), nullable=False),
        sa.Column("side", Words(), nullable=False),
        sa.Column("type", Words(), nullable=False),
        sa.Column("reduce_only", sa.Boolean(), nullable=False),
        sa.Column("price", Money(), nullable=True),
        sa.Column("quantity", Money(), nullable=False),
        sa.Column("filled", Money(), nullable=False),
        sa.Column("notional", Money(), nullable=False),
        sa.Column("fee", Money(), nullable=False),
        sa.Column("status", Words(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("submitted_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account", "bot"], ["bots.account", "bots.name"], name=op.f("fk_orders_account_bot")
        ),
        sa.PrimaryKeyConstraint("account", "client_order_id", name=op.f("pk_orders")),
        comment="Orders sent to the venue; notional is what was traded, price × quantity over all executions",
    )
    op.create_index(
        op.f("ix_orders_account_bot_status"), "orders", ["account", "bot", "status"], unique=False
    )
    op.create_index(
        op.f("ix_orders_account_submitted_at"), "orders", ["account", "submitted_at"], unique=False
    )

    op.create_table(
        "signals",
        sa.Column("account", Words(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bot", Words(), nullable=False),
        sa.Column("strategy", Words(), nullable=False),
        sa.Column("plan", Words(), nullable=False),
        sa.Column("verdict", Words(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("size_factor", Money(), nullable=True),
        sa.Column("direction", Words(), nullable=True),
        sa.Column("entry_price", Money(), nullable=True),
        sa.Column("stop_price", Money(), nullable=True),
        sa.Column("target_price", Money(), nullable=True),
        sa.Column("confidence", Money(), nullable=True),
        sa.Column("signaled_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account", "bot"], ["bots.account", "bots.name"], name=op.f("fk_signals_account_bot")
        ),
        sa.PrimaryKeyConstraint("account", "number", name=op.f("pk_signals")),
        comment="Plans that strategies asked for, with the verdict on each",
    )
    op.create_index(
        op.f("ix_signals_account_bot_signaled_at"), "signals", ["account", "bot", "signaled_at"], unique=False
    )

    op.create_table(
        "strategies",
        sa.Column("account", Words(), nullable=False),
        sa.Column("bot", Words(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("total_signals", sa.BigInteger(), nullable=False),
        sa.Column("executed_trades", sa.BigInteger(), nullable=False),
        sa.Column("total_pnl", Money(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account", "bot"], ["bots.account", "bots.name"], name=op.f("fk_strategies_account_bot")
        ),
        sa.PrimaryKeyConstraint("account", "bot", "name", name=op.f("pk_strategies")),
        comment="What each strategy of a bot has done; total_pnl is realised, after fees and funding",
    )
    op.create_table(
        "dca_history",
        sa.Column("account", Words(), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("step", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("quantity", Money(), nullable=False),
        sa.Column("price", Money(), nullable=False),
        sa.Column("fee", Money(), nullable=False),
        sa.Column("invested", Money(), nullable=False),
        sa.Column("average_price", Money(), nullable=False),
        sa.Column("filled_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account", "plan_id"],
            ["dca_deals.account", "dca_deals.plan_id"],
            name=op.f("fk_dca_history_account_plan_id"),
        ),
        sa.PrimaryKeyConstraint("account", "plan_id", "step", name=op.f("pk_dca_history")),
        comment="Steps of deals: what each traded, and the deal's cost and average after it",
    )
    op.create_table(
        "dca_orders",
        sa.Column("account", Words(), nullable=False),
        sa.Column("client_order_id", Words(), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", Words(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account", "client_order_id"],
            ["orders.account", "orders.client_order_id"],
            name=op.f("fk_dca_orders_account_client_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account", "plan_id"],
            ["dca_deals.account", "dca_deals.plan_id"],
            name=op.f("fk_dca_orders_account_plan_id"),
        ),
        sa.PrimaryKeyConstraint("account", "client_order_id", name=op.f("pk_dca_orders")),
        comment="Orders of deals; step 0 is the base order, null what takes the deal out",
    )
    op.create_index(op.f("ix_dca_orders_account_plan_id"), "dca_orders", ["account", "plan_id"], unique=False)

    op.create_table(
        "dca_signals",
        sa.Column("account", Words(), nullable=False),
        sa.Column("signal", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("evidence", Words(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account", "plan_id"],
            ["dca_deals.account", "dca_deals.plan_id"],
            name=op.f("fk_dca_signals_account_plan_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account", "signal"],
            ["signals.account", "signals.number"],
            name=op.f("fk_dca_signals_account_signal"),
        ),
        sa.PrimaryKeyConstraint("account", "signal", name=op.f("pk_dca_signals")),
        comment="Which signal began which deal, and on what evidence",
    )
    op.create_table(
        "grid_levels",
        sa.Column("account", Words(), nullable=False),
        sa.Column("bot", Words(), nullable=False),
        sa.Column("slot", Words(), nullable=False),
        sa.Column("symbol", Words(), nullable=False),
        sa.Column("side", Words(), nullable=True),
        sa.Column("price", Money(), nullable=True),
        sa.Column("quantity", Money(), nullable=True),
        sa.Column("filled", Money(), nullable=True),
        sa.Column("status", Words(), nullable=True),
        sa.Column("client_order_id", Words(), nullable=True),
        sa.Column("cycles", sa.BigInteger(), nullable=False),
        sa.Column("profit", Money(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account", "bot"], ["bots.account", "bots.name"], name=op.f("fk_grid_levels_account_bot")
        ),
        sa.ForeignKeyConstraint(
            ["account", "client_order_id"],
            ["orders.account", "orders.client_order_id"],
            name=op.f("fk_grid_levels_account_client_order_id"),
        ),
        sa.PrimaryKeyConstraint("account", "bot", "slot", name=op.f("pk_grid_levels")),
        comment="Levels of grids: what is wanted there now, null when nothing is, and what its cycles have made",
    )
    op.create_table(
        "trades",
        sa.Column("account", Words(), nullable=False),
        sa.Column("trade_id", Words(), nullable=False),
        sa.Column("client_order_id", Words(), nullable=True),
        sa.Column("bot", Words(), nullable=True),
        sa.Column("symbol", Words(), nullable=False),
        sa.Column("side", Words(), nullable=False),
        sa.Column("price", Money(), nullable=False),
        sa.Column("quantity", Money(), nullable=False),
        sa.Column("fee", Money(), nullable=False),
        sa.Column("liquidity", Words(), nullable=True),
        sa.Column("realized_pnl", Money(), nullable=False),
        sa.Column("traded_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account", "bot"], ["bots.account", "bots.name"], name=op.f("fk_trades_account_bot")
        ),
        sa.ForeignKeyConstraint(
            ["account", "client_order_id"],
            ["orders.account", "orders.client_order_id"],
            name=op.f("fk_trades_account_client_order_id"),
        ),
        sa.PrimaryKeyConstraint("account", "trade_id", name=op.f("pk_trades")),
        comment="Executions; one that no bot asked for has no order; realized_pnl is before its fee",
    )
    op.create_index(
        op.f("ix_trades_account_bot_traded_at"), "trades", ["account", "bot", "traded_at"], unique=False
    )
    op.create_index(
        op.f("ix_trades_account_client_order_id"), "trades", ["account", "client_order_id"], unique=False
    )


def downgrade() -> None:
    for table in (
        "trades",
        "grid_levels",
        "dca_signals",
        "dca_orders",
        "dca_history",
        "strategies",
        "signals",
        "orders",
        "dca_deals",
        "bot_state_snapshots",
        "bot_logs",
        "strategy_templates",
        "positions",
        "journal",
        "exchange_credentials",
        "bots",
    ):
        op.drop_table(table)

"""The keys of a configuration: what each means, its type, its limits and its default."""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from traderagent_core.config.coordinator import CoordinatorConfig
from traderagent_core.config.fields import (
    EXACT,
    PositiveDecimal,
    Section,
    Symbol,
    Timeframe,
    one_strategy,
    rule_error,
)
from traderagent_core.config.lazy_text import LazyText
from traderagent_core.model.instrument import Market

AUTO = "auto"
BUILT_IN_EXCHANGES = ("simulated", "paper")

_BOT_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
_DEFAULT_FEES = {
    Market.SPOT: (Decimal("0.001"), Decimal("0.001")),
    Market.LINEAR: (Decimal("0.0002"), Decimal("0.00055")),
}

ShareDecimal = Annotated[Decimal, Field(gt=0, le=1), EXACT]
FeeDecimal = Annotated[Decimal, Field(gt=Decimal("-0.1"), lt=Decimal("0.1")), EXACT]


def _plugin_name(value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise rule_error("expected a plugin's name or the path of a local file or folder")


def _preset_path(value: Any) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise rule_error("expected the path of a preset", "such as presets/careful.yaml, relative to this file")


def _bot_name(value: Any) -> str:
    if isinstance(value, str) and _BOT_NAME.match(value):
        return value
    hint = "letters, digits, '_', '-' and '.', the first a letter or digit, at most 64"
    raise rule_error("expected a bot's name", hint)


BotName = Annotated[str, Field(pattern=_BOT_NAME.pattern), BeforeValidator(_bot_name)]
PluginName = Annotated[str, Field(min_length=1), BeforeValidator(_plugin_name)]
PresetPath = Annotated[str, Field(min_length=1), BeforeValidator(_preset_path)]
_PathOrPaths = PresetPath | list[PresetPath]


class InstrumentConfig(Section):
    """Steps and limits of one instrument, where the simulation shall not use its defaults."""

    tick_size: PositiveDecimal | None = Field(
        default=None, description="Smallest price step, in quote currency."
    )
    lot_size: PositiveDecimal | None = Field(
        default=None, description="Smallest quantity step, in base units."
    )
    min_quantity: PositiveDecimal | None = Field(default=None, description="Smallest order, in base units.")
    min_notional: PositiveDecimal | None = Field(
        default=None, description="Smallest order, in quote currency."
    )
    max_quantity: PositiveDecimal | None = Field(
        default=None, description="Largest order that has a price, in base units; more goes out in parts."
    )
    max_market_quantity: PositiveDecimal | None = Field(
        default=None, description="Largest order at the market, in base units; more goes out in parts."
    )
    max_leverage: Annotated[Decimal, Field(ge=1), EXACT] | None = Field(
        default=None, description="Highest leverage the venue grants."
    )
    maintenance_margin_ratio: Annotated[Decimal, Field(gt=0, lt=1), EXACT] | None = Field(
        default=None,
        description="Margin below which a linear position is liquidated, as a ratio of its notional.",
    )


class SimulationConfig(Section):
    """What a simulated venue assumes. Money in quote currency, ratios as fractions."""

    balance: PositiveDecimal = Field(
        default=Decimal(100000), description="Starting balance, in quote currency."
    )
    maker_fee: FeeDecimal | None = Field(
        default=None,
        description="Fee of a maker fill as a ratio (0.001 is 0.1 %). Default: 0.001 spot, 0.0002 linear.",
    )
    taker_fee: FeeDecimal | None = Field(
        default=None, description="Fee of a taker fill as a ratio. Default: 0.001 spot, 0.00055 linear."
    )
    slippage: Annotated[Decimal, Field(ge=0, lt=1), EXACT] = Field(
        default=Decimal(0),
        description="How much worse than the market taker fills are, as a ratio of the price.",
    )
    latency_ms: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Time from a decision to its effect at the venue, in milliseconds."
    )
    path: Literal["default", "pessimistic", "optimistic", "next_candle"] = Field(
        default="default",
        description="How the price walks inside a candle: default is open, nearer extreme, other extreme, close.",
    )
    funding_rate: Annotated[Decimal, Field(gt=-1, lt=1), EXACT] = Field(
        default=Decimal(0), description="Funding per 8 hours as a ratio, where no funding series is given."
    )
    data_exchange: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="Exchange whose recorded candles are used, such as binance, where the data hold several. "
        "Default: the bot's own.",
    )
    acknowledge_halt_after_hours: PositiveDecimal | None = Field(
        default=None,
        description="Hours after which a halt is acknowledged, as no operator is there. Default: never.",
    )
    instruments: dict[Symbol, InstrumentConfig] = Field(
        default_factory=dict, description="Steps and limits by symbol, such as BTC/USDT."
    )

    def maker_fee_ratio(self, market: Market) -> Decimal:
        """The fee of maker fills on this market."""
        return _DEFAULT_FEES[market][0] if self.maker_fee is None else self.maker_fee

    def taker_fee_ratio(self, market: Market) -> Decimal:
        """The fee of taker fills on this market."""
        return _DEFAULT_FEES[market][1] if self.taker_fee is None else self.taker_fee


class RiskManagementConfig(Section):
    """Limits of one bot, whatever its strategy does."""

    max_position_size: PositiveDecimal | None = Field(
        default=None, description="Largest position of the bot, in quote currency."
    )
    stop_loss_percentage: Annotated[Decimal, Field(gt=0, lt=1), EXACT] | None = Field(
        default=None, description="Stop distance as a ratio of the average entry price (0.12 is 12 %)."
    )
    max_daily_loss: PositiveDecimal | None = Field(
        default=None,
        description="Loss since UTC midnight after which the bot opens nothing, in quote currency.",
    )


class ExchangeConfig(Section):
    """Where the bot trades."""

    exchange_id: Annotated[str, Field(min_length=1)] = Field(
        default="simulated", description="simulated, paper, bybit, or the id of any exchange that ccxt knows."
    )
    credentials_name: LazyText | None = Field(
        default=None, description="Name of the stored credentials; used by live commands only."
    )
    sandbox: bool = Field(default=False, description="Trade on the exchange's demo environment.")
    environment: Literal["demo", "main", "test"] | None = Field(
        default=None, description="Environment of the exchange; sandbox: true means demo."
    )


_ONE = "write one, or `strategy: auto`: the router picks one of several by market regime"


class BotConfig(Section):
    """One bot: a strategy on one pair. A section named like a strategy configures that strategy."""

    name: BotName = Field(description="Unique name of the bot: letters, digits, '_', '-' and '.'.")
    symbol: Symbol = Field(
        description="What is traded, as BASE/QUOTE, such as BTC/USDT; in hedge mode with the position that is meant, "
        "as BTC/USDT:long or BTC/USDT:short."
    )
    strategy: Annotated[str, Field(min_length=1), one_strategy(_ONE)] = Field(
        description="Name of a strategy, or auto: the router picks one by market regime."
    )
    exchange: ExchangeConfig = Field(default_factory=ExchangeConfig, description="Where the bot trades.")
    timeframe: Timeframe = Field(
        default="1h", description="Timeframe that the strategy looks at, such as 15m or 1h."
    )
    market: Literal["spot", "linear"] = Field(
        default="spot",
        description="spot: the coins themselves; linear: a perpetual settled in the quote currency.",
    )
    leverage: Annotated[Decimal, Field(ge=1), EXACT] = Field(
        default=Decimal(1), description="Leverage of a linear position; spot has none."
    )
    risk_management: RiskManagementConfig = Field(
        default_factory=RiskManagementConfig, description="Limits of this bot."
    )
    dry_run: bool = Field(default=True, description="Trade on paper: live data, simulated fills.")
    auto_start: bool = Field(default=True, description="Start trading as soon as the program runs.")
    capital_share: ShareDecimal = Field(
        default=Decimal(1), description="Share of the capital this bot may use, above 0 and at most 1."
    )


def _paths(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return () if value is None else (value,)
    if isinstance(value, list | tuple):
        return value
    raise rule_error(
        "expected the path of a preset, or a list of paths", "write `preset: presets/careful.yaml`"
    )


class GeneralConfig(Section):
    """The plain keys at the top of the file."""

    preset: Annotated[
        tuple[PresetPath, ...], BeforeValidator(_paths, json_schema_input_type=_PathOrPaths)
    ] = Field(
        default=(),
        description="A file, or a list of files, with keys that count where this file does not write them.",
    )

    database_url: LazyText | None = Field(
        default=None,
        description="Database of live runs, such as sqlite:///traderagent.db or ${DATABASE_URL}.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        default="INFO", description="Least severity that is logged."
    )
    slow_call_ms: Annotated[int, Field(ge=1)] = Field(
        default=250, description="A call of a plugin in a live run that takes longer is counted and told."
    )
    hung_call_ms: Annotated[int, Field(ge=500)] = Field(
        default=2_000,
        description="One that takes longer ends the process, which starts again without that plugin's bot.",
    )
    encryption_key: LazyText | None = Field(
        default=None,
        description="Key that encrypts stored credentials; write ${ENCRYPTION_KEY}, never the key.",
    )
    plugins: tuple[PluginName, ...] | None = Field(
        default=None,
        description="Plugins to load: names, or paths of local files or folders. Default: what the bots name.",
    )
    disabled_plugins: tuple[PluginName, ...] = Field(default=(), description="Plugins that are never loaded.")


class FileConfig(GeneralConfig):
    """A TraderAgent configuration."""

    filters: dict[str, Any] = Field(
        default_factory=dict, description="Entry filters by name, each with its section."
    )
    risk_modes: dict[str, Any] = Field(
        default_factory=dict, description="Risk modes by name, each with its section."
    )
    event_sinks: dict[str, Any] = Field(
        default_factory=dict,
        description="Event sinks of live runs by name, each with its section; they are told what happens.",
    )
    simulation: SimulationConfig = Field(
        default_factory=SimulationConfig, description="What back-tests and paper trading assume."
    )
    coordinator: CoordinatorConfig = Field(
        default_factory=CoordinatorConfig, description="How several strategies share one account."
    )
    bot_defaults: dict[str, Any] = Field(
        default_factory=dict,
        description="Keys and sections that every bot has where it does not write them itself.",
    )
    bots: Annotated[tuple[BotConfig, ...], Field(min_length=1)] = Field(
        description="The bots of this account."
    )

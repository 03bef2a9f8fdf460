"""What a loaded configuration holds: the product's example, defaults, exact numbers, plugins' sections."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from pydantic import BaseModel, ConfigDict, Field
from traderagent_core.config.effective import effective
from traderagent_core.config.load import Config, InvalidConfigError, load_config
from traderagent_core.contract.strategy import Strategy
from traderagent_core.errors import ConfigError
from traderagent_core.host.records import PluginInfo, Status
from traderagent_core.model.instrument import Market
from traderagent_core.specs import ExchangeAdapterSpec, StrategySpec

EXAMPLE = """\
database_url: ${DATABASE_URL}
log_level: INFO
encryption_key: ${ENCRYPTION_KEY}
bots:
  - name: demo_btc
    symbol: BTC/USDT
    strategy: auto                 # or a plugin's name: grid, dca, trend …
    exchange: {exchange_id: bybit, credentials_name: bybit_demo, sandbox: true}
    grid: {enabled: true, upper_price: "72000", lower_price: "65000", grid_levels: 6, amount_per_grid: "150", profit_per_grid: "0.012"}
    dca: {enabled: true, trigger_percentage: "0.04", amount_per_step: "150", max_steps: 4, take_profit_percentage: "0.08"}
    risk_management: {max_position_size: "3000", stop_loss_percentage: "0.12", max_daily_loss: "600"}
    dry_run: false
    auto_start: true
"""  # noqa: E501 - as the product's page has it

GRID = {"lower_price": 1, "upper_price": 2, "grid_levels": 5}
Write = Callable[[str | bytes], Path]


def bot(**changes: Any) -> dict[str, Any]:
    return {"name": "a", "symbol": "BTC/USDT", "strategy": "grid", "grid": GRID, **changes}


def load(host: Any, *bots: dict[str, Any], environ: Mapping[str, str] | None = None, **top: Any) -> Config:
    return load_config({"bots": list(bots or [bot()]), **top}, host=host, environ=environ or {})


def refused(host: Any, *bots: dict[str, Any], **top: Any) -> str:
    with pytest.raises(InvalidConfigError) as caught:
        load(host, *bots, **top)
    return str(caught.value)


def test_the_example_is_accepted_when_its_plugins_are_installed(host_with_dca: Any, write: Write) -> None:
    config = load_config(write(EXAMPLE), host=host_with_dca, environ={})
    (only,) = config.bots
    assert (only.name, only.strategy, only.spec, only.strategy_config) == ("demo_btc", "auto", None, None)
    assert list(only.sections) == ["grid", "dca"]
    assert only.sections["grid"].config == host_with_dca.strategies["grid"].config_model(
        upper_price=Decimal(72000),
        lower_price=Decimal(65000),
        grid_levels=6,
        amount_per_grid=Decimal(150),
        profit_per_grid=Decimal("0.012"),
    )
    assert only.risk.stop_loss_percentage == Decimal("0.12")
    assert (only.exchange.exchange_id, only.exchange.sandbox) == ("bybit", True)
    assert (only.dry_run, only.auto_start, only.market, only.timeframe) == (False, True, Market.SPOT, "1h")


def test_the_example_tells_what_a_back_test_and_live_commands_lack(host_with_dca: Any, write: Write) -> None:
    notes = load_config(write(EXAMPLE), host=host_with_dca, environ={}).notes
    assert [(note.line, note.column, note.key) for note in notes] == [
        (7, 15, "bots[0].strategy"),
        (8, 29, "bots[0].exchange.exchange_id"),
    ]
    assert "routes lead there to trend" in notes[0].hint
    assert "pip install traderagent-bybit" in notes[1].hint


def test_the_example_with_grid_alone_has_one_problem_that_names_the_package(host: Any, write: Write) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        load_config(write(EXAMPLE), host=host, environ={})
    (problem,) = caught.value.problems
    assert (problem.line, problem.column, problem.key) == (10, 5, "bots[0].dca")
    assert "pip install traderagent-dca" in problem.hint


def test_an_error_is_a_config_error_with_one_block_a_problem_and_a_count(host: Any, write: Write) -> None:
    path = write("bots:\n  - {name: a, symbol: BTC/USDT, strategy: gird, dry_run: on}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(path, host=host, environ={})
    assert str(caught.value).splitlines() == [
        f"{path}:2:43: bots[0].strategy: unknown strategy 'gird'; did you mean 'grid'?",
        "    installed: grid, quiet; to use another one, install the package that offers it",
        f"{path}:2:58: bots[0].dry_run: expected true or false; found 'on'",
        "    write true",
        f"2 problems in {path}",
    ]


def test_defaults(host: Any) -> None:
    config = load(host)
    (only,) = config.bots
    assert only.exchange.exchange_id == "simulated"
    assert only.leverage == only.capital_share == 1
    assert (only.dry_run, only.auto_start, only.risk.max_daily_loss) == (True, True, None)
    assert config.simulation.balance == 100000
    assert (config.simulation.path, config.simulation.latency_ms) == ("default", 0)
    assert (config.path, config.plugins, config.log_level, config.database_url) == (None, None, "INFO", None)
    assert config.notes == ()


@pytest.mark.parametrize(
    ("market", "maker", "taker"), [(Market.SPOT, "0.001", "0.001"), (Market.LINEAR, "0.0002", "0.00055")]
)
def test_fees_follow_the_market_unless_they_are_given(
    host: Any, market: Market, maker: str, taker: str
) -> None:
    simulation = load(host).simulation
    assert (simulation.maker_fee_ratio(market), simulation.taker_fee_ratio(market)) == (
        Decimal(maker),
        Decimal(taker),
    )
    given = load(host, simulation={"maker_fee": "-0.0001", "taker_fee": 0}).simulation
    assert (given.maker_fee_ratio(market), given.taker_fee_ratio(market)) == (
        Decimal("-0.0001"),
        Decimal(0),
    )


@pytest.mark.parametrize(
    "written",
    ["0.1", "0.10", "1e-1", "+.1", "0.1000000000000000055511151231257827", "0.30000000000000004", "1_0.5"],
)
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_numbers_keep_every_digit_that_was_written(host: Any, write: Write, written: str, quote: str) -> None:
    text = (
        f"simulation: {{instruments: {{BTC/USDT: {{tick_size: {quote}{written}{quote}}}}}}}\n"
        "bots: [{name: a, symbol: BTC/USDT, strategy: quiet}]\n"
    )
    tick = load_config(write(text), host=host, environ={}).simulation.instruments["BTC/USDT"].tick_size
    assert str(tick) == str(Decimal(written))


def test_numbers_in_plugin_sections_do_not_pass_through_floats(host: Any, write: Write) -> None:
    text = (
        "bots:\n  - {name: a, symbol: BTC/USDT, strategy: grid,"
        " grid: {lower_price: 0.1, upper_price: 12345678901234567.89, grid_levels: 5, profit_per_grid: 0.3}}\n"
    )
    grid: Any = load_config(write(text), host=host, environ={}).bots[0].strategy_config
    assert str(grid.lower_price) == "0.1"
    assert str(grid.upper_price) == "12345678901234567.89"
    assert str(grid.profit_per_grid) == "0.3"


def test_python_floats_are_taken_by_their_shortest_text(host: Any) -> None:
    grid: Any = load(host, bot(grid={**GRID, "profit_per_grid": 0.1})).bots[0].strategy_config
    assert grid.profit_per_grid == Decimal("0.1")


def test_a_section_may_be_left_out_or_empty_when_the_plugin_needs_no_key(host: Any, write: Write) -> None:
    text = (
        "bots:\n  - {name: a, symbol: BTC/USDT, strategy: quiet}\n"
        "  - {name: b, symbol: ETH/USDT, strategy: quiet, quiet: }\n"
    )
    first, second = load_config(write(text), host=host, environ={}).bots
    assert first.strategy_config == second.strategy_config == host.strategies["quiet"].config_model()


def test_groups_with_nothing_in_them_take_their_defaults(host: Any, write: Write) -> None:
    text = (
        "simulation:\nfilters:\nrisk_modes:\nbots:\n"
        "  - name: a\n    symbol: BTC/USDT\n    strategy: quiet\n    exchange:\n    risk_management:\n"
    )
    config = load_config(write(text), host=host, environ={})
    assert config.simulation.balance == 100000
    assert (config.filters, config.bots[0].exchange.exchange_id) == ((), "simulated")


def test_enabled_is_kept_from_the_plugins_model_and_a_section_is_on_by_default(host: Any) -> None:
    sections = load(host, bot(quiet={"enabled": False, "period": 3})).bots[0].sections
    assert {name: section.is_enabled for name, section in sections.items()} == {"grid": True, "quiet": False}


def test_a_section_that_is_switched_off_may_be_incomplete_but_not_wrong(host: Any) -> None:
    off = {"enabled": False}
    config = load(host, bot(strategy="quiet", grid=off))
    assert config.bots[0].sections["grid"].config is None
    assert "bots[0].grid.grid_levels: expected a whole number" in refused(
        host, bot(strategy="quiet", grid={**off, "grid_levels": "x"})
    )
    assert "bots[0].grid.levels: unknown key" in refused(
        host, bot(strategy="quiet", grid={**off, "levels": 1})
    )


def test_filters_and_risk_modes_that_are_on_come_in_the_order_of_the_file(host: Any) -> None:
    config = load(host, filters={"volume": {"period": 7}}, risk_modes={"drawdown": None})
    ((name, spec, section),) = config.filters
    assert (name, spec, section.model_dump()["period"]) == ("volume", host.entry_filters["volume"], 7)
    assert [mode.name for mode in config.risk_modes] == ["drawdown"]
    assert load(host, filters={"volume": {"enabled": False}}).filters == ()


def test_anchors_aliases_and_merge_keys(host: Any, write: Write) -> None:
    text = (
        "bots:\n"
        "  - &first\n    name: a\n    symbol: BTC/USDT\n    strategy: grid\n"
        "    grid: &grid {lower_price: 1, upper_price: 2, grid_levels: 5}\n"
        "  - {<<: *first, name: b, symbol: ETH/USDT, grid: {<<: *grid, grid_levels: 9}}\n"
    )
    first, second = load_config(write(text), host=host, environ={}).bots
    levels = [
        one.strategy_config.model_dump()["grid_levels"] for one in (first, second) if one.strategy_config
    ]
    assert levels == [5, 9]
    assert (second.name, second.symbol, second.strategy) == ("b", "ETH/USDT", "grid")


def test_two_markets_of_a_symbol_are_two_files(host: Any) -> None:
    with pytest.raises(ConfigError, match="one account trades one market of a symbol"):
        load(host, bot(), bot(name="b", market="linear", leverage=3))


def test_an_instrument_that_no_bot_trades_is_noted(host: Any) -> None:
    config = load(host, simulation={"instruments": {"BTX/USDT": {"tick_size": 1}}})
    assert "did you mean 'BTC/USDT'?" in config.notes[0].rule


@pytest.mark.parametrize(
    ("exchange", "package"), [("bybit", "traderagent-bybit"), ("kraken", "traderagent-ccxt")]
)
def test_an_exchange_without_its_package_is_a_note(host: Any, exchange: str, package: str) -> None:
    (note,) = load(host, bot(exchange={"exchange_id": exchange})).notes
    assert f"pip install {package}" in note.hint


@pytest.mark.parametrize("exchange", ["simulated", "paper"])
def test_the_cores_own_exchanges_need_no_note(host: Any, exchange: str) -> None:
    assert load(host, bot(exchange={"exchange_id": exchange})).notes == ()


def test_an_installed_exchange_needs_no_note(host: Any) -> None:
    assert load(with_bybit(host), bot(exchange={"exchange_id": "bybit"})).notes == ()


class BybitModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = "https://api.example"
    receive_window_ms: int = 5000


def with_bybit(host: Any) -> Any:
    spec = ExchangeAdapterSpec("bybit", "Trades there.", BybitModel, lambda config, surroundings: None)
    return attrs.evolve(host, exchange_adapters={"bybit": spec})


def test_keys_of_an_exchange_are_checked_by_its_own_model(host: Any) -> None:
    section = {"exchange_id": "bybit", "sandbox": True, "receive_window_ms": 4000}
    config = load(with_bybit(host), bot(exchange=section))
    assert config.bots[0].exchange.sandbox
    assert config.bots[0].exchange_config == BybitModel(receive_window_ms=4000)
    assert config.exchanges["bybit"].config_model is BybitModel
    again = load_config(effective(config), host=with_bybit(host))
    assert again.bots[0].exchange_config == config.bots[0].exchange_config
    assert again.sha256 == config.sha256


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("receive_window_ms", "soon", "exchange.receive_window_ms"),
        ("recieve_window_ms", 4000, "did you mean 'receive_window_ms'?"),
        ("sandbx", True, "did you mean 'sandbox'?"),
    ],
)
def test_a_wrong_key_of_an_exchange_is_told(host: Any, key: str, value: Any, told: str) -> None:
    assert told in refused(with_bybit(host), bot(exchange={"exchange_id": "bybit", key: value}))


def test_a_key_of_an_exchange_that_is_not_installed_names_its_package(host: Any) -> None:
    told = refused(host, bot(exchange={"exchange_id": "bybit", "receive_window_ms": 4000}))
    assert "pip install traderagent-bybit" in told


def test_problems_of_python_values_have_a_key_but_no_line(host: Any) -> None:
    assert refused(host, bot(timeframe="5x")).startswith(
        "configuration: bots[0].timeframe: expected a timeframe"
    )
    assert "configuration: simulation['1']: keys are texts" in refused(host, simulation={1: 2})
    assert "a set is no value of a configuration" in refused(host, plugins={"grid"})


def test_a_loaded_configuration_cannot_be_changed(host: Any) -> None:
    config = load(host)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        config.log_level = "DEBUG"  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        config.simulation.balance = Decimal(1)


@pytest.mark.parametrize(
    ("name", "fragment"),
    [("other.yaml", "there is no such file"), (".", "this is a folder"), ("no/x.yaml", "no folder")],
)
def test_files_that_are_not_there(host: Any, tmp_path: Path, name: str, fragment: str) -> None:
    (tmp_path / "mine.yaml").write_text("")
    with pytest.raises(InvalidConfigError) as caught:
        load_config(tmp_path / name, host=host, environ={})
    assert fragment in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)


def test_a_missing_file_names_the_configurations_beside_it(host: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("")
    with pytest.raises(InvalidConfigError, match=r"configurations in that folder: mine\.yaml"):
        load_config(str(tmp_path / "main.yaml"), host=host, environ={})


def test_an_unreadable_file_is_told_with_its_reason(
    host: Any, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    path = write("")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InvalidConfigError, match=r"cannot be read: Permission denied\n.*permissions"):
        load_config(path, host=host, environ={})


def test_a_byte_order_mark_is_passed_over(host: Any, write: Write) -> None:
    text = "bots: [{name: a, symbol: BTC/USDT, strategy: quiet}]\n"
    assert load_config(write(b"\xef\xbb\xbf" + text.encode()), host=host, environ={}).bots[0].name == "a"


class Lenient(BaseModel):
    """A plugin's model whose author forbade nothing."""

    period: int = Field(default=1, alias="length")
    anything: dict[str, int] = {}


class Open(BaseModel):
    """A plugin's model that asks for any key."""

    model_config = ConfigDict(extra="allow")


def test_keys_that_a_plugins_model_would_ignore_are_refused(host: Any) -> None:
    lenient = StrategySpec("lenient", "", Lenient, Strategy)
    with_lenient = attrs.evolve(host, strategies={"lenient": lenient})
    good = bot(strategy="lenient", lenient={"length": 3, "anything": {"a": 1}})
    del good["grid"]
    assert load(with_lenient, good).bots[0].strategy_config == Lenient(length=3, anything={"a": 1})
    said = refused(with_lenient, {**good, "lenient": {"lenght": 3}})
    assert "bots[0].lenient.lenght: unknown key; did you mean 'length'?" in said


def test_a_plugins_model_may_ask_for_any_key(host: Any) -> None:
    with_open = attrs.evolve(host, strategies={"open": StrategySpec("open", "", Open, Strategy)})
    one = {"name": "a", "symbol": "BTC/USDT", "strategy": "open", "open": {"free": 1}}
    assert load(with_open, one).bots[0].strategy_config == Open(free=1)  # type: ignore[call-arg]


def test_a_plugin_that_is_there_but_cannot_be_used_is_told_with_its_cause(host: Any) -> None:
    broken = PluginInfo(
        "dca", "traderagent-dca", "0.9", "traderagent_dca", Status.BROKEN, cause="it is too old"
    )
    said = refused(attrs.evolve(host, plugins=(broken,)), bot(dca={}))
    assert "bots[0].dca: strategy 'dca' cannot be used" in said
    assert "traderagent-dca 0.9" in said
    assert "it is too old" in said


def test_rules_across_bots_is_judged_although_other_keys_are_wrong(host: Any) -> None:
    said = refused(host, bot(timeframe="x"), bot(timeframe="y", leverage=2))
    for key in (
        "bots[0].timeframe",
        "bots[1].timeframe",
        "bots[1].name",
        "bots[1].symbol",
        "bots[1].leverage",
    ):
        assert f"{key}: " in said

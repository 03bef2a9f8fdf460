"""The exchanges that the core brings, from their configuration, and how adapters are built by name."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from traderagent_core.adapters.building import build_adapter
from traderagent_core.adapters.clocks import ManualClock
from traderagent_core.adapters.paper import PaperAdapter
from traderagent_core.adapters.simulated import SimulatedAdapter
from traderagent_core.config.schema import SimulationConfig
from traderagent_core.contract.exchange_adapter import Surroundings
from traderagent_core.contract.venue_facts import FundingRate, LinkDown
from traderagent_core.data.csv_writing import write_csv
from traderagent_core.errors import ConfigError, ExchangeRefusedError, ExchangeUnavailableError, PluginError
from traderagent_core.model.event import FundingPaid
from traderagent_core.model.instrument import Market
from traderagent_core.model.order import OrderRequest, OrderType, Side
from traderagent_core.model.timeframe import HOUR_MS
from traderagent_core.plugin import traderagent_exchange_adapters
from traderagent_core.testing import market
from traderagent_core.testing.conformance.adapter_base import LINEAR
from traderagent_core.testing.venue_rig import VenueRig
from traderagent_core.testing.wire import Wire, WireAdapter

SYMBOL = "BTC/USDT"


@pytest.fixture(scope="module")
def specs() -> Any:
    return {spec.name: spec for spec in traderagent_exchange_adapters()}


@pytest.fixture
def surroundings() -> Surroundings:
    return Surroundings(
        ManualClock(), {SYMBOL: Market.SPOT}, simulation=SimulationConfig(balance=Decimal(500))
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_csv(market("ranging", timeframe="5m", rows=500), tmp_path / "made_spot_BTC-USDT_5m.csv.gz")
    return tmp_path


def buy(order_id: str, quantity: str, symbol: str = SYMBOL) -> OrderRequest:
    return OrderRequest(order_id, symbol, Side.BUY, OrderType.MARKET, Decimal(quantity), None)


def test_simulated_plays_recorded_candles_with_a_clock_of_its_own(
    specs: Any, surroundings: Surroundings, data: Path
) -> None:
    section = {"data": data, "speed": 1000}

    async def run() -> Any:
        adapter = build_adapter(specs, "simulated", section, surroundings)
        assert isinstance(adapter, SimulatedAdapter)
        await adapter.connect()
        try:
            await adapter.submit(buy("a", "1"))
            return adapter.clock.now_ms(), await adapter.balances(), await adapter.instruments()
        finally:
            await adapter.close()

    now_ms, balances, (instrument,) = asyncio.run(run())
    assert now_ms - int(market("ranging", timeframe="5m", rows=500).open_time[50]) in range(60_000)
    assert balances["BTC"].total == 1
    assert balances["USDT"].total < 400
    assert instrument.tick_size == Decimal("0.01")


def test_simulated_charges_the_configured_funding_where_none_is_recorded(
    specs: Any, surroundings: Surroundings, tmp_path: Path
) -> None:
    write_csv(market("ranging", timeframe="5m", rows=500), tmp_path / "made_linear_BTC-USDT_5m.csv.gz")
    simulation = SimulationConfig(funding_rate=Decimal("0.001"))
    around = evolve(surroundings, markets={SYMBOL: Market.LINEAR}, simulation=simulation)

    async def run() -> Any:
        adapter = build_adapter(specs, "simulated", {"data": tmp_path, "speed": 1}, around)
        try:
            return await adapter.funding_rates(SYMBOL, 0)
        finally:
            await adapter.close()

    rates = asyncio.run(run())
    assert rates
    assert all(each.rate == Decimal("0.001") and not each.time_ms % (8 * HOUR_MS) for each in rates)


def test_paper_follows_the_prices_of_another_exchange(
    specs: Any, surroundings: Surroundings, data: Path
) -> None:
    section = {"source": "simulated", "settings": {"data": data, "speed": 1000}}

    async def run() -> Any:
        adapter = build_adapter(specs, "paper", section, surroundings)
        assert isinstance(adapter, PaperAdapter)
        await adapter.connect()
        try:
            outcome = await adapter.submit(buy("a", "1"))
            source_orders = await adapter.source.open_orders()
            return (
                outcome.kind.value,
                await adapter.executions(0),
                source_orders,
                adapter.clock is adapter.source.clock,
            )
        finally:
            await adapter.close()

    kind, fills, source_orders, is_one_clock = asyncio.run(run())
    assert (kind, len(fills), source_orders, is_one_clock) == ("ACCEPTED", 1, [], True)


@pytest.mark.parametrize(
    ("name", "section", "error", "words"),
    [
        ("kraken", {}, PluginError, "pip install traderagent-ccxt"),
        ("simulatd", {}, PluginError, "did you mean 'simulated'?"),
        ("simulated", {"speed": 0}, ConfigError, "speed"),
        ("simulated", {"spede": 1}, ConfigError, "spede"),
        ("paper", {"source": "paper"}, ConfigError, "cannot be its own source"),
        (
            "paper",
            {"source": "simulated", "settings": {"speed": 0}},
            ConfigError,
            "exchange 'simulated': speed",
        ),
    ],
)
def test_what_cannot_be_built_is_told(
    name: str, section: Any, error: Any, words: str, specs: Any, surroundings: Surroundings
) -> None:
    with pytest.raises(error) as told:
        build_adapter(specs, name, section, surroundings)
    assert words in str(told.value)


def test_a_factory_that_gives_something_else_is_told_by_name(specs: Any, surroundings: Surroundings) -> None:
    wrong = evolve(specs["simulated"], name="wrong", factory=lambda config, around: dict)
    with pytest.raises(PluginError, match="'wrong': its factory gave an object of type"):
        build_adapter({"wrong": wrong}, "wrong", {}, surroundings)


# -- paper trading on a venue that can be handled -----------------------------------------------------------------


class Rates(WireAdapter):
    """Has a funding rate each hour, and fails to tell it once."""

    fails = False

    async def funding_rates(self, symbol: str, since_ms: int) -> Any:
        if self.fails:
            self.fails = False
            raise ExchangeUnavailableError("maintenance")
        hours = range(-(-since_ms // HOUR_MS), self.clock.now_ms() // HOUR_MS + 1)
        return [FundingRate(hour * HOUR_MS, Decimal("0.001")) for hour in hours]


def paper(scenario: Any, **markets: Market) -> Any:
    async def run() -> Any:
        rig = VenueRig(LINEAR)
        clock = ManualClock(rig.clock.now_ms() // HOUR_MS * HOUR_MS + 1)
        rig.backend.clock = clock
        traded = {LINEAR.symbol: Market.LINEAR} | markets
        surroundings = Surroundings(clock, traded, simulation=SimulationConfig(taker_fee=Decimal("0.01")))
        source = Rates(None, surroundings, Wire(rig.backend))
        adapter = PaperAdapter(None, surroundings, source)
        try:
            await adapter.connect()
            return await scenario(adapter, rig, clock)
        finally:
            await adapter.close()

    return asyncio.run(run())


def test_paper_takes_its_own_fees_and_the_steps_of_the_source() -> None:
    async def scenario(adapter: PaperAdapter, rig: VenueRig, clock: ManualClock) -> Any:
        await adapter.submit(buy("a", "1", LINEAR.symbol))
        (fill,) = await adapter.executions(0)
        (instrument,) = await adapter.instruments()
        return fill.fee / fill.price, instrument

    ratio, instrument = paper(scenario)
    assert ratio == Decimal("0.01")
    assert instrument == evolve(LINEAR, taker_fee_ratio=Decimal("0.01"))


def test_a_resting_order_trades_at_its_own_price_and_a_stop_where_it_is_triggered() -> None:
    async def scenario(adapter: PaperAdapter, rig: VenueRig, clock: ManualClock) -> Any:
        limit = OrderRequest("l", LINEAR.symbol, Side.BUY, OrderType.LIMIT, Decimal(1), Decimal(98))
        stop = OrderRequest("s", LINEAR.symbol, Side.SELL, OrderType.STOP, Decimal(1), Decimal(97))
        await adapter.submit(limit)
        await adapter.submit(stop)
        await rig.move_price(Decimal(95))
        return {fill.client_order_id: fill.price for fill in await adapter.executions(0)}

    assert paper(scenario) == {"l": Decimal(98), "s": Decimal(95)}


def test_funding_of_the_source_is_charged_once_also_after_a_failed_read() -> None:
    async def scenario(adapter: PaperAdapter, rig: VenueRig, clock: ManualClock) -> Any:
        await adapter.submit(buy("a", "1", LINEAR.symbol))
        start = clock.now_ms() // HOUR_MS
        await clock.advance_to((start + 1) * HOUR_MS + 60_000)
        adapter.source.fails = True  # type: ignore[attr-defined]
        await clock.advance_to((start + 2) * HOUR_MS + 60_000)
        early = len(await adapter.funding_paid(0))
        await clock.advance_to((start + 3) * HOUR_MS + 60_000)
        return early, start, await adapter.funding_paid(0)

    early, start, paid = paper(scenario)
    assert early == 1
    assert [each.time_ms // HOUR_MS - start for each in paid] == [1, 2, 3]
    assert all(isinstance(each, FundingPaid) and each.amount == Decimal("-0.1") for each in paid)


def test_a_symbol_that_the_source_does_not_have_is_told_at_once() -> None:
    async def scenario(*_: Any) -> None:
        raise AssertionError("it connected")

    with pytest.raises(ExchangeRefusedError, match="does not have XYZ/USDT"):
        paper(scenario, **{"XYZ/USDT": Market.LINEAR})


def test_a_break_of_the_source_is_told_with_the_prices() -> None:
    async def scenario(adapter: PaperAdapter, rig: VenueRig, clock: ManualClock) -> Any:
        stream = adapter.prices([LINEAR.symbol])
        adapter.source.ticks.publish(LinkDown(0, "cut"))  # type: ignore[attr-defined]
        await clock.advance_to(clock.now_ms() + 1)
        await adapter.close()
        return [fact.cause async for fact in stream if isinstance(fact, LinkDown)]

    assert paper(scenario)[0] == "cut"

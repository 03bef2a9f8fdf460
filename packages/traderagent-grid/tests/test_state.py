import json
from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

from traderagent_core import Candles, Instrument
from traderagent_core.contract.state import check_state_class
from traderagent_core.engine.snapshot import restore, snapshot
from traderagent_grid.config import GridConfig
from traderagent_grid.ranges import Range
from traderagent_grid.state import GridState, Phase
from traderagent_grid.strategy import GridStrategy

Make = Callable[..., GridConfig]
Run = Callable[..., Any]
Walk = Callable[..., Candles]


def test_the_state_can_be_saved_and_taken_back() -> None:
    assert check_state_class(GridStrategy) is None
    assert GridState().schema_version == 1


def test_a_snapshot_brings_back_range_phase_and_counts(
    bench: Run, config: Make, instrument: Instrument, path: Walk
) -> None:
    keys = config(trailing_enabled=True, trailing_cooldown_candles=2, max_drawdown="0.9")
    candles = path([100, 100, 120, 120, 120, 120, 135, 135])
    run = bench(keys, instrument, candles).run()
    assert run.state.left_ms is not None
    assert run.state.range == Range(D(110), D(130))
    data = json.loads(json.dumps(snapshot(run.engine)))
    fresh = bench(keys, instrument, candles)
    restore(fresh.engine, data)
    assert fresh.strategy.state == run.state
    assert (fresh.state.phase, fresh.state.shifts_up) == (Phase.RUNNING, 1)
    assert fresh.engine.members["bot"].peak_profit == run.engine.members["bot"].peak_profit
    assert snapshot(fresh.engine) == snapshot(run.engine)

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from traderagent_core.errors import StoreError
from traderagent_core.persistence.database.connect import Database
from traderagent_core.persistence.database.store import Store
from traderagent_core.persistence.templates import (
    Template,
    list_templates,
    remove_template,
    save_template,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)
GRID = Template(
    "calm", "grid", {"grid_levels": 6, "upper_price": "72000", "nested": [None, {"a": True}]}, "slow"
)


def test_templates_are_kept_replaced_and_forgotten(database_url: str, run: Callable[[Any], Any]) -> None:
    async def check() -> None:
        async with Database.open(database_url) as database:
            store = Store(database)
            await store.prepare()
            await save_template(store, GRID, NOW)
            await save_template(store, Template("brisk", "dca", {}), NOW)
            assert await list_templates(store) == [Template("brisk", "dca", {}), GRID]
            changed = Template("calm", "grid", {"grid_levels": 7})
            await save_template(store, changed, NOW + timedelta(hours=1))
            (row,) = await store.rows("strategy_templates", name="calm")
            assert (row["created_at"], row["updated_at"]) == (NOW, NOW + timedelta(hours=1))
            await remove_template(store, "brisk")
            assert await list_templates(store) == [changed]
            with pytest.raises(StoreError, match="no template 'brisk'; there are: calm"):
                await remove_template(store, "brisk")

    run(check())

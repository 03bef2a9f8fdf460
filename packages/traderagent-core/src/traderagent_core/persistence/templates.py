"""Templates: sections of strategies kept under a name, to make further bots from."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import frozen

from traderagent_core.errors import StoreError

if TYPE_CHECKING:
    from traderagent_core.persistence.database.store import Store

TABLE = "strategy_templates"


@frozen
class Template:
    """A strategy's section of a configuration, as JSON-able values; amounts are text, as in a file."""

    name: str
    strategy: str
    config: Mapping[str, Any]
    description: str = ""


async def save_template(store: "Store", template: Template, now: datetime) -> None:
    """Keep a template; one of the same name is replaced. `now` is aware."""
    former = await store.rows(TABLE, name=template.name)
    row = {
        "name": template.name,
        "strategy": template.strategy,
        "description": template.description,
        "config": dict(template.config),
        "created_at": former[0]["created_at"] if former else now,
        "updated_at": now,
    }
    await store.write({TABLE: [row]})


async def list_templates(store: "Store") -> list[Template]:
    """All templates, by name."""
    return [
        Template(row["name"], row["strategy"], row["config"], row["description"])
        for row in await store.rows(TABLE)
    ]


async def remove_template(store: "Store", name: str) -> None:
    """Forget a template. Raises StoreError when there is none of this name."""
    if not await store.remove(TABLE, name=name):
        names = ", ".join(template.name for template in await list_templates(store)) or "none"
        raise StoreError(f"there is no template {name!r}; there are: {names}")

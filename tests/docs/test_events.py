"""docs/reference/events.md names every event that a run can tell, and no other."""

import re
from collections.abc import Callable
from inspect import getsource
from typing import Any

from traderagent_core.live import observing
from traderagent_core.live.control import server
from traderagent_core.observability import facts

NAME = re.compile(r'"([A-Z]+(?:_[A-Z]+)*)"')


def test_every_event_is_described(page: Callable[[str], Any]) -> None:
    told = {name for module in (facts, observing, server) for name in NAME.findall(getsource(module))}
    reference = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)*)`", page("docs/reference/events.md").text))
    assert told == reference

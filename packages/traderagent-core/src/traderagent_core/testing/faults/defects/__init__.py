"""Planted defects: mistakes put into the real code for the time of a run, to see that the checks notice them.

`defect` says what a defect is and plants it; `search` looks for the first seed that brings it to light; the other
modules hold the defects themselves, by where they sit. Plant your own:

    with planted(Defect("...", "...", ("I4",), (Patch(Outbox, "_submit", make),))):
        run(Trial(seed))
"""

from traderagent_core.testing.faults.defects.defect import Defect, Patch, planted
from traderagent_core.testing.faults.defects.search import Found, find

__all__ = ["Defect", "Found", "Patch", "find", "planted"]

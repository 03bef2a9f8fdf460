"""All defects that the project plants in itself, by their names."""

from collections.abc import Mapping, Sequence

from traderagent_core.errors import ConfigError
from traderagent_core.host.hints import listed
from traderagent_core.testing.faults.defects import booking, finding_out, keeping, protecting, sending
from traderagent_core.testing.faults.defects.defect import Defect

DEFECTS: Mapping[str, Defect] = {
    defect.name: defect
    for area in (sending, finding_out, booking, keeping, protecting)
    for defect in area.DEFECTS
}


def known(names: Sequence[str]) -> list[Defect]:
    """The defects of these names, all without any. Raises ConfigError for a name that there is not."""
    for name in names:
        if name not in DEFECTS:
            raise ConfigError(f"there is no planted defect {name!r}; there are: {listed(DEFECTS)}")
    return [DEFECTS[name] for name in names or DEFECTS]

"""What a planted defect is: patches of real functions, and which check has to notice them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from attrs import frozen

from traderagent_core.errors import TraderAgentError
from traderagent_core.testing.faults.kinds import Fault, Mix

MISSING = object()
STRONG = 4.0


class PlantingError(TraderAgentError):
    """A defect has nothing to sit in any more: the code that it changes has moved."""


@frozen
class Patch:
    """One attribute of a class or a module; `make` takes the real one and gives the one with the defect."""

    owner: type | ModuleType
    name: str
    make: Callable[[Any], Any]

    def real(self) -> Any:
        """What the attribute is now; raises PlantingError when `owner` itself does not define it."""
        found = vars(self.owner).get(self.name, MISSING)
        if found is MISSING:
            raise PlantingError(
                f"{self.owner.__name__} defines no {self.name!r}; the defect has to follow the code that it changes"
            )
        return found


@frozen
class Defect:
    """A mistake that somebody could make.

    `noticed_by` are beginnings of the violations that may tell it: "I4", "liveness", or the error that ends the
    process. `faults` are those that bring it to light, `script` the strategy that does so soonest, greedy or not,
    `first_seed` where to begin with them, `crash_steps` where the first life, the second … ends; so a short search
    can do with few seeds. A search without them draws strategy and faults, as any other run.
    """

    name: str
    summary: str
    noticed_by: tuple[str, ...]
    patches: tuple[Patch, ...]
    faults: tuple[Fault, ...] = ()
    script: str = ""
    is_greedy: bool = False
    strength: float = STRONG
    first_seed: int = 1
    crash_steps: tuple[int, ...] = ()

    @property
    def mix(self) -> Mix:
        """The faults that bring it to light."""
        return Mix(dict.fromkeys(self.faults, self.strength))

    def is_noticed(self, failure: str) -> bool:
        """Whether a violation is one by which this defect has to be noticed."""
        return failure.startswith(self.noticed_by)


@contextmanager
def planted(defect: Defect) -> Iterator[None]:
    """Have a defect in the code for a while. Raises PlantingError when there is nothing that it could change."""
    reals = [(patch, patch.real()) for patch in defect.patches]
    try:
        for patch, real in reals:
            setattr(patch.owner, patch.name, patch.make(real))
        yield
    finally:
        for patch, real in reals:
            setattr(patch.owner, patch.name, real)

"""What the detectors of one timeframe are told; plain values, so that they run without a configuration file."""

from attrs import field, frozen

WICK = "wick"
CLOSE = "close"


@frozen
class Weights:
    """Shares of the parts of a zone's strength; they add up to 1."""

    displacement: float = 0.25
    structure: float = 0.20
    confluence: float = 0.25
    volume: float = 0.15
    narrowness: float = 0.15


@frozen
class LifeRules:
    """When a zone dies. 0 switches a rule off: `max_touches` entries, decay under `least_decay`.

    `half_life` is in candles of the zone's timeframe. `mitigation` says what kills an order block: `wick` or `close`.
    """

    mitigation: str = WICK
    max_touches: int = 2
    half_life: float = 200.0
    least_decay: float = 0.05
    dead_kept: int = 1000


@frozen
class Settings:
    """Parameters of all detectors of one timeframe; names and meanings as in `SmcConfig`.

    `has_zones` and `has_patterns` leave out what nobody asks for: lives of zones, breaks by the pattern rule.
    """

    swing_length: int
    close_break: bool = True
    order_block_lookback: int = 50
    range_ratio: float = 0.01
    liquidity_window: int = 1000
    liquidity_tolerance: float | None = None
    fvg_min_atr: float = 0.0
    run_return_candles: int = 3
    grab_candles: int = 10
    has_zones: bool = True
    has_patterns: bool = True
    life: LifeRules = LifeRules()
    weights: Weights = field(default=Weights())

    @property
    def least_candles(self) -> int:
        """The count of candles at which the first swing can be confirmed."""
        return 3 * self.swing_length

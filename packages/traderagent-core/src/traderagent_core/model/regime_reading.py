"""What is known of a market's regime at a time."""

from attrs import frozen

from traderagent_core.model.regime import Regime


@frozen
class RegimeReading:
    """The confirmed regime, the close (ms UTC) that confirmed it, and the numbers of that close.

    ADX is 0 to 100; ATR is a ratio of the close; the means are in quote currency.
    """

    regime: Regime
    since_ms: int
    adx: float
    atr_ratio: float
    ema_fast: float
    ema_slow: float

    @property
    def evidence(self) -> str:
        """The numbers, as explanations show them."""
        means = f"ema_fast={self.ema_fast:.10g}, ema_slow={self.ema_slow:.10g}"
        return f"adx={self.adx:.2f}, atr_ratio={self.atr_ratio:.5f}, {means}"

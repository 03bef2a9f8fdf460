"""Recorded candles played by hand, one thing at a time, so that all tasks are done before the next one happens."""

from decimal import Decimal
from typing import Any

from traderagent_core.adapters.candle_tape import Moment
from traderagent_core.adapters.simulated import SimulatedAdapter
from traderagent_core.adapters.streams import Broadcast, Subscription
from traderagent_core.contract.venue_facts import CandleClosed, CandleFact, LinkUp, Price
from traderagent_core.errors import DataError
from traderagent_core.model import command as cmd
from traderagent_core.model import event as ev
from traderagent_core.model.position import money_context
from traderagent_core.simulator.cursor import BOUNDARY_PHASE


class LockstepAdapter(SimulatedAdapter):
    """As `simulated`, moved by `happen`. Prices are told where somebody waits for one, and by `quote`.

    The clock has to stand at the time of `next_moment` when it is called.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        start_ms = options.get("start_ms", 0)
        self._candles: Broadcast[CandleFact] = Broadcast(self.clock)
        self._watched: dict[tuple[str, str], str] = {}
        closes = {
            int(open_ms) + series.duration_ms
            for series in self.recorded.values()
            for open_ms in series.between(start_ms, None).open_time
        }
        self._closes = sorted(closes, reverse=True)
        for symbol, series in self.recorded.items():
            before = series.between(None, start_ms)
            if len(before):  # The market was open before, and may open late because candles are missing.
                self.exchange.markets[symbol].price = float(before.close[-1])

    async def connect(self) -> None:
        """Nothing plays by itself."""

    async def close(self) -> None:
        """End the streams."""
        self._candles.close()
        await super().close()

    # -- moving ---------------------------------------------------------------------------------------------

    def next_moment(self) -> Moment | None:
        """When anything happens next; None when the tape is over."""
        moments = [] if (tape := self._tape.next_moment()) is None else [tape]
        moments += [(self._closes[-1], BOUNDARY_PHASE)] if self._closes else []
        return min(moments, default=None)

    async def happen(self) -> None:
        """Let the next thing happen."""
        tape = self._tape.next_moment()
        if self._closes and (tape is None or (self._closes[-1], BOUNDARY_PHASE) < tape):
            self._tell_closed(self._closes.pop())
            return
        with money_context():
            self._tape.happen()
            self.tell()

    def is_quiet(self) -> bool:
        """All is told at once."""
        return True

    def tell_rest(self) -> bool:
        """All has been told."""
        return False

    def bring(self, symbol: str, now_ms: int) -> None:
        """What was due has happened; the price goes to where it is now."""
        self._tape.bring(symbol, now_ms)

    def quote(self, symbol: str) -> Decimal:
        """The present price."""
        with money_context():
            self.bring(symbol, self.clock.now_ms())
            return self.exchange.markets[symbol].last_price()

    def levels(self, command: cmd.Watch | cmd.Unwatch) -> None:
        """Tell the price, too, when it comes to where somebody waits for it."""
        self._watched[command.owner, command.name] = command.symbol
        with money_context():
            self.bring(command.symbol, self.clock.now_ms())
            self.exchange.execute(command, self.clock.now_ms())
            self.tell()

    def publish(self, event: Any) -> None:
        """A price that was waited for is told as a price, all else as it is."""
        if isinstance(event, ev.WatchCrossed):
            symbol = self._watched.pop((event.owner, event.name))
            self._prices.publish(Price(event.time_ms, symbol, Decimal(repr(event.price))))
        else:
            super().publish(event)

    # -- candles --------------------------------------------------------------------------------------------

    def closed_candles(self, symbols: Any, timeframe: str) -> Subscription[CandleFact]:
        """The recorded candles as they close; raises DataError for another timeframe than theirs."""
        for symbol in symbols:
            recorded = self.recorded[symbol].timeframe
            if recorded != timeframe:
                raise DataError(f"the candles of {symbol} are {recorded} ones; {timeframe} was asked for")
        return self._candles.subscribe([LinkUp(self.clock.now_ms())])

    def _tell_closed(self, close_ms: int) -> None:
        for symbol, series in self.recorded.items():
            row = int(series.open_time.searchsorted(close_ms - series.duration_ms))
            if row < len(series) and int(series.open_time[row]) + series.duration_ms == close_ms:
                self._candles.publish(CandleClosed(symbol, series.timeframe, series.candle(row)))

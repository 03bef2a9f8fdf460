"""Cases about operators: stop, halt, pause and resume bind every strategy at once."""

from collections.abc import Callable, Sequence
from typing import Any

from traderagent_core.contract.strategy import Release, Strategy
from traderagent_core.model import event as ev
from traderagent_core.testing.comparing import refuse
from traderagent_core.testing.conditions import Conditions
from traderagent_core.testing.conformance.orders import Orders
from traderagent_core.testing.conformance.subjects import Subject
from traderagent_core.testing.faulty_exchanges import Asked
from traderagent_core.testing.run import Run


class Operation(Orders):
    """An operator's word holds from the moment at which it is given."""

    def test_nothing_adds_exposure_after_a_stop(self, subject: Subject) -> None:
        """A stopped bot has nothing at the venue that could add exposure, and is not called any more.

        Mend: `on_release` returns a Release and asks for nothing; remember no context beyond a callback.
        """
        diary = _Diary()
        usual = self.busiest(subject)
        stop_ms = _midst(usual)
        run = self.again(usual, _conditions(diary, (stop_ms, "stop")))
        _require_good_release(diary)
        self._require_obedience(run, diary, stop_ms, "stop")

    def test_a_halt_closes_everything(self, subject: Subject) -> None:
        """After a halt the position is closed but for dust, nothing is at the venue, and no callback is called.

        Mend: nothing a strategy could do should matter here; look for a context that is kept beyond a callback.
        """
        diary = _Diary()
        usual = self.busiest(subject)
        halt_ms = _midst(usual)
        run = self.again(usual, _conditions(diary, (halt_ms, "halt")))
        self._require_obedience(run, diary, halt_ms, "halt")
        later = [record for record in run.of("filled") if record[1] > halt_ms]
        if later:
            refuse(
                expected=f"everything withdrawn and closed at the time of the halt, {halt_ms} ms",
                found=f"{later[0]}",
                mend="report this with the strategy: closing is the engine's duty",
            )
        market = run.exchange.markets[subject.instrument.symbol]
        quantity = subject.instrument.round_quantity(abs(market.position.quantity))
        if subject.instrument.size_problem(quantity, market.last_price()) is None or market.orders:
            refuse(
                expected="no position and no order at the end of a run that was halted midway",
                found=f"{market.position.quantity} held, {len(market.orders)} orders",
                mend="report this with the strategy: closing is the engine's duty",
            )

    def test_a_pause_adds_no_exposure(self, subject: Subject) -> None:
        """While a bot is paused nothing is sent that adds exposure; afterwards it goes on within its budget.

        Mend: `on_resume` looks at `context.position` and at the state before it asks for anything.
        """
        diary = _Diary()
        usual = self.busiest(subject)
        pause_ms = _midst(usual)
        resume_ms = pause_ms + (usual.end_ms - pause_ms) // 3
        run = self.again(usual, _conditions(diary, (pause_ms, "pause"), (resume_ms, "resume")))
        self._require_obedience(run, diary, pause_ms, "pause", until_ms=resume_ms)
        self.require_within_budget(run, "a run with a pause")

    def _require_obedience(
        self, run: Run, diary: "_Diary", from_ms: int, action: str, until_ms: int | None = None
    ) -> None:
        until_ms = run.end_ms + 1 if until_ms is None else until_ms
        adding = [
            asked for asked in run.exchange.asked if from_ms < asked.time_ms < until_ms and asked.is_adding
        ]
        if until_ms > run.end_ms:
            adding += _still_adding(run)
        called = [f"{name} at {at_ms} ms" for name, at_ms in diary.calls if from_ms < at_ms < until_ms]
        if adding or called:
            refuse(
                expected=f"nothing that adds exposure and no callback after the {action} at {from_ms} ms",
                found=f"{adding[0].request} at {adding[0].time_ms} ms" if adding else called[0],
                mend="ask only inside callbacks, through the context that the callback was given",
            )


class _Diary:
    """Which callbacks were called when, and how the strategy answered to being released."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []
        self.releases: list[Any] = []
        self.asked_in_release = 0

    def around(self, strategy: Strategy, name: str, context: Any, call: Callable[[], Any]) -> Any:  # noqa: ARG002
        self.calls.append((name, context.now_ms))
        before = len(context.actions)
        answer = call()
        if name == "on_release":
            self.releases.append(answer)
            self.asked_in_release += len(context.actions) - before
        return answer


def _conditions(diary: _Diary, *commands: tuple[int, str]) -> Conditions:
    operator = [ev.OperatorCommand(time_ms, "bot", action, "kit") for time_ms, action in commands]
    return Conditions(operator=operator, around=diary.around)


def _require_good_release(diary: _Diary) -> None:
    if any(not isinstance(answer, Release) for answer in diary.releases) or not diary.releases:
        refuse(
            expected="a Release from on_release",
            found=repr(diary.releases),
            mend="return Release.KEEP, Release.WIND_DOWN or Release.HAND_OVER",
        )
    if diary.asked_in_release:
        refuse(
            expected="on_release answers and asks for nothing",
            found=f"{diary.asked_in_release} verbs, which were dropped",
            mend="return Release.WIND_DOWN to have the position closed",
        )


def _midst(run: Run) -> int:
    """A time in the midst of the run's fills, a little off the candles."""
    times: Sequence[int] = [record[1] for record in run.of("filled")]
    return times[len(times) // 2] + 1 if times else (run.bots[0].candles.open_time.item(0) + run.end_ms) // 2


def _still_adding(run: Run) -> list[Asked]:
    """Orders that are at the venue at the end and would add exposure."""
    found = []
    for market in run.exchange.markets.values():
        for order in market.orders.values():
            asked = Asked(run.end_ms, order.request, market.position.quantity, market.last_price())
            if asked.is_adding:
                found.append(asked)
    return found

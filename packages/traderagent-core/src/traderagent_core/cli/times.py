"""Times on the command line: a date or an ISO time, UTC unless it says otherwise."""

from datetime import UTC, datetime, timedelta

import click

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UtcTime(click.ParamType):  # type: ignore[type-arg]
    """Turns `2021-05-19`, `2021-05-19T12:00` or `2021-05-19T12:00+02:00` into ms UTC."""

    name = "time"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The time in ms UTC; fails with what was expected."""
        if isinstance(value, int):
            return value
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            self.fail(
                f"{value!r} is not a time; write a date such as 2021-05-19, or 2021-05-19T12:00", param, ctx
            )
        aware = time if time.tzinfo else time.replace(tzinfo=UTC)
        return (aware - EPOCH) // timedelta(milliseconds=1)


UTC_TIME = UtcTime()

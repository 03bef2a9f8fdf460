"""Complete reads: every page of every window, or an error."""

from collections.abc import Mapping
from typing import Any

from traderagent_core import ExchangeUnavailableError

from traderagent_bybit.adapter.fields import Row, rows_of, text
from traderagent_bybit.adapter.http import UNANSWERED, Answer, Http
from traderagent_bybit.adapter.outcomes import OK, read_error

WEEK_MS = 7 * 86_400_000
MOST_PAGES = 1_000


class Reads:
    """Reads of one account."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def one(self, path: str, query: Mapping[str, object], *, kind: str = "read") -> Mapping[str, Any]:
        """The result of one call; raises ExchangeError for every failure."""
        return (await self._answer(path, query, kind)).result

    async def whole(self, path: str, query: Mapping[str, object], *, kind: str = "read") -> list[Row]:
        """The rows of an answer that has no pages."""
        return rows_of((await self.one(path, query, kind=kind))["list"])

    async def every(self, path: str, query: Mapping[str, object], *, kind: str = "read") -> list[Row]:
        """The rows of all pages; a page that cannot be read fails the whole. Raises ValueError for what are none."""
        rows: list[Any] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            result = await self.one(path, {**query, **({"cursor": cursor} if cursor else {})}, kind=kind)
            rows += rows_of(result["list"])
            cursor = _decoded(text(result, "nextPageCursor"))
            if not cursor:
                return rows
        raise ExchangeUnavailableError(f"{path} has more than {MOST_PAGES} pages")

    async def windows(
        self, path: str, query: Mapping[str, object], since_ms: int, until_ms: int
    ) -> list[Row]:
        """The rows of a time span, in windows of seven days as the venue wants it."""
        rows: list[Any] = []
        start = since_ms
        while start <= until_ms:
            end = min(start + WEEK_MS - 1, until_ms)
            rows += await self.every(path, {**query, "startTime": start, "endTime": end})
            start = end + 1
        return rows

    async def _answer(self, path: str, query: Mapping[str, object], kind: str) -> Answer:
        try:
            answer = await self._http.get(path, query, kind=kind)
        except UNANSWERED as error:
            raise ExchangeUnavailableError(f"{path}: {type(error).__name__}: {error}") from error
        if answer.code != OK:
            raise read_error(answer.code, answer.text, answer.retry_after_ms)
        return answer


def _decoded(cursor: str) -> str:
    """Cursors come percent-encoded, and are encoded again when they are sent."""
    from urllib.parse import unquote

    return unquote(cursor)

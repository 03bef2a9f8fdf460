"""REST calls: signed over the bytes that are sent, in the venue's time, within the limits."""

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
from attrs import Factory, frozen
from traderagent_core import ExchangeUnavailableError
from traderagent_core.contract.clock import Clock

from traderagent_bybit.adapter import fields
from traderagent_bybit.adapter.budget import Budget
from traderagent_bybit.adapter.config import BybitConfig
from traderagent_bybit.signing import sign_request

if TYPE_CHECKING:
    from yarl import URL

FORBIDDEN_PAUSE_MS = 600_000
"""After HTTP 403 all traffic stops for so long."""

FORBIDDEN = (
    "HTTP 403: the venue refuses this address, for too many calls or for its region; all calls stop for ten minutes. "
    "If it says so again, trade from a region that it serves (US and mainland China are not)"
)

FORBIDDEN_AGAIN = (
    "HTTP 403 once more, ten minutes after all calls were stopped: the venue refuses this address. Nothing is opened "
    "any more; trade from a region that it serves (US and mainland China are not). Stops at the venue hold"
)
ENTRIES_LATER_MS = 5_000
"""After such a pause stops, exits and reads come first."""

UNANSWERED = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
SHORTEST_SECRET = 8
"""Shorter ones, which no venue gives out, would be found inside of other words."""

LARGEST_ANSWER = 32_000_000
_SOON_MS = 2_000
RETRY_MS = {"10002": _SOON_MS, "10006": _SOON_MS, "110079": 700}
"""How long to wait before the same is asked again, by code."""


@frozen
class Answer:
    """What came back: the venue's code as text, its message and its result."""

    code: str
    text: str
    result: Mapping[str, Any] = Factory(dict)
    extra: Mapping[str, Any] = Factory(dict)
    retry_after_ms: int = 0


class Http:
    """One account's way to the REST API. Nothing is repeated here."""

    def __init__(self, config: BybitConfig, base: str, credentials: Mapping[str, str], clock: Clock) -> None:
        self._config = config
        self._base = base
        self._key, self._secret = credentials.get("key", ""), credentials.get("secret", "")
        self.clock = clock
        self._budget = Budget(clock, config.rate_factor)
        self._session: aiohttp.ClientSession | None = None
        self._silent_until_ms = 0
        self._refusals = 0
        self._is_probing = False
        self.offset_ms = 0
        self.under_way = 0
        """Calls that have left and are not answered yet."""

    @property
    def session(self) -> aiohttp.ClientSession:
        """The connections, opened when they are first used."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._config.timeout_seconds)
            self._session = aiohttp.ClientSession(timeout=timeout)
        return self._session

    def venue_ms(self) -> int:
        """The venue's time, as far as is known."""
        return self.clock.now_ms() + self.offset_ms

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def synchronise(self) -> int:
        """Read the venue's time and remember how far our clock is off; returns that time."""
        before = self.clock.now_ms()
        answer = await self.get("/v5/market/time", kind="public")
        after = self.clock.now_ms()
        if answer.code != "0":
            raise ExchangeUnavailableError(
                answer.text, code=answer.code, retry_after_ms=answer.retry_after_ms
            )
        venue = fields.time_ms({"timeNano": int(answer.result["timeNano"]) // 1_000_000}, "timeNano")
        self.offset_ms = venue - (before + after) // 2
        return venue

    async def get(
        self, path: str, query: Mapping[str, object] | None = None, *, kind: str = "read"
    ) -> Answer:
        """A read; raises one of UNANSWERED, or ExchangeUnavailableError while all traffic is stopped."""
        text = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in (query or {}).items())
        url = f"{self._base}{path}?{text}" if text else f"{self._base}{path}"
        async with self._budget.room(path, kind, is_protective=True):
            headers = {} if kind == "public" else self._signed(text.encode())
            found = await self._call("GET", path, url, None, headers, is_protective=True)
        return await self._understood(found)

    async def post(
        self, path: str, body: Mapping[str, Any], *, is_protective: bool = False, weight: int = 1
    ) -> Answer:
        """A write; raises as `get` does."""
        raw = json.dumps(body, separators=(",", ":")).encode()
        async with self._budget.room(path, "write", is_protective=is_protective, weight=weight):
            headers = {**self._signed(raw), "Content-Type": "application/json"}
            url = f"{self._base}{path}"
            found = await self._call("POST", path, url, raw, headers, is_protective=is_protective)
        return await self._understood(found)

    def _signed(self, payload: bytes) -> dict[str, str]:
        stamp, window = str(self.venue_ms()), str(self._config.recv_window_ms)
        return {
            "X-BAPI-API-KEY": self._key,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": window,
            "X-BAPI-SIGN": sign_request(self._secret, self._key, stamp, window, payload),
        }

    async def _call(
        self,
        method: str,
        path: str,
        url: str,
        data: bytes | None,
        headers: Mapping[str, str],
        *,
        is_protective: bool,
    ) -> Any:
        """The envelope, or an Answer where there is none."""
        pause_ms = self._pause_ms(is_protective=is_protective)
        if pause_ms > 0:
            return self._forbidden(pause_ms)
        from yarl import URL

        target = URL(url, encoded=True)
        self._is_probing = bool(self._refusals)
        self.under_way += 1
        try:
            return await self._asked(method, path, target, data, headers)
        finally:
            self.under_way -= 1
            self._is_probing = False

    def _pause_ms(self, *, is_protective: bool) -> int:
        """How long a call has to wait after HTTP 403; one call at a time finds out whether it is over."""
        if not self._refusals:
            return 0
        until_ms = self._silent_until_ms + (0 if is_protective else ENTRIES_LATER_MS)
        left = until_ms - self.clock.now_ms()
        return left if left > 0 else _SOON_MS if self._is_probing else 0

    def _note_refusal(self, *, is_refused: bool) -> None:
        """Answers to calls that left before a pause began say nothing about what comes after it."""
        now_ms = self.clock.now_ms()
        if now_ms < self._silent_until_ms:
            return
        self._refusals = self._refusals + 1 if is_refused else 0
        if is_refused:
            self._silent_until_ms = now_ms + FORBIDDEN_PAUSE_MS

    def _forbidden(self, pause_ms: int) -> Answer:
        return Answer("403", FORBIDDEN if self._refusals < 2 else FORBIDDEN_AGAIN, retry_after_ms=pause_ms)

    async def _asked(
        self, method: str, path: str, target: "URL", data: bytes | None, headers: Mapping[str, str]
    ) -> Any:
        async with self.session.request(method, target, data=data, headers=headers) as response:
            self._note_refusal(is_refused=response.status == 403)
            if response.status == 403:
                return self._forbidden(FORBIDDEN_PAUSE_MS)
            if response.status in (401, 404):
                return Answer("401" if response.status == 401 else "10017", f"HTTP {response.status}")
            if response.status != 200:
                raise ExchangeUnavailableError(f"HTTP {response.status} of {path}", code=str(response.status))
            found = _parsed(self._without_secrets(await _whole(response)))
            code = str(found.get("retCode", "")) if isinstance(found, dict) else ""
            self._budget.learn(path, code, response.headers, self.offset_ms)
        return found

    def _without_secrets(self, body: bytes) -> bytes:
        """What a venue may repeat of a request is told on, so neither key nor secret may be in it."""
        for secret in (self._key, self._secret):
            if len(secret) >= SHORTEST_SECRET:
                body = body.replace(secret.encode(), b"***")
        return body

    async def _understood(self, found: Any) -> Answer:
        """What an envelope says; raises ValueError for what is none."""
        if isinstance(found, Answer):
            return found
        if not isinstance(found, dict) or type(found.get("retCode")) is not int:
            raise ValueError("an answer without retCode")
        code, result, extra = str(found["retCode"]), found.get("result"), found.get("retExtInfo")
        if code == "10002":
            # Our clock is off: the next call has to have the right time, this one was not looked at.
            await asyncio.shield(self.synchronise())
        return Answer(
            code,
            str(found.get("retMsg", ""))[: fields.LONGEST_TEXT],
            result if isinstance(result, dict) else {},
            extra if isinstance(extra, dict) else {},
            retry_after_ms=RETRY_MS.get(code, 0),
        )


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    """What was answered; raises ValueError for more than any answer has."""
    parts, size = [], 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > LARGEST_ANSWER:
            raise ValueError(f"an answer of more than {LARGEST_ANSWER} bytes")
        parts.append(part)
    return b"".join(parts)


def _parsed(raw: bytes) -> Any:
    """JSON; raises ValueError for what is none."""
    try:
        return json.loads(raw)
    except RecursionError:
        raise ValueError("an answer that is nested without end") from None

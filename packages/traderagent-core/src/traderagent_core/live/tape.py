"""The input tape of a run: entries of the journal that tell what the engine was stepped with, and what it saw.

An entry tells the event, and what the market view has learned since the entry before: prices, and closed candles.
Prices that came and went between two events were seen by nobody and are not kept.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import frozen

from traderagent_core.live.view import LiveView
from traderagent_core.model.candle import Candle
from traderagent_core.model.event import Event
from traderagent_core.persistence.journal.entry import JsonText, to_text
from traderagent_core.persistence.payloads import event_payload, from_payload


@frozen
class Input:
    """One entry. Without an event it only tells candles, such as those from before the start.

    By `closed_ms` candles of higher timeframes were closed whose last base candle did not come.
    """

    event: Event | None
    prices: Mapping[str, Decimal]
    candles: tuple[tuple[str, Candle], ...]
    closed_ms: int | None = None


def take_learned(view: LiveView, event: Event | None) -> Input:
    """An event with what the view has learned, which counts as told from now on."""
    found = Input(event, view.learned_prices, tuple(view.learned_candles), view.learned_close_ms)
    view.learned_prices, view.learned_candles, view.learned_close_ms = {}, [], None
    return found


def to_payload(entry: Input) -> JsonText:
    """For the journal."""
    members = []
    if entry.event is not None:
        members.append(f'"event":{to_text(event_payload(entry.event))}')
    if entry.prices:
        prices = {symbol: str(price) for symbol, price in entry.prices.items()}
        members.append(f'"prices":{to_text(prices)}')
    if entry.candles:
        candles = [[symbol, *candle] for symbol, candle in entry.candles]
        members.append(f'"candles":{to_text(candles)}')
    if entry.closed_ms is not None:
        members.append(f'"closed_ms":{entry.closed_ms}')
    return JsonText(f"{{{','.join(members)}}}")


def from_entry(payload: Mapping[str, Any]) -> Input:
    """From the journal."""
    event = from_payload(payload["event"]) if "event" in payload else None
    prices = {symbol: Decimal(text) for symbol, text in payload.get("prices", {}).items()}
    candles = tuple((row[0], Candle(*row[1:])) for row in payload.get("candles", ()))
    return Input(event, prices, candles, payload.get("closed_ms"))


def show(view: LiveView, entry: Input) -> None:
    """Let a view learn what an entry tells, as something that the tape has already."""
    for symbol, candle in entry.candles:
        view.learn_candle(symbol, candle)
    if entry.closed_ms is not None:
        view.close_windows(entry.closed_ms)
    for symbol, price in entry.prices.items():
        view.learn_price(symbol, price)
    take_learned(view, None)

"""Explains a time of a finished run from its files: regime, owner, modes, and why things were decided then."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import frozen

from traderagent_core.errors import DataError
from traderagent_core.host.hints import listed
from traderagent_core.report.text import iso

AROUND = 12
"""Decisions shown before and after the time."""


@frozen
class Files:
    """What a back-test has written; `timeline` is empty where no strategy was chosen by regime."""

    folder: Path
    result: Mapping[str, Any]
    timeline: Mapping[str, Any]
    decisions: Sequence[Mapping[str, str]]


def explain(folder: Path, pair: str | None, at_ms: int | None) -> str:
    """What held on a pair at a time, and what was decided around it; without a time the end of the run.

    Raises DataError for a folder that holds no run, and for a pair that it has not traded.
    """
    files = _read(folder)
    bot, symbol = _bot(files, pair)
    at = iso(at_ms) if at_ms is not None else max((row["time"] for row in files.decisions), default="")
    lines = [f"{symbol}, bot {bot}, at {at}", *_held(files, bot, at), ""]
    lines += _decisions(files, bot, at)
    return "\n".join(lines)


def _read(folder: Path) -> Files:
    try:
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        with (folder / "decisions.csv").open(newline="", encoding="utf-8") as stream:
            decisions = list(csv.DictReader(stream))
    except OSError as error:
        raise DataError(
            f"{folder} holds no finished back-test ({error.strerror or error}); name the folder that "
            "`traderagent backtest --out` has written"
        ) from error
    except ValueError as error:
        raise DataError(f"{folder}/result.json is damaged: {error}") from error
    path = folder / "timeline.json"
    timeline = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return Files(folder, result, timeline, decisions)


def _bot(files: Files, pair: str | None) -> tuple[str, str]:
    """The bot of a pair; without a pair that of the only one."""
    bots = {money["symbol"]: str(money["bot"]).partition(":")[0] for money in files.result["money"]}
    if pair is None and len(bots) == 1:
        pair = next(iter(bots))
    if pair is None or pair not in bots:
        what = "which pair?" if pair is None else f"the run has not traded {pair!r};"
        raise DataError(f"{what} name one with --pair: {listed(bots)}")
    return bots[pair], pair


def _held(files: Files, bot: str, at: str) -> Iterator[str]:
    """What held at a time."""
    timeline = files.timeline
    for title, group in (("regime", "regimes"), ("strategy", "owners")):
        stretch = _at(timeline.get(group, {}).get(bot, ()), at)
        if group in timeline:
            yield _told(title, stretch)
    for each in timeline.get("transitions", ()):
        if each["bot"] == bot and each["from"] <= at < each["to"]:
            yield f"transition: {each['old']} lets go for {each['new'] or 'nobody'} since {each['from']}"
    halt = _at(timeline.get("halts", ()), at)
    if halt is not None:
        yield _told("halt", halt)
    modes = [_at(own, at) for own in timeline.get("modes", {}).values()]
    active = [f"{each['name']} since {each['from']}" for each in modes if each is not None]
    yield f"risk modes: {', '.join(active) or 'none'}"


def _at(stretches: Sequence[Mapping[str, str]], at: str) -> Mapping[str, str] | None:
    return next((each for each in stretches if each["from"] <= at < each["to"]), None)


def _told(title: str, stretch: Mapping[str, str] | None) -> str:
    if stretch is None:
        return f"{title}: none"
    evidence = f" ({stretch['evidence']})" if stretch["evidence"] else ""
    return f"{title}: {stretch['name']} since {stretch['from']}{evidence}"


def _decisions(files: Files, bot: str, at: str) -> Iterator[str]:
    """The last decisions on the bot up to the time, and those right after it."""
    own = [row for row in files.decisions if row["bot"].partition(":")[0] == bot]
    before = [row for row in own if row["time"] <= at][-AROUND:]
    soon = (datetime.fromisoformat(at.replace("Z", "+00:00")) + timedelta(days=1)).isoformat() if at else ""
    after = [row for row in own if at < row["time"] <= soon][:AROUND]
    yield "decisions before and after:" if before or after else "decisions: none"
    for row in (*before, *after):
        parts = [row["time"], row["bot"], row["what"], row["name"], row["reason"], row["evidence"]]
        yield "  " + "  ".join(part for part in parts if part)

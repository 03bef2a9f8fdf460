"""The page on `traderagent why` shows what the command prints; lines that it leaves out are marked by `…`."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from traderagent_core.cli.main import run

NAME = "docs/how-to/explain-a-decision.md"


@pytest.fixture(scope="module")
def shown(
    page: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[str, list[str], list[str]]]:
    """Each `why` of the page with what the page shows of it and what it printed."""
    folder = tmp_path_factory.mktemp("explain")
    parts: list[tuple[str, list[str], list[str]]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for language, text in page(NAME).fenced():
            if language == "yaml":
                Path("auto.yaml").write_text(text, encoding="utf-8")
            for line in text.splitlines() if language == "sh" else ():
                printed = _printed(line)
                if " why " in line:
                    parts.append((line, [], printed))
            if language == "text":
                parts[-1][1].extend(text.splitlines())
    return parts


def _printed(line: str) -> list[str]:
    """What a command printed."""
    import contextlib
    import io

    program, *arguments = shlex.split(line)
    assert program == "traderagent"
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        assert run(arguments) == 0, err.getvalue()
    return out.getvalue().splitlines()


def test_the_page_shows_what_the_command_prints(shown: list[tuple[str, list[str], list[str]]]) -> None:
    assert len(shown) == 3
    for line, told, printed in shown:
        rest = iter(printed)
        missing = [text for text in told if text != "…" and text not in rest]
        assert not missing, f"{line} does not print, in this order:\n" + "\n".join(missing)


def test_the_page_explains_one_order_that_was_granted_one_scaled_and_one_refused(
    shown: list[tuple[str, list[str], list[str]]],
) -> None:
    granted, scaled, refused = ("\n".join(printed) for _, _, printed in shown)
    assert re.search(r"2024-01-04T16:00:00Z  btc:trend  plan granted  trend  entry=breakout", granted)
    assert re.search(r"FILLED", granted)
    assert "modifiers: 0.75 × 0.5 = 0.375 of every size that adds" in scaled
    assert re.search(r"want scaled  grid:03  risk_mode_scales  factor=0.375", scaled)
    assert re.search(r"GRID_COUNTER  BUY  0.001016  at 44259.1", scaled)
    assert "lets go for btc:grid-wide-range since" in refused
    assert re.search(r"want blocked  grid:01  another_strategy_trades", refused)

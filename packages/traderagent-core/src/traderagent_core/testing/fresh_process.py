"""Runs bots in a new interpreter whose sets and dicts are seeded otherwise: nothing may depend on that."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence

from traderagent_core.errors import PluginError
from traderagent_core.testing.conditions import Bot
from traderagent_core.testing.harness import run_bots

_NOT_IMPORTABLE = 3
_PROGRAM = "from traderagent_core.testing.fresh_process import answer; answer()"


class NotImportableError(PluginError):
    """A class cannot be imported by name in another process: it lives in a test module or in a function."""


def lines_in_fresh_process(bots: Sequence[Bot], *, hash_seed: int) -> list[list[str]]:
    """The records of each bot, run alone in one new process, as text.

    Raises NotImportableError when the process cannot import the strategy or its configuration, and PluginError
    when it fails otherwise.
    """
    try:
        payload = pickle.dumps(list(bots))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise NotImportableError(str(error)) from error
    environment = {
        **os.environ,
        "PYTHONHASHSEED": str(hash_seed),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], input=payload, env=environment, capture_output=True, check=False
    )
    text = done.stderr.decode(errors="replace").strip()
    if done.returncode == _NOT_IMPORTABLE:
        raise NotImportableError(text)
    if done.returncode:
        raise PluginError(f"a run in a fresh process failed: {text[-2000:]}")
    lines: list[list[str]] = json.loads(done.stdout)
    return lines


def answer() -> None:
    """What the new process does: bots on standard input, their records on standard output."""
    try:
        bots = pickle.load(sys.stdin.buffer)
    except (ImportError, AttributeError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}")
        sys.exit(_NOT_IMPORTABLE)
    json.dump([run_bots([bot]).lines for bot in bots], sys.stdout)

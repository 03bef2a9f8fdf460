"""Which code has been run: the version of the core, and the commit where it stands in a checkout."""

import subprocess
from importlib.metadata import version as version_of
from pathlib import Path


def version() -> str:
    """Such as `0.1.0 (1a2b3c4)`."""
    told = version_of("traderagent-core")
    try:
        found = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return told
    return f"{told} ({found.stdout.strip()})"

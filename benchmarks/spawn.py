"""Runs a command and prints its wall time, user CPU time and peak memory as JSON. Small on purpose.

The peak that the system reports for a child counts what its parent held when it was started; so the parent that
starts the command has to be a small process: `python -S -E spawn.py COMMAND...`.
"""

import json
import os
import sys
import time

start = time.perf_counter()
with open(os.devnull, "w") as nowhere:  # noqa: PTH123  importing pathlib costs memory
    actions = [(os.POSIX_SPAWN_DUP2, nowhere.fileno(), 1)]
    child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
    _, status, usage = os.wait4(child, 0)
wall = time.perf_counter() - start
print(
    json.dumps(
        {
            "code": os.waitstatus_to_exitcode(status),
            "wall": wall,
            "user": usage.ru_utime,
            "peak_mb": usage.ru_maxrss / 1024,
        }
    )
)

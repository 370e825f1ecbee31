"""Where files lie that need not outlast a power cut: in memory, where a machine has some to spare.

On a disk that is told of every block that is freed, hundreds of files are slow to remove, and a store waits
for it at every write.
"""

from __future__ import annotations

import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - what is made there has a name that nobody can guess
ROOMY = 2**30
"""Bytes; a whole run of the tests takes less than half of it."""


def place() -> Path | None:
    """Return a folder in memory; None where there is none or no room in it."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOMY
    return MEMORY if roomy else None

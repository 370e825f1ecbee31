"""Let one process alone use a data folder."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from bot.model import NeedsHuman
from bot.store.journal import PRIVATE_FILE


class OwnerLock:
    """Hold a folder for this process alone, for as long as it lives; the kernel lets go if it dies."""

    def __init__(self, folder: Path) -> None:
        """Take the lock; raise NeedsHuman, naming the process that holds it, where it is taken.

        Raises OSError where this file system has no locks.
        """
        path = folder / "owner.lock"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = _owner(os.read(self._file, 4096))
            os.close(self._file)
            if not isinstance(error, BlockingIOError):
                raise
            raise NeedsHuman(
                f"{folder} is in use by {owner}",
                "stop that process, or give this one a data folder of its own",
            ) from error
        since = datetime.now(UTC).isoformat(timespec="seconds")
        content = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, json.dumps(content).encode(), 0)

    def release(self) -> None:
        """Let go of the folder."""
        os.close(self._file)


def _owner(content: bytes) -> str:
    try:
        owner = json.loads(content)
        return f"process {owner['pid']} on {owner['host']} since {owner['since']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return "another process"

"""End as other tools do when whoever reads our output goes away, as in `stillthere read mails | head -1`."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress

ENDED = 141
"""What a shell reports of a tool that a closed pipe ended: 128 and the number of SIGPIPE."""


def end_quietly() -> bool:
    """Stop writing where nobody reads any more; say whether that is so.

    What is still to be written goes nowhere, so that no later flush fails again
    (https://docs.python.org/3/library/signal.html#note-on-sigpipe).
    """
    gone = [descriptor for stream in (sys.stdout, sys.stderr) if _is_unread(descriptor := _number(stream))]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in gone:
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    return bool(gone)


def _number(stream: object) -> int:
    """Return a stream's file descriptor, -1 where it has none."""
    with suppress(OSError, ValueError, AttributeError):
        return int(stream.fileno())  # type: ignore[attr-defined]
    return -1


def _is_unread(descriptor: int) -> bool:
    """Say whether it is a pipe or a socket whose other end is closed."""
    if descriptor < 0:
        return False
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))

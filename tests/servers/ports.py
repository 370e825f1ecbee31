"""Ports for servers that are told theirs before they listen."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress

HOST = "127.0.0.1"
FIRST, AFTER_LAST = 15_000, 32_000
"""Below those that a system hands out to whoever asks for any: nobody takes one before its server does."""


def free_port() -> int:
    """Return a port that nothing listens at."""
    while True:
        port = FIRST + secrets.randbelow(AFTER_LAST - FIRST)
        with suppress(OSError), socket.socket() as probe:
            probe.bind((HOST, port))
            return port

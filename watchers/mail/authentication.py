"""Say whether our own mail server found that a mail's sender is forged (RFC 8601, RFC 7489). Pure.

Anybody can write an Authentication-Results header: only those count that carry the name (authserv-id) of one
of our servers, and of these the topmost.
"""

from __future__ import annotations

import re

from watchers.mail.head import Head

MOST_RESULTS = 20
_FAILED = re.compile(r"(?:^|;)\s*dmarc\s*=\s*fail\b", re.IGNORECASE)


def is_forged(head: Head, authenticators: frozenset[str]) -> bool:
    """Say whether one of these servers says that the sender's domain did not send it (dmarc=fail).

    >>> head = Head((("authentication-results", b"mx.vendor.example; dmarc=fail header.from=acme.example"),))
    >>> is_forged(head, frozenset({"mx.vendor.example"}))
    True
    """
    for result in head.all("authentication-results")[:MOST_RESULTS]:
        server, _, findings = result.partition(";")
        if (server.split() or [""])[0].lower() in authenticators:
            return _FAILED.search(f";{findings}") is not None
    return False

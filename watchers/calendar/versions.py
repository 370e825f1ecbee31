"""Short digests of what was read, by which it is known again: enough of them fit into a cursor. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

SIZE = 8
"""Bytes of one digest: among 50,000 versions, two are taken for one in one of ten thousand million cases."""


def digest(content: bytes) -> bytes:
    """Return what stands for one version."""
    return hashlib.blake2b(content, digest_size=SIZE).digest()


def pack(digests: Iterable[bytes]) -> str:
    """Return digests as a text, in order."""
    return base64.b64encode(b"".join(sorted(digests))).decode("ascii")


def unpack(text: str) -> set[bytes]:
    """Return the digests in a text; none where it is none of ours."""
    try:
        packed = base64.b64decode(text)
    except ValueError:
        return set()
    return {packed[i : i + SIZE] for i in range(0, len(packed), SIZE)}

"""Seal what must not lie open: with Fernet (AES-128-CBC and HMAC-SHA256), under keys from outside the data.

Several keys may be given: the first one seals, all open. So a key is changed by putting a new one before it;
what older keys sealed is sealed anew at the next start, and then the old key can go.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bot.model import Json, NeedsHuman
from watchers.secret import read_secret_file

NOT_OURS = (InvalidToken, ValueError, TypeError)
MAKE_ONE = "make one with `stillthere connect key` and put it there; keep a copy apart from the data"


class Spoiled(Exception):  # noqa: N818 - it is an answer: what was sealed is not ours, not whole, or too old
    """Say that what was sealed does not open."""


class Vault:
    """Seals and opens under these keys. Raises NeedsHuman where one is no key, without repeating it."""

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._newest, *older = [Fernet(key) for key in keys]
        except ValueError:
            raise NeedsHuman("the key that tokens are kept under is no key", MAKE_ONE) from None
        self._all = MultiFernet([self._newest, *older])

    @classmethod
    def of(cls, variable: str, path: Path | None) -> Vault:
        """Read the keys from a file, else from the environment; spaces, commas or lines part them."""
        if path is None:
            where, text = f"the environment variable {variable}", os.environ.get(variable, "")
        else:
            where, text = str(path), read_secret_file(path, MAKE_ONE).decode("ascii", "replace")
        keys = re.findall(r"[^\s,]+", text)
        if not keys:
            raise NeedsHuman(f"{where} holds no key", MAKE_ONE)
        return cls(keys)

    def seal(self, value: Json) -> str:
        """Return the value so that only who has the key can read or change it."""
        return self._all.encrypt(json.dumps(value, separators=(",", ":")).encode()).decode()

    def open(self, sealed: str, within: timedelta | None = None) -> Json:
        """Return what was sealed, at most so long ago. Raises Spoiled."""
        try:
            raw = self._all.decrypt(sealed, None if within is None else int(within.total_seconds()))
            value: Json = json.loads(raw)
        except NOT_OURS:
            raise Spoiled from None
        return value

    def renewed(self, sealed: str) -> str:
        """Return the same under the newest key; unchanged where it already is. Raises Spoiled."""
        try:
            self._newest.decrypt(sealed)
        except NOT_OURS:
            try:
                return self._all.rotate(sealed).decode()
            except NOT_OURS:
                raise Spoiled from None
        return sealed


def new_key() -> str:
    """Return a new random key."""
    return Fernet.generate_key().decode()

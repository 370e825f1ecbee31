"""Name cases and people by marks that say nothing to whoever reads what a message carries. Pure.

Every app and member of a channel can read the values of its buttons and the metadata of its messages. Where
people are named by their initials, their addresses have no place there either. A mark is a keyed hash: not
even somebody who guesses an address can tell without the key whether it is meant.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

DIGITS = 32
"""Of a mark, in hexadecimal: 128 bits, more than anybody can try."""


@dataclass(frozen=True)
class Marks:
    """Makes marks; without a key, only of what never leaves this process."""

    key: bytes = field(default=b"", repr=False)

    def of(self, text: str) -> str:
        """Return the mark of an address, or of anything else that a message is not to tell."""
        content = text.encode("utf-8", "surrogatepass")
        return hmac.new(self.key, content, hashlib.sha256).hexdigest()[:DIGITS]

    def case(self, key: str) -> str:
        """Return the mark of a case: that of its contact, with the episode."""
        contact, _, episode = key.rpartition(":")
        return f"{self.of(contact)}:{episode}"

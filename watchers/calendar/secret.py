"""Read a secret from where the operator put it: an environment variable or a file, never config.yaml."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bot.model import NeedsHuman
from watchers.mail.tokens import Use

MOST_CHARACTERS = 100_000
"""A longer file is no secret; it was named by mistake."""


@dataclass(frozen=True)
class Secret:
    """A password, token or secret address of `whose`. Never kept: a renewed one counts at once."""

    variable: str
    path: Path | None
    whose: str

    @property
    def where(self) -> str:
        """Return where it stands, in words."""
        return f"the environment variable {self.variable}" if self.variable else str(self.path)

    def read(self) -> str:
        """Return it. Raises NeedsHuman where there is none."""
        how = f"put the secret of {self.whose} there"
        if self.variable:
            secret = os.environ.get(self.variable, "")
        else:
            assert self.path is not None
            try:
                with self.path.open(encoding="utf-8") as file:
                    secret = file.read(MOST_CHARACTERS)
            except (OSError, UnicodeDecodeError) as error:
                raise NeedsHuman(f"{self.where} cannot be read", how) from error
        secret = secret.strip()
        if not secret or not secret.isprintable() or not secret.isascii():
            raise NeedsHuman(f"{self.where} holds no secret", how)
        return secret


@dataclass(frozen=True)
class HeldToken:
    """An access token that somebody else renews: keeps the contract `Tokens` of `watchers.mail.tokens`."""

    secret: Secret

    async def token(self, use: Use, refused: str = "") -> str:
        """Return what stands there now; raises NeedsHuman where that is what was just refused."""
        del use
        token = self.secret.read()
        if token == refused:
            raise NeedsHuman(
                f"the access token of {self.secret.whose} is refused: it expired or was revoked",
                f"put a new one into {self.secret.where}",
            )
        return token

"""Read a secret from where the operator put it: an environment variable or a file, never config.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bot.model import NeedsHuman
from watchers.mail import grants
from watchers.mail.tokens import Use


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
        return grants.Secret(self.variable, self.path, self.whose).read()

    def token(self) -> str:
        """Return it as an access token, which travels in a header. Raises NeedsHuman where it cannot."""
        token = self.read()
        if not token.isascii() or not token.isprintable():
            raise NeedsHuman(f"{self.where} holds no token", f"put the token of {self.whose} there")
        return token


@dataclass(frozen=True)
class HeldToken:
    """An access token that somebody else renews: keeps the contract `Tokens` of `watchers.mail.tokens`."""

    secret: Secret = field(repr=False)

    async def token(self, use: Use, refused: str = "") -> str:
        """Return what stands there now; raises NeedsHuman where that is what was just refused."""
        del use
        token = self.secret.token()
        if token == refused:
            raise NeedsHuman(
                f"the access token of {self.secret.whose} is refused: it expired or was revoked",
                f"put a new one into {self.secret.where}",
            )
        return token

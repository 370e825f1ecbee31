"""Open a calendar with an access token that somebody else renews."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from bot.model import NeedsHuman
from watchers import Settings
from watchers.mail.tokens import Use
from watchers.secret import Secret


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


class ByToken(Settings):
    """A calendar that is opened with an access token that somebody else renews."""

    token_env: str = Field(default="", description="an OAuth 2 access token; read anew at each request")
    token_file: Path | None = None
    history_days: int = Field(default=365, ge=1, le=1000, description="how far the first pass looks back")

    @model_validator(mode="after")
    def _has_one_token(self) -> Self:
        if bool(self.token_env) == bool(self.token_file):
            raise ValueError("give exactly one of token_env, token_file")
        return self

    def tokens(self, whose: str) -> HeldToken:
        """Return what gives the token."""
        return HeldToken(Secret(self.token_env, self.token_file, whose))

"""Read a secret from where the operator put it: an environment variable or a file, never config.yaml."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bot.model import NeedsHuman

LARGEST = 2**16


@dataclass(frozen=True)
class Secret:
    """A password, key, token or secret address of `whose`; a file counts before a variable.

    It is read when it is needed and never kept, so that a renewed one counts at once.
    """

    variable: str
    path: Path | None
    whose: str

    @property
    def where(self) -> str:
        """Return where it stands, in words."""
        return str(self.path) if self.path else f"the environment variable {self.variable}"

    def read(self) -> str:
        """Return it. Raises NeedsHuman where there is none."""
        put_right = f"put the secret of {self.whose} there"
        if self.path is None:
            found = os.environ.get(self.variable, "")
        else:
            try:
                found = read_secret_file(self.path, put_right).decode()
            except UnicodeDecodeError:
                raise NeedsHuman(f"{self.where} cannot be read: it is no text", put_right) from None
        if not found.strip():
            raise NeedsHuman(f"{self.where} is empty", put_right)
        return found.strip()

    def token(self) -> str:
        """Return it as an access token, which travels in a header. Raises NeedsHuman where it cannot."""
        token = self.read()
        if not token.isascii() or not token.isprintable():
            raise NeedsHuman(f"{self.where} holds no token", f"put the token of {self.whose} there")
        return token


def read_secret_file(path: Path, put_right: str) -> bytes:
    """Return what a small file holds. Raises NeedsHuman where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST)
    except OSError as error:
        raise NeedsHuman(f"{path} cannot be read: {error.strerror}", put_right) from None

"""Ask Salesforce by SOQL over its REST interface, page by page.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from bot.model import NeedsHuman, SourceDown
from watchers.crm.line import Dialect, Key, Line, number, pages, text, under
from watchers.mail.grants import rsa_key, signed_jwt
from watchers.mail.oauth import Granted, GrantRefused, Lease, ask
from watchers.mail.tokens import SAFE_ADDRESS
from watchers.secret import Secret, read_secret_file
from watchers.settings import Settings
from watchers.values import objects

VERSION = "62.0"
PAUSE = timedelta(seconds=0.05)
LOGIN = "https://login.salesforce.com"
ASSERTION_SECONDS = 180
"""How long an assertion that we sign is good: Salesforce takes none that lasts longer than five minutes."""


class SalesforceAccess(Settings):
    """How Salesforce is opened: a connected app with a secret (client credentials) or a key (JWT bearer)."""

    url: str = Field(
        pattern=f"^{SAFE_ADDRESS}$", description="your own address, such as https://vendor.my.salesforce.com"
    )
    client_id: str = Field(min_length=1, description="the connected app's consumer key")
    client_secret_env: str = Field(
        default="SALESFORCE_CLIENT_SECRET", description="the variable with the app's secret"
    )
    client_secret_file: Path | None = Field(
        default=None, description="the file with that secret, instead of the variable"
    )
    key_file: Path | None = Field(
        default=None, description="a private key in PEM, instead of the secret; needs `user`"
    )
    user: str = Field(default="", description="the user name to act as, with `key_file`")
    audience: str = Field(
        default=LOGIN, description="whom an assertion is for; https://test.salesforce.com for a sandbox"
    )
    version: str = Field(
        default=VERSION, pattern=r"^\d{2,3}\.0$", description="the version of Salesforce's interface"
    )

    @model_validator(mode="after")
    def _a_key_acts_as_somebody(self) -> Self:
        if (self.key_file is None) != (not self.user):
            raise ValueError("key_file and user go together")
        return self

    def line(self) -> Line:
        """Return a line to Salesforce."""
        return Line(self.url, ConnectedApp(self), DIALECT, PAUSE)


@dataclass
class ConnectedApp(Key):
    """Access tokens of a connected app."""

    access: SalesforceAccess
    _lease: Lease = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the lease."""
        self._lease = Lease(self._renew)

    async def token(self, refused: str = "") -> str:
        """Return an access token."""
        return await self._lease.token(refused)

    async def _renew(self) -> Granted:
        try:
            return await ask(f"{self.access.url.rstrip('/')}/services/oauth2/token", self._form())
        except GrantRefused as refused:
            raise NeedsHuman(
                f"Salesforce refuses the connected app: {refused.code}",
                "check its consumer key and secret, that it may use the flow, and that its user may use "
                "the API (docs/crm.md)",
            ) from None

    def _form(self) -> dict[str, str]:
        access = self.access
        if access.key_file is None:
            secret = Secret(access.client_secret_env, access.client_secret_file, "Salesforce's connected app")
            return {
                "grant_type": "client_credentials",
                "client_id": access.client_id,
                "client_secret": secret.read(),
            }
        put_right = f"put the private key whose certificate the connected app has into {access.key_file}"
        try:
            key = rsa_key(read_secret_file(access.key_file, put_right))
        except (ValueError, TypeError):
            raise NeedsHuman(f"{access.key_file} holds no RSA key", put_right) from None
        claims = {
            "iss": access.client_id,
            "sub": access.user,
            "aud": access.audience,
            "exp": int(time.time()) + ASSERTION_SECONDS,
        }
        return {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": signed_jwt({"alg": "RS256"}, claims, key),
        }


class Salesforce:
    """What we ask of Salesforce."""

    def __init__(self, line: Line, version: str = VERSION) -> None:
        self.line = line
        self.base = f"/services/data/v{version}/"

    async def query(self, soql: str, *, deleted: bool = False) -> AsyncIterator[dict[str, Any]]:
        """Yield every row of a query; `deleted` also asks for what lies in the recycle bin."""
        async for page in self.pages(soql, deleted=deleted):
            for row in page:
                yield row

    async def count(self, soql: str) -> int:
        """Return how many rows a `SELECT COUNT()` finds."""
        return number(under(await self.line.get(f"{self.base}query", {"q": soql}), "totalSize"))

    async def pages(self, soql: str, *, deleted: bool = False) -> AsyncIterator[list[dict[str, Any]]]:
        """Yield the rows of a query, page by page. Raises `SourceDown` where one leads back to another."""
        path, params = f"{self.base}{'queryAll' if deleted else 'query'}", {"q": soql}
        seen: set[str] = set()
        for _ in pages(self.line.host):
            told = await self.line.get(path, params)
            yield objects(under(told, "records"))
            path, params = text(under(told, "nextRecordsUrl")), {}
            if not path:
                return
            if path in seen:
                raise SourceDown(f"{self.line.host} answers with pages that lead back")
            seen.add(path)


def quoted(value: str) -> str:
    r"""Return text as a literal in SOQL.

    >>> print(quoted("O'Neill"))
    'O\'Neill'
    """
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + "".join(char if char.isprintable() else " " for char in escaped) + "'"


def literal(at: datetime) -> str:
    """Return a moment as a literal in SOQL."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _code(told: object) -> str:
    code = next((text(one.get("errorCode")) for one in objects(told)), "")
    return code if re.fullmatch(r"[A-Z_]{1,60}", code) else ""


def _cure(status: int, code: str, told: object) -> NeedsHuman | None:
    del told
    if status == HTTPStatus.UNAUTHORIZED:
        return NeedsHuman(
            "Salesforce refuses a new session",
            "check that the connected app's user is active and may use the API",
        )
    if code == "API_DISABLED_FOR_ORG" or (
        status == HTTPStatus.FORBIDDEN and code != "REQUEST_LIMIT_EXCEEDED"
    ):
        return NeedsHuman(
            f"Salesforce does not let the connected app's user do this: {code or status}",
            "give that user a permission set with API Enabled and what docs/crm.md names",
        )
    return None


DIALECT = Dialect(_code, _cure, frozenset({"REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE"}))

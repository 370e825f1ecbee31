"""Groups by provider: what an organisation granted for all mailboxes, be it their mail or their calendars."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Self

from pydantic import Field, PrivateAttr, model_validator

from watchers.mail.grants import GOOGLE_TOKEN_URL, MICROSOFT_LOGIN, Application, ServiceAccount
from watchers.mail.group import Group, Opened, keeps_out
from watchers.mail.rest import Refused
from watchers.mail.tokens import SAFE_ADDRESS
from watchers.secret import Secret


class GoogleGroup(Group):
    """Mailboxes of a Google Workspace that a service account may act for (domain-wide delegation)."""

    key_file: Path = Field(description="the JSON key of the service account")
    token_url: str = Field(
        default=GOOGLE_TOKEN_URL, pattern=f"^{SAFE_ADDRESS}$", description="where access tokens are given"
    )
    _accounts: dict[str, ServiceAccount] = PrivateAttr(default_factory=dict)

    def tokens(self, address: str) -> ServiceAccount:
        """Return what gives the tokens for one mailbox."""
        return self._accounts.setdefault(address, ServiceAccount(self.key_file, address, self.token_url))


class MicrosoftGroup(Group):
    """Mailboxes in Microsoft 365 that an application may open (RBAC for Applications, limited to a group)."""

    tenant: str = Field(pattern=r"^[A-Za-z0-9.-]{1,255}$", description="the tenant's id or domain")
    client_id: str = Field(pattern=r"^[A-Za-z0-9-]{1,64}$", description="the application's id")
    secret_env: str = Field(default="", description="the variable with the application's secret")
    secret_file: Path | None = Field(default=None, description="the file with the application's secret")
    certificate_file: Path | None = Field(
        default=None, description="a PEM file with private key and certificate, which is better than a secret"
    )
    token_url: str = Field(
        default="",
        pattern=f"^({SAFE_ADDRESS})?$",
        description="where access tokens are given; the tenant's own where empty",
    )
    _application: list[Application] = PrivateAttr(default_factory=list)

    @model_validator(mode="after")
    def _has_one_credential(self) -> Self:
        if sum(map(bool, (self.secret_env, self.secret_file, self.certificate_file))) != 1:
            raise ValueError("give exactly one of secret_env, secret_file, certificate_file")
        return self

    def tokens(self) -> Application:
        """Return what gives the tokens; one for all mailboxes, since one token opens them all."""
        if not self._application:
            secret = Secret(self.secret_env, self.secret_file, f"the application {self.client_id}")
            url = self.token_url or f"{MICROSOFT_LOGIN}{self.tenant}/oauth2/v2.0/token"
            certified = self.certificate_file
            given = Application(self.client_id, url, None if certified else secret, certified)
            self._application.append(given)
        return self._application[0]


def shut_by_google(refused: Refused) -> Opened | None:
    """Return what a refusal of Google's says of one mailbox; None where it is about something else."""
    return Opened.CLOSED if keeps_out(refused) else None


def shut_by_microsoft(refused: Refused) -> Opened | None:
    """Return what a refusal of Microsoft's says of one mailbox; None where it is about something else."""
    if not keeps_out(refused):
        return None
    return Opened.UNKNOWN if refused.status == HTTPStatus.NOT_FOUND else Opened.CLOSED

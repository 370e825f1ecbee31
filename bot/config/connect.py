"""By what reps connect their own mailbox and calendar."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from bot.config.values import SafeAddress, Section


class GoogleClient(Section):
    """The OAuth client by which reps connect their Gmail and Google calendar."""

    client_id: str = Field(min_length=1, description="the client's id")
    client_secret_env: str = Field(
        default="GOOGLE_CLIENT_SECRET", description="the variable with the client's secret"
    )
    client_secret_file: Path | None = Field(
        default=None, description="the file with the client's secret, instead of the variable"
    )
    authorize_url: SafeAddress = Field(
        default="https://accounts.google.com/o/oauth2/v2/auth", description="where reps are asked"
    )
    token_url: SafeAddress = Field(
        default="https://oauth2.googleapis.com/token", description="where tokens are given"
    )
    revoke_url: SafeAddress = Field(
        default="https://oauth2.googleapis.com/revoke", description="where tokens are taken back"
    )
    api: SafeAddress = Field(default="https://gmail.googleapis.com/", description="where the Gmail API is")
    calendar_api: SafeAddress | Literal[""] = Field(
        default="", description="where the Calendar API is; Google's where empty"
    )


class MicrosoftClient(Section):
    """The application by which reps connect their Microsoft mailbox and calendar."""

    tenant: str = Field(pattern=r"^[A-Za-z0-9.-]{1,255}$", description="the tenant's id or domain")
    client_id: str = Field(min_length=1, description="the application's id")
    client_secret_env: str = Field(
        default="MICROSOFT_CLIENT_SECRET", description="the variable with the application's secret"
    )
    client_secret_file: Path | None = Field(
        default=None, description="the file with the application's secret, instead of the variable"
    )
    login: SafeAddress = Field(
        default="https://login.microsoftonline.com/", description="where reps are asked and tokens given"
    )
    api: SafeAddress = Field(
        default="https://graph.microsoft.com/v1.0/", description="where Microsoft Graph is"
    )


class Connect(Section):
    """Let reps connect their own mailbox. Needs `listen` with a `public_url`."""

    key_env: str = Field(
        default="STILLTHERE_KEY",
        description="the variable with the key that tokens are kept under (`stillthere connect key`)",
    )
    key_file: Path | None = Field(default=None, description="the file with that key, instead of the variable")
    calendars: bool = Field(default=True, description="ask for the calendar too")
    google: GoogleClient | None = Field(default=None, description="for Google Workspace")
    microsoft: MicrosoftClient | None = Field(default=None, description="for Microsoft 365")

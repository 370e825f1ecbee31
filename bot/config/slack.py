"""Where alerts go, and to whom."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from bot.config.values import Address, Channel, QuietHours, SafeAddress, Section, secret


class Http(Section):
    """Where to listen for Slack's signed requests, for those who do not want Socket Mode."""

    host: str = Field(default="127.0.0.1", description="the address to listen at")
    port: int = Field(default=3000, ge=1, le=65535, description="the port to listen at")


class SalesTeam(Section):
    """Reps who share a channel."""

    members: tuple[Address, ...] = Field(min_length=1, description="the e-mail addresses of its reps")
    channel: Channel = Field(description="the id of its channel")
    lead: Address | None = Field(
        default=None, description="the e-mail address of who hears of what nobody else can take"
    )


class Slack(Section):
    """Where alerts go. Tokens are read from the environment variables that are named here."""

    channel: Channel = Field(description="the id of the channel of the alerts, such as C0123456789")
    admins: tuple[Address, ...] = Field(
        default=(), description="the e-mail addresses of who may do everything"
    )
    teams: tuple[SalesTeam, ...] = Field(default=(), description="teams with a channel of their own")
    backups: dict[Address, Address] = Field(
        default={}, description="who stands in for a rep who is gone or away"
    )
    home: Literal["channel", "dm"] = Field(
        default="channel",
        description="where Left and Likely left are told: in the channel, or to the owner alone",
    )
    slipping: Literal["channel", "dm"] = Field(default="dm", description="where Slipping is told")
    names: Literal["full", "initials"] = Field(
        default="full", description="how people are named in channels; in public ones always by initials"
    )
    shadow: bool = Field(default=False, description="send everything to the admins only, to try it out")
    quiet_hours: QuietHours = Field(
        default=(time(18), time(8)),
        description="from when to when, and on weekends, nobody is disturbed, in each rep's own time zone; "
        "or none",
    )
    alerts_a_day: int = Field(
        default=5,
        ge=1,
        le=100,
        description="how many alerts a rep gets a day; the others wait for the next working day",
    )
    bot_token_env: str = Field(default="SLACK_BOT_TOKEN", description="the variable with the bot token")
    app_token_env: str = Field(
        default="SLACK_APP_TOKEN", description="the variable with the app-level token of Socket Mode"
    )
    signing_secret_env: str = Field(
        default="SLACK_SIGNING_SECRET", description="the variable with the signing secret of HTTP mode"
    )
    bot_token_file: Path | None = Field(
        default=None, description="the file with the bot token, instead of the variable"
    )
    app_token_file: Path | None = Field(
        default=None, description="the file with the app-level token, instead of the variable"
    )
    signing_secret_file: Path | None = Field(
        default=None, description="the file with the signing secret, instead of the variable"
    )
    http: Http | None = Field(default=None, description="listen for signed requests instead of Socket Mode")
    api: SafeAddress = Field(default="https://slack.com/api/", description="where Slack's Web API is")

    @model_validator(mode="after")
    def _somebody_is_there_to_try_it_out(self) -> Self:
        if self.shadow and not self.admins:
            raise ValueError("shadow is on, but there are no admins to send everything to: name one")
        return self

    @property
    def bot_token(self) -> str:
        """Return the bot token, empty where there is none."""
        return secret(self.bot_token_env, self.bot_token_file)

    @property
    def app_token(self) -> str:
        """Return the app-level token of Socket Mode, empty where there is none."""
        return secret(self.app_token_env, self.app_token_file)

    @property
    def signing_secret(self) -> str:
        """Return the signing secret of HTTP mode, empty where there is none."""
        return secret(self.signing_secret_env, self.signing_secret_file)

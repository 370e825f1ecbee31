"""The sections of config.yaml."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from bot.config.connect import Connect
from bot.config.slack import Slack
from bot.config.values import Domain, Duration, Section, Zone, secret
from bot.crm.settings import HubSpotContacts, SalesforceContacts
from bot.model import NeedsHuman


class Team(Section):
    """Who we are: the mail domains that are ours, and the time zone of quiet hours and digests."""

    domains: list[Domain] = Field(min_length=1, description="the mail domains of our own team")
    time_zone: Zone = Field(default="UTC", description="the zone of quiet hours and digests")


class Notes(Section):
    """The texts of the notes that are drafted for reps to copy."""

    language: Literal["en", "de"] = Field(default="en", description="the language of the notes: en or de")
    folder: Path | None = Field(
        default=None, description="a folder with texts of your own, in place of those that come along"
    )


class Listen(Section):
    """Where the service's own web server listens: health, metrics, activity, connecting of mailboxes."""

    host: str = Field(default="127.0.0.1", description="the address to listen at")
    port: int = Field(default=8321, ge=0, le=65535, description="the port to listen at")
    public_url: str = Field(
        default="",
        pattern=r"^(https://\S+[^/\s]|http://(localhost|127\.0\.0\.1)(:\d+)?)?$",
        description="how the world reaches it through your proxy, such as https://stillthere.vendor.example",
    )
    everywhere: bool = Field(
        default=False,
        description="answer health and metrics in schedulers and workers too: for containers, of which each "
        "has an address of its own",
    )
    activity_secret_env: str = Field(
        default="STILLTHERE_ACTIVITY_SECRET",
        description="the variable with the secret that signs POST /activity; without it nothing is taken",
    )

    activity_secret_file: Path | None = Field(
        default=None, description="the file with that secret, instead of the variable"
    )

    @property
    def activity_secret(self) -> str:
        """Return the secret that signs activity, empty where there is none."""
        return secret(self.activity_secret_env, self.activity_secret_file)


class Crm(Section):
    """The CRM that contacts, owners and open deals come from (docs/crm.md)."""

    every: Duration = Field(default=timedelta(hours=1), description="how often they are taken over")
    proposals: bool = Field(
        default=False,
        description="propose in Slack what to change in the CRM once somebody is known to have left",
    )
    hubspot: HubSpotContacts | None = Field(default=None, description="take them from HubSpot")
    salesforce: SalesforceContacts | None = Field(default=None, description="take them from Salesforce")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.hubspot is None) == (self.salesforce is None):
            raise ValueError("crm needs either hubspot or salesforce")
        return self


class Config(Section):
    """All of config.yaml. `watchers` holds a section for each watcher that is to run, by its name."""

    team: Team = Field(description="who we are")
    contacts: Path | None = Field(default=None, description="the CSV file of the contacts to watch")
    crm: Crm | None = Field(
        default=None, description="the CRM that contacts, owners and open deals come from"
    )
    data: Path = Field(default=Path("data"), description="the folder of everything that is kept")
    database_env: str = Field(
        default="",
        description="the variable with the address of a PostgreSQL database, such as "
        "postgresql://stillthere@localhost/stillthere; with it nothing is kept in the folder 'data'",
    )
    database_file: Path | None = Field(
        default=None, description="the file with that address, instead of the variable"
    )
    review: Duration = Field(
        default=timedelta(hours=6), description="how often it is seen who is to be judged again, without news"
    )
    retention: Duration = Field(
        default=timedelta(days=365),
        description="how long what is known of a person is kept after the last business contact, or after "
        "the deal's close where that is later; then it is erased, with the messages in Slack",
    )
    slack: Slack | None = Field(
        default=None, description="where alerts go; without it they are shown in the terminal"
    )
    notes: Notes | None = Field(
        default=None,
        description="the texts of the notes that are drafted for reps; without it ours, in English",
    )
    listen: Listen | None = Field(
        default=None, description="the service's own web server; without it nothing is listened for"
    )
    connect: Connect | None = Field(
        default=None, description="let reps connect their own mailbox; needs `listen` with a `public_url`"
    )
    watchers: dict[str, dict[str, Any] | None] | None = Field(
        default=None, description="the watchers that run, each by its name"
    )

    @property
    def database(self) -> str:
        """Return the database's address; empty where none is named. Raise NeedsHuman where it is not set."""
        if self.database_file is not None:
            return secret("", self.database_file)
        found = os.environ.get(self.database_env, "") if self.database_env else ""
        if self.database_env and not found:
            raise NeedsHuman(
                f"{self.database_env} is not set",
                "put the database's address there, or remove 'database_env' from config.yaml",
            )
        return found

    @model_validator(mode="after")
    def _can_be_reached_to_connect(self) -> Self:
        if self.connect is not None and (self.listen is None or not self.listen.public_url):
            raise ValueError("connect needs the section listen, with a public_url that reps can open")
        if self.connect is not None and not (self.connect.google or self.connect.microsoft):
            raise ValueError("connect needs google, microsoft, or both")
        return self


class Running(Section):
    """What every watcher's section may say besides its own keys."""

    every: Duration | None = Field(
        default=None, description="how often the watcher looks; its own rhythm where empty"
    )

"""Read config.yaml into typed settings; a bad key stops the start with file, line, key and a cure."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args
from zoneinfo import available_timezones

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError
from yaml.parser import ParserError
from yaml.scanner import ScannerError

from bot.crm.settings import HubSpotContacts, SalesforceContacts
from bot.model import NeedsHuman
from watchers import Watcher
from watchers.mail.tokens import SAFE_ADDRESS

Where = tuple[str, ...]
Checked = TypeVar("Checked", bound=BaseModel)

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LONGEST = timedelta(days=366)

NEVER_QUIET = (time(), time())
"""Quiet hours that never begin."""

LONGEST_SECRET = 2**14
LARGEST = 128 * 2**10
"""How many characters of settings are read: hundreds of mailboxes."""

DEEPEST = 20
"""How deep settings may nest."""

CURES = {
    "string_type": "write text, in quotes where it is a number or begins with #",
    "list_type": "write a list such as [one, two]",
    "tuple_type": "write a list, each item on a line of its own after '- '",
    "dict_type": "write its keys below it, indented",
    "model_type": "write its keys below it, indented",
    "model_attributes_type": "write its keys below it, indented",
    "too_short": "name at least one",
    "bool_parsing": "write true or false",
    "int_parsing": "write a whole number",
    "path_type": "write the path of a file or folder",
    "union_tag_not_found": "say with the key 'kind' what it is",
}
"""What would be right, by the type of the error that pydantic finds."""


def duration(value: object) -> object:
    """Read "90s", "5m", "1h" or "7d", longer than nothing and at most a year; a timedelta stays as it is."""
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d{1,6})\s*([smhd])", value.strip()) if isinstance(value, str) else None
    length = timedelta(**{UNITS[match[2]]: int(match[1])}) if match else timedelta()
    if not timedelta() < length <= LONGEST:
        raise ValueError('write a time such as "5m", "1h" or "7d"')
    return length


def domain(value: str) -> str:
    """Accept a mail domain, in lower case; what stands before an @ is not asked for."""
    name = value.strip().lower().removeprefix("@")
    if not re.fullmatch(r"[^\s@/:.,;]+(\.[^\s@/:.,;]+)+", name):
        raise ValueError(f"'{value[:80]}' is no mail domain: write one such as vendor.example")
    return name


def zone(value: str) -> str:
    """Accept the name of a time zone."""
    if value not in available_timezones():
        near = difflib.get_close_matches(value, available_timezones(), 1)
        raise ValueError(
            "write a time zone such as Europe/Berlin" + (f"; did you mean {near[0]}?" if near else "")
        )
    return value


def quiet_hours(value: object) -> object:
    """Read "18:00-08:00", from when to when nobody is disturbed, or none; a pair of times stays as it is."""
    if value in (None, False, "none"):
        return NEVER_QUIET
    if isinstance(value, tuple):
        return value
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d) ?- ?([01]?\d|2[0-3]):([0-5]\d)", str(value).strip())
    if match is None:
        raise ValueError('write hours such as "18:00-08:00", or none')
    begin_hour, begin_minute, end_hour, end_minute = map(int, match.groups())
    return time(begin_hour, begin_minute), time(end_hour, end_minute)


def address(value: str) -> str:
    """Accept an e-mail address, in lower case."""
    found = value.strip().lower()
    if not re.fullmatch(r"[^\s@;,]+@[^\s@;,]+", found):
        raise ValueError(f"'{value[:80]}' is no e-mail address: write one such as rita@vendor.example")
    return found


def channel(value: str) -> str:
    """Accept a channel's id; by its name Slack finds a channel to post in, but not to look at."""
    if value.startswith(("#", "@")):
        raise ValueError(
            "write the channel's id, such as C0123456789: Slack shows it below the channel's details"
        )
    return value.strip()


def secret(variable: str, path: Path | None) -> str:
    """Return a secret from its file, or else from the environment; empty where the variable is not set.

    Raise NeedsHuman where the file cannot be read or is empty.
    """
    if path is None:
        return os.environ.get(variable, "")
    try:
        with path.open(encoding="utf-8") as file:
            found = file.read(LONGEST_SECRET).strip()
    except (OSError, UnicodeDecodeError):
        found = ""
    if not found:
        raise NeedsHuman(f"{path} cannot be read, or is empty", "put the secret there, alone in the file")
    return found


QuietHours = Annotated[tuple[time, time], BeforeValidator(quiet_hours)]
Duration = Annotated[timedelta, BeforeValidator(duration)]
Domain = Annotated[str, AfterValidator(domain)]
Zone = Annotated[str, AfterValidator(zone)]
Address = Annotated[str, AfterValidator(address)]
Channel = Annotated[str, Field(min_length=1), AfterValidator(channel)]


SafeAddress = Annotated[str, Field(pattern=f"^{SAFE_ADDRESS}$")]


class Section(BaseModel):
    """A part of config.yaml; a key it does not know stops the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Team(Section):
    """Who we are: the mail domains that are ours, and the time zone of quiet hours and digests."""

    domains: list[Domain] = Field(min_length=1, description="the mail domains of our own team")
    time_zone: Zone = Field(default="UTC", description="the zone of quiet hours and digests")


class Http(Section):
    """Where to listen for Slack's signed requests, for those who do not want Socket Mode."""

    host: str = Field(default="127.0.0.1", description="the address to listen at")
    port: int = Field(default=3000, ge=1, le=65535, description="the port to listen at")


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
    api: str = Field(default="https://slack.com/api/", description="where Slack's Web API is")

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
        default=timedelta(hours=6), description="how often everybody is judged anew, without news"
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


@dataclass(frozen=True)
class Plan:
    """What config.yaml asks for: the settings, and each watcher with how often it looks."""

    config: Config
    watchers: tuple[tuple[Watcher[Any], timedelta], ...]


def load(path: Path) -> Plan:
    """Read config.yaml. Raises NeedsHuman with file, line, key and what would be right."""
    start_from = "start from the config.yaml that comes with Stillthere"
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(LARGEST + 1)
    except OSError as error:
        raise NeedsHuman(
            f"{path}: {error.strerror}", f"name a file with --config, or {start_from}"
        ) from error
    except UnicodeDecodeError as error:
        raise NeedsHuman(f"{path}: is not text in UTF-8", f"save it as UTF-8, or {start_from}") from error
    if len(text) > LARGEST:
        raise NeedsHuman(f"{path}: is longer than {LARGEST} characters", start_from)
    return Document(path, text).plan()


class Document:
    """The text of one configuration file, which knows the line of every key."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.data, self.lines = self._parse(text)

    def plan(self) -> Plan:
        """Check everything against the types and return it."""
        config = self._checked(Config, self.data, ())
        watchers = tuple(
            self._watcher(name, section or {}) for name, section in (config.watchers or {}).items()
        )
        return Plan(anchored(config, self.path.parent), watchers)

    def _watcher(self, name: str, section: Mapping[str, Any]) -> tuple[Watcher[Any], timedelta]:
        where = ("watchers", name)
        kind = Watcher.registry.get(name)
        if kind is None:
            raise self._wrong(where, "there is no such watcher", cure(name, Watcher.registry))
        common = {key: value for key, value in section.items() if key in Running.model_fields}
        own = {key: value for key, value in section.items() if key not in Running.model_fields}
        running = self._checked(Running, common, where)
        settings = anchored(self._checked(kind.Config, own, where), self.path.parent)
        return kind(settings), running.every or kind.every

    def _checked(self, model: type[Checked], data: Mapping[str, Any], where: Where) -> Checked:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
            kind, steps = first["type"], tuple(str(step) for step in first["loc"])
            at = self._in_file((*where, *steps))
            if kind == "extra_forbidden":
                of_all = Running.model_fields if where and len(steps) == 1 else ()
                how = cure(steps[-1], [*of_all, *known_keys(model, steps)])
                raise self._wrong(at, "there is no such key", how) from error
            if kind == "missing":
                raise self._wrong((*at, steps[-1]), "is missing", "add it") from error
            message = str(first["msg"]).removeprefix("Value error, ")
            how = CURES.get(kind, "put that right and start again")
            raise self._wrong(at, message[:1].lower() + message[1:], how) from error

    def _in_file(self, where: Where) -> Where:
        """Return those steps that are keys in the file; pydantic also names the kind of a mailbox."""
        known: Where = ()
        for step in where:
            known = (*known, step) if (*known, step) in self.lines else known
        return known

    def _wrong(self, where: Where, what: str, how: str) -> NeedsHuman:
        line = next((self.lines[where[:n]] for n in range(len(where), 0, -1) if where[:n] in self.lines), 1)
        return NeedsHuman(f"{self.path}:{line}: {'.'.join(where) or 'settings'}: {what}", how)

    def _parse(self, text: str) -> tuple[dict[str, Any], dict[Where, int]]:
        self.lines = {}
        try:
            loader = Loader(text)
            node = loader.get_single_node()
            data = loader.construct_document(node) if node is not None else None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            self.lines = {("settings",): mark.line + 1 if mark else 1}
            problem = str(getattr(error, "problem", None) or getattr(error, "reason", "is not YAML"))
            is_syntax = isinstance(error, ScannerError | ParserError)
            how = "write 'key: value', indented by spaces" if is_syntax else "put that right and start again"
            raise self._wrong(("settings",), problem[:200], how) from error
        if not isinstance(data, dict):
            raise self._wrong(
                (), "there are none", "write at least the section 'team' with your mail domains"
            )
        return data, dict(key_lines(node, ()))


class Loader(yaml.SafeLoader):
    """YAML without what settings do not need and a hostile file lives on: aliases and deep nesting.

    A key that stands twice is an error, and so is a value that its type cannot hold, such as 30 February.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose the next node."""
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            raise ComposerError(None, None, "an alias is not read: write out what it stands for", mark)
        if self._depth >= DEEPEST:
            raise ComposerError(None, None, f"is nested deeper than {DEEPEST}", mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - PyYAML's
        """Build what a node stands for."""
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            kind = node.tag.rpartition(":")[2]
            raise ConstructorError(None, None, f"is not a possible {kind}", node.start_mark) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's
        """Build a mapping, in which no key stands twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise ConstructorError(None, None, f"the key '{key.value}' stands here twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def key_lines(node: yaml.Node | None, where: Where) -> Iterator[tuple[Where, int]]:
    """Yield the path and the line of every key and list item."""
    steps: list[tuple[str, int, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        steps = [(str(key.value), key.start_mark.line, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        steps = [(str(number), value.start_mark.line, value) for number, value in enumerate(node.value)]
    for name, line, value in steps:
        yield (*where, name), line + 1
        yield from key_lines(value, (*where, name))


def anchored(value: Any, folder: Path) -> Any:
    """Return settings in which every relative path starts at `folder`, and ~ is the home folder."""
    if isinstance(value, Path):
        return folder / os.path.expanduser(value)  # noqa: PTH111 - Path's own raises for an unknown user
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return value.model_copy(update={name: anchored(getattr(value, name), folder) for name in fields})
    if isinstance(value, list | tuple):
        return type(value)(anchored(item, folder) for item in value)
    return value


def known_keys(model: type[BaseModel], where: Sequence[str]) -> list[str]:
    """Return the keys that are known where an unknown one stands."""
    among: list[type[BaseModel]] = [model]
    for step in where[:-1]:
        field = among[0].model_fields.get(step)
        if field is not None:
            among = list(models_in(field.annotation)) or among
        else:
            among = [one for one in among if step in kinds_of(one)] or among
    return list(among[0].model_fields)


def kinds_of(model: type[BaseModel]) -> tuple[object, ...]:
    """Return the values of the key `kind` by which a model is chosen among others."""
    return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the models that an annotation names, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def cure(wrong: str, known: Iterable[str]) -> str:
    """Say what could have been meant, or what there is."""
    names = sorted(known)
    near = difflib.get_close_matches(wrong, names, 1)
    return f"did you mean '{near[0]}'?" if near else f"known are: {', '.join(names)}"

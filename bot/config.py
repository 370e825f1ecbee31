"""Read config.yaml into typed settings; a bad key stops the start with file, line, key and a cure."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args
from zoneinfo import available_timezones

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.model import NeedsHuman
from watchers import Watcher

Where = tuple[str, ...]
Checked = TypeVar("Checked", bound=BaseModel)

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(value: object) -> object:
    """Read "90s", "5m", "1h" or "7d"; anything else is left for the type to judge."""
    match = re.fullmatch(r"(\d{1,6})\s*([smhd])", value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('write a time such as "5m", "1h" or "7d"')
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def zone(value: str) -> str:
    """Accept the name of a time zone."""
    if value not in available_timezones():
        near = difflib.get_close_matches(value, available_timezones(), 1)
        raise ValueError(
            "write a time zone such as Europe/Berlin" + (f"; did you mean {near[0]}?" if near else "")
        )
    return value


Duration = Annotated[timedelta, BeforeValidator(duration)]
Zone = Annotated[str, AfterValidator(zone)]


class Section(BaseModel):
    """A part of config.yaml; a key it does not know stops the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Team(Section):
    """Who we are: the mail domains that are ours, and the time zone of quiet hours and digests."""

    domains: Annotated[list[str], Field(min_length=1)]
    time_zone: Zone = "UTC"


class Http(Section):
    """Where to listen for Slack's signed requests, for those who do not want Socket Mode."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 3000


class Slack(Section):
    """Where alerts go. Tokens are read from the environment variables that are named here."""

    channel: str
    bot_token_env: str = "SLACK_BOT_TOKEN"  # noqa: S105 - the name of a variable
    app_token_env: str = "SLACK_APP_TOKEN"  # noqa: S105 - the name of a variable
    signing_secret_env: str = "SLACK_SIGNING_SECRET"  # noqa: S105 - the name of a variable
    http: Http | None = None
    api: str = "https://slack.com/api/"

    @property
    def bot_token(self) -> str:
        """Return the bot token, empty where the variable is not set."""
        return os.environ.get(self.bot_token_env, "")

    @property
    def app_token(self) -> str:
        """Return the app-level token of Socket Mode, empty where the variable is not set."""
        return os.environ.get(self.app_token_env, "")

    @property
    def signing_secret(self) -> str:
        """Return the signing secret of HTTP mode, empty where the variable is not set."""
        return os.environ.get(self.signing_secret_env, "")


class Config(Section):
    """All of config.yaml. `watchers` holds a section for each watcher that is to run, by its name."""

    team: Team
    contacts: Path | None = None
    data: Path = Path("data")
    review: Duration = timedelta(hours=6)
    slack: Slack | None = None
    watchers: dict[str, dict[str, Any]] = Field(default_factory=dict)


class Running(Section):
    """What every watcher's section may say besides its own keys."""

    every: Duration | None = None


@dataclass(frozen=True)
class Plan:
    """What config.yaml asks for: the settings, and each watcher with how often it looks."""

    config: Config
    watchers: tuple[tuple[Watcher[Any], timedelta], ...]


def load(path: Path) -> Plan:
    """Read config.yaml. Raises NeedsHuman with file, line, key and what would be right."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cure = "name a file with --config, or start from the config.yaml that comes with Stillthere"
        raise NeedsHuman(f"{path}: {getattr(error, 'strerror', None) or error}", cure) from error
    return Document(path, text).plan()


class Document:
    """The text of one configuration file, which knows the line of every key."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.data, self.lines = self._parse(text)

    def plan(self) -> Plan:
        """Check everything against the types and return it."""
        config = self._checked(Config, self.data, ())
        here = self.path.parent
        changes: dict[str, Path] = {"data": here / config.data}
        if config.contacts is not None:
            changes["contacts"] = here / config.contacts
        watchers = tuple(self._watcher(name, section or {}) for name, section in config.watchers.items())
        return Plan(config.model_copy(update=changes), watchers)

    def _watcher(self, name: str, section: Mapping[str, Any]) -> tuple[Watcher[Any], timedelta]:
        where = ("watchers", name)
        kind = Watcher.registry.get(name)
        if kind is None:
            raise self._wrong(where, "there is no such watcher", cure(name, Watcher.registry))
        common = {key: value for key, value in section.items() if key in Running.model_fields}
        own = {key: value for key, value in section.items() if key not in Running.model_fields}
        running = self._checked(Running, common, where)
        return kind(self._checked(kind.Config, own, where)), running.every or kind.every

    def _checked(self, model: type[Checked], data: Mapping[str, Any], where: Where) -> Checked:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            at = (*where, *(str(step) for step in first["loc"]))
            if first["type"] == "extra_forbidden":
                raise self._wrong(
                    at, "there is no such key", cure(at[-1], known_keys(model, first["loc"]))
                ) from error
            message = str(first["msg"]).removeprefix("Value error, ")
            raise self._wrong(
                at, message[:1].lower() + message[1:], "put that right and start again"
            ) from error

    def _wrong(self, where: Where, what: str, how: str) -> NeedsHuman:
        line = next((self.lines[where[:n]] for n in range(len(where), 0, -1) if where[:n] in self.lines), 1)
        return NeedsHuman(f"{self.path}:{line}: {'.'.join(where) or 'settings'}: {what}", how)

    def _parse(self, text: str) -> tuple[dict[str, Any], dict[Where, int]]:
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            data = yaml.safe_load(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            self.lines = {("settings",): mark.line + 1 if mark else 1}
            problem = getattr(error, "problem", None) or "is not YAML"
            raise self._wrong(("settings",), problem, "write 'key: value', indented by spaces") from error
        self.lines = {}
        if not isinstance(data, dict):
            raise self._wrong(
                (), "there are none", "write at least the section 'team' with your mail domains"
            )
        return data, dict(key_lines(node, ()))


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


def known_keys(model: type[BaseModel], where: Iterable[object]) -> list[str]:
    """Return the keys that are known where an unknown one stands."""
    current: type[BaseModel] = model
    for step in list(where)[:-1]:
        field = current.model_fields.get(str(step))
        inner = list(models_in(field.annotation)) if field is not None else []
        if inner:
            current = inner[0]
    return list(current.model_fields)


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

"""Read config.yaml into typed settings; a bad key stops the start with file, line, key and a cure."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from yaml.parser import ParserError
from yaml.scanner import ScannerError

from bot.config.keys import cure, in_a_file, kind_cure, known_keys, no_variables
from bot.config.sections import Config, Running
from bot.config.text import Loader, Where, key_lines
from bot.model import NeedsHuman
from watchers import Watcher

Checked = TypeVar("Checked", bound=BaseModel)

LARGEST = 128 * 2**10
"""How many characters of settings are read: hundreds of mailboxes."""

LONGEST_KIND = 40
"""How much is shown of a kind that there is not."""


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


@dataclass(frozen=True)
class Plan:
    """What config.yaml asks for: the settings, and each watcher with how often it looks."""

    config: Config
    watchers: tuple[tuple[Watcher[Any], timedelta], ...]


def load(path: Path) -> Plan:
    """Read config.yaml. Raises NeedsHuman with file, line, key and what would be right."""
    start_from = "write one with 'stillthere init', or start from config.example.yaml"
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(LARGEST + 1)
    except OSError as error:
        allow = "let this user read it (chmod, chown), or run as the user whose it is"
        name = f"name a file with --config, or {start_from}"
        how = allow if isinstance(error, PermissionError) else name
        raise NeedsHuman(f"{path}: {error.strerror}", how) from error
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
            checked = model.model_validate(data)
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
            if kind == "union_tag_invalid":
                wrong = str(first["ctx"]["tag"])
                kinds = re.findall(r"'([^']+)'", first["ctx"]["expected_tags"])
                what = f"there is no kind '{wrong[:LONGEST_KIND]}'"
                raise self._wrong(self._in_file((*at, "kind")), what, kind_cure(wrong, kinds)) from error
            message = str(first["msg"]).removeprefix("Value error, ")
            how = CURES.get(kind, "put that right and start again")
            raise self._wrong(at, message[:1].lower() + message[1:], how) from error
        for steps in no_variables(checked):
            how = (
                f"write the variable's name, in capital letters; {in_a_file(steps[-1].removesuffix('_env'))}"
            )
            raise self._wrong((*where, *steps), "is no name of a variable", how)
        return checked

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

"""Write settings as YAML with a comment above each key: what its model says of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from pydantic import BaseModel

from bot.config import Config, kinds_of, models_in
from watchers import Watcher

HEAD = """\
# The settings of `stillthere run`, written by `stillthere init`, which may be run again at any time.
# Secrets never stand here. Every other key there is: docs/configuration.md. Paths are relative to this file.
"""
WIDTH = 1000
"""Wider than any value, so that none is folded."""

STEP = "  "


def settings(data: Mapping[str, Any]) -> str:
    """Return the text of a config.yaml."""
    parts = ["\n".join(_key(key, value, (Config,), "")) for key, value in data.items()]
    return "\n\n".join([HEAD.rstrip("\n"), *parts]) + "\n"


def _key(key: str, value: Any, models: Sequence[type[BaseModel]], indent: str) -> Iterator[str]:
    field = next((one.model_fields[key] for one in models if key in one.model_fields), None)
    if field is not None and field.description:
        yield f"{indent}# {field.description[:1].upper()}{field.description[1:]}:"
    inner = [*models_in(field.annotation)] if field is not None else []
    if models == (Config,) and key == "watchers" and isinstance(value, Mapping):
        yield f"{indent}{key}:"
        for name, section in value.items():
            kind = Watcher.registry.get(name)
            yield from _key(name, section, (kind.Config,) if kind else (), indent + STEP)
        return
    if not indent or field is not None:
        models = inner
    yield from _value(key, value, models, indent)


def _value(key: str, value: Any, models: Sequence[type[BaseModel]], indent: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield f"{indent}{key}:"
        for name, part in value.items():
            yield from _key(name, part, models, indent + STEP)
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) and one for one in value):
        yield f"{indent}{key}:"
        for one in value:
            yield from _item(one, models, indent + STEP)
    else:
        yield f"{indent}{_flow(key)}: {_flow(value)}"


def _item(item: Mapping[str, Any], models: Sequence[type[BaseModel]], indent: str) -> Iterator[str]:
    fitting = [one for one in models if item.get("kind") in kinds_of(one)] or models
    lines = [line for name, part in item.items() for line in _key(name, part, fitting, indent + STEP)]
    begin = next(number for number, line in enumerate(lines) if not line.lstrip().startswith("#"))
    lines[begin] = f"{indent}- {lines[begin].lstrip()}"
    yield from lines


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=WIDTH, allow_unicode=True, sort_keys=False)
    return text.removesuffix("...\n").strip()

"""Write the two reference pages that are generated: docs/cli.md and docs/configuration.md."""  # noqa: INP001 - docs is a folder of pages, no package

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bot.cli import main
from bot.config import Config, Running, kinds_of, models_in
from watchers import Watcher, load

FOLDER = Path(__file__).parent
WIDTH = 80
NOTE = "<!-- Written by `python docs/reference.py`; change what it describes, not this page. -->"
ABOUT_SETTINGS = """\
The settings of the service. `stillthere run` reads them, and so does every command with the option
`--config`; `demo`, `check`, `read` and `backtest` need none. `stillthere init` writes the file, and
`config.example.yaml` has every key with its comment, to copy from.

Paths are relative to the file. A time is a number and a unit: `30s`, `5m`, `6h`, `7d`. A key that is
unknown, or a value that cannot be, stops the start, with the line and what to write instead.
"""
WORDS = {
    str: "text",
    bool: "true or false",
    int: "whole number",
    float: "number",
    Path: "path",
    timedelta: "time",
}
UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)))


def pages() -> dict[Path, str]:
    """Return the text of each page."""
    load()
    return {FOLDER / "cli.md": cli(), FOLDER / "configuration.md": configuration()}


def cli() -> str:
    """Return the help of every command as a page."""
    root = click.Context(main, info_name="stillthere", terminal_width=WIDTH, **main.context_settings)
    parts = [f"# Commands\n\n{NOTE}\n\n{_help(main, root)}"]
    for name in main.list_commands(root):
        command = main.get_command(root, name)
        assert command is not None
        parts += _commands(command, click.Context(command, root, info_name=name), "##")
    return "\n".join(parts)


def _commands(command: click.Command, context: click.Context, level: str) -> Iterator[str]:
    """Return the help of a command, and of every command in it."""
    yield f"{level} {context.command_path}\n\n{_help(command, context)}"
    if isinstance(command, click.Group):
        for inner, part in sorted(command.commands.items()):
            yield from _commands(part, click.Context(part, context, info_name=inner), f"{level}#")


def _help(command: click.Command, context: click.Context) -> str:
    return f"```text\n{command.get_help(context)}\n```\n"


def configuration() -> str:
    """Return every setting as a page."""
    parts = [f"# config.yaml\n\n{NOTE}\n\n{ABOUT_SETTINGS}", *_sections(Config, "")]
    ours = {name: kind for name, kind in Watcher.registry.items() if kind.__module__.startswith("watchers.")}
    for name, kind in sorted(ours.items()):
        rows = [*_rows(Running, _time(kind.every)), *_rows(kind.Config)]
        parts.append(f"## watchers.{name}\n\n{_first_line(kind)}\n\n{_table(rows)}")
        parts += _inner(kind.Config, f"watchers.{name}.")
    return "\n".join(parts)


def _sections(model: type[BaseModel], path: str) -> Iterator[str]:
    title = f"## {path.rstrip('.')}\n\n{_first_line(model)}\n\n" if path else ""
    yield title + _table(_rows(model))
    yield from _inner(model, path)


def _inner(model: type[BaseModel], path: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        for inner in models_in(field.annotation):
            kinds = kinds_of(inner)
            yield from _sections(inner, f"{path}{name}{f', kind: {kinds[0]}' if kinds else ''}.")


def _rows(model: type[BaseModel], default: str = "") -> list[tuple[str, str, str, str]]:
    return [
        (f"`{name}`", _type(field.annotation), _default(field) or default, field.description or "")
        for name, field in model.model_fields.items()
    ]


def _table(rows: list[tuple[str, str, str, str]]) -> str:
    lines = [("Key", "Value", "Default", "Meaning"), ("---",) * 4, *rows]
    return "".join(f"| {' | '.join(cell or ' ' for cell in line)} |\n" for line in lines)


def _type(annotation: Any) -> str:
    """Say in words what a key takes."""
    among = [inner for inner in get_args(annotation) if inner is not NoneType]
    if list(models_in(annotation)):
        return "list of sections, below" if get_origin(annotation) in {list, tuple} else "section, below"
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{one}`" for one in among)
    if among == [time, time]:
        return "hours"
    if get_origin(annotation) in {list, tuple}:
        return f"list of {_type(among[0])}"
    if get_origin(annotation) is dict:
        is_plain = all(get_origin(one) is Annotated for one in among)
        return " to ".join(map(_type, among)) if is_plain else "section, below"
    return _type(among[0]) if among else WORDS[annotation]


def _default(field: FieldInfo) -> str:
    """Return the default as it would be written; empty where a key may stay away."""
    value = field.default
    if value is PydanticUndefined:
        return "required"
    if value in (None, "", (), {}):
        return ""
    if isinstance(value, timedelta):
        return _time(value)
    if isinstance(value, tuple) and isinstance(value[0], time):
        return f"`{'-'.join(f'{at:%H:%M}' for at in value)}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(value)}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _time(length: timedelta) -> str:
    unit, size = next((unit, size) for unit, size in UNITS if not length % size)
    return f"`{length // size}{unit}`"


def _first_line(owner: type) -> str:
    return (owner.__doc__ or "").strip().partition("\n")[0]


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")

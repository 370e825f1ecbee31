"""Print the answer to an access request for a person to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text


def show(found: Mapping[str, Any], out: Console) -> None:
    """Print everything: a heading for each part, one line for each thing, nothing left out."""
    for name, value in found.items():
        if value in (None, [], "", {}):
            continue
        heading = name.replace("_", " ").capitalize()
        if isinstance(value, list | dict):
            out.print(Text(f"\n{heading}", style="bold"))
            _show_inner(value, out, "  ")
        else:
            out.print(Text(f"{heading}: {_word(value)}"), soft_wrap=True)


def _show_inner(value: Any, out: Console, indent: str) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            if inner in (None, [], "", {}):
                continue
            if isinstance(inner, list | dict):
                out.print(Text(f"{indent}{name.replace('_', ' ')}:"), soft_wrap=True)
                _show_inner(inner, out, f"{indent}  ")
            else:
                out.print(Text(f"{indent}{name.replace('_', ' ')}: {_word(inner)}"), soft_wrap=True)
    else:
        for number, item in enumerate(value, 1):
            if isinstance(item, dict | list):
                out.print(Text(f"{indent}{number}."), soft_wrap=True)
                _show_inner(item, out, f"{indent}   ")
            else:
                out.print(Text(f"{indent}- {_word(item)}"), soft_wrap=True)


def _word(value: Any) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)

"""Turn what we keep into JSON documents and back, the same way for every store.

A document is a dict of JSON values, so that any store that holds JSON can hold a person. Nothing is built
before it is used: importing this module is cheap.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from operator import is_
from typing import TYPE_CHECKING, Any, TypeVar

from bot.model import Assessment, Case, Contact, Person

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

Document = dict[str, Any]
"""A person as JSON values."""

MAX_DEPTH = 32
"""How deep a value may nest; JSON readers give up somewhere beyond."""

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Characters that a Python string can hold and UTF-8 or PostgreSQL's text cannot."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def normal(value: T, depth: int = 0) -> T:
    """Return the value in the form in which every store keeps it.

    Moments are in UTC (one without a zone is taken for UTC), a number that JSON lacks is None, a character
    that cannot be encoded is replaced. Doing it before an observation's key is computed makes the key
    survive the journey. Raise ValueError where the value nests deeper than `MAX_DEPTH`.
    """
    return _normal(value, depth)  # type: ignore[no-any-return]  # it keeps the type


def _normal(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError(f"a value nests deeper than {MAX_DEPTH} levels")
    result = value
    if type(value) is str:
        result = value if value.isprintable() else UNSTORABLE.sub(REPLACEMENT, value)
    elif value is None or isinstance(value, (Enum, bool, int)):
        pass
    elif isinstance(value, float):
        result = value if math.isfinite(value) else None
    elif isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        result = aware if aware.tzinfo is UTC else aware.astimezone(UTC)
    elif isinstance(value, tuple | list):
        items = [_normal(item, depth + 1) for item in value]
        is_same = isinstance(value, tuple) and all(map(is_, items, value))
        result = value if is_same else type(value)(items)
    elif isinstance(value, Mapping):
        result = {_normal(name, depth + 1): _normal(item, depth + 1) for name, item in value.items()}
    elif is_dataclass(value) and not isinstance(value, type):
        kept = {name: getattr(value, name) for name in _names(type(value))}
        changes = {
            name: changed for name, part in kept.items() if (changed := _normal(part, depth + 1)) is not part
        }
        result = replace(value, **changes) if changes else value
    return result


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(part.name for part in fields(kind))


def to_document(person: Person) -> Document:
    """Return the person as JSON values."""
    document: Document = _adapter(Person).dump_python(person, mode="json")
    return document


def from_document(document: Document) -> Person:
    """Return the person a document holds; raise ValueError where it holds none that we know."""
    person: Person = _adapter(Person).validate_python(document)
    return person


def outline(document: Document) -> Person:
    """Return the person without observations, evidence and decisions: enough to index them, and quick.

    Raise ValueError or KeyError where the document holds no person that we know.
    """
    return Person(
        address=document["address"],
        contact=_adapter(Contact).validate_python(document["contact"]) if document["contact"] else None,
        assessment=_adapter(Assessment).validate_python(
            {**document["assessment"], "evidence": (), "suggestions": ()}
        )
        if document["assessment"]
        else None,
        cases=tuple(_adapter(Case).validate_python(case) for case in document["cases"]),
        news=document["news"],
        version=document["version"],
    )


@cache
def _adapter(model: type[Any]) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - importing pydantic costs more than many commands need

    return TypeAdapter(model)

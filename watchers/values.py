"""Read values out of JSON that may hold anything: what is of another type counts as not said. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from watchers.mail.zones import plausible


def text(value: object) -> str:
    """Return a text that can be stored, empty where it is none."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def record(value: object) -> Mapping[str, Any]:
    """Return an object, empty where it is none."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list; of anything else, none."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def moment(value: object) -> datetime | None:
    """Return an ISO 8601 moment in UTC, None where it is none; without an offset it is UTC already."""
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
        return plausible(when and (when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)))
    except (ValueError, OverflowError):
        return None

"""Take signs of life from elsewhere: logins to a product of yours, a CRM's webhook, a CSV file.

They are told as `{"events": [{"email", "at", "what"}]}` in a signed request, or as columns of those names. Of
each watched person one sign a day is kept, whatever else was done that day; of everybody else nothing. It
shortens a silence and proves nothing more: software goes on acting under the name of people who left.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.model import Family, Json, Kind, Means, NeedsHuman, Observation

KIND = Kind("activity", Means.NOTED, Family.RESPONSE, example="logged in")
KINDS = (KIND,)

SOURCE = "activity"

FRESH = timedelta(minutes=5)
"""How far the timestamp of a request may lie from our clock, and for how long one could be sent again."""

SKEW = timedelta(minutes=5)
"""An event dated further ahead of our clock than this is refused."""

OLDEST = datetime(2000, 1, 1, tzinfo=UTC)

MOST_EVENTS = 10_000
"""So many events are taken at once."""

PORTION = 4_000
"""So many events are sent at once; each may then take 250 bytes."""

MOST_ERRORS = 100
"""So many refused events are told one by one."""

SHORTEST_SECRET = 16
LONGEST_WHAT = 80
LONGEST_SHOWN = 60
DONE = "was active"
VERSION = "v1"


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that was not taken; `number` counts from 1."""

    number: int
    reason: str


@dataclass(frozen=True)
class Taken:
    """What was read: observations of watched people, how many events were of others, and what was wrong."""

    observations: tuple[Observation, ...]
    not_watched: int
    refused: tuple[Refused, ...]


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a body sent at this time (seconds since 1970): HMAC-SHA256, RFC 2104."""
    content = timestamp.encode() + b"." + body
    return f"{VERSION}={hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()}"


def objection(secret: str, timestamp: str, signature: str, body: bytes, now: datetime) -> str:
    """Say why a request is not to be believed, empty where it is."""
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > len("9999999999"):
        return "its timestamp is missing or no number of seconds"
    expected = sign(secret, timestamp, body)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        return "its signature is missing or wrong"
    if abs(now.timestamp() - int(timestamp)) > FRESH.total_seconds():
        return "it was signed more than 5 minutes ago or ahead: is the sender's clock right?"
    return ""


def events_in(body: bytes) -> list[object]:
    """Return the events in the body of a request; raise ValueError, in words for its sender."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error
    events = told.get("events") if isinstance(told, dict) else None
    if not isinstance(events, list):
        raise ValueError('it is not {"events": [...]}')  # noqa: TRY004 - a sender's mistake, not ours
    return events


def rows_in(content: bytes) -> dict[int, object]:
    """Return the rows of a CSV file with the columns email, at and what, as events, by their lines.

    Raises NeedsHuman where it is no such file.
    """
    text = content.decode("utf-8-sig", "replace")
    first = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=first.count))
    try:
        names = [name.strip().lower() for name in reader.fieldnames or () if name]
        if not {"email", "at"} <= set(names):
            raise NeedsHuman(
                "the file has no columns 'email' and 'at'",
                "name them so in its first line; 'what' is optional",
            )
        found: dict[int, object] = {}
        for row in reader:
            found[reader.line_num] = {str(key).strip().lower(): value for key, value in row.items()}
    except csv.Error as error:
        raise NeedsHuman(f"the file is no CSV: {error}", "save it as CSV in UTF-8") from error
    return found


def take(events: Iterable[object], watched: frozenset[str], now: datetime) -> Taken:
    """Read events, each on its own, and keep those of watched people, one a person and day."""
    found: dict[tuple[str, str], Observation] = {}
    refused: list[Refused] = []
    not_watched = 0
    for number, event in enumerate(events, start=1):
        try:
            seen = _observation(event, now)
        except ValueError as error:
            refused.append(Refused(number, str(error)))
            continue
        if seen.contact in watched:
            found.setdefault((seen.contact, seen.group), seen)
        else:
            not_watched += 1
    return Taken(tuple(found.values()), not_watched, tuple(refused))


def summary(events: int, new: int, taken: Taken) -> dict[str, Json]:
    """Return what is told of what was taken, in the form in which `POST /activity` answers."""
    errors: list[Json] = [{"number": one.number, "error": one.reason} for one in taken.refused[:MOST_ERRORS]]
    return {
        "events": events,
        "new": new,
        "not_watched": taken.not_watched,
        "refused": len(taken.refused),
        "errors": errors,
    }


def portions(events: list[object]) -> Iterator[bytes]:
    """Yield the bodies of requests that tell these events, each small enough to be taken."""
    for start in range(0, len(events), PORTION):
        yield json.dumps({"events": events[start : start + PORTION]}).encode()


def _observation(event: object, now: datetime) -> Observation:
    """Return what one event says of whoever it is about, dated by its day; raise ValueError."""
    if not isinstance(event, Mapping):
        raise ValueError('it is not {"email": ..., "at": ..., "what": ...}')  # noqa: TRY004 - a sender's mistake
    address = event.get("email")
    if not isinstance(address, str) or address.count("@") != 1:
        raise ValueError("'email' is no address")
    at = _moment(event.get("at"))
    if not OLDEST <= at <= now + SKEW:
        raise ValueError(f"'at' is not between {OLDEST:%Y} and now")
    what = event.get("what")
    words = " ".join("".join(filter(_shown, what)).split())[:LONGEST_WHAT] if isinstance(what, str) else ""
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return Observation(
        contact=address.strip().lower(),
        kind=KIND.name,
        at=day,
        source=SOURCE,
        sentence=words or DONE,
        group=day.date().isoformat(),
    )


def _moment(value: object) -> datetime:
    """Read an ISO 8601 moment, in UTC where it names no zone, or seconds since 1970."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
        if read is not None:
            return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise ValueError(f"'at' is no time: {str(value)[:LONGEST_SHOWN]!r}; write 2026-05-04T09:30:00Z")


def _shown(char: str) -> bool:
    return char.isprintable() or char.isspace()

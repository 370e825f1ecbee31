"""Turn the names that calendars give their time zones into UTC offsets (RFC 5545 3.6.5).

A name is looked up as an IANA zone, then as a Windows zone, then in the calendar's own VTIMEZONE, then as
the display names that WebEx and old Outlook send, and last as a fixed offset ("(UTC+01:00) ..."). Notes says
"GMT" and means London: where a calendar's own zone of that name knows a summer time, it holds. The
calendar's own rules are read here and not by `icalendar`, which keeps every zone that it ever met under its
name: a "Customized Time Zone" of one stranger would decide about the mail of the next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

MAX_NAME = 100
"""A zone's name is at most this long; a longer one names nothing."""

MAX_OBSERVANCES = 100
"""At most so many rules of one zone are read; real ones have two, or one for each change of the law."""

EARLIEST, LATEST = 1970, 2199
"""The years of meetings. Others mean "none" (Outlook writes 1601 and 4501), or harm: dates end with 9999."""

WEEK = 7
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
EVERY_MONTH_HAS = 28

DISPLAY_NAMES = {
    "alaska": "America/Anchorage",
    "amsterdam": "Europe/Amsterdam",
    "arizona": "America/Phoenix",
    "atlantic": "America/Halifax",
    "beijing": "Asia/Shanghai",
    "berlin": "Europe/Berlin",
    "brisbane": "Australia/Brisbane",
    "central": "America/Chicago",
    "chicago": "America/Chicago",
    "denver": "America/Denver",
    "dubai": "Asia/Dubai",
    "eastern": "America/New_York",
    "europe": "Europe/Berlin",
    "gmt": "Europe/London",
    "hawaii": "Pacific/Honolulu",
    "hong kong": "Asia/Hong_Kong",
    "india": "Asia/Kolkata",
    "london": "Europe/London",
    "madrid": "Europe/Madrid",
    "mountain": "America/Denver",
    "mumbai": "Asia/Kolkata",
    "new york": "America/New_York",
    "pacific": "America/Los_Angeles",
    "paris": "Europe/Paris",
    "rome": "Europe/Rome",
    "san francisco": "America/Los_Angeles",
    "seoul": "Asia/Seoul",
    "singapore": "Asia/Singapore",
    "stockholm": "Europe/Stockholm",
    "sydney": "Australia/Sydney",
    "tokyo": "Asia/Tokyo",
    "toronto": "America/New_York",
}
"""What WebEx and Outlook call "Eastern Time", "New York Time" or "Eastern Time (US & Canada)"."""

_OFFSET = re.compile(r"(?:UTC|GMT) ?([+-])(\d{1,2})(?::?(\d{2}))?")
_PARENTHESIS = re.compile(r"\([^()]{0,60}\)")


@dataclass(frozen=True, slots=True)
class Observance:
    """One STANDARD or DAYLIGHT rule: from its onset on, wall clocks are `offset` ahead of UTC.

    A yearly rule begins on the `nth` `weekday` (Monday is 0, -1 is the last one) of `month`, or on the first
    such weekday from `day` on. Where `month` is 0 it began once, at `start`.
    """

    start: datetime
    offset: timedelta
    month: int = 0
    weekday: int = 0
    nth: int = 1
    day: int = 0
    last_year: int = MAXYEAR

    def onset(self, year: int) -> datetime:
        """Return when the rule begins in that year; before its first or after its last year, `start`."""
        if not self.month or not self.start.year <= year <= self.last_year:
            return self.start
        first = self.start.replace(year=year, month=self.month, day=self.day or 1)
        if self.nth > 0 or self.day:
            ahead = (self.weekday - first.weekday()) % WEEK
            return first + timedelta(days=ahead + WEEK * (max(self.nth, 1) - 1))
        following = first.replace(day=28) + timedelta(days=4)
        last = following.replace(day=1) - timedelta(days=1)
        back = (last.weekday() - self.weekday) % WEEK
        return last - timedelta(days=back + WEEK * (-self.nth - 1))


Rules = Mapping[str, Sequence[Observance]]
"""The zones that a calendar defines itself, by name."""


def observance(component: Any) -> Observance | None:
    """Read a STANDARD or DAYLIGHT component of `icalendar`; None where it lacks its start or offset."""
    start = getattr(component.get("DTSTART"), "dt", None)
    offset = getattr(component.get("TZOFFSETTO"), "td", None)
    if not isinstance(start, datetime) or offset is None:
        return None
    start = start.replace(tzinfo=None)
    rule = component.get("RRULE")
    if not rule or not rule.get("BYMONTH") or not rule.get("BYDAY"):
        return Observance(start, offset)
    day = rule["BYDAY"][0]
    until = (rule.get("UNTIL") or [None])[0]
    return Observance(
        start,
        offset,
        month=int(rule["BYMONTH"][0]),
        weekday=WEEKDAYS.index(day.weekday),
        nth=max(-4, min(int(day.relative or 1), 4)),
        day=min((abs(int(number)) for number in rule.get("BYMONTHDAY", ())), default=0) % EVERY_MONTH_HAS,
        last_year=until.year if isinstance(until, date) else MAXYEAR,
    )


def to_utc(wall: datetime, name: str, rules: Rules) -> datetime | None:
    """Return the moment at which the clocks of the zone show `wall`, or None where the name is unknown."""
    zone = iana(name)
    if rules.get(name) and (zone is None or (zone is UTC and len(rules[name]) > 1)):
        return (wall - _offset_at(wall, rules[name])).replace(tzinfo=UTC)
    zone = zone or display(name)
    return wall.replace(tzinfo=zone).astimezone(UTC) if zone else None


def plausible(moment: datetime | None) -> datetime | None:
    """Return a moment in which a meeting can be, None for any other: years may be added to it."""
    return moment if moment is not None and EARLIEST <= moment.year <= LATEST else None


def _offset_at(wall: datetime, observances: Sequence[Observance]) -> timedelta:
    begun = [
        (onset, observance.offset)
        for observance in observances
        for onset in (observance.onset(wall.year - 1), observance.onset(wall.year))
        if onset <= wall
    ]
    return max(begun)[1] if begun else observances[0].offset


@lru_cache(maxsize=512)
def iana(name: str) -> tzinfo | None:
    """Return the zone of an IANA or Windows name, also behind a vendor's prefix ("/vendor/Europe/Berlin")."""
    from icalendar.timezone.windows_to_olson import (  # noqa: PLC0415 - the import takes a third of a second
        WINDOWS_TO_OLSON,
    )

    name = name.strip().strip('"').strip("/")
    if not name or len(name) > MAX_NAME:
        return None
    if name.upper() in {"UTC", "GMT", "Z"}:
        return UTC
    pieces = name.split("/")
    for start in range(len(pieces)):
        candidate = "/".join(pieces[start:])
        try:
            return ZoneInfo(WINDOWS_TO_OLSON.get(candidate, candidate))
        except (KeyError, ValueError, OSError):
            continue
    return None


def display(name: str) -> tzinfo | None:
    """Return the zone of a display name such as "Eastern Time" or "(UTC+01:00) Amsterdam, Berlin"."""
    name = name[:MAX_NAME]
    for place in _PARENTHESIS.sub("", name).lower().split(","):
        plain = place.strip().removesuffix(" time").strip()
        if plain in DISPLAY_NAMES:
            return ZoneInfo(DISPLAY_NAMES[plain])
    match = _OFFSET.search(name.upper())
    if match is None:
        return None
    ahead = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    if ahead >= timedelta(days=1):
        return None
    return timezone(ahead if match[1] == "+" else -ahead)

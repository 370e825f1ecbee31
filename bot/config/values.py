"""The kinds of values that stand in config.yaml: each says what would be right."""

from __future__ import annotations

import difflib
import os
import re
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bot.model import NeedsHuman
from watchers.mail.tokens import SAFE_ADDRESS
from watchers.secret import read_secret_file

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LONGEST = timedelta(days=366)

NEVER_QUIET = (time(), time())
"""Quiet hours that never begin."""


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


def safe_address(value: str) -> str:
    """Accept an address that a token may be sent to."""
    if not re.fullmatch(SAFE_ADDRESS, value):
        raise ValueError("write an address that begins with https://: what is sent there is secret")
    return value


def secret(variable: str, path: Path | None) -> str:
    """Return a secret from its file, or else from the environment; empty where the variable is not set.

    Raise NeedsHuman where the file cannot be read or is empty.
    """
    if path is None:
        return os.environ.get(variable, "")
    put_right = "put the secret there, alone in the file"
    found = read_secret_file(path, put_right).decode("utf-8", "replace").strip()
    if not found:
        raise NeedsHuman(f"{path} is empty", put_right)
    return found


QuietHours = Annotated[tuple[time, time], BeforeValidator(quiet_hours)]
Duration = Annotated[timedelta, BeforeValidator(duration)]
Domain = Annotated[str, AfterValidator(domain)]
Zone = Annotated[str, AfterValidator(zone)]
Address = Annotated[str, AfterValidator(address)]
Channel = Annotated[str, Field(min_length=1), AfterValidator(channel)]
SafeAddress = Annotated[str, AfterValidator(safe_address)]


class Section(BaseModel):
    """A part of config.yaml; a key it does not know stops the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

"""When people work: local hours, weekends, public holidays, and delays that respect them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

SATURDAY = 5
OPENS, CLOSES = 7.5, 18.5
WEEKEND_WORK = 0.06

Free = Callable[[date], bool]
"""Says whether somebody does not work on a day."""


@cache
def _public(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))


def is_holiday(country: str, day: date) -> bool:
    """Say whether nobody works there on that day."""
    return day in _public(country, day.year)


def at_work(chance: random.Random, day: date, zone: str) -> datetime:
    """Return a moment of a working day: most mail is written before lunch and in mid-afternoon."""
    middle, width = (10.2, 1.3) if chance.random() < 0.55 else (15.1, 1.6)
    hour = min(max(chance.gauss(middle, width), OPENS), CLOSES)
    return local(day, hour, zone)


def local(day: date, hour: float, zone: str) -> datetime:
    """Return the moment at which it is that hour there, in UTC and whole seconds."""
    moment = datetime.combine(day, time(), ZoneInfo(zone)) + timedelta(seconds=int(hour * 3600))
    return moment.astimezone(UTC)


def answer_delay(chance: random.Random, speed: float) -> timedelta:
    """Return how long somebody takes to answer: at once, when they get to it, or when they dig it out."""
    median, width = chance.choices(((1.6, 1.2), (19.0, 0.9), (96.0, 0.8)), (0.58, 0.31, 0.11))[0]
    return timedelta(hours=min(chance.lognormvariate(math.log(median * speed), width), 60 * 24))


def next_working(chance: random.Random, moment: datetime, zone: str, country: str, free: Free) -> datetime:
    """Return the moment, or the first later one at which the person works."""
    here = moment.astimezone(ZoneInfo(zone))
    day, hour = here.date(), here.hour + here.minute / 60
    if _works(chance, day, country, free) and hour <= CLOSES:
        return moment if hour >= OPENS else local(day, OPENS + chance.uniform(0, 2), zone)
    for _ in range(400):
        day += timedelta(1)
        if _works(chance, day, country, free):
            return local(day, min(OPENS + chance.lognormvariate(0.3, 0.8), CLOSES), zone)
    return moment


def _works(chance: random.Random, day: date, country: str, free: Free) -> bool:
    if free(day) or is_holiday(country, day):
        return False
    return day.weekday() < SATURDAY or chance.random() < WEEKEND_WORK

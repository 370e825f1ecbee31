# ruff: noqa: INP001 - a script beside its pictures, no package
"""Draw the Home tab and a digest as pictures: `python docs/pictures/pages.py [FOLDER]`. See draw.py."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bot.coverage import Coverage, Gap, Outage
from bot.digest import Change, Due, Week
from bot.model import (
    Alert,
    Assessment,
    Case,
    Contact,
    Deal,
    Delivery,
    Family,
    Means,
    Observation,
    Person,
    Strength,
    Verdict,
    Watched,
)
from bot.preferences import Preferences
from bot.slack import tab, week
from bot.stats import Precision, Tally
from docs.pictures.draw import NOW, Shown, evidence, gone, slipping, write

BOX = "mailbox:rita@vendor.example"
OTHER_BOX = "mailbox:max@vendor.example"
DOWN_SINCE = NOW - timedelta(days=6)
COVERAGE = Coverage((Outage(BOX, DOWN_SINCE, needs_human=True),), {BOX: DOWN_SINCE, OTHER_BOX: NOW})
QUARTER = ((1, 0), (0,), (2, 1), (1,), (0,), (1, 1), (3,), (0,), (1,), (0, 1), (1,), (2, 0, 1), (1, 0, 1))
"""Right ones, false alarms and those without an answer, week by week."""

UNSEEN = f"{BOX} cannot be read"
SEEN = {
    "Omar Diaz": (12, "wrote to rita@vendor.example", OTHER_BOX),
    "Eve Poe": (9, "wrote to rita@vendor.example", BOX),
    "Bob Roe": (3, "wrote to rita@vendor.example", OTHER_BOX),
    "Lea Kurz": (5, "auto-reply: away until 24 August 2026", OTHER_BOX),
}
"""What was seen last of the people on the watch list: so many days ago, what, and where."""


def main() -> None:
    """Write the pictures."""
    found = {"home": [home()], "digest": [digest(), silent()]}
    write({name: [Shown(blocks) for blocks in shown] for name, shown in found.items()}, found)


def home() -> list[dict[str, Any]]:
    """Return the blocks of a Home tab."""
    left, drift = gone(), elsewhere(slipping())
    mine = [
        watched(left.contact, Verdict.LEFT, left.assessment.headline, left),
        watched(drift.contact, Verdict.SLIPPING, drift.assessment.headline, drift),
        watched(
            person("Omar Diaz", "Initech"), Verdict.QUIET, "silent 12 days; the longest gap in a year was 5"
        ),
        watched(person("Eve Poe", "Globex"), Verdict.UNCHECKED, UNSEEN),
        watched(person("Bob Roe", "Acme"), Verdict.ACTIVE, "wrote on 31 July 2026"),
        replace(
            watched(
                person("Lea Kurz", "Umbrella"), Verdict.ON_LEAVE, "auto-reply: away until 24 August 2026"
            ),
            returns=date(2026, 8, 24),
        ),
    ]
    cases = [Case(raised.contact.address, 1, (Delivery(raised),)) for raised in (left, drift)]
    people = {
        raised.contact.address: Person(
            raised.contact.address, raised.contact, assessment=raised.assessment, cases=(case,)
        )
        for raised, case in zip((left, drift), cases, strict=True)
    }
    people |= {one.contact.address: seen(one) for one in mine if one.contact.name in SEEN}
    rows = tab.rows(mine, [], NOW.date())
    page = tab.Page(0, 1, 2, rows, people)
    choices = tab.Choices(Preferences(), (time(18), time(8)), 5, "Europe/Berlin")
    return list(tab.home(mine, page, COVERAGE, choices, NOW)["blocks"])


def digest() -> list[dict[str, Any]]:
    """Return the blocks of a full digest."""
    left, drift = gone(), elsewhere(slipping())
    away = replace(watched(person("Lea Kurz", "Umbrella"), Verdict.ON_LEAVE, ""), returns=date(2026, 8, 24))
    found = Week(
        people=12,
        due=(Due(Case(left.contact.address, 1), left),),
        changes=(
            Change(watched(person("Bob Roe", "Acme"), Verdict.ACTIVE, "wrote on 31 July"), Verdict.QUIET),
        ),
        slipping=(watched(drift.contact, Verdict.SLIPPING, drift.assessment.headline),),
        alone=(replace(person("Ann Lee", "Acme"), deal=Deal("Renewal 2026")),),
        quiet=(
            watched(
                person("Omar Diaz", "Initech"),
                Verdict.QUIET,
                "silent 12 days; the longest gap in a year was 5",
            ),
        ),
        away=(away,),
        unchecked=(Gap((person("Eve Poe", "Globex"),), UNSEEN, COVERAGE.outages[0]),),
        precision=(Precision("mailbox_gone", 5, 0), Precision("meeting_drift", 3, 1)),
        overall=Precision("", 8, 1),
        quarter=tuple(
            Tally(date(2026, 5, 11) + timedelta(days=7 * i), *counts) for i, counts in enumerate(QUARTER)
        ),
    )
    return list(week.digest(found, NOW).blocks)


def silent() -> list[dict[str, Any]]:
    """Return the blocks of a digest with nothing to say."""
    return list(week.digest(Week(people=12), NOW).blocks)


def seen(one: Watched) -> Person:
    """Return somebody with what was seen last of them."""
    days, sentence, source = SEEN[one.contact.name]
    address, at = one.contact.address, NOW - timedelta(days=days)
    fact = replace(evidence(days, sentence, Means.ALIVE, Family.MAIL, 1.0), source=source)
    judged = Assessment(address, NOW, one.verdict, Strength.CLEAR, 0.1, one.headline, (fact,))
    observed = (Observation(address, "wrote", at, source, sentence),)
    return Person(address, one.contact, observations=observed, assessment=judged)


def person(name: str, account: str) -> Contact:
    """Return somebody who is watched."""
    address = f"{name.lower().replace(' ', '.')}@{account.lower()}.example"
    return Contact(address, name, account=account)


def elsewhere(raised: Alert) -> Alert:
    """Return the same of somebody else."""
    contact = replace(person("Tom Berg", "Hooli"), deal=Deal("Pilot", 48_000, "EUR"))
    return replace(raised, contact=contact, assessment=replace(raised.assessment, contact=contact.address))


def watched(contact: Contact, verdict: Verdict, headline: str, raised: Alert | None = None) -> Watched:
    """Return somebody as a list shows them."""
    opened: datetime | None = raised.at if raised else None
    case = raised.case if raised else ""
    return Watched(contact, verdict, Strength.CLEAR, headline, judged_at=NOW, case=case, opened_at=opened)


if __name__ == "__main__":
    main()

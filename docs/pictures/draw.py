# ruff: noqa: INP001 - a script beside its pictures, no package
"""Draw every kind of Slack message as a picture: `python docs/pictures/draw.py`.

Needs node and chromium; `npm ci --ignore-scripts` in this folder fetches what draws. The pictures are made of
the very Block Kit that Slack gets.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from bot.model import (  # noqa: E402 - the repository is put on the path first
    Alert,
    Answer,
    Assessment,
    Case,
    Choice,
    Contact,
    Deal,
    Evidence,
    Family,
    Means,
    Strength,
    Suggestion,
    Verdict,
)
from bot.slack import cards  # noqa: E402
from bot.slack.cards import Card  # noqa: E402

WIDTH = 760
NARROW = 380
SCALE = 2
NOW = datetime(2026, 8, 3, 9, 30, tzinfo=UTC)
RITA, MENTION = "U0RITA0001", "<@U0RITA0001>"
USERS = [{"id": RITA, "name": "Rita Rep"}]
MAILBOX = "mailbox rita@vendor.example"

JANE = Contact(
    "jane.doe@acme.example",
    "Jane Doe",
    "Head of Platform",
    "Acme",
    RITA,
    Deal("Renewal 2026", 120_000, "EUR", "", date(2026, 10, 30)),
)
ANN = Suggestion("Ann Lee", "ann.lee@acme.example", ("named in the automatic reply",), successor=True)
BOB = Suggestion("Bob Roe", "bob.roe@acme.example", ("on the last 3 invitations",))


def main() -> None:
    """Write the pictures beside this file."""
    drift, left = slipping(), gone()
    settled = Case(JANE.address, 1, settled=Answer(JANE.address, left.case, RITA, NOW, Choice.LEFT))
    first = [(cards.alert(left, None, NOW, MENTION), False)]
    draw("alert", first)
    draw("alert-dark", first, theme="dark")
    draw("alert-narrow", first, width=NARROW)
    draw("slipping", [(cards.alert(drift, None, drift.at, MENTION), False)])
    draw("thread", [*first, (cards.raised_again(left, drift, NOW, MENTION), True)])
    draw("settled", [(cards.alert(left, settled, NOW, MENTION), False)])
    draw("why", [(cards.why(left, NOW), False)])


def draw(name: str, messages: list[tuple[Card, bool]], theme: str = "light", width: int = WIDTH) -> None:
    """Draw messages under each other; True marks a reply in the thread."""
    content = {
        "theme": theme,
        "width": width,
        "users": USERS,
        "messages": [
            {"blocks": card.blocks, "time": NOW.isoformat(), "thread": thread} for card, thread in messages
        ],
    }
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(run("node", str(HERE / "draw.mjs"), given=json.dumps(content)))
        browser = [
            chromium(),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={folder}/profile",
        ]
        size = f"--window-size={width}"
        dom = run(*browser, f"{size},100", "--dump-dom", page.as_uri())
        height = re.search(r"<title>(\d+)</title>", dom)
        assert height is not None, "the page did not say how high it is"
        shot = f"--screenshot={HERE / name}.png"
        scale = f"--force-device-scale-factor={SCALE}"
        run(*browser, f"{size},{height[1]}", scale, "--hide-scrollbars", shot, page.as_uri())


def run(*command: str, given: str | None = None) -> str:
    """Run a program and return what it says."""
    ran = subprocess.run(  # noqa: S603 - programs and arguments are this file's own
        command, input=given, capture_output=True, text=True, check=True, timeout=60
    )
    return ran.stdout


def chromium() -> str:
    """Return the browser's path."""
    return next(
        path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))
    )


def slipping() -> Alert:
    """Return the third step of the story: two pushes."""
    at = NOW - timedelta(days=20)
    judged = Assessment(
        JANE.address,
        at,
        Verdict.SLIPPING,
        Strength.CLEAR,
        0.2,
        "2 pushes, 28 days lost, both by them",
        (
            pushed(20, "Meeting pushed from 4 Aug to 18 Aug by them"),
            pushed(34, "Meeting pushed from 21 Jul to 4 Aug by them"),
        ),
        ("a full calendar, or a project date that moved on their side",),
        (BOB,),
        NOW - timedelta(days=41),
    )
    return Alert(JANE, judged, 1, at)


def gone() -> Alert:
    """Return the last step of the story: the automatic reply."""
    said = "Automatic reply: no longer with Acme, write to Ann Lee"
    reply = evidence(0, said, Means.GONE, Family.MAIL, 9.0, explicit=True)
    refused = evidence(
        0, "Mail refused: 550 5.1.1 no such user", Means.GONE, Family.MAIL, 6.0, source="mx.acme.example"
    )
    judged = Assessment(
        JANE.address,
        NOW,
        Verdict.LEFT,
        Strength.STRONG,
        0.99,
        "her own automatic reply says that she no longer works there, and mail to her is refused",
        (reply, refused, *slipping().assessment.evidence),
        (),
        (ANN, BOB),
        NOW - timedelta(days=61),
    )
    return Alert(JANE, judged, 1, NOW)


def pushed(days: int, sentence: str) -> Evidence:
    """Return a meeting that was moved."""
    return evidence(days, sentence, Means.SLIPPING, Family.CALENDAR, 2.0)


def evidence(days: int, sentence: str, means: Means, family: Family, weight: float, **more: Any) -> Evidence:
    """Return something observed so many days ago."""
    facts = {"source": MAILBOX, **more}
    return Evidence(
        sentence,
        str(family),
        means,
        family,
        NOW - timedelta(days=days),
        sentence=sentence,
        weight=weight,
        **facts,
    )


if __name__ == "__main__":
    main()

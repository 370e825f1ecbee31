# ruff: noqa: INP001 - a script beside its pictures, no package
"""Draw the Slack messages of the documentation as pictures: `python docs/pictures/draw.py [FOLDER]`.

With a folder, every kind of message is drawn there, wide and light, narrow and dark, to be looked at. Needs
node and chromium; `npm ci --ignore-scripts` in this folder fetches what draws. The pictures are made of the
very Block Kit that Slack gets.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from bot import incidents, notes  # noqa: E402
from bot.backscatter import HARD  # noqa: E402
from bot.model import (  # noqa: E402 - the repository is put on the path first
    Alert,
    Answer,
    Assessment,
    Case,
    Choice,
    Contact,
    Deal,
    Delivery,
    Evidence,
    Family,
    Means,
    Observation,
    Strength,
    Suggestion,
    Verdict,
)
from bot.slack import cards, dialogs  # noqa: E402
from bot.slack.cards import Scene  # noqa: E402
from bot.slack.dialogs import Place  # noqa: E402
from bot.slack.names import Names  # noqa: E402
from bot.wording import shipped  # noqa: E402

WIDTH = 660
NARROW = 400
MODAL = 560
SCALES = {"light": 1.5, "dark": 1}
NOW = datetime(2026, 8, 3, 9, 30, tzinfo=UTC)
RITA, MAX = "U0RITA0001", "U0MAX00001"
MENTION = f"<@{RITA}>"
USERS = [{"id": RITA, "name": "Rita Rep"}, {"id": MAX, "name": "Max Manager"}]
MAILBOX = "mailbox rita@vendor.example"

JANE = Contact(
    "jane.doe@acme.example",
    "Jane Doe",
    "Head of Platform",
    "Acme",
    RITA,
    Deal("Renewal 2026", 120_000, "EUR", "", date(2026, 10, 30)),
)
ANN = Suggestion(
    "Ann Lee",
    "ann.lee@acme.example",
    ("named in Jane Doe's own reply of 3 August", "Operations Manager", "last wrote 40 days ago"),
    successor=True,
)
BOB = Suggestion(
    "Bob Roe",
    "bob.roe@acme.example",
    ("CTO", "last reply 12 days ago", "on 3 threads with us, 2 of them with Jane Doe"),
)
EVE = Suggestion(
    "Eve Poe",
    "eve.poe@acme.example",
    ("Procurement Lead on their team page", "no mail with them yet", "the pattern of 4 other addresses"),
    guess=True,
)
ZOE = Contact(
    "zoe.fox@initech.example",
    "Zoë 🚀 Fox :fire:",
    "VP *Sales* 🤖",
    "Initech <Labs> & Sons",
    RITA,
    Deal("Pilot 💰"),
)
NOA = Contact("noa@globex.example", "נועה כהן", "מנהלת פיתוח", "גלובקס", RITA, Deal("חידוש", 50_000, "ILS"))
MAGDALENA = Contact(
    "m.von-hohenberg-schwarzenfels@beteiligungsgesellschaft.example",
    "Dr. Maria-Magdalena Gräfin von Hohenberg-Schwarzenfels",
    "Executive Vice President for Global Strategic Transformation and Partnerships",
    "Internationale Beteiligungsgesellschaft für Energietechnik und Anlagenbau mbH & Co. KG",
    RITA,
    Deal("Framework agreement for the modernisation of all sites 2026 to 2031", 12_345_678, "EUR"),
)
PLACE = Place("jane.doe@acme.example:1", "C0CHAMPION", "1")


@dataclass(frozen=True)
class Shown:
    """One message or modal in a picture; `thread` marks a reply."""

    blocks: Sequence[Mapping[str, Any]]
    thread: bool = False
    modal: Mapping[str, str] | None = None


def main() -> None:
    """Write the pictures."""
    write(pictures(), {"alert", "slipping", "settled", "confirm-left", "notice"})


def write(found: Mapping[str, Sequence[Shown]], documented: Collection[str]) -> None:
    """Write what is documented beside this file; with a folder as argument, everything there."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else None
    for name, shown in found.items():
        width = MODAL if shown[0].modal else WIDTH
        if folder is not None:
            draw(folder / name, shown, "light", width)
            draw(folder / f"{name}-narrow-dark", shown, "dark", NARROW)
        elif name in documented:
            draw(HERE / name, shown, "light", width)


def pictures() -> dict[str, list[Shown]]:
    """Return what is on each picture."""
    drift, left, likely, many = slipping(), gone(), refused(), account()
    first = case(left)
    drafts = notes.drafts(left, shipped())
    return {
        "alert": [message(first)],
        "likely": [message(case(likely))],
        "three": [message(case(about(left, JANE, (ANN, BOB, EVE))))],
        "nobody": [message(case(about(likely, Contact("omar@hooli.example", owner=RITA), ())))],
        "odd-names": [message(case(about(left, one, (BOB,)))) for one in (MAGDALENA, NOA, ZOE)],
        "slipping": [message(case(drift))],
        "thread": [message(first), reply(left, drift)],
        "settled": [
            message(settled(left, Choice.LEFT, champion=ANN.address), watched={ANN.address}),
            message(settled(likely, Choice.STILL_THERE)),
            message(settled(likely, Choice.ON_LEAVE, until=date(2026, 8, 24))),
            message(settled(likely, Choice.CHANGED_ROLE)),
        ],
        "open": [
            message(replace(case(drift), on_it=word(drift, Choice.ON_IT))),
            message(settled(drift, Choice.SNOOZE, until=date(2026, 8, 10))),
        ],
        "answered": [message(settled(likely, Choice.ANSWERED))],
        "reminder": [
            message(
                case(replace(drift, at=NOW), 2), before=settled(drift, Choice.SNOOZE, until=date(2026, 8, 3))
            ),
            message(case(likely, 2), before=settled(likely, Choice.STILL_THERE)),
        ],
        "initials": [message(first, names="initials")],
        "notice": [message(case(many)), message(settled(many, Choice.UNDERSTOOD))],
        "why": [Shown(cards.why(left, Scene(NOW)).blocks), Shown(cards.why(many, Scene(NOW)).blocks)],
        "confirm-left": [modal(dialogs.confirm_left(PLACE, left, NOW))],
        "changed-role": [modal(dialogs.changed_role(PLACE, left, NOW))],
        "on-leave": [modal(dialogs.on_leave(PLACE, left, NOW))],
        "snooze": [modal(dialogs.snooze(PLACE, left, NOW))],
        "assign": [modal(dialogs.assign(PLACE, left))],
        "note": [modal(dialogs.note(PLACE, drafts, 0))],
    }


def message(
    of: Case, names: Names = "full", before: Case | None = None, watched: Collection[str] = ()
) -> Shown:
    """Return the message of a case."""
    return Shown(cards.case(of.alert, of, Scene(NOW, MENTION, names, watched, before)).blocks)


def about(raised: Alert, contact: Contact, people: tuple[Suggestion, ...]) -> Alert:
    """Return the same of somebody else, with these people to turn to."""
    return replace(raised, contact=contact, assessment=replace(raised.assessment, suggestions=people))


def reply(raised: Alert, earlier: Alert) -> Shown:
    """Return what a thread says is new."""
    return Shown(cards.raised_again(raised, earlier, Scene(NOW, MENTION)).blocks, thread=True)


def modal(view: Mapping[str, Any]) -> Shown:
    """Return a modal with its frame."""
    return Shown(view["blocks"], modal={part: view[part]["text"] for part in ("title", "submit", "close")})


def case(raised: Alert, episode: int = 1) -> Case:
    """Return a case that was just told."""
    return Case(raised.contact.address, episode, (Delivery(raised),))


def word(raised: Alert, choice: Choice, until: date | None = None, champion: str = "") -> Answer:
    """Return what somebody said today."""
    return Answer(raised.contact.address, raised.case, MAX, NOW, choice, until, champion)


def settled(raised: Alert, choice: Choice, until: date | None = None, champion: str = "") -> Case:
    """Return a case that somebody settled or put off today."""
    return replace(case(raised), settled=word(raised, choice, until, champion))


def draw(path: Path, shown: Sequence[Shown], theme: str, width: int) -> None:
    """Draw messages and modals under each other."""
    content = {
        "theme": theme,
        "width": width,
        "users": USERS,
        "messages": [{**asdict(one), "time": NOW.isoformat()} for one in shown],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
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
        dom = run(*browser, f"{size},100", "--virtual-time-budget=2000", "--dump-dom", page.as_uri())
        height = re.search(r"<title>(\d+)</title>", dom)
        assert height is not None, "the page did not say how high it is"
        shot = f"--screenshot={path.absolute()}.png"
        scale = f"--force-device-scale-factor={SCALES[theme]}"
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
            pushed(20, "meeting pushed from 4 August to 18 August by them"),
            pushed(34, "meeting pushed from 21 July to 4 August by them"),
        ),
        ("a full calendar, or a project date that moved on their side",),
        (BOB,),
        NOW - timedelta(days=41),
    )
    return Alert(JANE, judged, 1, at)


def gone() -> Alert:
    """Return the last step of the story: the automatic reply."""
    said = "auto-reply: no longer there, write to Ann Lee"
    reply = evidence(0, said, Means.GONE, Family.MAIL, 9.0, explicit=True)
    refused = evidence(
        0, "hard bounce 5.1.1 from mx.acme.example: there is no such mailbox", Means.GONE, Family.MAIL, 6.0
    )
    judged = Assessment(
        JANE.address,
        NOW,
        Verdict.LEFT,
        Strength.STRONG,
        0.99,
        said,
        (reply, refused, *slipping().assessment.evidence),
        (),
        (ANN, BOB),
        NOW - timedelta(days=61),
    )
    return Alert(JANE, judged, 1, NOW)


def refused() -> Alert:
    """Return a rejected mailbox after a quiet drift."""
    at = NOW - timedelta(hours=2)
    said = "hard bounce 5.1.1 from mx.acme.example: there is no such mailbox"
    bounce = evidence(0, said, Means.GONE, Family.MAIL, 6.0)
    judged = Assessment(
        JANE.address,
        at,
        Verdict.LIKELY_LEFT,
        Strength.CLEAR,
        0.9,
        said,
        (bounce, *slipping().assessment.evidence[:1]),
        ("a renamed address or a mail migration would bounce as well",),
        (BOB,),
        NOW - timedelta(days=61),
    )
    return Alert(JANE, judged, 1, at)


def account() -> Alert:
    """Return the notice of a domain whose mail bounces."""
    people = ("bob.roe", "eve.poe", "jane.doe", "omar.diaz")
    bounces = tuple(
        Observation(
            f"{one}@acme.example",
            HARD,
            NOW,
            MAILBOX,
            "hard bounce 5.1.1 from mx.acme.example: there is no such mailbox",
        )
        for one in people
    )
    found = incidents.Incident("acme.example", bounces)
    contact, judged = incidents.notice(found, "Acme", RITA, NOW)
    return Alert(contact, judged, 1, NOW)


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

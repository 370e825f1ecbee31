"""The page about meetings says what the readers declare."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from bot import timeline
from bot.model import Means
from tests.watchers.dialects import exchange
from tests.watchers.invitation_mails import CALL, DAY, JANE, REP, SCOPE, SENT, Invitation
from watchers.invitations import Invitations
from watchers.mail.meetings import meetings
from watchers.mail.parse import parse

PAGE = (Path(__file__).parents[1] / "docs" / "meetings.md").read_text(encoding="utf-8")


def test_the_page_has_every_sign_of_pulling_away_with_its_weight() -> None:
    table = re.findall(r"^\| .* \| (.*) \| (\d\.\d) \|$", PAGE, re.MULTILINE)

    said = {example: float(weight) for example, weight in table}
    assert said == {kind.example: kind.weight for kind in Invitations.kinds if kind.means is Means.SLIPPING}


def test_the_picture_on_the_page_is_what_is_drawn() -> None:
    words = "Sorry, our quarter ends then."
    first = Invitation(uid="a", title="a")
    second = first.pushed(14, words=words)
    third = second.pushed(14, words=f"{words} Once more.")
    ours = Invitation(
        uid="b",
        title="b",
        sender=REP,
        to=JANE,
        organizer=REP,
        sent=SENT + 3 * DAY,
        start=CALL + 9 * DAY,
        attendees=((JANE, "NEEDS-ACTION"), (REP, "ACCEPTED")),
    )
    yes = ours.but(method="REPLY", sender=JANE, to=REP, attendees=((JANE, "ACCEPTED"),), sent=ours.sent + DAY)
    ended = Invitation(uid="c", title="c", sent=SENT + 6 * DAY, start=CALL + 24 * DAY)
    early = Invitation(uid="d", title="d", sent=SENT + 8 * DAY, start=CALL + 44 * DAY)
    mails = [
        first,
        second,
        third,
        third.pushed(80, 14 * DAY),
        ours,
        yes,
        ours.pushed(21, 5 * DAY),
        ended,
        ended.but(method="CANCEL", sent=SENT + 30 * DAY),
        early,
        early.pushed(-13, 6 * DAY),
    ]
    seen = [one for mail in mails for one in Invitations().read(parse(exchange(mail)), SCOPE)]
    told = meetings(sorted((one for one in seen if one.contact == JANE), key=lambda one: one.at))
    now = datetime.fromisoformat("2026-05-31T09:00+00:00")
    drawn = [line.plain.rstrip() for line in timeline.timeline(told, now, 80)]

    assert "\n".join(drawn) in PAGE

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.backtest import past
from bot.backtest.replay import Outage, Span
from bot.backtest.settings import Chosen
from bot.model import Contact, NeedsHuman
from bot.routing import Rules
from tests import mails
from tests.backtest.past_mail import (
    FIRST,
    JANE,
    LAST,
    REP,
    acquaintance,
    at,
    backtest,
    folder,
    gone,
    lived,
    mail,
    sends,
)
from watchers.mail import RawMail

DAY = timedelta(1)
TUESDAY = FIRST + 8 * DAY


def test_a_mail_is_known_from_its_arrival_and_not_from_what_it_says_itself(tmp_path: Path) -> None:
    late = gone(at(TUESDAY), received=at(TUESDAY + 3 * DAY))
    box = folder(tmp_path / "box", [*acquaintance(), late])
    assert sends(lived(box)) == [(TUESDAY + 3 * DAY, JANE.address, "left", "first")]


def test_a_mail_that_no_server_dated_is_known_from_its_own_date(tmp_path: Path) -> None:
    box = folder(tmp_path / "box", [*acquaintance(), gone(at(TUESDAY, 23.9))])
    assert sends(lived(box)) == [(TUESDAY, JANE.address, "left", "first")]


def test_a_mail_of_the_next_midnight_belongs_to_the_next_day(tmp_path: Path) -> None:
    box = folder(tmp_path / "box", [*acquaintance(), gone(at(TUESDAY, 24.5))])
    assert sends(lived(box)) == [(TUESDAY + DAY, JANE.address, "left", "first")]


def test_what_was_known_before_the_first_day_raises_nothing(tmp_path: Path) -> None:
    box = folder(tmp_path / "box", [*acquaintance(until=FIRST - 20 * DAY), gone(at(FIRST - 5 * DAY))])
    outcome = lived(box)
    assert sends(outcome) == []
    (first, *_) = outcome.lines
    assert (first.day, first.verdict.value, first.reason.value) == (FIRST, "left", "baseline")


def test_a_contacts_first_verdict_is_printed_on_the_first_day(tmp_path: Path) -> None:
    nobody = Contact("bob@other.example")
    outcome = lived(folder(tmp_path / "box", acquaintance()), JANE, nobody)
    assert [(line.day, line.contact, line.verdict.value) for line in outcome.lines[:2]] == [
        (FIRST, "bob@other.example", "unchecked"),
        (FIRST, "jane@acme.example", "active"),
    ]


@pytest.mark.parametrize("until", [FIRST, TUESDAY, TUESDAY + 5 * DAY])
def test_no_day_is_judged_by_what_came_after_it(tmp_path: Path, until: date) -> None:
    story = [
        *acquaintance(),
        gone(at(TUESDAY)),
        mail(at(TUESDAY + 4 * DAY), to="rita@vendor.example"),
        gone(at(TUESDAY + 9 * DAY)),
    ]
    whole = lived(folder(tmp_path / "whole", story))
    span = Span(FIRST, until)
    arrived = [one for one in story if past.arrival(RawMail("", "", one)) < at(until + DAY, 0)]
    cut = lived(folder(tmp_path / "cut", arrived), span=span)
    assert [line.as_json() for line in cut.lines] == [
        line.as_json() for line in whole.lines if line.day <= until
    ]
    assert len(arrived) < len(story)


def test_an_alert_of_the_weekend_is_held_until_monday(tmp_path: Path) -> None:
    saturday = FIRST + 5 * DAY
    box = folder(tmp_path / "box", [*acquaintance(), gone(at(saturday))])
    outcome = lived(box, chosen=Chosen())
    told = [
        (line.day, line.decision.value, line.reason.value) for line in outcome.lines if line.verdict == "left"
    ]
    assert told[:2] == [(saturday, "hold", "quiet_hours"), (saturday + 2 * DAY, "send", "first")]
    assert [(one.day, one.raised) for one in outcome.told] == [(saturday + 2 * DAY, saturday)]


def refused(when: datetime) -> list[bytes]:
    """Return a mail to Jane and its bounce."""
    report = mails.bounce(JANE.address, when).replace(mails.REP.encode(), REP.encode())
    return [mail(when - timedelta(minutes=5), sender=REP, to=JANE.address), report]


def test_what_was_held_is_printed_as_sent_on_the_day_it_is_told_though_it_was_looked_at_again(
    tmp_path: Path,
) -> None:
    saturday = FIRST + 5 * DAY
    outcome = lived(folder(tmp_path / "box", [*acquaintance(), *refused(at(saturday))]), chosen=Chosen())
    assert sends(outcome) == [(saturday + 2 * DAY, JANE.address, "likely left", "first")]
    assert [one.day for one in outcome.told] == [saturday + 2 * DAY]


def test_the_end_of_a_case_that_was_never_told_is_not_sent(tmp_path: Path) -> None:
    saturday = FIRST + 5 * DAY
    box = folder(tmp_path / "box", [*acquaintance(), *refused(at(saturday)), mail(at(saturday + DAY))])
    outcome = lived(box, chosen=Chosen())
    assert "likely left" in {line.verdict for line in outcome.lines}
    assert (outcome.told, sends(outcome)) == ((), [])


def test_by_a_step_of_a_week_what_was_held_over_the_weekend_is_told_on_the_monday(tmp_path: Path) -> None:
    saturday = FIRST + 5 * DAY
    box = folder(tmp_path / "box", [*acquaintance(), gone(at(saturday))])
    outcome = lived(box, chosen=Chosen(), span=Span(saturday, LAST, 7))
    assert sends(outcome) == [(saturday + 2 * DAY, JANE.address, "left", "first")]
    assert [one.day for one in outcome.told] == [saturday + 2 * DAY]


def test_a_name_that_was_filled_in_later_is_read_with_though_a_run_was_kept(tmp_path: Path) -> None:
    told = mail(
        at(TUESDAY), sender="Ann Lee <ann@acme.example>", text="Hi, Jane Doe has left us, I take over."
    )
    box = folder(tmp_path / "box", [*acquaintance(), told])
    assert sends(lived(box, replace(JANE, name=""), data=tmp_path / "kept")) == []
    named = lived(box, JANE, data=tmp_path / "kept")
    assert sends(named) == [(TUESDAY, JANE.address, "likely left", "first")]


def test_a_reply_that_our_mail_server_found_forged_counts_where_its_word_is_not_asked_for(
    tmp_path: Path,
) -> None:
    forged = b"Authentication-Results: mx.vendor.example; dmarc=fail\r\n" + gone(at(TUESDAY))
    box = folder(tmp_path / "box", [*acquaintance(), forged])
    kept = tmp_path / "kept"
    assert sends(lived(box, data=kept)) == [(TUESDAY, JANE.address, "left", "first")]
    assert sends(lived(box, data=kept, authenticators=("mx.vendor.example",))) == []


def test_what_is_over_the_budget_is_told_on_the_next_working_day(tmp_path: Path) -> None:
    people = [
        replace(JANE, address=f"p{number}@firm{number}.example", account=f"Firm {number}")
        for number in range(3)
    ]
    mails = [
        one
        for each in people
        for one in (*acquaintance(each.address), gone(at(TUESDAY), contact=each.address))
    ]
    budget = Chosen(routing=Rules(channel="C", alerts_a_day=2))
    outcome = lived(folder(tmp_path / "box", mails), *people, chosen=budget)
    assert [one.day for one in outcome.told] == [TUESDAY, TUESDAY, TUESDAY + DAY]
    held = [line.contact for line in outcome.lines if line.reason == "over_budget"]
    assert [
        line.contact for line in outcome.lines if (line.day, line.decision) == (TUESDAY + DAY, "send")
    ] == held


def test_while_a_mailbox_cannot_be_read_its_people_are_unchecked_and_nothing_is_lost(tmp_path: Path) -> None:
    box = folder(tmp_path / "box", [*acquaintance(), gone(at(TUESDAY))])
    out = Outage(f"mailbox:{box.resolve()}", TUESDAY - DAY, TUESDAY + 4 * DAY, "token expired")
    outcome = lived(box, outages=(out,))
    verdicts = {line.day: line.verdict.value for line in outcome.lines}
    assert verdicts[TUESDAY - DAY] == "unchecked"
    assert sends(outcome) == [(TUESDAY + 4 * DAY, JANE.address, "left", "first")]


def test_a_mailbox_that_is_read_again_from_its_beginning_tells_nothing_twice(tmp_path: Path) -> None:
    box = folder(tmp_path / "box", [*acquaintance(), gone(at(TUESDAY))])
    again = Outage(
        f"mailbox:{box.resolve()}", TUESDAY + 6 * DAY, TUESDAY + 6 * DAY, "UIDVALIDITY", again=True
    )
    assert [line.as_json() for line in lived(box, outages=(again,)).lines] == [
        line.as_json() for line in lived(box).lines
    ]


def test_a_second_run_reads_no_mail_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = folder(tmp_path / "box", [*acquaintance(), gone(at(TUESDAY))])
    first = lived(box, data=tmp_path / "kept")

    def never(*_: Any) -> past.Heard:
        raise AssertionError("it was read again")

    monkeypatch.setattr(past, "hear", never)
    second = lived(box, data=tmp_path / "kept")
    assert second.lines == first.lines
    assert second.mails == first.mails == len(list(box.iterdir()))


def test_what_a_killed_run_left_half_written_is_read_anew(tmp_path: Path) -> None:
    box = folder(tmp_path / "box", [*acquaintance(), gone(at(TUESDAY))])
    first = lived(box, data=tmp_path / "kept")
    (kept,) = (tmp_path / "kept").iterdir()
    kept.write_bytes(kept.read_bytes()[:-20])
    assert lived(box, data=tmp_path / "kept").lines == first.lines


def test_a_new_mail_is_read_though_a_run_was_kept(tmp_path: Path) -> None:
    box = folder(tmp_path / "box", acquaintance())
    assert sends(lived(box, data=tmp_path / "kept")) == []
    (box / "new.eml").write_bytes(gone(at(TUESDAY)))
    assert sends(lived(box, data=tmp_path / "kept")) == [(TUESDAY, JANE.address, "left", "first")]


def test_an_mbox_is_lived_through_like_a_folder(tmp_path: Path) -> None:
    mails = [*acquaintance(), gone(at(TUESDAY))]
    line = b"From rita@vendor.example Fri Aug 14 09:00:00 2026\n"
    (tmp_path / "box.mbox").write_bytes(
        b"".join(line + one.replace(b"\r\n", b"\n") + b"\n\n" for one in mails)
    )
    outcome = lived(tmp_path / "box.mbox")
    assert outcome.mails == len(mails)
    assert sends(outcome) == [(TUESDAY, JANE.address, "left", "first")]


def test_contacts_of_different_owners_are_lived_through_apart_and_judged_the_same(tmp_path: Path) -> None:
    other = Contact("bob@other.example", "Bob", account="Other", owner="sam@vendor.example")
    mails = [
        *acquaintance(),
        *acquaintance(other.address),
        mail(at(TUESDAY), sender=other.owner, to=JANE.address),
        gone(at(TUESDAY)),
        gone(at(TUESDAY + DAY), contact=other.address),
    ]
    box = folder(tmp_path / "box", mails)
    shared = Contact("eva@third.example", "Eva", account="Third", owner=f"{JANE.owner}; {other.owner}")
    together = [line for line in lived(box, JANE, other, shared).lines if line.contact != shared.address]
    assert [line.as_json() for line in lived(box, JANE, other).lines] == [line.as_json() for line in together]


def test_several_processes_find_the_same_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.backtest.WORTH_A_PROCESS", 1)
    box = folder(tmp_path / "box", [*acquaintance(), gone(at(TUESDAY))])
    assert lived(box, jobs=2).lines == lived(box).lines


def test_mail_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(NeedsHuman, match="there is nothing"):
        backtest(tmp_path / "nowhere").run([Chosen()])


def test_a_step_of_a_week_judges_every_seventh_day() -> None:
    assert Span(FIRST, LAST, 7).days() == [FIRST + timedelta(weeks=week) for week in range(4)]


def test_who_is_on_leave_is_shown_with_the_reply_that_says_so(tmp_path: Path) -> None:
    away = mail(at(TUESDAY), automatic=True, text="I am out of the office until 20 March 2026.")
    outcome = lived(folder(tmp_path / "box", [*acquaintance(), away]))
    assert [
        (line.day, line.verdict.value, line.evidence) for line in outcome.lines if line.day == TUESDAY
    ] == [(TUESDAY, "on leave", ("on_leave",))]

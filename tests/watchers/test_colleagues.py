from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.incidents import Incident, Sort
from bot.model import Contact, Observation, Verdict
from tests.observations import BOX, JANE, NOW, RULES, bounce, exchange, judged, wrote
from watchers import Scope
from watchers.colleagues import Colleagues
from watchers.mail.parse import parse

BOB = "bob.roe@acme.example"
ASKED = "out-22@vendor.example"
"""A mail of ours to Jane in `exchange()`."""

SCOPE = Scope.of(
    [Contact(JANE, name="Jane Doe", account="Acme"), Contact(BOB, name="Bob Roe", account="Acme")],
    ["vendor.example"],
)


def mail(text: str, answers: str = ASKED, sender: str = "Ann Lee <ann@acme.example>", *more: str) -> bytes:
    head = [
        f"From: {sender}",
        "To: rita@vendor.example",
        "Date: Wed, 10 Jun 2026 09:00:00 +0000",
        "Message-ID: <taken-over@acme.example>",
        *([f"In-Reply-To: <{answers}>"] if answers else []),
        *more,
        "Content-Type: text/plain; charset=utf-8",
    ]
    return "\r\n".join([*head, "", text, "", "Ann Lee"]).encode()


def read(text: str, answers: str = ASKED, sender: str = "Ann Lee <ann@acme.example>") -> list[Observation]:
    return list(Colleagues().read(parse(mail(text, answers, sender)), SCOPE))


def told(text: str, answers: str = ASKED, now: datetime = NOW) -> list[Observation]:
    """Return what it means for Jane together with our mails to her."""
    said = [one for one in read(text, answers) if one.contact == JANE]
    return list(Colleagues().derive([*exchange(), *said], now))


@pytest.mark.parametrize(
    "text",
    [
        "Hi, Jane has left us, I am taking over.",
        "Hello Rita,\n\nthanks for your mail. Jane is no longer with the company, so please write to me.",
        "Jane Doe left Acme at the end of May.",
        "Hallo, Jane ist nicht mehr bei uns, ich übernehme.",
        "Bonjour, Jane a quitté la société, je reprends le dossier.",
        "Hola, Jane ya no está con nosotros, me encargo yo.",
        "Hallo, Jane werkt niet meer bij ons, ik neem het over.",
        "Hej, Jane har slutat hos oss, jag tar över.",
    ],
)
def test_a_colleague_who_answers_our_mail_to_somebody_and_writes_that_they_left_is_heard(text: str) -> None:
    (found,) = told(text)
    assert (found.kind, found.contact) == ("colleague_told", JANE)
    assert found.sentence == "ann@acme.example wrote that they have left"


@pytest.mark.parametrize(
    "text",
    [
        "Jane has left for today, I will ask her tomorrow.",
        "Has Jane left the company?",
        "If Jane has left the company, please tell me.",
        "Jane left us a note about this.",
        "Jane is on leave until Monday.",
        "Jane's assistant has left the company.",
        "Die Assistentin von Jane ist nicht mehr bei uns.",
        "Jane Doe and Bob Roe have left the company.",
        "Bob Roe, who works for Jane, has left the company.",
        "I have left the sales team. Jane takes over.",
        "Tom has left the company, Jane takes over.",
        "Yes, Thursday at ten suits us. Jane will join.\n\n> Jane has left the company.",
    ],
)
def test_what_is_not_surely_said_of_that_person_is_not_heard(text: str) -> None:
    assert told(text) == []


def test_a_first_name_alone_is_nobodys_where_our_mail_was_to_somebody_else() -> None:
    assert told("Jane has left the company.", answers="out-to-bob@vendor.example") == []
    assert told("Jane has left the company.", answers="") == []
    assert told("Jane Doe has left the company.", answers="") != []


def test_two_people_of_that_first_name_leave_open_who_is_meant() -> None:
    other = Contact("jane.poe@acme.example", name="Jane Poe", account="Acme")
    scope = Scope.of([*SCOPE.contacts, other], ["vendor.example"])
    assert list(Colleagues().read(parse(mail("Jane has left the company.")), scope)) == []


@pytest.mark.parametrize(
    "sender", ["Tom <tom@other.example>", "Rita <rita@vendor.example>", "Jane Doe <jane@acme.example>"]
)
def test_a_stranger_we_ourselves_and_the_person_cannot_say_it(sender: str) -> None:
    assert read("Jane Doe has left the company.", sender=sender) == []


def test_a_machine_and_a_mailing_list_cannot_say_it() -> None:
    for header in ("Auto-Submitted: auto-replied", "List-Id: <news.acme.example>"):
        raw = mail("Jane Doe has left the company.", ASKED, "Ann Lee <ann@acme.example>", header)
        assert list(Colleagues().read(parse(raw), SCOPE)) == []


def test_a_last_day_that_is_still_to_come_is_waited_for() -> None:
    text = "Jane will be leaving us on 30 June, from then on write to me."
    assert told(text) == []
    (found,) = told(text, now=datetime(2026, 7, 1, 8, tzinfo=UTC))
    assert found.at == datetime(2026, 7, 1, tzinfo=UTC)


def test_a_colleagues_word_is_likely_left_until_the_person_writes_again() -> None:
    said = [one for one in read("Jane has left us, I am taking over.") if one.contact == JANE]
    found = judged([*exchange(), *said])
    assert found.verdict is Verdict.LIKELY_LEFT
    assert found.headline == "ann@acme.example wrote that they have left"
    assert judged([*exchange(), *said, wrote(1)]).verdict is Verdict.ACTIVE


def test_a_domain_that_moved_takes_no_weight_from_what_a_colleague_wrote() -> None:
    (found,) = told("Jane has left us.")
    moved = Incident("acme.example", (bounce(3),), Sort.MOVED, "acme-group.example", NOW - timedelta(60))
    assert not moved.explains(found, RULES.kinds[found.kind])


def test_of_what_a_colleague_wrote_nothing_is_kept_but_the_fact() -> None:
    (found,) = read("Jane Doe has left the company after a long illness.")
    kept = f"{found.sentence} {found.facts} {found.because}"
    assert "illness" not in kept
    assert found.source == ""
    assert BOX not in kept


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_whatever_a_colleague_writes_is_read_without_a_fault(text: str) -> None:
    for one in read(f"{text} Jane Doe has left the company. {text}"):
        assert one.contact == JANE

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Observation
from tests.watchers.bounce_mails import (
    BOB,
    JANE,
    LAYOUTS,
    MIXED,
    ORIGINAL,
    REPORT,
    Case,
    case,
    dsn,
    group,
    mixed,
)
from watchers import Scope
from watchers.bounces import Bounces
from watchers.mail.head import Head
from watchers.mail.parse import parse

SCOPE = Scope(our_domains=frozenset({"ours.example"}))


def read(raw: bytes, scope: Scope = SCOPE) -> Sequence[Observation]:
    return Bounces().read(parse(raw), scope)


def said(raw: bytes) -> tuple[tuple[str, str], ...]:
    return tuple((observation.contact, observation.kind) for observation in read(raw))


def report(*groups: str, text: str = "Your message could not be delivered.", **head: str) -> bytes:
    return case("report", dsn(text, *groups), Content_Type=REPORT, **head).raw


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_each_layout_is_read_with_its_recipients_and_kinds(layout: Case) -> None:
    assert said(layout.raw) == layout.says


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_each_layout_is_wanted_by_its_headers(layout: Case) -> None:
    assert Bounces().wants(parse(layout.raw).head)


@pytest.mark.parametrize("example", Bounces.examples, ids=lambda example: str(example.kinds))
def test_the_readers_own_examples_are_read_as_they_say(example: object) -> None:
    raw, kinds = example.raw, example.kinds  # type: ignore[attr-defined]
    assert tuple(observation.kind for observation in read(raw)) == kinds


def test_each_recipient_of_a_report_has_a_reading_of_its_own() -> None:
    raw = report(
        group(JANE, "5.1.1", "550 5.1.1 User unknown"),
        group(BOB, "5.2.2", "552 5.2.2 Mailbox full"),
        group("eve@acme.example", "4.4.1", "connect to mx.acme.example: Connection timed out", "delayed"),
    )
    assert said(raw) == ((JANE, "mailbox_gone"), (BOB, "full"), ("eve@acme.example", "transient"))


def test_the_facts_of_a_report_are_kept() -> None:
    fields = "\n".join([group(JANE, "5.1.1", "550 5.1.1 User unknown"), "Remote-MTA: dns; mx.acme.example"])
    [observation] = read(report(fields))
    assert observation.at == datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
    assert observation.source == observation.group == ""
    assert observation.sentence == "hard bounce 5.1.1 from mx.acme.example: there is no such mailbox"
    assert observation.facts == {
        "message_id": "report-1@mx.acme.example",
        "status": "5.1.1",
        "reply": "550",
        "diagnostic": "550 5.1.1 User unknown",
        "action": "failed",
        "reporting_mta": "mx.ours.example",
        "remote_mta": "mx.acme.example",
        "final_recipient": JANE,
        "original_recipient": "",
        "expanded_from": "",
        "original_message_id": "offer-1@ours.example",
        "original_from": "ann@ours.example",
        "original_date": "2026-05-04T09:00:00+00:00",
        "original_to": [JANE],
        "ours": True,
    }
    assert len(observation.because) == 2


@pytest.mark.parametrize(
    ("domains", "ours"), [({"ours.example"}, True), ({"other.example"}, False), (set(), None)]
)
def test_a_returned_mail_is_ours_where_its_author_is(domains: set[str], ours: bool | None) -> None:  # noqa: FBT001 - pytest names it
    [observation] = read(report(group(JANE, "5.1.1")), Scope(our_domains=frozenset(domains)))
    assert observation.facts["ours"] is ours


def test_a_report_without_the_original_is_neither_ours_nor_not() -> None:
    [observation] = read(case("x", "<jane@acme.example>: could not be delivered: 550 User unknown").raw)
    assert observation.facts["ours"] is None
    assert observation.facts["original_message_id"] == ""


def test_the_original_recipient_is_preferred_where_we_wrote_to_it() -> None:
    fields = f"Original-Recipient: rfc822; {JANE}\n" + group(
        "jr4711@store.acme.example", "5.1.1", "550 User unknown"
    )
    [observation] = read(report(fields))
    assert observation.contact == JANE
    assert observation.facts["final_recipient"] == "jr4711@store.acme.example"


def test_the_final_recipient_is_preferred_where_we_wrote_to_that() -> None:
    fields = "Original-Recipient: rfc822; list@elsewhere.example\n" + group(JANE, "5.1.1", "550 User unknown")
    assert said(report(fields)) == ((JANE, "mailbox_gone"),)


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_report_of_success_says_nothing(action: str) -> None:
    assert said(report(group(JANE, "2.0.0", "250 ok", action))) == ()


def test_a_delay_never_says_gone() -> None:
    raw = report(group(JANE, "4.1.1", "450 4.1.1 User unknown in local recipient table", "delayed"))
    assert said(raw) == ((JANE, "transient"),)


def test_a_diagnostic_in_the_text_alone_is_found() -> None:
    raw = report(group(JANE, "5.0.0"), text=f"{JANE}: 550 5.1.1 <{JANE}>... User Unknown")
    assert said(raw) == ((JANE, "mailbox_gone"),)


def test_a_report_whose_frame_is_broken_is_read_from_its_text() -> None:
    body = dsn("Your message could not be delivered.", group(JANE, "5.1.1", "550 5.1.1 User unknown"))
    raw = case("x", body.replace("--b", "--other"), Content_Type=REPORT).raw
    assert said(raw) == ((JANE, "mailbox_gone"),)


def test_fields_with_odd_spaces_and_types_are_read() -> None:
    fields = f"Final-Recipient : rfc/822;{JANE}\nAction : failed\nDiagnostic-Code : smtp;550 No such user"
    assert said(report(fields)) == ((JANE, "mailbox_gone"),)


GONE = report(group(JANE, "5.1.1", "550 5.1.1 User unknown"))
INNER = GONE.decode().replace('"b"', '"c"').replace("--b", "--c")
"""A report that stands in another mail."""


def test_a_report_attached_to_a_gateways_notice_is_read() -> None:
    raw = case(
        "x", mixed("The following addresses had permanent delivery errors", INNER), Content_Type=MIXED
    ).raw
    assert said(raw) == ((JANE, "mailbox_gone"),)


def test_a_report_that_a_person_forwards_is_no_bounce() -> None:
    raw = case(
        "x",
        mixed("Look what came back. Your message could not be delivered: 550 User unknown", INNER),
        sender="Jane Roe <jane@acme.example>",
        Subject="Fwd: Undelivered Mail Returned to Sender",
        Content_Type=MIXED,
    ).raw
    assert said(raw) == ()


@pytest.mark.parametrize(
    ("subject", "says"), [("Undeliverable: Offer", ((JANE, "mailbox_gone"),)), ("Offer", ())]
)
def test_fields_from_an_unknown_sender_are_believed_if_the_subject_agrees(
    subject: str, says: tuple[tuple[str, str], ...]
) -> None:
    body = dsn("See below.", group(JANE, "5.1.1", "550 5.1.1 User unknown"))
    raw = case("x", body, sender="relay7@acme.example", Subject=subject, Content_Type=MIXED).raw
    assert said(raw) == says


def test_a_person_who_quotes_a_report_is_no_bounce() -> None:
    raw = case(
        "x",
        "Hi Ann, I got this: 550 5.1.1 <bob@acme.example> User unknown. Your message could not be delivered.",
        sender="Jane Roe <jane@acme.example>",
        Subject="Undelivered Mail Returned to Sender",
    ).raw
    assert said(raw) == ()


@pytest.mark.parametrize(
    ("kind", "parameter"),
    [
        ("message/disposition-notification", "disposition-notification"),
        ("text/plain", "disposition-notification"),
    ],
)
def test_a_read_receipt_is_no_bounce(kind: str, parameter: str) -> None:
    receipt = (
        f"Final-Recipient: rfc822; {JANE}\nDisposition: automatic-action/MDN-sent-automatically; deleted"
    )
    raw = case(
        "x",
        mixed("Your message was deleted without being read.", receipt, kind),
        sender="Jane Roe <jane@acme.example>",
        Subject="Not read: Offer",
        Return_Path="<>",
        Content_Type=f'multipart/report; report-type={parameter}; boundary="b"',
    ).raw
    assert said(raw) == ()


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (
            "Automatic reply: Offer",
            "I am out of the office until Monday. Your message will not be forwarded.",
        ),
        (
            "Automatic reply: Offer",
            "Jane Roe is no longer with Acme. Your message could not be delivered to her.",
        ),
        ("Re: Offer", "This mailbox is not monitored. Please write to support@acme.example."),
        (
            "Abwesenheitsnotiz",
            "Frau Roe ist nicht mehr bei uns tätig. Die E-Mail-Adresse existiert nicht mehr.",
        ),
        (
            "Please confirm",
            "Your message has not been delivered yet. Please confirm your message by clicking here.",
        ),
    ],
)
def test_an_answer_of_a_responder_is_no_bounce(subject: str, text: str) -> None:
    raw = case(
        "x",
        text,
        sender="Jane Roe <jane@acme.example>",
        Subject=subject,
        Return_Path="<>",
        Auto_Submitted="auto-replied",
    ).raw
    assert said(raw) == ()


def test_a_newsletter_about_bounces_is_no_bounce() -> None:
    raw = case(
        "x",
        "Why mail could not be delivered: 1. user unknown, 2. mailbox full. Write to jane@acme.example.",
        sender="News <noreply@acme.example>",
        Subject="Delivery failure? Our guide",
    ).raw
    assert said(raw) == ()


FEEDBACK = """Feedback-Type: abuse
User-Agent: Provider/1.0
Version: 1
Original-Rcpt-To: <jane@acme.example>
"""


def test_a_complaint_is_feedback() -> None:
    raw = case(
        "x",
        mixed("This is an email abuse report.", FEEDBACK, "message/feedback-report"),
        sender="staff@provider.example",
        Subject="Abuse report",
        Content_Type='multipart/report; report-type=feedback-report; boundary="b"',
    ).raw
    assert said(raw) == ((JANE, "feedback"),)


def test_a_complaint_without_a_named_recipient_is_about_whom_the_mail_went_to() -> None:
    raw = case(
        "x",
        mixed("", ORIGINAL),
        sender="staff@hotmail.example",
        Subject="complaint about message from 192.0.2.1",
        Content_Type=MIXED,
    ).raw
    assert said(raw) == ((JANE, "feedback"),)


NOTIFIED = """{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bouncedRecipients":
[{"emailAddress":"jane@acme.example","action":"failed","status":"5.1.1","diagnosticCode":
"smtp; 550 5.1.1 user unknown"}],"reportingMTA":"dsn; a1.smtp-out.example"},"mail":
{"source":"ann@ours.example","headers":[{"name":"From","value":"ann@ours.example"}]}}
--
If you wish to stop receiving notifications from this topic, please click here.
"""
NOTIFIER = {"sender": "AWS Notifications <no-reply@sns.amazonaws.com>", "Subject": "AWS Notification Message"}


def test_a_notification_of_amazon_ses_is_read() -> None:
    [observation] = read(case("x", NOTIFIED, **NOTIFIER).raw)
    assert (observation.contact, observation.kind) == (JANE, "mailbox_gone")
    assert observation.facts["reporting_mta"] == "a1.smtp-out.example"
    assert observation.facts["ours"] is True


@pytest.mark.parametrize(
    "text", ["{", '{"notificationType": 1}', "[" * 5000, '{"notificationType":"Delivery","mail":{}}']
)
def test_a_notification_that_reports_no_bounce_or_is_damaged_says_nothing(text: str) -> None:
    assert said(case("x", text, **NOTIFIER).raw) == ()


@pytest.mark.parametrize(
    "head",
    [
        {"from": b"Jane Roe <jane@acme.example>", "subject": b"Offer"},
        {"from": b"News <noreply@acme.example>", "subject": b"What is new in May", "list-id": b"<news>"},
        {
            "from": b"Ann <ann@ours.example>",
            "subject": b"Re: your mail",
            "return-path": b"<ann@ours.example>",
        },
        {},
    ],
)
def test_ordinary_mail_is_not_wanted(head: dict[str, bytes]) -> None:
    assert not Bounces().wants(Head(tuple(head.items())))


def test_a_mail_of_which_only_the_headers_are_known_is_read_without_an_error() -> None:
    raw = LAYOUTS[0].raw.partition(b"\n\n")[0] + b"\n\n"
    assert {observation.kind for observation in read(raw)} <= {"other", "transient"}


def test_quotes_of_the_diagnostic_are_bounded_and_printable() -> None:
    long = "550 5.1.1 User unknown \x07" + "x" * 5000
    [observation] = read(report(group(JANE, "5.1.1", long)))
    diagnostic = observation.facts["diagnostic"]
    assert isinstance(diagnostic, str)
    assert len(diagnostic) <= 300
    assert all(
        len(line) <= 300 and line.isprintable()
        for line in (*observation.because, observation.sentence, diagnostic)
    )


HOSTILE: dict[str, Callable[[], bytes]] = {
    "20,000 recipients in fields": lambda: report(
        *(group(f"u{i}@acme.example", "5.1.1", "550 User unknown") for i in range(20_000))
    ),
    "20,000 recipients in text": lambda: undelivered(
        "".join(f"\n<u{i}@acme.example>: 550 User unknown" for i in range(20_000))
    ),
    "a line of 5 MB": lambda: undelivered(" to <jane@acme.example> " + "a@" * 2_500_000),
    "a field of 5 MB": lambda: report(group(JANE, "5.1.1", "5" * 5_000_000)),
    "25 MB of text": lambda: undelivered("\n550 jane@acme.example x" * 1_000_000),
    "spaces": lambda: undelivered(" " * 3_000_000 + "x"),
    "colons": lambda: undelivered("\n" + ":" * 3_000_000),
    "blank lines": lambda: report("\n" * 3_000_000 + group(JANE, "5.1.1")),
    "5,000 failed recipients": lambda: (
        case("x", "could not be delivered", X_Failed_Recipients="a@b.example," * 5000).raw
    ),
}


def undelivered(text: str) -> bytes:
    return case("x", f"Your message could not be delivered{text}").raw


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_report_is_read_within_a_second_and_bounds(name: str) -> None:
    raw = HOSTILE[name]()
    started = time.process_time()
    observations = read(raw)
    assert time.process_time() - started < 1
    assert len(observations) <= 200


@given(st.sampled_from(LAYOUTS), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6)), max_size=12))
@settings(max_examples=150, deadline=None)
def test_damage_of_any_kind_never_raises(layout: Case, damage: list[tuple[float, bytes]]) -> None:
    raw = bytearray(layout.raw)
    for place, piece in damage:
        at = int(place * len(raw))
        raw[at : at + 3] = piece
    for observation in read(bytes(raw)):
        assert observation.kind in {kind.name for kind in Bounces.kinds}
        assert len(observation.key) == 32


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_report_cut_anywhere_never_raises(data: st.DataObject) -> None:
    raw = report(group(JANE, "5.1.1", "550 5.1.1 User unknown"), group(BOB, "5.2.2"))
    read(raw[: data.draw(st.integers(0, len(raw)))])

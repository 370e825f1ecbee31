from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Contact, Observation
from tests.watchers.dialects import DIALECTS
from tests.watchers.invitation_mails import BOB, JANE, REP, SCOPE, Invitation
from watchers import Scope
from watchers.correspondence import Correspondence
from watchers.mail.parse import parse


def mail(sender: str = JANE, to: str = REP, cc: str = "", **more: str) -> bytes:
    fields = {
        "From": f"Jane Doe <{sender}>",
        "To": to,
        "Cc": cc,
        "Date": "Mon, 20 Apr 2026 09:00:00 +0000",
        "Message-ID": "<2@mail.example>",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return (
        "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value).encode() + b"\r\nHello\r\n"
    )


def read(raw: bytes, scope: Scope = SCOPE) -> list[Observation]:
    return list(Correspondence().read(parse(raw), scope))


def seen(raw: bytes, scope: Scope = SCOPE) -> list[tuple[str, str]]:
    return [(one.contact, one.kind) for one in read(raw, scope)]


def test_a_mail_by_the_person_to_us_is_proof_of_life() -> None:
    (found,) = read(mail(In_Reply_To="<1@vendor.example>", cc=f"{BOB}, mum@home.example"))[:1]

    assert (found.contact, found.kind) == (JANE, "wrote")
    assert found.at == datetime(2026, 4, 20, 9, tzinfo=UTC)
    assert found.sentence == "wrote to rep@vendor.example"
    assert found.facts == {
        "message_id": "2@mail.example",
        "answers": "1@vendor.example",
        "field": "",
        "with": [REP, BOB],
        "name": "Jane Doe",
    }


def test_a_mail_of_ours_is_noted_for_each_person_it_went_to() -> None:
    found = read(mail(sender=REP, to=f"Jane <{JANE}>, boss@vendor.example", cc=BOB))

    assert [(one.contact, one.kind, one.facts["field"]) for one in found] == [
        (JANE, "written_to", "to"),
        (BOB, "written_to", "cc"),
    ]
    assert found[0].facts["name"] == "Jane"
    assert found[0].facts["with"] == [REP, "boss@vendor.example", BOB]


def test_a_watched_person_on_a_colleagues_mail_is_copied() -> None:
    assert seen(mail(sender=BOB, to=REP, cc=JANE)) == [(BOB, "wrote"), (JANE, "copied")]


def test_a_mail_that_was_not_for_us_is_no_sign_that_they_wrote_to_us() -> None:
    assert seen(mail(to="friend@elsewhere.example")) == []
    assert seen(mail(to="undisclosed-recipients:;", Delivered_To=REP)) == [(JANE, "wrote")]


def test_where_our_domains_are_unknown_every_mail_counts_as_written_to_us() -> None:
    assert seen(mail(to="anybody@elsewhere.example"), Scope()) == [(JANE, "wrote")]


@pytest.mark.parametrize(
    "more",
    [
        {"Auto_Submitted": "auto-replied"},
        {"List_Id": "<news.acme.example>"},
        {"Precedence": "bulk"},
        {"Content_Class": "urn:content-classes:calendarmessage"},
        {"Content_Type": "text/calendar; method=REPLY"},
        {"Content_Type": "multipart/report; report-type=delivery-status; boundary=x"},
    ],
    ids=str,
)
def test_what_a_machine_wrote_is_nobodys_word(more: dict[str, str]) -> None:
    assert read(mail(**more)) == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_invitation_is_nobodys_word_in_any_dialect(dialect: str) -> None:
    raw = DIALECTS[dialect](Invitation())

    kinds = [kind for contact, kind in seen(raw) if contact == JANE]
    assert kinds == []


def test_an_invitation_of_ours_is_a_mail_to_them_because_it_can_bounce() -> None:
    ours = Invitation(sender=REP, to=JANE, organizer=REP)

    assert seen(DIALECTS["exchange"](ours)) == [(JANE, "written_to")]


def test_a_mailing_of_ours_is_no_word_to_a_person() -> None:
    crowd = ", ".join(f"guest{n}@acme.example" for n in range(60))

    assert read(mail(sender=REP, to=crowd)) == []
    assert read(mail(sender=REP, to=JANE, Auto_Submitted="auto-generated")) == []


def test_a_name_is_kept_short_and_printable() -> None:
    (found,) = read(mail().replace(b"Jane Doe", b'"Jane\x07\tDoe' + b"x" * 200 + b'"'))

    name = str(found.facts["name"])
    assert name.startswith("Jane Doe")
    assert len(name) == 80


def test_no_body_is_ever_wanted() -> None:
    assert not Correspondence().wants(parse(mail()).head)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_random_headers_never_raise(raw: bytes) -> None:
    read(raw)
    read(b"From: " + JANE.encode() + b"\r\nTo: " + raw)


def test_a_mail_system_is_no_person() -> None:
    raw = b"From: Mail System <MAILER-DAEMON@acme.example>\nTo: rep@vendor.example\n\nSorry."
    assert Correspondence().read(parse(raw), Scope(frozenset({"vendor.example"}))) == ()


@pytest.mark.parametrize(
    ("sender", "known"),
    [
        ("Jane Doe <jane.doe@acme-group.example>", True),
        ("JANE DOE <Jane.Doe@Acme-Group.example>", True),
        ("John Doe <jane.doe@acme-group.example>", False),
        ("jane.doe@acme-group.example", False),
        ("Jane Doe <j.doe@acme-group.example>", False),
        ("Jane Doe <jane.doe@gmail.com>", False),
        ("Jane Doe <jane.doe@acme.example>", False),
    ],
)
def test_somebody_of_the_persons_name_and_local_part_who_writes_from_another_domain_is_noted(
    sender: str, *, known: bool
) -> None:
    scope = Scope.of([Contact("jane.doe@acme.example", "Jane Doe")], ["vendor.example"])
    headers = f"From: {sender}\r\nTo: {REP}\r\nDate: Mon, 20 Apr 2026 09:00:00 +0000\r\n"
    raw, away = (
        f"{headers}{more}\r\nHello.\r\n".encode() for more in ("", "Auto-Submitted: auto-replied\r\n")
    )
    found = [one for one in read(raw, scope) if one.kind == "wrote_elsewhere"]
    assert bool(found) == known
    assert [one.kind for one in read(away, scope)] == ["wrote_elsewhere"] * known
    for one in found:
        assert (one.contact, one.facts["domain"]) == ("jane.doe@acme.example", "acme-group.example")
        assert one.sentence == "wrote from another domain: acme-group.example"

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchers.bounces import Bounces
from watchers.mail import bounce_layouts as layouts
from watchers.mail import bounce_table as table
from watchers.mail.wording import Phrase, phrases, plain

PHRASES = (*table.diagnoses().phrases, *table.diagnoses(vague=True).phrases)
LAYOUT_TABLES = {
    name: getattr(layouts, name)
    for name in (
        "SYSTEM_NAMES",
        "SUBJECTS",
        "NOTICES",
        "WARNINGS",
        "ORIGINALS",
        "NOT_REPORTS",
        "CONTACTS",
        "RECIPIENT_LABELS",
    )
}
LAYOUT_ROWS = [(name, phrase) for name, rows in LAYOUT_TABLES.items() for phrase in phrases(rows)]


def status_in(example: str) -> str:
    found = re.search(r"[245]\.\d+\.\d+", example) or re.match(r"[245]\d\d", example)
    return found[0] if found else ""


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.example[:60])
def test_every_row_finds_its_own_example(phrase: Phrase) -> None:
    assert phrase.is_in(plain(phrase.example), status_in(phrase.example))


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.example[:60])
def test_the_whole_table_reads_every_example_as_its_row_says(phrase: Phrase) -> None:
    status = status_in(phrase.example)
    found = table.diagnose(phrase.example, status) or table.diagnose(phrase.example, status, vague=True)
    assert found is not None
    assert found.kind == phrase.kind


def test_every_row_has_a_reason_and_a_kind_that_the_reader_declares() -> None:
    declared = {kind.name for kind in Bounces.kinds}
    assert all(phrase.why and phrase.kind in declared for phrase in PHRASES)
    assert {kind for _, kind in re.findall(r"\[([\d.]+)\] (\w+)", table.STATUS_ONLY)} <= declared
    assert {kind for _, kind in re.findall(r"\[([\d.]+)\] (\w+)", table.REPLY_ONLY)} <= declared


def test_no_row_is_written_twice() -> None:
    said = [(phrase.says, phrase.status) for phrase in PHRASES]
    assert len(said) == len(set(said))


@pytest.mark.parametrize(("name", "phrase"), LAYOUT_ROWS, ids=lambda value: str(value)[:60])
def test_every_layout_row_is_found_in_its_example(name: str, phrase: Phrase) -> None:
    assert phrase.example
    assert phrase.is_in(plain(phrase.example))
    assert layouts.says(LAYOUT_TABLES[name], phrase.example)


@pytest.mark.parametrize(
    ("diagnostic", "kind"),
    [
        ("550 5.1.1 <jane@acme.example> - 192.0.2.5 has sent to too many recipients this hour", "blocked"),
        ("550 5.1.1 <jane@acme.example>... Mailbox full", "full"),
        ("550 5.1.0 <ann@ours.example> sender rejected", "blocked"),
        ("550 5.7.1 <jane@acme.example>: Recipient address rejected: User unknown", "mailbox_gone"),
        ("550 5.0.0 No such user", "mailbox_gone"),
        (
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
            "mailbox_gone",
        ),
        ("550 5.4.1 Recipient address rejected: Access denied", "mailbox_gone"),
        ("554 5.7.1 <jane@acme.example>: Recipient address rejected: Access denied", "blocked"),
        ("550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", "blocked"),
        ("550 5.2.1 The email account that you tried to reach is disabled", "mailbox_gone"),
        ("450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents", "blocked"),
        ("550 5.2.2 The email account that you tried to reach is over quota", "full"),
        ("553 5.1.8 <ann@ours.example>: Sender address rejected: User unknown", "blocked"),
        ("Host or domain name not found. Name service error for name=acme.example", "domain_gone"),
    ],
)
def test_the_words_of_a_diagnostic_count_before_its_codes(diagnostic: str, kind: str) -> None:
    found = table.diagnose(diagnostic, status_in(diagnostic))
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("5.1.1", "mailbox_gone"),
        ("5.1.10", "mailbox_gone"),
        ("5.7.999", "blocked"),
        ("4.9.9", "transient"),
        ("", ""),
    ],
)
def test_a_status_code_alone_means_what_its_longest_known_beginning_means(status: str, kind: str) -> None:
    assert table.by_status(status) == kind


def test_a_reply_code_alone_is_the_last_resort() -> None:
    assert table.by_reply("452") == "full"
    assert table.by_reply("499") == "transient"
    assert table.by_reply("550") == ""
    assert table.by_reply("") == ""


def test_an_address_is_no_part_of_a_phrase() -> None:
    assert table.diagnose("250 <no-such-user@unknown-host.example> accepted") is None


@given(st.text(max_size=400))
@settings(max_examples=60, deadline=None)
def test_any_text_can_be_searched(text: str) -> None:
    table.diagnose(text)
    for rows in LAYOUT_TABLES.values():
        layouts.says(rows, text)

"""The page that says what is read is read by the readers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import watchers
from bot.model import Observation
from watchers import MailReader, Scope
from watchers.mail.folding import fold
from watchers.mail.own_text import Text, own_text
from watchers.mail.parse import parse
from watchers.mail.phrases import languages
from watchers.mail.wording import phrases, plain

watchers.load()

PAGE = (Path(__file__).parents[1] / "docs" / "what-is-read.md").read_text(encoding="utf-8")
SCOPE = Scope(our_domains=frozenset({"vendor.example"}))
BOUNCES, REPLIES = (MailReader.registry[name] for name in ("bounces", "auto_replies"))


def section(title: str) -> str:
    """Return what stands under a heading."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of the tables in a text, without their headings."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line] for line in lines]
    return [line for line in cells if line[0] not in {"kind", "says", "a diagnostic", "---"}]


def block(name: str) -> str:
    """Return the code of the one block of that name."""
    (found,) = re.findall(rf"```{name}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def reported(diagnostic: str) -> list[Observation]:
    """Read a report of a mail to Jane that was refused with these words."""
    status = re.search(r"\d\.\d\.\d+", diagnostic)
    raw = (
        "From: MAILER-DAEMON@mx.vendor.example\nTo: ann@vendor.example\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.vendor.example\n\n"
        "Final-Recipient: rfc822; jane@acme.example\nAction: failed\n"
        f"Status: {status[0] if status else '5.0.0'}\nDiagnostic-Code: smtp; {diagnostic}\n--b--\n"
    )
    return list(BOUNCES().read(parse(raw.encode()), SCOPE))


def answered(text: str, *, automatic: bool = True) -> list[Observation]:
    """Read what Jane, or her auto-responder, answered."""
    raw = (
        "From: Jane Doe <jane@acme.example>\nTo: ann@vendor.example\nIn-Reply-To: <1@vendor.example>\n"
        "Date: Mon, 07 Sep 2026 09:00:00 +0000\nContent-Type: text/plain; charset=utf-8\n"
        f"{'Auto-Submitted: auto-replied' if automatic else 'Subject: Re: Pilot'}\n\n{text}\n"
    )
    return list(REPLIES().read(parse(raw.encode()), SCOPE))


KINDS = [row for row in rows(section("Bounces")) if len(row) == 3]
CODES = [row for row in rows(section("Bounces")) if len(row) == 2]
SAYS = rows(section("Auto-replies and goodbyes"))
TRAPS = re.findall(r"^- (.+)$", section("What is deliberately not a departure"), re.MULTILINE)


def test_the_page_has_a_row_for_every_kind_that_the_two_readers_declare() -> None:
    assert {row[0] for row in KINDS} == {kind.name for kind in BOUNCES.kinds}
    assert {row[0] for row in SAYS} == {kind.name for kind in REPLIES.kinds}


@pytest.mark.parametrize(("kind", "diagnostic"), [(row[0], row[2].strip("`")) for row in KINDS if row[2]])
def test_every_diagnostic_of_the_page_is_read_as_its_row_says(kind: str, diagnostic: str) -> None:
    assert [seen.kind for seen in reported(diagnostic)] == [kind]


@pytest.mark.parametrize(("diagnostic", "kind"), [(row[0].strip("`"), row[1]) for row in CODES])
def test_the_words_of_the_page_beat_their_codes(diagnostic: str, kind: str) -> None:
    assert [seen.kind for seen in reported(diagnostic)] == [kind]


@pytest.mark.parametrize(("says", "text"), [(row[0], row[2]) for row in SAYS])
def test_every_answer_of_the_page_is_read_as_its_row_says(says: str, text: str) -> None:
    assert [seen.kind for seen in answered(text, automatic=says != "farewell")] == [says]


@pytest.mark.parametrize("text", TRAPS)
def test_nothing_that_the_page_calls_no_departure_is_read_as_one(text: str) -> None:
    assert not {"departed", "farewell"} & {seen.kind for seen in answered(text)}
    assert not {"departed", "farewell"} & {seen.kind for seen in answered(text, automatic=False)}


def test_the_page_names_every_language() -> None:
    named = section("Auto-replies and goodbyes").partition("**Languages**: ")[2].partition(".")[0]
    assert re.split(r",\s+", named) == sorted(one.name for one in languages())


def test_the_bounce_that_the_page_adds_would_be_found_and_is_new() -> None:
    (phrase,) = phrases(block("bounce"))
    assert phrase.is_in(plain(phrase.example))
    assert [seen.kind for seen in reported(phrase.example)] == ["other"]


def test_the_auto_reply_that_the_page_adds_would_be_found_and_is_new() -> None:
    pattern, example = block("auto-reply").splitlines()
    assert re.search(fold(pattern), Text(own_text(example)).low)
    assert [seen.kind for seen in answered(example.strip())] == ["acknowledgement"]

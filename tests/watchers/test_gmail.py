from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.model import NeedsHuman, SourceDown
from bot.story import Step
from tests.mails import JANE, REP, at, bounce, plain
from tests.servers import google_mail
from tests.servers.google_mail import GoogleMail, refusal
from tests.servers.oauth import AuthorizationServer
from tests.watchers.granting import BOARD, OMAR, RITA, automatic, pem, read, service_account
from tests.watchers.storytelling import is_ours, must_end_in_left
from watchers.mail import RawMail, Skipped, gmail
from watchers.mail.gmail import GmailMailboxes, GmailSource, head_of
from watchers.mail.head import split_head

AGES = 20 * 365
"""Days; the mails of these tests have fixed dates."""


@pytest.fixture
async def google(tokens: AuthorizationServer) -> AsyncIterator[GoogleMail]:
    async with google_mail.running(tokens) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, tokens: AuthorizationServer, google: GoogleMail) -> dict[str, Any]:
    return {
        "kind": "gmail",
        "key_file": service_account(tmp_path, tokens, RITA, OMAR),
        "mailboxes": [RITA],
        "history_days": AGES,
        "api": google.url,
        "token_url": f"{tokens.url}token",
    }


@pytest.fixture
def source(settings: dict[str, Any]) -> GmailSource:
    return source_of(settings)


def source_of(settings: dict[str, Any]) -> GmailSource:
    [box] = GmailMailboxes(**settings).boxes()
    opened = box.open("mailbox:rita")
    assert isinstance(opened, GmailSource)
    return opened


async def test_the_first_pass_gives_all_mail_oldest_first_and_the_next_one_nothing(
    google: GoogleMail, source: GmailSource
) -> None:
    mails = [plain(JANE, REP, at(day)) for day in range(1, 6)]
    for day, mail in enumerate(mails, 1):
        google.deliver(RITA, mail, at(day))
    first = await read(source)
    assert first.mails == mails
    google.asked.clear()
    assert (await read(source, first.cursor)).items == []
    assert google.paths("format=") == []


async def test_what_arrives_later_is_fetched_by_the_history_alone(
    google: GoogleMail, source: GmailSource
) -> None:
    google.deliver(RITA, plain(JANE, REP, at(1)), at(1))
    first = await read(source)
    google.asked.clear()
    later = bounce(JANE, at(2))
    google.deliver(RITA, later, at(2))
    assert (await read(source, first.cursor)).mails == [later]
    assert google.paths("messages?") == []
    assert len(google.paths("history?")) == 1


async def test_a_delivery_report_comes_byte_for_byte(google: GoogleMail, source: GmailSource) -> None:
    report = bounce(JANE, at(3))
    google.deliver(RITA, report, at(3))
    assert (await read(source)).mails == [report]


async def test_bodies_are_fetched_only_of_what_is_wanted(google: GoogleMail, source: GmailSource) -> None:
    google.deliver(RITA, plain(JANE, REP, at(1), "Private words"), at(1))
    report = google.deliver(RITA, bounce(JANE, at(2)), at(2))
    found = await read(source, wants=automatic)
    head, whole = found.items
    assert isinstance(head, RawMail)
    assert head.headers_only
    assert split_head(head.content, 0, len(head.content))[0].subject == "Private words"
    assert b"Sounds good" not in head.content
    assert isinstance(whole, RawMail)
    assert not whole.headers_only
    assert google.paths("format=raw") == [f"messages/{report}?format=raw"]


async def test_sent_mail_and_spam_are_read_but_neither_drafts_nor_the_bin(
    google: GoogleMail, source: GmailSource
) -> None:
    wanted = [plain(REP, JANE, at(1)), bounce(JANE, at(2))]
    google.deliver(RITA, wanted[0], at(1), "SENT")
    google.deliver(RITA, wanted[1], at(2), "SPAM")
    google.deliver(RITA, plain(REP, JANE, at(3), "half a thought"), at(3), "DRAFT")
    google.deliver(RITA, plain(JANE, REP, at(4), "thrown away"), at(4), "TRASH")
    assert (await read(source)).mails == wanted


async def test_spam_and_other_labels_can_be_left_out(google: GoogleMail, settings: dict[str, Any]) -> None:
    inbox, sent = plain(JANE, REP, at(1)), plain(REP, JANE, at(3))
    google.deliver(RITA, inbox, at(1), "INBOX")
    google.deliver(RITA, bounce(JANE, at(2)), at(2), "SPAM")
    google.deliver(RITA, sent, at(3), "SENT")
    no_spam = await read(source_of({**settings, "spam": False}))
    assert sorted(no_spam.mails) == sorted([inbox, sent])
    only_inbox = source_of({**settings, "labels": ["INBOX"]})
    first = await read(only_inbox)
    assert first.mails == [inbox]
    google.deliver(RITA, plain(REP, JANE, at(4)), at(4), "SENT")
    assert (await read(only_inbox, first.cursor)).items == []


async def test_a_history_that_was_lost_lists_only_what_came_since_the_last_mail(
    google: GoogleMail, source: GmailSource
) -> None:
    for day in range(1, 11):
        google.deliver(RITA, plain(JANE, REP, at(day)), at(day))
    first = await read(source)
    new = plain(JANE, REP, at(20))
    google.deliver(RITA, new, at(20))
    google.forget_history(RITA)
    google.asked.clear()
    with capture_logs() as logs:
        again = await read(source, first.cursor)
    assert again.mails[-1] == new
    assert len(again.mails) <= 3
    assert len(google.paths("format=raw")) <= 3
    assert [line["event"] for line in logs].count("mailbox_history_lost") == 1
    assert (await read(source, again.cursor)).items == []


async def test_a_first_pass_that_broke_off_goes_on_where_it_was(
    google: GoogleMail, source: GmailSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gmail, "HEADS_AT_ONCE", 4)
    monkeypatch.setattr(gmail, "HEADS_A_SECOND", 10_000)
    mails = [plain(JANE, REP, at(1) + timedelta(days=2 * n)) for n in range(12)]
    for n, mail in enumerate(mails):
        google.deliver(RITA, mail, at(1) + timedelta(days=2 * n))
    google.answers["one"] = []
    broken = await read(source, batches=2)
    assert broken.mails == mails[:8]
    google.asked.clear()
    rest = await read(source, broken.cursor)
    assert rest.mails[-4:] == mails[8:]
    assert len(rest.mails) < len(mails)
    assert (await read(source, rest.cursor)).items == []


async def test_a_first_pass_over_several_labels_that_broke_off_loses_no_mail(
    google: GoogleMail, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gmail, "HEADS_AT_ONCE", 2)
    monkeypatch.setattr(gmail, "HEADS_A_SECOND", 10_000)
    mails = []
    for n in range(12):
        label, people = ("SENT", (REP, JANE)) if n % 2 else ("INBOX", (JANE, REP))
        mails.append(plain(*people, at(1) + timedelta(days=2 * n)))
        google.deliver(RITA, mails[-1], at(1) + timedelta(days=2 * n), label)
    for batches in range(1, 7):
        source = source_of({**settings, "labels": ["INBOX", "SENT"]})
        broken = await read(source, batches=batches)
        rest = await read(source, broken.cursor)
        assert {*broken.mails, *rest.mails} == {*mails}
        assert (await read(source, rest.cursor)).items == []
        google.forget_history(RITA)
        assert {*(await read(source, rest.cursor)).mails} <= {*mails[-2:]}


async def test_a_mail_dated_in_the_future_hides_none_that_comes_after_a_lost_history(
    google: GoogleMail, source: GmailSource
) -> None:
    google.deliver(RITA, plain(JANE, REP, at(1)), datetime.now(UTC) + timedelta(days=3000))
    first = await read(source)
    new = plain(JANE, REP, at(2))
    google.deliver(RITA, new, datetime.now(UTC))
    google.forget_history(RITA)
    assert new in (await read(source, first.cursor)).mails


async def test_a_list_without_an_end_is_an_outage(
    google: GoogleMail, source: GmailSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gmail, "MOST_PAGES", 5)
    google.answers["messages"] = [(200, {"nextPageToken": f"{n % 2}"}) for n in range(50)]
    with pytest.raises(SourceDown, match="without an end"):
        await read(source)
    assert len(google.answers["messages"]) == 45


async def test_a_history_that_broke_off_goes_on_where_it_was(
    google: GoogleMail, source: GmailSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gmail, "HEADS_AT_ONCE", 2)
    monkeypatch.setattr(gmail, "HEADS_A_SECOND", 10_000)
    first = await read(source)
    mails = [plain(JANE, REP, at(day)) for day in range(1, 8)]
    for day, mail in enumerate(mails, 1):
        google.deliver(RITA, mail, at(day))
    broken = await read(source, first.cursor, batches=3)
    rest = await read(source, broken.cursor)
    assert [*broken.mails[:4], *rest.mails] == mails


async def test_mail_that_was_deleted_meanwhile_is_passed_over(
    google: GoogleMail, source: GmailSource
) -> None:
    first = await read(source)
    google.deliver(RITA, plain(JANE, REP, at(1)), at(1))
    kept = plain(JANE, REP, at(2))
    google.deliver(RITA, kept, at(2))
    google.answers["one"] = [refusal(404, "notFound")]
    assert len((await read(source, first.cursor)).mails) == 1


@pytest.mark.parametrize("cursor", [7, "x", [], {"history": "../../x"}, {"reached": "soon"}, {"listing": 3}])
async def test_a_cursor_that_is_none_of_ours_starts_from_the_beginning(
    google: GoogleMail, source: GmailSource, cursor: Any
) -> None:
    google.deliver(RITA, plain(JANE, REP, at(1)), at(1))
    assert len((await read(source, cursor)).mails) == 1


async def test_only_so_many_days_are_looked_back(google: GoogleMail, settings: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    google.deliver(RITA, plain(JANE, REP, now - timedelta(days=40)), now - timedelta(days=40))
    recent = plain(JANE, REP, now - timedelta(days=10))
    google.deliver(RITA, recent, now - timedelta(days=10))
    assert (await read(source_of({**settings, "history_days": 30}))).mails == [recent]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (429, "rateLimitExceeded"),
        (403, "rateLimitExceeded"),
        (403, "userRateLimitExceeded"),
        (503, "backendError"),
    ],
)
async def test_a_limit_or_an_outage_is_waited_out_as_long_as_google_asks(
    google: GoogleMail, source: GmailSource, status: int, reason: str
) -> None:
    google.answers["profile"] = [refusal(status, reason)]
    google.retry_after = "17"
    with pytest.raises(SourceDown) as down:
        await read(source)
    assert down.value.retry_after == timedelta(seconds=17)
    assert len((await read(source)).cursors) == 1


async def test_a_limit_without_a_wait_is_waited_out_for_a_minute(
    google: GoogleMail, source: GmailSource
) -> None:
    google.answers["profile"] = [refusal(403, "userRateLimitExceeded")]
    with pytest.raises(SourceDown) as down:
        await read(source)
    assert down.value.retry_after == timedelta(minutes=1)


async def test_an_expired_token_is_renewed_once_without_a_word(
    tokens: AuthorizationServer, google: GoogleMail, source: GmailSource
) -> None:
    first = await read(source)
    tokens.end()
    google.deliver(RITA, plain(JANE, REP, at(1)), at(1))
    assert len((await read(source, first.cursor)).mails) == 1
    assert len(tokens.asked) == 2


async def test_a_token_that_is_refused_even_when_new_needs_a_person(
    google: GoogleMail, source: GmailSource
) -> None:
    google.answers["profile"] = [refusal(401, "authError")] * 2
    with pytest.raises(NeedsHuman, match=f"refuses a new token for {RITA}"):
        await read(source)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(403, "insufficientPermissions"), "https://www.googleapis.com/auth/gmail.readonly"),
        (refusal(403, "domainPolicy"), "lets no application read its mail"),
        (refusal(403, "accessNotConfigured"), "enable the Gmail API"),
        (refusal(400, "failedPrecondition"), "has no Gmail"),
        (refusal(403, "forbidden"), "does not open"),
        (refusal(400, "<script>"), "does not understand us: 400"),
    ],
)
async def test_what_only_a_person_can_mend_says_what_to_do(
    google: GoogleMail, source: GmailSource, answer: tuple[int, dict[str, Any]], words: str
) -> None:
    google.answers["profile"] = [answer]
    with pytest.raises(NeedsHuman) as problem:
        await read(source)
    assert words in str(problem.value)
    assert "<script>" not in str(problem.value)


async def test_a_mail_that_does_not_decode_is_said_and_costs_no_other(
    google: GoogleMail, source: GmailSource
) -> None:
    good = plain(JANE, REP, at(2))
    bad = google.deliver(RITA, plain(JANE, REP, at(1)), at(1))
    google.deliver(RITA, good, at(2))
    google.raw[bad] = b""
    found = await read(source)
    assert found.mails == [good]
    assert [item.reason for item in found.items if isinstance(item, Skipped)] == [
        "the server could not give it"
    ]


async def test_a_mail_larger_than_any_is_not_fetched(google: GoogleMail, source: GmailSource) -> None:
    huge = plain(JANE, REP, at(1)) + b"x" * (27 * 2**20)
    google.deliver(RITA, plain(JANE, REP, at(1)), at(1))
    google.raw[next(iter(google.raw))] = huge
    [item] = (await read(source)).items
    assert isinstance(item, RawMail)
    assert item.headers_only
    assert google.paths("format=raw") == []


async def test_an_answer_that_is_not_json_or_leads_elsewhere_is_an_outage(
    google: GoogleMail, source: GmailSource
) -> None:
    google.answers["profile"] = [(200, [1])]  # type: ignore[list-item]
    with pytest.raises(SourceDown, match="does not answer in JSON"):
        await read(source)
    google.answers["profile"] = [(302, {})]
    with pytest.raises(NeedsHuman, match="302"):
        await read(source)


async def test_a_server_out_of_reach_is_an_outage(settings: dict[str, Any]) -> None:
    with pytest.raises(SourceDown, match="cannot be reached"):
        await read(source_of({**settings, "token_url": "http://127.0.0.1:9/token"}))
    with pytest.raises(SourceDown, match="cannot be read"):
        await read(source_of({**settings, "api": "http://127.0.0.1:9/"}))


def test_headers_cannot_smuggle_in_others() -> None:
    fields = [
        {"name": "Subject", "value": "Hi\r\nAuto-Submitted: auto-replied"},
        {"name": "X: y\r\nFrom", "value": "a@b.example"},
        {"name": "To", "value": "Jürgen <j@b.example>"},
        {"name": 3, "value": 4},
        "odd",
    ]
    head, _ = split_head(head_of(fields), 0, 1000)
    assert "auto-submitted" not in head
    assert "from" not in head
    assert head.recipients[0].name == "Jürgen"
    assert head_of(None) == b"\r\n"


async def test_the_fence_lets_nothing_be_read_while_the_grant_is_too_wide(
    tokens: AuthorizationServer, google: GoogleMail, settings: dict[str, Any], tmp_path: Path
) -> None:
    google.mailbox(BOARD)
    group = GmailMailboxes(**{**settings, "mailboxes": [RITA, OMAR], "outside": BOARD})
    boxes = {box.label: box for box in group.boxes()}
    assert (await read(boxes[RITA].open("r"))).items == []
    assert [one.ok for one in await group.check_limits()] == [True, True, True]
    service_account(tmp_path, tokens, RITA, OMAR, BOARD)
    found = await group.check_limits()
    assert [one.ok for one in found] == [True, True, False]
    assert "TOO WIDE" in found[-1].what
    fresh = GmailMailboxes(**{**settings, "outside": BOARD})
    google.deliver(RITA, plain(JANE, REP, at(1)), at(1))
    with pytest.raises(NeedsHuman, match="too wide"):
        await read(fresh.boxes()[0].open("r"))
    assert google.paths("format=") == []


async def test_a_fence_that_could_not_be_tried_is_not_taken_for_closed(
    tokens: AuthorizationServer, google: GoogleMail, settings: dict[str, Any], tmp_path: Path
) -> None:
    group = GmailMailboxes(**{**settings, "outside": BOARD})
    source = group.boxes()[0].open("r")
    settings["key_file"].unlink()
    with pytest.raises(NeedsHuman, match="cannot be read"):
        await read(source)
    assert [one.ok for one in await group.check_limits()] == [False, False]
    service_account(tmp_path, tokens, RITA, OMAR, BOARD)
    with pytest.raises(NeedsHuman, match="too wide"):
        await read(source)
    assert google.paths("format=") == []


async def test_the_founding_storys_mails_end_in_left(google: GoogleMail, settings: dict[str, Any]) -> None:
    def deliver(step: Step, mail: bytes) -> None:
        google.deliver(RITA, mail, step.at - timedelta(minutes=10), "SENT" if is_ours(mail) else "INBOX")

    await must_end_in_left(settings, deliver)


async def test_no_secret_stands_in_what_is_said_or_shown(
    google: GoogleMail, source: GmailSource, tokens: AuthorizationServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    google.answers["history"] = [refusal(500, "backendError")]
    first = await read(source)
    with capture_logs() as logs, pytest.raises(SourceDown) as down:
        await read(source, first.cursor)
    said = f"{down.value!r} {down.value.__cause__!r} {logs} {source.box!r} {source.__dict__!r} {caplog.text}"
    for secret in [*tokens.access, pem().decode()[40:80]]:
        assert secret not in said


@pytest.mark.parametrize("kind", ["profile", "messages", "one", "history"])
@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"historyId": [], "messages": 7, "payload": "x", "labelIds": 7, "history": 7, "nextPageToken": []},
        {"historyId": "x" * 99, "messages": [None, {"id": "../x"}, {"id": 7}], "payload": {"headers": {}}},
        {"history": [{"id": {}, "messagesAdded": [{"message": {"id": "?a=b"}}, 7]}, 7], "sizeEstimate": "x"},
    ],
)
async def test_an_odd_answer_is_no_crash_and_never_part_of_an_address(
    google: GoogleMail, source: GmailSource, kind: str, odd: dict[str, Any]
) -> None:
    first = await read(source)
    google.deliver(RITA, plain(JANE, REP, at(1)), at(1))
    google.answers[kind] = [(200, odd)] * 2
    await read(source, first.cursor)
    await read(source)
    assert all(path.startswith(("profile", "messages", "history")) for path, _ in google.asked)
    assert not [path for path, _ in google.asked if ".." in path]

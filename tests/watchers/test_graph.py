from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.model import Json, NeedsHuman, SourceDown
from bot.story import Step
from tests.mails import JANE, REP, at, bounce, plain
from tests.servers import graph_mail
from tests.servers.graph_mail import GraphMail
from tests.servers.oauth import AuthorizationServer
from tests.watchers.granting import BOARD, OMAR, RITA, automatic, certificate, everything, read
from tests.watchers.storytelling import is_ours, must_end_in_left
from watchers.mail import RawMail, graph
from watchers.mail.graph import GraphBox, GraphMailboxes, GraphSource, Usual
from watchers.mail.head import split_head
from watchers.mail.tokens import Use

AGES = 20 * 365
SECRET = "a secret of the application"


@pytest.fixture
async def microsoft(tokens: AuthorizationServer) -> AsyncIterator[GraphMail]:
    async with graph_mail.running(tokens) as server:
        tokens.clients["app"] = SECRET
        server.group = {RITA, OMAR}
        for address in (RITA, OMAR, BOARD):
            server.mailbox(address)
        yield server


@pytest.fixture
def settings(
    tokens: AuthorizationServer, microsoft: GraphMail, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    monkeypatch.setenv("GRAPH_SECRET", SECRET)
    return {
        "kind": "graph",
        "tenant": "vendor.example",
        "client_id": "app",
        "secret_env": "GRAPH_SECRET",
        "mailboxes": [RITA],
        "history_days": AGES,
        "api": microsoft.url,
        "token_url": f"{tokens.url}vendor.example/oauth2/v2.0/token",
    }


@pytest.fixture
def source(settings: dict[str, Any]) -> GraphSource:
    return source_of(settings)


def source_of(settings: dict[str, Any]) -> GraphSource:
    [box] = GraphMailboxes(**settings).boxes()
    opened = box.open("mailbox:rita")
    assert isinstance(opened, GraphSource)
    return opened


async def test_the_first_pass_lists_every_folder_oldest_first_and_the_next_gives_nothing(
    microsoft: GraphMail, source: GraphSource
) -> None:
    inbox = [plain(JANE, REP, at(day)) for day in range(1, 5)]
    sent, junk = plain(REP, JANE, at(2)), bounce(JANE, at(3))
    for day in (3, 1, 4, 2):
        microsoft.deliver(RITA, inbox[day - 1], at(day))
    microsoft.deliver(RITA, sent, at(2), "sentitems")
    microsoft.deliver(RITA, junk, at(3), "junkemail")
    microsoft.deliver(RITA, plain(REP, JANE, at(4)), at(4), "inbox", draft=True)
    first = await read(source)
    assert first.mails == [*inbox, sent, junk]
    microsoft.asked.clear()
    assert (await read(source, first.cursor)).items == []
    assert len(microsoft.asked) == 4


async def test_what_arrives_later_comes_by_the_delta_link_alone(
    microsoft: GraphMail, source: GraphSource
) -> None:
    now = datetime.now(UTC)
    microsoft.deliver(RITA, plain(JANE, REP, at(1)), at(1))
    first = await read(source)
    microsoft.asked.clear()
    later = [bounce(JANE, now), *(plain(JANE, REP, now + timedelta(seconds=n)) for n in range(70))]
    for mail in later:
        microsoft.deliver(RITA, mail, now)
    found = await read(source, first.cursor)
    assert found.mails == later
    assert all(path.endswith(("/delta", "/$value")) for path, _ in microsoft.asked)
    assert (await read(source, found.cursor)).items == []


async def test_what_arrives_between_the_link_and_the_list_is_not_lost(
    microsoft: GraphMail, source: GraphSource
) -> None:
    now = datetime.now(UTC)
    microsoft.deliver(RITA, plain(JANE, REP, now), now)
    first = await read(source)
    assert len(first.mails) == 1
    assert (await read(source, first.cursor)).items == []


async def test_bodies_are_fetched_only_of_what_is_wanted(microsoft: GraphMail, source: GraphSource) -> None:
    microsoft.deliver(RITA, plain(JANE, REP, at(1), "Private words"), at(1))
    microsoft.deliver(RITA, bounce(JANE, at(2)), at(2))
    head, whole = (await read(source, wants=automatic)).items
    assert isinstance(head, RawMail)
    assert head.headers_only
    assert b"Private words" in head.content
    assert b"Sounds good" not in head.content
    assert isinstance(whole, RawMail)
    assert whole.content == bounce(JANE, at(2))
    assert len(microsoft.bodies()) == 1


async def test_sent_mail_without_headers_says_who_wrote_to_whom_and_when(
    microsoft: GraphMail, source: GraphSource
) -> None:
    mail = plain('"Rep, Rita" <rita@vendor.example>', f"Jane Döe <{JANE}>", at(5), "Übergabe")
    mail = re.sub(rb"Message-ID: .*\r\n", b"Message-ID: <m-1@vendor.example>\r\n", mail)
    microsoft.deliver(RITA, mail, at(5), "sentitems")
    [item] = (await read(source, wants=automatic)).items
    assert isinstance(item, RawMail)
    assert item.headers_only
    head, _ = split_head(item.content, 0, len(item.content))
    assert (head.sender.address, head.sender.name) == (RITA, "Rep, Rita")
    assert head.recipients[0].address == JANE
    assert head.date == at(5)
    assert head.subject == "Übergabe"
    assert head.message_id == "m-1@vendor.example"


async def test_headers_that_a_list_leaves_out_are_asked_for_by_themselves(
    microsoft: GraphMail, source: GraphSource
) -> None:
    microsoft.without_headers = True
    microsoft.deliver(RITA, bounce(JANE, at(2)), at(2))
    assert (await read(source, wants=automatic)).whole == [bounce(JANE, at(2))]


async def test_a_link_that_was_lost_lists_only_what_came_since_the_last_mail(
    microsoft: GraphMail, source: GraphSource
) -> None:
    for day in range(1, 11):
        microsoft.deliver(RITA, plain(JANE, REP, at(day)), at(day))
    first = await read(source)
    microsoft.lose_links()
    microsoft.deliver(RITA, plain(JANE, REP, at(20)), at(20))
    microsoft.asked.clear()
    with capture_logs() as logs:
        again = await read(source, first.cursor)
    assert again.mails == [plain(JANE, REP, at(day)) for day in (9, 10, 20)]
    assert [line["event"] for line in logs].count("mailbox_link_lost") == 4
    assert (await read(source, again.cursor)).items == []


async def test_a_link_is_replaced_before_its_filter_gives_no_more(
    microsoft: GraphMail, source: GraphSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "WORN_OUT", 3)
    monkeypatch.setattr(graph_mail, "MOST_WITH_A_FILTER", 6)
    cursor = (await read(source)).cursor
    now = datetime.now(UTC)
    found: set[bytes] = set()
    sent = set()
    for n in range(12):
        mail = plain(JANE, REP, at(1), f"mail {n}")
        sent.add(mail)
        microsoft.deliver(RITA, mail, now + timedelta(seconds=n))
        some = await read(source, cursor)
        found.update(some.mails)
        cursor = some.cursor
    assert found == sent


async def test_a_first_pass_that_broke_off_goes_on_where_it_was(
    microsoft: GraphMail, source: GraphSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "MAILS_AT_ONCE", 4)
    mails = [plain(JANE, REP, at(1) + timedelta(days=2 * n)) for n in range(12)]
    for n, mail in enumerate(mails):
        microsoft.deliver(RITA, mail, at(1) + timedelta(days=2 * n))
    broken = await read(source, batches=3)
    rest = await read(source, broken.cursors[1])
    assert rest.mails[-8:] == mails[4:]
    assert len(rest.mails) < len(mails)


async def test_a_folder_that_the_mailbox_lacks_is_left_out(microsoft: GraphMail, source: GraphSource) -> None:
    microsoft.mailbox(RITA, "archive")
    microsoft.deliver(RITA, bounce(JANE, at(1)), at(1), "junkemail")
    assert (await read(source)).mails == [bounce(JANE, at(1))]


async def test_never_more_than_four_are_asked_of_a_mailbox_at_a_time(
    microsoft: GraphMail, source: GraphSource
) -> None:
    for n in range(40):
        microsoft.deliver(RITA, plain(JANE, REP, at(1), f"mail {n}"), at(1))
    assert len((await read(source)).mails) == 40
    assert 1 < microsoft.busiest <= graph.SIDE_BY_SIDE


async def test_mail_that_was_deleted_meanwhile_comes_with_its_headers_only(
    microsoft: GraphMail, source: GraphSource
) -> None:
    gone = microsoft.deliver(RITA, plain(JANE, REP, at(1)), at(1))
    listed: list[str] = []

    def wants(head: object) -> bool:
        del head
        listed.append(gone)
        microsoft.delete(RITA, gone)
        return True

    [item] = (await read(source, wants=wants)).items
    assert isinstance(item, RawMail)
    assert item.headers_only


@pytest.mark.parametrize("cursor", [7, "x", [], {"folders": 3}, {"folders": {"inbox": {"reached": "soon"}}}])
async def test_a_cursor_that_is_none_of_ours_starts_from_the_beginning(
    microsoft: GraphMail, source: GraphSource, cursor: Any
) -> None:
    microsoft.deliver(RITA, plain(JANE, REP, at(1)), at(1))
    assert len((await read(source, cursor)).mails) == 1


@pytest.mark.parametrize(
    "link",
    ["https://attacker.example/v1.0/x", "/other/place", "//attacker.example/v1.0/", "http://[", "a\x00"],
)
async def test_a_link_that_leads_elsewhere_is_never_followed_but_replaced(
    microsoft: GraphMail, source: GraphSource, link: str
) -> None:
    microsoft.deliver(RITA, plain(JANE, REP, at(1)), at(1))
    cursor: Json = {"folders": {"inbox": {"link": link, "listing": False}}}
    assert len((await read(source, cursor)).mails) == 1
    assert all(path.startswith(f"users/{RITA}/") for path, _ in microsoft.asked)


async def test_a_page_that_names_another_server_gets_no_token(
    microsoft: GraphMail, source: GraphSource
) -> None:
    for n in range(graph.MAILS_AT_ONCE + 1):
        microsoft.deliver(RITA, plain(JANE, REP, at(1), f"mail {n}"), at(1))
    microsoft.elsewhere = "http://localhost:9/v1.0/"
    with pytest.raises(SourceDown, match="elsewhere"):
        await read(source)


async def test_a_list_without_an_end_is_an_outage(
    microsoft: GraphMail, source: GraphSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "MOST_PAGES", 2)
    monkeypatch.setattr(graph, "MAILS_AT_ONCE", 2)
    for n in range(10):
        microsoft.deliver(RITA, plain(JANE, REP, at(1), f"mail {n}"), at(1))
    with pytest.raises(SourceDown, match="without an end"):
        await read(source)


async def test_a_mail_dated_in_the_future_hides_none_that_comes_after_a_lost_link(
    microsoft: GraphMail, source: GraphSource
) -> None:
    microsoft.deliver(RITA, plain(JANE, REP, at(1)), datetime.now(UTC) + timedelta(days=3000))
    first = await read(source)
    new = plain(JANE, REP, at(2))
    microsoft.deliver(RITA, new, datetime.now(UTC))
    microsoft.lose_links()
    assert new in (await read(source, first.cursor)).mails


async def test_throttling_is_waited_out_as_long_as_microsoft_asks(
    microsoft: GraphMail, source: GraphSource
) -> None:
    microsoft.failures = [(429, "TooManyRequests", {"Retry-After": "31"})]
    with pytest.raises(SourceDown) as down:
        await read(source)
    assert down.value.retry_after == timedelta(seconds=31)
    microsoft.failures = [(503, "serviceNotAvailable", {})]
    with pytest.raises(SourceDown, match="answers 503"):
        await read(source)


async def test_an_expired_token_is_renewed_once_and_shared_by_all_mailboxes(
    tokens: AuthorizationServer, microsoft: GraphMail, settings: dict[str, Any]
) -> None:
    group = GraphMailboxes(**{**settings, "mailboxes": [RITA, OMAR]})
    rita, omar = [box.open(box.label) for box in group.boxes()]
    first = await read(rita)
    await read(omar)
    assert len(tokens.asked) == 1
    tokens.end()
    microsoft.deliver(RITA, plain(JANE, REP, datetime.now(UTC)), datetime.now(UTC))
    assert len((await read(rita, first.cursor)).mails) == 1
    assert len(tokens.asked) == 2


async def test_a_mailbox_outside_the_group_is_refused_with_the_scope_in_words(
    settings: dict[str, Any],
) -> None:
    with pytest.raises(NeedsHuman, match=r"Mail\.Read") as problem:
        await read(source_of({**settings, "mailboxes": [BOARD]}))
    assert BOARD in problem.value.what
    with pytest.raises(NeedsHuman, match="no mailbox"):
        await read(source_of({**settings, "mailboxes": ["nobody@vendor.example"]}))


async def test_a_mailbox_outside_the_group_that_opens_stops_all_reading(
    microsoft: GraphMail, settings: dict[str, Any]
) -> None:
    microsoft.deliver(RITA, plain(JANE, REP, at(1)), at(1))
    fenced = {**settings, "outside": BOARD}
    group = GraphMailboxes(**fenced)
    assert [one.ok for one in await group.check_limits()] == [True, True]
    assert len((await read(group.boxes()[0].open("r"))).mails) == 1
    microsoft.everything = True
    found = (await group.check_limits())[-1]
    assert not found.ok
    assert found.what == f"THE GRANT IS TOO WIDE: {BOARD} opens, and must not"
    assert len((await read(group.boxes()[0].open("r"))).mails) == 1  # closed a moment ago
    microsoft.asked.clear()
    with pytest.raises(NeedsHuman, match="too wide"):
        await read(source_of(fenced))
    assert microsoft.bodies() == []


async def test_a_check_that_proves_nothing_says_so(microsoft: GraphMail, settings: dict[str, Any]) -> None:
    nobody = GraphMailboxes(**{**settings, "outside": "nobody@vendor.example"})
    assert [one.ok for one in await nobody.check_limits()] == [True, False]
    unnamed = await GraphMailboxes(**settings).check_limits()
    assert not unnamed[-1].ok
    assert "nobody knows how wide" in unnamed[-1].what
    microsoft.group = set()
    closed = await GraphMailboxes(**{**settings, "outside": BOARD}).check_limits()
    assert [one.ok for one in closed] == [False, False]
    assert "cannot be told" in closed[-1].what


async def test_a_certificate_signs_instead_of_a_secret(
    tokens: AuthorizationServer, microsoft: GraphMail, settings: dict[str, Any], tmp_path: Path
) -> None:
    path = certificate(tmp_path, tokens, "app")
    signed = {**settings, "secret_env": "", "certificate_file": path}
    microsoft.deliver(RITA, plain(JANE, REP, at(1)), at(1))
    assert len((await read(source_of(signed))).mails) == 1
    assert "client_secret" not in tokens.asked[-1]
    path.write_text("no key")
    with pytest.raises(NeedsHuman, match="holds no RSA key with its certificate"):
        await read(source_of(signed))


async def test_a_wrong_secret_needs_a_person_and_is_not_repeated(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPH_SECRET", "planted")
    with pytest.raises(NeedsHuman, match="invalid_client") as problem:
        await read(source_of(settings))
    assert "planted" not in str(problem.value)
    monkeypatch.setenv("GRAPH_SECRET", "")
    with pytest.raises(NeedsHuman, match="GRAPH_SECRET is empty"):
        await read(source_of(settings))


async def test_the_founding_storys_mails_end_in_left(microsoft: GraphMail, settings: dict[str, Any]) -> None:
    microsoft.mailbox(RITA)
    later = datetime.now(UTC)  # a mail arrives now, whatever its headers say

    def deliver(step: Step, mail: bytes) -> None:
        del step
        microsoft.deliver(RITA, mail, later, "sentitems" if is_ours(mail) else "inbox")

    await must_end_in_left(settings, deliver)


async def test_an_owners_token_reads_their_own_mailbox_and_no_other(
    tokens: AuthorizationServer, microsoft: GraphMail
) -> None:
    class Owners:
        async def token(self, use: Use, refused: str = "") -> str:
            assert use is Use.MAIL
            assert not refused
            return next(iter(tokens.access))

    tokens._give(RITA, frozenset({"https://graph.microsoft.com/Mail.Read"}))
    microsoft.group = set()
    microsoft.deliver(RITA, plain(JANE, REP, at(1)), at(1))
    own = GraphBox(RITA, Owners(), api=microsoft.url, choice=Usual(history_days=AGES))
    assert len((await read(own.open("r"), wants=everything)).mails) == 1
    others = GraphBox(OMAR, Owners(), f"users/{OMAR}", microsoft.url)
    with pytest.raises(NeedsHuman, match="does not open"):
        await read(others.open("o"))

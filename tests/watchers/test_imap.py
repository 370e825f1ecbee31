from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError
from pydantic import ValidationError
from structlog.testing import capture_logs

from bot.model import Json, NeedsHuman, SourceDown
from tests.servers.mail import MailServers
from watchers.mail import Item, RawMail, Skipped, Wants, imap
from watchers.mail.head import Head
from watchers.mail.imap import FIRST_RETRY, LONGEST_RETRY, ImapMailbox, ImapSource

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("mail")]

MAIL = (
    b"From: jane@acme.example\r\nSubject: number %n\r\nMessage-ID: <%n@acme.example>\r\n\r\nThe body %n.\r\n"
)
PATIENCE = 60.0
"""Seconds that a busy machine may take before a test gives up."""

serial = itertools.count()


@pytest.fixture
def user(mail_servers: MailServers) -> str:
    """A mailbox of the test's own."""
    name = f"rep{next(serial)}@vendor.example"
    mail_servers.credentials(name)
    return name


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("MAIL_PASSWORD", "correct horse")
    return monkeypatch


def mailbox(servers: MailServers, user: str, **more: Any) -> ImapSource:
    known = servers.credentials(user)
    reached = {"host": known.host, "port": known.port, "tls": False, "user": user}
    secret = (
        {}
        if {"token_env", "token_file", "password_file"} & more.keys()
        else {"password_env": "MAIL_PASSWORD"}
    )
    return ImapSource(
        ImapMailbox.model_validate({"kind": "imap", **reached, **secret, **more}), "mailbox:test"
    )


async def until_said(servers: MailServers, user: str, word: str, times: int = 1) -> None:
    """Wait until the client, whose sessions are recorded, said a word so often."""
    async with asyncio.timeout(PATIENCE):
        while sum(session.count(word) for session in servers.sessions(user)) < times:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.02)


def everything(head: Head) -> bool:
    del head
    return True


async def one_pass(
    source: ImapSource, cursor: Json = None, wants: Wants = everything
) -> tuple[list[Item], Json]:
    items: list[Item] = []
    async for batch in source.batches(cursor, wants):
        items.extend(batch.items)
        cursor = batch.cursor
    return items, cursor


def subjects(items: list[Item]) -> list[bytes]:
    lines = [line for item in items if isinstance(item, RawMail) for line in item.content.splitlines()]
    return [line.removeprefix(b"Subject: ") for line in lines if line.startswith(b"Subject: ")]


@pytest.mark.usefixtures("password")
async def test_a_genuine_delivery_report_and_a_vacation_reply_are_fetched(
    mail_servers: MailServers, user: str
) -> None:
    mail_servers.reject("gone@acme.example", "550 5.1.1 <gone@acme.example>: User unknown")
    mail_servers.vacation("jo@acme.example", "I no longer work here.")
    mail_servers.send(user, ["gone@acme.example", "jo@acme.example"])
    mail_servers.wait_for(user, 2)
    found, _ = await one_pass(mailbox(mail_servers, user))
    whole = b"\n".join(item.content for item in found if isinstance(item, RawMail))
    assert b"Final-Recipient: rfc822; gone@acme.example" in whole
    assert b"Auto-Submitted: auto-replied (vacation)" in whole


@pytest.mark.usefixtures("password")
async def test_a_second_pass_fetches_only_what_is_new(mail_servers: MailServers, user: str) -> None:
    source = mailbox(mail_servers, user)
    mail_servers.deliver(user, MAIL, copies=3)
    first, cursor = await one_pass(source)
    again, cursor = await one_pass(source, cursor)
    mail_servers.deliver(user, MAIL.replace(b"%n", b"late"))
    later, _ = await one_pass(source, cursor)
    assert [len(first), len(again)] == [3, 0]
    assert subjects(later) == [b"number late"]


@pytest.mark.usefixtures("password")
async def test_an_unchanged_folder_is_not_even_opened(mail_servers: MailServers, user: str) -> None:
    source = mailbox(mail_servers, user)
    mail_servers.deliver(user, MAIL)
    _, cursor = await one_pass(source)
    mail_servers.record_sessions(user)
    await one_pass(source, cursor)
    (sent,) = mail_servers.sessions(user)
    assert "STATUS" in sent
    assert "EXAMINE" not in sent
    assert "SEARCH" not in sent


@pytest.mark.usefixtures("password")
async def test_a_server_that_does_not_tell_the_next_uid_is_read_all_the_same(
    mail_servers: MailServers, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = IMAPClient.folder_status

    def without_the_next_uid(self: IMAPClient, folder: str, what: list[str]) -> Any:
        return genuine(self, folder, [one for one in what if one != "UIDNEXT"])

    monkeypatch.setattr(IMAPClient, "folder_status", without_the_next_uid)
    source = mailbox(mail_servers, user)
    mail_servers.deliver(user, MAIL, copies=3)
    first, cursor = await one_pass(source)
    mail_servers.record_sessions(user)
    again, cursor = await one_pass(source, cursor)
    (sent,) = mail_servers.sessions(user)
    mail_servers.deliver(user, MAIL.replace(b"%n", b"late"))
    later, _ = await one_pass(source, cursor)
    assert [len(first), len(again)] == [3, 0]
    assert "EXAMINE" not in sent
    assert subjects(later) == [b"number late"]


@pytest.mark.usefixtures("password")
async def test_a_folder_that_was_numbered_anew_is_read_again(mail_servers: MailServers, user: str) -> None:
    source = mailbox(mail_servers, user)
    mail_servers.deliver(user, MAIL, copies=3)
    first, cursor = await one_pass(source)
    mail_servers.renew_uidvalidity(user)
    with capture_logs() as told:
        again, cursor = await one_pass(source, cursor)
    then, _ = await one_pass(source, cursor)
    assert sorted(subjects(again)) == sorted(subjects(first))
    assert then == []
    assert {entry["event"] for entry in told} == {"mailbox_renumbered"}
    folders = [entry["folder"] for entry in told]
    assert "INBOX" in folders
    assert len(folders) == len(set(folders)), "the server numbers every folder anew; each is said once"


@pytest.mark.usefixtures("password")
async def test_reading_changes_nothing_in_the_mailbox(mail_servers: MailServers, user: str) -> None:
    mail_servers.deliver(user, MAIL, copies=3)
    mail_servers.record_sessions(user)
    await one_pass(mailbox(mail_servers, user))
    (sent,) = mail_servers.sessions(user)
    assert "SELECT" not in sent
    assert "STORE" not in sent
    client = mail_servers.imap(user)
    client.select_folder("INBOX", readonly=True)
    flags = client.get_flags(client.search("ALL"))
    client.logout()
    assert len(flags) == 3
    assert not any(b"\\Seen" in of_one for of_one in flags.values())


@pytest.mark.usefixtures("password")
async def test_bodies_are_fetched_only_of_what_is_wanted(mail_servers: MailServers, user: str) -> None:
    mail_servers.deliver(user, MAIL, copies=5)
    mail_servers.record_sessions(user)
    found, _ = await one_pass(mailbox(mail_servers, user), wants=lambda head: head.subject == "number 3")
    whole = {item.content for item in found if isinstance(item, RawMail) and not item.headers_only}
    heads = [item.content for item in found if isinstance(item, RawMail) and item.headers_only]
    (sent,) = mail_servers.sessions(user)
    bodies = [line.split() for line in sent.splitlines() if "BODY.PEEK[]" in line]
    assert whole == {MAIL.replace(b"%n", b"3")}
    assert len(heads) == 4
    assert not any(b"The body" in head for head in heads)
    assert len(bodies) == 1
    assert bodies[0][4].isdigit()


@pytest.mark.usefixtures("password")
async def test_the_inbox_and_the_sent_folder_are_read_and_others_on_request(
    mail_servers: MailServers, user: str
) -> None:
    for folder in ("INBOX", "Sent Mail", "Spam", "M&APw-ll"):
        mail_servers.deliver(user, MAIL.replace(b"%n", folder.encode()), folder)
    by_default, _ = await one_pass(mailbox(mail_servers, user))
    on_request, _ = await one_pass(mailbox(mail_servers, user, folders=["\\Junk", "Müll", "\\Flagged"]))
    assert subjects(by_default) == [b"number INBOX", b"number Sent Mail"]
    assert subjects(on_request) == [b"number Spam", b"number M&APw-ll"]


@pytest.mark.usefixtures("password")
async def test_a_folder_that_is_not_there_needs_a_human(mail_servers: MailServers, user: str) -> None:
    with pytest.raises(NeedsHuman, match="no folder Projects"):
        await one_pass(mailbox(mail_servers, user, folders=["INBOX", "Projects"]))


@pytest.mark.usefixtures("password")
async def test_the_first_pass_looks_back_as_far_as_it_is_told(mail_servers: MailServers, user: str) -> None:
    now = datetime.now(UTC)
    mail_servers.deliver(user, MAIL.replace(b"%n", b"old"), received=now - timedelta(days=400))
    mail_servers.deliver(user, MAIL.replace(b"%n", b"recent"), received=now - timedelta(days=300))
    by_default, _ = await one_pass(mailbox(mail_servers, user))
    longer, _ = await one_pass(mailbox(mail_servers, user, history_days=500))
    assert subjects(by_default) == [b"number recent"]
    assert sorted(subjects(longer)) == [b"number old", b"number recent"]


@pytest.mark.usefixtures("password")
async def test_thousands_of_mails_are_read_once_and_in_batches(mail_servers: MailServers, user: str) -> None:
    mail_servers.deliver(user, MAIL, copies=3000)
    source = mailbox(mail_servers, user)
    batches = source.batches(None, lambda head: head.subject.endswith("7"))
    first = await anext(batches)
    await batches.aclose()  # type: ignore[attr-defined]
    rest, _ = await one_pass(source, first.cursor)
    assert first.total == 3000
    assert len(first.items) == imap.HEADERS_AT_ONCE
    assert len({*subjects([*first.items]), *subjects(rest)}) == len(first.items) + len(rest) == 3000


@pytest.mark.usefixtures("password")
async def test_many_uids_are_searched_in_several_ranges(
    mail_servers: MailServers, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "UIDS_AT_ONCE", 3)
    mail_servers.deliver(user, MAIL, copies=10)
    found, cursor = await one_pass(mailbox(mail_servers, user))
    again, _ = await one_pass(mailbox(mail_servers, user), cursor)
    assert len(set(subjects(found))) == len(found) == 10
    assert again == []


@pytest.mark.usefixtures("password")
async def test_large_mails_are_cut_and_fetched_a_few_at_a_time(
    mail_servers: MailServers, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "BODY", "BODY.PEEK[]<0.5000>")
    monkeypatch.setattr(imap, "BODIES_AT_ONCE", 20_000)
    mail_servers.deliver(user, MAIL + b"x" * 9000, copies=5)
    batches = [batch async for batch in mailbox(mail_servers, user).batches(None, everything)]
    assert [len(batch.items) for batch in batches] == [2, 2, 1, 0]
    assert all(isinstance(item, RawMail) and len(item.content) == 5000 for item in batches[0].items)


@pytest.mark.usefixtures("password")
async def test_a_mail_that_the_server_cannot_give_is_skipped_alone(
    mail_servers: MailServers, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = IMAPClient.fetch

    def chokes_on_the_third(self: IMAPClient, uids: list[int], *what: Any) -> Any:
        if 3 in uids:
            raise IMAPClientError("FETCH failed: [SERVERBUG] Internal error occurred")
        return genuine(self, uids, *what)

    monkeypatch.setattr(IMAPClient, "fetch", chokes_on_the_third)
    mail_servers.deliver(user, MAIL, copies=7)
    found, _ = await one_pass(mailbox(mail_servers, user))
    assert len(subjects(found)) == 6
    assert found[2] == Skipped("mailbox:test", "INBOX/3", "the server could not give it")


@pytest.mark.usefixtures("password")
async def test_a_server_that_went_down_is_a_source_that_is_down_until_it_is_back(
    mail_servers: MailServers, user: str
) -> None:
    source = mailbox(mail_servers, user)
    mail_servers.deliver(user, MAIL)
    _, cursor = await one_pass(source)
    mail_servers.stop()
    try:
        waits = []
        for _ in range(12):
            with pytest.raises(SourceDown) as down:
                await one_pass(source, cursor)
            waits.append(down.value.retry_after)
    finally:
        mail_servers.start()
    mail_servers.deliver(user, MAIL.replace(b"%n", b"after"))
    found, _ = await one_pass(source, cursor)
    assert waits[:3] == [FIRST_RETRY, 2 * FIRST_RETRY, 4 * FIRST_RETRY]
    assert waits[-1] == LONGEST_RETRY
    assert subjects(found) == [b"number after"]
    with pytest.raises(SourceDown) as down:
        await one_pass(_unreachable(source))
    assert down.value.retry_after == FIRST_RETRY


def _unreachable(source: ImapSource) -> ImapSource:
    return ImapSource(source.box.model_copy(update={"port": 1}), source.source)


async def test_a_wrong_password_needs_a_human_and_is_not_repeated_to_him(
    mail_servers: MailServers, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "battery staple")
    with pytest.raises(NeedsHuman, match="refuses the password") as told:
        await one_pass(mailbox(mail_servers, user))
    assert "MAIL_PASSWORD" in told.value.how
    assert "battery" not in str(told.value)


async def test_a_password_with_letters_beyond_ascii_logs_in(
    mail_servers: MailServers, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_servers.deliver(user, MAIL)
    (mail_servers.base / "users" / user).write_text(f"{user}:{{PLAIN}}pässwörd::::::\n", encoding="utf-8")
    monkeypatch.setenv("MAIL_PASSWORD", "pässwörd")
    found, _ = await one_pass(mailbox(mail_servers, user))
    assert len(found) == 1
    monkeypatch.setenv("MAIL_PASSWORD", "pässword")
    with pytest.raises(NeedsHuman, match="refuses the password"):
        await one_pass(mailbox(mail_servers, user))


async def test_what_cannot_be_a_token_is_not_sent(
    mail_servers: MailServers, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_TOKEN", "an\x01other")
    with pytest.raises(NeedsHuman, match="MAIL_TOKEN holds no token"):
        await one_pass(mailbox(mail_servers, user, token_env="MAIL_TOKEN"))


async def test_a_secret_that_is_not_there_needs_a_human(
    mail_servers: MailServers, user: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MAIL_PASSWORD", raising=False)
    with pytest.raises(NeedsHuman, match="MAIL_PASSWORD is empty"):
        await one_pass(mailbox(mail_servers, user))
    with pytest.raises(NeedsHuman, match="token cannot be read"):
        await one_pass(mailbox(mail_servers, user, token_file=tmp_path / "token"))


async def test_a_token_logs_in_until_it_expires_and_again_once_it_is_renewed(
    mail_servers: MailServers, user: str, tmp_path: Path
) -> None:
    mail_servers.deliver(user, MAIL)
    token = tmp_path / "token"
    source = mailbox(mail_servers, user, token_file=token)
    for _ in range(2):
        token.write_text(mail_servers.credentials(user).token + "\n")
        found, _ = await one_pass(source)
        assert len(found) == 1
        token.write_text("stale")
        with pytest.raises(NeedsHuman, match="refuses the token"):
            await one_pass(source)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("[AUTHENTICATIONFAILED] Authentication failed.", NeedsHuman),
        ("[UNAVAILABLE] Temporary authentication failure.", SourceDown),
        ("[ALERT] Too many simultaneous connections", SourceDown),
        ("Invalid credentials (Failure)", NeedsHuman),
    ],
)
def test_a_refusal_for_now_is_told_from_one_for_good(answer: str, kind: type[Exception]) -> None:
    box = ImapMailbox(kind="imap", host="mail.vendor.example", user="rep", password_env="X")
    assert isinstance(imap._refusal(box, answer), kind)


@pytest.mark.usefixtures("password")
async def test_a_mailbox_is_read_over_tls_where_the_certificate_is_trusted(
    mail_servers: MailServers, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_servers.deliver(user, MAIL)
    known = mail_servers.credentials(user)
    source = mailbox(mail_servers, user, tls=True, port=known.tls_port)
    with pytest.raises(NeedsHuman, match="certificate") as told:
        await one_pass(source)
    assert "SSL_CERT_FILE" in told.value.how
    monkeypatch.setenv("SSL_CERT_FILE", str(known.authority))
    found, _ = await one_pass(source)
    assert len(found) == 1


@pytest.mark.usefixtures("password")
async def test_a_certificate_for_another_name_is_told_from_one_of_an_unknown_authority(
    mail_servers: MailServers, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = mail_servers.credentials(user)
    monkeypatch.setenv("SSL_CERT_FILE", str(known.authority))
    other_name = "127.1"  # of the same machine
    source = mailbox(mail_servers, user, tls=True, port=known.tls_port, host=other_name)
    with pytest.raises(NeedsHuman, match="certificate") as told:
        await one_pass(source)
    assert "`host`" in told.value.how
    assert "SSL_CERT_FILE" not in told.value.how


@pytest.mark.usefixtures("password")
async def test_tls_that_is_asked_of_a_plain_port_is_said_in_words(
    mail_servers: MailServers, user: str
) -> None:
    source = mailbox(mail_servers, user, tls=True)
    with pytest.raises(NeedsHuman) as told:
        await one_pass(source)
    assert told.value.what == f"there is no TLS at {source.box.address}"
    assert "993" in told.value.how
    assert "tls: false" in told.value.how


@pytest.mark.usefixtures("password")
async def test_a_port_where_nobody_listens_is_named(mail_servers: MailServers, user: str) -> None:
    source = mailbox(mail_servers, user, port=1)
    with pytest.raises(SourceDown, match=r"127\.0\.0\.1:1 refuses the connection"):
        await one_pass(source)


def test_a_password_is_never_sent_in_the_clear_to_another_machine() -> None:
    with pytest.raises(ValidationError, match="in the clear"):
        ImapMailbox(kind="imap", host="mail.vendor.example", user="rep", tls=False, password_env="X")
    for host in ("localhost", "127.0.0.1", "::1"):
        assert not ImapMailbox(kind="imap", host=host, user="rep", tls=False, password_env="X").tls


def test_a_mailbox_needs_exactly_one_secret_and_none_in_the_file() -> None:
    for secrets in ({}, {"password_env": "A", "token_env": "B"}, {"password": "hunter2"}):
        with pytest.raises(ValidationError):
            ImapMailbox.model_validate({"kind": "imap", "host": "h", "user": "u", **secrets})


class Proxy:
    """Stands before a server, and falls silent after so many bytes of its, keeping the line open."""

    def __init__(self, port: int, says: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._target = port
        self._says = says
        self._held: list[socket.socket] = []
        self.fell_silent = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._held += [client, server]
                threading.Thread(target=self._pump, args=(client, server, 10**9), daemon=True).start()
                threading.Thread(target=self._pump, args=(server, client, self._says), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, left: int) -> None:
        with contextlib.suppress(OSError):
            while left > 0 and (data := source.recv(min(left, 4096))):
                target.sendall(data)
                left -= len(data)
        self.fell_silent.set()

    def close(self) -> None:
        for one in (self._listener, *self._held):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.fixture
def silent_after(mail_servers: MailServers) -> Iterator[Any]:
    proxies = []

    def make(says: int) -> Proxy:
        proxies.append(Proxy(mail_servers.ports.imap, says))
        return proxies[-1]

    yield make
    for proxy in proxies:
        proxy.close()


@pytest.mark.usefixtures("password")
@pytest.mark.parametrize("says", [0, 60, 400, 1500])
async def test_a_server_that_stops_answering_is_given_up_in_time(
    mail_servers: MailServers, user: str, silent_after: Any, says: int
) -> None:
    mail_servers.deliver(user, MAIL, copies=50)
    source = mailbox(mail_servers, user, port=silent_after(says).port, timeout_seconds=0.5)
    began = time.monotonic()
    with pytest.raises(SourceDown, match="does not answer"):
        await one_pass(source)
    assert time.monotonic() - began < PATIENCE


@pytest.mark.usefixtures("password")
async def test_reading_that_is_cancelled_frees_its_thread_at_once(
    mail_servers: MailServers, user: str, silent_after: Any
) -> None:
    proxy = silent_after(400)
    source = mailbox(mail_servers, user, port=proxy.port, timeout_seconds=60)
    before = threading.active_count()
    reading = asyncio.create_task(one_pass(source))
    assert await asyncio.to_thread(proxy.fell_silent.wait, PATIENCE)
    began = time.monotonic()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await asyncio.get_running_loop().shutdown_default_executor()
    assert time.monotonic() - began < source.box.timeout_seconds / 2
    assert threading.active_count() <= before + 2  # the proxy's pumps


@pytest.mark.usefixtures("password")
async def test_a_new_mail_wakes_and_silence_does_not(mail_servers: MailServers, user: str) -> None:
    source = mailbox(mail_servers, user)
    mail_servers.deliver(user, MAIL)
    assert not await source.woken(timedelta(seconds=0.5))
    mail_servers.record_sessions(user)
    waiting = asyncio.create_task(source.woken(timedelta(seconds=2 * PATIENCE)))
    await until_said(mail_servers, user, "IDLE")
    began = time.monotonic()
    mail_servers.send("rep@vendor.example", user)
    assert await waiting
    assert time.monotonic() - began < PATIENCE


@pytest.mark.usefixtures("password")
async def test_idle_is_renewed_before_the_server_forgets_it(
    mail_servers: MailServers, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert timedelta(minutes=10) >= imap.IDLE_RENEWAL
    monkeypatch.setattr(imap, "IDLE_RENEWAL", timedelta(seconds=0.1))
    mail_servers.record_sessions(user)
    waiting = asyncio.create_task(mailbox(mail_servers, user).woken(timedelta(seconds=2 * PATIENCE)))
    await until_said(mail_servers, user, "IDLE", 3)
    mail_servers.deliver(user, MAIL)
    assert await waiting
    (said,) = mail_servers.sessions(user)
    words = [line.split()[-1] for line in said.splitlines() if line.endswith(("IDLE", "DONE"))]
    assert words[:5] == ["IDLE", "DONE", "IDLE", "DONE", "IDLE"]


@pytest.mark.usefixtures("password")
async def test_a_server_that_is_down_wakes_nobody_and_costs_nothing(
    mail_servers: MailServers, user: str
) -> None:
    began, worked = time.monotonic(), time.process_time()
    assert not await _unreachable(mailbox(mail_servers, user)).woken(timedelta(seconds=1))
    assert time.monotonic() - began >= 1
    assert time.process_time() - worked < 0.5

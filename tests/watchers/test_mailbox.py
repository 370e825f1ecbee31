from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from bot.model import Json, NeedsHuman, Observation
from tests.servers.mail import MailServers
from watchers import Batch, MailReader, Scope
from watchers.mail import Item, RawMail, Skipped, Wants
from watchers.mail.head import Head
from watchers.mail.parse import Mail
from watchers.mailbox import Mailbox

SCOPE = Scope(
    our_domains=frozenset({"vendor.example"}),
    addresses=frozenset({"jane@acme.example", "joe@gmail.com"}),
    domains=frozenset({"acme.example"}),
)


class Finder(MailReader):
    """Says of every address in a mail that it was seen; fails over the subject "trap"."""

    kinds = ()

    def wants(self, head: Head) -> bool:
        if head.subject == "trap":
            raise ValueError("secret words of the mail")
        return "auto-submitted" in head

    def read(self, mail: Mail, scope: Scope) -> Sequence[Observation]:
        del scope
        if mail.head.subject == "trap":
            raise ValueError("secret words of the mail")
        assert mail.head.date is not None
        people = (mail.head.sender, *mail.head.recipients)
        return [
            Observation(person.address, "seen", mail.head.date, "", "seen", facts={"body": mail.text.strip()})
            for person in people
        ]


class Second(Finder):
    """Another reader, which never fails."""

    def wants(self, head: Head) -> bool:
        del head
        return False

    def read(self, mail: Mail, scope: Scope) -> Sequence[Observation]:
        del scope
        at = mail.head.date
        assert at is not None
        return [Observation(mail.head.sender.address, "read too", at, "", "read too")]


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register these two readers and no others for one test."""
    monkeypatch.setattr(Finder, "name", "finder", raising=False)
    monkeypatch.setattr(Second, "name", "second", raising=False)
    monkeypatch.setattr(MailReader, "registry", {"finder": Finder, "second": Second})


def watching(**mailbox: Any) -> Mailbox:
    return Mailbox(Mailbox.Config.model_validate({"mailboxes": [mailbox]}))


def mail(sender: str, to: str, subject: str = "Hello", extra: str = "") -> bytes:
    return (
        f"From: {sender}\nTo: {to}\nSubject: {subject}\nDate: Mon, 4 May 2026 10:00:00 +0000\n"
        f"Message-ID: <1@acme.example>\n{extra}\nThe body.\n"
    ).encode()


def read(raw: bytes) -> list[Observation]:
    watcher = watching(kind="files", path="x")
    return watcher.read(RawMail("mailbox:x", "x/1", raw), SCOPE)


async def fetched(watcher: Mailbox, cursor: Json = None) -> tuple[list[Item], Json]:
    (source,) = watcher.sources(SCOPE)
    items: list[Item] = []
    async for batch in watcher.fetch(source, cursor, SCOPE):
        items.extend(batch.items)
        cursor = batch.cursor
    return items, cursor


@pytest.mark.usefixtures("readers")
def test_every_reader_gets_the_mail_and_the_source_is_filled_in() -> None:
    found = read(mail("jane@acme.example", "rep@vendor.example"))
    assert [(one.contact, one.kind, one.source) for one in found] == [
        ("jane@acme.example", "seen", "mailbox:x"),
        ("jane@acme.example", "read too", "mailbox:x"),
    ]


@pytest.mark.usefixtures("readers")
def test_nothing_is_said_of_people_outside_the_scope_or_of_our_own() -> None:
    everybody = "Rep <rep@vendor.example>, ann@acme.example, joe@gmail.com, x@gmail.com, y@other.example, z"
    found = read(mail("jane@acme.example", everybody))
    assert {one.contact for one in found} == {"jane@acme.example", "ann@acme.example", "joe@gmail.com"}


@pytest.mark.usefixtures("readers")
def test_one_of_ours_is_left_out_even_where_his_domain_is_watched() -> None:
    scope = Scope(frozenset({"acme.example"}), frozenset({"jane@acme.example"}), frozenset())
    watcher = watching(kind="files", path="x")
    assert watcher.read(RawMail("m", "1", mail("jane@acme.example", "ann@acme.example")), scope) == []


@pytest.mark.usefixtures("readers")
def test_a_reader_that_fails_is_noted_and_the_others_go_on() -> None:
    watcher = watching(kind="files", path="x")
    trap = RawMail("mailbox:x", "x/1", mail("jane@acme.example", "rep@vendor.example", "trap"))
    with capture_logs() as told:
        found = watcher.read(trap, SCOPE)
    assert [one.kind for one in found] == ["read too"]
    assert watcher.broken == {"finder": 1}
    assert [(entry["event"], entry["reader"], entry["error"]) for entry in told] == [
        ("reader_failed", "finder", "ValueError")
    ]
    assert "secret words" not in str(told)
    assert "1@acme.example" not in str(told)


@pytest.mark.usefixtures("readers")
def test_a_mail_that_was_skipped_says_nothing() -> None:
    assert watching(kind="files", path="x").read(Skipped("m", "1", "gone"), SCOPE) == []


@pytest.mark.usefixtures("readers")
@pytest.mark.parametrize("raw", [b"", b"\0" * 5000, b"no header at all", b"From: \xff\xfe@\n\n\xff"])
def test_bytes_that_are_no_mail_end_no_run(raw: bytes) -> None:
    watcher = watching(kind="files", path="x")
    assert watcher.read(RawMail("m", "1", raw), SCOPE) == []


async def test_a_file_that_cannot_be_read_is_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "1.eml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "2.eml").write_bytes(mail("jane@acme.example", "rep@vendor.example"))
    watcher = watching(kind="files", path=tmp_path)
    found, cursor = await fetched(watcher)
    assert [type(item) for item in found] == [Skipped, RawMail]
    assert watcher.broken == {"no such file or directory": 1}
    again, _ = await fetched(watcher, cursor)
    assert [type(item) for item in again] == [Skipped]


def test_a_mailbox_is_called_by_its_name_or_by_its_user_or_path() -> None:
    imap = {"kind": "imap", "host": "mail.vendor.example", "user": "rep@vendor.example", "password_env": "X"}
    boxes = [imap, {**imap, "name": "second"}, {"kind": "files", "path": "/var/mail/archive"}]
    watcher = Mailbox(Mailbox.Config.model_validate({"mailboxes": boxes}))
    assert watcher.sources(SCOPE) == [
        "mailbox:rep@vendor.example",
        "mailbox:second",
        "mailbox:/var/mail/archive",
    ]


@pytest.mark.parametrize(
    "boxes",
    [
        [{"kind": "files", "path": "a"}, {"kind": "files", "path": "a"}],
        [{"kind": "files", "path": "a", "folder": "INBOX"}],
        [{"kind": "pop3", "host": "a"}],
        [{"kind": "imap", "host": "h", "user": "u", "password": "hunter2"}],
    ],
)
def test_a_wrong_setting_is_refused(boxes: list[dict[str, str]]) -> None:
    with pytest.raises(ValidationError):
        Mailbox.Config.model_validate({"mailboxes": boxes})


@dataclass
class Heads:
    """A source that asks of these headers whether the body is wanted."""

    heads: tuple[tuple[str, bytes], ...]
    said: list[bool] = field(default_factory=list)

    async def batches(self, cursor: Json, wants: Wants) -> AsyncIterator[Batch[Item]]:
        self.said.append(wants(Head(self.heads)))
        yield Batch("mailbox:x", [], cursor)

    async def woken(self, within: timedelta) -> bool:
        return not within


@pytest.mark.usefixtures("readers")
@pytest.mark.parametrize(
    ("heads", "wanted"),
    [
        ({"from": "jane@acme.example", "to": "rep@vendor.example"}, True),
        ({"from": "rep@vendor.example", "cc": "new@acme.example"}, True),
        ({"from": "MAILER-DAEMON@mail.vendor.example", "auto-submitted": "auto-replied"}, True),
        ({"from": "x@other.example", "to": "rep@vendor.example"}, False),
        ({"from": "x@other.example", "subject": "trap"}, False),
        ({}, False),
    ],
)
async def test_a_body_is_wanted_by_a_reader_or_for_the_sake_of_a_watched_account(
    heads: dict[str, str], *, wanted: bool
) -> None:
    watcher = watching(kind="files", path="x")
    source = Heads(tuple((name, value.encode()) for name, value in heads.items()))
    watcher._opened["mailbox:x"] = source
    await fetched(watcher)
    assert source.said == [wanted]


@pytest.fixture
def box(mail_servers: MailServers, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    monkeypatch.setenv("MAIL_PASSWORD", "correct horse")
    known = mail_servers.credentials("watched@vendor.example")
    yield {
        "kind": "imap",
        "host": known.host,
        "port": known.port,
        "tls": False,
        "user": known.user,
        "password_env": "MAIL_PASSWORD",
    }
    mail_servers.empty(known.user)


@pytest.mark.servers
@pytest.mark.xdist_group("mail")
@pytest.mark.usefixtures("readers")
async def test_of_a_real_mailbox_strangers_bodies_stay_where_they_are(
    mail_servers: MailServers, box: dict[str, Any]
) -> None:
    user = box["user"]
    mail_servers.deliver(user, mail("jane@acme.example", user))
    mail_servers.deliver(user, mail("x@other.example", user, extra="X-Mark: stranger\n"))
    mail_servers.deliver(user, mail(user, "jane@acme.example"), "Sent Mail")
    watcher = watching(**box)
    found, _ = await fetched(watcher)
    mails = [item for item in found if isinstance(item, RawMail)]
    said = [one for item in mails for one in watcher.read(item, SCOPE)]
    assert [(item.label, item.headers_only) for item in mails] == [
        ("INBOX/1", False),
        ("INBOX/2", True),
        ("Sent Mail/1", False),
    ]
    assert b"The body" not in mails[1].content
    assert {one.contact for one in said} == {"jane@acme.example"}
    assert {one.source for one in said} == {f"mailbox:{user}"}


@pytest.mark.servers
@pytest.mark.xdist_group("mail")
@pytest.mark.usefixtures("readers")
async def test_a_mailbox_numbered_anew_gives_the_same_observations(
    mail_servers: MailServers, box: dict[str, Any]
) -> None:
    for name in ("jane", "ann", "bob"):
        mail_servers.deliver(box["user"], mail(f"{name}@acme.example", box["user"]))
    watcher = watching(**box)
    first, cursor = await fetched(watcher)
    mail_servers.renew_uidvalidity(box["user"])
    again, _ = await fetched(watcher, cursor)
    keys = [{one.key for item in items for one in watcher.read(item, SCOPE)} for items in (first, again)]
    assert len(keys[0]) == 6
    assert keys[0] == keys[1]


@pytest.mark.servers
@pytest.mark.xdist_group("mail")
async def test_a_mailbox_that_cannot_be_opened_says_what_a_human_must_do(
    mail_servers: MailServers, box: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    del mail_servers
    monkeypatch.setenv("MAIL_PASSWORD", "wrong")
    with pytest.raises(NeedsHuman, match="MAIL_PASSWORD"):
        await fetched(watching(**box))

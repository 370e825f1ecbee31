"""Read a mailbox over IMAP (RFC 9051, 3501) without changing anything in it.

Folders are opened with EXAMINE and mails fetched with PEEK, headers first. Reading goes on after the last UID
seen; when the server renumbers a folder (UIDVALIDITY) it is read again, which observation keys make harmless.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import structlog
from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError
from pydantic import BaseModel, Field, model_validator

from bot.model import Json, NeedsHuman, SourceDown
from watchers import Batch, Settings
from watchers.cursor import Cursor
from watchers.mail import Item, RawMail, Skipped, Wants
from watchers.mail.head import LIMITS
from watchers.mail.parse import parse
from watchers.secret import Secret

log = structlog.get_logger()
logging.getLogger("imapclient").setLevel(logging.WARNING)  # at debug level it logs tokens and bodies

HEADERS_AT_ONCE = 200
BODIES_AT_ONCE = 32 * 2**20
"""Bytes of mail in one batch, by the sizes the server states."""

UIDS_AT_ONCE = 80_000
"""UIDs in one SEARCH: imaplib refuses an answer longer than a million bytes."""

TLS_PORT, PLAIN_PORT = 993, 143
SENT = b"\\Sent"
CONNECT_SECONDS = 15
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=1)
IDLE_RENEWAL = timedelta(minutes=9)
"""Some servers drop a longer IDLE without a word (RFC 2177 allows them 30 minutes)."""

HEAD = f"BODY.PEEK[HEADER]<0.{LIMITS.headers}>"
BODY = f"BODY.PEEK[]<0.{LIMITS.mail}>"


class ImapMailbox(Settings):
    """A mailbox on an IMAP server; its secret stands in an environment variable or in a file."""

    kind: Literal["imap"]
    host: str
    user: str
    port: int | None = Field(default=None, ge=1, le=65535, description="993, without tls 143, where empty")
    tls: bool = Field(default=True, description="may be false for a server on this machine only")
    name: str = Field(default="", description="what to call it; the user where empty")
    password_env: str = ""
    password_file: Path | None = None
    token_env: str = Field(default="", description="an OAuth 2 access token; read anew at each connection")
    token_file: Path | None = None
    folders: tuple[str, ...] = Field(
        default=("INBOX", "\\Sent"),
        min_length=1,
        description="names, or special uses such as \\Sent and \\Junk",
    )
    history_days: int = Field(default=365, ge=1, description="how far the first pass looks back")
    timeout_seconds: float = Field(default=60, gt=0, description="how long one answer may take")

    @property
    def label(self) -> str:
        """Return what the mailbox is called."""
        return self.name or self.user

    @property
    def address(self) -> str:
        """Return host and port, as they are connected to."""
        return f"{self.host}:{self.port or (TLS_PORT if self.tls else PLAIN_PORT)}"

    @property
    def has_token(self) -> bool:
        """Say whether it is opened with a token, not with a password."""
        return bool(self.token_env or self.token_file)

    @property
    def secret(self) -> Secret:
        """Return where the password or token stands."""
        variable, path = self.password_env or self.token_env, self.password_file or self.token_file
        return Secret(variable, path, self.user)

    def open(self, source: str) -> ImapSource:
        """Return the source of its mails."""
        return ImapSource(self, source)

    @model_validator(mode="after")
    def _is_safe(self) -> ImapMailbox:
        secrets = [self.password_env, self.password_file, self.token_env, self.token_file]
        if sum(map(bool, secrets)) != 1:
            raise ValueError("give exactly one of password_env, password_file, token_env, token_file")
        if not self.tls and not _is_this_machine(self.host):
            raise ValueError("tls: false would send the password in the clear; only this machine allows it")
        return self


class _Folder(BaseModel):
    """How far a folder was read: up to this UID, and its HIGHESTMODSEQ then (0: the server has none)."""

    validity: int
    uid: int = 0
    modseq: int = 0


class _Place(Cursor):
    """Where reading of a mailbox goes on."""

    folders: dict[str, _Folder] = Field(default_factory=dict)


@dataclass(frozen=True)
class Census:
    """How many mails each folder holds that is read; `folders` are all that the mailbox has.

    `has_sent` says whether one of those that are read is for sent mail, as far as can be told: where the
    server marks none, every folder named in the settings beside INBOX may be it.
    """

    mails: dict[str, int]
    folders: tuple[str, ...]
    has_sent: bool


class ImapSource:
    """The mails of one mailbox on a server. Each pass is one connection, used from a thread."""

    def __init__(self, box: ImapMailbox, source: str) -> None:
        self.box = box
        self.source = source
        self._failures = 0

    async def batches(self, cursor: Json, wants: Wants) -> AsyncIterator[Batch[Item]]:
        """Yield what is new since the cursor; each failure in a row doubles the wait that is asked for."""
        line = _Line(self.box)
        reading = self._batches(line, _Place.of(cursor), wants)
        try:
            while (batch := await asyncio.to_thread(next, reading, None)) is not None:
                self._failures = 0
                yield batch
        except SourceDown as down:
            wait = min(FIRST_RETRY * 2**self._failures, LONGEST_RETRY)
            self._failures = min(self._failures + 1, 20)
            raise SourceDown(down.what, wait) from down
        finally:
            line.cut()

    async def woken(self, within: timedelta) -> bool:
        """Wait for a mail to arrive in the first folder by IDLE (RFC 2177), at most this long.

        Where the server cannot IDLE, or fails, the time is merely waited out.
        """
        line = _Line(self.box)
        until = time.monotonic() + within.total_seconds()
        try:
            return await asyncio.to_thread(self._idle, line, until)
        except (SourceDown, NeedsHuman):
            await asyncio.sleep(max(0.0, until - time.monotonic()))
            return False
        finally:
            line.cut()

    async def census(self) -> Census:
        """Count the mails of the folders that are read, however old they are."""
        line = _Line(self.box)
        try:
            return await asyncio.to_thread(self._census, line)
        finally:
            line.cut()

    def _census(self, line: _Line) -> Census:
        with _told(self.box):
            client = line.connect()
            read = self._folders(client)
            mails = {name: client.folder_status(name, ["MESSAGES"]).get(b"MESSAGES", 0) for name in read}
            sent = client.find_special_folder(SENT)
            beside = [name for name in read if name.upper() != "INBOX"]
            folders = tuple(str(name) for _, _, name in client.list_folders())
            client.logout()
        return Census(mails, folders, sent in read if sent else bool(beside))

    def _batches(self, line: _Line, place: _Place, wants: Wants) -> Iterator[Batch[Item]]:
        with _told(self.box):
            client = line.connect()
            plan = [(folder, *self._search(client, folder, place)) for folder in self._folders(client)]
            total = sum(len(uids) for _, _, uids in plan)
            for folder, reached, uids in plan:
                if uids:
                    client.select_folder(folder, readonly=True)
                for start in range(0, len(uids), HEADERS_AT_ONCE):
                    chunk = uids[start : start + HEADERS_AT_ONCE]
                    for items, last in self._fetch(client, folder, chunk, wants):
                        place.folders[folder] = _Folder(validity=reached.validity, uid=last)
                        yield Batch(self.source, items, place.model_dump(mode="json"), total)
                place.folders[folder] = reached
            yield Batch(self.source, [], place.model_dump(mode="json"), total)
            client.logout()

    def _folders(self, client: IMAPClient) -> list[str]:
        """Return the names of the folders to read; a special use that the mailbox lacks is left out."""
        names = []
        for folder in self.box.folders:
            if folder.startswith("\\"):
                name = client.find_special_folder(folder.encode())
                if name is None:
                    log.info("mailbox_lacks_folder", source=self.source, folder=folder)
                    continue
            elif client.folder_exists(folder):
                name = folder
            else:
                raise NeedsHuman(f"{self.box.label} has no folder {folder}", "correct its `folders`")
            names.append(name)
        return list(dict.fromkeys(names))

    def _search(self, client: IMAPClient, folder: str, place: _Place) -> tuple[_Folder, list[int]]:
        """Return how far the folder will have been read, and which UIDs that takes."""
        asked = ["UIDVALIDITY", "UIDNEXT", *(["HIGHESTMODSEQ"] if client.has_capability("CONDSTORE") else [])]
        status = client.folder_status(folder, asked)
        validity, following = status[b"UIDVALIDITY"], status.get(b"UIDNEXT", 0)
        modseq = status.get(b"HIGHESTMODSEQ", 0)
        known = place.folders.get(folder, _Folder(validity=validity))
        if known.validity != validity:
            log.warning("mailbox_renumbered", source=self.source, folder=folder)
            known = _Folder(validity=validity)
        unchanged = known.uid + 1 == following if following else 0 < modseq == known.modseq
        if unchanged:
            return _Folder(validity=validity, uid=known.uid, modseq=modseq), []
        client.select_folder(folder, readonly=True)
        found = self._uids_after(client, known.uid, following)
        last = max([known.uid, following - 1, *found[-1:]])
        return _Folder(validity=validity, uid=last, modseq=modseq), found

    def _uids_after(self, client: IMAPClient, uid: int, following: int) -> list[int]:
        since = self._baseline()
        ranges = [
            f"{first}:{min(first + UIDS_AT_ONCE, following) - 1}"
            for first in range(uid + 1, following, UIDS_AT_ONCE)
        ]
        found: set[int] = set()
        for window in ranges if following else [f"{uid + 1}:*"]:
            found.update(client.search(["UID", window, "SINCE", since]))
        return sorted(n for n in found if n > uid)  # "n:*" always has the last mail in it

    def _baseline(self) -> date:
        return datetime.now(UTC).date() - timedelta(days=self.box.history_days)

    def _fetch(
        self, client: IMAPClient, folder: str, uids: Sequence[int], wants: Wants
    ) -> Iterator[tuple[list[Item], int]]:
        """Yield the mails in groups of bounded size, each with its last UID: bodies only of wanted ones."""
        found, broken = _ask(client, uids, ["RFC822.SIZE", HEAD])
        heads = {uid: _content(answer, b"BODY[HEADER]") for uid, answer in found.items()}
        sizes = {
            uid: min(found[uid].get(b"RFC822.SIZE", 0), LIMITS.mail)
            for uid, head in heads.items()
            if wants(parse(head).head)
        }
        for group in _groups(uids, sizes):
            bodies, refused = _ask(client, [uid for uid in group if uid in sizes], [BODY])
            items: list[Item] = []
            for uid in group:
                label = f"{folder}/{uid}"
                if uid in broken or uid in refused:
                    items.append(Skipped(self.source, label, "the server could not give it"))
                elif uid in bodies:
                    items.append(RawMail(self.source, label, _content(bodies[uid], b"BODY[]")))
                elif uid in heads:
                    items.append(RawMail(self.source, label, heads[uid], headers_only=True))
            yield items, group[-1]

    def _idle(self, line: _Line, until: float) -> bool:
        with _told(self.box):
            client = line.connect()
            if not client.has_capability("IDLE"):
                raise SourceDown("the server cannot IDLE")
            client.select_folder(self._folders(client)[0], readonly=True)
            while (left := until - time.monotonic()) > 0:
                client.idle()
                if _arrives(client, min(left, IDLE_RENEWAL.total_seconds())):
                    return True
                _, said_last = client.idle_done()
                if _announce_mail(said_last):
                    return True
            return False


class _Line:
    """A connection that another thread can cut."""

    def __init__(self, box: ImapMailbox) -> None:
        self.box = box
        self._client: IMAPClient | None = None
        self._is_cut = False

    def connect(self) -> IMAPClient:
        """Connect and log in."""
        box = self.box
        secret = box.secret.token() if box.has_token else box.secret.read()
        self._client = client = IMAPClient(
            box.host,
            box.port,
            ssl=box.tls,
            ssl_context=ssl.create_default_context() if box.tls else None,
            timeout=SocketTimeout(min(CONNECT_SECONDS, box.timeout_seconds), box.timeout_seconds),
        )
        if self._is_cut:
            self.cut()
        try:
            if box.has_token:
                client.oauth2_login(box.user, secret)
            elif f"{box.user}{secret}".isascii():
                client.login(box.user, secret)
            else:  # LOGIN takes no other letters (RFC 9051 6.2.3), PLAIN does (RFC 4616)
                client.plain_login(box.user, secret)
        except LoginError as error:
            if isinstance(error.__context__, IMAPClientAbortError):
                raise error.__context__ from error
            raise _refusal(box, str(error)) from error
        return client

    def cut(self) -> None:
        """Close the connection, so that a thread that waits on it comes free. Safe to call at any time."""
        self._is_cut = True
        if self._client is not None:
            with suppress(OSError, IMAPClientError):
                self._client.socket().shutdown(socket.SHUT_RDWR)  # first, for close() waits for readers
            with suppress(OSError, IMAPClientError):
                self._client.shutdown()


def _arrives(client: IMAPClient, seconds: float) -> bool:
    """Wait in IDLE for a new mail; flag changes and the server's small talk do not count."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        answers = client.idle_check(timeout=left)
        if _announce_mail(answers):
            return True
        if not answers and time.monotonic() < until:
            raise SourceDown("the server hung up during IDLE")
    return False


def _announce_mail(answers: Sequence[Sequence[object]]) -> bool:
    return any(len(answer) > 1 and answer[1] == b"EXISTS" for answer in answers)


def _ask(
    client: IMAPClient, uids: Sequence[int], what: list[str]
) -> tuple[dict[int, dict[bytes, Any]], set[int]]:
    """Fetch, and halve what the server refuses until the mail it chokes on is alone; return those too."""
    if not uids:
        return {}, set()
    try:
        return dict(client.fetch(uids, what)), set()
    except IMAPClientAbortError:
        raise
    except IMAPClientError:
        if len(uids) == 1:
            return {}, set(uids)
    half = len(uids) // 2
    found, broken = _ask(client, uids[:half], what)
    more, more_broken = _ask(client, uids[half:], what)
    return found | more, broken | more_broken


def _content(answer: dict[bytes, Any], section: bytes) -> bytes:
    """Return a section of a FETCH answer; a partial one is named with its offset."""
    return answer.get(section + b"<0>") or answer.get(section) or b""


def _groups(uids: Sequence[int], sizes: dict[int, int]) -> Iterator[list[int]]:
    group: list[int] = []
    size = 0
    for uid in uids:
        if group and size + sizes.get(uid, 0) > BODIES_AT_ONCE:
            yield group
            group, size = [], 0
        group.append(uid)
        size += sizes.get(uid, 0)
    yield group


@contextmanager
def _told(box: ImapMailbox) -> Iterator[None]:
    """Turn what goes wrong on the line into the words of the house."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise NeedsHuman(
            f"the certificate of {box.address} is not to be trusted: {error.verify_message}",
            OTHER_NAME if error.verify_code in _ANOTHER_NAME else UNKNOWN_AUTHORITY,
        ) from error
    except ssl.SSLError as error:
        if error.reason not in _NO_TLS:
            raise SourceDown(f"{box.address} cannot be read: {_words(error)}") from error
        raise NeedsHuman(
            f"there is no TLS at {box.address}",
            "993 is the usual port with TLS; without it, for a server on this machine only, answer no to TLS "
            "(`tls: false`)",
        ) from error
    except ConnectionRefusedError as error:
        raise SourceDown(f"{box.address} refuses the connection") from error
    except TimeoutError as error:
        raise SourceDown(f"{box.host} does not answer") from error
    except (OSError, IMAPClientError) as error:
        raise SourceDown(f"{box.host} cannot be read: {_words(error)}") from error


OTHER_NAME = "write as `host` the name that the certificate is for"
UNKNOWN_AUTHORITY = (
    "let this machine trust who signed it: put that certificate into the system's store (on Debian as a .crt "
    "in /usr/local/share/ca-certificates, then update-ca-certificates), or let SSL_CERT_FILE name a file "
    "with it and the usual ones"
)
_ANOTHER_NAME = frozenset({62, 64})
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"})
"""What OpenSSL's versions say of a greeting in plain words."""


def _words(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", str(text))[:120]


_CODE = re.compile(r"\[([A-Z-]{1,40})[\] ]")
_PASSING = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"})
_PASSING_WORDS = re.compile(r"temporar|try again|too many|throttl", re.IGNORECASE)


def _refusal(box: ImapMailbox, answer: str) -> SourceDown | NeedsHuman:
    """Say what a refused login means (RFC 5530); the server's words may echo secrets and are not repeated."""
    code = _CODE.search(answer)
    if (code and code[1] in _PASSING) or _PASSING_WORDS.search(answer):
        return SourceDown(f"{box.host} refuses to log in {box.user} for now")
    if box.has_token:
        return NeedsHuman(
            f"{box.host} refuses the token of {box.user}: it expired or was revoked",
            f"put a new token into {box.secret.where}",
        )
    return NeedsHuman(
        f"{box.host} refuses the password of {box.user}", f"put the right one into {box.secret.where}"
    )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"

"""Real mail servers on loopback: Dovecot (IMAP, LMTP, Sieve), Postfix, and the customers' mail server.

Postfix writes genuine delivery reports about what the customers' server refuses, and Dovecot's Sieve genuine
vacation replies. `running()` gives a `MailServers`; `CannotRun` says why there can be none here.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from email.message import EmailMessage
from email.utils import localtime, make_msgid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from imapclient import IMAPClient

from tests.servers import mail_config as config
from tests.servers.ports import free_port

PACKAGES = ("dovecot-imapd", "dovecot-lmtpd", "dovecot-sieve", "postfix")
PROGRAMS = ("/usr/sbin/dovecot", "/usr/lib/dovecot/lmtp", "/usr/lib/postfix/sbin/master")
PASSWORD = "correct horse"
HOST = "127.0.0.1"


class CannotRun(Exception):  # noqa: N818 - it is a reason to skip, not a failure
    """Say why there can be no mail servers on this machine."""


@dataclass(frozen=True)
class Credentials:
    """How a mailbox is reached."""

    host: str
    port: int
    tls_port: int
    user: str
    password: str
    token: str
    authority: Path


class Customers:
    """The mail server of every domain but ours: refuses each recipient as it is told to."""

    def __init__(self, deliver: Callable[[Envelope], None]) -> None:
        self.replies: dict[str, str] = {}
        self.alive: set[str] = set()
        self._deliver = deliver

    async def handle_RCPT(  # noqa: N802 - aiosmtpd looks for this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer for one recipient."""
        del server, session, options
        names = {address.lower(), address.partition("@")[0].lower()}
        for name in names & self.replies.keys():
            return self.replies[name]
        if not names & self.alive:
            return f"550 5.1.1 <{address}>: Recipient address rejected: User unknown"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Take a mail for people who are alive."""
        del server, session
        self._deliver(envelope)
        return "250 2.0.0 taken"


class MailServers:
    """Dovecot, Postfix and the customers' server, in a folder of their own, on free ports."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.ports = config.Ports(*(free_port() for _ in fields(config.Ports)))
        self.customers = Customers(self._to_mailboxes)
        self._dovecot: subprocess.Popen[bytes] | None = None
        self._postfix: subprocess.Popen[bytes] | None = None
        self._controller: Controller | None = None
        self._tokens: ThreadingHTTPServer | None = None
        self._users: set[str] = set()

    def send(
        self, sender: str, to: str | list[str], subject: str = "Hello", body: str = "Hi.", **headers: str
    ) -> str:
        """Hand a mail to Postfix, as a mail program does; return its Message-ID."""
        recipients = [to] if isinstance(to, str) else to
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, ", ".join(recipients), subject
        mail["Date"], mail["Message-ID"] = localtime(), make_msgid(domain=sender.partition("@")[2])
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(body)
        self.send_raw(sender, recipients, mail.as_bytes())
        return str(mail["Message-ID"])

    def send_raw(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Hand the bytes of a mail to Postfix."""
        with smtplib.SMTP(HOST, self.ports.smtp, timeout=20) as smtp:
            smtp.sendmail(sender, recipients, raw)

    def deliver(
        self, user: str, raw: bytes, folder: str = "INBOX", received: datetime | None = None, copies: int = 1
    ) -> None:
        """Put a mail into a mailbox's folder, as a delivery agent does; `copies` get a number each."""
        self.credentials(user)
        maildir = self.maildir(user)
        place = maildir if folder == "INBOX" else maildir / f".{folder}"
        _own(*(_made(place / part) for part in ("new", "cur", "tmp")), place)
        for n in range(copies):
            path = place / "tmp" / f"{time.time_ns():020}.{n}.test"
            path.write_bytes(raw.replace(b"%n", str(n).encode()) if copies > 1 else raw)
            if received is not None:
                os.utime(path, (received.timestamp(), received.timestamp()))
            _own(path)
            path.rename(place / "new" / path.name)

    def maildir(self, user: str) -> Path:
        """Return the folder that a mailbox lies in."""
        return self._home(user) / "Maildir"

    def credentials(self, user: str) -> Credentials:
        """Return how to reach a mailbox, which is made when it is first asked for."""
        if user not in self._users:
            self._users.add(user)
            _own(_made(self._home(user)))
            (self.base / "users" / user).write_text(f"{user}:{{PLAIN}}{PASSWORD}::::::\n")
        token = f"good-{user}"
        ports = self.ports
        return Credentials(HOST, ports.imap, ports.imaps, user, PASSWORD, token, self.base / "cert.pem")

    def imap(self, user: str) -> IMAPClient:
        """Return a client of our own that is logged in to a mailbox."""
        known = self.credentials(user)
        client = IMAPClient(known.host, known.port, ssl=False, timeout=20)
        client.login(user, known.password)
        return client

    def wait_for(self, user: str, count: int, seconds: float = 20, folder: str = "INBOX") -> None:
        """Wait until a folder holds so many mails."""
        until = time.monotonic() + seconds
        client = self.imap(user)
        while (held := client.folder_status(folder, ["MESSAGES"])[b"MESSAGES"]) < count:
            if time.monotonic() > until:
                raise TimeoutError(f"{folder} of {user} holds {held} mails, not {count}; see {self.base}")
            time.sleep(0.05)
        client.logout()

    def vacation(self, user: str, text: str, subject: str = "Out of office", *, script: str = "") -> None:
        """Let a mailbox answer every mail by Sieve (RFC 5230): with this text, or as `script` says."""
        self.credentials(user)
        said = f'require ["vacation"];\nvacation :days 1 :subject "{subject}" "{text}";\n'
        path = self._home(user) / ".dovecot.sieve"
        path.write_text(script or said)
        _own(path)
        self.live(user)

    def empty(self, user: str) -> None:
        """Throw a mailbox's mails and folders away."""
        shutil.rmtree(self._home(user) / "Maildir", ignore_errors=True)

    def renew_uidvalidity(self, user: str) -> None:
        """Make Dovecot number a mailbox anew, as after a restore; the mails stay."""
        time.sleep(1.1)  # the new number is the time in seconds
        maildir = self._home(user) / "Maildir"
        for path in [*maildir.rglob("dovecot*"), *maildir.glob("dovecot*")]:
            path.unlink(missing_ok=True)

    def sessions(self, user: str) -> list[str]:
        """Return what each IMAP session of a mailbox sent to the server; they must have ended."""
        folder = self._home(user) / "rawlog"
        return [path.read_text(errors="replace") for path in sorted(folder.glob("*.in"))]

    def record_sessions(self, user: str) -> None:
        """Record the IMAP sessions of a mailbox from now on, for `sessions`."""
        self.credentials(user)
        shutil.rmtree(self._home(user) / "rawlog", ignore_errors=True)
        _own(_made(self._home(user) / "rawlog"))

    def reject(self, who: str, reply: str) -> None:
        """Let the customers' server refuse a local part or an address with this SMTP reply."""
        self.customers.replies[who.lower()] = reply

    def live(self, who: str) -> None:
        """Let the customers' server take mail for a local part or an address."""
        self.customers.replies.pop(who.lower(), None)
        self.customers.alive.add(who.lower())

    def start(self) -> None:
        """Start what is not running, and wait until it answers."""
        if self._controller is None:
            self._controller = Controller(self.customers, hostname=HOST, port=self.ports.customers)
            self._controller.start()
        if self._tokens is None:
            self._tokens = ThreadingHTTPServer((HOST, self.ports.tokens), Introspection)
            threading.Thread(target=self._tokens.serve_forever, args=(0.05,), daemon=True).start()
        if self._dovecot is None:
            self._dovecot = _popen("/usr/sbin/dovecot", "-F", "-c", str(self.base / "dovecot.conf"))
        if self._postfix is None:
            conf = self.base / "postfix" / "conf"
            self._postfix = _popen("/usr/lib/postfix/sbin/master", "-c", str(conf), "-d")
        for port in asdict(self.ports).values():
            _wait_for_port(port)

    def stop(self) -> None:
        """Stop Dovecot; the others stay, so that mail on its way waits."""
        _end(self._dovecot)
        self._dovecot = None

    def close(self) -> None:
        """Stop everything."""
        self.stop()
        _end(self._postfix)
        if self._controller is not None:
            self._controller.stop()
        if self._tokens is not None:
            self._tokens.shutdown()
            self._tokens.server_close()

    def configure(self) -> None:
        """Write what the servers are told."""
        conf = _made(self.base / "postfix" / "conf")
        _made(self.base / "mail")
        _made(self.base / "users")
        (self.base / "dovecot.conf").write_text(config.dovecot(self.base, self.ports))
        (self.base / "oauth2.conf").write_text(config.introspection(self.ports))
        (conf / "main.cf").write_text(config.postfix_main(self.base, self.ports))
        (conf / "master.cf").write_text(config.postfix_master(self.ports))
        key = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        files = ["-keyout", str(self.base / "key.pem"), "-out", str(self.base / "cert.pem"), "-days", "2"]
        _run(*key, *names, *files)
        _made(self.base / "postfix" / "spool")
        data = _made(self.base / "postfix" / "data")
        shutil.chown(data, "postfix")
        _run("/usr/sbin/postfix", "-c", str(conf), "check")

    def _home(self, user: str) -> Path:
        return self.base / "mail" / user

    def _to_mailboxes(self, envelope: Envelope) -> None:
        """Deliver to those of the live who have a mailbox; the others' mail is read and forgotten."""
        held = [address for address in envelope.rcpt_tos if address in self._users]
        if held:
            with smtplib.LMTP(HOST, self.ports.lmtp) as lmtp:
                lmtp.sendmail(envelope.mail_from or "", held, envelope.original_content or b"")


class Introspection(BaseHTTPRequestHandler):
    """Tell Dovecot whether a token is good: "good-USER" is USER's, everything else has expired."""

    def do_POST(self) -> None:
        """Answer one question."""
        asked = urllib.parse.parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
        token = asked.get("token", [""])[0]
        user = token.removeprefix("good-") if token.startswith("good-") else ""
        body = json.dumps({"active": bool(user), "username": user}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class named it
        """Say nothing."""


@contextmanager
def running() -> Iterator[MailServers]:
    """Start fresh servers and end them afterwards; raise CannotRun where they cannot run."""
    if os.geteuid() != 0:
        raise CannotRun("real mail servers need root: Postfix insists on it")
    _install()
    base = Path(tempfile.mkdtemp(prefix="stillthere-mail-", dir="/tmp"))
    base.chmod(0o755)
    servers = MailServers(base)
    try:
        servers.configure()
        servers.start()
        yield servers
    finally:
        servers.close()
        shutil.rmtree(base, ignore_errors=True)


def _install() -> None:
    """Install the servers where they are missing, once for all test processes of this machine."""
    if all(Path(program).exists() for program in PROGRAMS):
        return
    if shutil.which("apt-get") is None:
        raise CannotRun("Dovecot and Postfix are not installed, and there is no apt-get to install them")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with (Path(tempfile.gettempdir()) / "stillthere-apt.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if all(Path(program).exists() for program in PROGRAMS):
            return
        try:
            _run("apt-get", "update", "-qq", env=quiet, timeout=180)
            _run(
                "apt-get",
                "install",
                "-y",
                "-qq",
                "--no-install-recommends",
                *PACKAGES,
                env=quiet,
                timeout=600,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise CannotRun(f"Dovecot and Postfix cannot be installed: {error}") from error


def _run(*command: str, env: dict[str, str] | None = None, timeout: float = 60) -> None:
    nowhere = subprocess.DEVNULL
    subprocess.run(
        command, check=True, env=env, timeout=timeout, stdin=nowhere, stdout=nowhere, stderr=nowhere
    )


def _popen(*command: str) -> subprocess.Popen[bytes]:
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True)


def _end(process: subprocess.Popen[bytes] | None) -> None:
    """End a server and all its processes at once: asked to, Dovecot takes six seconds."""
    if process is not None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for_port(port: int, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while True:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        if time.monotonic() > until:
            raise TimeoutError(f"nothing listens on port {port}")
        time.sleep(0.05)


def _made(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _own(*paths: Path) -> None:
    for path in paths:
        shutil.chown(path, config.OWNER, config.OWNER)

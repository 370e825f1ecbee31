"""Keys, certificates and service accounts for tests, and reading a source to its end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from bot.model import Json
from tests.servers.oauth import Account, AuthorizationServer
from watchers.mail import Item, MailSource, RawMail, Wants
from watchers.mail.head import Head

ROBOT = "stillthere@project.example"
RITA = "rita@vendor.example"
OMAR = "omar@vendor.example"
BOARD = "board@vendor.example"
GMAIL_SCOPE = "https://www.googleapis.com/auth/gmail.readonly"
PEM = serialization.Encoding.PEM


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """Return a key, the same for all tests of a process: making one takes long."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem() -> bytes:
    """Return that key in PEM."""
    return rsa_key().private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def service_account(
    folder: Path, server: AuthorizationServer, *mailboxes: str, scopes: Sequence[str] = (GMAIL_SCOPE,)
) -> Path:
    """Write the key file of a service account, and register it with the authorization server."""
    path = folder / "service-account.json"
    path.write_text(
        json.dumps({"type": "service_account", "client_email": ROBOT, "private_key": pem().decode()})
    )
    server.accounts[ROBOT] = Account(rsa_key().public_key(), frozenset(scopes), frozenset(mailboxes))
    return path


def certificate(folder: Path, server: AuthorizationServer, client: str) -> Path:
    """Write a private key with its certificate, and register it with the authorization server."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stillthere")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(rsa_key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(rsa_key(), hashes.SHA256())
    )
    path = folder / "application.pem"
    path.write_bytes(pem() + made.public_bytes(PEM))
    server.certificates[client] = made
    return path


def everything(head: Head) -> bool:
    """Want every body."""
    del head
    return True


def automatic(head: Head) -> bool:
    """Want what no person wrote."""
    return "auto-submitted" in head


@dataclass
class Read:
    """What a pass over a source gave: its mails, and the cursor it ended with."""

    items: list[Item] = field(default_factory=list)
    cursors: list[Json] = field(default_factory=list)

    @property
    def cursor(self) -> Json:
        """Return where the next pass goes on."""
        return self.cursors[-1]

    @property
    def mails(self) -> list[bytes]:
        """Return what the mails hold, in the order they came."""
        return [item.content for item in self.items if isinstance(item, RawMail)]

    @property
    def whole(self) -> list[bytes]:
        """Return the mails that came with their bodies."""
        return [item.content for item in self.items if isinstance(item, RawMail) and not item.headers_only]


async def read(
    source: MailSource, cursor: Json = None, wants: Wants = everything, batches: int | None = None
) -> Read:
    """Read a source to its end, or so many batches of it."""
    found = Read()
    async for batch in source.batches(cursor, wants):
        found.items += batch.items
        found.cursors.append(batch.cursor)
        if batches is not None and len(found.cursors) >= batches:
            break
    return found

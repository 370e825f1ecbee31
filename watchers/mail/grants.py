"""What an organisation grants: one key or secret that opens the mailboxes of one group, for reading only.

Google: a service account with domain-wide delegation, which signs for each mailbox (RFC 7523). Microsoft: an
application with client credentials (RFC 6749 section 4.4), limited by RBAC for Applications.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.model import NeedsHuman
from watchers.mail.oauth import Granted, GrantRefused, Lease, ask
from watchers.mail.tokens import SCOPES, Provider, Use
from watchers.secret import Secret, read_secret_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

GOOGLE_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address, no secret
MICROSOFT_LOGIN = "https://login.microsoftonline.com/"
EVERYTHING_GRANTED = "https://graph.microsoft.com/.default"

ASSERTION_SECONDS = 600
"""How long an assertion that we sign is good; Google allows an hour, Microsoft ten minutes."""


class NotGranted(NeedsHuman):
    """Say that the provider itself does not let us act for a mailbox: the grant does not reach there."""


class ServiceAccount:
    """Access tokens for one mailbox by a service account's key file, which is read anew at each renewal."""

    def __init__(self, key_file: Path, mailbox: str, token_url: str = GOOGLE_TOKEN_URL) -> None:
        self._key_file = key_file
        self._mailbox = mailbox
        self._token_url = token_url
        self._leases = {use: Lease(partial(self._renew, use)) for use in Use}

    async def token(self, use: Use, refused: str = "") -> str:
        """Return an access token for one use; each use is signed for by itself, so each can be granted."""
        return await self._leases[use].token(refused)

    async def _renew(self, use: Use) -> Granted:
        scope = SCOPES[Provider.GOOGLE, use]
        name, key = self._key()
        now = int(time.time())
        claims = {
            "iss": name,
            "sub": self._mailbox,
            "scope": scope,
            "aud": self._token_url,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        signed = signed_jwt({"alg": "RS256", "typ": "JWT"}, claims, key)
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": signed}
        try:
            return await ask(self._token_url, form)
        except GrantRefused as refused:
            raise self._problem(refused.code, name, scope) from None

    def _key(self) -> tuple[str, RSAPrivateKey]:
        put_right = f"put the JSON key of a service account into {self._key_file}"
        try:
            told = json.loads(read_secret_file(self._key_file, put_right))
            name = str(told["client_email"])
            key = rsa_key(str(told["private_key"]).encode())
        except (ValueError, KeyError, TypeError):
            raise NeedsHuman(f"{self._key_file} is no key of a service account", put_right) from None
        return name, key

    def _problem(self, code: str, name: str, scope: str) -> NeedsHuman:
        if code == "unauthorized_client":
            return NotGranted(
                f"{name} may not open {self._mailbox} with {scope}",
                "grant its client id exactly this scope: Admin console, Security, Access and data control, "
                "API controls, Domain-wide delegation",
            )
        if code == "invalid_grant":
            return NotGranted(
                f"Google does not let {name} act for {self._mailbox}",
                "check that the mailbox exists, that its key was not deleted, and this machine's clock",
            )
        return NeedsHuman(f"Google refuses {name}: {code}", "see docs/mailboxes.md")


class Application:
    """Access tokens of a Microsoft application; the same token serves every mailbox that it may read.

    `secret` and `certificate` say where the credential is: exactly one of them is there.
    """

    def __init__(
        self, client_id: str, token_url: str, secret: Secret | None, certificate: Path | None
    ) -> None:
        self._client_id = client_id
        self._token_url = token_url
        self._secret = secret
        self._certificate = certificate
        self._lease = Lease(self._renew)

    async def token(self, use: Use, refused: str = "") -> str:
        """Return an access token; what it may do is what the application was granted."""
        del use
        return await self._lease.token(refused)

    async def _renew(self) -> Granted:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "scope": EVERYTHING_GRANTED,
            **self._credential(),
        }
        try:
            return await ask(self._token_url, form)
        except GrantRefused as refused:
            raise NeedsHuman(
                f"Microsoft refuses the application {self._client_id}: {refused.code}",
                "check its client id, its tenant, and that its secret or certificate has not expired",
            ) from None

    def _credential(self) -> Mapping[str, str]:
        if self._certificate is None:
            assert self._secret is not None
            return {"client_secret": self._secret.read()}
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self._assertion(self._certificate),
        }

    def _assertion(self, path: Path) -> str:
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as in rsa_key
        from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 - as in rsa_key

        put_right = f"put the private key and the certificate, both in PEM, into {path}"
        pem = read_secret_file(path, put_right)
        try:
            key = rsa_key(pem)
            thumbprint = load_pem_x509_certificate(pem).fingerprint(SHA256())
        except (ValueError, TypeError):
            raise NeedsHuman(f"{path} holds no RSA key with its certificate", put_right) from None
        now = int(time.time())
        claims = {
            "aud": self._token_url,
            "iss": self._client_id,
            "sub": self._client_id,
            "jti": secrets.token_hex(16),
            "nbf": now,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        return signed_jwt({"alg": "PS256", "typ": "JWT", "x5t#S256": base64url(thumbprint)}, claims, key)


def rsa_key(pem: bytes) -> RSAPrivateKey:
    """Read a private key in PEM. Raises ValueError and TypeError where it is none, or no RSA key."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 - loads slowly
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - so does this

    key = load_pem_private_key(pem, None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("no RSA key")
    return key


def signed_jwt(header: Mapping[str, str], claims: Mapping[str, Any], key: RSAPrivateKey) -> str:
    """Return a signed JSON Web Token (RFC 7515): PS256 where the header says so, else RS256."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as in rsa_key
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415 - as in rsa_key

    text = ".".join(base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    signature = key.sign(
        text.encode(), pss if header["alg"] == "PS256" else padding.PKCS1v15(), hashes.SHA256()
    )
    return f"{text}.{base64url(signature)}"


def base64url(raw: bytes) -> str:
    """Return the bytes in URL-safe base64 without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

"""An authorization server on loopback, as strict as RFC 6749, 7636, 7009 and 7523 let it be.

It redirects only to registered addresses, wants PKCE with S256, gives each code out once and for a minute,
replaces refresh tokens, and checks the signatures of service accounts and certificates.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

AUTHORIZE = frozenset(
    "response_type client_id redirect_uri scope state code_challenge code_challenge_method login_hint "
    "access_type prompt response_mode".split()
)
TOKEN = {
    "authorization_code": frozenset(
        "grant_type code redirect_uri code_verifier client_id client_secret".split()
    ),
    "refresh_token": frozenset("grant_type refresh_token client_id client_secret".split()),
    "urn:ietf:params:oauth:grant-type:jwt-bearer": frozenset({"grant_type", "assertion"}),
    "client_credentials": frozenset(
        "grant_type client_id client_secret scope client_assertion_type client_assertion".split()
    ),
}


@dataclass
class Access:
    """What an access token opens; `subject` is the mailbox, empty for an application that is its own."""

    subject: str
    scopes: frozenset[str]
    until: float


@dataclass
class Code:
    """A code that was given out, and what it is bound to."""

    challenge: str
    redirect: str
    subject: str
    scopes: frozenset[str]
    until: float
    used: bool = False


@dataclass
class Account:
    """A service account: its public key, the scopes granted to it, and whom it may act for."""

    key: rsa.RSAPublicKey
    scopes: frozenset[str]
    mailboxes: frozenset[str]


class Wrong(Exception):  # noqa: N818 - it is an answer
    """An error answer of RFC 6749 section 5.2."""


@dataclass
class AuthorizationServer:
    """Everything that it knows can be looked at and changed by a test."""

    url: str = ""
    clients: dict[str, str] = field(default_factory=dict)
    redirects: set[str] = field(default_factory=set)
    accounts: dict[str, Account] = field(default_factory=dict)
    certificates: dict[str, x509.Certificate] = field(default_factory=dict)
    somebody: str = "rita@vendor.example"
    allows: bool = True
    leaves_out: frozenset[str] = frozenset()
    rotates: bool = True
    seconds: int = 3600
    access: dict[str, Access] = field(default_factory=dict)
    refresh: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    down: int = 0
    _assertions: set[str] = field(default_factory=set)

    def opens(self, header: str, scope: str) -> str | bool | None:
        """Return whose mailbox a request opens; None: nobody's (401), False: the scope is too small (403)."""
        given = self.access.get(header.removeprefix("Bearer "))
        if given is None or given.until < time.monotonic():
            return None
        return given.subject if scope in given.scopes else False

    def end(self) -> None:
        """Let every access token run out."""
        for given in self.access.values():
            given.until = 0

    def application(self) -> web.Application:
        """Return its web application."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/authorize", self._authorize),
                web.get("/{tenant}/oauth2/v2.0/authorize", self._authorize),
                web.post("/token", self._token),
                web.post("/{tenant}/oauth2/v2.0/token", self._token),
                web.post("/revoke", self._revoke),
            ]
        )
        return app

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        unknown = set(asked) - AUTHORIZE
        if (
            unknown
            or asked.get("client_id") not in self.clients
            or asked["redirect_uri"] not in self.redirects
        ):
            return web.Response(status=400, text=f"not understood: {sorted(unknown)}")
        if asked["response_type"] != "code" or asked["code_challenge_method"] != "S256":
            return web.Response(status=400, text="unsupported")
        if len(asked["code_challenge"]) != 43 or len(asked["state"]) < 22:
            return web.Response(status=400, text="a challenge or a state that can be guessed")
        back = {"state": asked["state"]}
        if not self.allows:
            raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode({**back, 'error': 'access_denied'})}")
        code = secrets.token_urlsafe(24)
        scopes = frozenset(asked["scope"].split()) - self.leaves_out
        self.codes[code] = Code(
            asked["code_challenge"], asked["redirect_uri"], self.somebody, scopes, time.monotonic() + 60
        )
        raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode({**back, 'code': code})}")

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        if self.down:
            self.down -= 1
            return web.json_response({"error": "temporarily_unavailable"}, status=503)
        kind = form.get("grant_type", "")
        ways = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh,
            "client_credentials": self._by_credentials,
            "urn:ietf:params:oauth:grant-type:jwt-bearer": self._by_assertion,
        }
        if kind not in TOKEN or set(form) - TOKEN[kind]:
            return web.json_response({"error": "invalid_request"}, status=400)
        try:
            told = ways[kind](form, str(request.url.origin()) + request.path)
        except Wrong as wrong:
            return web.json_response({"error": str(wrong), "error_description": "no " + kind}, status=400)
        return web.json_response(told, headers={"Cache-Control": "no-store"})

    def _by_code(self, form: dict[str, str], url: str) -> dict[str, Any]:
        del url
        self._check_client(form)
        code = self.codes.get(form.get("code", ""))
        if code is None or code.used or code.until < time.monotonic():
            raise Wrong("invalid_grant")
        code.used = True
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != code.challenge:
            raise Wrong("invalid_grant")
        if form["redirect_uri"] != code.redirect or not 43 <= len(form["code_verifier"]) <= 128:
            raise Wrong("invalid_grant")
        return self._give(code.subject, code.scopes, lasting=True)

    def _by_refresh(self, form: dict[str, str], url: str) -> dict[str, Any]:
        del url
        self._check_client(form)
        known = self.refresh.get(form["refresh_token"])
        if known is None:
            raise Wrong("invalid_grant")
        if self.rotates:
            del self.refresh[form["refresh_token"]]
        return self._give(*known, lasting=self.rotates)

    def _by_assertion(self, form: dict[str, str], url: str) -> dict[str, Any]:
        header, claims, signed, signature = _unpack(form["assertion"])
        account = self.accounts.get(str(claims.get("iss")))
        if account is None or header != {"alg": "RS256", "typ": "JWT"}:
            raise Wrong("invalid_client")
        try:
            account.key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            raise Wrong("invalid_grant") from None
        now = time.time()
        if claims["aud"] != url or not claims["iat"] - 60 <= now < claims["exp"] <= claims["iat"] + 3600:
            raise Wrong("invalid_grant")
        if claims["scope"] not in account.scopes or claims["sub"] not in account.mailboxes:
            raise Wrong("unauthorized_client")
        return self._give(claims["sub"], frozenset({claims["scope"]}))

    def _by_credentials(self, form: dict[str, str], url: str) -> dict[str, Any]:
        if form.get("scope") != "https://graph.microsoft.com/.default":
            raise Wrong("invalid_scope")
        if "client_assertion" in form:
            self._check_certificate(form, url)
        else:
            self._check_client(form)
        return self._give("", frozenset({"https://graph.microsoft.com/.default"}))

    def _check_certificate(self, form: dict[str, str], url: str) -> None:
        header, claims, signed, signature = _unpack(form["client_assertion"])
        certificate = self.certificates.get(form["client_id"])
        if certificate is None or claims["jti"] in self._assertions or claims["aud"] != url:
            raise Wrong("invalid_client")
        self._assertions.add(claims["jti"])
        thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
        if header != {"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint}:
            raise Wrong("invalid_client")
        key = certificate.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        try:
            key.verify(signature, signed, pss, hashes.SHA256())
        except InvalidSignature:
            raise Wrong("invalid_client") from None
        if not claims["nbf"] <= time.time() + 60 or not claims["exp"] - claims["nbf"] <= 600:
            raise Wrong("invalid_client")

    def _check_client(self, form: dict[str, str]) -> None:
        if self.clients.get(form.get("client_id", "")) != form.get("client_secret"):
            raise Wrong("invalid_client")

    def _give(self, subject: str, scopes: frozenset[str], *, lasting: bool = False) -> dict[str, Any]:
        token = "at-" + secrets.token_urlsafe(24)
        self.access[token] = Access(subject, scopes, time.monotonic() + self.seconds)
        told: dict[str, Any] = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self.seconds,
            "scope": " ".join(sorted(scopes)),
        }
        if lasting:
            refresh = told["refresh_token"] = "rt-" + secrets.token_urlsafe(24)
            self.refresh[refresh] = (subject, scopes)
        if "openid" in scopes:
            claims = base64.urlsafe_b64encode(json.dumps({"preferred_username": subject}).encode())
            told["id_token"] = f"e30.{claims.rstrip(b'=').decode()}.c2ln"
        return told

    async def _revoke(self, request: web.Request) -> web.Response:
        token = str((await request.post()).get("token"))
        self.revoked.append(token)
        if self.refresh.pop(token, None) is None and self.access.pop(token, None) is None:
            return web.json_response({"error": "invalid_token"}, status=400)
        return web.json_response({})


def _unpack(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    try:
        parts = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]
        header, claims = json.loads(parts[0]), json.loads(parts[1])
        return header, claims, token.rpartition(".")[0].encode(), parts[2]
    except (ValueError, IndexError):
        raise Wrong("invalid_request") from None


@asynccontextmanager
async def running() -> AsyncIterator[AuthorizationServer]:
    """Run an authorization server until the block ends."""
    server = AuthorizationServer()
    async with TestServer(server.application()) as web_server:
        server.url = str(web_server.make_url("/"))
        yield server

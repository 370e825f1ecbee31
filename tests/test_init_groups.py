"""Setting up mailboxes that an organisation granted as a group, against what stands in for its provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from bot import config
from bot.cli import main
from tests.mails import JANE, REP, at, plain
from tests.servers import google_mail, graph_mail, oauth
from tests.servers.google_mail import GoogleMail
from tests.servers.graph_mail import GraphMail
from tests.servers.oauth import AuthorizationServer
from tests.watchers.granting import BOARD, OMAR, RITA, certificate, service_account

CLIENT = "11111111-2222-3333-4444-555555555555"
OURS = ("--domain", "vendor.example", "--slack", "terminal")


@pytest.fixture
async def tokens() -> AsyncIterator[AuthorizationServer]:
    async with oauth.running() as server:
        yield server


@dataclass
class Google:
    """Gmail for a Workspace whose administrator granted a service account two mailboxes."""

    server: GoogleMail
    tokens: AuthorizationServer
    key: Path

    @property
    def typed(self) -> list[str]:
        return ["gmail", self.key.name, f"{RITA}, {OMAR}", BOARD]

    @property
    def options(self) -> list[str]:
        return ["--google-key", self.key.name, *_boxes()]

    @property
    def where(self) -> list[str]:
        return ["--google-api", self.server.url, "--google-token-url", f"{self.tokens.url}token"]

    def open_to_all(self) -> None:
        self._grant(RITA, OMAR, BOARD)

    def close_to_rita(self) -> None:
        self._grant(OMAR)

    def _grant(self, *mailboxes: str) -> None:
        for account in self.tokens.accounts.values():
            account.mailboxes = frozenset(mailboxes)


@dataclass
class Microsoft:
    """Graph for a tenant whose administrator put two mailboxes into the application's group."""

    server: GraphMail
    tokens: AuthorizationServer
    pem: Path

    @property
    def typed(self) -> list[str]:
        return ["graph", "vendor.example", CLIENT, self.pem.name, f"{RITA}, {OMAR}", BOARD]

    @property
    def options(self) -> list[str]:
        application = ["--microsoft-tenant", "vendor.example", "--microsoft-client-id", CLIENT]
        return [*application, "--microsoft-certificate", self.pem.name, *_boxes()]

    @property
    def where(self) -> list[str]:
        url = f"{self.tokens.url}vendor.example/oauth2/v2.0/token"
        return ["--microsoft-api", self.server.url, "--microsoft-token-url", url]

    def open_to_all(self) -> None:
        self.server.everything = True

    def close_to_rita(self) -> None:
        self.server.group = {OMAR}


Provider = Google | Microsoft


@pytest.fixture(params=["gmail", "graph"])
async def provider(
    request: pytest.FixtureRequest, tokens: AuthorizationServer, tmp_path: Path
) -> AsyncIterator[Provider]:
    """One of the two, with a mail in Rita's mailbox."""
    if request.param == "gmail":
        async with google_mail.running(tokens) as google:
            google.deliver(RITA, plain(JANE, REP, at(1)), at(1))
            yield Google(google, tokens, service_account(tmp_path, tokens, RITA, OMAR))
        return
    async with graph_mail.running(tokens) as microsoft:
        microsoft.group = {RITA, OMAR}
        for address in (RITA, OMAR, BOARD):
            microsoft.mailbox(address)
        microsoft.deliver(RITA, plain(JANE, REP, at(1)), at(1))
        yield Microsoft(microsoft, tokens, certificate(tmp_path, tokens, CLIENT))


def _boxes() -> list[str]:
    return ["--mailboxes", RITA, "--mailboxes", OMAR, "--outside", BOARD]


async def init(folder: Path, *words: str, typed: list[str] | None = None) -> Result:
    """Run the command beside the servers, as the process of its own that it is."""
    command = ["init", "--config", str(folder / "config.yaml"), *words]
    return await asyncio.to_thread(
        CliRunner().invoke, main, command, input="\n".join([*typed, ""]) if typed is not None else None
    )


def boxes(folder: Path) -> list[dict[str, Any]]:
    """Return what was written of the mailboxes, which must be settings that the service would take."""
    config.load(folder / "config.yaml")
    written = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = written["watchers"]["mailbox"]["mailboxes"]
    return found


async def test_whoever_types_the_answers_reads_that_each_mailbox_opens_and_the_other_does_not(
    provider: Provider, tmp_path: Path
) -> None:
    typed = ["vendor.example", "", "terminal", "", *provider.typed]
    told = await init(tmp_path, "--no-drill", *provider.where, typed=typed)
    assert told.exit_code == 0, told.output
    for said in (f"{RITA} opens", f"{OMAR} opens", f"{BOARD}, which is outside the group, does not open"):
        assert f"good: {said}" in told.stderr
    (box,) = boxes(tmp_path)
    assert (box["mailboxes"], box["outside"]) == ([RITA, OMAR], BOARD)


async def test_a_grant_that_is_too_wide_is_not_taken_for_good(provider: Provider, tmp_path: Path) -> None:
    provider.open_to_all()
    told = await init(tmp_path, "--non-interactive", *OURS, *provider.options, *provider.where)
    assert told.exit_code == 2
    assert f"THE GRANT IS TOO WIDE: {BOARD} opens" in told.stderr
    assert not (tmp_path / "config.yaml").exists()


async def test_a_mailbox_that_was_not_granted_is_named_and_can_be_tried_again(
    provider: Provider, tmp_path: Path
) -> None:
    provider.close_to_rita()
    answers = provider.typed
    typed = ["vendor.example", "", "terminal", "", *answers, "y", *answers[1:-2], OMAR, BOARD]
    told = await init(tmp_path, "--no-drill", *provider.where, typed=typed)
    assert told.exit_code == 0, told.output
    assert RITA in told.stderr.partition("→")[0]
    assert boxes(tmp_path)[0]["mailboxes"] == [OMAR]


async def test_what_an_organisation_is_not_asked_for_twice_stays(provider: Provider, tmp_path: Path) -> None:
    first = await init(tmp_path, "--non-interactive", *OURS, *provider.options, *provider.where)
    assert first.exit_code == 0, first.output
    path = tmp_path / "config.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings["watchers"]["mailbox"]["mailboxes"][0]["history_days"] = 30
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    again = await init(tmp_path, "--non-interactive", *provider.options)
    assert again.exit_code == 0, again.output
    (box,) = boxes(tmp_path)
    assert box["history_days"] == 30
    assert box["api"] == provider.server.url


async def test_without_a_mailbox_outside_nobody_knows_how_wide_the_grant_is(
    provider: Provider, tmp_path: Path
) -> None:
    """Google's grants cannot always be limited, Microsoft's always can."""
    told = await init(tmp_path, "--non-interactive", *OURS, *provider.options[:-2], *provider.where)
    if isinstance(provider, Microsoft):
        assert told.exit_code == 2
        assert "missing: --outside" in told.stderr
    else:
        assert told.exit_code == 0, told.output
        assert "look: nobody knows how wide the grant" in told.stderr
        assert "outside" not in boxes(tmp_path)[0]

"""What is asked, in this order: who we are, Slack, whom to watch, where the mail lies."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bot import config
from bot.finding import Finding, problem
from bot.init import trying
from bot.init.asking import Asker, Question
from bot.init.draft import Draft
from bot.model import NeedsHuman
from bot.slack.manifest import as_yaml

CREATE_APP = "https://api.slack.com/apps?new_app=1&manifest_yaml="
SLACK_API = "https://slack.com/api/"
BOT = "Bot token, from *OAuth & Permissions* (xoxb-…)"
APP_LEVEL = "App-level token with connections:write, from *Basic Information* (xapp-…)"
MAILBOXES = ("imap", "files", "gmail", "graph", "later")
ASKED = frozenset({"port", "tls", "outside"}) | {
    f"{what}_{where}" for what in ("password", "token", "secret", "certificate") for where in ("env", "file")
}
"""What may be missing from an answer, and is then not to be as it was."""

OPENING = """\
Enter takes what stands in brackets. Nothing is written before the last answer; Ctrl-C ends at any time."""
APP = """
Make the Slack app: open this link, which fills in Slack's form, then *Create* and *Install to Workspace*.

{link}

Where the link does not survive your terminal: *Create New App*, *From a manifest* at
https://api.slack.com/apps, and paste what `stillthere manifest` prints. docs/slack.md says what each
permission is for. Next come two secrets from the app's page; they stay unseen while you paste them."""
AGAIN = "type it again: many providers want an app password here, which is made on the account's page"
MAIL_KINDS = """\
Where does the team's mail lie?
  imap   a mailbox on an IMAP server, by user and password
  files  a Maildir, an mbox or a folder of mails
  gmail  a group of mailboxes in Google Workspace, granted to a service account
  graph  a group of mailboxes in Microsoft 365, granted to an application
  later  none now; reps may connect their own (docs/mailboxes.md)"""


def app_link() -> str:
    """Return the address that opens Slack's form for a new app, filled in from the manifest."""
    return CREATE_APP + quote(as_yaml(), safe="")


@dataclass
class Setup:
    """Fills a draft with what somebody answers."""

    draft: Draft
    asker: Asker

    def run(self) -> None:
        """Ask everything."""
        self.asker.tell(OPENING)
        self._team()
        self._slack()
        self._contacts()
        self._mail()

    def _team(self) -> None:
        team = self.draft.section("team")
        domains = self.asker.ask(
            Question("--domain", "Your own mail domains", " ".join(team.get("domains", ())), read=_domains)
        )
        team["domains"] = domains.split()
        zone = Question("--time-zone", "Your time zone", team.get("time_zone", "UTC"), read=config.zone)
        team["time_zone"] = self.asker.ask(zone)

    def _slack(self) -> None:
        there = self.draft.settings.get("slack") or {}
        usual = "slack" if there or not self.draft.file.exists() else "terminal"
        wanted = self.asker.choose(
            "--slack", "Alerts in Slack, or in this terminal only", ("slack", "terminal"), usual
        )
        if wanted == "terminal":
            self.draft.settings.pop("slack", None)
            return
        slack = self.draft.section("slack")
        if not there:
            self.asker.tell(APP.format(link=app_link()))
        usual = slack.get("api", SLACK_API)
        api = self.asker.ask(Question("--slack-api", "Slack's Web API", usual, usual=True, read=_http))
        if api != SLACK_API:
            slack["api"] = api
        token = self.asker.settle(
            lambda: self._secret(slack, "bot_token", "SLACK_BOT_TOKEN", BOT, begins="xoxb-"),
            lambda found: asyncio.run(trying.slack(found, api)),
        )
        if "http" not in slack:
            self.asker.settle(
                lambda: self._secret(slack, "app_token", "SLACK_APP_TOKEN", APP_LEVEL, begins="xapp-"),
                lambda found: asyncio.run(trying.slack(token, api, app_token=found)),
            )
        else:
            self._secret(slack, "signing_secret", "SLACK_SIGNING_SECRET", "Signing secret")
        self.asker.tell("Which channel gets the alerts? Invite the bot there first: /invite @Stillthere")
        text = "Id of the channel, at the foot of its details (C…)"
        asked = Question("--channel", text, slack.get("channel", ""), read=config.channel)
        slack["channel"] = self.asker.settle(
            lambda: self.asker.ask(asked), lambda found: asyncio.run(trying.slack(token, api, found))
        )
        text = "E-mail addresses of the admins, who hear what is wrong with the service"
        admins = Question("--admin", text, " ".join(slack.get("admins", ())), needed=False, read=_addresses)
        slack["admins"] = self.asker.ask(admins).split()

    def _contacts(self) -> None:
        usual = "contacts.csv" if self._path("contacts.csv").exists() else ""
        text = "CSV file of the people to watch, with a column email"
        asked = Question("--contacts", text, str(self.draft.settings.get("contacts") or usual), needed=False)
        found = self.asker.settle(
            lambda: self.asker.ask(asked),
            lambda name: asyncio.run(trying.contacts(self._path(name))) if name else [],
        )
        self.draft.settings.pop("contacts", None)
        if found:
            self.draft.settings["contacts"] = found

    def _mail(self) -> None:
        there = ((self.draft.settings.get("watchers") or {}).get("mailbox") or {}).get("mailboxes") or []
        if there:
            names = ", ".join(_label(one) for one in there)
            self.asker.tell(f"Mailboxes: {names}")
        self.asker.tell(MAIL_KINDS)
        usual = "later" if there or self.draft.file.exists() else "imap"
        text = "Another mailbox" if there else "Mailbox"
        kind = self.asker.choose("--mailbox", text, MAILBOXES, usual)
        watcher = self.draft.section("watchers", "mailbox")
        if kind == "later":
            return
        box = self.asker.settle(lambda: self._box(kind, there), self._opens)
        watcher["mailboxes"] = [one for one in there if _label(one) != _label(box)] + [box]

    def _box(self, kind: str, there: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Ask for a mailbox; what is not asked for stays as it is there."""
        ask = {"imap": self._imap, "files": self._files, "gmail": self._gmail, "graph": self._graph}[kind]
        answered = {"kind": kind, **ask()}
        for one in there:
            if one["kind"] == kind and _label(one) == _label(answered):
                return {**{key: value for key, value in one.items() if key not in ASKED}, **answered}
        return answered

    def _imap(self) -> dict[str, Any]:
        host, _, port = self.asker.ask(
            Question("--imap-host", "IMAP server, with :port where it is not 993", read=_host)
        ).partition(":")
        box: dict[str, Any] = {"host": host}
        if port:
            box["port"] = int(port)
        if host in {"localhost", "127.0.0.1"}:
            answer = self.asker.choose("--imap-tls", "Does it speak TLS", ("yes", "no"), "yes")
            box |= {} if answer == "yes" else {"tls": False}
        box["user"] = self.asker.ask(Question("--imap-user", "User, mostly the mailbox's address"))
        name = _file_name(f"imap-{box['user']}")
        self._secret(box, "password", "IMAP_PASSWORD", "Password", name=name)
        return box

    def _files(self) -> dict[str, Any]:
        return {"path": self.asker.ask(Question("--mail", "Maildir, mbox, or folder of mails"))}

    def _gmail(self) -> dict[str, Any]:
        key = self.asker.ask(Question("--google-key", "JSON key file of the service account"))
        where = self._where(("--google-api", "api", "Gmail"), ("--google-token-url", "token_url", "Tokens"))
        return {"key_file": key, **self._group(limited=False), **where}

    def _graph(self) -> dict[str, Any]:
        ask = self.asker.ask
        return {
            "tenant": ask(Question("--microsoft-tenant", "Tenant, by id or domain")),
            "client_id": ask(Question("--microsoft-client-id", "Application (client) id")),
            "certificate_file": ask(
                Question("--microsoft-certificate", "PEM file with private key and certificate")
            ),
            **self._group(limited=True),
            **self._where(
                ("--microsoft-api", "api", "Microsoft Graph"),
                ("--microsoft-token-url", "token_url", "Tokens"),
            ),
        }

    def _where(self, *parts: tuple[str, str, str]) -> dict[str, str]:
        """Return where an interface is, where it is not where everybody's is: a cloud of a state, a proxy."""
        asked = {
            key: self.asker.ask(Question(option, text, needed=False, usual=True, read=_http))
            for option, key, text in parts
        }
        return {key: address for key, address in asked.items() if address}

    def _group(self, *, limited: bool) -> dict[str, Any]:
        """Ask for the mailboxes, and for one outside them: needed where a grant can be limited to a group."""
        names = self.asker.ask(Question("--mailboxes", "Addresses of the mailboxes", read=_addresses)).split()
        text = "A mailbox of yours that is outside the group; while it opens, nothing is read"
        outside = self.asker.ask(Question("--outside", text, needed=limited, read=config.address))
        return {"mailboxes": names, **({"outside": outside} if outside else {})}

    def _opens(self, box: dict[str, Any]) -> Sequence[Finding]:
        minimal = {
            "team": self.draft.settings["team"],
            "watchers": {"mailbox": {"mailboxes": [box]}},
        }
        try:
            with self.draft.trial(minimal) as (plan, typed):
                found = asyncio.run(trying.mailboxes(plan))
                found = [replace(one, cure=AGAIN) if typed in one.cure else one for one in found]
        except NeedsHuman as wrong:
            found = [problem("mailbox", wrong.what, wrong.how)]
        if any(one.cure != AGAIN for one in trying.problems(found)):
            self.asker.forget("--imap-host")
        return found

    def _secret(
        self, section: dict[str, Any], key: str, variable: str, text: str, *, begins: str = "", name: str = ""
    ) -> str:
        """Ask for a secret and note in the section where it is: a variable that is set, or a file."""
        if os.environ.get(variable):
            self.asker.tell(f"{variable} is set: it is used from there")
            section.pop(f"{key}_file", None)
            section[f"{key}_env"] = variable
            return os.environ[variable]
        file = section.get(f"{key}_file")
        kept = _read(self._path(file)) if file and Path(file).name not in self.draft.secrets else ""
        if kept and self.asker.agrees(f"{text}: keep the one that is there", default=True):
            return kept

        def read(secret: str) -> str:
            if not secret.startswith(begins):
                raise ValueError(f"that is another one: this one begins with {begins}")
            return secret

        secret = self.asker.ask(Question(variable, text, hidden=True, read=read))
        if secret:
            section.pop(f"{key}_env", None)
            section[f"{key}_file"] = self.draft.keep(name or _file_name(f"slack-{key}"), secret)
        return secret

    def _path(self, name: str) -> Path:
        return self.draft.file.absolute().parent / Path(name).expanduser()


def _label(box: dict[str, Any]) -> str:
    names = box.get("user") or box.get("path") or " ".join(box.get("mailboxes") or ())
    return str(box.get("name") or names or box["kind"])


def _domains(text: str) -> str:
    return " ".join(config.domain(one) for one in text.replace(",", " ").split())


def _addresses(text: str) -> str:
    return " ".join(config.address(one) for one in text.replace(",", " ").split())


def _http(text: str) -> str:
    if not text.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise ValueError("write an address that begins with https://")
    return text


def _host(text: str) -> str:
    host, _, port = text.partition(":")
    if not host or (port and not port.isdigit()):
        raise ValueError("write a name such as imap.vendor.example, or imap.vendor.example:993")
    return text


def _file_name(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-.@" else "-" for letter in text.lower())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""

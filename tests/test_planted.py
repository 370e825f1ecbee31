"""Plant words in every input that must never be kept, run the service, and look for them everywhere.

They stand in the bodies of mails, in descriptions of meetings, in reasons for a leave, in a CRM's mails, in
what a product tells, on a page, and in every secret. They are looked for in the store, a dump, a copy, the
log, the terminal, the metrics, the exports, and in all that was sent to Slack.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from bot import activity
from bot.model import Contact
from bot.pipeline import Pipeline, Rules
from bot.store.tiny import TinyStore
from tests.servers import hubspot
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer
from tests.servers.slack import BOT_TOKEN, SIGNING_SECRET, Workspace
from tests.service import Service
from tests.store.test_forget import on_disk
from tests.web.site import CONTACT, Clock, courtesy, reach, serving
from tests.web.team_pages import TEAM, cards, page
from watchers.public_pages import PublicPages

pytestmark = pytest.mark.long

REP, JANE, TOM, ANN = "rita@vendor.example", "jane@acme.example", "tom@acme.example", "ann.lee@acme.example"
PLANTED = "Quokka"
"""Part of every planted word: it stands in no word list, name or program."""

ACTIVITY_SECRET = "Quokka-activity-secret-0123456789abcdef"
UNUSED_PASSWORD = "Quokka-imap-password"


def mail(folder: Path, sender: str, to: str, days_ago: float, body: str, **headers: str) -> None:
    letter, at = EmailMessage(), datetime.now(UTC) - timedelta(days=days_ago)
    letter["From"], letter["To"], letter["Date"] = sender, to, format_datetime(at)
    letter["Subject"] = headers.pop("Subject", f"{PLANTED} pilot")
    letter["Message-ID"] = f"<{at.timestamp()}.{sender}>"
    for name, value in headers.items():
        letter[name.replace("_", "-")] = value
    letter.set_content(body)
    (folder / f"{at.timestamp()}.{sender}.eml").write_bytes(letter.as_bytes())


def meeting(start: datetime, sequence: int) -> str:
    def at(moment: datetime) -> str:
        return f"{moment:%Y%m%dT%H%M%SZ}"

    return "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//x//y//EN",
            "BEGIN:VEVENT",
            "UID:call-1@acme.example",
            f"SEQUENCE:{sequence}",
            f"DTSTAMP:{at(datetime.now(UTC))}",
            f"DTSTART:{at(start)}",
            f"DTEND:{at(start + timedelta(hours=1))}",
            "SUMMARY:Review",
            f"DESCRIPTION:Dial in {PLANTED}-meeting-description",
            f"LOCATION:{PLANTED}-room https://meet.example/{PLANTED}",
            f"COMMENT:{PLANTED}-comment",
            f"ORGANIZER:mailto:{JANE}",
            f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{REP}",
            f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{JANE}",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    )


def plant(folder: Path) -> None:
    """Write the mails and the calendar."""
    box, calendar = folder / "mail", folder / "calendar"
    box.mkdir()
    calendar.mkdir()
    for days in (90, 60, 30):
        mail(box, JANE, REP, days, f"My salary is {PLANTED}-body, my password {PLANTED}-word.")
        mail(box, TOM, REP, days, f"Do not tell anybody: {PLANTED}-body-of-tom.")
        mail(box, REP, JANE, days + 1, f"Our price is {PLANTED}-price.")
    (calendar / "call.ics").write_text(meeting(datetime.now(UTC) + timedelta(days=20), 1))


def happen(folder: Path) -> None:
    """Let Jane's mailbox answer that she left, and Tom's that he is ill."""
    box = folder / "mail"
    mail(
        box,
        JANE,
        REP,
        0,
        f"I am no longer with Acme because of {PLANTED}-burnout. Please write to Ann Lee, {ANN}.",
        Subject="Automatic reply: Pilot",
        Auto_Submitted="auto-replied",
    )
    mail(
        box,
        TOM,
        REP,
        0,
        f"I am on sick leave for my {PLANTED}-surgery until 24 December.",
        Subject="Automatic reply: Pilot",
        Auto_Submitted="auto-replied",
    )


def configure(folder: Path, slack: Workspace, api: str, listen: int, database: str) -> dict[str, str]:
    """Write the settings and return the environment."""
    store = "database_env: DATABASE" if database else "data: data"
    (folder / "contacts.csv").write_text(
        f"email,name,account,owner,amount\n{JANE},Jane Doe,Acme,{REP},48000\n{TOM},Tom Berg,Acme,{REP},\n"
    )
    (folder / "config.yaml").write_text(
        f"""
team: {{domains: [vendor.example]}}
contacts: contacts.csv
{store}
slack:
  channel: {slack.channel("champions")}
  api: {slack.base_url}
  quiet_hours: none
  http: {{port: {free_port()}}}
listen: {{port: {listen}}}
watchers:
  mailbox:
    every: 1s
    mailboxes:
      - {{kind: files, path: mail, name: rita}}
      - {{kind: imap, host: 127.0.0.1, port: 9, tls: false, user: {REP}, password_env: BOX}}
  calendars:
    every: 1s
    calendars: [{{kind: files, path: calendar, name: team}}]
  crm_hubspot: {{every: 1s, api: "{api}"}}
"""
    )
    return {
        "DATABASE": database,
        "BOX": UNUSED_PASSWORD,
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "STILLTHERE_ACTIVITY_SECRET": ACTIVITY_SECRET,
        "HUBSPOT_TOKEN": hubspot.TOKEN,
    }


def furnish(portal: hubspot.HubSpot) -> None:
    """Let the CRM have logged a mail with a text, and know Jane with a remark."""
    jane = portal.add("contacts", email=JANE, firstname="Jane")
    logged = portal.add(
        "emails",
        hs_email_direction="INCOMING_EMAIL",
        hs_email_from_email=JANE,
        hs_email_to_email=REP,
        hs_email_message_id="<1@mail.example>",
        hs_timestamp=f"{datetime.now(UTC) - timedelta(days=40):%Y-%m-%dT%H:%M:%SZ}",
    )
    portal.objects["emails"][logged]["hs_email_text"] = f"{PLANTED}-mail-in-the-crm"
    portal.objects["emails"][logged]["hs_email_subject"] = f"{PLANTED}-subject-in-the-crm"
    portal.link("emails", logged, "contacts", jane)


async def tell_activity(port: int) -> int:
    """Send a sign of life that says more than it should."""
    at = datetime.now(UTC)
    events = [{"email": TOM, "at": at.isoformat(), "what": "login", "note": f"{PLANTED}-note"}]
    body = json.dumps({"events": events}).encode()
    stamp = str(int(at.timestamp()))
    signed = {
        "X-Stillthere-Timestamp": stamp,
        "X-Stillthere-Signature": activity.sign(ACTIVITY_SECRET, stamp, body),
    }
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"http://127.0.0.1:{port}/activity", content=body, headers=signed)
    return answer.status_code


def command(folder: Path, env: dict[str, str], *words: str) -> str:
    """Return all that a command says, to people and to machines."""
    ran = subprocess.run(
        [sys.executable, "-m", "bot", *words, "--config", folder / "config.yaml"],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in {0, 1}, ran.stderr
    return ran.stdout + ran.stderr


def dump(server: PostgresServer, database: str) -> bytes:
    return subprocess.run([server.binaries / "pg_dump", database], check=True, capture_output=True).stdout


async def get(port: int, path: str) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{port}{path}")).text


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["tiny", "postgres"])
async def test_nothing_that_was_planted_is_kept_or_told_anywhere(
    kind: str, tmp_path: Path, slack: Workspace, request: pytest.FixtureRequest
) -> None:
    slack.reset()
    slack.show_channel("champions", is_private=True)
    plant(tmp_path)
    server: PostgresServer | None = request.getfixturevalue("postgres_server") if kind == "postgres" else None
    database, port = server.new_database() if server else "", free_port()
    async with hubspot.running() as portal:
        furnish(portal)
        env = configure(tmp_path, slack, portal.url, port, database)
        service = Service(tmp_path, env)
        try:
            await asyncio.to_thread(service.start)
            assert await tell_activity(port) == 200
            read = {"mailbox:rita", "calendars:team", "HubSpot"}
            await asyncio.to_thread(
                service.wait,
                lambda: all(
                    any(one["source"].startswith(name) for one in service.events("source.read"))
                    for name in read
                ),
            )
            happen(tmp_path)
            channel = slack.channel("champions")
            await asyncio.to_thread(service.wait, lambda: slack.messages(channel))
            seen = {path: await get(port, path) for path in ("/healthz", "/readyz", "/metrics")}
            asked = (
                ("doctor",),
                ("doctor", "--json"),
                ("privacy", "export", JANE, "--json"),
                ("privacy", "export", TOM),
            )
            said = await asyncio.gather(
                *(asyncio.to_thread(command, tmp_path, env, *words) for words in asked)
            )
            if not database:
                shutil.copytree(tmp_path / "data", tmp_path / "backup")
        finally:
            service.end()
    export = json.loads(said[2].splitlines()[0])
    assert {"wrote", "departed"} <= {fact["kind"] for fact in export["facts"]}
    assert export["recipients"]
    assert "stillthere_sources" in seen["/metrics"]
    if server:
        kept = await asyncio.to_thread(dump, server, database)
    else:
        kept = on_disk(tmp_path / "data") + on_disk(tmp_path / "backup")
    assert ANN.encode() in kept
    everything = {
        "the store": kept.decode("utf-8", "replace"),
        "the log": service.log.read_text(),
        "the terminal": service.shown,
        "Slack": json.dumps(slack.calls()),
        **seen,
        **{f"command {number}": text for number, text in enumerate(said)},
    }
    secrets = (PLANTED, BOT_TOKEN, SIGNING_SECRET, hubspot.TOKEN, "burnout", "surgery", "sick")
    found = [(where, word) for where, text in everything.items() for word in secrets if word in text]
    assert [one for one in found if one != ("Slack", BOT_TOKEN)] == []
    whole = [word for word in (JANE, TOM, REP, ANN) if word in everything["the log"] + seen["/metrics"]]
    assert whole == []


async def test_of_a_page_only_names_and_titles_are_kept(tmp_path: Path) -> None:
    text = cards(TEAM).replace("Enjoys long walks", f"Is {PLANTED}-ill and enjoys long walks")
    with capture_logs() as logged:
        await look_at(page(f"<p>{PLANTED}-page</p>{text}<!-- {PLANTED}-comment -->"), tmp_path / "data")
    kept = on_disk(tmp_path / "data").decode("utf-8", "replace")
    assert "page_present" in kept
    assert TEAM[1][0] in kept
    assert PLANTED not in kept + repr(logged)


async def look_at(text: str, folder: Path) -> None:
    """Look at a page that lists Jane, three days long."""
    clock = Clock()
    async with serving() as site, await TinyStore.open(folder) as store:
        site.says("/team", text)
        settings = PublicPages.Config.model_validate(
            {"contact": CONTACT, "pages": [{"url": site.url(), "account": "Acme"}]}
        )
        watcher = PublicPages(settings, clock, reach(site), courtesy(clock))
        rules = Rules({kind.name: kind for kind in PublicPages.kinds})
        pipeline = Pipeline(store, rules, ["vendor.example"], baseline=False)
        await store.watch(Contact(JANE, TEAM[0][0], TEAM[0][1], "Acme"))
        for _ in range(3):
            for source in watcher.sources(await pipeline.scope()):
                await pipeline.sweep(watcher, source, clock())
            clock.pass_by(hours=25)

"""Let somebody be known by every way there is, forget them, and look for their words in all that is kept."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from tests.servers.postgres import PostgresServer
from tests.service import Service
from tests.store.test_forget import on_disk
from tests.test_planted import dump, mail, meeting

pytestmark = pytest.mark.long

REP, JANE = "rita@vendor.example", "jane@acme.example"
QUENTIN = "quentin.zylber@acme.example"
OTHERS = ("q.zylber@acme.example", "qz@newplace.example")
PHONE, TITLE, NAME = "555-0147-993", "Chief Quux Officer", "Quentin Zylber"
WORDS = ("quentin", "zylber", "qz@newplace", "q.zylber", PHONE, "quux")

CONFIG = """
team: {domains: [vendor.example]}
contacts: contacts.csv
%s
watchers:
  mailbox: {every: 1s, mailboxes: [{kind: files, path: mail, name: rita}]}
  calendars: {every: 1s, calendars: [{kind: files, path: calendar, name: team}]}
"""


def live(folder: Path) -> None:
    """Let Quentin write under three addresses, meet, be named by a colleague, and leave."""
    box = folder / "mail"
    himself = f"{NAME} <{QUENTIN}>"
    for days in (80, 50, 20):
        mail(box, JANE, REP, days, "Sounds good.", Subject="Pilot")
        mail(box, himself, REP, days, "Sounds good.", Subject=f"Call {NAME} at {PHONE}", Cc=JANE)
        mail(box, f"{NAME} <{OTHERS[0]}>", REP, days + 1, "Fine.", Subject=f"{TITLE} asks", Cc=JANE)
    mail(box, f"{NAME} <{OTHERS[1]}>", REP, 2, "Hello again.", Subject="From my new desk", Cc=JANE)
    (folder / "calendar" / "call.ics").write_text(
        meeting(datetime.now(UTC) + timedelta(days=20), 1)
        .replace(f"mailto:{JANE}", f"mailto:{QUENTIN}")
        .replace("SUMMARY:Review", f"SUMMARY:Review with {NAME}")
    )


def leave(folder: Path) -> None:
    """Let his mailbox answer that he left, and where to, and a colleague's that he stands in for her."""
    box, gone = folder / "mail", {"Subject": "Automatic reply: Pilot", "Auto_Submitted": "auto-replied"}
    mail(
        box,
        f"{NAME} <{QUENTIN}>",
        REP,
        0,
        f"I am no longer with Acme. My new address is {OTHERS[1]}, my number {PHONE}.",
        **gone,
    )
    mail(
        box,
        JANE,
        REP,
        0,
        f"I am no longer with Acme. Please write to {NAME}, {TITLE}, {OTHERS[0]}, {PHONE}.",
        **gone,
    )


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["tiny", "postgres"])
async def test_of_whoever_was_forgotten_no_word_is_left_at_rest(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server: PostgresServer | None = request.getfixturevalue("postgres_server") if kind == "postgres" else None
    env = {"DATABASE": server.new_database() if server else ""}
    for part in ("mail", "calendar"):
        (tmp_path / part).mkdir()
    (tmp_path / "contacts.csv").write_text(
        f"email,name,title,account,owner\n{JANE},Jane Doe,,Acme,{REP}\n{QUENTIN},{NAME},{TITLE},Acme,{REP}\n"
    )
    (tmp_path / "config.yaml").write_text(CONFIG % ("database_env: DATABASE" if server else "data: data"))

    def kept() -> str:
        found = dump(server, env["DATABASE"]) if server else on_disk(tmp_path / "data")
        return found.decode("utf-8", "replace").lower()

    live(tmp_path)
    service = Service(tmp_path, env)
    try:
        await asyncio.to_thread(service.start)
        await asyncio.to_thread(service.wait, lambda: service.events("source.read"))
        leave(tmp_path)
        await asyncio.to_thread(service.wait, lambda: len(service.events("alert.posted")) == 2)
        service.stop()
        before = kept()
        assert [
            word for word in (QUENTIN, *OTHERS, NAME.lower(), TITLE.lower()) if word.lower() not in before
        ] == []
        for address in (QUENTIN, *OTHERS):
            forget = ["privacy", "forget", address, "--yes", "--config", str(tmp_path / "config.yaml")]
            forgot = await asyncio.to_thread(CliRunner(env=env).invoke, main, forget)
            assert forgot.exit_code == 0, forgot.output
        # The sources go on saying what they say: nothing of it is taken up again.
        passes = len(service.events("service.started"))
        await asyncio.to_thread(service.start)
        assert len(service.events("service.started")) == passes + 1
        mail(
            tmp_path / "mail",
            f"{NAME} <{QUENTIN}>",
            REP,
            0.001,
            "Me again.",
            Subject=f"{NAME} {PHONE}",
            Cc=JANE,
        )
        mail(tmp_path / "mail", JANE, REP, 0.0005, f"{NAME} is at {PHONE}.", Subject="Pilot", Cc=QUENTIN)
        read = len(service.events("source.read"))
        await asyncio.to_thread(service.wait, lambda: len(service.events("source.read")) > read)
        service.stop()
    finally:
        service.end()
    after = kept()
    assert JANE in after
    assert [word for word in WORDS if word.lower() in after] == []
    log = service.log.read_text().lower()
    assert [word for word in ("zylber", PHONE, "quux", "qz@") if word in log] == []

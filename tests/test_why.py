from __future__ import annotations

import io
import json
import os
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from bot import demo, learner, timeline, why
from bot.cli import main
from bot.cli.commands.why import _explained
from bot.cli.parameters import moment
from bot.evidence import EVEN, Scales
from bot.learning import Record, What
from bot.model import Contact, NeedsHuman, Observation
from bot.pipeline import Pipeline
from bot.store.files import BACKUP, FILE
from bot.store.glance import Glance
from bot.store.postgres import PostgresStore
from bot.store.tiny import TinyStore
from tests import observations as observed
from tests.servers.postgres import PostgresServer
from tests.watchers.dialects import exchange
from tests.watchers.invitation_mails import CALL, DAY, HOUR, JANE, REP, SCOPE, SENT, Invitation
from watchers import load
from watchers.invitations import Invitations
from watchers.mail.meetings import Meeting, meetings
from watchers.mail.parse import parse

CHAMPION = "jane@acme.example"
WIDTHS = (60, 80, 120)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Play the founding story once and return the folder of its data."""
    import asyncio

    load()
    folder = tmp_path_factory.mktemp("story")
    asyncio.run(demo.play(Console(file=io.StringIO()), folder))
    return folder / "data"


def said(*arguments: str, width: int = 100) -> str:
    result = CliRunner(env={"COLUMNS": str(width), "NO_COLOR": "1"}).invoke(main, ["why", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def told(*mails: Invitation) -> list[Meeting]:
    reader = Invitations()
    seen: list[Observation] = [one for mail in mails for one in reader.read(parse(exchange(mail)), SCOPE)]
    return meetings(sorted(seen, key=lambda one: one.at))


def picture(*mails: Invitation, now: datetime = CALL, width: int = 80, plain: bool = False) -> list[str]:
    return [line.plain for line in timeline.timeline(told(*mails), now, width, plain=plain)]


def stamps(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_the_reason_of_an_alert_is_said_with_its_numbers(story: Path) -> None:
    shown = said(CHAMPION, "--data", str(story))

    assert "Jane Doe  jane@acme.example · VP Operations · Acme" in shown
    assert "Left, strong evidence · over 99.9% likely to have left" in shown
    assert "+9.00   6 Jul 2026  auto-reply: no longer there, write to Ann Lee" in shown
    assert "20 Apr 2026 10:00  not told  not grave enough for an alert" in shown
    assert "15 May 2026 16:30  told      the first sign of this case" in shown


def test_the_meeting_is_drawn_with_every_start_it_had(story: Path) -> None:
    lines = said(CHAMPION, "--data", str(story), width=80).splitlines()

    row = next(line for line in lines if line.startswith(" 4 May by them"))
    assert row.count("○") == 3
    assert row.count("▶●") == 1
    assert row.rstrip().endswith("108 days lost")
    assert " 1 May  4 May → 18 May  by them  +14 days  with words" in [line.rstrip() for line in lines]
    assert "29 May  1 Jun → 20 Aug  by them  +80 days  without a word" in [line.rstrip() for line in lines]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_of_it_is_wider_than_the_terminal(story: Path, width: int) -> None:
    assert max(map(len, said(CHAMPION, "--data", str(story), width=width).splitlines())) <= width


def test_the_past_is_judged_anew_by_what_was_known_then(story: Path) -> None:
    shown = said(CHAMPION, "--data", str(story), "--now", "2026-05-15T17:00")

    assert "Slipping" in shown
    assert "judged for this answer, as of 15 May 2026, 17:00 UTC; as if every source could be read" in shown
    assert "2 pushes, 28 days lost, both by them" in shown
    assert "auto-reply" not in shown
    assert "20 Aug" not in shown


def test_a_judgement_made_anew_is_the_one_that_was_told(story: Path) -> None:
    kept = json.loads(said(CHAMPION, "--data", str(story), "--json"))
    anew = json.loads(said(CHAMPION, "--data", str(story), "--json", "--now", kept["judged_at"]))

    assert (kept.pop("anew"), anew.pop("anew")) == (False, True)
    assert anew == kept


def test_the_folder_that_the_demo_keeps_may_be_named_as_it_is(story: Path) -> None:
    assert said(CHAMPION, "--data", str(story.parent)) == said(CHAMPION, "--data", str(story))


def test_machines_get_every_decision_and_meeting(story: Path) -> None:
    line = json.loads(said(CHAMPION, "--data", str(story), "--json"))

    (meeting,) = line["meetings"]
    assert [move["days"] for move in meeting["moves"]] == [14, 14, 80]
    assert [move["words"] for move in meeting["moves"]] == [True, True, False]
    assert meeting["starts"] == [
        "2026-05-04T14:00:00+00:00",
        "2026-05-18T14:00:00+00:00",
        "2026-06-01T14:00:00+00:00",
        "2026-08-20T14:00:00+00:00",
    ]
    assert [decision["reason"] for decision in line["decisions"]][:2] == ["below_threshold", "first"]
    assert line["verdict"] == "left"


async def test_a_terminal_that_knows_ascii_only_gets_nothing_else(story: Path) -> None:
    found = await why.explain(Glance(story), CHAMPION, (), moment("2026-07-07"), anew=False)
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    why.show(found, Console(file=file, width=80))
    file.seek(0)
    shown = file.read()

    assert "o====>o====>o" in shown
    assert "4 May -> 18 May" in shown


async def test_it_reads_while_the_service_holds_the_folder_and_changes_nothing(tmp_path: Path) -> None:
    load()
    async with await TinyStore.open(tmp_path) as store:
        await store.watch(Contact(JANE, "Jane"))
        await store.record(one for one in Invitations().read(parse(exchange(Invitation())), SCOPE))
        before = stamps(tmp_path)
        found = await why.explain(Glance(tmp_path), JANE, (), SENT + HOUR, anew=False)
        after = stamps(tmp_path)

    assert [meeting.uid for meeting in found.meetings] == [Invitation().uid]
    assert found.anew
    assert after == before


async def test_a_damaged_file_is_read_from_its_last_good_copy_and_left_as_it_is(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path) as store:
        await store.watch(Contact(JANE, "Jane"))
        await store.watch(Contact(JANE, "Jane Doe"))
    (path,) = (tmp_path / "people").glob(f"*{FILE}")
    path.write_bytes(b"torn")

    person = await Glance(tmp_path).person(JANE)
    assert person is not None
    assert person.contact is not None
    assert person.contact.name == "Jane"
    assert path.read_bytes() == b"torn"
    path.with_name(path.name + BACKUP).write_bytes(b"torn too")
    assert await Glance(tmp_path).person(JANE) is None


async def test_a_folder_without_data_and_a_stranger_are_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(NeedsHuman, match="holds no data"):
        Glance(tmp_path)
    async with await TinyStore.open(tmp_path) as store:
        await store.watch(Contact(JANE))
    with pytest.raises(NeedsHuman, match=r"nothing is kept of bob@acme\.example"):
        await why.explain(Glance(tmp_path), "bob@acme.example", (), CALL, anew=False)


async def test_colleagues_at_the_account_are_found_and_others_are_not(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path) as store:
        for address in (JANE, "bob@acme.example", "eve@other.example"):
            await store.watch(Contact(address))
        await store.save_cursor("mailbox:rep", {"uid": 7})
    glance = Glance(tmp_path)

    found = [person.address for person in await glance.people(frozenset({"acme.example"}))]
    assert found == ["bob@acme.example", JANE]
    assert await glance.cursor("mailbox:rep") == {"uid": 7}
    assert await glance.cursor("mailbox:none") is None


async def test_the_settings_name_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with await TinyStore.open(tmp_path / "kept") as store:
        await store.watch(Contact(JANE, "Jane Doe"))
    (tmp_path / "config.yaml").write_text("team:\n  domains: [vendor.example]\ndata: kept\n")
    monkeypatch.chdir(tmp_path)
    found = await _explained(JANE, Path("config.yaml"), None, None)
    assert found.contact.name == "Jane Doe"


@pytest.mark.servers
async def test_the_settings_name_the_database(
    postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE", postgres_server.new_database())
    async with await PostgresStore.open(os.environ["DATABASE"]) as store:
        await store.watch(Contact(JANE, "Jane Doe"))
        await store.record(one for one in Invitations().read(parse(exchange(Invitation())), SCOPE))
    settings = tmp_path / "config.yaml"
    settings.write_text("team:\n  domains: [vendor.example]\ndatabase_env: DATABASE\n")

    found = await _explained(JANE, settings, None, SENT + HOUR)
    assert (found.contact.name, len(found.meetings)) == ("Jane Doe", 1)


def test_moves_of_ours_and_theirs_and_earlier_ones_are_drawn_apart() -> None:
    ours = Invitation(sender=REP, to=JANE, organizer=REP, uid="ours")
    theirs = Invitation(uid="theirs", sent=SENT + HOUR)
    early = Invitation(uid="early", start=CALL + 40 * DAY, sent=SENT + 2 * HOUR)
    rows = picture(ours, ours.pushed(30), theirs, theirs.pushed(30), early, early.pushed(-30), plain=True)

    assert [row[:6] for row in rows[1:4]] == [" 4 May", " 4 May", "13 Jun"]
    assert "o-" in rows[1]
    assert "->@" in rows[1]
    assert "o=" in rows[2]
    assert "=>@" in rows[2]
    assert "@<=" in rows[3]
    assert [row.rstrip().endswith("30 days lost") for row in rows[1:4]] == [False, True, False]


def test_a_cancelled_meeting_is_crossed_out_and_the_present_is_marked() -> None:
    cancel = Invitation(method="CANCEL", sent=SENT + DAY)
    months, row, legend = picture(Invitation(), cancel, now=SENT + 2 * DAY)

    assert "✕" in row
    assert row.rstrip().endswith("cancelled")
    assert row.index("┊") < row.index("✕")
    assert "┊" not in months
    assert "┊ now" in legend


def test_the_present_crosses_a_move_that_it_lies_within() -> None:
    moved = Invitation().pushed(60)

    assert "━╋━" in picture(Invitation(), moved, now=CALL + 30 * DAY)[1]


def test_only_the_latest_meetings_are_drawn() -> None:
    mails = [Invitation(uid=f"call-{n}", sent=SENT + n * HOUR, start=CALL + n * DAY) for n in range(12)]
    rows = picture(*mails)

    assert len(rows) == timeline.MOST + 2
    assert rows[1].startswith(" 8 May")
    assert picture() == []


def test_what_people_did_beside_moving_is_said_in_words() -> None:
    ours = Invitation(sender=REP, to=JANE, organizer=REP, attendees=((JANE, "NEEDS-ACTION"),))
    reply = ours.but(method="REPLY", sender=JANE, to=REP, attendees=((JANE, "DECLINED"),), sent=SENT + DAY)
    file = io.StringIO()
    Console(file=file, width=80).print(timeline.moves(told(ours, reply), CALL))

    assert "declined" in file.getvalue()
    assert "set for 4 May" in file.getvalue()


async def test_what_was_learnt_and_what_stood_is_part_of_a_judgement_made_anew(tmp_path: Path) -> None:
    """The evidence, the weights and the verdict are those of the alert, though scales and a verdict stood."""
    pushes = [
        *observed.exchange(),
        *(observed.meeting(day, start) for day, start in ((20, 6), (12, -8), (5, -22))),
    ]
    learnt = Record(observed.days_ago(90), What.LEARNT, EVEN, Scales(calendar=0.95), 20, 0.2, 0.1)
    async with await TinyStore.open(tmp_path) as store:
        await store.watch(Contact(observed.JANE, "Jane Doe", account="Acme"))
        await learner.keep(store, learnt)
        await store.record(pushes)
        pipe = Pipeline(store, observed.RULES, ["vendor.example"], baseline=False)
        await learner.take(store, pipe)
        for days in (4, 0, -9):
            (last,) = await pipe.judge(observed.days_ago(days), [observed.JANE])
        person = await store.person(observed.JANE)
    assert person is not None
    assert [decision.verdict for decision in person.decisions] == ["slipping", "slipping"]
    assert last.verdict == "slipping"
    kept = await why.explain(Glance(tmp_path), observed.JANE, ["vendor.example"], last.at, anew=False)
    anew = await why.explain(Glance(tmp_path), observed.JANE, ["vendor.example"], last.at, anew=True)
    assert anew.assessment.evidence == kept.assessment.evidence == last.evidence
    assert (anew.assessment.verdict, anew.assessment.probability) == (last.verdict, last.probability)

"""What every kind of calendar promises, told to each and read from it: server, watcher, store, judgement."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from myworld.host import Host

from bot.clock import FrozenClock
from bot.model import Assessment, Contact, Json, NeedsHuman, Observation, SourceDown, Verdict
from bot.pipeline import Pipeline
from bot.store.memory import MemoryStore
from tests.observations import RULES
from tests.servers import calendar_dav, calendar_google, calendar_graph
from tests.servers.calendar_dav import Radicale
from tests.watchers.calendar_programs import (
    BOB,
    DAY,
    HOUR,
    JANE,
    RITA,
    STRANGER,
    Call,
    Dav,
    Files,
    Google,
    Graph,
    Program,
    Published,
    ics,
    utc,
)
from watchers import Scope
from watchers.calendars import Calendars
from watchers.mail.files import FileMailbox
from watchers.mailbox import Mailbox

SET = utc(2026, 4, 20, 9)
CALL = Call(utc(2026, 5, 4, 13))
SECOND = replace(CALL, start=CALL.start + 14 * DAY, sequence=1)
THIRD = replace(CALL, start=CALL.start + 28 * DAY, sequence=2)


@dataclass
class Desk:
    """A program that writes, and a service that reads what it wrote."""

    program: Program
    watcher: Calendars
    pipeline: Pipeline
    clock: FrozenClock

    @property
    def source(self) -> str:
        (source,) = self.watcher.sources(Scope())
        return source

    async def read(self, at: datetime) -> int:
        """Look at the calendar at that moment; return how much was new."""
        self.clock.advance(at - self.clock())
        return (await self.pipeline.sweep(self.watcher, self.source, at)).new

    async def write(self, call: Call, at: datetime) -> int:
        """Change the calendar, and look at it an hour later."""
        self.program.write(call, at)
        return await self.read(at + HOUR)

    async def cursor(self) -> dict[str, Any]:
        cursor = await self.pipeline.store.cursor(self.source)
        assert isinstance(cursor, dict)
        return cursor

    async def lose_place(self) -> None:
        lost: Json = self.program.lose_place(await self.cursor())
        await self.pipeline.store.save_cursor(self.source, lost)

    def break_down(self) -> None:
        """Take away what the calendar is read from, where no secret opens it."""
        if isinstance(self.program, Files):
            self.program.folder.rename(self.program.folder.with_name("elsewhere"))

    async def jane(self, at: datetime) -> Assessment:
        (assessment,) = await self.pipeline.judge(at, [JANE])
        return assessment

    async def derived(self, at: datetime) -> Sequence[Observation]:
        person = await self.pipeline.store.person(JANE)
        assert person is not None
        return RULES.derive(person, at).observations

    async def kinds(self, at: datetime) -> list[str]:
        return [seen.kind for seen in await self.derived(at)]


@pytest.fixture(scope="module")
def radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radicale]:
    with calendar_dav.running(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture(scope="module")
def google() -> Iterator[tuple[Host, int]]:
    with calendar_google.serving() as served:
        yield served


KINDS = ("files", "feed", "caldav", "google", "graph")


@pytest.fixture(params=KINDS)
async def desk(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        program = await _program(request, tmp_path, stack)
        for name, secret in program.secrets().items():
            monkeypatch.setenv(name, secret)
        yield await _desk(program)


async def _program(request: pytest.FixtureRequest, tmp_path: Path, stack: AsyncExitStack) -> Program:
    if request.param == "files":
        return Files(tmp_path)
    if request.param == "feed":
        feed = Published()
        server = await stack.enter_async_context(TestServer(feed.app()))
        feed.url = str(server.make_url("/secret-address.ics"))
        return feed
    if request.param == "caldav":
        server = request.getfixturevalue("radicale")
        user = f"rita-{abs(hash(tmp_path))}"
        server.add_user(user)
        return Dav(server, user)
    if request.param == "google":
        host, port = request.getfixturevalue("google")
        return Google(calendar_google.GoogleWorld(host, port, RITA, [JANE, BOB, STRANGER], SET - DAY))
    return Graph(await stack.enter_async_context(calendar_graph.serving(RITA)))


async def _desk(program: Program, *others: Contact) -> Desk:
    store = MemoryStore()
    for contact in (Contact(JANE, "Jane Doe", account="Acme"), *others):
        await store.watch(contact)
    clock = FrozenClock(SET - DAY)
    watcher = Calendars(Calendars.Config.model_validate({"calendars": [program.settings]}))
    watcher.clock = clock
    return Desk(program, watcher, Pipeline(store, RULES, {"vendor.example"}, baseline=False), clock)


async def test_the_founding_story_ends_slipping_at_the_second_push(desk: Desk) -> None:
    await desk.write(CALL, SET)
    await desk.write(SECOND, SET + 10 * DAY)
    after_one_push = await desk.jane(SET + 10 * DAY + HOUR)
    await desk.write(THIRD, SET + 20 * DAY)
    after_two = await desk.jane(SET + 20 * DAY + HOUR)

    assert after_one_push.verdict is not Verdict.SLIPPING
    assert after_two.verdict is Verdict.SLIPPING
    assert "2 pushes, 28 days lost, both by them" in [seen.sentence for seen in after_two.evidence]


async def test_our_own_reschedules_weigh_nothing(desk: Desk) -> None:
    ours = replace(CALL, organizer=RITA, guests={JANE: "NEEDS-ACTION"})
    for sequence, days in enumerate((0, 14, 28, 80)):
        moved = replace(ours, start=CALL.start + days * DAY, sequence=sequence)
        await desk.write(moved, SET + sequence * 5 * DAY)

    later = SET + 30 * DAY
    assert await desk.kinds(later) == ["meeting_invited", *["meeting_moved"] * 3]
    assert (await desk.jane(later)).verdict is not Verdict.SLIPPING


async def test_a_second_look_finds_nothing_new(desk: Desk) -> None:
    assert await desk.write(CALL, SET) == 1
    assert await desk.read(SET + 2 * HOUR) == 0


async def test_a_lost_place_is_no_flood_and_loses_no_move(desk: Desk) -> None:
    others = [replace(CALL, uid=f"other-{n}", start=CALL.start + n * DAY) for n in range(1, 4)]
    for call in (CALL, *others):
        desk.program.write(call, SET)
    assert await desk.read(SET + HOUR) == 4

    await desk.lose_place()
    assert await desk.read(SET + 2 * HOUR) == 0

    await desk.lose_place()
    assert await desk.write(SECOND, SET + 10 * DAY) == 1
    assert (await desk.kinds(SET + 11 * DAY)).count("meeting_pushed") == 1


async def test_killed_before_the_place_was_saved_nothing_is_lost_and_nothing_counts_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(source: str, cursor: Json) -> None:
        del source, cursor
        raise SystemExit(9)

    for number, call in enumerate((CALL, SECOND, THIRD)):
        written = SET + 10 * number * DAY
        desk.program.write(call, written)
        with monkeypatch.context() as patch:
            patch.setattr(desk.pipeline.store, "save_cursor", killed)
            with pytest.raises(SystemExit):
                await desk.read(written + HOUR)
        await desk.read(written + 3 * HOUR)
    kinds = await desk.kinds(SET + 21 * DAY)
    assert (kinds.count("meeting_set"), kinds.count("meeting_pushed")) == (1, 2)
    assert (await desk.jane(SET + 21 * DAY)).verdict is Verdict.SLIPPING


async def test_a_meeting_called_off_by_them_without_a_new_date_is_a_sign(desk: Desk) -> None:
    await desk.write(CALL, SET)
    desk.program.cancel(replace(CALL, sequence=1), SET + 5 * DAY)
    assert await desk.read(SET + 5 * DAY + HOUR) == 1

    assert "meeting_cancelled" in await desk.kinds(SET + 12 * DAY)


async def test_a_meeting_called_off_that_nobody_knew_is_ignored(desk: Desk) -> None:
    desk.program.write(CALL, SET)
    desk.program.cancel(replace(CALL, sequence=1), SET + DAY)
    await desk.read(SET + 2 * DAY)

    assert await desk.pipeline.store.person(JANE) is None or await desk.kinds(SET + 12 * DAY) == []


async def test_an_answer_that_the_calendar_shows_is_heard_once(desk: Desk) -> None:
    ours = replace(CALL, organizer=RITA, guests={JANE: "NEEDS-ACTION"})
    await desk.write(ours, SET)
    declined = replace(ours, guests={JANE: "DECLINED"})
    assert await desk.write(declined, SET + 2 * DAY) == 1
    assert await desk.read(SET + 3 * DAY) == 0

    assert (await desk.kinds(SET + 4 * DAY)).count("meeting_declined") == 1


async def test_another_hour_of_the_same_day_is_no_push(desk: Desk) -> None:
    await desk.write(CALL, SET)
    await desk.write(replace(CALL, start=CALL.start + HOUR, sequence=1), SET + DAY)

    assert await desk.kinds(SET + 2 * DAY) == ["meeting_set"]


async def test_nothing_is_kept_of_meetings_without_a_watched_account(desk: Desk) -> None:
    theirs = Call(CALL.start, STRANGER, {RITA: "ACCEPTED"}, uid="private-dinner")
    desk.program.write(theirs, SET)
    desk.program.write(replace(CALL, guests={RITA: "ACCEPTED", STRANGER: "NEEDS-ACTION"}), SET)
    await desk.read(SET + HOUR)

    kept = json.dumps(await desk.cursor()) + str(await desk.pipeline.store.person(JANE))
    assert RITA in kept
    assert STRANGER not in kept
    assert "private" not in kept
    assert "Pilot" not in kept
    assert await desk.pipeline.store.person(STRANGER) is None


async def test_what_is_over_for_a_month_is_forgotten_and_stays_so(desk: Desk) -> None:
    await desk.write(CALL, SET)
    later = CALL.start + 31 * DAY
    await desk.read(later)
    assert "followed" not in await desk.cursor()

    await desk.lose_place()
    assert await desk.read(later + HOUR) == 0


async def test_a_meeting_known_by_mail_and_calendar_counts_once(desk: Desk, tmp_path: Path) -> None:
    box = tmp_path / "mail"
    box.mkdir()
    mailbox = Mailbox(Mailbox.Config(mailboxes=(FileMailbox(kind="files", path=box),)))
    for number, (call, at) in enumerate([(CALL, SET), (SECOND, SET + 10 * DAY), (THIRD, SET + 20 * DAY)]):
        head = (
            f"From: {JANE}\r\nTo: {RITA}\r\nDate: {at:%a, %d %b %Y %H:%M:%S} +0000\r\n"
            f"Message-ID: <{number}@acme.example>\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n"
        )
        await desk.write(call, at + timedelta(minutes=number))
        mail = ics(replace(call, uid=desk.program.uid(call)), at).replace("VERSION:2.0", "METHOD:REQUEST")
        (box / f"{number}.eml").write_text(head + mail, encoding="utf-8")
        (source,) = mailbox.sources(await desk.pipeline.scope())
        await desk.pipeline.sweep(mailbox, source, at + 2 * HOUR)

    kinds = await desk.kinds(SET + 21 * DAY)
    assert kinds.count("meeting_set") == 1
    assert kinds.count("meeting_pushed") == 2
    assert kinds.count("meeting_drift") == 1


async def test_a_push_in_the_calendars_of_two_reps_is_one_also_where_one_of_them_lags(tmp_path: Path) -> None:
    programs = [Files(tmp_path / name) for name in ("rita", "omar")]
    for program in programs:
        program.folder.mkdir()
    settings = {"calendars": [{**one.settings, "name": one.folder.name} for one in programs]}
    watcher = Calendars(Calendars.Config.model_validate(settings))
    desk = await _desk(programs[0])
    watcher.clock = desk.clock

    async def look(at: datetime) -> None:
        desk.clock.advance(at - desk.clock())
        for source in watcher.sources(Scope()):
            await desk.pipeline.sweep(watcher, source, at)

    for number, call in enumerate((CALL, SECOND, THIRD)):
        at = SET + 10 * number * DAY
        programs[0].write(call, at)
        await look(at + HOUR)
        programs[1].write(call, at)
        await look(at + 8 * DAY)
    programs[1].write(SECOND, SET + 10 * DAY)
    await look(SET + 29 * DAY)
    kinds = await desk.kinds(SET + 29 * DAY)
    assert (kinds.count("meeting_set"), kinds.count("meeting_pushed")) == (1, 2)
    assert "meeting_advanced" not in kinds


async def test_whom_only_a_calendar_shows_is_unchecked_while_it_cannot_be_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.write(CALL, SET)
    for name in desk.program.secrets():
        monkeypatch.setenv(name, "revoked")
    desk.break_down()
    with pytest.raises((NeedsHuman, SourceDown)):
        await desk.read(SET + 40 * DAY)
    assert (await desk.jane(SET + 80 * DAY)).verdict is Verdict.UNCHECKED


async def test_without_any_mail_nobody_can_say_that_a_push_came_without_a_word(desk: Desk) -> None:
    await desk.write(CALL, SET)
    await desk.write(replace(CALL, start=CALL.start + 60 * DAY, sequence=1), SET + DAY)

    assert await desk.kinds(SET + 5 * DAY) == ["meeting_set", "meeting_pushed"]


async def test_words_in_a_mail_count_although_the_calendar_showed_the_move_first(
    desk: Desk, tmp_path: Path
) -> None:
    box = tmp_path / "mail"
    box.mkdir()
    mailbox = Mailbox(Mailbox.Config(mailboxes=(FileMailbox(kind="files", path=box),)))
    far = replace(CALL, start=CALL.start + 60 * DAY, sequence=1)
    await desk.write(CALL, SET)
    await desk.write(far, SET + DAY)
    update = replace(far, uid=desk.program.uid(CALL))
    words = "So sorry, our board meets that week, I must move this once more. Best, Jane"
    told_at = SET + DAY + timedelta(minutes=5)
    mail = (
        f"From: {JANE}\r\nTo: {RITA}\r\nDate: {told_at:%a, %d %b %Y %H:%M:%S} +0000\r\n"
        'Message-ID: <1@acme.example>\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain\r\n\r\n{words}\r\n--b\r\n"
        f"Content-Type: text/calendar; method=REQUEST\r\n\r\n{ics(update, told_at)}\r\n--b--\r\n"
    )
    (box / "1.eml").write_text(mail.replace("VERSION:2.0", "METHOD:REQUEST"), encoding="utf-8")
    (source,) = mailbox.sources(await desk.pipeline.scope())
    await desk.pipeline.sweep(mailbox, source, SET + 2 * DAY)

    assert "meeting_bare_update" not in await desk.kinds(SET + 5 * DAY)
    (pushed,) = [seen for seen in await desk.derived(SET + 5 * DAY) if seen.kind == "meeting_pushed"]
    assert pushed.facts["words"] is True

"""What is particular to files and feeds: whole listings, versions, secret addresses, large calendars."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.model import NeedsHuman, SourceDown
from tests.watchers.calendar_programs import (
    BOB,
    DAY,
    HOUR,
    JANE,
    RITA,
    STRANGER,
    Call,
    Files,
    Published,
    ics,
    utc,
)
from tests.watchers.calendar_reading import SCOPE, Reading
from watchers.calendar import files
from watchers.calendar.split import entries
from watchers.mail.signals import signals

SET = utc(2026, 4, 20, 9)
CALL = Call(utc(2026, 5, 4, 13))
SECOND = Call(utc(2026, 5, 18, 13), sequence=1)


@pytest.fixture
async def feed(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Published]:
    feed = Published()
    async with TestServer(feed.app()) as server:
        feed.url = str(server.make_url("/secret-address.ics"))
        monkeypatch.setenv("FEED_URL", feed.url)
        yield feed


async def test_a_feed_is_sent_again_only_when_it_changed(feed: Published) -> None:
    look = Reading(feed.settings)
    feed.write(CALL, SET)
    await look.at(SET + HOUR)
    assert await look.at(SET + 2 * HOUR) == []
    assert "If-None-Match" not in feed.asked[0]
    assert feed.asked[1]["If-None-Match"] == feed.etag


async def test_a_feed_that_names_no_version_is_compared_by_its_content(feed: Published) -> None:
    look = Reading(feed.settings)
    feed.write(CALL, SET)
    feed.etag = ""
    await look.at(SET + HOUR)
    assert await look.at(SET + 2 * HOUR) == []
    feed.write(SECOND, SET + DAY)
    feed.etag = ""
    assert len(await look.at(SET + DAY + HOUR)) == 1


async def test_a_feed_whose_stamps_are_those_of_the_request_shows_no_change(feed: Published) -> None:
    look = Reading(feed.settings)
    feed.write(CALL, SET)
    await look.at(SET + HOUR)
    text = ics(CALL, SET)
    feed.calendars[CALL.uid] = text.replace("DTSTAMP:20260420T090000Z", "DTSTAMP:20260421T090000Z")
    feed.etag = '"2"'
    assert await look.at(SET + DAY) == []


async def test_what_a_feed_no_longer_lists_was_not_called_off(feed: Published) -> None:
    look = Reading(feed.settings)
    feed.write(CALL, SET)
    await look.at(SET + HOUR)
    feed.calendars.clear()
    feed.etag = '"empty"'
    assert await look.at(SET + DAY) == []
    assert "followed" not in look.cursor


@pytest.mark.parametrize(
    ("status", "how"),
    [(404, "publish it again"), (403, "needs no password"), (302, "redirects to"), (200, "is no calendar")],
)
async def test_a_feed_that_fails_says_what_to_do_and_not_its_address(
    feed: Published, status: int, how: str
) -> None:
    feed.status, feed.page = status, "<html>Log in</html>"
    with pytest.raises(NeedsHuman, match=how) as refused:
        await Reading(feed.settings).at(SET)
    assert "secret-address" not in str(refused.value)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_feed_that_is_busy_is_asked_later(feed: Published, status: int) -> None:
    feed.status = status
    with pytest.raises(SourceDown) as down:
        await Reading(feed.settings).at(SET)
    assert "secret-address" not in str(down.value)


async def test_an_address_that_is_none_is_said_to_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEED_URL", "ftp://calendar.vendor.example/x.ics")
    with pytest.raises(NeedsHuman, match="https://"):
        await Reading(Published().settings).at(SET)


async def test_saved_invitations_of_one_meeting_are_told_in_their_order(tmp_path: Path) -> None:
    for name, call, at in (("b", CALL, SET), ("a", SECOND, SET + DAY)):
        (tmp_path / f"{name}.ics").write_text(ics(call, at), encoding="utf-8")
    look = Reading(Files(tmp_path).settings)
    found = await look.at(SET + 2 * DAY)
    assert [seen.facts["start"] for seen in found] == [CALL.start.isoformat(), SECOND.start.isoformat()]

    (tmp_path / "late.ics").write_text(ics(CALL, SET), encoding="utf-8")
    assert await look.at(SET + 3 * DAY) == [], "an older state that is found later changes nothing"


async def test_a_file_that_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "1.ics").write_bytes(b"\xff\xfe\0\0BEGIN:VEVENT\nBEGIN:VEVENT\n")
    (tmp_path / "2.ics").write_text(ics(CALL, SET), encoding="utf-8")
    (tmp_path / "3.txt").write_text(ics(SECOND, SET), encoding="utf-8")
    assert len(await Reading(Files(tmp_path).settings).at(SET + HOUR)) == 1


async def test_what_is_left_out_of_a_folder_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = ics(CALL, SET)
    (tmp_path / "1.ics").write_text(text + "X" * 100, encoding="utf-8")
    monkeypatch.setattr(files, "LARGEST", len(text.encode()))
    monkeypatch.setattr(files, "MOST_FILES", 1)
    look = Reading(Files(tmp_path).settings)
    with capture_logs() as logs:
        assert len(await look.at(SET + HOUR)) == 1
        await look.at(SET + 2 * HOUR)
    assert [line["event"] for line in logs] == ["calendar_file_cut"], "once for each version of a file"
    (tmp_path / "2.ics").write_text(text, encoding="utf-8")
    with capture_logs() as logs:
        await look.at(SET + 3 * HOUR)
    assert "calendar_files_left_out" in [line["event"] for line in logs]


async def test_a_folder_that_is_not_there_is_a_source_that_is_down(tmp_path: Path) -> None:
    with pytest.raises(SourceDown):
        await Reading(Files(tmp_path / "nowhere").settings).at(SET)


async def test_years_of_a_busy_calendar_are_read_and_only_ours_is_parsed(tmp_path: Path) -> None:
    def event(number: int) -> str:
        who = JANE if number % 20 == 0 else STRANGER
        call = Call(CALL.start + number * HOUR, who, {RITA: "ACCEPTED"}, f"uid-{number}")
        text = ics(call, SET)
        return text[text.index("BEGIN:VEVENT") : text.index("END:VCALENDAR")]

    inner = "".join(event(number) for number in range(4000))
    (tmp_path / "all.ics").write_text(f"BEGIN:VCALENDAR\r\n{inner}END:VCALENDAR\r\n", encoding="utf-8")
    began = time.process_time()
    assert len(await Reading(Files(tmp_path).settings).at(SET + HOUR)) == 200
    assert time.process_time() - began < 5


def test_zones_of_the_calendar_hold_for_every_piece_of_it() -> None:
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Customized Time Zone\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\n"
        "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0200\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )
    one = ics(CALL, SET).replace(
        "DTSTART:20260504T130000Z", "DTSTART;TZID=Customized Time Zone:20260504T150000"
    )
    inner = one[one.index("BEGIN:VEVENT") : one.index("END:VCALENDAR")]
    raw = f"BEGIN:VCALENDAR\r\n{zone}{inner * 120}END:VCALENDAR\r\n".encode()
    found = list(entries(raw, SCOPE))
    assert len(found) == 120
    assert {entry.start for entry in found} == {CALL.start}


def test_a_known_meeting_is_read_although_nobody_of_theirs_is_left_in_it() -> None:
    raw = ics(Call(CALL.start, RITA, {STRANGER: "ACCEPTED"}), SET).encode()
    assert list(entries(raw, SCOPE)) == []
    assert [entry.uid for entry in entries(raw, SCOPE, {CALL.uid})] == [CALL.uid]


async def test_a_series_that_is_moved_again_and_again_is_pushed_once(tmp_path: Path) -> None:
    look = Reading(Files(tmp_path).settings)
    history = []
    for number in range(4):
        call = Call(CALL.start + 14 * number * DAY, sequence=number)
        text = ics(call, SET + number * 5 * DAY, extra="RRULE:FREQ=WEEKLY\r\n")
        (tmp_path / "series.ics").write_text(text, encoding="utf-8")
        history += [seen for seen in await look.at(SET + number * 5 * DAY + HOUR) if seen.contact == JANE]
    told = [seen.kind for seen in signals(history, SET + 30 * DAY)]
    assert len(history) == 4
    assert told.count("meeting_pushed") == 1
    assert "meeting_drift" not in told


LINES = (
    "BEGIN:VCALENDAR",
    "BEGIN:VEVENT",
    "BEGIN:VTIMEZONE",
    "UID:1",
    " folded",
    f"ATTENDEE:mailto:{BOB}",
    'ATTENDEE;CN="a:b"',
    "DTSTART:99999999",
    "RRULE:FREQ=",
    "\xff\0",
    "END:VTIMEZONE",
    "END:VEVENT",
    "END:VCALENDAR",
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=30))
def test_whatever_a_feed_holds_nothing_breaks(lines: list[str]) -> None:
    assert len(list(entries("\r\n".join(lines).encode(), SCOPE))) <= lines.count("BEGIN:VEVENT")


@pytest.mark.parametrize(
    "line", [b"X-NOTE:" + b"\r\n a" * 300_000, b"BEGIN:VEVENT\r\n" * 50_000, b"\r" * 10**6]
)
def test_lines_of_any_length_and_number_cost_no_more_than_their_file(line: bytes) -> None:
    raw = b"BEGIN:VCALENDAR\r\n" + line + ics(CALL, SET).encode().partition(b"\r\n")[2]
    tracemalloc.start()
    try:
        (found,) = entries(raw, SCOPE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.uid
    assert peak < 8 * 2**20


def test_alarms_and_long_descriptions_do_not_hide_a_meeting() -> None:
    alarm = (
        "BEGIN:VALARM\r\nACTION:EMAIL\r\nSUMMARY:Canceled: x\r\nATTENDEE:mailto:alarm@acme.example\r\n"
        "DURATION:PT15M\r\nEND:VALARM\r\n"
    )
    words = f"X-ALT-DESC;FMTTYPE=text/html:{'words ' * 20_000}\r\n"
    one = ics(CALL, SET, extra=words + alarm)
    inner = one[one.index("BEGIN:VEVENT") : one.index("END:VCALENDAR")]
    found = list(entries(f"BEGIN:VCALENDAR\r\n{inner * 30}END:VCALENDAR\r\n".encode(), SCOPE))
    assert len(found) == 30
    assert {entry.status for entry in found} == {"CONFIRMED"}
    assert "alarm@acme.example" not in str(found)

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.watchers.dialects import exchange, google
from tests.watchers.invitation_mails import Invitation as Sent
from tests.watchers.invitation_parts import WEST_EUROPE, zone
from watchers.mail.ics import MAX_BYTES, Event, announces_calendar, read_ics, title
from watchers.mail.parse import parse


def calendar(*lines: str, before: str = "", method: str = "REQUEST") -> bytes:
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", f"METHOD:{method}", *([before] if before else [])]
    event = ["BEGIN:VEVENT", "UID:call-1", *lines, "END:VEVENT"]
    return "\n".join([*head, *event, "END:VCALENDAR", ""]).replace("\n", "\r\n").encode()


def event(*lines: str, before: str = "") -> Event:
    (found,) = read_ics(calendar(*lines, before=before)).events
    return found


def test_an_invitation_is_read_with_all_its_fields() -> None:
    itip = read_ics(
        calendar(
            "SEQUENCE:3",
            "DTSTAMP:20260420T090000Z",
            "DTSTART:20260504T130000Z",
            "DTEND:20260504T140000Z",
            "STATUS:CONFIRMED",
            "SUMMARY:Pilot review",
            "ORGANIZER;CN=Jane:MAILTO:Jane.Doe@acme.example",
            'ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:bob@acme.example":mailto:ann@acme.ex\n ample',
            "ATTENDEE;PARTSTAT=accepted:mailto:rep@vendor.example",
        )
    )

    (found,) = itip.events
    assert itip.method == "REQUEST"
    assert (found.uid, found.sequence, found.status) == ("call-1", 3, "CONFIRMED")
    assert found.dtstamp == datetime(2026, 4, 20, 9, tzinfo=UTC)
    assert (found.start, found.end) == (
        datetime(2026, 5, 4, 13, tzinfo=UTC),
        datetime(2026, 5, 4, 14, tzinfo=UTC),
    )
    assert found.organizer == "jane.doe@acme.example"
    assert [(one.address, one.partstat, one.delegated_to) for one in found.attendees] == [
        ("ann@acme.example", "DELEGATED", "bob@acme.example"),
        ("rep@vendor.example", "ACCEPTED", ""),
    ]
    assert found.title
    assert "Pilot" not in repr(itip)


@pytest.mark.parametrize(
    "zone",
    [
        "America/New_York",
        "Eastern Standard Time",
        "Eastern Time",
        '"Eastern Time (US & Canada)"',
        '"(UTC-05:00) Eastern Time (US & Canada)"',
        "/vendor.example/20240101_1/America/New_York",
    ],
)
def test_a_zone_is_known_by_the_name_any_client_gives_it(zone: str) -> None:
    found = event(f"DTSTART;TZID={zone}:20260504T090000")

    assert found.start == datetime(2026, 5, 4, 13, tzinfo=UTC)
    assert found.notes == ()


def test_a_zone_with_an_offset_in_its_name_is_taken_by_it() -> None:
    assert event('DTSTART;TZID="GMT -03:30, Somewhere":20260504T090000').start == datetime(
        2026, 5, 4, 12, 30, tzinfo=UTC
    )


@pytest.mark.parametrize(("wall", "hour"), [("20260115T090000", 8), ("20260715T090000", 7)])
def test_a_customized_zone_follows_the_calendars_own_rules(wall: str, hour: int) -> None:
    own = WEST_EUROPE.replace("W. Europe Standard Time", "Customized Time Zone")
    found = event(f"DTSTART;TZID=Customized Time Zone:{wall}", before=own)

    assert found.start is not None
    assert found.start.hour == hour


@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        ("20260329T015900", "2026-03-29T00:59:00+00:00"),
        ("20260329T030000", "2026-03-29T01:00:00+00:00"),
        ("20261025T015900", "2026-10-24T23:59:00+00:00"),
        ("20261025T030000", "2026-10-25T02:00:00+00:00"),
    ],
)
def test_the_clocks_change_on_the_day_that_the_rules_say(wall: str, expected: str) -> None:
    own = WEST_EUROPE.replace("W. Europe Standard Time", "Customized Time Zone")
    found = event(f"DTSTART;TZID=Customized Time Zone:{wall}", before=own)

    assert found.start == datetime.fromisoformat(expected)


def test_a_customized_zone_without_rules_is_taken_as_utc_and_says_so() -> None:
    own = WEST_EUROPE.replace("W. Europe Standard Time", "Customized Time Zone")
    event("DTSTART;TZID=Customized Time Zone:20260504T090000", before=own)
    found = event("DTSTART;TZID=Customized Time Zone:20260504T090000")

    assert found.start == datetime(2026, 5, 4, 9, tzinfo=UTC)
    assert found.notes == ("unknown time zone 'Customized Time Zone' taken as UTC",)


@pytest.mark.parametrize(("wall", "hour"), [("20260115T090000", 9), ("20260715T090000", 8)])
def test_notes_says_gmt_and_means_london_and_anybody_else_means_gmt(wall: str, hour: int) -> None:
    london = zone(Sent(zone="Europe/London"), "GMT")
    found = event(f'DTSTART;TZID="GMT":{wall}', before=london).start

    assert found is not None
    assert found.hour == hour
    assert event(f"DTSTART;TZID=GMT:{wall}").start == datetime.fromisoformat(wall).replace(tzinfo=UTC)


def test_a_subject_is_known_whatever_a_program_puts_before_it() -> None:
    plain = title("Pilot review")

    assert {title(f"{word}Pilot  Review") for word in ("", "Canceled: ", "Accepted: ", "AW: ")} == {plain}
    assert len({plain, title("Pilot review: sites"), title("Acme: review"), title("Bolt: review")}) == 4
    assert title("") == ""


def test_a_floating_time_is_taken_as_utc_and_says_so() -> None:
    found = event("DTSTART:20260504T090000")

    assert found.start == datetime(2026, 5, 4, 9, tzinfo=UTC)
    assert found.notes == ("floating time taken as UTC",)


def test_a_calendars_own_zone_holds_for_its_floating_times() -> None:
    found = event("DTSTART:20260504T090000", before="X-WR-TIMEZONE:Europe/Berlin")

    assert found.start == datetime(2026, 5, 4, 7, tzinfo=UTC)


def test_an_all_day_event_begins_at_midnight_utc() -> None:
    found = event("DTSTART;VALUE=DATE:20260504", "DURATION:P2D")

    assert found.all_day
    assert (found.start, found.end) == (datetime(2026, 5, 4, tzinfo=UTC), datetime(2026, 5, 6, tzinfo=UTC))


def test_apples_address_stands_in_a_parameter() -> None:
    found = event("ATTENDEE;EMAIL=jane@acme.example;PARTSTAT=ACCEPTED:/aMTIz/principal/")

    assert [one.address for one in found.attendees] == ["jane@acme.example"]


@pytest.mark.parametrize("line", ["STATUS:CANCELLED", "SUMMARY:Canceled: Pilot review"])
def test_a_cancelled_event_is_known_by_its_status_or_as_outlook_writes_it(line: str) -> None:
    assert event(line).cancelled
    assert not event("SUMMARY:How we cancelled: a talk").cancelled


def test_an_override_of_one_occurrence_is_told_from_its_series() -> None:
    assert event("RRULE:FREQ=WEEKLY").series
    override = event("RECURRENCE-ID;TZID=Europe/Berlin:20260504T090000")
    assert (override.series, override.recurrence_id) == (False, "2026-05-04T07:00:00+00:00")
    assert event("RECURRENCE-ID:nonsense").recurrence_id == "unknown"


@pytest.mark.parametrize(
    "line",
    ["DTSTART:nonsense", "DTSTART;TZID=X:2026", "DTSTART:00000000T000000Z", "SEQUENCE:many", "SEQUENCE:-1"],
)
def test_a_damaged_value_counts_as_not_given(line: str) -> None:
    found = event(line)

    assert (found.start, found.sequence) == (None, 0)


def test_an_event_at_the_end_of_time_is_survived() -> None:
    far = event("DTSTART;TZID=America/New_York:99991231T235900", "DURATION:P1D")

    assert far.start is None


def test_a_calendar_without_its_end_is_read_as_far_as_it_goes() -> None:
    cut = calendar("DTSTART:20260504T130000Z").partition(b"END:VEVENT")[0]
    itip = read_ics(cut)

    assert [found.start for found in itip.events] == [datetime(2026, 5, 4, 13, tzinfo=UTC)]
    assert itip.notes == ("the calendar ends early",)


def test_one_event_without_a_uid_does_not_take_the_others_with_it() -> None:
    both = calendar().replace(b"END:VCALENDAR", b"BEGIN:VEVENT\r\nSEQUENCE:1\r\nEND:VEVENT\r\nEND:VCALENDAR")
    itip = read_ics(both)

    assert [found.uid for found in itip.events] == ["call-1"]
    assert itip.notes == ("an event without a UID was left out",)


@pytest.mark.parametrize(
    "rubbish",
    [
        "a line that is none",
        "REFRESH-INTERVAL;VALUE=DURATION:soon",
        "BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:never\nEND:STANDARD\nEND:VTIMEZONE",
        "BEGIN:VTODO\nDUE:never\nEND:VTODO",
    ],
)
def test_rubbish_beside_the_event_does_not_cost_the_event(rubbish: str) -> None:
    assert event("DTSTART:20260504T130000Z", before=rubbish).start is not None


def test_alarms_and_unicode_line_breaks_in_an_event_do_no_harm() -> None:
    found = event(
        "DESCRIPTION:one\u2028two\u0085three",
        "BEGIN:VALARM",
        "TRIGGER:never",
        "END:VALARM",
        "DTSTART:20260504T130000Z",
    )

    assert found.start is not None


def test_a_huge_calendar_is_cut() -> None:
    assert len(read_ics(calendar("END:VEVENT\r\nBEGIN:VEVENT\r\nUID:x\r\n" * 5000)).events) == 200
    long = read_ics(calendar("ATTACH;ENCODING=BASE64:" + "A" * MAX_BYTES))
    assert [found.uid for found in long.events] == ["call-1"]
    assert read_ics(b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 20_000).events == ()


def test_headers_tell_a_calendar_programs_mail() -> None:
    assert announces_calendar(parse(exchange(Sent())).head)
    assert announces_calendar(parse(google(Sent())).head)
    assert announces_calendar(parse(b"Content-Type: text/calendar; method=REPLY\n\n").head)
    assert announces_calendar(parse(b"From: Zoom <no-reply@zoom.us>\n\n").head)
    assert not announces_calendar(parse(b"Content-Type: multipart/mixed; boundary=x\n\n").head)


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_random_bytes_never_raise(raw: bytes) -> None:
    read_ics(raw)
    read_ics(b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n" + raw)


NAMES = st.sampled_from(
    "DTSTART DTEND DTSTAMP RECURRENCE-ID DURATION ATTENDEE ORGANIZER SEQUENCE STATUS UID RRULE RDATE TZID "
    "BEGIN:VTIMEZONE BEGIN:STANDARD BEGIN:VEVENT END:VEVENT TZOFFSETTO DTSTART;VALUE=DATE".split()
)
VALUES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["20260504T130000Z", "99991231T235959", "00010101T000000", "P99999999D", "+9959", "a@b.example"]
    ),
    st.sampled_from(["FREQ=YEARLY;BYMONTH=13;BYDAY=9MO", "FREQ=YEARLY;BYMONTH=2;BYDAY=-5SU;BYMONTHDAY=31"]),
)


@given(st.lists(st.tuples(NAMES, st.sampled_from([":", ";TZID=", ";X=1:"]), VALUES), max_size=15))
@settings(max_examples=150, deadline=None)
def test_strange_properties_never_raise(lines: list[tuple[str, str, str]]) -> None:
    read_ics(calendar(*("".join(line) for line in lines)))

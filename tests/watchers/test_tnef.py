from __future__ import annotations

import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.watchers import winmail
from tests.watchers.dialects import outlook
from tests.watchers.invitation_mails import BOB, CALL, DAY, HOUR, JANE, REP, SENT, Invitation
from tests.watchers.winmail import attribute, fixed, named, properties, stream
from watchers.mail.ics import Event
from watchers.mail.parse import parse
from watchers.mail.tnef import MAX_BYTES, announces_outlook, outlooks_meeting, read_tnef

FIRST = Invitation(sequence=3)


def event(raw: bytes) -> Event:
    (found,) = read_tnef(raw).events
    return found


def test_a_meeting_request_is_read_with_all_its_fields() -> None:
    itip = read_tnef(winmail.meeting(FIRST))

    (found,) = itip.events
    assert itip.method == "REQUEST"
    assert (found.start, found.end, found.dtstamp) == (CALL, CALL + HOUR, SENT)
    assert (found.sequence, found.organizer) == (3, JANE)
    assert [one.address for one in found.attendees] == [REP]
    assert found.uid.startswith("040000008200E00074C5B7101A82E00800000000")
    assert (found.series, found.cancelled, found.recurrence_id) == (False, False, "")
    assert "Pilot" not in repr(itip)


@pytest.mark.parametrize("answer", ["ACCEPTED", "DECLINED", "TENTATIVE"])
def test_an_answer_is_read_from_the_class_of_the_message(answer: str) -> None:
    itip = read_tnef(winmail.meeting(FIRST.but(method="REPLY", attendees=((JANE, answer),))))

    assert (itip.method, itip.events[0].answer) == ("REPLY", answer)


def test_a_cancellation_is_one() -> None:
    itip = read_tnef(winmail.meeting(FIRST.but(method="CANCEL")))

    assert (itip.method, itip.events[0].cancelled) == ("CANCEL", True)


def test_a_meeting_that_was_made_elsewhere_keeps_its_uid() -> None:
    assert event(winmail.meeting(FIRST.but(uid="abc-1@google.com"))).uid == "abc-1@google.com"


def test_an_occurrence_has_the_uid_of_its_series() -> None:
    series = event(winmail.meeting(FIRST.but(rule="FREQ=WEEKLY")))
    single = event(winmail.meeting(FIRST.but(rule="FREQ=WEEKLY", occurrence=CALL + 7 * DAY)))

    assert (series.series, single.series) == (True, False)
    assert single.uid == series.uid
    assert single.recurrence_id == "2026-05-11T00:00:00+00:00"


def test_the_fixed_dates_stand_in_for_the_named_ones() -> None:
    identity = named(winmail.BINARY, winmail.MEETING, 0x0003, winmail.object_id("x"))
    kind = attribute(0x00078008, b"IPM.Microsoft Schedule.MtgReq\0")
    fixed_dates = properties(identity, fixed(winmail.TIME, 0x0060, CALL))
    old = struct.pack("<7H", 2026, 5, 4, 13, 0, 0, 1)

    assert event(stream(kind, attribute(0x00069003, fixed_dates))).start == CALL
    found = event(stream(kind, attribute(0x00030006, old), attribute(0x00069003, properties(identity))))
    assert found.start == CALL


def test_the_class_may_stand_among_the_properties() -> None:
    identity = named(winmail.BINARY, winmail.MEETING, 0x0003, winmail.object_id("x"))
    kind = fixed(winmail.TEXT, 0x001A, "IPM.Schedule.Meeting.Canceled")

    assert read_tnef(stream(attribute(0x00069003, properties(kind, identity)))).method == "CANCEL"


def test_a_calendar_that_is_attached_inside_is_read() -> None:
    calendar = (
        b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:inner\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )

    assert event(stream(attribute(0x0006800F, calendar, level=2))).uid == "inner"


def test_a_plain_letter_in_tnef_is_no_meeting() -> None:
    letter = stream(attribute(0x00078008, b"IPM.Microsoft Mail.Note\0"))

    assert read_tnef(letter).events == ()
    assert read_tnef(letter).notes == ("no meeting",)
    assert read_tnef(b"PK\x03\x04").notes == ("no TNEF",)


def test_a_stream_without_the_meetings_id_is_no_meeting() -> None:
    kind = attribute(0x00078008, b"IPM.Microsoft Schedule.MtgReq\0")

    assert read_tnef(stream(kind, attribute(0x00069003, properties()))).events == ()


def test_the_mail_is_known_by_its_headers_or_by_its_part() -> None:
    mail = parse(outlook(FIRST))

    assert announces_outlook(mail.head)
    assert outlooks_meeting(mail).method == "REQUEST"
    assert not announces_outlook(parse(b"X-MS-TNEF-Correlator:\nFrom: jane@acme.example\n\n").head)


def test_a_huge_stream_is_cut_and_says_so() -> None:
    huge = winmail.meeting(FIRST) + attribute(0x0006800F, bytes(MAX_BYTES), level=2)

    assert read_tnef(huge).events[0].start == CALL
    assert read_tnef(huge).notes == ("only the first 2 MB were read",)


def test_counts_that_promise_more_than_there_is_are_survived() -> None:
    kind = attribute(0x00078008, b"IPM.Microsoft Schedule.MtgReq\0")
    greedy = struct.pack("<IHHI", 2**32 - 1, 0x101F, 0x0037, 2**32 - 1)
    long = struct.pack("<IHHII", 1, 0x0102, 0x0037, 1, 2**31)

    for data in (greedy, long):
        assert read_tnef(stream(kind, attribute(0x00069003, data), attribute(0x00069004, data))).events == ()


def test_a_date_beyond_all_calendars_counts_as_not_given() -> None:
    far = struct.pack("<HHQ", winmail.TIME, 0x0060, 2**64 - 1)
    identity = named(winmail.BINARY, winmail.MEETING, 0x0003, winmail.object_id("x"))
    kind = attribute(0x00078008, b"IPM.Microsoft Schedule.MtgReq\0")

    assert event(stream(kind, attribute(0x00069003, properties(identity, far)))).start is None


@given(st.integers(0, 3000), st.binary(min_size=1, max_size=12))
@settings(max_examples=200, deadline=None)
def test_a_stream_damaged_anywhere_never_raises(at: int, noise: bytes) -> None:
    crowd = FIRST.but(attendees=((JANE, "ACCEPTED"), (BOB, ""), (REP, "")))
    raw = winmail.meeting(crowd)
    at %= len(raw)

    read_tnef(raw[:at])
    read_tnef(raw[:at] + noise + raw[at + len(noise) :])
    read_tnef(raw[:at] + noise + raw[at:])


@given(st.binary(max_size=200), st.sampled_from([0x00069003, 0x00069004, 0x00069007, 0x00030006]))
@settings(max_examples=150, deadline=None)
def test_random_attributes_never_raise(data: bytes, number: int) -> None:
    kind = attribute(0x00078008, b"IPM.Microsoft Schedule.MtgReq\0")

    read_tnef(stream(kind, attribute(number, data), attribute(0x00069003, properties())))


def test_a_date_of_the_old_kind_that_is_none_counts_as_not_given() -> None:
    identity = named(
        winmail.BINARY, winmail.MEETING, 0x0003, winmail.object_id("x", datetime(1, 1, 1, tzinfo=UTC))
    )
    kind = attribute(0x00078008, b"IPM.Microsoft Schedule.MtgReq\0")
    wrong = attribute(0x00030006, struct.pack("<7H", 2026, 13, 4, 13, 0, 0, 1))

    assert event(stream(kind, wrong, attribute(0x00069003, properties(identity)))).start is None


def test_five_hundred_guests_are_read_and_more_are_not() -> None:
    crowd = tuple((f"guest{n}@acme.example", "") for n in range(600))

    assert len(event(winmail.meeting(FIRST.but(attendees=crowd))).attendees) == 500


def test_only_the_first_of_each_attribute_counts() -> None:
    def dated(moment: datetime) -> bytes:
        identity = named(winmail.BINARY, winmail.MEETING, 0x0003, winmail.object_id("x"))
        return attribute(0x00069003, properties(identity, fixed(winmail.TIME, 0x0060, moment)))

    kind = attribute(0x00078008, b"IPM.Microsoft Schedule.MtgReq\0")

    assert event(stream(kind, dated(CALL), dated(CALL + DAY))).start == CALL

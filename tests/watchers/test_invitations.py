from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Json, Means, Observation
from tests.watchers.dialects import ONE_WAY, Writer, exchange, google, icloud, zoom
from tests.watchers.invitation_mails import BOB, CALL, DAY, JANE, REP, SCOPE, SENT, Invitation
from watchers import Scope
from watchers.invitations import Invitations
from watchers.mail.parse import parse

LATER = CALL + 365 * DAY
FIRST = Invitation()


def read(*mails: bytes, scope: Scope = SCOPE, contact: str = JANE) -> list[Observation]:
    reader = Invitations()
    seen = (one for raw in mails for one in reader.read(parse(raw), scope))
    return sorted((one for one in seen if one.contact == contact), key=lambda one: one.at)


def derive(*mails: bytes, now: datetime = LATER, others: Iterable[Observation] = ()) -> list[Observation]:
    history = sorted([*read(*mails), *others], key=lambda one: one.at)
    return list(Invitations().derive(history, now))


def kinds(*mails: bytes, now: datetime = LATER, others: Iterable[Observation] = ()) -> list[str]:
    return [one.kind for one in derive(*mails, now=now, others=others)]


def one(kind: str, *mails: bytes, now: datetime = LATER) -> Observation:
    (found,) = [seen for seen in derive(*mails, now=now) if seen.kind == kind]
    return found


def wrote(at: datetime) -> Observation:
    return Observation(JANE, "wrote", at, "mailbox:rep", "wrote to rep@vendor.example")


def pushed(before: Invitation, days: int, after: timedelta = 10 * DAY, **changes: object) -> Invitation:
    return before.pushed(days, after, **changes)


SECOND = pushed(FIRST, 14)
THIRD = pushed(SECOND, 14)
FOURTH = pushed(THIRD, 80, after=20 * DAY)


@pytest.mark.parametrize("dialect", ONE_WAY.values(), ids=ONE_WAY)
def test_the_founding_story_is_told_in_every_clients_dialect(dialect: Writer) -> None:
    first, second, third, fourth = map(dialect, (FIRST, SECOND, THIRD, FOURTH))

    assert kinds(first) == ["meeting_set"]
    assert kinds(first, second) == ["meeting_set", "meeting_pushed"]
    assert one("meeting_pushed", first, second).sentence == "meeting pushed from 4 May to 18 May by them"
    assert kinds(first, second, third) == [
        "meeting_set",
        "meeting_pushed",
        "meeting_drift",
        "meeting_pushed",
    ]
    assert one("meeting_drift", first, second, third).sentence == "2 pushes, 28 days lost, both by them"
    story = (first, second, third, fourth)
    assert "meeting_bare_update" not in kinds(*story, now=FOURTH.sent + 2 * DAY - timedelta(minutes=1))
    bare = one("meeting_bare_update", *story, now=FOURTH.sent + 2 * DAY)
    assert bare.sentence == "moved to 20 August, more than two months out, without a word in two days"
    assert bare.at == FOURTH.sent + 2 * DAY


@pytest.mark.parametrize("dialect", ONE_WAY.values(), ids=ONE_WAY)
def test_words_in_a_push_are_told_from_what_the_client_writes_itself(dialect: Writer) -> None:
    sorry = FOURTH.but(words="So sorry, our board meets that week, I must move this once more.")

    assert one("meeting_pushed", dialect(FIRST), dialect(SECOND)).facts["words"] is False
    assert "meeting_bare_update" not in kinds(*map(dialect, (FIRST, SECOND, THIRD, sorry)))


def test_an_agenda_that_comes_again_with_every_update_is_no_word() -> None:
    agenda = "Agenda: results of the pilot, security review, next steps."
    mails = [exchange(mail.but(words=agenda)) for mail in (FIRST, SECOND, THIRD, FOURTH)]

    assert "meeting_bare_update" in kinds(*mails)


def test_a_mail_by_the_person_within_two_days_makes_an_update_no_bare_one() -> None:
    story = [google(mail) for mail in (FIRST, SECOND, THIRD, FOURTH)]

    assert "meeting_bare_update" not in kinds(*story, others=[wrote(FOURTH.sent + DAY)])
    assert "meeting_bare_update" in kinds(*story, others=[wrote(FOURTH.sent + 3 * DAY)])


def test_a_first_push_of_a_month_without_a_word_is_a_bare_update() -> None:
    assert "meeting_bare_update" in kinds(icloud(FIRST), icloud(pushed(FIRST, 30)))
    assert "meeting_bare_update" not in kinds(icloud(FIRST), icloud(pushed(FIRST, 29)))


def test_one_push_weighs_little_and_two_weigh_enough_for_slipping() -> None:
    weight = {kind.name: kind.weight for kind in Invitations.kinds}

    assert weight["meeting_pushed"] < 0.5
    assert weight["meeting_pushed"] + weight["meeting_drift"] >= 1.8


def test_our_own_reschedules_weigh_nothing() -> None:
    ours = FIRST.but(sender=REP, to=JANE, organizer=REP)
    mails = [exchange(mail) for mail in (ours, pushed(ours, 14), pushed(pushed(ours, 14), 60))]
    means = {kind.name: kind.means for kind in Invitations.kinds}

    assert kinds(*mails) == ["meeting_invited", "meeting_moved", "meeting_moved"]
    assert {means[kind] for kind in kinds(*mails)} == {Means.NOTED}
    assert one("meeting_moved", *mails[:2]).sentence == "meeting moved from 4 May to 18 May by us"


def test_a_later_time_that_they_propose_is_their_push() -> None:
    ours = FIRST.but(sender=REP, to=JANE, organizer=REP)
    counter = pushed(ours, 14, sender=JANE, to=REP, method="COUNTER").but(sequence=0)
    agreed = counter.but(sender=REP, to=JANE, method="REQUEST", sequence=1, sent=counter.sent + DAY)

    assert kinds(exchange(ours), exchange(counter), exchange(agreed)) == ["meeting_invited", "meeting_pushed"]


def test_a_reply_that_shows_a_move_we_did_not_see_is_put_down_to_the_organizer() -> None:
    ours = FIRST.but(sender=REP, to=JANE, organizer=REP)
    reply = pushed(ours, 14, sender=JANE, to=REP, method="REPLY", attendees=((JANE, "ACCEPTED"),))

    assert kinds(exchange(ours), exchange(reply)) == ["meeting_invited", "meeting_accepted", "meeting_moved"]


def test_a_sequence_that_is_never_bumped_hides_no_push() -> None:
    still = [mail.but(sequence=0) for mail in (FIRST, SECOND, THIRD)]

    assert kinds(*map(exchange, still)).count("meeting_pushed") == 2


def test_an_update_that_arrives_late_is_put_where_its_sequence_says() -> None:
    second = pushed(FIRST, 14, after=DAY)
    third = pushed(second, 14, after=DAY)
    late = [replace(seen, at=third.sent + DAY) for seen in read(exchange(second))]
    history = [*read(exchange(FIRST), exchange(third)), *late]

    (drift,) = [seen for seen in Invitations().derive(history, LATER) if seen.kind == "meeting_drift"]
    assert drift.facts["days"] == 28


def test_an_invitation_sent_again_changes_nothing() -> None:
    again = FIRST.but(sent=FIRST.sent + 3 * DAY)
    forwarded = FIRST.but(sender="boss@vendor.example", sent=FIRST.sent + 4 * DAY)

    assert kinds(google(FIRST), google(again), google(forwarded)) == ["meeting_set"]


@pytest.mark.parametrize("hours", [-5, -1, 1, 6, 15])
def test_another_hour_is_no_push(hours: int) -> None:
    assert kinds(google(FIRST), google(pushed(FIRST, 0).but(start=CALL + timedelta(hours=hours)))) == [
        "meeting_set"
    ]


def test_the_same_wall_clock_a_day_later_is_a_push_although_the_clocks_change_between() -> None:
    eve = FIRST.but(start=datetime(2026, 3, 28, 9, tzinfo=UTC), sent=datetime(2026, 3, 20, tzinfo=UTC))
    short = pushed(eve, 0, after=DAY).but(start=eve.start + timedelta(hours=23))

    assert kinds(google(eve), google(short)) == ["meeting_set", "meeting_pushed"]


def test_the_edits_of_a_series_are_not_many_pushes() -> None:
    series = FIRST.but(rule="FREQ=WEEKLY")
    moved = [pushed(series, 7 * n).but(sent=SENT + n * DAY, sequence=n) for n in range(1, 5)]
    single = [
        series.but(rule="", occurrence=CALL + n * 7 * DAY, start=CALL + (n * 7 + 3) * DAY, sequence=9)
        for n in range(1, 5)
    ]

    assert kinds(*map(exchange, [series, *single])) == ["meeting_set"]
    assert kinds(*map(exchange, [series, *moved])).count("meeting_pushed") == 1
    assert not {"meeting_drift", "meeting_bare_update"} & set(kinds(*map(exchange, [series, *moved])))


def test_somebody_who_clears_a_whole_day_is_not_drifting() -> None:
    calls = [FIRST.but(uid=f"call-{n}") for n in range(5)]
    mails = [*map(exchange, calls), *(exchange(pushed(call, 7)) for call in calls)]

    assert set(kinds(*mails)) == {"meeting_set", "meeting_moved"}


def test_moving_a_meeting_that_took_place_is_the_next_one_and_no_push() -> None:
    next_one = pushed(FIRST, 28, after=16 * DAY)

    assert kinds(google(FIRST), google(next_one)) == ["meeting_set", "meeting_moved"]


def test_bringing_a_meeting_forward_is_proof_of_life_and_ends_a_drift() -> None:
    sooner = pushed(THIRD, -14)

    assert "meeting_drift" not in kinds(*map(google, (FIRST, SECOND, THIRD, sooner)))
    assert one("meeting_advanced", google(THIRD), google(sooner)).sentence == (
        "meeting brought forward from 1 June to 18 May by them"
    )


def test_a_cancellation_without_a_new_date_counts_after_three_days() -> None:
    cancel = FIRST.but(method="CANCEL", sent=SENT + 5 * DAY, sequence=1)

    assert kinds(exchange(FIRST), exchange(cancel), now=cancel.sent + 2.9 * DAY) == ["meeting_set"]
    found = one("meeting_cancelled", exchange(FIRST), exchange(cancel))
    assert found.sentence == "meeting of 4 May cancelled by them, no new date"


def test_our_own_cancellation_weighs_nothing() -> None:
    ours = FIRST.but(sender=REP, to=JANE, organizer=REP)
    cancel = ours.but(method="CANCEL", sent=SENT + 5 * DAY)

    assert kinds(exchange(ours), exchange(cancel)) == ["meeting_invited"]


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_cancellation_and_a_new_invitation_within_a_day_are_one_reschedule(hours: int) -> None:
    cancel = FIRST.but(method="CANCEL", sent=SENT + 5 * DAY, sequence=1)
    new = FIRST.but(uid="another", start=CALL + 14 * DAY, sent=cancel.sent + timedelta(hours=hours))
    last = pushed(new, 14)

    assert kinds(exchange(FIRST), exchange(cancel), exchange(new)) == ["meeting_set", "meeting_pushed"]
    drift = one("meeting_drift", *map(exchange, (FIRST, cancel, new, last)))
    assert drift.sentence == "2 pushes, 28 days lost, both by them"


def test_a_new_invitation_to_other_people_does_not_replace_a_cancelled_meeting() -> None:
    cancel = FIRST.but(method="CANCEL", sent=SENT + 5 * DAY, sequence=1)
    crowd = tuple((f"guest{n}@acme.example", "NEEDS-ACTION") for n in range(6))
    other = FIRST.but(uid="another", attendees=((JANE, ""), *crowd), sent=cancel.sent + timedelta(hours=3))

    assert "meeting_cancelled" in kinds(exchange(FIRST), exchange(cancel), exchange(other))


def test_the_cancellation_of_an_unknown_meeting_is_ignored() -> None:
    assert kinds(exchange(FIRST.but(method="CANCEL"))) == []


def test_answers_count_as_the_person_gave_them_last() -> None:
    ours = FIRST.but(sender=REP, to=JANE, organizer=REP, attendees=((JANE, "NEEDS-ACTION"),))

    def answer(partstat: str, days: int) -> bytes:
        reply = ours.but(sender=JANE, to=REP, method="REPLY", attendees=((JANE, partstat),))
        return google(reply.but(sent=SENT + days * DAY))

    assert kinds(google(ours), answer("ACCEPTED", 1)) == ["meeting_invited", "meeting_accepted"]
    assert kinds(google(ours), answer("DECLINED", 1)) == ["meeting_invited", "meeting_declined"]
    assert kinds(google(ours), answer("DELEGATED", 1)) == ["meeting_invited", "meeting_delegated"]
    assert kinds(google(ours), answer("DECLINED", 1), answer("ACCEPTED", 2)) == [
        "meeting_invited",
        "meeting_accepted",
    ]


def test_a_champion_who_is_no_longer_invited_while_colleagues_are_was_dropped() -> None:
    bobs = FIRST.but(organizer=BOB, sender=BOB, attendees=((BOB, ""), (JANE, ""), (REP, "")))
    without = bobs.but(attendees=((BOB, ""), (REP, "")), sent=SENT + DAY, sequence=1)
    back = bobs.but(sent=SENT + 2 * DAY, sequence=2)

    assert "meeting_dropped" in kinds(exchange(bobs), exchange(without))
    assert "meeting_dropped" not in kinds(exchange(bobs), exchange(without), exchange(back))


def test_a_colleagues_meeting_is_not_the_champions() -> None:
    bobs = FIRST.but(organizer=BOB, sender=BOB, attendees=((BOB, ""), (REP, "")))

    assert kinds(exchange(bobs), exchange(pushed(bobs, 14)), exchange(pushed(pushed(bobs, 14), 14))) == []


def test_a_meeting_organised_by_somebody_else_from_now_on_was_taken_over() -> None:
    taken = FIRST.but(
        organizer=BOB, sender=BOB, attendees=((BOB, ""), (JANE, ""), (REP, "")), sent=SENT + DAY, sequence=1
    )

    found = one("meeting_taken_over", exchange(FIRST), exchange(taken))
    assert found.sentence == "the meeting of 4 May is now organised by bob.ray@acme.example"


def test_a_snapshot_holds_facts_and_no_text() -> None:
    (seen,) = read(exchange(FIRST.but(words="Looking forward to this very much.")))

    assert seen.kind == "meeting"
    assert (seen.at, seen.group, seen.source) == (SENT, FIRST.uid, "")
    assert seen.facts["start"] == "2026-05-04T13:00:00+00:00"
    assert (seen.facts["organizer"], seen.facts["attendees"]) == (JANE, [[REP, "NEEDS-ACTION"]])
    assert (seen.facts["by"], seen.facts["by_side"], seen.facts["words"]) == (JANE, "them", True)
    assert "Pilot" not in repr(seen)
    assert "forward" not in repr(seen)


def test_a_service_that_sends_for_the_organizer_is_not_taken_for_the_mover() -> None:
    (seen,) = read(zoom(FIRST))

    assert (seen.facts["by"], seen.facts["by_side"]) == (JANE, "them")


def test_without_a_scope_whoever_acts_is_shown() -> None:
    (seen,) = read(exchange(FIRST), scope=Scope())

    assert seen.contact == JANE


def test_a_long_list_of_guests_is_cut_but_never_loses_the_contact() -> None:
    crowd = tuple((f"guest{n}@acme.example", "") for n in range(200))
    (seen,) = read(exchange(FIRST.but(organizer=BOB, sender=BOB, attendees=(*crowd, (JANE, "ACCEPTED")))))

    attendees = seen.facts["attendees"]
    assert isinstance(attendees, list)
    assert len(attendees) == 50
    assert [JANE, "ACCEPTED"] in attendees


def test_a_very_long_uid_is_replaced_by_its_hash() -> None:
    (seen,) = read(exchange(FIRST.but(uid="x" * 5000)))

    assert len(seen.group) == 64


@pytest.mark.parametrize("dialect", [exchange, google])
def test_headers_alone_show_a_calendar_mail_where_the_program_says_so(dialect: Writer) -> None:
    assert Invitations().wants(parse(dialect(FIRST)).head)
    assert not Invitations().wants(parse(b"From: jane@acme.example\n\nHello").head)


def test_a_mail_without_its_body_or_with_a_broken_calendar_says_nothing() -> None:
    head = exchange(FIRST).partition(b"\r\n\r\n")[0]

    assert read(head) == []
    assert read(icloud(FIRST).replace(b"UID:", b"XID:")) == []
    assert read(icloud(FIRST).replace(b"BEGIN:VCALENDAR", b"BEGIN:NOTHING")) == []


STORY = [
    exchange(FIRST),
    exchange(FIRST.but(sent=SENT + DAY)),
    exchange(SECOND),
    exchange(THIRD.but(sequence=1)),
    exchange(FOURTH),
    exchange(FIRST.but(uid="other")),
    exchange(FIRST.but(uid="other", method="CANCEL", sent=SENT + 2 * DAY)),
    exchange(FIRST.but(uid="new", start=CALL + 9 * DAY, sent=SENT + 2 * DAY)),
    exchange(FIRST.but(method="REPLY", attendees=((JANE, "ACCEPTED"),), sent=SENT + 3 * DAY)),
]


@given(st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_in_which_mails_are_read_does_not_matter(chance: random.Random) -> None:
    mails = STORY[:]
    history = read(*mails)
    expected = list(Invitations().derive(history, LATER))
    chance.shuffle(history)

    assert list(Invitations().derive(history, LATER)) == expected
    assert [seen.sentence for seen in Invitations().derive(history, LATER)] == [
        seen.sentence for seen in expected
    ]


@given(
    st.dictionaries(
        st.sampled_from(["uid", "start", "dtstamp", "sequence", "attendees", "method", "by", "organizer"]),
        st.one_of(st.none(), st.integers(), st.text(max_size=30), st.lists(st.lists(st.text(max_size=5)))),
    )
)
@settings(max_examples=60, deadline=None)
def test_stored_facts_of_any_shape_are_survived(facts: dict[str, Json]) -> None:
    (good,) = read(exchange(FIRST))
    strange = replace(good, facts=facts, at=SENT + DAY)

    assert "meeting_set" in [seen.kind for seen in Invitations().derive([good, strange], LATER)]

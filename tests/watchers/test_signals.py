"""What the histories of meetings mean, each signal and each rule by name."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Json, Means, Observation
from tests.watchers.dialects import exchange, outlook, zoom_file
from tests.watchers.invitation_mails import BOB, CALL, DAY, HOUR, JANE, REP, SCOPE, SENT, Invitation
from watchers.invitations import Invitations
from watchers.mail.meetings import SNAPSHOT, meetings, snapshot
from watchers.mail.parse import parse

ANN = "ann.lee@acme.example"
LATER = CALL + 365 * DAY
FIRST = Invitation()
OURS = Invitation(sender=REP, to=JANE, organizer=REP, attendees=((JANE, "NEEDS-ACTION"), (REP, "ACCEPTED")))
BOBS = Invitation(organizer=BOB, sender=BOB, attendees=((BOB, ""), (JANE, ""), (REP, "")))
FLOOD = 10_000
LONGEST_SECONDS = 8.0
"""Generous: where every meeting is compared with every other, so many take twice as long."""
KINDS = {kind.name: kind for kind in Invitations.kinds}


def read(*mails: bytes) -> list[Observation]:
    seen = [one for raw in mails for one in Invitations().read(parse(raw), SCOPE) if one.contact == JANE]
    return sorted(seen, key=lambda one: one.at)


def derive(*mails: Invitation | bytes | Observation, now: Any = LATER) -> dict[str, Observation]:
    """Return what follows from these mails and observations, by kind."""
    known = [one for one in mails if isinstance(one, Observation)]
    raw = [
        one if isinstance(one, bytes) else exchange(one) for one in mails if not isinstance(one, Observation)
    ]
    history = sorted([*read(*raw), *known], key=lambda one: one.at)
    return {seen.kind: seen for seen in Invitations().derive(history, now)}


def wrote(at: Any) -> Observation:
    return Observation(JANE, "wrote", at, "mailbox:rep", "wrote to rep@vendor.example")


def written_to(at: Any) -> Observation:
    return Observation(JANE, "written_to", at, "mailbox:rep", "rep@vendor.example wrote to them")


def accepted(mail: Invitation, answer: str = "ACCEPTED") -> Invitation:
    return mail.but(method="REPLY", sender=JANE, to=REP, attendees=((JANE, answer),), sent=mail.sent + DAY)


# --- pushes, days lost, growing distance ----------------------------------------------------------------


def test_pushes_that_lose_less_than_a_working_week_together_are_no_drift() -> None:
    once = FIRST.pushed(1, DAY)

    assert "meeting_drift" not in derive(FIRST, once, once.pushed(3, DAY))
    assert "meeting_drift" in derive(FIRST, once, once.pushed(4, DAY))


def test_two_short_pushes_with_words_each_time_are_a_search_for_an_hour_and_no_drift() -> None:
    once = FIRST.pushed(7, DAY, words="Sorry, something came up.")
    twice = once.pushed(7, DAY, words="Our board moved its session.")
    found = derive(FIRST, once, twice)

    assert "meeting_drift" not in found
    assert found["meeting_shuffled"].sentence == (
        "2 pushes, 14 days lost, both by them, each with words of their own"
    )
    assert "meeting_drift" in derive(FIRST, once, twice.but(words=""))
    assert "meeting_drift" in derive(FIRST, once, once.pushed(21, DAY, words="Our board moved its session."))
    assert "meeting_drift" in derive(FIRST, once, twice, twice.pushed(7, DAY, words="And once more, sorry."))


@pytest.mark.parametrize(
    ("days", "drifts"), [(-2.1, True), (-1.9, False), (0.5, False), (2.9, False), (3.1, True)]
)
def test_two_short_pushes_of_somebody_who_writes_meanwhile_are_no_drift(
    days: float,
    drifts: bool,  # noqa: FBT001 - pytest hands parameters over by name
) -> None:
    once = FIRST.pushed(7, DAY)
    found = derive(FIRST, once, once.pushed(7, DAY), wrote(once.sent + timedelta(days=days)))

    assert ("meeting_drift" in found) is drifts
    assert ("meeting_shuffled" in found) is not drifts


def test_long_pushes_are_a_drift_but_of_somebody_who_writes_on_many_days_meanwhile() -> None:
    once = FIRST.pushed(14, DAY, words="Sorry, something came up.")
    twice = once.pushed(14, 10 * DAY, words="Our board moved its session.")
    letters = [wrote(once.sent + (2 * day + 1) * DAY) for day in range(5)]

    assert "meeting_drift" in derive(FIRST, once, twice, *letters[:4])
    found = derive(FIRST, once, twice, *letters)
    assert "meeting_drift" not in found
    assert found["meeting_shuffled"].sentence.endswith("and they wrote on 5 days meanwhile")


def test_pushes_of_several_meetings_are_one_voice() -> None:
    calls = [FIRST.but(uid=f"call-{n}", title=f"Call {n}", sent=SENT + n * DAY) for n in range(4)]
    history = read(
        *map(exchange, [*calls, *(call.pushed(7, DAY + 2 * n * HOUR) for n, call in enumerate(calls))])
    )
    groups = {seen.group for seen in Invitations().derive(history, LATER) if seen.kind == "meeting_pushed"}

    assert len(groups) == 1


def test_a_meeting_that_stands_much_further_away_than_ever_grows_distant() -> None:
    second = FIRST.pushed(14)
    third = second.pushed(60)
    found = derive(FIRST, second, third)["meeting_distance"]

    assert found.sentence == "the meeting grows distant: 14, 18, now 68 days ahead"
    assert found.facts["days"] == 68
    assert "meeting_distance" not in derive(FIRST, second, second.pushed(14))
    assert "meeting_distance" not in derive(FIRST, FIRST.pushed(60))


def test_a_move_that_is_corrected_soon_after_is_one_move() -> None:
    moved = FIRST.pushed(14)
    found = derive(FIRST, moved, moved.pushed(2, 3 * HOUR))

    assert "meeting_drift" not in found
    assert found["meeting_pushed"].facts["days"] == 16
    assert "meeting_drift" in derive(FIRST, moved, moved.pushed(2, 13 * HOUR))


def test_a_move_that_is_taken_back_soon_after_is_none() -> None:
    slipped = FIRST.pushed(365)

    assert list(derive(FIRST, slipped, slipped.pushed(-365, HOUR))) == ["meeting_set"]


def test_moves_that_are_delivered_together_but_were_written_days_apart_are_several() -> None:
    second = FIRST.pushed(14, DAY)
    history = read(*map(exchange, (FIRST, second, second.pushed(14, DAY))))
    together = [replace(seen, at=SENT + 3 * DAY) for seen in history]

    assert derive(*together)["meeting_drift"].facts["pushes"] == 2


# --- bare update ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "bare"), [(-2.1, True), (-1.9, False), (1.9, False), (2.1, True)])
def test_a_word_within_two_days_before_or_after_makes_an_update_no_bare_one(
    days: float,
    bare: bool,  # noqa: FBT001 - pytest hands parameters over by name
) -> None:
    far = FIRST.pushed(60)

    assert ("meeting_bare_update" in derive(FIRST, far, wrote(far.sent + timedelta(days=days)))) is bare


# --- cancelled ------------------------------------------------------------------------------------------


def test_a_cancellation_is_without_a_new_date_only_while_there_is_none() -> None:
    cancel = FIRST.but(method="CANCEL", sent=SENT + 5 * DAY, sequence=1)
    new = FIRST.but(uid="new", title="Pilot, once more", sent=cancel.sent + 9 * DAY, start=CALL + 30 * DAY)

    assert "meeting_cancelled" in derive(FIRST, cancel, now=cancel.sent + 4 * DAY)
    assert "meeting_cancelled" not in derive(FIRST, cancel, new)
    assert "meeting_cancelled" in derive(FIRST, cancel, new.but(sent=cancel.sent + 20 * DAY))


def test_a_cancelled_meeting_goes_on_in_the_one_of_its_subject_and_not_in_another() -> None:
    cancel = FIRST.but(method="CANCEL", sent=SENT + 5 * DAY, sequence=1)
    crowd = tuple((f"guest{n}@acme.example", "") for n in range(6))
    same = FIRST.but(
        uid="b", sent=cancel.sent + 2 * HOUR, start=CALL + 14 * DAY, attendees=((REP, ""), *crowd)
    )
    other = FIRST.but(uid="a", title="Security", sent=cancel.sent + HOUR, start=CALL + 60 * DAY)

    assert derive(FIRST, cancel, other, same)["meeting_pushed"].facts["days"] == 14
    assert "meeting_pushed" not in derive(FIRST, cancel, other)


def test_whoever_clears_a_day_cancels_what_is_near_and_nothing_else() -> None:
    calls = [FIRST.but(uid=f"call-{n}", title=f"Call {n}") for n in range(3)]
    morning = CALL - 5 * HOUR
    cancels = [call.but(method="CANCEL", sent=morning, sequence=1) for call in calls]
    far = FIRST.but(uid="far", title="Far", start=CALL + 40 * DAY)

    assert "meeting_cancelled" not in derive(*calls, *cancels)
    assert "meeting_cancelled" in derive(*calls[:2], *cancels[:2])
    assert "meeting_cancelled" in derive(*calls, *cancels, far, far.but(method="CANCEL", sent=morning))


# --- people ---------------------------------------------------------------------------------------------


def test_somebody_who_is_invited_in_their_place_is_named() -> None:
    without = BOBS.but(attendees=((BOB, ""), (ANN, ""), (REP, "")), sent=SENT + DAY, sequence=1)
    found = derive(BOBS, without)

    assert found["meeting_replaced"].sentence == f"{ANN} is invited to the meeting of 4 May in their place"
    assert "meeting_dropped" not in found


def test_a_flood_of_cancelled_meetings_is_told_apart_in_time() -> None:
    first = read(exchange(FIRST), exchange(FIRST.but(method="CANCEL", sent=FIRST.sent + HOUR)))
    flood = [
        replace(
            seen, at=seen.at + number * HOUR, facts={**seen.facts, "uid": str(number), "title": str(number)}
        )
        for number in range(FLOOD)
        for seen in first
        if seen.kind == SNAPSHOT
    ]
    begun = time.process_time()
    assert len(meetings(flood)) == FLOOD
    assert time.process_time() - begun < LONGEST_SECONDS


def test_a_colleague_who_moves_their_own_meeting_says_nothing_of_its_guests() -> None:
    found = derive(BOBS, BOBS.pushed(14, DAY), BOBS.pushed(28, 2 * DAY))

    assert "meeting_pushed" not in found
    assert "meeting_drift" not in found
    assert "the colleague whose meeting it is" in " ".join(found["meeting_moved"].because)


def test_a_drift_names_a_push_of_another_meeting_long_before() -> None:
    earlier = FIRST.but(uid="earlier", title="Kick-off", sent=SENT - 120 * DAY, start=FIRST.start - 120 * DAY)
    drift = (FIRST, FIRST.pushed(14, DAY), FIRST.pushed(28, 2 * DAY))

    assert not derive(*drift)["meeting_drift"].facts["pushed_before"]
    assert not derive(earlier, *drift)["meeting_drift"].facts["pushed_before"]
    assert derive(earlier, earlier.pushed(7, DAY), *drift)["meeting_drift"].facts["pushed_before"]


def test_a_stored_date_in_which_no_meeting_can_be_counts_as_not_said() -> None:
    facts: dict[str, Json] = {"uid": "odd", "method": "REQUEST", "start": "9999-12-31T23:00:00+00:00"}
    facts["dtstamp"] = "0001-01-01"
    told = snapshot(Observation(JANE, SNAPSHOT, SENT, "mailbox:x", "odd", facts=facts))

    assert (told.start, told.dtstamp) == (None, SENT)


def test_whoever_moves_everything_far_away_on_one_day_has_no_sick_day() -> None:
    calls = [FIRST.but(uid=f"call-{n}", title=f"Call {n}") for n in range(3)]

    assert "meeting_pushed" not in derive(*calls, *(call.pushed(14, DAY) for call in calls))
    assert "meeting_pushed" in derive(*calls, *(call.pushed(60, DAY) for call in calls))


def test_occurrences_that_are_moved_on_one_day_make_a_sick_day() -> None:
    series = FIRST.but(uid="weekly", rule="FREQ=WEEKLY")
    singles = [
        series.but(
            rule="", occurrence=CALL + 7 * n * DAY, start=CALL + (7 * n + 2) * DAY, sent=SENT + 2 * DAY
        )
        for n in (1, 2)
    ]

    assert "meeting_pushed" not in derive(FIRST, FIRST.pushed(7, 2 * DAY), series, *singles)
    assert "meeting_pushed" in derive(FIRST, FIRST.pushed(7, 2 * DAY), series, singles[0])


# --- no-show and presence -------------------------------------------------------------------------------


def test_a_call_that_we_ask_after_and_nobody_answers_was_perhaps_missed() -> None:
    asked = written_to(CALL + 3 * HOUR)
    found = derive(OURS, accepted(OURS), asked)["meeting_no_show"]

    assert found.at == CALL + 5 * DAY
    assert found.sentence == "no word since the meeting of 4 May, although we wrote"
    assert KINDS["meeting_no_show"].weight < KINDS["meeting_pushed"].weight


@pytest.mark.parametrize(
    "history",
    [
        pytest.param([OURS, written_to(CALL + HOUR)], id="never accepted"),
        pytest.param([FIRST], id="we did not write"),
        pytest.param([FIRST, written_to(CALL + 3 * DAY)], id="we wrote much later"),
        pytest.param([FIRST, written_to(CALL + HOUR), wrote(CALL + 4 * DAY)], id="they answered"),
        pytest.param(
            [
                FIRST,
                written_to(CALL + HOUR),
                FIRST.but(uid="next", title="Next", sent=CALL + DAY, start=LATER),
            ],
            id="they set the next one",
        ),
        pytest.param([FIRST, FIRST.but(method="CANCEL", sent=SENT + DAY), written_to(CALL)], id="cancelled"),
        pytest.param([FIRST.but(rule="FREQ=WEEKLY"), written_to(CALL + HOUR)], id="a series"),
    ],
)
def test_no_call_was_missed(history: list[Invitation | Observation]) -> None:
    assert "meeting_no_show" not in derive(*history)


def test_a_missed_call_is_said_only_after_five_days() -> None:
    history = (FIRST, written_to(CALL + HOUR))

    assert "meeting_no_show" not in derive(*history, now=CALL + 4.9 * DAY)
    assert "meeting_no_show" in derive(*history, now=CALL + 5 * DAY)


def test_a_source_that_knows_who_was_there_proves_life() -> None:
    (seen,) = read(exchange(FIRST))
    there = replace(seen, at=CALL + HOUR, facts={**seen.facts, "attended": True, "message_id": ""})
    found = derive(seen, there, written_to(CALL + 2 * HOUR))

    assert KINDS["meeting_attended"].means is Means.ALIVE
    assert (found["meeting_attended"].at, found["meeting_attended"].sentence) == (
        CALL,
        "was in the meeting of 4 May",
    )
    assert "meeting_no_show" not in found


def test_an_answer_that_a_calendar_shows_counts_from_when_it_is_first_seen() -> None:
    (seen,) = read(exchange(OURS))
    yes: list[Json] = [[JANE, "ACCEPTED"], [REP, "ACCEPTED"]]
    facts = {**seen.facts, "method": "", "message_id": "", "sequence": None}
    shown = [
        replace(seen, at=SENT + n * DAY, facts={**facts, "attendees": yes, "end": str(n)}) for n in (2, 9)
    ]

    assert derive(seen, *shown)["meeting_accepted"].at == SENT + 2 * DAY
    assert "meeting_accepted" not in derive(*shown)


# --- order ----------------------------------------------------------------------------------------------


def test_updates_of_one_sequence_are_ordered_by_when_they_were_written_and_not_by_when_they_came() -> None:
    second = FIRST.pushed(14, 2 * DAY).but(sequence=0)
    third = second.pushed(14, 2 * DAY).but(sequence=0)
    first, late, early = (read(exchange(mail))[0] for mail in (FIRST, second, third))
    swapped = [first, replace(late, at=third.sent + DAY), replace(early, at=second.sent)]

    assert derive(*swapped)["meeting_drift"].facts["days"] == 28


def test_a_source_without_sequence_is_ordered_by_its_time_among_those_that_have_one() -> None:
    second = FIRST.pushed(14)
    history = read(exchange(FIRST), exchange(second))
    facts = {**history[1].facts, "sequence": None, "dtstamp": "", "message_id": "", "method": ""}
    facts["start"] = (CALL + 28 * DAY).isoformat()
    shown = replace(history[1], at=second.sent + DAY, facts=facts)

    assert derive(*history, shown)["meeting_drift"].facts["days"] == 28


# --- programs -------------------------------------------------------------------------------------------


def test_zooms_file_is_one_meeting_although_it_gets_a_new_uid_each_time() -> None:
    first, second = read(zoom_file(FIRST), zoom_file(FIRST.pushed(14)))

    assert first.group == second.group
    assert (first.facts["organizer"], first.facts["by"]) == (JANE, JANE)
    assert first.facts["attendees"] == [[REP, ""]]
    assert read(zoom_file(FIRST.but(title="Another call")))[0].group != first.group


def test_an_answer_in_winmail_dat_is_the_senders() -> None:
    reply = accepted(OURS, "DECLINED")
    (seen,) = read(outlook(reply))

    assert seen.facts["attendees"] == [[JANE, "DECLINED"]]
    assert "meeting_declined" in derive(outlook(OURS), outlook(reply))


@given(st.lists(st.integers(-30, 60), min_size=1, max_size=8), st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_our_own_moves_never_say_anything_against_them(days: list[int], now: int) -> None:
    chain = [OURS]
    for shift in days:
        chain.append(chain[-1].pushed(shift, DAY))
    found = derive(*chain, now=SENT + now * DAY)

    assert not {kind for kind in found if KINDS[kind].means is Means.SLIPPING}

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.alerts import Baseline, decide, notice, withheld
from bot.assessment import Circumstances
from bot.model import (
    Action,
    Alert,
    Answer,
    Assessment,
    Case,
    Choice,
    Contact,
    Decision,
    Delivery,
    Means,
    Observation,
    Person,
    Reason,
    Strength,
    Verdict,
)
from tests.observations import BOX, JANE, NOW, bounce, exchange, judged, meeting, seen, wrote

CONTACT = Contact(JANE, name="Jane Doe", account="Acme")
LEFT = [*exchange(), seen("departed", 1, message_id="d")]
LIKELY = [*exchange(), bounce(2)]
SLIPPING = [*exchange(), seen("farewell", 3, leaves="", message_id="f")]


def person(*alerts: Alert, settled: Answer | None = None) -> Person:
    """Return Jane with one case that told these alerts."""
    if not alerts:
        return Person(JANE, CONTACT)
    case = Case(
        JANE, alerts[0].episode, tuple(Delivery(alert, sent_at=alert.at) for alert in alerts), None, settled
    )
    return Person(JANE, CONTACT, cases=(case,))


def told(observations: Sequence[Observation], days: float = 0) -> Alert:
    """Return the alert that this history raised so many days before now."""
    found = judged(observations, NOW - timedelta(days=days))
    assert found.verdict in {Verdict.LEFT, Verdict.LIKELY_LEFT, Verdict.SLIPPING}
    return Alert(CONTACT, found, 1, found.at)


def answer(choice: Choice, days: float, until: date | None = None) -> Answer:
    return Answer(JANE, f"{JANE}:1", "U1", NOW - timedelta(days=days), choice, until)


def outcome(who: Person, found: Assessment) -> tuple[Action, Reason, int | None]:
    decision, alert = decide(who, CONTACT, found, None)
    assert decision.contact == JANE
    assert (alert is not None) == (decision.action is Action.SEND)
    return decision.action, decision.reason, alert.episode if alert else None


def test_the_first_alarm_is_sent() -> None:
    assert outcome(person(), judged(LIKELY)) == (Action.SEND, Reason.FIRST, 1)


def test_what_was_told_is_not_told_again() -> None:
    assert outcome(person(told(LIKELY)), judged(LIKELY)) == (Action.HOLD, Reason.ALREADY_SENT, None)


def test_a_graver_verdict_is_told_in_the_same_case() -> None:
    goodbye_and_bounce = judged([*SLIPPING, bounce(0.5)])
    assert outcome(person(told(SLIPPING, 1)), goodbye_and_bounce) == (Action.SEND, Reason.STRONGER, 1)
    assert outcome(person(told(LIKELY)), judged([*LIKELY, seen("departed", 0, message_id="d")])) == (
        Action.SEND,
        Reason.STRONGER,
        1,
    )


def test_calm_verdicts_are_held_and_a_quiet_one_goes_to_the_digest() -> None:
    assert outcome(person(), judged([*exchange(), wrote(2)])) == (Action.HOLD, Reason.BELOW_THRESHOLD, None)
    quiet = judged([wrote(days) for days in range(120, 500, 7)])
    assert outcome(person(), quiet) == (Action.DIGEST, Reason.BELOW_THRESHOLD, None)
    away = judged([*exchange(), seen("on_leave", 1, returns="2026-06-30", message_id="l")])
    assert outcome(person(), away) == (Action.HOLD, Reason.ON_LEAVE, None)


def test_what_was_there_before_we_watched_is_the_baseline() -> None:
    old, new = (Baseline({BOX: NOW - timedelta(days=days)}) for days in (1, 30))
    assert decide(person(), CONTACT, judged(LIKELY), old)[0].reason is Reason.BASELINE
    assert decide(person(), CONTACT, judged(LIKELY), Baseline({}))[0].reason is Reason.BASELINE
    assert decide(person(), CONTACT, judged(LIKELY), new)[0].reason is Reason.FIRST


def test_what_happened_before_somebody_was_added_is_old_and_what_comes_later_is_news() -> None:
    ended = {BOX: NOW - timedelta(days=300)}
    before, after = Baseline(ended, NOW - timedelta(days=1)), Baseline(ended, NOW - timedelta(days=9))
    assert decide(person(), CONTACT, judged(LIKELY), before)[0].reason is Reason.BASELINE
    assert decide(person(), CONTACT, judged(LIKELY), after)[0].reason is Reason.FIRST


def test_an_old_mail_that_we_learn_of_only_now_is_news() -> None:
    late = [replace(item, seen=NOW) for item in LIKELY]
    assert (
        decide(person(), CONTACT, judged(late), Baseline({BOX: NOW - timedelta(days=1)}))[0].reason
        is Reason.FIRST
    )


def test_a_confirmed_departure_is_never_told_again() -> None:
    settled = person(told(LIKELY), settled=answer(Choice.LEFT, 1))
    assert outcome(settled, judged([*LIKELY, seen("departed", 0, message_id="d")])) == (
        Action.HOLD,
        Reason.SETTLED,
        None,
    )


def test_somebody_who_came_back_and_left_again_is_a_new_story() -> None:
    settled = person(told([*exchange(), bounce(40)], 39), settled=answer(Choice.LEFT, 38))
    again = judged([*exchange(), wrote(20), seen("departed", 1, message_id="d")])
    assert outcome(settled, again) == (Action.SEND, Reason.FIRST, 2)


def test_old_evidence_does_not_reopen_what_a_rep_settled() -> None:
    settled = person(told(SLIPPING, 1), settled=answer(Choice.NOTHING_WRONG, 1))
    assert outcome(settled, judged(SLIPPING)) == (Action.HOLD, Reason.SETTLED, None)


def test_new_evidence_after_a_still_there_opens_a_new_case() -> None:
    settled = person(told(LIKELY), settled=answer(Choice.STILL_THERE, 1.5))
    assert outcome(settled, judged([*exchange(), bounce(1)])) == (Action.SEND, Reason.FIRST, 2)


def test_a_snooze_holds_until_its_day_and_then_reminds() -> None:
    until_tomorrow = person(told(LIKELY), settled=answer(Choice.SNOOZE, 1, NOW.date() + timedelta(days=1)))
    until_today = person(told(LIKELY), settled=answer(Choice.SNOOZE, 1, NOW.date()))
    assert outcome(until_tomorrow, judged(LIKELY)) == (Action.HOLD, Reason.SNOOZED, None)
    assert outcome(until_today, judged(LIKELY)) == (Action.SEND, Reason.REMINDER_DUE, 2)


def test_a_snooze_does_not_hold_what_is_graver() -> None:
    snoozed = person(told(SLIPPING, 1), settled=answer(Choice.SNOOZE, 1, NOW.date() + timedelta(days=9)))
    assert outcome(snoozed, judged(LEFT)) == (Action.SEND, Reason.STRONGER, 2)


def test_a_case_is_over_when_the_person_wrote_and_a_new_signal_is_a_new_case() -> None:
    before = told([*exchange(), bounce(40)], 39)
    assert outcome(person(before), judged([*exchange(), wrote(30), bounce(1)])) == (
        Action.SEND,
        Reason.FIRST,
        2,
    )


def test_a_real_mail_after_the_signal_settles_an_open_case() -> None:
    found = judged([*LIKELY, wrote(0.5)])
    assert found.verdict is Verdict.ACTIVE
    decision, alert = decide(person(told(LIKELY, 1)), CONTACT, found, None)
    assert (decision.action, decision.reason) == (Action.SEND, Reason.ANSWERED)
    assert alert is not None
    assert alert.is_all_clear
    assert alert.episode == 1


def test_a_mail_that_is_older_than_the_signal_settles_nothing() -> None:
    calm = judged([*exchange(), wrote(3)])
    assert outcome(person(told(LIKELY, 1)), calm) == (Action.HOLD, Reason.BELOW_THRESHOLD, None)


def test_a_mail_that_we_read_only_after_the_alert_settles_it_too() -> None:
    late = judged([*LIKELY, wrote(1.5)])
    assert outcome(person(told(LIKELY, 1)), late) == (Action.SEND, Reason.ANSWERED, 1)


def test_a_snoozed_case_is_settled_by_their_mail_and_one_that_a_rep_settled_is_left_alone() -> None:
    found = judged([*LIKELY, wrote(0.5)])
    snoozed = person(told(LIKELY, 1), settled=answer(Choice.SNOOZE, 1, NOW.date() + timedelta(days=9)))
    assert outcome(snoozed, found) == (Action.SEND, Reason.ANSWERED, 1)
    there = person(told(LIKELY, 1), settled=answer(Choice.STILL_THERE, 0.8))
    assert outcome(there, found) == (Action.HOLD, Reason.BELOW_THRESHOLD, None)


def test_a_new_signal_after_they_answered_opens_a_new_case() -> None:
    alert = Alert(CONTACT, judged([*LIKELY, wrote(1.5)]), 1, NOW - timedelta(days=1))
    over = person(told(LIKELY, 1.2), alert, settled=answer(Choice.ANSWERED, 1.5))
    assert outcome(over, judged([*LIKELY, wrote(1.5), bounce(0.1)])) == (Action.SEND, Reason.FIRST, 2)


def looked(found: Assessment, *earlier: Alert) -> Person:
    """Return Jane as an evaluation left her, with the decision that was made on it."""
    decision, _ = decide(person(*earlier), CONTACT, found, None)
    return replace(person(*earlier), assessment=found, decisions=(decision,))


def risen(found: Assessment, by: timedelta) -> Assessment:
    """Return an assessment of later on that is graver by the same facts: time alone made it so."""
    return replace(found, verdict=Verdict.LIKELY_LEFT, at=found.at + by)


def test_what_time_alone_brings_about_is_told_at_the_second_evaluation() -> None:
    before = judged([*exchange(), seen("meeting_drift", 3), seen("meeting_dropped", 2)])
    assert before.verdict is Verdict.SLIPPING
    who = looked(before, told([*exchange(), seen("meeting_drift", 3), seen("meeting_dropped", 2)]))
    once = risen(before, timedelta(days=1))
    assert outcome(who, once) == (Action.HOLD, Reason.UNCONFIRMED, None)
    held = replace(who, assessment=once, decisions=(*who.decisions, decide(who, CONTACT, once, None)[0]))
    assert outcome(held, risen(before, timedelta(days=1, minutes=1)))[1] is Reason.UNCONFIRMED
    again = risen(before, timedelta(days=1, minutes=5))
    assert outcome(held, again) == (Action.SEND, Reason.STRONGER, 1)


def test_a_new_fact_is_told_at_once() -> None:
    before = judged([*exchange(), seen("meeting_pushed", 3)])
    assert before.verdict is Verdict.ACTIVE
    drift = judged([*exchange(), seen("meeting_pushed", 3), seen("meeting_drift", 0.01)])
    assert outcome(looked(before), drift) == (Action.SEND, Reason.FIRST, 1)


def test_a_last_day_that_passed_is_told_at_once_though_the_farewell_is_known() -> None:
    farewell = [*exchange(), seen("farewell", 3, leaves="2026-06-15", message_id="f")]
    known = looked(judged(farewell), told(farewell, 1))
    after = judged(farewell, NOW + timedelta(days=1))
    assert after.verdict is Verdict.LEFT
    assert outcome(known, after) == (Action.SEND, Reason.STRONGER, 1)


def test_more_of_the_same_shortly_after_a_case_ended_waits_for_the_digest() -> None:
    drift = [*exchange(), seen("meeting_drift", 9)]
    settled = person(told(drift, 8), settled=answer(Choice.NOTHING_WRONG, 7))
    more = judged([*drift, seen("meeting_drift", 1, nth=2)])
    assert more.verdict is Verdict.SLIPPING
    assert outcome(settled, more) == (Action.DIGEST, Reason.COOLING_DOWN, None)
    later = replace(more, at=more.at + timedelta(days=8))
    assert outcome(settled, later) == (Action.SEND, Reason.FIRST, 2)


def test_a_departure_shortly_after_a_case_ended_is_told() -> None:
    drift = [*exchange(), seen("meeting_drift", 9)]
    settled = person(told(drift, 8), settled=answer(Choice.NOTHING_WRONG, 7))
    assert outcome(settled, judged([*drift, bounce(1)])) == (Action.SEND, Reason.FIRST, 2)


def test_what_a_notice_tells_opens_no_case_of_a_person_but_goes_on_in_one_that_is_open() -> None:
    inhibited = Reason.INHIBITED_BY_ACCOUNT_NOTICE
    found = judged(LEFT)
    first, alert = decide(person(), CONTACT, found, None, inhibited=inhibited)
    assert (first.action, first.reason, alert) == (Action.HOLD, inhibited, None)
    open_case, _ = decide(person(told(SLIPPING, 1)), CONTACT, found, None, inhibited=inhibited)
    assert (open_case.action, open_case.reason) == (Action.SEND, Reason.STRONGER)


def test_an_outage_is_the_reason_why_nothing_is_said_and_keeps_no_all_clear_back() -> None:
    down = Reason.INHIBITED_BY_SOURCE_OUTAGE
    unseen = judged([*exchange(), wrote(0.5)], circumstances=Circumstances(unseen="token expired"))
    assert unseen.verdict is Verdict.UNCHECKED
    nothing, _ = decide(person(), CONTACT, unseen, None, inhibited=down)
    assert (nothing.action, nothing.reason) == (Action.HOLD, down)
    all_clear, _ = decide(person(told(LIKELY, 1)), CONTACT, unseen, None, inhibited=down)
    assert (all_clear.action, all_clear.reason) == (Action.SEND, Reason.ANSWERED)


def test_a_notice_is_told_once_for_each_incident_whatever_else_was_told_of_the_account() -> None:
    account = Contact("@acme.example", account="Acme")

    def about(*signs: str, strength: Strength = Strength.SOME, at: datetime = NOW) -> Assessment:
        evidence = tuple(replace(judged(LIKELY).evidence[0], key=sign, means=Means.NOTED) for sign in signs)
        return replace(judged(LIKELY), verdict=Verdict.UNCHECKED, strength=strength, evidence=evidence, at=at)

    def decided(who: Person, found: Assessment) -> tuple[Decision, Alert | None]:
        return notice(who, account, found, None)

    decision, first = decided(Person(account.address), about("a", "b", "c"))
    assert decision.reason is Reason.FIRST
    assert first is not None
    who = Person(account.address, cases=(Case(account.address, 1, (Delivery(first),)),))
    assert decided(who, about("a", "b", "c", "d"))[0].reason is Reason.ALREADY_SENT
    assert decided(who, about("a", "b", "c", "d", strength=Strength.CLEAR))[0].reason is Reason.STRONGER
    decision, other = decided(who, about("x", "y", "z"))
    assert decision.reason is Reason.FIRST
    assert other is not None
    assert other.episode == 2


def waiting(held: Reason | None, *alerts: Alert, now: Assessment) -> Person:
    """Return Jane with alerts that were never told, and what is thought of her now."""
    deliveries = tuple(Delivery(alert, held=held) for alert in alerts)
    return Person(JANE, CONTACT, assessment=now, cases=(Case(JANE, 1, deliveries),))


def test_a_held_alert_is_not_told_once_the_person_wrote_and_says_why() -> None:
    alert = told(LIKELY, 1)
    calm = judged([*LIKELY, wrote(0.5)])
    found = withheld(waiting(Reason.QUIET_HOURS, alert, now=calm), alert, NOW)
    assert found is not None
    assert (found.action, found.reason, found.verdict) == (
        Action.HOLD,
        Reason.BELOW_THRESHOLD,
        Verdict.ACTIVE,
    )


def test_a_held_alert_is_not_told_while_the_person_is_on_leave() -> None:
    alert = told(SLIPPING, 1)
    away = replace(judged(SLIPPING), verdict=Verdict.ON_LEAVE)
    found = withheld(waiting(Reason.OVER_BUDGET, alert, now=away), alert, NOW)
    assert found is not None
    assert found.reason is Reason.ON_LEAVE


def test_a_held_alert_that_still_alarms_as_gravely_is_told() -> None:
    for observations, alert in ((LIKELY, told(LIKELY)), (LEFT, told(LIKELY)), (LEFT, told(LEFT))):
        held = waiting(Reason.QUIET_HOURS, alert, now=judged(observations))
        assert withheld(held, alert, NOW) is None


def test_the_end_of_a_case_and_a_notice_are_told_whatever_came_since() -> None:
    calm = judged([*LIKELY, wrote(0.5)])
    for alert in (
        Alert(CONTACT, calm, 1, NOW),
        Alert(Contact("@acme.example"), judged(LIKELY), 1, NOW),
    ):
        assert withheld(waiting(None, alert, now=calm), alert, NOW) is None


def test_what_is_less_grave_is_told_where_the_graver_was_never_told() -> None:
    slipping = judged(SLIPPING)
    fallen = waiting(Reason.BELOW_THRESHOLD, told(LIKELY, 1), now=slipping)
    assert outcome(fallen, slipping) == (Action.SEND, Reason.FIRST, 1)
    for held in (Reason.QUIET_HOURS, None):
        waits = waiting(held, told(LIKELY, 1), now=slipping)
        assert outcome(waits, slipping) == (Action.HOLD, Reason.ALREADY_SENT, None)
    same = waiting(Reason.BELOW_THRESHOLD, told(LIKELY, 1), told(SLIPPING), now=slipping)
    assert outcome(same, slipping) == (Action.HOLD, Reason.ALREADY_SENT, None)


def goodbye(days: float, last_day: date, ident: str = "bye") -> Observation:
    return seen("farewell", days, leaves=last_day.isoformat(), message_id=f"{ident}@acme.example")


def test_a_goodbye_is_told_at_once_however_lately_a_case_ended() -> None:
    before = told([*exchange(), bounce(8)], 7)
    since = [*exchange(), bounce(8), wrote(5), goodbye(0.1, (NOW + timedelta(days=11)).date())]
    assert judged(since).verdict is Verdict.SLIPPING
    assert outcome(person(before), judged(since)) == (Action.SEND, Reason.FIRST, 2)


def test_a_goodbye_that_was_told_is_not_told_again_with_every_mail_until_the_last_day() -> None:
    said = [*exchange(), goodbye(5, (NOW + timedelta(days=11)).date())]
    writes_on = judged([*said, wrote(1)])
    assert writes_on.verdict is Verdict.SLIPPING
    assert outcome(person(told(said, 4)), writes_on) == (Action.DIGEST, Reason.COOLING_DOWN, None)


def test_a_last_day_that_moves_is_told_as_news() -> None:
    said = [*exchange(), goodbye(5, (NOW + timedelta(days=11)).date())]
    moved = judged([*said, goodbye(0.1, (NOW + timedelta(days=40)).date(), "later")])
    assert outcome(person(told(said, 4)), moved) == (Action.SEND, Reason.FIRST, 2)


def test_nothing_cools_down_after_a_case_that_nobody_heard_of() -> None:
    drift = [meeting(18, 10), meeting(12, 2), meeting(6, -10)]
    found = judged([*exchange(), bounce(16), wrote(15), *drift])
    assert found.verdict is Verdict.SLIPPING
    before = told([*exchange(), bounce(16)], 15.5)
    heard = person(before)
    case = heard.cases[0]
    fallen = Delivery(before, held=Reason.BELOW_THRESHOLD)
    untold = replace(heard, cases=(replace(case, deliveries=(fallen,)),))
    soon = replace(found, last_contact=NOW - timedelta(days=2))
    assert outcome(heard, soon) == (Action.DIGEST, Reason.COOLING_DOWN, None)
    assert outcome(untold, soon) == (Action.SEND, Reason.FIRST, 2)

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.assessment import CAPS, LEAST_PRIOR, MOST_PRIOR, Circumstances, by_family
from bot.incidents import Incident
from bot.model import Assessment, Family, Json, Observation, Strength, Verdict
from tests.observations import (
    JANE,
    NOW,
    RULES,
    bounce,
    days_ago,
    exchange,
    judged,
    meeting,
    seen,
    written_to,
    wrote,
)


def weight_of(assessment: Assessment, kind: str) -> float:
    return sum(item.weight for item in assessment.evidence if item.kind == kind)


def note_of(assessment: Assessment, kind: str) -> str:
    return next(item.note for item in assessment.evidence if item.kind == kind)


def test_somebody_who_wrote_last_week_is_active() -> None:
    assert judged([*exchange(), wrote(7)]).verdict is Verdict.ACTIVE


def test_somebody_of_whom_nothing_is_known_is_unchecked_and_never_active() -> None:
    found = judged([])
    assert found.verdict is Verdict.UNCHECKED
    assert found.headline


def test_somebody_we_only_wrote_to_is_unchecked() -> None:
    assert judged([written_to(3), written_to(20)]).verdict is Verdict.UNCHECKED


def test_their_own_reply_that_they_left_says_left() -> None:
    found = judged([*exchange(), seen("departed", 1, message_id="auto@acme.example")])
    assert found.verdict is Verdict.LEFT
    assert found.strength is Strength.STRONG


def test_one_verified_bounce_of_an_address_that_worked_is_likely_left() -> None:
    found = judged(
        [*exchange(), written_to(1, ident="m@vendor.example"), bounce(1, original="m@vendor.example")]
    )
    assert found.verdict is Verdict.LIKELY_LEFT
    assert found.other_explanations


def test_a_bounce_counts_in_full_and_is_never_drowned_in_a_scale_of_hundred() -> None:
    found = judged([*exchange(), bounce(1)])
    assert found.verdict is Verdict.LIKELY_LEFT
    assert found.probability > 0.7


def test_three_copies_of_one_bounce_are_one_voice() -> None:
    once = judged([*exchange(), bounce(1)])
    thrice = judged([*exchange(), *(bounce(1 + i / 100) for i in range(3))])
    assert thrice.verdict is once.verdict
    assert thrice.probability == pytest.approx(once.probability, abs=0.02)


def test_a_bounce_after_meeting_drift_says_left() -> None:
    drift = [meeting(18, 10), meeting(12, 2), meeting(6, -10)]
    found = judged([*exchange(), *drift, bounce(1)])
    assert found.verdict is Verdict.LEFT


def test_a_mail_by_the_person_after_the_signal_cancels_it_visibly() -> None:
    found = judged([*exchange(), bounce(10), seen("departed", 9, message_id="x"), wrote(2)])
    assert found.verdict is Verdict.ACTIVE
    assert "contradicted" in note_of(found, "departed")
    assert weight_of(found, "mailbox_gone") == 0


def test_an_automatic_reply_without_its_header_is_no_proof_of_life() -> None:
    reply = wrote(1)
    departed = seen("departed", 1, message_id=str(reply.facts["message_id"]))
    assert judged([*exchange(), reply, departed]).verdict is Verdict.LEFT


def test_a_leave_reply_after_a_bounce_shows_that_the_mailbox_works() -> None:
    found = judged([*exchange(), bounce(10), seen("on_leave", 2, returns="2026-06-20", message_id="l")])
    assert found.verdict is Verdict.ON_LEAVE
    assert found.returns is not None


def test_a_signal_fades() -> None:
    fresh = judged([*exchange(), bounce(1)])
    old = judged([*(replace_days(item, 400) for item in exchange()), bounce(360)])
    assert weight_of(old, "mailbox_gone") < weight_of(fresh, "mailbox_gone") / 4


def replace_days(item: Observation, days: float) -> Observation:
    return Observation(
        item.contact, item.kind, item.at - timedelta(days=days), item.source, item.sentence, facts=item.facts
    )


@pytest.mark.parametrize("kind", ["full", "blocked", "transient", "other", "feedback"])
def test_a_mail_that_was_refused_for_another_reason_says_nothing_about_leaving(kind: str) -> None:
    found = judged([*exchange(), wrote(5), *(seen(kind, day, ours=True) for day in (1, 2, 3))])
    assert found.verdict is Verdict.ACTIVE
    assert weight_of(found, kind) == 0


def test_a_changed_address_is_no_departure() -> None:
    found = judged([*exchange(), wrote(5), seen("address_change", 1, new_address="jane.roe@acme.example")])
    assert found.verdict is Verdict.ACTIVE


def test_a_bounce_for_a_mail_that_was_not_ours_never_alarms() -> None:
    found = judged([*exchange(), wrote(3), bounce(1, original="spam@evil.example", ours=False)])
    assert found.verdict is Verdict.ACTIVE
    assert note_of(found, "mailbox_gone") == "it answers a mail that was not ours"


def test_a_bounce_of_somebody_we_never_wrote_to_says_so() -> None:
    assert note_of(judged([bounce(1)]), "mailbox_gone") == "we never wrote to them, by the mail that was read"


def test_a_first_mail_that_bounces_is_a_typo() -> None:
    first = written_to(1, ident="first@vendor.example")
    found = judged([first, bounce(0.9, original="first@vendor.example")])
    assert found.verdict is Verdict.UNCHECKED
    assert "typo" in note_of(found, "mailbox_gone")


def test_a_bounce_that_quotes_a_mail_to_somebody_else_does_not_count() -> None:
    to_tom = seen("mailbox_gone", 1, ours=True, original_to=["tom@acme.example"])
    assert note_of(judged([*exchange(), to_tom]), "mailbox_gone") == "the mail it answers was not to them"


def test_an_original_counts_where_the_mailbox_shows_no_sent_mail() -> None:
    only_theirs = [wrote(days) for days in range(21, 180, 14)]
    assert judged([*only_theirs, bounce(1, original="m@vendor.example")]).verdict is Verdict.LIKELY_LEFT


def test_a_refusal_where_their_mail_is_forwarded_to_is_no_departure() -> None:
    forwarded = seen("mailbox_gone", 1, ours=True, final_recipient="jdoe@freemail.example.net")
    assert "forwarded" in note_of(judged([*exchange(), forwarded]), "mailbox_gone")


def test_the_same_organisation_under_another_domain_is_no_forwarding() -> None:
    tenant = seen("mailbox_gone", 1, ours=True, final_recipient="jane@acme.onmicrosoft.com")
    assert judged([*exchange(), tenant]).verdict is Verdict.LIKELY_LEFT


def test_a_mail_server_whose_clock_is_ahead_by_minutes_delays_nothing() -> None:
    assert judged([*exchange(), seen("departed", -0.002, message_id="d")]).verdict is Verdict.LEFT


def test_a_leave_until_the_end_of_time_is_a_leave() -> None:
    assert judged([*exchange(), seen("on_leave", 1, returns="9999-12-31")]).verdict is Verdict.ON_LEAVE


def test_a_forged_leave_reply_with_the_id_of_a_real_mail_takes_no_life_away() -> None:
    real = wrote(5)
    forged = seen("on_leave", 1, returns="2026-06-01", message_id=real.facts["message_id"])
    found = judged([*exchange(), seen("departed", 9, message_id="d"), real, forged])
    assert weight_of(found, "departed") == 0


def test_a_mail_whose_sender_our_server_found_forged_says_nothing() -> None:
    departed = seen("departed", 1, message_id="d", forged=True)
    found = judged([*exchange(), departed])
    assert found.verdict is Verdict.ACTIVE
    assert "forged" in note_of(found, "departed")
    life = seen("wrote", 0.5, message_id="w", forged=True)
    assert judged([*exchange(), bounce(2), life]).verdict is Verdict.LIKELY_LEFT


def test_a_bounce_that_shows_no_original_does_not_count() -> None:
    found = judged([*exchange(), wrote(2), bounce(1, ours=None)])
    assert found.verdict is Verdict.ACTIVE
    assert "which mail" in note_of(found, "mailbox_gone")


def test_a_mail_of_ours_that_did_not_bounce_shows_that_the_address_worked() -> None:
    found = judged([written_to(30), written_to(1, ident="m"), bounce(1, original="m")])
    assert found.verdict is Verdict.LIKELY_LEFT


def test_one_push_is_normal_life() -> None:
    assert judged([*exchange(), meeting(20, 6), meeting(8, -8)]).verdict is Verdict.ACTIVE


def test_two_pushes_by_them_are_slipping() -> None:
    found = judged([*exchange(), meeting(35, 20), meeting(22, 6), meeting(8, -8)])
    assert found.verdict is Verdict.SLIPPING
    assert "2 pushes" in found.headline


def test_pushes_by_us_weigh_nothing() -> None:
    ours = "rita@vendor.example"
    moves = [meeting(35, 20), meeting(22, 6, by=ours), meeting(8, -8, by=ours)]
    assert judged([*exchange(), wrote(4), *moves]).verdict is Verdict.ACTIVE


def test_a_bare_update_counts_only_once_two_days_passed_without_a_word() -> None:
    moves = [meeting(15, -5), meeting(1, -70, words=False)]
    at_once = judged([*exchange(), *moves])
    later = judged([*exchange(), *moves], NOW + timedelta(days=2))
    assert weight_of(at_once, "meeting_bare_update") == 0
    assert weight_of(later, "meeting_bare_update") > 0


def test_silence_alone_is_quiet_and_never_more() -> None:
    weekly = [wrote(days) for days in range(120, 500, 7)]
    found = judged(weekly)
    assert found.verdict is Verdict.QUIET
    assert "silent" in found.headline
    assert found.probability < 0.5


def test_an_absence_with_a_date_is_a_leave_and_ends_after_it() -> None:
    away = seen("on_leave", 5, returns="2026-06-20", message_id="l")
    assert judged([*exchange(), away]).verdict is Verdict.ON_LEAVE
    assert judged([*exchange(), away], NOW + timedelta(days=30)).verdict is not Verdict.ON_LEAVE


def test_no_weak_signal_alone_says_left() -> None:
    weak = [name for name, kind in RULES.kinds.items() if not (kind.explicit or kind.hard)]
    for name in weak:
        assert judged([*exchange(), wrote(20), seen(name, 1, message_id="z")]).verdict not in {
            Verdict.LEFT,
            Verdict.LIKELY_LEFT,
        }, name


def test_a_farewell_is_slipping_until_its_last_day_and_left_after_it() -> None:
    farewell = seen("farewell", 3, leaves="2026-06-19", message_id="bye")
    before = judged([*exchange(), farewell])
    after = judged([*exchange(), farewell], NOW + timedelta(days=5))
    assert before.verdict is Verdict.SLIPPING
    assert before.probability < 0.5
    assert after.verdict is Verdict.LEFT
    assert after.probability > 0.95


def test_a_farewell_is_the_headline_and_the_last_contact_before_any_silence() -> None:
    found = judged([*(wrote(days) for days in range(60, 300, 7)), seen("farewell", 3, message_id="bye")])
    assert found.headline == "farewell 3 days ago"
    assert found.last_contact == days_ago(3)
    assert not any("silent" in item.sentence for item in found.evidence)


def test_a_meeting_of_somebody_else_at_the_account_is_no_evidence() -> None:
    found = judged([*exchange(), wrote(3), meeting(2, -9, by="frank@acme.example")])
    assert all(item.kind != "meeting" for item in found.evidence)


def test_whoever_says_goodbye_and_writes_until_the_last_day_leaves_all_the_same() -> None:
    goodbye = seen("farewell", 6, leaves=(NOW - timedelta(days=3)).date().isoformat(), message_id="bye")
    history = [*exchange(), goodbye, wrote(4)]
    assert judged(history, NOW - timedelta(days=4)).verdict is Verdict.SLIPPING
    assert judged(history).verdict is Verdict.LEFT
    assert judged([*history, wrote(1)]).verdict is Verdict.ACTIVE


def test_a_reps_word_takes_a_goodbye_back_before_the_last_day_that_it_names() -> None:
    goodbye = seen("farewell", 3, leaves=(NOW + timedelta(days=9)).date().isoformat(), message_id="bye")
    assert judged([*exchange(), goodbye, wrote(1)]).verdict is Verdict.SLIPPING
    assert judged([*exchange(), goodbye, seen("answer_nothing_wrong", 1)]).verdict is Verdict.ACTIVE


def test_a_goodbye_without_a_date_and_a_bounce_after_it_are_left() -> None:
    goodbye = seen("farewell", 9, leaves="", message_id="bye")
    assert judged([*exchange(), goodbye, bounce(1)]).verdict is Verdict.LEFT
    assert judged([*exchange(), bounce(1)]).verdict is Verdict.LIKELY_LEFT
    assert judged([*exchange(), goodbye, bounce(3), wrote(1)]).verdict is Verdict.ACTIVE


def test_a_farewell_without_a_date_is_slipping() -> None:
    assert judged([*exchange(), seen("farewell", 3, leaves="", message_id="bye")]).verdict is Verdict.SLIPPING


def test_an_auto_reply_that_announces_a_last_day_is_left_only_after_it() -> None:
    reply = seen("departed", 3, leaves="2026-06-30", message_id="bye")
    assert judged([*exchange(), reply]).verdict is Verdict.SLIPPING
    assert judged([*exchange(), reply], NOW + timedelta(days=16)).verdict is Verdict.LEFT


def test_whom_we_cannot_see_is_unchecked_and_says_why() -> None:
    hidden = Circumstances(unseen="mailbox:rita@vendor.example cannot be read: token expired")
    found = judged([*exchange(), wrote(1)], circumstances=hidden)
    assert found.verdict is Verdict.UNCHECKED
    assert "token expired" in found.headline


def test_an_outage_hides_no_departure_that_is_known() -> None:
    found = judged(
        [*exchange(), seen("departed", 1, message_id="d")], circumstances=Circumstances(unseen="down")
    )
    assert found.verdict is Verdict.LEFT


def test_a_reps_word_settles_either_way() -> None:
    said_left = seen("answer_left", 1)
    assert judged([*exchange(), said_left]).verdict is Verdict.LEFT
    assert judged([*exchange(), bounce(5), seen("answer_there", 1)]).verdict is not Verdict.LIKELY_LEFT


def test_a_reps_word_is_no_contact_with_the_person() -> None:
    assert judged([seen("answer_there", 1)]).last_contact is None


def test_what_is_not_yet_known_does_not_count() -> None:
    assert judged([*exchange(), wrote(10), seen("departed", -1, message_id="d")]).verdict is Verdict.ACTIVE


def test_the_prior_grows_with_the_time_since_the_last_proof_of_life_and_is_bounded() -> None:
    fresh, month, years = (judged([wrote(days)]).probability for days in (0.1, 60, 2000))
    assert fresh == pytest.approx(LEAST_PRIOR, abs=1e-3)
    assert fresh < month < years
    assert years == pytest.approx(MOST_PRIOR, abs=1e-3)


def test_what_they_pushed_away_shortly_before_and_during_a_leave_counts_little() -> None:
    push = seen("meeting_dropped", 11)
    away = seen("on_leave", 10, returns="2026-06-12", message_id="l")
    assert weight_of(judged([*exchange(), push, away]), "meeting_dropped") < (
        weight_of(judged([*exchange(), push]), "meeting_dropped") / 3
    )
    assert note_of(judged([*exchange(), push, away]), "meeting_dropped") == "they were on leave then"


def test_nobody_is_slow_to_answer_while_what_they_wrote_cannot_be_read() -> None:
    found = judged([*exchange(), seen("unanswered", 2)], circumstances=Circumstances(partly="token expired"))
    assert weight_of(found, "unanswered") == 0
    assert note_of(found, "unanswered") == "token expired"


def test_an_unanswered_mail_in_the_holidays_counts_little() -> None:
    paused = Circumstances(paused=[(days_ago(4).date(), days_ago(1).date())])
    found = judged([*exchange(), seen("unanswered", 2)], circumstances=paused)
    assert (
        0
        < weight_of(found, "unanswered")
        < weight_of(judged([*exchange(), seen("unanswered", 2)]), "unanswered")
    )
    assert note_of(found, "unanswered") == "no answer was to be expected then"


def test_a_page_and_a_silence_together_never_say_left() -> None:
    found = judged([*(wrote(days) for days in range(200, 600, 7)), seen("page_gone", 2)])
    assert found.verdict is Verdict.LIKELY_LEFT
    assert "the page may have been made anew, or may name fewer people now" in found.other_explanations


def test_two_hard_signs_of_different_sorts_from_different_sources_say_left() -> None:
    page = seen("page_gone", 2)
    elsewhere = Observation(JANE, page.kind, page.at, "public_pages:www.acme.example", page.sentence)
    assert judged([*exchange(), bounce(1), elsewhere]).verdict is Verdict.LEFT


def test_a_family_adds_its_strongest_fact_in_full_the_others_damped_and_never_more_than_its_cap() -> None:
    departed, farewell = seen("departed", 1, message_id="d"), seen("farewell", 1, message_id="f")
    two = by_family(judged([*exchange(), departed, farewell]).evidence)
    three = by_family(judged([*exchange(), departed, farewell, bounce(1)]).evidence)
    assert two[Family.MAIL] == pytest.approx(9 + 4 / 2, abs=0.1)
    assert three[Family.MAIL] == CAPS[Family.MAIL]


OBSERVATIONS = st.lists(
    st.builds(
        seen,
        st.sampled_from([*sorted(RULES.kinds), "unheard_of"]),
        st.floats(-10, 800),
        ours=st.sampled_from([True, False, None, "yes", 3]),
        returns=st.sampled_from(["", "2026-06-20", "no date", None, 7]),
        leaves=st.sampled_from(["", "2026-06-20", "9999-99-99", None]),
        message_id=st.sampled_from(["", "a", "b"]),
        original_message_id=st.sampled_from(["", "a", "b"]),
        successors=st.sampled_from([None, [], "x", [{"name": 1}], [3]]),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(OBSERVATIONS, st.randoms())
def test_the_order_in_which_things_were_read_makes_no_difference(
    observations: list[Observation], shuffle: random.Random
) -> None:
    shuffled = observations[:]
    shuffle.shuffle(shuffled)
    assert judged(shuffled) == judged(observations)


@settings(max_examples=60, deadline=None)
@given(OBSERVATIONS)
def test_any_history_gives_a_verdict_with_a_probability_and_its_reasons(
    observations: list[Observation],
) -> None:
    found = judged(observations)
    assert 0 <= found.probability <= 1
    if found.verdict in {Verdict.LEFT, Verdict.LIKELY_LEFT, Verdict.SLIPPING}:
        assert any(item.weight > 0 for item in found.evidence)
        assert found.headline


@settings(max_examples=60, deadline=None)
@given(OBSERVATIONS)
def test_reading_everything_twice_changes_no_verdict(observations: list[Observation]) -> None:
    twice = {item.key: item for item in [*observations, *observations]}
    assert judged(list(twice.values())) == judged(list({item.key: item for item in observations}.values()))


def test_slipping_stays_until_its_signs_are_clearly_weaker_than_what_made_it_rise() -> None:
    pushes = [*exchange(), meeting(20, 6), meeting(12, -8), meeting(5, -22)]
    verdicts = [
        (judged(pushes, NOW + timedelta(days=day)).verdict, stays(pushes, day).verdict) for day in range(60)
    ]
    rises = [fresh is Verdict.SLIPPING for fresh, _ in verdicts]
    keeps = [standing is Verdict.SLIPPING for _, standing in verdicts]
    assert rises[0]
    assert not keeps[-1]
    assert sum(keeps) - sum(rises) >= 7
    assert keeps == sorted(keeps, reverse=True)


def stays(pushes: list[Observation], day: int) -> Assessment:
    return judged(pushes, NOW + timedelta(days=day), stands=Verdict.SLIPPING)


def test_a_verdict_that_stands_makes_nobody_graver_and_a_calm_one_changes_nothing() -> None:
    one_push = [*exchange(), meeting(20, 6), meeting(8, -8)]
    for stands in Verdict:
        assert judged(one_push, stands=stands).verdict is not Verdict.SLIPPING
        assert judged([*exchange(), bounce(1)], stands=stands).verdict is Verdict.LIKELY_LEFT
        assert judged([*exchange(), bounce(30), wrote(1)], stands=stands).verdict is Verdict.ACTIVE


def test_a_drift_of_somebody_who_pushed_another_meeting_long_before_and_stayed_counts_less() -> None:
    drift = [*exchange(), meeting(20, 6), meeting(12, -8), meeting(5, -22)]
    earlier = [
        replace(item, facts={**item.facts, "uid": "other@acme.example"}, group="other@acme.example")
        for item in (meeting(130, 118), meeting(122, 104))
    ]
    assert judged(drift).verdict is Verdict.SLIPPING
    found = judged([*earlier, *drift])
    assert found.verdict is Verdict.ACTIVE
    assert "pushed another meeting" in note_of(found, "meeting_drift")


def test_nobody_is_active_half_a_year_after_they_were_last_heard_of_whatever_explains_the_silence() -> None:
    past = [*(wrote(days) for days in range(181, 500, 7)), written_to(3)]
    explained = Circumstances(paused=[(days_ago(181).date(), NOW.date())])
    found = judged(past, circumstances=explained)
    assert found.verdict is Verdict.QUIET
    assert found.headline == f"last heard of on {days_ago(181):%-d %B %Y}"
    assert judged([*past, wrote(179)], circumstances=explained).verdict is Verdict.ACTIVE


def test_half_a_year_without_a_word_is_unchecked_where_some_of_what_they_wrote_cannot_be_read() -> None:
    explained = Circumstances(partly="token expired", paused=[(days_ago(181).date(), NOW.date())])
    found = judged([wrote(days) for days in range(181, 500, 7)], circumstances=explained)
    assert found.verdict is Verdict.UNCHECKED
    assert found.headline == "token expired"


def test_whoever_was_not_heard_of_since_their_mail_came_back_is_never_active() -> None:
    signs = tuple(bounce(days) for days in (101, 100.5, 100))
    trouble = Incident("acme.example", signs, ended=days_ago(95))
    explained = Circumstances(incidents=[trouble], paused=[(days_ago(110).date(), NOW.date())])
    history = [*(wrote(days) for days in range(110, 300, 7)), *signs]
    found = judged(history, circumstances=explained)
    assert found.verdict is Verdict.UNCHECKED
    back = f"{days_ago(100):%-d %B %Y}"
    assert found.headline == f"mail to them came back on {back}, and nothing was heard of them since"
    assert judged([*history, wrote(90)], circumstances=explained).verdict is Verdict.ACTIVE


def test_a_bounce_that_faded_leaves_nobody_active_who_was_not_heard_of_since() -> None:
    paused = Circumstances(paused=[(days_ago(176).date(), NOW.date())])
    found = judged([*(wrote(days) for days in range(177, 400, 7)), bounce(175)], circumstances=paused)
    assert found.verdict is Verdict.UNCHECKED
    never_ours = bounce(175, ours=False)
    found = judged([*(wrote(days) for days in range(177, 400, 7)), never_ours], circumstances=paused)
    assert found.verdict is Verdict.ACTIVE


def test_the_newest_word_of_the_last_day_takes_the_older_ones_back() -> None:
    first = farewell_with(10, days_ago(2))
    assert judged([*exchange(), first]).verdict is Verdict.LEFT
    later = farewell_with(5, days_ago(-30))
    found = judged([*exchange(), first, later])
    assert found.verdict is Verdict.SLIPPING
    assert f"on {days_ago(5):%-d %B %Y} they named another last day" in {item.note for item in found.evidence}
    earlier = farewell_with(5, days_ago(1))
    assert judged([*exchange(), farewell_with(10, days_ago(-30)), earlier]).verdict is Verdict.LEFT


def test_another_last_day_that_is_named_once_the_first_is_over_or_that_is_forged_takes_nothing_back() -> None:
    first = farewell_with(10, days_ago(6))
    assert judged([*exchange(), first, farewell_with(2, days_ago(-30))]).verdict is Verdict.LEFT
    forged = farewell_with(8, days_ago(-30), forged=True)
    assert judged([*exchange(), first, forged]).verdict is Verdict.LEFT


def test_a_last_day_that_was_moved_and_moved_back_is_the_one_that_holds() -> None:
    days = [(12, days_ago(2)), (9, days_ago(-30)), (5, days_ago(2))]
    assert judged([*exchange(), *(farewell_with(*one) for one in days)]).verdict is Verdict.LEFT


def farewell_with(days: float, last_day: datetime, **facts: Json) -> Observation:
    """Return a goodbye of so many days ago that names a last day."""
    ident = f"bye-{days:g}@acme.example"
    return seen("farewell", days, JANE, leaves=last_day.date().isoformat(), message_id=ident, **facts)

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot import incidents
from bot.incidents import Sort
from bot.model import Observation, Person, Strength, Verdict
from tests.observations import NOW, RULES, bounce, exchange, seen, wrote


def person(name: str, *observations: Observation) -> Person:
    address = f"{name}@acme.example"
    return Person(address, observations=(*exchange(address), *observations))


def gone(name: str, days: float, *, ours: bool = True) -> Person:
    address = f"{name}@acme.example"
    return person(name, bounce(days, address, ours=ours))


def replied(name: str, days: float, **facts: bool) -> Person:
    address = f"{name}@acme.example"
    return person(name, seen("departed", days, address, message_id=f"d-{name}", **facts))


def found(*people: Person) -> list[incidents.Incident]:
    return incidents.of("acme.example", people, NOW, RULES.kinds)


def test_three_addresses_that_bounce_within_days_are_an_incident() -> None:
    (incident,) = found(gone("a", 5), gone("b", 4), gone("c", 2), person("d", wrote(1)))
    assert incident.addresses == ("a@acme.example", "b@acme.example", "c@acme.example")
    assert "3 addresses at acme.example bounced" in incident.sentence


def test_two_addresses_that_bounce_are_two_departures() -> None:
    assert found(gone("a", 5), gone("b", 4), person("c", wrote(1))) == []


def test_departures_spread_over_months_are_no_incident() -> None:
    assert found(gone("a", 95), gone("b", 50), gone("c", 2)) == []


def test_one_address_that_bounces_often_is_no_incident() -> None:
    bounces = (bounce(days, "a@acme.example") for days in (1, 2, 3, 4))
    assert found(person("a", *bounces)) == []


def test_forged_bounces_make_no_incident() -> None:
    assert found(*(gone(name, 2, ours=False) for name in "abcdef")) == []


def test_a_bounce_weeks_after_an_incident_belongs_to_it_until_the_domain_is_heard_of_again() -> None:
    early = [gone(name, 40) for name in "abc"]
    silent = Person("d@acme.example", observations=(*early_exchange("d"), bounce(2, "d@acme.example")))
    quiet = [
        replace(one, observations=(*early_exchange(one.address[0]), one.observations[-1])) for one in early
    ]
    (incident,) = found(*quiet, silent)
    assert "d@acme.example" in incident.addresses
    assert incident.explains(silent.observations[-1], RULES.kinds["mailbox_gone"])
    (before,) = found(*quiet, silent, person("e", wrote(20, "e@acme.example")))
    assert "d@acme.example" not in before.addresses


def early_exchange(name: str) -> list[Observation]:
    """Return mail both ways that ended long before."""
    return [seen for seen in exchange(f"{name}@acme.example") if seen.at < NOW - timedelta(days=45)]


def test_a_notice_names_the_account_and_counts_no_departure() -> None:
    (incident,) = found(*(gone(name, 2) for name in "abc"))
    contact, assessment = incidents.notice(incident, "Acme", "rita@vendor.example", NOW)
    assert contact.address == "@acme.example"
    assert assessment.verdict is Verdict.UNCHECKED
    assert assessment.probability == 0
    assert len(assessment.evidence) == 3
    assert assessment.other_explanations


def test_a_larger_incident_is_a_stronger_notice() -> None:
    sizes = [incidents.size(count) for count in (3, 9, 10, 29, 30)]
    assert sizes == [Strength.SOME, Strength.SOME, Strength.CLEAR, Strength.CLEAR, Strength.STRONG]


def test_three_people_whose_own_replies_say_that_they_left_are_an_incident_that_takes_no_weight_away() -> (
    None
):
    (incident,) = found(replied("a", 5), replied("b", 4), replied("c", 2))
    assert incident.sort is Sort.DEPARTURES
    assert "3 people at acme.example left" in incident.sentence
    assert not incident.explains(incident.signs[0], RULES.kinds["departed"])
    assert not incident.hides(NOW)


def test_forged_replies_make_no_incident() -> None:
    assert found(*(replied(name, 2, forged=True) for name in "abc")) == []


def test_three_people_who_vanish_from_a_page_or_change_on_it_are_an_incident_that_explains_it() -> None:
    kinds = ("page_gone", "page_gone", "page_title_changed")
    gone_from_page = [
        person(name, seen(kind, 2, f"{name}@acme.example")) for name, kind in zip("abc", kinds, strict=True)
    ]
    (incident,) = found(*gone_from_page, person("d", wrote(1)))
    assert incident.sort is Sort.PAGES
    assert all(incident.explains(sign, RULES.kinds[sign.kind]) for sign in incident.signs)
    assert not incident.hides(NOW)
    assert found(*gone_from_page[:2]) == []


def test_three_people_whom_a_page_still_lists_are_no_incident() -> None:
    listed = [person(name, seen("page_present", 2, f"{name}@acme.example")) for name in "abc"]
    assert found(*listed) == []


def test_bounces_departures_and_pages_are_not_added_up() -> None:
    mixed = [gone("a", 2), replied("b", 2), person("c", seen("page_gone", 2, "c@acme.example"))]
    assert found(*mixed) == []


def test_the_people_of_another_domain_are_not_counted() -> None:
    other = "c@acme.test"
    strangers = Person(other, observations=(*exchange(other), bounce(2, other)))
    assert found(gone("a", 2), gone("b", 2), strangers) == []


def test_a_notice_says_in_words_what_else_it_may_be() -> None:
    (incident,) = found(*(replied(name, 2) for name in "abc"))
    _, assessment = incidents.notice(incident, "Acme", "rita@vendor.example", NOW)
    assert assessment.headline.endswith(": a reorganisation or an acquisition?")


def elsewhere(name: str, days: float, domain: str, **facts: bool) -> Observation:
    return seen("wrote_elsewhere", days, f"{name}@acme.example", domain=domain, **facts)


def test_one_bounce_is_no_departure_where_a_colleague_writes_from_a_domain_of_the_same_name() -> None:
    jane = gone("jane", 5)
    (incident,) = found(jane, person("tom", elsewhere("tom", 1, "acme-group.example")))
    assert incident.sort is Sort.MOVED
    assert incident.addresses == ("jane@acme.example",)
    assert incident.explains(jane.observations[-1], RULES.kinds["mailbox_gone"])
    assert incident.hides(NOW)
    assert "write from acme-group.example now" in incident.sentence


def test_two_people_who_write_from_another_domain_have_moved_with_it_and_one_may_have_a_new_job() -> None:
    jane = gone("jane", 5)
    tom, ann = (person(name, elsewhere(name, 1, "newco.example")) for name in ("tom", "ann"))
    assert found(jane, tom) == []
    (incident,) = found(jane, tom, ann)
    assert incident.sort is Sort.MOVED
    assert found(tom, ann) == []


def test_a_forged_mail_from_another_domain_moves_nobody() -> None:
    assert found(gone("jane", 5), person("tom", elsewhere("tom", 1, "acme-group.example", forged=True))) == []


def test_what_bounced_long_before_a_domain_moved_stays_a_departure() -> None:
    jane = gone("jane", 100)
    moved = person("tom", elsewhere("tom", 1, "acme-group.example"))
    assert found(jane, moved) == []


def test_a_report_that_the_domain_takes_no_mail_explains_another_bounce_there() -> None:
    domain = seen("domain_gone", 3, "tom@acme.example", ours=True)
    jane, tom = gone("jane", 2), person("tom", domain)
    (incident,) = found(jane, tom)
    assert incident.explains(jane.observations[-1], RULES.kinds["mailbox_gone"])
    assert found(tom) == []
    assert found(jane) == []


def test_the_bounces_of_colleagues_whom_nobody_watches_count() -> None:
    watched, unwatched = gone("jane", 2), [gone(name, 2) for name in ("tom", "ann")]
    (incident,) = found(watched, *unwatched)
    assert len(incident.addresses) == 3

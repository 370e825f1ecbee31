from __future__ import annotations

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

from __future__ import annotations

from bot import incidents
from bot.model import Observation, Person, Strength, Verdict
from tests.observations import NOW, bounce, exchange, wrote


def person(name: str, *observations: Observation) -> Person:
    address = f"{name}@acme.example"
    return Person(address, observations=(*exchange(address), *observations))


def gone(name: str, days: float, *, ours: bool = True) -> Person:
    address = f"{name}@acme.example"
    return person(name, bounce(days, address, ours=ours))


def found(*people: Person) -> list[incidents.Incident]:
    return incidents.of("acme.example", people, NOW)


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

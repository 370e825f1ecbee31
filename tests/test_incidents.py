from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot import incidents
from bot.account import Account
from bot.incidents import Sort
from bot.model import Observation, Person, Strength, Verdict
from tests.observations import NOW, RULES, bounce, exchange, seen, written_to, wrote


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


GONE = RULES.kinds["mailbox_gone"]


def old(name: str, *observations: Observation) -> Person:
    """Return somebody last heard of long before, and what happened to them since."""
    return Person(f"{name}@acme.example", observations=(*early_exchange(name), *observations))


def old_gone(name: str, days: float, *, heard: Sequence[float] = ()) -> Person:
    """Return somebody whose mail bounced so many days ago, and when they were heard of after all."""
    address = f"{name}@acme.example"
    return old(name, bounce(days, address), *(wrote(day, address) for day in heard))


def explained(people: Sequence[Person], who: Person) -> bool:
    """Say whether an incident takes the weight from somebody's bounce."""
    sign = next(one for one in who.observations if one.kind == "mailbox_gone")
    return any(incident.explains(sign, GONE) for incident in found(*people))


def test_an_outage_ends_once_anybody_is_heard_of_and_what_bounces_after_that_is_a_persons_own() -> None:
    back = [old_gone(name, 20 - number / 100, heard=[19.5]) for number, name in enumerate("abc")]
    for days in (19.2, 18, 16, 2):
        left = old_gone("d", days)
        (incident,) = found(*back, left)
        assert "d@acme.example" not in incident.addresses
        assert not explained([*back, left], left)


def test_an_outage_that_is_over_hides_nobody() -> None:
    people = [old_gone(name, 3) for name in "abc"]
    assert [one.hides(NOW) for one in found(*people)] == [True]
    assert [one.hides(NOW) for one in found(*people, old("d", wrote(2.5, "d@acme.example")))] == [False]


def test_what_bounced_before_an_outage_with_life_in_between_is_a_persons_own() -> None:
    left = old_gone("d", 23)
    people = [left, old("e", wrote(21.5, "e@acme.example")), *(old_gone(name, 20) for name in "abc")]
    (incident,) = found(*people)
    assert incident.addresses == ("a@acme.example", "b@acme.example", "c@acme.example")
    assert not explained(people, left)


def test_whoever_was_heard_of_again_makes_no_incident_of_the_next_bounce() -> None:
    left = old_gone("d", 19.5)
    back = [old_gone(name, 20, heard=[19.8]) for name in "ab"]
    assert found(*back, left) == []


def test_bounces_of_one_day_are_an_incident_though_colleagues_write_meanwhile() -> None:
    refused = [old_gone(name, 20 - number / 3) for number, name in enumerate("abc")]
    (incident,) = found(*refused, old("d", wrote(19.9, "d@acme.example"), wrote(19.5, "d@acme.example")))
    assert len(incident.addresses) == 3
    assert found(*refused[:2], old_gone("c", 17), old("d", wrote(19.9, "d@acme.example"))) == []


def test_a_forged_mail_ends_no_outage() -> None:
    people = [old_gone(name, 3) for name in "abc"]
    (incident,) = found(*people, old("d", seen("wrote", 2, "d@acme.example", forged=True)))
    assert incident.hides(NOW)


def test_an_outage_hides_its_people_however_long_nobody_there_is_heard_of() -> None:
    addresses = [f"{name}@acme.example" for name in "abc"]
    people = [
        Person(one, observations=(written_to(110, one), written_to(106, one), bounce(100, one)))
        for one in addresses
    ]
    (incident,) = found(*people)
    assert incident.hides(NOW)


def test_a_migration_spread_over_weeks_is_an_incident_while_nobody_is_heard_of() -> None:
    for apart in (5, 7, 14):
        people = [old_gone(name, 40 - number * apart) for number, name in enumerate("abc")]
        (incident,) = found(*people)
        assert len(incident.addresses) == 3
        assert incident.hides(NOW)
    assert found(*people, old("d", wrote(30, "d@acme.example"))) == []


def test_people_who_leave_one_after_another_are_no_incident_where_nobody_else_ever_writes() -> None:
    assert found(*(old_gone(name, 40 - number * 16) for number, name in enumerate("abc"))) == []


def test_the_first_of_a_migration_belong_to_it_and_what_bounced_a_month_before_does_not() -> None:
    first, *others = [old_gone(name, days) for name, days in (("a", 44), ("b", 20), ("c", 10), ("d", 5))]
    (incident,) = found(first, *others)
    assert incident.addresses == ("b@acme.example", "c@acme.example", "d@acme.example")
    assert not explained([first, *others], first)


def test_the_bounces_of_one_domain_of_an_account_say_nothing_about_its_other_domains() -> None:
    other = "jane@acme-labs.test"
    people = [*(gone(name, 2) for name in "abc"), Person(other, observations=(*exchange(other),))]
    account = Account.of(people, {"acme.example", "acme-labs.test"}, {}, NOW, RULES.kinds)
    assert [one.domain for one in account.incidents_of("a@acme.example")] == ["acme.example"]
    assert account.incidents_of(other) == []


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


def test_two_who_join_one_new_employer_move_nobody_while_others_write_from_the_old_domain() -> None:
    jane, tom = (
        old(name, bounce(days, f"{name}@acme.example"), elsewhere(name, 9, "newco.example"))
        for name, days in (("jane", 30), ("tom", 22))
    )
    for days in (12, 5):
        assert found(jane, tom, old("ann", wrote(days, "ann@acme.example"))) == []
    assert found(jane, tom, old("ann", wrote(5, "ann@acme.example")), old_gone("eva", 2)) == []
    (incident,) = found(jane, tom, old("ann"))
    assert incident.sort is Sort.MOVED


def test_whoever_writes_from_the_old_domain_again_has_not_moved_with_it() -> None:
    jane = gone("jane", 5)
    tom, ann = (person(name, elsewhere(name, 4, "newco.example")) for name in ("tom", "ann"))
    again = replace(tom, observations=(*tom.observations, wrote(1, tom.address)))
    assert [one.sort for one in found(jane, tom, ann)] == [Sort.MOVED]
    assert found(jane, again, ann) == []


def test_a_domain_that_bears_the_old_name_is_moved_to_though_some_still_write_from_the_old_one() -> None:
    jane = gone("jane", 5)
    tom = person("tom", elsewhere("tom", 4, "acme-group.example"))
    (incident,) = found(jane, tom, person("ann", wrote(3, "ann@acme.example")))
    assert incident.explains(jane.observations[-1], GONE)
    assert not incident.hides(NOW)


def test_the_bounces_of_a_domain_that_moved_are_one_incident_however_often_mail_is_tried_there() -> None:
    tried = [old_gone(name, 40 - number) for number, name in enumerate("abc")]
    again = [old_gone(name, 9 - number) for number, name in enumerate("def")]
    moved = old("tom", elsewhere("tom", 38, "acme-group.example"), wrote(20, "tom@acme.example"))
    (incident,) = found(*tried, *again, moved)
    assert incident.sort is Sort.MOVED
    assert len(incident.addresses) == 6


def test_what_bounced_before_others_were_heard_of_is_no_part_of_a_later_move() -> None:
    left = old_gone("jane", 20)
    tom, ann = (old(name, elsewhere(name, 2, "newco.example")) for name in ("tom", "ann"))
    assert [one.sort for one in found(left, tom, ann)] == [Sort.MOVED]
    assert found(left, tom, ann, old("bob", wrote(10, "bob@acme.example"))) == []


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

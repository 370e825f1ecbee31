from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.circle import Listed
from bot.model import Contact, Json, Person
from bot.suggest import Circle, suggest
from tests.observations import JANE, NOW, exchange, seen, written_to, wrote

CONTACT = Contact(JANE, name="Jane Doe", account="Acme")


def colleague(name: str, *days: float, domain: str = "acme.example") -> Person:
    address = f"{name}@{domain}"
    observations = (seen("wrote", day, address, name=name.title(), message_id=f"{name}{day}") for day in days)
    return Person(address, observations=tuple(observations))


def test_a_named_successor_comes_first() -> None:
    reply = seen(
        "departed", 1, successors=[{"name": "Ann Lee", "address": "ann@acme.example", "role": False}]
    )
    first, second = suggest(CONTACT, [reply], Circle.of([colleague("tom", 2, 9)], NOW), NOW)
    assert (first.name, first.address, first.successor) == ("Ann Lee", "ann@acme.example", True)
    assert "named in Jane Doe's own reply of 14 June" in first.reasons
    assert second.address == "tom@acme.example"


def test_colleagues_are_ranked_by_how_alive_the_exchange_is_and_say_why() -> None:
    found = suggest(CONTACT, [], Circle.of([colleague("old", 300, 320), colleague("new", 3, 8)], NOW), NOW)
    assert [suggestion.address for suggestion in found] == ["new@acme.example", "old@acme.example"]
    assert found[0].name == "New"
    assert found[0].reasons == ("last wrote 3 days ago", "on 2 threads with us")


def test_whoever_is_on_leave_comes_after_whoever_is_there_and_it_is_said_also_of_a_successor() -> None:
    away = seen("on_leave", 2, "new@acme.example", returns="2026-09-01", message_id="away")
    new = colleague("new", 3, 8)
    gone = replace(new, observations=(*new.observations, away))
    circle = Circle.of([colleague("old", 20, 40), gone], NOW)
    ranked = suggest(CONTACT, [], circle, NOW)
    assert [one.address.partition("@")[0] for one in ranked] == ["old", "new"]
    said = "on leave until 1 September 2026"
    assert ranked[1].reasons[0] == said
    reply = seen("departed", 1, successors=[{"name": "New", "address": "new@acme.example", "role": False}])
    first = suggest(CONTACT, [reply], circle, NOW)[0]
    assert first.reasons[:2] == ("named in Jane Doe's own reply of 14 June", said)
    back = replace(gone, observations=(*gone.observations, *colleague("new", 1).observations))
    for person, now in ((back, NOW), (gone, NOW + timedelta(days=90))):
        told = suggest(CONTACT, [], Circle.of([person], now), now)
        assert not any("on leave" in reason for one in told for reason in one.reasons)


def test_somebody_we_only_wrote_to_is_colder_than_somebody_who_wrote() -> None:
    cold = Person("cold@acme.example", observations=(written_to(2, "cold@acme.example"),))
    found = suggest(CONTACT, [], Circle.of([cold, colleague("warm", 5)], NOW), NOW)
    assert found[0].address == "warm@acme.example"


def test_desks_are_no_people() -> None:
    reply = seen("departed", 1, successors=[{"name": "", "address": "sales@acme.example", "role": True}])
    assert suggest(CONTACT, [reply], Circle.of([colleague("info", 1)], NOW), NOW) == ()


def test_successors_of_other_companies_are_not_the_accounts_people() -> None:
    reply = seen("departed", 1, successors=[{"name": "Al", "address": "al@consult.example", "role": False}])
    assert suggest(CONTACT, [reply], Circle.of([], NOW), NOW) == ()


def test_nobody_who_is_leaving_too_is_suggested() -> None:
    leaving = Person("tom@acme.example", observations=(wrote(3, "tom@acme.example"),
                     seen("departed", 1, "tom@acme.example")))  # fmt: skip
    assert suggest(CONTACT, [], Circle.of([leaving], NOW), NOW) == ()


def test_the_contact_is_never_suggested_for_themselves() -> None:
    reply = seen("departed", 1, successors=[{"name": "Jane", "address": JANE, "role": False}])
    jane = Person(JANE, CONTACT, observations=tuple(exchange()))
    assert suggest(CONTACT, [reply], Circle.of([jane], NOW), NOW) == ()


def test_a_successor_named_without_an_address_is_still_told() -> None:
    reply = seen("departed", 1, successors=[{"name": "Ann Lee", "address": "", "role": False}])
    (found,) = suggest(CONTACT, [reply], Circle.of([], NOW), NOW)
    assert (found.name, found.address) == ("Ann Lee", "")


def test_broken_facts_suggest_nobody() -> None:
    broken_ones: tuple[Json, ...] = (None, "ann", 3, [3, None, "x"], {"name": "x"})
    for broken in broken_ones:
        assert suggest(CONTACT, [seen("departed", 1, successors=broken)], Circle.of([], NOW), NOW) == ()


def contact(name: str, title: str = "") -> Person:
    address = f"{name.lower().replace(' ', '.')}@acme.example"
    return Person(address, Contact(address, name, title, "Acme"))


def met(person: Person, *days: float, company: tuple[str, ...] = ()) -> Person:
    facts: dict[str, Json] = {"with": [*company]}
    mails = (seen("wrote", day, person.address, message_id=f"{person.address}{day}", **facts) for day in days)
    return replace(person, observations=(*person.observations, *mails))


def names(people: list[Person], about: Contact = CONTACT, **more: Any) -> list[str]:
    circle = Circle.of(people, NOW, {"vendor.example"}, **more)
    return [one.name for one in suggest(about, [], circle, NOW)]


def test_a_successor_whom_we_know_brings_what_we_know_and_is_named_once() -> None:
    reply = seen("departed", 1, successors=[{"name": "Ann Lee", "address": "", "role": False}])
    known = met(contact("Ann Lee", "VP Operations"), 3, 9)
    (only,) = suggest(CONTACT, [reply], Circle.of([known], NOW), NOW)
    assert (only.address, only.successor, only.guess) == ("ann.lee@acme.example", True, False)
    assert only.reasons == (
        "named in Jane Doe's own reply of 14 June",
        "VP Operations",
        "last wrote 3 days ago",
        "on 2 threads with us",
    )


def test_a_successor_of_whom_two_are_known_is_none_of_them() -> None:
    reply = seen("departed", 1, successors=[{"name": "Ann Lee", "address": "", "role": False}])
    two = [met(contact("Ann Lee", "CFO"), 3), met(replace_address(contact("Ann Lee", "CTO"), "ann.lee2"), 4)]
    named, *others = suggest(CONTACT, [reply], Circle.of(two, NOW), NOW)
    assert (named.name, named.address) == ("Ann Lee", "")
    assert {one.address for one in others} == {"ann.lee@acme.example", "ann.lee2@acme.example"}


def replace_address(person: Person, local: str) -> Person:
    assert person.contact is not None
    address = f"{local}@acme.example"
    return replace(person, address=address, contact=replace(person.contact, address=address))


def test_a_successor_who_left_too_is_nobody_to_turn_to() -> None:
    reply = seen(
        "departed", 9, successors=[{"name": "Ann Lee", "address": "ann.lee@acme.example", "role": False}]
    )
    ann = contact("Ann Lee")
    left = replace(ann, observations=(seen("departed", 1, ann.address),))
    assert suggest(CONTACT, [reply], Circle.of([left], NOW), NOW) == ()


def test_each_side_of_the_deal_is_there_where_somebody_is_known() -> None:
    business = [met(contact(f"Ann {last}", "VP Sales"), 1, 2, 3) for last in ("Lee", "Roe", "Fox")]
    engineer = met(contact("Bo Dahl", "Software Engineer"), 200)
    assert names(business) == ["Ann Fox", "Ann Lee", "Ann Roe"]
    assert names([*business, engineer])[-1] == "Bo Dahl"
    assert len(names([*business, engineer])) == 3


def test_a_mail_to_many_is_little() -> None:
    crowd = tuple(f"p{number}@acme.example" for number in range(20))
    loud = met(contact("Loud Roe"), 1, 2, 3, company=crowd)
    assert names([loud, met(contact("Near Lee"), 1, 2)])[0] == "Near Lee"


def test_whoever_answers_is_warmer_than_whoever_is_only_told() -> None:
    told = contact("Told Roe")
    mails = tuple(written_to(day, told.address) for day in (1, 2, 3, 4))
    assert names([replace(told, observations=mails), met(contact("Near Lee"), 20)])[0] == "Near Lee"


def test_whoever_answered_instead_comes_before_whoever_wrote_as_much() -> None:
    jane = Person(JANE, CONTACT, observations=(written_to(10, ident="asked"), written_to(12, ident="again")))
    other, stand_in = met(contact("Al Roe"), 5), contact("Zoe Fox")
    answer = seen("wrote", 5, stand_in.address, message_id="z", answers="asked")
    found = suggest(
        CONTACT, [], Circle.of([jane, other, replace(stand_in, observations=(answer,))], NOW), NOW
    )
    assert found[0].name == "Zoe Fox"
    assert found[0].reasons[0] == "answered instead of Jane Doe, 5 days ago"


def test_common_threads_and_the_role_decide_between_equals() -> None:
    jane = replace(met(Person(JANE, replace(CONTACT, title="VP Sales")), 5))
    fits = met(contact("Zoe Fox", "Sales Manager"), 7)
    does_not = met(contact("Al Roe", "Maintenance Manager"), 7)
    assert names([jane, fits, does_not], replace(CONTACT, title="VP Sales"))[0] == "Zoe Fox"
    copied = seen("copied", 5, "al.roe@acme.example", message_id=f"{JANE}5")
    close = replace(does_not, observations=(*does_not.observations, copied))
    found = suggest(CONTACT, [], Circle.of([jane, close], NOW), NOW)
    assert found[0].reasons == (
        "Maintenance Manager",
        "last wrote 7 days ago",
        "on 2 threads with us, 1 of them with Jane Doe",
    )
    alone = replace(close, observations=(copied,))
    [first] = suggest(CONTACT, [], Circle.of([jane, alone], NOW), NOW)
    assert first.reasons[1:] == ("has not written yet", "on 1 thread with us and Jane Doe")


def test_meetings_are_counted_once_and_refusals_are_none() -> None:
    bob = contact("Bob Roe")
    answers = [("a", "ACCEPTED"), ("a", "ACCEPTED"), ("b", "ACCEPTED"), ("c", "DECLINED")]
    meetings = tuple(
        seen("meeting", 9 - at, bob.address, uid=uid, by=bob.address, organizer="r@vendor.example",
             attendees=[[bob.address, said]], method="REPLY")
        for at, (uid, said) in enumerate(answers)
    )  # fmt: skip
    (found,) = suggest(CONTACT, [], Circle.of([replace(bob, observations=meetings)], NOW), NOW)
    assert found.reasons == ("in 2 meetings with us",)


def test_a_contact_without_a_single_mail_is_still_somebody() -> None:
    (found,) = suggest(CONTACT, [], Circle.of([contact("Ann Lee", "CFO")], NOW), NOW)
    assert found.reasons == ("CFO",)


def test_nobody_of_ours_no_shared_mailbox_and_nobody_who_opted_out_is_suggested() -> None:
    rita = met(Person("rita.rep@acme.example"), 1, company=("rita.rep@vendor.example",))
    ours = met(Person("tom.roe@vendor.example"), 1)
    out = met(contact("Ann Lee"), 1)
    out = replace(out, observations=(*out.observations, seen("opted_out", 3, out.address)))
    shared = Person("projects7@acme.example", observations=tuple(
        seen("wrote", day, "projects7@acme.example", name=name, message_id=name)
        for day, name in enumerate(("Ann Lee", "Bob Roe", "Cy Fox"))
    ))  # fmt: skip
    assert names([rita, ours, out, shared]) == []


def test_somebody_whose_address_bounced_but_who_wrote_since_is_there() -> None:
    ann = met(contact("Ann Lee"), 1)
    gone = seen("mailbox_gone", 5, ann.address, ours=True)
    assert names([replace(ann, observations=(*ann.observations, gone))]) == ["Ann Lee"]
    assert names([replace(met(contact("Ann Lee"), 9), observations=(gone,))]) == []


def test_other_addresses_of_the_champion_are_the_champion() -> None:
    jane = met(Person(JANE, CONTACT), 5)
    assert names([jane, met(contact("Jane Doe"), 1)]) == []


PAGE = [Listed("Ann Lee", "CTO"), Listed("Jane Doe", "VP Sales"), Listed("Cy Fox", "")]
FOUND = [met(contact("Bob Roe"), 3), met(contact("Al Dahl"), 4)]


def test_the_pages_people_fill_up_with_a_guess_that_says_so() -> None:
    circle = Circle.of([FOUND[0], FOUND[1]], NOW, listed=PAGE)
    *known, guessed = suggest(CONTACT, [], circle, NOW)
    assert [one.name for one in known] == ["Bob Roe", "Al Dahl"]
    assert (guessed.name, guessed.address, guessed.guess) == ("Ann Lee", "ann.lee@acme.example", True)
    assert guessed.reasons == (
        "CTO on their team page",
        "no mail with them yet",
        "a guess: first.last@acme.example, as 2 known addresses there are made",
    )


def test_without_a_pattern_nobody_gets_an_address() -> None:
    found = suggest(CONTACT, [], Circle.of([FOUND[0]], NOW, listed=PAGE), NOW)
    assert [(one.address, one.guess) for one in found if one.name == "Ann Lee"] == [("", False)]


def test_the_title_of_the_page_is_told_as_such() -> None:
    (found,) = suggest(CONTACT, [], Circle.of([met(Person("ann.lee@acme.example", observations=(
        seen("written_to", 30, "ann.lee@acme.example", name="Ann Lee", message_id="o"),
    )), 3)], NOW, listed=[Listed("Ann Lee", "VP Operations")]), NOW)  # fmt: skip
    assert "VP Operations on their team page" in found.reasons


FACTS = st.sampled_from("with name answers message_id attendees uid by organizer".split())
VALUES = st.one_of(st.none(), st.integers(), st.text(max_size=9), st.lists(st.text(max_size=5), max_size=3))
KINDS = st.sampled_from("wrote written_to copied meeting departed".split())


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(FACTS, VALUES), KINDS)
def test_odd_facts_break_nothing(facts: dict[str, Json], kind: str) -> None:
    odd = Person("odd@acme.example", observations=(seen(kind, 3, "odd@acme.example", **facts),))
    assert all(
        one.address.endswith("acme.example") for one in suggest(CONTACT, [], Circle.of([odd], NOW), NOW)
    )


def moving(name: str, old: float, *new: float, domain: str = "acme-group.example") -> Person:
    """Return somebody whose old address bounces, and who wrote from another domain so many days ago."""
    person = colleague(name, old)
    bounce = seen("mailbox_gone", 3, person.address)
    mails = (
        seen("wrote_elsewhere", day, person.address, domain=domain, message_id=f"{name}{day}@new")
        for day in new
    )
    return replace(person, observations=(*person.observations, bounce, *mails))


def test_whoever_writes_from_where_their_account_moved_is_suggested_there() -> None:
    circle = Circle.of([moving("ann", 90, 20, 5), moving("bob", 90, 40)], NOW)
    first, second = suggest(CONTACT, [], circle, NOW)
    assert (first.address, second.address) == ("ann@acme-group.example", "bob@acme-group.example")
    assert first.reasons == (
        "last wrote 5 days ago",
        "on 3 threads with us",
        "writes from acme-group.example now",
    )


def test_two_who_write_from_a_domain_of_another_name_moved_with_their_account() -> None:
    people = [
        moving("ann", 90, 20, domain="newname.example"),
        moving("bob", 90, 10, domain="newname.example"),
    ]
    assert [one.address for one in suggest(CONTACT, [], Circle.of(people, NOW), NOW)] == [
        "bob@newname.example",
        "ann@newname.example",
    ]


def test_who_changed_employers_alone_or_while_the_others_stayed_is_not_followed_there() -> None:
    alone = Circle.of([moving("ann", 90, 20, domain="newco.example")], NOW)
    assert suggest(CONTACT, [], alone, NOW) == ()
    left = [moving(name, 90, 20, domain="newco.example") for name in ("ann", "bob")]
    stayed = [colleague(name, 100, 2) for name in ("cy", "dee")]
    found = suggest(CONTACT, [], Circle.of([*left, *stayed], NOW), NOW)
    assert [one.address for one in found] == ["cy@acme.example", "dee@acme.example"]


def test_who_writes_from_another_domain_of_the_account_keeps_nobody_from_having_moved() -> None:
    people = [moving(name, 90, 20, domain="newname.example") for name in ("ann", "bob")]
    people.append(colleague("cy", 100, 2, domain="labs.example"))
    found = suggest(CONTACT, [], Circle.of(people, NOW), NOW)
    assert {"ann@newname.example", "bob@newname.example"} <= {one.address for one in found}


def test_who_left_the_account_after_it_moved_is_not_suggested() -> None:
    gone = moving("ann", 90, 20, 15)
    gone = replace(gone, observations=(*gone.observations, seen("departed", 2, gone.address)))
    found = suggest(CONTACT, [], Circle.of([gone, moving("bob", 90, 30)], NOW), NOW)
    assert [one.address for one in found] == ["bob@acme-group.example"]


def test_a_reply_may_name_somebody_at_the_domain_that_the_account_moved_to() -> None:
    named: dict[str, Json] = {"name": "Cy Fox", "address": "cy.fox@acme-group.example", "role": False}
    reply = seen("departed", 1, successors=[named])
    assert suggest(CONTACT, [reply], Circle.of([], NOW), NOW) == ()
    first, *_ = suggest(CONTACT, [reply], Circle.of([moving("bob", 90, 30)], NOW), NOW)
    assert (first.address, first.successor) == ("cy.fox@acme-group.example", True)


def test_nobody_follows_themselves_and_half_an_address_is_nobodys() -> None:
    named = [{"name": "Doe, Jane", "address": ""}, {"name": "", "address": "@acme.example"}]
    reply = seen("departed", 1, successors=[{**each, "role": False} for each in named])
    assert suggest(CONTACT, [reply], Circle.of([], NOW), NOW) == ()


@pytest.mark.parametrize(
    "local", ["do-not-reply", "donotreply", "no_reply", "mailer-daemon", "bounce+123", "jira.notifications"]
)
def test_a_programs_address_is_suggested_to_nobody(local: str) -> None:
    assert suggest(CONTACT, [], Circle.of([colleague(local, 1)], NOW), NOW) == ()


@pytest.mark.parametrize("title", ["Former VP Sales", "Ex-CTO", "Retired COO", "VP Sales (until 2020)"])
def test_who_is_kept_with_a_title_they_no_longer_hold_is_not_suggested(title: str) -> None:
    ann = colleague("ann", 2)
    ann = replace(ann, contact=Contact(ann.address, "Ann Lee", title, "Acme"))
    assert suggest(CONTACT, [], Circle.of([ann], NOW), NOW) == ()


def test_whoever_signs_with_the_champions_name_is_not_suggested_under_it() -> None:
    liar = Person("eve@acme.example", observations=(seen("wrote", 2, "eve@acme.example", name="Jane Doe"),))
    [found] = suggest(CONTACT, [], Circle.of([liar], NOW), NOW)
    assert found.name == "eve@acme.example"

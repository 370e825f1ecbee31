from __future__ import annotations

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
    assert found[0].reasons == ("on 2 threads with us, last wrote 3 days ago",)


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

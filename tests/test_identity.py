from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.identity import is_shared, resolve
from bot.model import Contact, Json, Observation, Person
from tests.observations import NOW, seen


def somebody(address: str, name: str = "", *, days: float = 5, title: str = "", with_: str = "") -> Person:
    facts: dict[str, Json] = {"with": [with_]}
    wrote = seen("wrote", days, address, name=name, message_id=f"{address}{days}", **facts)
    return Person(address, Contact(address, name, title) if title else None, observations=(wrote,))


def groups(*people: Person) -> list[set[str]]:
    return [set(one.addresses) for one in resolve(people)]


def test_one_person_with_three_addresses_is_one() -> None:
    three = (
        somebody("jane.doe@acme.example", "Jane Doe"),
        somebody("jdoe@acme.example", "Doe, Jane"),
        somebody("jane.doe@acme-group.example", "Dr. Jane Doe"),
    )
    (one,) = resolve(three)
    assert len(one.addresses) == 3
    assert len(one.observations) == 3


def test_two_people_of_one_name_stay_two() -> None:
    assert (
        len(
            groups(
                somebody("jane.doe@acme.example", "Jane Doe"), somebody("jane.doe2@acme.example", "Jane Doe")
            )
        )
        == 2
    )


def test_whoever_stands_on_one_mail_twice_is_two_people() -> None:
    one = somebody("jane.doe@acme.example", "Jane Doe", with_="jdoe@acme.example")
    assert len(groups(one, somebody("jdoe@acme.example", "Jane Doe"))) == 2


def test_two_contacts_with_two_titles_are_two_people() -> None:
    first = somebody("jane.doe@acme.example", "Jane Doe", title="CFO")
    assert len(groups(first, somebody("jdoe@acme.example", "Jane Doe", title="Software Engineer"))) == 2
    assert len(groups(first, somebody("jdoe@acme.example", "Jane Doe", title="CFO"))) == 1


def test_a_middle_initial_tells_namesakes_apart() -> None:
    assert (
        len(
            groups(
                somebody("jane.doe@acme.example", "Jane Doe"),
                somebody("jane.a.doe@acme.example", "Jane A. Doe"),
            )
        )
        == 2
    )


def test_a_slip_of_the_hand_makes_nobody_else() -> None:
    first = somebody("jane.doe@acme.example", "Jane Doe")
    assert len(groups(first, somebody("jane.doe@mail.acme.example", "Jnae Doe"))) == 1


def test_people_of_one_family_are_not_one() -> None:
    assert (
        len(
            groups(
                somebody("jane.doe@acme.example", "Jane Doe"), somebody("john.doe@acme.example", "John Doe")
            )
        )
        == 2
    )


def test_a_bounced_address_is_never_the_one_to_use() -> None:
    old = somebody("jane.doe@acme.example", "Jane Doe", days=1)
    gone = seen("mailbox_gone", 0.5, old.address)
    new = somebody("jdoe@acme.example", "Jane Doe", days=30)
    (one,) = resolve([Person(old.address, observations=(*old.observations, gone)), new])
    assert one.address == "jdoe@acme.example"


def test_their_own_word_for_their_name_counts_before_ours() -> None:
    ours = seen("written_to", 1, "jane@acme.example", name="J. Doe (Acme)", message_id="o")
    (one,) = resolve(
        [
            Person(
                "jane@acme.example",
                observations=(*somebody("jane@acme.example", "Jane Doe").observations, ours),
            )
        ]
    )
    assert one.name == "Jane Doe"


@pytest.mark.parametrize(
    ("names", "shared"), [(("Ann Lee", "Bob Roe", "Cy Fox"), True), (("Ann Lee", "Lee, Ann"), False)]
)
def test_a_mailbox_that_several_write_from_is_nobodys(names: tuple[str, ...], *, shared: bool) -> None:
    address = "projects7@acme.example"
    mails = tuple(
        seen("wrote", day, address, name=name, message_id=f"{day}") for day, name in enumerate(names)
    )
    (one,) = resolve([Person(address, observations=mails)])
    assert is_shared(one) is shared


LOCALS = st.sampled_from(["jane.doe", "jdoe", "jane", "j.doe", "jane.doe2", "doe", "x"])
NAMES = st.sampled_from(["Jane Doe", "Doe, Jane", "John Doe", "", "Jane A. Doe", "JANE DOE"])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(LOCALS, NAMES), max_size=7, unique_by=lambda one: one[0]), st.randoms())
def test_everybody_is_somebody_once_in_whatever_order(people: list[tuple[str, str]], chance: object) -> None:
    known = [somebody(f"{local}@acme.example", name) for local, name in people]
    found = groups(*known)
    assert sorted(address for group in found for address in group) == sorted(one.address for one in known)
    chance.shuffle(known)  # type: ignore[attr-defined]
    assert groups(*known) == found


def test_a_mail_of_next_year_does_not_break_it() -> None:
    odd = Observation(
        "a@acme.example", "wrote", NOW + timedelta(days=400), "", "", facts={"name": 3, "with": "x"}
    )
    assert [one.name for one in resolve([Person("a@acme.example", observations=(odd,))])] == [""]

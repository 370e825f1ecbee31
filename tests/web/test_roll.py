"""Whether a page is still the list that it was, rule by rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from watchers.web.findings import Kept, Sighting, State, Watched
from watchers.web.persons import Person
from watchers.web.presence import look_again
from watchers.web.roll import call_roll

DAY = date(2026, 3, 2)
NAMES = ("Jane Doe", "Bob Roe", "Ann Lee", "Eve Fox", "Max Orr", "Tom Ray", "Liz May", "Kim Poe")
EVERYBODY = tuple(Person(name, "Engineer", style="card") for name in NAMES)
WATCHED = [Watched(name, name) for name in NAMES]


def former(count: int, people: Sequence[Person] = EVERYBODY) -> tuple[Person, ...]:
    """Return the people, so many of them under a heading of those who left."""
    return tuple(replace(one, former="Alumni") if at < count else one for at, one in enumerate(people))


def known(people: Sequence[Person] = EVERYBODY, looks: int = 1) -> Kept:
    """Return the state after so many looks, a day apart, at the same people."""
    state: Kept = look_again(None, WATCHED, Sighting(people=EVERYBODY), DAY).state
    for look in range(1, looks):
        state = look_again(state, WATCHED, Sighting(people=tuple(people)), DAY + look * timedelta(1)).state
    return state


def doubt(seen: Sighting, state: Kept | None = None) -> str:
    return call_roll(state or known(), WATCHED, seen, DAY + timedelta(9)).doubt


def test_a_page_that_lists_them_all_again_is_not_doubted() -> None:
    roll = call_roll(known(), WATCHED, Sighting(people=EVERYBODY), DAY + timedelta(1))
    assert (roll.found, roll.known, roll.doubt) == (8, 8, "")
    assert roll.here.keys() == set(NAMES)
    assert roll.left == {}


@pytest.mark.parametrize(("left", "doubted"), [(4, False), (5, True), (6, True)])
def test_nearly_everybody_former_at_once_is_doubted(left: int, *, doubted: bool) -> None:
    assert ("former people at once" in doubt(Sighting(people=former(left)))) is doubted


def test_of_a_few_people_all_but_one_may_have_left_at_once() -> None:
    people = EVERYBODY[:4]
    state = look_again(None, WATCHED[:4], Sighting(people=people), DAY).state
    roll = call_roll(state, WATCHED[:4], Sighting(people=former(3, people)), DAY + timedelta(1))
    assert len(roll.left) == 3
    assert roll.doubt == ""


def test_those_who_left_long_ago_make_nobody_doubt() -> None:
    people = former(5)
    before = known()
    gone = {name: {**before["people"][name], "state": State.GONE.value} for name in NAMES[:5]}
    state = {**before, "people": {**before["people"], **gone}}
    assert doubt(Sighting(people=people), state) == ""


@pytest.mark.parametrize(("shown", "doubted"), [(5, False), (4, True)])
def test_another_page_than_the_one_asked_for_must_list_most_of_them(shown: int, *, doubted: bool) -> None:
    said = doubt(Sighting(people=EVERYBODY[:shown], detour=True))
    assert said == ("another page was answered" if doubted else "")
    assert doubt(Sighting(people=EVERYBODY[:shown])) == ""


@pytest.mark.parametrize(("shown", "doubted"), [(2, False), (1, True), (0, True)])
def test_a_page_that_lists_too_few_of_them_is_not_the_list(shown: int, *, doubted: bool) -> None:
    said = doubt(Sighting(people=EVERYBODY[:shown], guess=lambda: "a wall"))
    assert said == ("a wall" if doubted else "")


@pytest.mark.parametrize(
    ("gap", "unread", "doubted"),
    [("cut off", False, True), ("more pages", True, True), ("more pages", False, False)],
)
def test_a_new_sign_of_less_than_the_list_is_doubted_unless_the_rest_was_read(
    gap: str, *, unread: bool, doubted: bool
) -> None:
    seen = Sighting(people=EVERYBODY, gaps=frozenset({gap}), unread=unread)
    assert bool(doubt(seen)) is doubted
    assert doubt(seen, {**known(), "gaps": [gap]}) == ""


def test_who_was_never_seen_or_is_gone_is_not_counted_among_the_known() -> None:
    state = known(EVERYBODY[1:], looks=3)
    assert state["people"][NAMES[0]]["state"] == State.GONE
    newcomer = Watched("new", "Una New")
    roll = call_roll(state, [*WATCHED, newcomer], Sighting(people=EVERYBODY[1:]), DAY + timedelta(9))
    assert (roll.found, roll.known) == (7, 7)

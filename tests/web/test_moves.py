"""Another employer beside a name is a move, however the page is laid out; a renamed company moves nobody."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.web.team_pages import fetched, page
from watchers.web.findings import Kept, State, Watched
from watchers.web.presence import look_again
from watchers.web.reading import look

Member = tuple[str, str, str]
Design = Callable[[str, str, str], str]

JANE = "Jane Doe"
BOARD: tuple[Member, ...] = (
    (JANE, "Maintainer", "Acme"),
    ("Omar Haddad", "Chair", "Globex"),
    ("Siobhan O'Hara", "Maintainer", "Initech"),
    ("J\u00f6rg M\u00fcller", "Steering Committee Member", "Blue Harbor"),
    ("Li Wei", "Maintainer", "Umbrella Systems"),
    ("Maria Ruiz", "Reviewer", "Acme"),
    ("Tom Young", "Reviewer", "Hooli"),
)

DESIGNS: dict[str, tuple[str, Design]] = {
    "cards with classes": (
        "%s",
        lambda n, t, o: (
            f'<div class="card"><h3>{n}</h3><p class="role">{t}</p><p class="company">{o}</p></div>'
        ),
    ),
    "plain cards": ("%s", lambda n, t, o: f"<div class=card><h3>{n}</h3><p>{t}</p><p>{o}</p></div>"),
    "employer first": ("%s", lambda n, t, o: f"<div class=card><h3>{n}</h3><p>{o}</p><p>{t}</p></div>"),
    "no titles": ("%s", lambda n, _, o: f"<div class=card><h3>{n}</h3><p>{o}</p></div>"),
    "a table": (
        "<table><tr><th>Name</th><th>Role</th><th>Company</th></tr>%s</table>",
        lambda n, t, o: f"<tr><td>{n}</td><td>{t}</td><td>{o}</td></tr>",
    ),
    "a table without heads": (
        "<table>%s</table>",
        lambda n, t, o: f"<tr><td>{n}</td><td>{t}</td><td>{o}</td></tr>",
    ),
    "brackets": ("<ul>%s</ul>", lambda n, _, o: f"<li>{n} ({o})</li>"),
    "dashes": ("<ul>%s</ul>", lambda n, _, o: f"<li>{n} - {o}</li>"),
    "commas": ("<ul>%s</ul>", lambda n, t, o: f"<li>{n}, {t}, {o}</li>"),
    "at": ("%s", lambda n, t, o: f"<div class=c><h4>{n}</h4><span>{t} at {o}</span></div>"),
    "an at sign": ("%s", lambda n, t, o: f"<div class=c><h4>{n}</h4><span>{t} @ {o}</span></div>"),
    "bars": ("%s", lambda n, t, o: f"<p>{n} | {t} | {o}</p>"),
    "definitions": ("<dl>%s</dl>", lambda n, t, o: f"<dt>{n}</dt><dd>{t}</dd><dd>{o}</dd>"),
    "h-cards": (
        "%s",
        lambda n, t, o: (
            f'<div class="h-card"><b class="p-name">{n}</b><i class="p-job-title">{t}</i>'
            f'<span class="p-org">{o}</span></div>'
        ),
    ),
}
EVERY = pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)


def draw(design: tuple[str, Design], members: Sequence[Member]) -> str:
    frame, one = design
    return page(frame % "".join(one(*member) for member in members))


def alarms(design: tuple[str, Design], after: Sequence[Member]) -> dict[str, State]:
    """Look twice before and twice after, and return everything but presence."""
    watched = [Watched(name, name, title, company) for name, title, company in BOARD]
    state: Kept | None = None
    said: dict[str, State] = {}
    for day, members in enumerate((BOARD, BOARD, after, after, after)):
        answer = fetched(draw(design, members), day)
        report = look_again(state, watched, look([answer]).sighting, answer.day)
        state = report.state
        said |= {each.key: each.state for each in report.findings if each.state is not State.PRESENT}
    return said


@EVERY
@pytest.mark.parametrize("employer", ["Vandelay", "Hooli"])
def test_another_employer_is_a_move_whether_the_page_named_it_before_or_not(
    design: tuple[str, Design], employer: str
) -> None:
    after = [(JANE, "Maintainer", employer), *BOARD[1:]]
    assert alarms(design, after) == {JANE: State.MOVED}


@EVERY
def test_a_new_title_with_a_new_employer_is_a_move(design: tuple[str, Design]) -> None:
    after = [(JANE, "Chair", "Vandelay Industries"), *BOARD[1:]]
    assert alarms(design, after) == {JANE: State.MOVED}


@EVERY
def test_another_spelling_of_every_employer_is_no_news(design: tuple[str, Design]) -> None:
    assert alarms(design, [(name, title, f"{org}, Inc.") for name, title, org in BOARD]) == {}


@EVERY
def test_an_employer_with_a_new_name_moves_nobody_and_changes_no_title(design: tuple[str, Design]) -> None:
    after = [(name, title, "Wayne" if org == "Acme" else org) for name, title, org in BOARD]
    assert alarms(design, after) == {}

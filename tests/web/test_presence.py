"""Departures are found, and everything that only looks like one is not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.web.team_pages import FIRST_DAY, TEAM, Member, bullets, cards, fetched, hcards, page
from watchers.web.findings import Finding, Kept, Report, Sighting, State, Watched
from watchers.web.pages import Fetched
from watchers.web.presence import look_again
from watchers.web.reading import look

CONTACTS = [Watched(name, name, title, "Acme") for name, title in TEAM]
JANE = "Jane Doe"
REST = TEAM[1:]


def watch(*answers: Fetched, contacts: Sequence[Watched] = CONTACTS) -> Report:
    """Look at the usual page, then at each answer, and return the last report."""
    state: Kept | None = None
    for answer in (fetched(page(cards(TEAM))), *answers):
        report = look_again(state, contacts, look([answer]).sighting, answer.day)
        state = report.state
    return report


def of(report: Report, key: str = JANE) -> Finding:
    """Return what is said of one person."""
    return next(finding for finding in report.findings if finding.key == key)


def twice(text: str) -> tuple[Fetched, Fetched]:
    """Return one answer on two days."""
    return fetched(text, 1), fetched(text, 2)


def states(report: Report) -> set[State]:
    """Return every state that a report names."""
    return {finding.state for finding in report.findings}


def test_a_person_missing_on_two_days_is_gone_and_the_others_are_present() -> None:
    report = watch(*twice(page(cards(REST))))
    assert of(report).state is State.GONE
    assert states(report) == {State.GONE, State.PRESENT}


def test_one_look_is_not_enough() -> None:
    finding = of(watch(fetched(page(cards(REST)), 1)))
    assert finding.state is State.UNKNOWN
    assert "second look" in finding.reason


def test_two_looks_on_one_day_are_not_enough() -> None:
    assert of(watch(fetched(page(cards(REST)), 1), fetched(page(cards(REST)), 1))).state is State.UNKNOWN


def test_who_comes_back_is_present_again() -> None:
    assert of(watch(*twice(page(cards(REST))), fetched(page(cards(TEAM)), 3))).state is State.PRESENT


def test_an_outage_between_two_misses_does_not_hide_the_departure() -> None:
    answers = fetched(page(cards(REST)), 1), fetched("", 2, status=503), fetched(page(cards(REST)), 3)
    assert of(watch(*answers)).state is State.GONE


def test_a_departure_together_with_a_redesign_is_found() -> None:
    assert of(watch(*twice(page(bullets(REST))))).state is State.GONE


def test_a_lay_off_of_most_is_found() -> None:
    report = watch(*twice(page(cards(TEAM[3:]))))
    assert [finding.state for finding in report.findings].count(State.GONE) == 3


@pytest.mark.parametrize(
    "after",
    [
        cards(REST) + "<section><h2>Alumni</h2><p>Jane Doe</p></section>",
        cards((("Jane Doe", "Former VP Sales (until 2024)"), *REST)),
        cards(REST) + "<p>We thank Jane Doe, who left in March.</p>",
        cards((("John Doe", "VP Sales"), *REST)),
        cards((("Jane Blenkinsop", "VP Sales"), *REST)),
        cards(REST)
        + "<figure><img src=a.jpg><figcaption>Jane Doe (left) at the summit of 2019</figcaption></figure>",
        cards(REST)
        + "<h2>Selected papers</h2><p>Jane Doe, Robert Ashby, and Ann Other. On things. Journal, 2019.</p>",
    ],
)
def test_a_name_that_still_stands_somewhere_does_not_hide_a_departure(after: str) -> None:
    assert of(watch(*twice(page(after)))).state is State.GONE


@pytest.mark.parametrize(
    "team",
    [
        [(f"{name.split()[-1]}, {name.split()[0]}", title) for name, title in TEAM],
        [(f"{name[0]}. {name.split()[-1]}", title) for name, title in TEAM],
        [(f"Dr. {name}, PhD", title) for name, title in TEAM],
        [(name.upper(), title) for name, title in TEAM],
        [(name, f"{title} (Remote)") for name, title in TEAM],
        [(name, f"{title}, Europe West") for name, title in TEAM],
        [("Jane Doe-Miller", "VP Sales"), *REST],
    ],
)
def test_names_and_titles_written_otherwise_change_nothing(team: Sequence[Member]) -> None:
    assert states(watch(*twice(page(cards(team))))) == {State.PRESENT}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (fetched("", 1, status=0, error="timed out"), "no answer"),
        (fetched("<h1>Not found</h1>", 1, status=404), "not found"),
        (fetched("<h1>Oops</h1>", 1, status=500), "error of the site"),
        (fetched("slow down", 1, status=429), "not let in"),
        (fetched("", 1), "empty"),
        (fetched(page("<p>We can't find that page.</p>", "Oops"), 1), "not found"),
        (fetched(page("<p>You must accept cookies to continue</p>", "Before you continue"), 1), "consent"),
        (fetched("<p>Please verify you are a human</p>", 1), "robots"),
        (fetched("<form>Sign in <input type=password></form>", 1), "login"),
        (fetched("<noscript>You need to enable JavaScript.</noscript><div id=root></div>", 1), "JavaScript"),
        (fetched("<div id=root></div><script src=a.js></script>", 1), "JavaScript"),
        (fetched(page("<p>Ship faster</p>"), 1, final_url="https://www.acme.example/"), "led to /"),
        (fetched(page(""), 1), "none of the people"),
        (fetched('{"error": "timed out"}', 1), "error of the site"),
        (fetched(b"%PDF-1.7 \x00\x01\x02", 1), "none of the people"),
        (
            fetched("<?xml version='1.0'?><rss><item><author>Jane Doe</author></item></rss>", 1),
            "none of the people",
        ),
        (fetched(page(cards(TEAM))[:700], 1), "cut off"),
        (fetched(b"x" * 5_000_000, 1), "larger"),
    ],
)
def test_a_page_that_cannot_be_read_alarms_nobody_and_says_why(answer: Fetched, reason: str) -> None:
    later = Fetched(
        **{**{name: getattr(answer, name) for name in answer.__slots__}, "day": FIRST_DAY.replace(day=20)}
    )
    report = watch(answer, later)
    assert states(report) <= {State.UNKNOWN, State.PRESENT}
    assert any(reason in finding.reason for finding in report.findings)


def test_another_teams_page_of_the_same_design_alarms_nobody() -> None:
    others = [(f"{given} Quill", "Engineer") for given in ("Anna", "Boris", "Clara", "Dimitri")]
    assert states(watch(*twice(page(cards(others))))) == {State.UNKNOWN}


def test_a_new_title_is_said_once_after_the_second_look() -> None:
    promoted = page(cards((("Jane Doe", "Chief Revenue Officer"), *REST)))
    assert of(watch(fetched(promoted, 1))).state is State.PRESENT
    finding = of(watch(*twice(promoted)))
    assert (finding.state, finding.was, finding.now) == (State.CHANGED, "VP Sales", "Chief Revenue Officer")
    assert of(watch(*twice(promoted), fetched(promoted, 3))).state is State.PRESENT


def test_a_new_employer_is_a_move() -> None:
    def listing(org: str) -> str:
        rows = [f"<tr><td>{name}</td><td>{title}</td><td>Acme</td></tr>" for name, title in REST]
        head = "<tr><th>Name</th><th>Role</th><th>Company</th></tr>"
        return page(
            f"<table>{head}<tr><td>Jane Doe</td><td>VP Sales</td><td>{org}</td></tr>{''.join(rows)}</table>"
        )

    finding = of(
        watch(fetched(listing("Acme"), 1), fetched(listing("Globex"), 2), fetched(listing("Globex"), 3))
    )
    assert (finding.state, finding.was, finding.now) == (State.MOVED, "Acme", "Globex")
    assert (
        of(
            watch(
                fetched(listing("Acme"), 1),
                fetched(listing("Acme Inc."), 2),
                fetched(listing("Acme Inc."), 3),
            )
        ).state
        is State.PRESENT
    )


def test_a_company_that_is_renamed_moves_nobody() -> None:
    before, after = page(hcards(TEAM)), page(hcards(TEAM)).replace(">Acme<", ">Nova<")
    report = watch(fetched(before, 1), fetched(after, 2), fetched(after, 3))
    assert states(report) == {State.PRESENT}
    assert any(
        "Acme is now Nova" in notice for notice in watch(fetched(before, 1), fetched(after, 2)).notices
    )


def test_many_new_titles_at_once_are_a_reorganisation() -> None:
    new = ["Chief of Staff", "Principal Engineer", "Product Director", "Treasurer", "Support Lead"]
    shuffled = [(name, title) for (name, _), title in zip(TEAM, new, strict=True)]
    assert any("reorganisation" in notice for notice in watch(*twice(page(cards(shuffled)))).notices)


def test_a_new_name_is_recognised_by_the_photo_of_the_old() -> None:
    renamed = page(cards(TEAM)).replace("<h3>Jane Doe</h3>", "<h3>Jane Blenkinsop</h3>")
    finding = of(watch(fetched(renamed, 1)))
    assert finding.state is State.PRESENT
    assert "photo" in finding.reason


def test_who_was_never_on_the_page_is_unknown() -> None:
    report = watch(*twice(page(cards(TEAM))), contacts=[*CONTACTS, Watched("x", "Otis Quill")])
    assert of(report, "x").state is State.UNKNOWN


def test_a_page_that_names_one_person_alone_cannot_say_that_they_left() -> None:
    report = watch(*twice(page("<p>Nothing here</p>")), contacts=CONTACTS[:1])
    assert of(report).state is State.UNKNOWN


def test_further_pages_complete_the_list() -> None:
    first = page(cards(TEAM[:3]) + '<a rel="next" href="?page=2">Next</a>')
    second = Fetched(
        200,
        "https://www.acme.example/team?page=2",
        "https://www.acme.example/team?page=2",
        page(cards(TEAM[3:])).encode(),
        FIRST_DAY,
    )
    seen = look([fetched(first, 1)])
    assert "https://www.acme.example/team?page=2" in seen.wanted
    assert states(watch(*twice(first))) == {State.PRESENT, State.UNKNOWN}
    state = watch().state
    whole = look([fetched(first, 1), second]).sighting
    assert states(look_again(state, CONTACTS, whole, FIRST_DAY.replace(day=9))) == {State.PRESENT}


def test_a_listing_that_moved_is_followed_by_its_link() -> None:
    answer = fetched('<nav><a href="/company/people">People</a></nav><h1>404</h1>', 1, status=404)
    assert look([answer]).wanted[0] == "https://www.acme.example/company/people"


def test_no_address_of_another_host_or_scheme_is_asked_for() -> None:
    body = '<a href="https://evil.example/team">Team</a><a href="javascript:team()">Team</a><iframe src="file:///team"></iframe>'
    assert look([fetched(page(body))]).wanted == ("https://www.acme.example/about",)


def test_the_state_holds_no_names_of_people_nobody_watches() -> None:
    report = watch(contacts=CONTACTS[:1])
    assert "Ashby" not in str(report.state)
    assert isinstance(Sighting(), Sighting)

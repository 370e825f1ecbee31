from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.backtest import snapshots
from bot.model import Contact, NeedsHuman
from tests.backtest.past_mail import FIRST, JANE, acquaintance, folder, lived

PEOPLE = ("Jane Doe", "Bob Ray", "Ann Lee", "Tom Berg", "Eva Moss")
MONTH = timedelta(days=30)


def page(*names: str) -> str:
    cards = "".join(f'<li class="person"><h3>{name}</h3><p>Manager</p></li>' for name in names)
    return f"<html><title>Team</title><body><h1>Our team</h1><ul>{cards}</ul></body></html>"


def contacts() -> list[Contact]:
    return [
        JANE,
        *(
            Contact(f"{name.split()[0].lower()}@acme.example", name, account="Acme", owner=JANE.owner)
            for name in PEOPLE[1:]
        ),
    ]


def test_who_vanishes_from_a_page_is_seen_to_be_gone_on_the_day_of_the_snapshot(tmp_path: Path) -> None:
    place = tmp_path / "pages" / "www.acme.example"
    place.mkdir(parents=True)
    for back in range(4, -1, -1):
        day = FIRST + timedelta(3) - back * MONTH
        (place / f"{day}.html").write_text(page(*(PEOPLE if back else PEOPLE[1:])))
    box = folder(tmp_path / "box", acquaintance(until=FIRST - timedelta(10)))
    outcome = lived(box, *contacts(), pages=(tmp_path / "pages",))
    told = [line for line in outcome.lines if line.contact == JANE.address and "page_gone" in line.evidence]
    assert told
    assert FIRST + timedelta(3) <= told[0].day <= FIRST + timedelta(14)
    assert all(line.evidence == () for line in outcome.lines if line.contact == "bob@acme.example")


def test_a_listed_snapshot_says_what_was_answered_when(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(page("Jane Doe"))
    site = {
        "url": "https://acme.example/team",
        "fetches": [
            {"date": "2026-02-01", "file": "a.html"},
            {"date": "2026-01-01", "file": "a.html", "status": 503, "headers": {"Retry-After": "5"}},
        ],
    }
    (tmp_path / "site.json").write_text(json.dumps(site))
    (found,) = snapshots.sites(tmp_path, [JANE])
    assert [(one.at.date(), one.status) for one in found.snapshots] == [
        (date(2026, 1, 1), 503),
        (date(2026, 2, 1), 200),
    ]
    assert found.account == "acme.example"


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"fetches": [{"date": "x", "file": "a"}]}', '{"fetches": [{"file": "../../etc/passwd"}]}'],
)
def test_a_list_of_snapshots_that_makes_no_sense_is_said_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "site.json").write_text(text)
    with pytest.raises(NeedsHuman, match="cannot be read"):
        list(snapshots.sites(tmp_path, [JANE]))


def event(start: str, sequence: int, modified: str) -> str:
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:call-1\r\n"
        f"SEQUENCE:{sequence}\r\nDTSTAMP:{modified}\r\nLAST-MODIFIED:{modified}\r\nDTSTART:{start}\r\n"
        "SUMMARY:Call\r\nORGANIZER:mailto:jane@acme.example\r\nATTENDEE:mailto:jane@acme.example\r\n"
        "ATTENDEE:mailto:rita@vendor.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def test_pushes_that_only_calendar_files_show_are_known_from_their_day(tmp_path: Path) -> None:
    calendar = tmp_path / "rita"
    calendar.mkdir()
    starts = ("20260325T130000Z", "20260410T130000Z", "20260430T130000Z")
    for number, (day, start) in enumerate(zip((2, 9, 16), starts, strict=True)):
        (calendar / f"2026-03-{day:02}.ics").write_text(event(start, number, f"202603{day:02}T080000Z"))
    box = folder(tmp_path / "box", acquaintance())
    outcome = lived(box, JANE, calendars=(calendar,))
    pushes = [line.day for line in outcome.lines if "meeting_drift" in line.evidence]
    assert pushes
    assert pushes[0] >= date(2026, 3, 16)
    assert min(line.day for line in outcome.lines if "meeting_pushed" in line.evidence) >= date(2026, 3, 9)


def test_a_day_is_found_in_a_name_however_it_is_written() -> None:
    assert snapshots.day_in("team_20260305.html.gz") == date(2026, 3, 5)
    assert snapshots.day_in("2026-13-05.html") is None
    assert snapshots.day_in("2026-02-30.html") is None
    assert snapshots.day_in("120260305") is None

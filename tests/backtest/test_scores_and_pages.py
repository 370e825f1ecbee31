from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from bot.assessment import SHIPPED
from bot.backtest import Outcome, report, settings, truth
from bot.backtest.html import page
from bot.backtest.score import Bin, expected_error, score
from bot.cli import main
from bot.model import Contact, NeedsHuman
from tests.backtest.past_mail import FIRST, JANE, LAST, acquaintance, at, folder, gone, lived

DAY = timedelta(1)
TUESDAY = FIRST + 8 * DAY
HOSTILE = '<script>alert("x")</script>'
BOB = Contact("bob@other.example", HOSTILE, account='"><img src=x>', owner="sam@vendor.example")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Jane's mailbox and Bob's say that they left; of Jane it is true."""
    mails = [
        *acquaintance(until=FIRST + 6 * DAY),
        *acquaintance(BOB.address),
        gone(at(TUESDAY)),
        gone(at(TUESDAY + DAY), contact=BOB.address),
    ]
    return lived(folder(tmp_path_factory.mktemp("mail") / "box", mails), JANE, BOB)


def test_precision_recall_and_lag_are_counted_against_the_truth(outcome: Outcome) -> None:
    span = replace(outcome.span, last=LAST + 30 * DAY)
    found = score(replace(outcome, span=span), {JANE.address: TUESDAY - 3 * DAY})
    assert (found.precision["left"].right, found.precision["left"].of) == (1, 2)
    assert (found.recall.right, found.recall.of, found.lag) == (1, 1, 3)
    assert [told.alert.contact for told in found.wrong] == [BOB]
    assert found.mean_alerts == pytest.approx(2 / (2 * 8), rel=0.2)


def test_without_the_truth_nothing_is_right_or_wrong(outcome: Outcome) -> None:
    found = score(outcome, None)
    assert found.precision == {}
    assert found.wrong == ()
    assert found.alerts == {"left": 2}


def test_a_departure_that_nobody_was_told_of_counts_as_missed(outcome: Outcome) -> None:
    span = replace(outcome.span, last=LAST + 30 * DAY)
    found = score(replace(outcome, span=span, told=()), {JANE.address: TUESDAY})
    assert (found.recall.right, found.recall.of, found.lag) == (0, 1, None)


def test_the_calibration_error_is_the_mean_distance_weighted_by_size() -> None:
    assert expected_error([Bin(0.1, 0.2, 30), Bin(0.9, 0.6, 10)]) == pytest.approx(0.15)
    assert expected_error([]) is None


class Page(HTMLParser):
    """Collects what would be loaded or run, and how many drawings have a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.drawings = self.titled = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag in {"script", "img", "link", "iframe", "object"}:
            self.outside.append(tag)
        self.outside += [
            name for name, value in attrs if name.startswith("on") or (value or "").startswith("http")
        ]
        if tag == "svg":
            self.drawings += 1
            self.titled += bool(known.get("aria-label")) and known.get("role") == "img"


def test_the_page_loads_nothing_runs_nothing_and_says_each_drawing_in_words(outcome: Outcome) -> None:
    known = {JANE.address: TUESDAY}
    text = page(outcome, [score(outcome, known)], ["as shipped"], known)
    found = Page(text)
    assert found.outside == []
    assert found.drawings == found.titled == 5
    assert "prefers-color-scheme:dark" in text
    assert "default-src 'none'" in text


def test_a_hostile_name_is_shown_as_it_is_written_and_never_as_markup(outcome: Outcome) -> None:
    text = page(outcome, [score(outcome, None)], ["as shipped"], None)
    assert HOSTILE not in text
    assert "<img" not in text
    assert "&lt;script&gt;" in text


def test_two_settings_stand_side_by_side_on_the_page_and_in_the_terminal(outcome: Outcome) -> None:
    known = {JANE.address: TUESDAY}
    scores, names = [score(outcome, known)] * 2, ["as shipped", "slipping_from=2.0"]
    text = page(outcome, scores, names, known)
    assert re.search(r"<th class=\"n\" scope=\"col\">slipping_from=2.0</th>", text)
    assert "All else on this page is of the setting <strong>slipping_from=2.0</strong>" in text
    console = Console(record=True, width=100, file=Path("/dev/null").open("w"))  # noqa: SIM115 - the console's
    report.show(outcome, scores, names, known, console)
    console.file.close()
    shown = console.export_text()
    assert "slipping_from=2.0" in shown
    assert shown.count("50% of 2 (9-91%)") == 2
    assert "The alerts are those with slipping_from=2.0." in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("columns", ["email,departed", "Contact;Date", "address,left_on,how"])
def test_the_truth_is_read_under_several_names(tmp_path: Path, columns: str) -> None:
    mark = ";" if ";" in columns else ","
    rest = f"{mark}closed" if "how" in columns else ""
    (tmp_path / "t.csv").write_text(
        f"{columns}\nJane@acme.example{mark}2026-03-10{rest}\nbob@x.example{mark}{rest}\n"
    )
    assert truth.departures(tmp_path / "t.csv") == {"jane@acme.example": date(2026, 3, 10)}


@pytest.mark.parametrize("row", ["jane@acme.example,soon", "nobody,2026-01-01", ",2026-01-01"])
def test_a_truth_that_cannot_be_read_is_said_with_its_line(tmp_path: Path, row: str) -> None:
    (tmp_path / "t.csv").write_text(f"email,departed\n\n{row}\n")
    with pytest.raises(NeedsHuman, match="line 3"):
        truth.departures(tmp_path / "t.csv")


def test_an_outage_of_a_mailbox_that_is_not_read_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text("source,from,to,what\nelse,2026-03-01,2026-03-04,down\n")
    with pytest.raises(NeedsHuman, match="no mailbox is called 'else'"):
        truth.outages(tmp_path / "o.csv", {"rita": "mailbox:/rita"})


def test_thresholds_and_the_budget_can_be_set() -> None:
    chosen = settings.changed(["slipping_from=2.5", "alerts_a_day = 3"])
    assert chosen.thresholds == replace(SHIPPED, slipping_from=2.5)
    assert chosen.routing.alerts_a_day == 3


@pytest.mark.parametrize(
    "change", ["slipping_from", "slipping_from=x", "else=1", "likely_from=nan", "alerts_a_day=0"]
)
def test_what_cannot_be_set_is_said_with_what_can(change: str) -> None:
    with pytest.raises(NeedsHuman, match="cannot be set"):
        settings.changed([change])


def run(box: Path, contacts: Path, *more: str) -> tuple[int, str, str]:
    asked = ["backtest", "--contacts", str(contacts), "--mail", str(box), "--our-domain", "vendor.example"]
    done = CliRunner().invoke(main, [*asked, "--from", str(FIRST), "--to", str(LAST), "--jobs", "1", *more])
    return done.exit_code, done.stdout, done.stderr


def test_the_command_prints_a_line_of_json_for_each_day_of_change_and_writes_a_page(tmp_path: Path) -> None:
    box = folder(tmp_path / "box", [*acquaintance(), gone(at(TUESDAY))])
    contacts = tmp_path / "c.csv"
    contacts.write_text(f"email,name,owner\njane@acme.example,Jane Doe,{JANE.owner}\n")
    status, shown, said = run(box, contacts, "--json", "--html", str(tmp_path / "r.html"))
    assert status == 0, said
    lines = [json.loads(line) for line in shown.splitlines()]
    assert lines[0]["date"] == FIRST.isoformat()
    assert set(lines[0]) == {"date", "contact", "verdict", "probability", "decision", "reason", "evidence"}
    left = [line for line in lines if line["decision"] == "send"]
    assert [(line["date"], line["verdict"], line["evidence"][0]) for line in left] == [
        (TUESDAY.isoformat(), "left", "departed")
    ]
    assert "Jane Doe" in (tmp_path / "r.html").read_text()


def test_the_command_shows_a_report_with_both_settings(tmp_path: Path) -> None:
    box = folder(tmp_path / "box", [*acquaintance(), gone(at(TUESDAY))])
    (tmp_path / "c.csv").write_text(f"email,owner\njane@acme.example,{JANE.owner}\n")
    (tmp_path / "t.csv").write_text(f"email,departed\njane@acme.example,{TUESDAY}\n")
    status, shown, said = run(
        box, tmp_path / "c.csv", "--truth", str(tmp_path / "t.csv"), "--set", "slipping_from=3"
    )
    assert status == 0, said
    assert "What would have alarmed" in shown
    assert "slipping_from=3" in shown
    assert "✓" in shown


def test_a_span_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    box = folder(tmp_path / "box", acquaintance())
    (tmp_path / "c.csv").write_text("email\njane@acme.example\n")
    status, _, said = run(box, tmp_path / "c.csv", "--to", "2026-01-01")
    assert status == 2
    assert "--to lies before --from" in said


def test_the_page_can_be_read_on_paper_on_a_telephone_and_by_the_keyboard(outcome: Outcome) -> None:
    known = {JANE.address: TUESDAY}
    text = page(outcome, [score(outcome, known)] * 2, ["as shipped", "slipping_from=2.0"], known)
    assert "@media print" in text
    assert "details::details-content{content-visibility:visible" in text
    scrolled = re.findall(r'<div class="(?:card scroll|draw wide)"([^>]*)>', text)
    assert len(scrolled) == 5
    assert all('tabindex="0" role="region" aria-label' in one for one in scrolled)
    assert not re.search(r"<th[^>]*></th>", text)
    assert '<i class="on-leave"></i>on leave' in text


def test_the_terminal_and_the_table_count_the_same_alerts_a_week(outcome: Outcome) -> None:
    console = Console(record=True, width=100, file=Path("/dev/null").open("w"))  # noqa: SIM115 - the console's
    found = score(replace(outcome, contacts=(JANE,), told=outcome.told[:1]), None)
    report.show(
        replace(outcome, contacts=(JANE,), told=outcome.told[:1]), [found], ["as shipped"], None, console
    )
    console.file.close()
    assert f"{found.mean_alerts:.2f} a week, at most 1" in console.export_text()

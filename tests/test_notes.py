from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Alert, Assessment, Contact, Family, NeedsHuman, Verdict
from bot.notes import LONGEST, Note, Template, To, Wording
from bot.notes import drafts as drafts_in
from bot.wording import SHIPPED, load, shipped, usable
from tests.slack.story import ANN, BOB, JANE, LEFT, SLIPPING, alert


def drafts(raised: Alert) -> list[Note]:
    return drafts_in(raised, shipped())


LIKELY = replace(LEFT, verdict=Verdict.LIKELY_LEFT)


@pytest.mark.parametrize(
    ("assessment", "order"),
    [
        (SLIPPING, [To.CHAMPION, To.COLLEAGUE]),
        (LIKELY, [To.SUCCESSOR, To.COLLEAGUE, To.CHAMPION]),
        (LEFT, [To.SUCCESSOR, To.COLLEAGUE, To.CHAMPION]),
    ],
)
def test_the_most_useful_reader_comes_first(assessment: Assessment, order: list[To]) -> None:
    assert [note.to for note in drafts(alert(assessment))] == order


def test_a_draft_greets_by_first_name_and_names_the_deal_and_who_named_them() -> None:
    note = drafts(alert(LEFT))[0]
    assert (note.name, note.address) == (ANN.name, ANN.address)
    assert note.text.startswith("Hi Ann,\n\nJane Doe named you as the contact for our work with Acme.")
    assert "Renewal 2026" in note.text


@pytest.mark.parametrize("assessment", [SLIPPING, LIKELY, LEFT])
def test_no_draft_tells_what_was_observed(assessment: Assessment) -> None:
    for note in drafts(alert(assessment)):
        for word in (
            "bounce",
            "refused",
            "automatic",
            "left Acme",
            "signal",
            "noticed",
            "team page",
            "pushed",
        ):
            assert word not in note.text
        assert not any(item.sentence in note.text for item in assessment.evidence)


@pytest.mark.parametrize("assessment", [SLIPPING, LIKELY])
def test_nobody_says_goodbye_to_somebody_who_has_not_left(assessment: Assessment) -> None:
    assert not any("wish you all the best" in note.text for note in drafts(alert(assessment)))


def test_a_farewell_comes_last() -> None:
    *others, last = drafts(alert(LEFT))
    assert "wish you all the best" in last.text
    assert not any("wish you all the best" in note.text for note in others)


def test_without_names_and_deal_the_text_still_reads() -> None:
    bare = replace(JANE, name="", deal=None, account="")
    champion, _ = drafts(alert(replace(SLIPPING, suggestions=(replace(BOB, name=""),)), bare))
    assert champion.text.startswith("Hi there,")
    assert "our project with acme.example" in champion.text
    assert "{" not in champion.text


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_hostile_text_stays_short_and_on_its_line(text: str) -> None:
    odd = replace(JANE, name=text, account=text, deal=replace(JANE.deal, name=text) if JANE.deal else None)
    people = (replace(ANN, name=text), replace(BOB, name="", address=text))
    lines = {len(note.text.split("\n")) for note in drafts(alert(LEFT))}
    for note in drafts(alert(replace(LEFT, suggestions=people), odd)):
        assert len(note.text) <= LONGEST
        assert len(note.text.split("\n")) in lines


def test_somebody_who_did_not_say_so_themselves_gets_no_farewell() -> None:
    by_others = tuple(replace(item, family=Family.PUBLIC) for item in LEFT.evidence)
    *_, champion = drafts(alert(replace(LEFT, evidence=by_others)))
    assert "Are you still the right person" in champion.text


def test_every_language_has_every_text() -> None:
    for language in ("en", "de"):
        assert {path.stem for path in (SHIPPED / language).glob("*.txt")} == set(Template)


def test_notes_are_in_the_language_that_was_chosen() -> None:
    *_, champion = drafts_in(alert(SLIPPING), load(None, "de"))
    assert "Guten Tag" in champion.text
    bare: Contact = replace(JANE, deal=None, name="")
    first = drafts_in(alert(SLIPPING, bare), load(None, "de"))[0]
    assert first.text.startswith("Guten Tag,")
    assert "unserem Projekt mit Acme" in first.text


def test_the_teams_own_text_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "successor.txt").write_text("Dear {{ name }},\n\n{{ subject }}?\n", encoding="utf-8")
    first, *others = drafts_in(alert(LEFT), load(tmp_path, "en"))
    assert first.text == "Dear Ann Lee,\n\nRenewal 2026?"
    assert "second contact" in others[0].text


@pytest.mark.parametrize(
    ("name", "text", "where", "what"),
    [
        ("farewell.txt", "Hi {{ first }},\n\n{% if deal %}\n", ":3:", "end of template"),
        ("farewell.txt", "Hi\n{{ salary }}", ":2:", "'salary' is undefined"),
        ("farewell.txt", "Hi\n\n{{ first.__class__.__mro__ }}", ":3:", "unsafe"),
        ("farewell.txt", "Hi\n{{ 1 / 0 }}", ":2:", "division by zero"),
        ("farewell.txt", "  \n", ":1:", "says nothing"),
        ("farewel.txt", "Hi", "farewel.txt", "did you mean farewell.txt?"),
        ("farewell.txt", "x" * 30_000, "farewell.txt", "longer than"),
    ],
)
def test_a_broken_text_is_said_with_file_and_line(
    tmp_path: Path, name: str, text: str, where: str, what: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(NeedsHuman) as stopped:
        load(tmp_path, "en")
    assert where in str(stopped.value)
    assert what in str(stopped.value)


def test_a_text_that_is_no_utf_8_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "colleague.txt").write_bytes("Hi\nGr\u00fc\u00dfe".encode("cp1252"))
    with pytest.raises(NeedsHuman, match=r"colleague\.txt:2: is not text in UTF-8"):
        load(tmp_path, "en")


def test_a_missing_folder_is_told_before_anybody_needs_it(tmp_path: Path) -> None:
    with pytest.raises(NeedsHuman, match="No such file"):
        load(tmp_path / "nowhere", "en")


def test_a_text_that_fails_for_one_person_alone_gives_way_to_ours() -> None:
    odd = Wording(
        dict.fromkeys(Template, "{{ 1 // (name | length - 7) }}"), shipped=shipped()
    )  # Bob Roe has seven letters and a blank
    assert [note.text[:2] for note in drafts_in(alert(LEFT), odd)] == ["Hi", "Hi", "1"]


def test_what_stands_in_a_name_is_never_run() -> None:
    named = replace(ANN, name="{{ 7 * 7 }} Lee")
    first, *_ = drafts(alert(replace(LEFT, suggestions=(named,))))
    assert "49" not in first.text


def test_a_broken_text_keeps_nothing_from_working_and_ours_takes_its_place(tmp_path: Path) -> None:
    (tmp_path / "successor.txt").write_text("Hello {{ name }}!", encoding="utf-8")
    (tmp_path / "colleague.txt").write_text("Hi\n{% if deal %}", encoding="utf-8")
    (tmp_path / "farewel.txt").write_text("Bye", encoding="utf-8")
    told: list[NeedsHuman] = []
    wording = usable(tmp_path, "en", told.append)
    first, second, *_ = drafts_in(alert(LEFT), wording)
    assert first.text == "Hello Ann Lee!"
    assert "second contact" in second.text
    assert [one.what.removeprefix(f"{tmp_path}/").partition(": ")[0] for one in told] == [
        "colleague.txt:2",
        "farewel.txt",
    ]
    usable(tmp_path / "nowhere", "en", told.append)
    assert "No such file" in told[-1].what


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ self.__init__.__globals__ }}",
        "{{ lipsum.__globals__['os'].environ }}",
        "{{ (first | attr('__class__')).__name__ }}",
        "{{ '{0.__class__}'.format(first) }}",
        "{% include '/etc/passwd' %}",
        "{% include 'colleague' %}",
        "{% import 'os' as os %}{{ os }}",
        "{% for i in range(999999999) %}x{% endfor %}",
        "{{ range.__self__ }}",
    ],
)
def test_a_text_reaches_neither_the_system_nor_other_files(tmp_path: Path, text: str) -> None:
    (tmp_path / "farewell.txt").write_text(f"Hi\n{text}", encoding="utf-8")
    with pytest.raises(NeedsHuman, match=r"farewell\.txt:\d+: "):
        load(tmp_path, "en")

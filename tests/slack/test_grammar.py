from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.model import Contact
from bot.slack import grammar
from bot.slack.grammar import Command

TODAY = date(2026, 8, 3)
JANE = Contact("jane.doe@acme.example", "Jane Doe", account="Acme")
BOB = Contact("bob@acme.example", "Bob Roe")

PIECES = (*"ab @.,;<>|\"“”'\n&\x00", "<mailto:", "@b.example", "add ")
typed = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("", Command("help")),
        ("   ", Command("help")),
        ("List", Command("list")),
        ("list   all ", Command("list", "all")),
        ("add\njane@acme.example\nJane", Command("add", "jane@acme.example Jane")),
        ("show <mailto:jane@acme.example|jane@acme.example>", Command("show", "jane@acme.example")),
        ("show “Jane Doe”", Command("show", '"Jane Doe"')),
        ("show O’Brien", Command("show", "O'Brien")),  # noqa: RUF001 - as keyboards write it
        ("show A&amp;B &lt;x&gt;", Command("show", "A&B <x>")),
        ("show <@U0AAAAAAA|rita> <#C1|general> <https://acme.example|acme.example>", None),
    ],
)
def test_a_command_is_read_as_it_was_typed(text: str, command: Command | None) -> None:
    expected = command or Command("show", "@rita #general https://acme.example")
    assert grammar.read(text).verb == expected.verb
    assert grammar.read(text).rest.split() == expected.rest.split()


@pytest.mark.parametrize(
    ("text", "name", "account"),
    [
        ("jane.doe@acme.example", "", ""),
        ("jane.doe@acme.example Jane Doe, Acme", "Jane Doe", "Acme"),
        ("Jane Doe, Acme jane.doe@acme.example", "Jane Doe", "Acme"),
        ("Jane Doe <jane.doe@acme.example> Acme", "Jane Doe", "Acme"),
        ('jane.doe@acme.example "Doe, Jane" "Acme, Inc."', "Doe, Jane", "Acme, Inc."),
        ('jane.doe@acme.example Jane Doe "Acme, Inc."', "Jane Doe", "Acme, Inc."),
        ('jane.doe@acme.example "Jane Doe', "Jane Doe", ""),
        ("JANE.DOE@acme.example ,, Jane   Doe , ", "Jane Doe", ""),
        ("jane.doe@acme.example Zoë O'Brien-Łuk, 阿克米", "Zoë O'Brien-Łuk", "阿克米"),
    ],
)
def test_a_person_is_read_in_any_order_and_with_quotes(text: str, name: str, account: str) -> None:
    assert grammar.person(text) == Contact("jane.doe@acme.example", name, account=account)


@pytest.mark.parametrize(
    ("verb", "near"),
    [
        ("lst", "list"),
        ("watch", "add"),
        ("delete", "remove"),
        ("jane@acme.example", "show"),
        ("digest", "settings"),
        ("status", "show"),
        ("xyzzy", None),
    ],
)
def test_the_verb_that_was_meant_is_found(verb: str, near: str | None) -> None:
    found = grammar.nearest(verb)
    assert (found.name if found else None) == near


@pytest.mark.parametrize(
    ("text", "who", "day"),
    [
        ("jane", "jane", date(2026, 8, 10)),
        ("Jane Doe 1d", "Jane Doe", date(2026, 8, 4)),
        ("Jane Doe 2 weeks", "Jane Doe", date(2026, 8, 17)),
        ('"Jane Doe" 2026-09-01', "Jane Doe", date(2026, 9, 1)),
        ("jane@acme.example 1.9.2026", "jane@acme.example", date(2026, 9, 1)),
        ("jane tomorrow", "jane", date(2026, 8, 4)),
        ("Jane Doe until Friday", "Jane Doe", date(2026, 8, 7)),
        ("jane until monday", "jane", date(2026, 8, 10)),
        ("Jane Doe for 2 days", "Jane Doe", date(2026, 8, 5)),
        ("jane till 2026-09-01", "jane", date(2026, 9, 1)),
        ("until 1d", "until", date(2026, 8, 4)),
        ("1d", "1d", date(2026, 8, 10)),
        ("", "", date(2026, 8, 10)),
    ],
)
def test_whom_and_until_when_are_told_apart(text: str, who: str, day: date) -> None:
    assert grammar.who_until(text, TODAY) == (who, day)


def test_an_address_that_ends_too_early_is_said_and_not_watched() -> None:
    assert "ends too early" in str(grammar.person("jane@acme Jane Doe"))
    assert grammar.people("jane@acme\nbob@acme.example").contacts == (Contact("bob@acme.example"),)


@pytest.mark.parametrize("text", ["0d", "2026-08-03", "2027-09-01", "999w", "soon", ""])
def test_an_impossible_time_is_said(text: str) -> None:
    assert isinstance(grammar.until(text, TODAY), str)


def test_an_address_is_meant_before_a_name_and_a_name_before_a_part() -> None:
    jane = Contact("jane@b.example", "Jane")
    assert grammar.matching("jane", [JANE, jane, BOB]) == [jane]
    assert grammar.matching("JANE.DOE@acme.example", [JANE, jane]) == [JANE]
    assert grammar.matching("acme", [JANE, jane, BOB]) == [JANE, BOB]
    assert grammar.matching(" ", [JANE]) == []
    assert grammar.near("Jan Doe", [JANE, BOB]) == [JANE]


def test_a_list_is_read_as_people_write_it_and_its_problems_are_named() -> None:
    found = grammar.people(
        "Jane Doe <jane.doe@acme.example>, Bob Roe <bob@acme.example>\nnobody\nbob@acme.example"
    )
    assert [contact.name for contact in found.contacts] == ["Jane Doe", "Bob Roe"]
    assert found.problems == (
        "Line 3: There is no e-mail address in “nobody”.",
        "Line 4: bob@acme.example stands in an earlier line.",
    )


@pytest.mark.parametrize(
    "line",
    [
        "jane.doe@acme.example;Jane Doe;A&amp;B",
        "jane.doe@acme.example\tJane Doe\tA&amp;B",
        "Jane Doe; A&amp;B ; <mailto:jane.doe@acme.example|jane.doe@acme.example>",
    ],
)
def test_columns_without_a_header_may_be_parted_by_semicolons_and_tabs(line: str) -> None:
    found = grammar.people(f"{line}\nBob Roe <bob@acme.example>; ann@acme.example")
    jane = Contact("jane.doe@acme.example", "Jane Doe", account="A&B")
    assert found.contacts == (jane, BOB, Contact("ann@acme.example"))
    assert found.problems == ()


def test_a_semicolon_in_quotes_parts_nothing() -> None:
    [found] = grammar.people('jane.doe@acme.example; Jane Doe; "Acme; Beta"').contacts
    assert found.account == "Acme; Beta"


@pytest.mark.parametrize("text", ["jane 1y", "Jane Doe 3 months", "jane 6h"])
def test_a_span_that_is_none_is_said_and_not_taken_for_a_name(text: str) -> None:
    who, until = grammar.who_until(text, TODAY)
    assert who.lower().startswith("jane")
    assert who[-1].isalpha()
    assert isinstance(until, str)
    assert "is no time" in until


def test_a_header_makes_it_csv_and_one_that_names_no_address_column_does_not() -> None:
    found = grammar.people("E-Mail;Name\njane.doe@acme.example;Jane Doe\nx;y")
    assert [contact.name for contact in found.contacts] == ["Jane Doe"]
    assert found.problems == ("Line 3: 'x' is no e-mail address.",)
    assert grammar.people("name;account\nJane;Acme").contacts == ()


def test_no_more_people_are_read_than_can_be_added_at_once() -> None:
    lines = [f"p{number}@acme.example" for number in range(grammar.MOST_ROWS + 5)]
    for text in ("\n".join(lines), "\n".join(["email", *lines])):
        found = grammar.people(text)
        assert len(found.contacts) == grammar.MOST_ROWS
        assert "Only the first" in "".join(found.problems)


@settings(max_examples=150, deadline=None)
@example("<<mailto:a@b.example|>")
@given(typed)
def test_whatever_is_typed_is_read_without_a_failure(text: str) -> None:
    command = grammar.read(text)
    assert command.verb
    grammar.nearest(command.verb)
    read = grammar.person(command.rest)
    assert isinstance(read, str) or "@" in read.address
    grammar.people(text)
    grammar.who_until(text, TODAY)
    grammar.matching(text, [JANE])


def test_hostile_text_takes_linear_time() -> None:
    started = time.perf_counter()
    for unit in ("<", "<a|", "a@", '"', ",", "<mailto:", "a" * 64 + "@", "a.", "&", "“", "a@b.", ";a@b"):
        text = unit * (100_000 // len(unit))
        grammar.read(text)
        grammar.person(text)
        grammar.people(text)
        grammar.who_until(text[:20_000], TODAY)
    assert time.perf_counter() - started < 5

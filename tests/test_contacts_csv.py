from __future__ import annotations

import csv
import io
import math
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.crm.csv import Contacts, amount, day, decode, parse_contacts, read_contacts, recognise
from bot.model import Contact, Deal, NeedsHuman

OURS = (
    "email,name,title,account,owner,deal,amount,currency,stage,close_date,country,informed_on,links\n"
    "jane@acme.example,Jane Doe,CTO,Acme,ann@vendor.example,Renewal,48000,EUR,Proposal,2026-09-30,DE,"
    "2026-10-05,https://social.example/jane https://acme.example/team\n"
)
JANE = Contact(
    address="jane@acme.example",
    name="Jane Doe",
    title="CTO",
    account="Acme",
    owner="ann@vendor.example",
    deal=Deal("Renewal", 48000.0, "EUR", "Proposal", date(2026, 9, 30)),
    country="DE",
    links=("https://social.example/jane", "https://acme.example/team"),
    informed_on=date(2026, 10, 5),
)


def parse(text: str) -> Contacts:
    return parse_contacts(text, "contacts.csv")


def only(text: str) -> Contact:
    found = parse(text)
    assert found.bad == ()
    [contact] = found.contacts
    return contact


def test_our_own_columns_are_read() -> None:
    assert only(OURS) == JANE


def test_a_later_row_may_say_when_somebody_was_informed() -> None:
    rows = "email,name,informed_on\njane@acme.example,Jane Doe,\njane@acme.example,,05.10.2026\n"
    assert parse(rows).contacts == (Contact("jane@acme.example", "Jane Doe", informed_on=date(2026, 10, 5)),)


def test_an_address_is_all_that_is_needed() -> None:
    assert only("email\njane@acme.example\n") == Contact("jane@acme.example")


def test_a_contact_export_of_hubspot_is_recognised() -> None:
    contact = only(
        '"Record ID","First Name","Last Name","Email","Phone Number","Contact owner","Primary Associated'
        ' Company","Job Title","Country/Region","Associated Deal","Close Date","LinkedIn URL"\n'
        '"101","Jane","Doe","Jane@Acme.example","","Ann Lee","Acme","CTO","Germany","Renewal",'
        '"2026-09-30 14:05","https://social.example/jane"\n'
    )
    assert contact == Contact(
        address="jane@acme.example",
        name="Jane Doe",
        title="CTO",
        account="Acme",
        owner="Ann Lee",
        deal=Deal("Renewal", close_date=date(2026, 9, 30)),
        country="Germany",
        links=("https://social.example/jane",),
    )


@pytest.mark.parametrize(
    "header",
    [
        "First Name,Last Name,Title,Account Name,Mailing Country,Email,Contact Owner,Opportunity Name,Amount",
        "FirstName,LastName,Title,Account.Name,MailingCountry,Email,Owner.Name,Opportunity Name,Amount",
    ],
)
def test_a_contact_export_of_salesforce_is_recognised(header: str) -> None:
    contact = only(f'{header}\nJane,Doe,CTO,Acme,DE,jane@acme.example,Ann Lee,Renewal,"48,000.00"\n')
    assert contact == Contact(
        "jane@acme.example", "Jane Doe", "CTO", "Acme", "Ann Lee", Deal("Renewal", 48000.0), "DE"
    )


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_whatever_separates_columns_and_rows_they_are_told_apart(mark: str, newline: str) -> None:
    rows = [["email", "name, first and last", "title"], ["jane@acme.example", "Doe, Jane; Dr", "CTO"]]
    text = io.StringIO()
    csv.writer(text, delimiter=mark, lineterminator=newline).writerows(rows)
    assert only(text.getvalue()) == Contact("jane@acme.example", title="CTO")


def test_the_columns_decide_what_separates_them_not_the_commas_in_a_header() -> None:
    text = 'email;"Name, Vorname, Titel, Anrede";account\njane@acme.example;Doe, Jane;Acme\n'
    assert only(text) == Contact("jane@acme.example", account="Acme")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"], ids=str
)
def test_the_encodings_of_spreadsheets_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "contacts.csv"
    path.write_bytes("email;name\r\njürg@acme.example;Jürg Äbi\r\n".encode(encoding))
    assert read_contacts(path) == Contacts((Contact("jürg@acme.example", "Jürg Äbi"),))


def test_one_line_in_another_encoding_spoils_no_other(tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    names = ["Jürgen Müller", "Zoë Núñez", "Łukasz Żak"]
    rows = [f"{number}@acme.example,{name}\n" for number, name in enumerate(names)]
    encodings = ["utf-8", "cp1252", "utf-8"]
    written = [row.encode(encoding) for row, encoding in zip(rows, encodings, strict=True)]
    file.write_bytes(b"email,name\n" + b"".join(written))
    assert [one.name for one in read_contacts(file).contacts] == names


def test_blank_lines_before_and_between_are_passed_over_and_lines_keep_their_numbers() -> None:
    found = parse("\n;;\nemail;name\n\njane@acme.example;Jane\n ; \nnobody;X\n")
    assert [contact.name for contact in found.contacts] == ["Jane"]
    assert [(bad.line, bad.reason) for bad in found.bad] == [(7, "'nobody' is no e-mail address")]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "no e-mail address"),
        ("jane", "'jane' is no e-mail address"),
        ("jane@", "'jane@' is no e-mail address"),
        ("@acme.example", "'@acme.example' is no e-mail address"),
        ("jane doe@acme.example", "'jane doe@acme.example' is no e-mail address"),
        ("jane@acme.example; bob@acme.example", "is no e-mail address"),
        ("x" * 10_000, f"'{'x' * 60}' is no e-mail address"),
    ],
)
def test_a_row_without_a_valid_address_is_named_and_the_others_are_taken(cell: str, reason: str) -> None:
    found = parse(f'email,name\nann@acme.example,Ann\n"{cell}",Jane\nbob@acme.example,Bob\n')
    assert [contact.name for contact in found.contacts] == ["Ann", "Bob"]
    [bad] = found.bad
    assert bad.line == 3
    assert reason in bad.reason


def test_an_address_is_taken_in_lower_case_and_out_of_a_link() -> None:
    found = parse("email\n JANE@Acme.Example \nmailto:bob@acme.example\n")
    assert [contact.address for contact in found.contacts] == ["jane@acme.example", "bob@acme.example"]


def test_a_second_row_of_the_same_person_adds_what_the_first_lacks_and_is_named() -> None:
    found = parse(
        "email,name,title,deal,amount\njane@acme.example,Jane Doe,,,\nbob@acme.example,Bob,,,\n"
        "Jane@acme.example,J. Doe,CTO,Renewal,5\n"
    )
    jane, bob = found.contacts
    assert jane == Contact("jane@acme.example", "Jane Doe", "CTO", deal=Deal("Renewal", 5.0))
    assert bob.name == "Bob"
    [bad] = found.bad
    assert bad.line == 4
    assert "earlier line" in bad.reason


def test_a_row_that_is_too_short_gives_what_it_has_and_one_too_long_loses_nothing() -> None:
    found = parse("name,email,title\nJane,jane@acme.example\nBob,bob@acme.example,CTO,more,and more\n")
    assert found.contacts == (
        Contact("jane@acme.example", "Jane"),
        Contact("bob@acme.example", "Bob", "CTO"),
    )


def test_a_quote_that_is_never_closed_swallows_no_other_row() -> None:
    others = "".join(f"p{n}@acme.example,CTO\n" for n in range(50))
    found = parse(f'email,title\njane@acme.example,"Head of\n{others}')
    assert len(found.contacts) == 51
    assert found.contacts[0] == Contact("jane@acme.example", title="Head of")


def test_quotes_inside_a_cell_that_nobody_doubled_lose_no_row() -> None:
    found = parse(
        'email,name,title\njane@acme.example,"Jane "JD" Doe",CTO\nbob@acme.example,"Bob ""B"" Ray",CFO\n'
    )
    assert [contact.address for contact in found.contacts] == ["jane@acme.example", "bob@acme.example"]
    assert found.contacts[1].name == 'Bob "B" Ray'


def test_a_cell_of_several_lines_becomes_one_line() -> None:
    text = 'email,name,title\njane@acme.example,"Jane\r\nDoe",CTO\nbob@acme.example,Bob,CFO\n'
    assert [contact.name for contact in parse(text).contacts] == ["Jane Doe", "Bob"]


def test_control_characters_are_dropped_and_letters_of_every_script_are_kept() -> None:
    text = "email,name\nja\0ne@acme.example,Ja\x1b[31mne\0 \u202eDoe\nli@acme.example,می\u200cگ 李\n"
    assert [(contact.address, contact.name) for contact in parse(text).contacts] == [
        ("jane@acme.example", "Ja[31mne Doe"),
        ("li@acme.example", "می\u200cگ 李"),
    ]


def test_a_huge_cell_is_cut_and_the_rows_around_it_are_taken() -> None:
    huge = "x" * 3_000_000
    found = parse(f'email,name\nann@acme.example,Ann\njane@acme.example,"{huge}"\nbob@acme.example,Bob\n')
    assert [(contact.address, len(contact.name)) for contact in found.contacts] == [
        ("ann@acme.example", 3),
        ("jane@acme.example", 500),
        ("bob@acme.example", 3),
    ]


def test_twenty_thousand_rows_are_all_taken() -> None:
    rows = "".join(
        f'p{n}@acme{n % 99}.example,Person {n},"48,000.00",31/12/2026,"a\nb"\n' for n in range(20_000)
    )
    found = parse(f"email,name,amount,close date,notes\n{rows}")
    assert len(found.contacts) == 20_000
    assert found.bad == ()


def test_a_header_alone_is_a_file_with_nobody_in_it() -> None:
    assert parse("email,name\n") == Contacts(())


@pytest.mark.parametrize(
    ("text", "found"),
    [("", ""), ("\n\n", ""), ("name,phone\nJane,1\n", "name, phone"), ("jane@acme.example\n", "jane@acme")],
)
def test_a_file_without_an_email_column_says_what_it_has(text: str, found: str) -> None:
    with pytest.raises(NeedsHuman, match="no e-mail column among" if found else "holds no table") as caught:
        parse(text)
    assert caught.value.what.startswith("contacts.csv: ")
    assert found in caught.value.what
    assert "'email'" in caught.value.how


def test_a_file_that_is_not_there_is_named_with_what_to_give(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(NeedsHuman, match="'email'") as caught:
            read_contacts(path)
        assert str(path) in caught.value.what


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("48000", 48000.0),
        ("48,000.00", 48000.0),
        ("48.000,00", 48000.0),
        ("1.234.567", 1234567.0),
        ("1,234,567", 1234567.0),
        ("€ 48 000", 48000.0),
        ("EUR 48\N{NO-BREAK SPACE}000,5", 48000.5),
        ("48'000 CHF", 48000.0),
        ("$1,250.50", 1250.5),
        ("-5", -5.0),
        ("0", 0.0),
        ("", None),
        ("-", None),
        ("unknown", None),
        ("1.2.3", None),
        ("48k", None),
        ("1.5 Mio. EUR", None),
        ("9" * 400, None),
    ],
)
def test_an_amount_is_read_as_people_write_it(text: str, value: float | None) -> None:
    assert amount(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-09-30", date(2026, 9, 30)),
        ("2026-09-30T14:05:00Z", date(2026, 9, 30)),
        ("30.09.2026", date(2026, 9, 30)),
        ("1.9.2026 10:00", date(2026, 9, 1)),
        ("9/30/2026", date(2026, 9, 30)),
        ("1/2/2026 10:00", date(2026, 1, 2)),
        ("30/09/2026", date(2026, 9, 30)),
        ("2026-02-30", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_day_is_read_in_the_forms_of_the_common_exports(text: str, value: date | None) -> None:
    assert day(text) == value


@given(st.text(max_size=80))
@settings(max_examples=100, deadline=None)
def test_no_text_makes_an_amount_or_a_day_fail(text: str) -> None:
    value = amount(text)
    assert value is None or math.isfinite(value)
    assert day(text) is None or isinstance(day(text), date)


@given(st.text(st.sampled_from("ab@.,;\t\"'\n\r\0 é1"), max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_rows_make_it_fail_and_every_contact_has_an_address(text: str) -> None:
    found = parse(f"email,name\n{text}\nlast@acme.example,Last")
    assert found.contacts[-1].address == "last@acme.example" or '"' in text
    assert all(
        "@" in contact.address and contact.address == contact.address.lower() for contact in found.contacts
    )


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_no_bytes_do_worse_than_ask_for_a_human(raw: bytes) -> None:
    with suppress(NeedsHuman):
        parse(decode(raw))


@pytest.mark.parametrize("mark", [";", ",", "\t", "|"])
@pytest.mark.parametrize("spelt", ["sep={}", "\ufeffsep={}", '"sep={}"', "SEP={}", "\n\nsep={}\n"])
def test_the_line_by_which_excel_names_the_separator_is_no_header(mark: str, spelt: str) -> None:
    table = mark.join(("email", "name")) + "\r\n" + mark.join(("jane@acme.example", "Jane Doe")) + "\r\n"
    assert only(f"{spelt.format(mark)}\r\n{table}").name == "Jane Doe"


def test_an_address_behind_a_name_is_taken_and_two_are_not_guessed_between() -> None:
    assert only("email\nJane Doe <Jane@acme.example>\n").address == "jane@acme.example"
    assert only("email\n<jane@acme.example>\n").address == "jane@acme.example"
    found = parse("email\nJane <jane@acme.example> <ann@acme.example>\nJane <jane>\n")
    assert [row.line for row in found.bad] == [2, 3]
    assert found.contacts == ()


@pytest.mark.parametrize("domain", ["acme..example", "..", "acme.example.", ".acme.example", "-acme.example"])
def test_a_domain_with_an_empty_part_is_none(domain: str) -> None:
    assert parse(f"email\njane@{domain}\n").contacts == ()


@pytest.mark.parametrize(
    "header",
    [
        "E-Mail-Adresse",
        "E-mail 1 - Value",
        "Primary email",
        "Contact Email",
        "Email (Work)",
        "Email 1",
        "Email1",
        "e_mail",
        "Person - Email - Work",
        "Adresse e-mail",
        "E-Mail (geschäftlich)",
        "EmailAddress",
        "Courriel",
    ],
)
def test_a_column_whose_name_says_email_in_other_words_is_the_address(header: str) -> None:
    assert only(f"Owner email,Email Opt Out,{header}\nrita@us.example,no,jane@acme.example\n").address == (
        "jane@acme.example"
    )


@pytest.mark.parametrize(
    "header",
    [
        "Owner email",
        "Email Opt Out",
        "E-mail 1 - Type",
        "Email bounced",
        "Last email date",
        "Mailing address",
    ],
)
def test_a_column_about_email_that_holds_no_address_of_the_contact_is_another(header: str) -> None:
    assert "email" not in recognise([header])


def test_a_column_of_our_own_name_comes_before_one_in_other_words() -> None:
    assert only("Primary email,email\nold@acme.example,jane@acme.example\n").address == "jane@acme.example"


@pytest.mark.parametrize(
    ("table", "cure"),
    [
        ("Name,Reach her at\nJane,\nBob,bob@acme.example\n", "rename the column 'Reach her at' to email"),
        (
            "Owner of it,At\nrita@us.example,jane@acme.example\n",
            "rename the column 'At' to email",
        ),
        ("Name,Phone\nJane,555\n", "save a CSV file whose first line names a column 'email'"),
    ],
)
def test_without_a_column_of_addresses_the_cure_names_the_one_that_holds_them(table: str, cure: str) -> None:
    with pytest.raises(NeedsHuman) as refused:
        parse(table)
    assert refused.value.how == cure


def test_a_row_over_several_lines_and_a_line_for_excel_keep_the_lines_of_an_editor() -> None:
    found = parse('sep=;\nemail;name\njane@acme.example;"Jane\nDoe"\nnobody;"X\nY"\nnone;Z\n')
    assert [bad.line for bad in found.bad] == [5, 7]


@pytest.mark.parametrize(
    "header",
    [
        "Person - Name,Person - Organization,Person - Email - Work",
        "Name,Organization 1 - Name,E-mail 1 - Value",
        "Name,Organization Name,E-mail 1 - Value",
    ],
)
def test_exports_of_pipedrive_and_google_give_name_and_account_too(header: str) -> None:
    found = only(f"{header}\nJane Doe,Acme,jane@acme.example\n")
    assert (found.name, found.account, found.address) == ("Jane Doe", "Acme", "jane@acme.example")

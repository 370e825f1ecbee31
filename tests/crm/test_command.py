from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from tests.crm.test_import import furnish, people
from tests.servers import hubspot, salesforce


def settings(folder: Path, crm: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(f"team:\n  domains: [vendor.example]\ncrm:\n{crm}")
    return path


def hubspots(folder: Path, portal: hubspot.HubSpot) -> Path:
    return settings(folder, f"  hubspot:\n    api: {portal.url}\n")


async def run(*words: object) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, [str(word) for word in words])


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


async def test_check_says_how_much_may_be_read(portal: hubspot.HubSpot, tmp_path: Path) -> None:
    furnish(portal)
    portal.add("contacts", email="zoe@acme.example", hs_email_optout="true")
    result = await run("crm", "check", "--config", hubspots(tmp_path, portal), "--json")
    assert result.exit_code == 0, result.output
    assert {line["what"]: line["count"] for line in lines(result)} == {
        "contacts": 4,
        "companies": 1,
        "open deals": 2,
        "owners": 2,
        "logged mails": 0,
        "meetings": 0,
        "opted out of e-mail": 1,
    }


async def test_check_names_each_failure_with_its_cure_and_goes_on(
    portal: hubspot.HubSpot, tmp_path: Path
) -> None:
    portal.tokens = {hubspot.TOKEN: hubspot.EVERYTHING - {"crm.objects.owners.read"}}
    result = await run("crm", "check", "--config", hubspots(tmp_path, portal))
    assert result.exit_code == 1
    assert "ok   contacts: 0" in result.stdout
    assert "BAD  owners:" in result.stdout
    assert "grant it the scope crm.objects.owners.read" in result.stdout


async def test_check_of_salesforce_goes_on_where_an_object_is_switched_off(
    organisation: salesforce.Salesforce, tmp_path: Path
) -> None:
    people(organisation)
    organisation.switched_off = {"EmailMessage"}
    access = f"  salesforce:\n    url: {organisation.url}\n    client_id: {salesforce.CLIENT}\n"
    result = await run("crm", "check", "--config", settings(tmp_path, access), "--json")
    assert result.exit_code == 1
    told = {line["what"]: line for line in lines(result)}
    assert told["contacts"]["count"] == 5
    assert told["roles in open opportunities"]["count"] == 4
    assert [what for what, line in told.items() if not line["ok"]] == ["logged mails"]


async def test_check_says_where_opt_outs_may_not_be_read(
    organisation: salesforce.Salesforce, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(organisation)
    hidden = salesforce.FIELDS["Contact"] - {"HasOptedOutOfEmail"}
    monkeypatch.setitem(salesforce.FIELDS, "Contact", hidden)
    access = f"  salesforce:\n    url: {organisation.url}\n    client_id: {salesforce.CLIENT}\n"
    result = await run("crm", "check", "--config", settings(tmp_path, access))
    assert result.exit_code == 1
    [bad] = [line for line in result.stdout.splitlines() if line.startswith("BAD")]
    assert bad.startswith("BAD  opted out of e-mail:")
    assert "Email Opt Out" in bad


async def test_a_dry_run_shows_whom_it_would_take_and_keeps_nothing(
    portal: hubspot.HubSpot, tmp_path: Path
) -> None:
    furnish(portal)
    result = await run("crm", "import", "--config", hubspots(tmp_path, portal), "--dry-run", "--json")
    assert result.exit_code == 0, result.output
    assert lines(result)[0] == {
        "contact": "jane@acme.example",
        "name": "Jane Doe",
        "title": "VP Operations",
        "account": "Acme",
        "owner": "rita@vendor.example",
        "deal": "Rollout",
        "amount": 48000.0,
        "currency": "EUR",
        "stage": "Contract sent",
        "close_date": "2026-06-30",
    }
    assert not (tmp_path / "data").exists()


async def test_an_import_keeps_the_contacts_and_a_second_one_changes_nothing(
    portal: hubspot.HubSpot, tmp_path: Path
) -> None:
    furnish(portal)
    config = hubspots(tmp_path, portal)
    assert "2 of them are new or changed" in (await run("crm", "import", "--config", config)).stderr
    assert "0 of them are new or changed" in (await run("crm", "import", "--config", config)).stderr


async def test_a_file_is_taken_over_too_and_what_was_left_out_is_named(tmp_path: Path) -> None:
    config = settings(tmp_path, "  hubspot: {}\n")
    table = tmp_path / "export.csv"
    table.write_bytes("Email;Name\nj\u00fcrgen@acme.example;J\u00fcrgen\nbroken;X\n".encode("cp1252"))
    result = await run("crm", "import", "--config", config, "--contacts", table, "--dry-run")
    assert result.exit_code == 0, result.output
    assert "j\u00fcrgen@acme.example" in result.stdout
    assert "line 3: 'broken' is no e-mail address" in result.stderr


async def test_without_a_crm_in_the_settings_the_cure_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("team:\n  domains: [vendor.example]\n")
    result = await run("crm", "check", "--config", path)
    assert result.exit_code == 2
    assert "docs/crm.md" in result.output


LONG = "maximiliane-friederike.hohenzollern-sigmaringen@acme-international-manufacturing.example"


@pytest.mark.parametrize("terminal", [True, False])
async def test_long_names_and_addresses_stay_readable(
    portal: hubspot.HubSpot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, terminal: bool
) -> None:
    person = portal.add(
        "contacts", email=LONG, firstname="Maximiliane " * 6, lastname="Hohenzollern", company="A" * 90
    )
    deal = portal.add("deals", dealname="Rollout " * 12, hs_is_closed="false")
    portal.link("deals", deal, "contacts", person)
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "80", "TERM": "dumb"}.items() if terminal else ():
        monkeypatch.setenv(name, value)
    result = await run("crm", "import", "--config", hubspots(tmp_path, portal), "--dry-run")
    assert result.exit_code == 0, result.output
    if terminal:
        assert max(map(len, result.stdout.splitlines())) <= 80
    else:
        assert LONG in result.stdout
        assert "A" * 90 in result.stdout


async def test_one_cause_of_many_failures_is_said_once(portal: hubspot.HubSpot, tmp_path: Path) -> None:
    portal.tokens = {}
    result = await run("crm", "check", "--config", hubspots(tmp_path, portal))
    assert result.exit_code == 1
    [bad] = result.stdout.splitlines()
    assert bad.startswith("BAD  contacts, companies, open deals, owners, logged mails,")

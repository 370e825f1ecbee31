from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.config import Crm
from bot.crm.proposals import LEASE, Proposal, Step, Wanted, Writer, wanted
from bot.crm.settings import HubSpotContacts
from bot.crm.writing import writer
from bot.model import Case, Suggestion
from bot.slack import proposals
from bot.slack.proposals import ACCEPT, DECLINE, GONE, MEANWHILE
from tests.servers import hubspot
from tests.servers.slack import Workspace
from tests.servers.slack_wire import Transport
from tests.slack.pressing import Office, open_office
from tests.slack.story import ADDRESS, ANN
from watchers.crm import hubspot as line

pytestmark = pytest.mark.servers


@pytest.fixture
async def portal(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[hubspot.HubSpot]:
    monkeypatch.setattr(line, "PAUSE", timedelta())
    monkeypatch.setenv("HUBSPOT_TOKEN", hubspot.TOKEN)
    async with hubspot.running() as running:
        running.add("contacts", email=ADDRESS)
        yield running


@pytest.fixture
async def office(
    slack_server: Workspace, transport: Transport, portal: hubspot.HubSpot
) -> AsyncIterator[Office]:
    """Jane's case is settled by Rita, and the app may propose changes in HubSpot."""
    async with open_office(slack_server, transport=transport) as opened:
        settings = HubSpotContacts(api=portal.url, left_property="no_longer_at_company")
        opened.app.proposals.writer = writer(Crm(hubspot=settings))
        await opened.post_alert()
        await opened.settle()
        await opened.until("Settled")
        yield opened


def cards(office: Office) -> list[dict[str, Any]]:
    """Return the messages outside the channel that propose something, as they stand now."""
    state = office.server.state()["messages"]
    return [one for one in state if one["channel_id"] != office.server.channel("champions")]


def shown(office: Office) -> str:
    return json.dumps(cards(office)[-1]["blocks"], ensure_ascii=False)


async def press(office: Office, action: str, by: str = "rita") -> None:
    payload = office.pressed_on(cards(office)[-1], action, by)
    assert (await office.interact(payload))[0] == 200


async def test_who_settled_the_case_is_shown_what_would_change_before_and_after(
    office: Office, portal: hubspot.HubSpot
) -> None:
    await office.app.proposals.go_on()
    assert "not set → true" in shown(office)
    assert "no such contact → Ann Lee" in shown(office)
    assert "Jane Doe has left, as Rita Rep said on 2026-08-03" in shown(office)
    assert portal.written == {}
    await office.app.proposals.go_on()
    assert len(cards(office)) == 1


async def test_what_is_accepted_is_written_once_and_the_card_says_so(
    office: Office, portal: hubspot.HubSpot
) -> None:
    await office.app.proposals.go_on()
    await asyncio.gather(*(press(office, ACCEPT) for _ in range(3)))
    await office.eventually(lambda: "it is being written" in shown(office))
    await asyncio.gather(*(office.app.proposals.go_on() for _ in range(3)))
    assert "Written to HubSpot" in shown(office)
    assert portal.written == {"contacts changed": 1, "contacts created": 1, "notes created": 1}
    assert any(one.get("email") == ANN.address for one in portal.objects["contacts"].values())


async def test_what_is_declined_changes_nothing(office: Office, portal: hubspot.HubSpot) -> None:
    await office.app.proposals.go_on()
    await press(office, DECLINE)
    await office.eventually(lambda: "Declined by" in shown(office))
    await office.app.proposals.go_on()
    assert portal.written == {}
    assert len(cards(office)) == 1


async def test_nobody_else_decides(office: Office, portal: hubspot.HubSpot) -> None:
    await office.app.proposals.go_on()
    await press(office, ACCEPT, "max")
    await press(office, ACCEPT)
    await office.eventually(lambda: "it is being written" in shown(office))
    assert f"Accepted by <@{office.server.user('rita')}>" in shown(office)
    assert portal.written == {}


async def test_what_changed_in_the_crm_since_it_was_shown_is_shown_anew_and_not_written(
    office: Office, portal: hubspot.HubSpot
) -> None:
    await office.app.proposals.go_on()
    portal.add("contacts", email=ANN.address)
    await press(office, ACCEPT)
    [told] = await office.told()
    assert told["text"] == MEANWHILE
    assert "no such contact" not in shown(office)
    await office.app.proposals.go_on()
    assert portal.written == {}
    await press(office, ACCEPT)
    await office.eventually(lambda: "it is being written" in shown(office))
    await office.app.proposals.go_on()
    assert portal.written == {"contacts changed": 1, "notes created": 1}


@pytest.mark.parametrize("dies", ["PATCH", "POST /crm/v3/objects/contacts", "POST /crm/v3/objects/notes"])
async def test_killed_in_the_midst_of_writing_the_next_start_writes_the_rest_and_nothing_twice(
    slack_server: Workspace, office: Office, portal: hubspot.HubSpot, dies: str
) -> None:
    await office.app.proposals.go_on()
    await press(office, ACCEPT)
    await office.eventually(lambda: "it is being written" in shown(office))
    portal.dies_after = dies
    await office.app.proposals.go_on()
    assert "Written to" not in shown(office)
    async with open_office(slack_server, store=office.store) as again:
        again.app.proposals.writer = office.app.proposals.writer
        again.clock.advance(LEASE)
        await again.app.proposals.go_on()
        assert "Written to HubSpot" in shown(again)
    assert portal.written == {"contacts changed": 1, "contacts created": 1, "notes created": 1}


async def test_what_is_known_of_the_successor_since_the_rep_accepted_is_asked_again_and_not_written(
    office: Office, portal: hubspot.HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.app.proposals.go_on()
    await press(office, ACCEPT)
    await office.eventually(lambda: "it is being written" in shown(office))

    def later(case: Case, key: str, by: str) -> Wanted:
        tom = Suggestion("Tom Ray", "tom.ray@acme.example", ("named in a later reply",), successor=True)
        return replace(wanted(case, key, by), successor=tom)

    monkeypatch.setattr(proposals, "wanted", later)
    await office.app.proposals.go_on()
    assert portal.written == {}
    assert "no such contact → Tom Ray" in shown(office)
    await press(office, ACCEPT)
    await office.eventually(lambda: "it is being written" in shown(office))
    await office.app.proposals.go_on()
    assert portal.written == {"contacts changed": 1, "contacts created": 1, "notes created": 1}
    assert any(one.get("email") == "tom.ray@acme.example" for one in portal.objects["contacts"].values())


async def test_without_write_scope_the_card_says_what_an_admin_has_to_do_and_it_is_tried_again(
    office: Office, portal: hubspot.HubSpot
) -> None:
    await office.app.proposals.go_on()
    await press(office, ACCEPT)
    await office.eventually(lambda: "it is being written" in shown(office))
    portal.tokens = {hubspot.TOKEN: hubspot.EVERYTHING - {"crm.objects.contacts.write"}}
    await office.app.proposals.go_on()
    assert "crm.objects.contacts.write" in shown(office)
    portal.tokens = {hubspot.TOKEN: hubspot.EVERYTHING}
    office.clock.advance(LEASE)
    await office.app.proposals.go_on()
    assert "Written to HubSpot" in shown(office)


async def test_a_proposal_of_somebody_who_was_forgotten_is_not_kept(
    office: Office, portal: hubspot.HubSpot
) -> None:
    await office.app.proposals.go_on()
    await office.store.forget(ADDRESS)
    await press(office, ACCEPT)
    assert (await office.told())[0]["text"] == GONE
    assert portal.written == {}


async def test_of_two_processes_one_offers_one_takes_the_answer_and_one_writes(
    slack_server: Workspace, office: Office, portal: hubspot.HubSpot
) -> None:
    async with open_office(slack_server, store=office.store) as other:
        other.app.proposals.writer = office.app.proposals.writer
        both = office, other
        await asyncio.gather(*(one.app.proposals.go_on() for one in both))
        assert len(cards(office)) == 1
        await asyncio.gather(*(press(one, ACCEPT) for one in both for _ in range(2)))
        await office.eventually(lambda: "it is being written" in shown(office))
        await asyncio.gather(*(one.app.proposals.go_on() for one in both for _ in range(2)))
        await office.eventually(lambda: "Written to HubSpot" in shown(office))
    assert portal.written == {"contacts changed": 1, "contacts created": 1, "notes created": 1}


async def test_accepted_in_one_process_and_declined_in_another_the_first_word_stands(
    slack_server: Workspace, office: Office, portal: hubspot.HubSpot
) -> None:
    async with open_office(slack_server, store=office.store) as other:
        other.app.proposals.writer = office.app.proposals.writer
        await office.app.proposals.go_on()
        await asyncio.gather(press(office, ACCEPT), press(other, DECLINE))
        await office.eventually(lambda: "Declined by" in shown(office) or "being written" in shown(office))
        was_declined = "Declined by" in shown(office)
        await asyncio.gather(office.app.proposals.go_on(), other.app.proposals.go_on())
    assert bool(portal.written) is not was_declined
    assert ("Written to HubSpot" in shown(office)) is not was_declined


class Killed(BaseException):
    """The process ends here, and nothing of it goes on."""


async def test_a_process_that_dies_before_it_posted_leaves_the_offer_to_the_next(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(office.app.proposals, "_post", die)
        with pytest.raises(Killed):
            await office.app.proposals.go_on()
    await office.app.proposals.go_on()
    assert cards(office) == []
    office.clock.advance(LEASE)
    await office.app.proposals.go_on()
    assert len(cards(office)) == 1


@dataclass(frozen=True)
class Deadly:
    """Writes to the CRM, and dies before we know of it."""

    writer: Writer
    name: str = "HubSpot"

    async def look(self, wanted: Wanted) -> Proposal | None:
        return await self.writer.look(wanted)

    async def write(self, wanted: Wanted, proposal: Proposal, steps: Iterable[Step]) -> None:
        await self.writer.write(wanted, proposal, steps)
        raise Killed


async def test_a_process_that_dies_after_the_crm_wrote_and_before_we_know_writes_nothing_twice(
    slack_server: Workspace, office: Office, portal: hubspot.HubSpot
) -> None:
    await office.app.proposals.go_on()
    await press(office, ACCEPT)
    await office.eventually(lambda: "it is being written" in shown(office))
    alive = office.app.proposals.writer
    assert alive is not None
    office.app.proposals.writer = Deadly(alive)
    with pytest.raises(Killed):
        await office.app.proposals.go_on()
    async with open_office(slack_server, store=office.store) as again:
        again.app.proposals.writer = alive
        await again.app.proposals.go_on()
        assert "Written to" not in shown(again)
        again.clock.advance(LEASE)
        await again.app.proposals.go_on()
        assert "Written to HubSpot" in shown(again)
    assert portal.written == {"contacts changed": 1, "contacts created": 1, "notes created": 1}


async def test_a_storm_of_refusals_is_waited_out_as_long_as_the_crm_asks_and_nothing_is_doubled(
    office: Office, portal: hubspot.HubSpot
) -> None:
    await office.app.proposals.go_on()
    await press(office, ACCEPT)
    await office.eventually(lambda: "it is being written" in shown(office))
    for _ in range(3):
        portal.answers = [(429, hubspot.error(429, "RATE_LIMITS")[1], {"Retry-After": "120"})]
        await office.app.proposals.go_on()
        asked = len(portal.asked)
        await office.app.proposals.go_on()
        assert len(portal.asked) == asked
        office.clock.advance(timedelta(seconds=121))
    await office.app.proposals.go_on()
    assert "Written to HubSpot" in shown(office)
    assert portal.written == {"contacts changed": 1, "contacts created": 1, "notes created": 1}


async def test_where_the_crm_is_out_of_reach_the_offer_waits(office: Office, portal: hubspot.HubSpot) -> None:
    portal.answers = [(503, {}, {})]
    await office.app.proposals.go_on()
    assert cards(office) == []
    await office.app.proposals.go_on()
    assert len(cards(office)) == 1

"""Change a CRM as a rep accepted it; every step looks first whether it is done already.

So a step may be begun, cut off and begun again: what the CRM took before it was cut off is found there. Reads
by id and by address are used for that, since HubSpot's search lags some seconds behind.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from bot.crm.proposals import Change, Proposal, Step, Wanted, Writer, parted
from bot.crm.reading import Named
from bot.crm.settings import HubSpotContacts, SalesforceContacts
from bot.model import NeedsHuman
from watchers.crm.hubspot import WRITES, HubSpot, Record, records
from watchers.crm.line import Refused, text, under
from watchers.crm.salesforce import Salesforce, quoted

COMPANY_OF_CONTACT = 279
CONTACT_OF_NOTE = 202
"""HubSpot's own types of association: contact to company, and note to contact."""

YES = "true"
NO_CONTACT = "no such contact"
NO_NOTE = "no note"
DUPLICATE = frozenset({"DUPLICATES_DETECTED", "DUPLICATE_VALUE"})


def writer(named: Named) -> Writer:
    """Return what changes the CRM that config.yaml names."""
    if named.hubspot is not None:
        return HubSpotWriter(named.hubspot)
    assert named.salesforce is not None
    return SalesforceWriter(named.salesforce)


@dataclass(frozen=True)
class HubSpotWriter:
    """Changes HubSpot."""

    settings: HubSpotContacts
    name: str = "HubSpot"

    async def look(self, wanted: Wanted) -> Proposal | None:
        """Say what would change now; None where HubSpot does not know the person."""
        async with self.settings.line() as line:
            hubspot = HubSpot(line)
            person = await self._find(hubspot, wanted.address)
            if person is None:
                return None
            changes: list[Change] = []
            ticked = self.settings.left_property
            if ticked and person.text(ticked) != YES:
                before = person.text(ticked) or "not set"
                changes.append(Change(Step.LEFT, f"{wanted.name or wanted.address}: {ticked}", before, YES))
            successor = wanted.successor
            if successor and await self._find(hubspot, successor.address) is None:
                changes.append(Change(Step.SUCCESSOR, "new contact", NO_CONTACT, _shown(wanted)))
            if not await self._has_note(hubspot, person.ident, wanted.mark):
                changes.append(
                    Change(Step.NOTE, f"note on {wanted.name or wanted.address}", NO_NOTE, wanted.note)
                )
            return Proposal(person.ident, tuple(changes))

    async def write(self, wanted: Wanted, proposal: Proposal, steps: Iterable[Step]) -> None:
        """Do these steps of a proposal, in order."""
        async with self.settings.line() as line:
            hubspot = HubSpot(line)
            try:
                for step in steps:
                    if step is Step.LEFT:
                        properties = {self.settings.left_property: YES}
                        await line.patch(
                            f"crm/v3/objects/contacts/{proposal.record}", {"properties": properties}
                        )
                    elif step is Step.SUCCESSOR:
                        await self._create(hubspot, wanted, proposal.record)
                    elif not await self._has_note(hubspot, proposal.record, wanted.mark):
                        await line.post("crm/v3/objects/notes", _note(wanted, proposal.record))
            except Refused as refused:
                raise NeedsHuman(
                    f"HubSpot does not take the change: {refused.code or refused.status}",
                    f"check that left_property ({self.settings.left_property}) is a checkbox of contacts, "
                    f"and that the private app has {', '.join(WRITES)}",
                ) from refused

    async def _find(self, hubspot: HubSpot, address: str) -> Record | None:
        asked = ",".join(filter(None, ("email", "associatedcompanyid", self.settings.left_property)))
        path = f"crm/v3/objects/contacts/{quote(address, safe='@')}"
        try:
            told = await hubspot.line.get(path, {"idProperty": "email", "properties": asked})
        except Refused as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return next(iter(records("contacts", {"results": [told]})), None)

    async def _has_note(self, hubspot: HubSpot, contact: str, mark: str) -> bool:
        notes = await hubspot.neighbours("contacts", contact, "notes")
        async for note in hubspot.batch("notes", notes, ("hs_note_body",)):
            if mark in note.text("hs_note_body"):
                return True
        return False

    async def _create(self, hubspot: HubSpot, wanted: Wanted, record: str) -> None:
        """Create the successor at the company of whom they follow, unless they are there."""
        assert wanted.successor is not None
        like = [one async for one in hubspot.batch("contacts", [record], ("associatedcompanyid",))]
        company = like[0].text("associatedcompanyid") if like else ""
        first, last = parted(wanted.successor.name)
        body: dict[str, Any] = {
            "properties": {"email": wanted.successor.address, "firstname": first, "lastname": last}
        }
        if company:
            body["associations"] = [_association(company, COMPANY_OF_CONTACT)]
        try:
            await hubspot.line.post("crm/v3/objects/contacts", body)
        except Refused as refused:
            if refused.status != HTTPStatus.CONFLICT:
                raise


def _association(to: str, kind: int) -> dict[str, Any]:
    return {
        "to": {"id": to},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}],
    }


def _note(wanted: Wanted, record: str) -> dict[str, Any]:
    at = datetime.combine(wanted.day, datetime.min.time(), UTC)
    return {
        "properties": {"hs_timestamp": at.isoformat(), "hs_note_body": escape(wanted.note)},
        "associations": [_association(record, CONTACT_OF_NOTE)],
    }


@dataclass(frozen=True)
class SalesforceWriter:
    """Changes Salesforce; a note is a completed task there."""

    settings: SalesforceContacts
    name: str = "Salesforce"

    async def look(self, wanted: Wanted) -> Proposal | None:
        """Say what would change now; None where Salesforce does not know the person."""
        async with self.settings.line() as line:
            salesforce = Salesforce(line, self.settings.version)
            person = await self._find(salesforce, wanted.address)
            if person is None:
                return None
            record, ticked = text(person.get("Id")), self.settings.left_field
            changes: list[Change] = []
            if ticked and person.get(ticked) is not True:
                changes.append(Change(Step.LEFT, f"{wanted.name or wanted.address}: {ticked}", "false", YES))
            successor = wanted.successor
            if successor and await self._find(salesforce, successor.address) is None:
                changes.append(Change(Step.SUCCESSOR, "new contact", NO_CONTACT, _shown(wanted)))
            if not await self._has_note(salesforce, record, wanted):
                changes.append(
                    Change(Step.NOTE, f"note on {wanted.name or wanted.address}", NO_NOTE, wanted.note)
                )
            return Proposal(record, tuple(changes))

    async def write(self, wanted: Wanted, proposal: Proposal, steps: Iterable[Step]) -> None:
        """Do these steps of a proposal, in order."""
        async with self.settings.line() as line:
            salesforce = Salesforce(line, self.settings.version)
            objects = f"{salesforce.base}sobjects/"
            try:
                for step in steps:
                    if step is Step.LEFT:
                        await line.patch(
                            f"{objects}Contact/{proposal.record}", {self.settings.left_field: True}
                        )
                    elif step is Step.SUCCESSOR:
                        await self._create(salesforce, wanted)
                    elif not await self._has_note(salesforce, proposal.record, wanted):
                        await line.post(f"{objects}Task", _task(wanted, proposal.record))
            except Refused as refused:
                raise NeedsHuman(
                    f"Salesforce does not take the change: {refused.code or refused.status}",
                    "check that the connected app's user may edit contacts and tasks, and left_field "
                    f"({self.settings.left_field})",
                ) from refused

    async def _find(self, salesforce: Salesforce, address: str) -> dict[str, Any] | None:
        """Return the oldest contact with an address."""
        asked = ", ".join(filter(None, ("Id", "AccountId", self.settings.left_field)))
        soql = f"SELECT {asked} FROM Contact WHERE Email = {quoted(address)} ORDER BY CreatedDate LIMIT 1"  # noqa: S608 - quoted
        return next(iter([row async for row in salesforce.query(soql)]), None)

    async def _has_note(self, salesforce: Salesforce, contact: str, wanted: Wanted) -> bool:
        subject = quoted(_subject(wanted))
        soql = f"SELECT Id FROM Task WHERE WhoId = {quoted(contact)} AND Subject = {subject} LIMIT 1"  # noqa: S608 - quoted
        return bool([row async for row in salesforce.query(soql)])

    async def _create(self, salesforce: Salesforce, wanted: Wanted) -> None:
        """Create the successor at the account of whom they follow, unless they are there."""
        assert wanted.successor is not None
        if await self._find(salesforce, wanted.successor.address) is not None:
            return
        like = await self._find(salesforce, wanted.address)
        first, last = parted(wanted.successor.name)
        body = {
            "Email": wanted.successor.address,
            "FirstName": first,
            "LastName": last or wanted.successor.address,
        }
        account = text(under(like, "AccountId"))
        if account:
            body["AccountId"] = account
        try:
            await salesforce.line.post(f"{salesforce.base}sobjects/Contact", body)
        except Refused as refused:
            if refused.code not in DUPLICATE:
                raise


def _subject(wanted: Wanted) -> str:
    return f"Left the company [{wanted.mark}]"


def _task(wanted: Wanted, record: str) -> dict[str, Any]:
    return {
        "WhoId": record,
        "Subject": _subject(wanted),
        "Description": wanted.note,
        "Status": "Completed",
        "ActivityDate": wanted.day.isoformat(),
    }


def _shown(wanted: Wanted) -> str:
    assert wanted.successor is not None
    return f"{wanted.successor.name} <{wanted.successor.address}>".strip()

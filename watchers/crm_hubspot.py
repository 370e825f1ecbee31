"""Read what HubSpot knows of the people we watch: bounce flags, logged mails, meetings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import ClassVar

from watchers import Example, Scope
from watchers.crm import facts
from watchers.crm.facts import Bounce, Fact, LoggedMail, Meeting, OptOut
from watchers.crm.following import Place
from watchers.crm.hubspot import HubSpot, HubSpotAccess, Record, moment
from watchers.crm.line import Line, Refused, under
from watchers.crm.reader import OPT_OUTS, TURN, CrmWatcher, Pages, Parts, opt_out, turned
from watchers.mail import bounce_table as table
from watchers.mail.meetings import SNAPSHOT
from watchers.values import objects

STAMP = "hs_lastmodifieddate"
CONTACT_STAMP = "lastmodifieddate"
REASON = "hs_email_hard_bounce_reason_enum"
OPT_OUT = "hs_email_optout"
YES = (True, "true")

MAIL = (
    "hs_timestamp",
    "hs_email_direction",
    "hs_email_from_email",
    "hs_email_to_email",
    "hs_email_cc_email",
    "hs_email_message_id",
    "hs_email_status",
)
MEETING = ("hs_meeting_start_time", "hs_meeting_end_time", "hs_meeting_outcome", "hs_i_cal_uid")
CONTACT = (
    "email",
    REASON,
    "hs_email_delivered",
    "hs_email_first_send_date",
    "hs_email_last_send_date",
)
NO_MAILS = frozenset({"FAILED", "SCHEDULED", "SENDING", "BOUNCED"})
"""What `hs_email_status` says of a mail that did not arrive."""

REASONS = {
    "UNKNOWN_USER": table.GONE,
    "MAILBOX_FULL": table.FULL,
    "CONTENT": table.BLOCKED,
    "SPAM": table.BLOCKED,
    "POLICY": table.BLOCKED,
    "IP_REPUTATION": table.BLOCKED,
    "DOMAIN_REPUTATION": table.BLOCKED,
    "SENDER_REPUTATION": table.BLOCKED,
    "DMARC": table.BLOCKED,
    "DNS_FAILURE": table.DOMAIN,
}
"""What the reasons of a hard bounce stand for; any other does not say why."""

CALLED_OFF = frozenset({"CANCELED", "CANCELLED"})
_AT = "2026-05-04T09:30:00Z"


class CrmHubSpot(CrmWatcher):
    """What HubSpot knows: bounce flags, logged mails, meetings. Sees no auto-replies and no invitations."""

    name = "crm_hubspot"
    source = "HubSpot"
    examples: ClassVar[tuple[Example[Record], ...]] = (
        Example(
            Record(
                "emails",
                "1",
                {
                    "hs_timestamp": _AT,
                    "hs_email_direction": "INCOMING_EMAIL",
                    "hs_email_from_email": "jane@acme.example",
                    "hs_email_to_email": "rita@vendor.example",
                },
            ),
            ("wrote",),
        ),
        Example(
            Record(
                "contacts",
                "2",
                {
                    "email": "jane@acme.example",
                    REASON: "UNKNOWN_USER",
                    "hs_email_delivered": "3",
                    "hs_email_first_send_date": "2026-01-02T08:00:00Z",
                    CONTACT_STAMP: _AT,
                },
            ),
            ("written_to", "mailbox_gone"),
        ),
        Example(
            Record(OPT_OUTS, "4", {"email": "jane@acme.example", TURN: 1, CONTACT_STAMP: _AT}),
            ("opted_out",),
        ),
        Example(
            Record(
                "meetings",
                "3",
                {
                    "hs_meeting_start_time": _AT,
                    "hs_meeting_outcome": "NO_SHOW",
                    STAMP: _AT,
                    "contacts": ["jane@acme.example"],
                },
            ),
            (SNAPSHOT, "meeting_no_show"),
        ),
    )

    class Config(Parts, HubSpotAccess):
        """What HubSpot knows of the people we watch."""

    config: Config

    @property
    def opened(self) -> Config:
        """Return the settings."""
        return self.config

    def passes(self, line: Line, place: Place, scope: Scope) -> tuple[Pages, Pages, Pages, Pages]:
        """Return what changed since the place, page by page."""
        hubspot = HubSpot(line)
        return (
            _bounced(hubspot, place, scope),
            _opted_out(hubspot, place, scope),
            _mails(hubspot, place, scope),
            _meetings(hubspot, place, scope),
        )

    def meaning(self, raw: Record) -> Fact | None:
        """Say what a record stands for."""
        read = MEANINGS.get(raw.what)
        return read(raw) if read else None


async def _bounced(hubspot: HubSpot, place: Place, scope: Scope) -> Pages:
    since = place.since("contacts")
    has_reason = {"propertyName": REASON, "operator": "HAS_PROPERTY"}
    async for page in hubspot.changed("contacts", CONTACT_STAMP, since, CONTACT, has_reason):
        found = [one for one in page if scope.covers(one.text("email").lower())]
        yield [await _dated(hubspot, one) for one in found]
        place.read_to("contacts", page[-1].moment(CONTACT_STAMP))


async def _opted_out(hubspot: HubSpot, place: Place, scope: Scope) -> Pages:
    """Yield who opted out; where anybody did, everybody who changed: they may have opted in again."""
    is_out = {"propertyName": OPT_OUT, "operator": "EQ", "value": "true"}
    filters = () if place.has_opted_out else (is_out,)
    since = place.since(OPT_OUTS)
    async for page in hubspot.changed("contacts", CONTACT_STAMP, since, ("email", OPT_OUT), *filters):
        place.read_to(OPT_OUTS, page[-1].moment(CONTACT_STAMP))
        found = [one for one in page if scope.covers(one.text("email").lower())]
        read = (turned(one, place, is_out=one.values.get(OPT_OUT) in YES) for one in found)
        yield [one for one in read if one is not None]


async def _mails(hubspot: HubSpot, place: Place, scope: Scope) -> Pages:
    async for page in hubspot.changed("emails", STAMP, place.since("emails"), MAIL):
        place.read_to("emails", page[-1].moment(STAMP))
        yield [one for one in page if any(map(scope.covers, _people(one)))]


async def _meetings(hubspot: HubSpot, place: Place, scope: Scope) -> Pages:
    async for page in hubspot.changed("meetings", STAMP, place.since("meetings"), MEETING):
        with_people = await hubspot.associated("meetings", [one.ident for one in page], "contacts")
        idents = [ident for listed in with_people.values() for ident in listed]
        known = {one.ident: one.text("email").lower() async for one in _contacts(hubspot, idents)}
        found = []
        for one in page:
            there = [known[ident] for ident in with_people.get(one.ident, ()) if known.get(ident)]
            record = Record(one.what, one.ident, {**one.values, "contacts": there})
            met = _meeting(record)
            if any(map(scope.covers, there)) and met is not None and place.is_news(met):
                found.append(record)
        place.read_to("meetings", page[-1].moment(STAMP))
        yield found


def _contacts(hubspot: HubSpot, idents: Sequence[str]) -> AsyncIterator[Record]:
    return hubspot.batch("contacts", idents, ("email",))


async def _dated(hubspot: HubSpot, contact: Record) -> Record:
    """Return a contact with the moment at which it was marked as bounced, where HubSpot keeps it."""
    try:
        told = await hubspot.line.get(
            f"crm/v3/objects/contacts/{contact.ident}", {"propertiesWithHistory": REASON}
        )
    except Refused as refused:
        if refused.status != HTTPStatus.NOT_FOUND:
            raise
        return contact
    marked = [one.get("timestamp") for one in objects(under(told, "propertiesWithHistory", REASON))]
    return Record(
        contact.what, contact.ident, {**contact.values, "bounced_at": marked[0] if marked else None}
    )


def _people(record: Record) -> tuple[str, ...]:
    listed = (record.text(f"hs_email_{name}_email") for name in ("from", "to", "cc"))
    return facts.addresses(";".join(listed))


def _mail(record: Record) -> LoggedMail | None:
    at = record.moment("hs_timestamp")
    if at is None or record.text("hs_email_status").upper() in NO_MAILS:
        return None
    direction = record.text("hs_email_direction").upper()
    sender = facts.addresses(record.text("hs_email_from_email"))
    return LoggedMail(
        ident=record.text("hs_email_message_id").strip("<>") or f"hubspot.email.{record.ident}",
        at=at,
        sender=sender[0] if sender else "",
        to=facts.addresses(record.text("hs_email_to_email")),
        cc=facts.addresses(record.text("hs_email_cc_email")),
        incoming={"INCOMING_EMAIL": True, "EMAIL": False}.get(direction),
    )


def _bounce(record: Record) -> Bounce | None:
    reason = record.text(REASON).upper()
    marked = moment(record.values.get("bounced_at"))
    at = marked or record.moment("hs_email_last_send_date") or record.moment(CONTACT_STAMP)
    if not reason or at is None:
        return None
    delivered = record.text("hs_email_delivered").partition(".")[0]
    worked = record.moment("hs_email_first_send_date") if delivered.strip("0").isdigit() else None
    dated = f".{marked:%Y%m%dT%H%M%S}" if marked else ""
    return Bounce(
        ident=f"hubspot.bounce.{record.ident}.{reason.lower()[:40]}{dated}",
        address=record.text("email").lower(),
        at=at,
        kind=REASONS.get(reason, table.OTHER),
        worked=worked,
    )


def _opt_out(record: Record) -> OptOut | None:
    return opt_out(record, "hubspot", record.text("email").lower(), record.moment(CONTACT_STAMP))


def _meeting(record: Record) -> Meeting | None:
    start, changed = record.moment("hs_meeting_start_time"), record.moment(STAMP)
    there = record.values.get("contacts")
    if start is None or changed is None or not isinstance(there, list):
        return None
    outcome = record.text("hs_meeting_outcome").upper()
    return Meeting(
        uid=record.text("hs_i_cal_uid") or f"hubspot.meeting.{record.ident}",
        changed=changed,
        start=start,
        end=record.moment("hs_meeting_end_time"),
        organizer="",
        answers={str(address): "" for address in there},
        # Rescheduled before it began, it stands at its new time; afterwards, the new one is another record.
        cancelled=outcome in CALLED_OFF or (outcome == "RESCHEDULED" and start <= changed),
        attended=outcome == "COMPLETED",
        missed=outcome in {"NO_SHOW", "NO SHOW"},
    )


MEANINGS: Mapping[str, Callable[[Record], Fact | None]] = {
    "emails": _mail,
    "contacts": _bounce,
    OPT_OUTS: _opt_out,
    "meetings": _meeting,
}

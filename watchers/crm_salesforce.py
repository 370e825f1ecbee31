"""Read what Salesforce knows of the people we watch: bounce flags, logged mails, events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import ClassVar

from watchers import Example, Scope
from watchers.crm import facts
from watchers.crm.facts import Bounce, Fact, LoggedMail, Meeting, OptOut
from watchers.crm.following import Place
from watchers.crm.hubspot import Record, moment
from watchers.crm.line import Line, Refused, text, under
from watchers.crm.reader import OPT_OUTS, TURN, CrmWatcher, Pages, Parts, opt_out, turned
from watchers.crm.salesforce import LOGIN, Salesforce, SalesforceAccess, literal
from watchers.mail.meetings import SNAPSHOT
from watchers.values import objects

STAMP = "SystemModstamp"
NO_SUCH_OBJECT = frozenset({"INVALID_TYPE", "INVALID_FIELD"})
"""What Salesforce answers where an object is switched off, or the user may not see it."""

DRAFT = "5"

BOUNCED = (
    "SELECT Id, Email, EmailBouncedReason, EmailBouncedDate, SystemModstamp FROM Contact "
    "WHERE EmailBouncedDate != null"
)
OPTED = "SELECT Id, Email, HasOptedOutOfEmail, SystemModstamp FROM Contact WHERE Email != null"
OPTED_OUT = f"{OPTED} AND HasOptedOutOfEmail = true"

MAILS = (
    "SELECT Id, MessageDate, FromAddress, ToAddress, CcAddress, Incoming, MessageIdentifier, Status, "
    "SystemModstamp FROM EmailMessage WHERE IsDeleted = false"
)
TASKS = (
    "SELECT Id, Who.Email, Owner.Email, CompletedDateTime, SystemModstamp FROM Task "
    "WHERE TaskSubtype = 'Email' AND IsClosed = true"
)
EVENTS = (
    "SELECT Id, Who.Email, Owner.Email, StartDateTime, EndDateTime, IsDeleted, SystemModstamp, "
    "(SELECT Relation.Email, Status FROM EventRelations) FROM Event WHERE IsRecurrence = false"
)
ANSWERS = {"Accepted": "ACCEPTED", "Declined": "DECLINED"}

_AT = "2026-05-04T09:30:00.000+0000"


class CrmSalesforce(CrmWatcher):
    """What Salesforce knows: bounce flags, logged mails, events. Sees no auto-replies and no invitations."""

    name = "crm_salesforce"
    source = "Salesforce"
    examples: ClassVar[tuple[Example[Record], ...]] = (
        Example(
            Record(
                "mails",
                "02s1",
                {
                    "MessageDate": _AT,
                    "FromAddress": "jane@acme.example",
                    "ToAddress": "rita@vendor.example",
                    "Incoming": True,
                    "MessageIdentifier": "<1@acme.example>",
                    "Status": "1",
                },
            ),
            ("wrote",),
        ),
        Example(
            Record(
                "contacts",
                "0031",
                {
                    "Email": "jane@acme.example",
                    "EmailBouncedReason": "550 5.1.1 <jane@acme.example>: User unknown",
                    "EmailBouncedDate": _AT,
                },
            ),
            ("mailbox_gone",),
        ),
        Example(
            Record(
                OPT_OUTS,
                "0032",
                {"Email": "jane@acme.example", TURN: 1, STAMP: _AT},
            ),
            ("opted_out",),
        ),
        Example(
            Record(
                "events",
                "00U1",
                {
                    "StartDateTime": _AT,
                    "SystemModstamp": _AT,
                    "IsDeleted": True,
                    "Who": {"Email": "jane@acme.example"},
                },
            ),
            (SNAPSHOT,),
        ),
    )

    class Config(Parts, SalesforceAccess):
        """What Salesforce knows of the people we watch."""

    config: Config

    def __init__(self, config: SalesforceAccess | None = None) -> None:
        # A watcher that only reads what it was handed needs no address; there is none that suits everybody.
        super().__init__(config or self.Config(url=LOGIN, client_id="nobody"))

    @property
    def opened(self) -> Config:
        """Return the settings."""
        return self.config

    def passes(self, line: Line, place: Place, scope: Scope) -> tuple[Pages, Pages, Pages, Pages]:
        """Return what changed since the place, page by page."""
        salesforce = Salesforce(line, self.config.version)
        return (
            _about(scope, place, _changed(salesforce, place, "contacts", BOUNCED)),
            _about(scope, place, _opted_out(salesforce, place)),
            _about(scope, place, _mails(salesforce, place)),
            _about(scope, place, _changed(salesforce, place, "events", EVENTS, deleted=True)),
        )

    def meaning(self, raw: Record) -> Fact | None:
        """Say what a record stands for."""
        read = MEANINGS.get(raw.what)
        return read(raw) if read else None


async def _about(scope: Scope, place: Place, pages: Pages) -> Pages:
    """Yield of each page what is about people we watch, with what its past says of it."""
    async for page in pages:
        wanted = [one for one in page if any(map(scope.covers, _people(one)))]
        yield [found for one in wanted if (found := _followed(one, place))]


async def _changed(
    salesforce: Salesforce, place: Place, what: str, soql: str, *, deleted: bool = False
) -> AsyncIterator[list[Record]]:
    since = literal(place.since(what))
    asked = f"{soql} AND SystemModstamp >= {since} ORDER BY SystemModstamp, Id"
    async for page in salesforce.pages(asked, deleted=deleted):
        found = [Record(what, text(row.get("Id")), row) for row in page]
        if found:
            place.read_to(what, found[-1].moment(STAMP))
        yield found


async def _opted_out(salesforce: Salesforce, place: Place) -> AsyncIterator[list[Record]]:
    """Yield who opted out; where anybody did, everybody who changed: they may have opted in again.

    Nobody where the user may not see that field.
    """
    try:
        async for page in _changed(salesforce, place, OPT_OUTS, OPTED if place.has_opted_out else OPTED_OUT):
            yield page
    except Refused as refused:
        if refused.code not in NO_SUCH_OBJECT:
            raise


async def _mails(salesforce: Salesforce, place: Place) -> AsyncIterator[list[Record]]:
    """Yield logged mails: e-mail messages, or where there are none of that kind, tasks."""
    try:
        async for page in _changed(salesforce, place, "mails", MAILS):
            yield page
    except Refused as refused:
        if refused.code not in NO_SUCH_OBJECT:
            raise
        async for page in _changed(salesforce, place, "tasks", TASKS):
            yield page


def _people(record: Record) -> tuple[str, ...]:
    if record.what == "events":
        met = _event(record)
        return tuple(met.answers) if met else ()
    names = ("Email", "FromAddress", "ToAddress", "CcAddress")
    listed = [record.text(name) for name in names]
    return facts.addresses(";".join([*listed, text(under(record.values.get("Who"), "Email"))]))


def _followed(record: Record, place: Place) -> Record | None:
    """Return a record with what its past says of it; None for an event that stands as it did."""
    if record.what == "events":
        met = _event(record)
        return record if met is not None and place.is_news(met) else None
    if record.what == OPT_OUTS:
        return turned(record, place, is_out=record.values.get("HasOptedOutOfEmail") is True)
    return record


def _mail(record: Record) -> LoggedMail | None:
    at = record.moment("MessageDate")
    if at is None or record.text("Status") == DRAFT:
        return None
    sender = facts.addresses(record.text("FromAddress"))
    incoming = record.values.get("Incoming")
    return LoggedMail(
        ident=record.text("MessageIdentifier").strip("<>") or f"salesforce.email.{record.ident}",
        at=at,
        sender=sender[0] if sender else "",
        to=facts.addresses(record.text("ToAddress")),
        cc=facts.addresses(record.text("CcAddress")),
        incoming=incoming if isinstance(incoming, bool) else None,
    )


def _task(record: Record) -> LoggedMail | None:
    """Read a mail that was logged as a task: always one of ours."""
    at = record.moment("CompletedDateTime")
    to = facts.addresses(text(under(record.values.get("Who"), "Email")))
    sender = text(under(record.values.get("Owner"), "Email")).lower()
    if at is None or not to:
        return None
    return LoggedMail(f"salesforce.task.{record.ident}", at, sender, to, incoming=False)


def _bounce(record: Record) -> Bounce | None:
    at, words = record.moment("EmailBouncedDate"), record.text("EmailBouncedReason")
    if at is None:
        return None
    return Bounce(
        ident=f"salesforce.bounce.{record.ident}.{at:%Y%m%dT%H%M%S}",
        address=record.text("Email").lower(),
        at=at,
        kind=facts.diagnosis(words),
        words=words,
    )


def _opt_out(record: Record) -> OptOut | None:
    return opt_out(record, "salesforce", record.text("Email").lower(), record.moment(STAMP))


def _event(record: Record) -> Meeting | None:
    start, changed = record.moment("StartDateTime"), record.moment(STAMP)
    if start is None or changed is None:
        return None
    answers = dict.fromkeys(facts.addresses(text(under(record.values.get("Who"), "Email"))), "")
    for related in objects(under(record.values.get("EventRelations"), "records")):
        for address in facts.addresses(text(under(related, "Relation", "Email"))):
            answers[address] = ANSWERS.get(text(related.get("Status")), "")
    return Meeting(
        uid=f"salesforce.event.{record.ident}",
        changed=changed,
        start=start,
        end=moment(record.values.get("EndDateTime")),
        organizer=text(under(record.values.get("Owner"), "Email")).lower(),
        answers=answers,
        cancelled=record.values.get("IsDeleted") is True,
    )


MEANINGS: Mapping[str, Callable[[Record], Fact | None]] = {
    "mails": _mail,
    "tasks": _task,
    "contacts": _bounce,
    OPT_OUTS: _opt_out,
    "events": _event,
}

"""Read what Salesforce knows of the people we watch: bounce flags, logged mails, events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from pydantic import Field

from bot.model import Json, Observation
from watchers import Batch, Example, Scope, Watcher
from watchers.crm import facts
from watchers.crm.facts import Bounce, LoggedMail, Meeting, OptOut
from watchers.crm.following import Place
from watchers.crm.hubspot import Record, moment
from watchers.crm.line import Refused, number, objects, text, unanswerable, under
from watchers.crm.salesforce import LOGIN, Salesforce, SalesforceAccess, literal
from watchers.mail.meetings import SNAPSHOT

SOURCE = "Salesforce"
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
OPT_OUTS, TURN = "opt-outs", "turn"
"""What a contact is called that was read for its opt-out alone, and how often they changed their mind."""

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


class CrmSalesforce(Watcher[Record]):
    """What Salesforce knows: bounce flags, logged mails, events. Sees no auto-replies and no invitations."""

    name = "crm_salesforce"
    every = timedelta(minutes=15)
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

    class Config(SalesforceAccess):
        """What Salesforce knows of the people we watch."""

        bounces: bool = Field(default=True, description="read contacts' bounce flags")
        opt_outs: bool = Field(
            default=True, description="read who opted out of e-mail, to suggest them to nobody"
        )
        emails: bool = Field(
            default=True, description="read logged mails; say false where mailboxes are read, too"
        )
        meetings: bool = Field(
            default=True, description="read events; say false where calendars are read, too"
        )
        history_days: int = Field(default=365, ge=1, le=1000, description="how far the first pass looks back")

    config: Config

    def __init__(self, config: SalesforceAccess | None = None) -> None:
        # A watcher that only reads what it was handed needs no address; there is none that suits everybody.
        super().__init__(config or self.Config(url=LOGIN, client_id="nobody"))

    def sources(self, scope: Scope) -> Sequence[str]:
        """Name Salesforce, where there is anybody to look for."""
        return [SOURCE] if scope.addresses else []

    async def fetch(self, source: str, cursor: Json, scope: Scope) -> AsyncIterator[Batch[Record]]:
        """Yield what changed since the cursor."""
        now = datetime.now(UTC)
        place = Place(cursor, now - timedelta(days=self.config.history_days))
        async with self.config.line() as line:
            salesforce = Salesforce(line, self.config.version)
            try:
                for is_wanted, pages in (
                    (self.config.bounces, _bounced),
                    (self.config.opt_outs, _opted_out),
                    (self.config.emails, _mails),
                    (self.config.meetings, _events),
                ):
                    if is_wanted:
                        async for items in pages(salesforce, place):
                            wanted = [one for one in items if any(map(scope.covers, _people(one)))]
                            news = [found for one in wanted if (found := _followed(one, place))]
                            yield Batch(source, news, place.cursor(now))
            except Refused as refused:
                check = "check what may be read, with `stillthere crm check`"
                raise unanswerable(refused, line.host, check) from refused

    def read(self, raw: Record, scope: Scope) -> Iterable[Observation]:
        """Say what a record means."""
        if raw.what in {"mails", "tasks"}:
            logged = _mail(raw) if raw.what == "mails" else _task(raw)
            return facts.mail(logged, scope, SOURCE) if logged else ()
        if raw.what == "contacts":
            flag = _bounce(raw)
            return facts.bounce(flag, scope, SOURCE) if flag else ()
        if raw.what == OPT_OUTS:
            out = _opt_out(raw)
            return facts.opt_out(out, scope, SOURCE) if out else ()
        met = _event(raw)
        return facts.meeting(met, scope, SOURCE) if met else ()


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


def _bounced(salesforce: Salesforce, place: Place) -> AsyncIterator[list[Record]]:
    return _changed(salesforce, place, "contacts", BOUNCED)


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


def _events(salesforce: Salesforce, place: Place) -> AsyncIterator[list[Record]]:
    return _changed(salesforce, place, "events", EVENTS, deleted=True)


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
        turn = place.turn(record.ident, is_out=record.values.get("HasOptedOutOfEmail") is True)
        return Record(record.what, record.ident, {**record.values, TURN: turn}) if turn else None
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
    at, turn = record.moment(STAMP), number(record.values.get(TURN))
    if at is None or turn < 1:
        return None
    return OptOut(f"salesforce.optout.{record.ident}", record.text("Email").lower(), at, turn)


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

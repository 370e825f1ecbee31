"""One sweep: fetch, read, record, assess, raise. The only file that knows the order.

The service, the offline check and the demo all run this pipeline; they differ in the store, the clock and
where alerts go. Every step may be repeated: observations are keyed by content, assessments are computed
anew, alerts are unique, and a cursor moves only after what lies before it is durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot import alerts, incidents
from bot.account import Account
from bot.alerts import SECOND_LOOK, Baseline, Since
from bot.assessment import LEAST_PRIOR, SHIPPED, Circumstances, Thresholds, assess
from bot.circle import Listed
from bot.doubles import once
from bot.evidence import EVEN, Scales
from bot.history import Derived, holds_forged, is_forged
from bot.incidents import Incident
from bot.model import (
    ALARMING,
    Assessment,
    Choice,
    Contact,
    Json,
    Kind,
    NeedsHuman,
    Observation,
    Person,
    Reason,
    SourceDown,
    Strength,
    Verdict,
    Watched,
)
from bot.our_days import OurDays
from bot.past import Past
from bot.store import Store, StoreDown
from watchers import FREE_MAIL, Deriver, Scope, Watcher
from watchers.web.memory import listed_at

log = structlog.get_logger()

FIRST_PASSES = "first_passes"
"""The cursor that holds when the first pass over each source ended."""

JOINED = "joined"
"""The cursor that holds since when we watch those whom we did not watch from the beginning."""

NOT_JUDGED = "could not be judged because of a defect: the log says where"

AT_ONCE = 16
"""How many accounts are judged at a time: while one waits for the disk, the next is thought about."""

TRIES = 5
"""How often a judgement is made anew because news came in meanwhile, before the next sweep has to do it."""

Progress = Callable[[str, int, int | None], None]
"""Told of a source how many raw items were read so far, and how many there are where that is known."""


@dataclass(frozen=True)
class Rules:
    """What the loaded watchers declare: what their kinds are worth, and what they derive from history."""

    kinds: Mapping[str, Kind]
    derivers: Sequence[Deriver] = ()
    thresholds: Thresholds = SHIPPED
    scales: Scales = EVEN

    def derive(self, person: Person, now: datetime) -> Derived:
        """Return what a person's observations mean together at `now`, and for how long."""
        genuine = Past.of(person.observations).once(_genuine)
        history = genuine.until(now)
        found = [seen for deriver in self.derivers for seen in deriver(history, now)]
        stage = history.next_stage(now)
        ahead = [*([stage] if stage is not None else []), *(seen.at for seen in genuine.after(now)[:1])]
        return Derived(found, min(ahead, default=None))


@dataclass(frozen=True)
class Swept:
    """What one look at one source brought: raw items read, and observations that were new."""

    items: int = 0
    new: int = 0


class Pipeline:
    """Fetch, read, record; assess, decide, raise.

    `baseline` is for the service: what the first pass of a source finds raises no alerts. An offline check
    judges from the first mail on.
    """

    def __init__(self, store: Store, rules: Rules, our_domains: Iterable[str], *, baseline: bool) -> None:
        self.store = store
        self.rules = rules
        self.our_domains = frozenset(our_domains)
        self.baseline = baseline
        self.outages: dict[str, str] = {}
        """Each source that was asked, and why it could not be read; empty where it could."""
        self.demoted: frozenset[str] = frozenset()
        """The kinds of evidence that were wrong too often to raise an alert by themselves."""
        self.raised: Callable[[], None] = lambda: None
        """Called for each alert as soon as it is kept."""
        self.suggests_always = True
        """Whether whom to turn to is kept with every alarming judgement; else it stands in alerts alone."""
        self._blind: frozenset[str] = frozenset()
        self.our_days = OurDays(store, self.our_domains)
        self._unread_since: dict[str, datetime] = {}
        self._scope = Scope.of((), self.our_domains)

    async def scope(self) -> Scope:
        """Return whom we watch now."""
        contacts = tuple(await self.store.contacts())
        if contacts != self._scope.contacts:
            self._scope = Scope.of(contacts, self.our_domains)
        return self._scope

    async def sweep(
        self, watcher: Watcher[Any], source: str, now: datetime, progress: Progress | None = None
    ) -> Swept:
        """Read what is new in one source and keep what it means. Raises SourceDown and NeedsHuman."""
        try:
            swept = await self._sweep(watcher, source, now, progress)
        except StoreDown:
            raise  # says nothing of the source
        except (SourceDown, NeedsHuman) as failure:
            self.outages[source] = f"{source} cannot be read: {failure.what}"
            self._unread_since.setdefault(source, now)
            raise
        self.outages[source] = ""
        self._unread_since[source] = now
        return swept

    async def _sweep(
        self, watcher: Watcher[Any], source: str, now: datetime, progress: Progress | None
    ) -> Swept:
        scope = await self.scope()
        cursor = await self._cursor(watcher, source, scope, now)
        learned = await self._learned(source, now)
        items = new = 0
        async for batch in watcher.fetch(source, cursor, scope):
            seen = [
                replace(found, seen=learned)
                for raw in batch.items
                for found in self._read(watcher, raw, scope)
            ]
            recorded = await self.store.record(seen)
            await self.our_days.note(recorded, now)
            new += len(recorded)
            await self.store.save_cursor(source, batch.cursor)
            items += len(batch.items)
            if progress is not None:
                progress(source, items, batch.total)
        await self._end_first_pass(source, now)
        return Swept(items, new)

    def _read(self, watcher: Watcher[Any], raw: object, scope: Scope) -> list[Observation]:
        """Read one raw item; one that cannot be read is logged with its traceback and skipped."""
        try:
            return list(watcher.read(raw, scope))
        except Exception:
            log.exception("item.unreadable", watcher=watcher.name)
            return []

    async def _cursor(self, watcher: Watcher[Any], source: str, scope: Scope, now: datetime) -> Json:
        """Return where to go on: from the beginning where we watch somebody whom we did not then.

        What a watcher remembers of a source stays as it is: it has no beginning to go back to.
        """
        if watcher.remembers:
            return await self.store.cursor(source)
        watched = scope.domains | scope.strays
        known = await self.store.cursor(read_for(source))
        if isinstance(known, list) and watched <= set(known):
            return await self.store.cursor(source)
        if isinstance(known, list):
            await self._add(JOINED, dict.fromkeys(watched - set(known), now))
        await self.store.save_cursor(source, None)
        await self.store.save_cursor(read_for(source), [*sorted(watched)])
        return None

    async def due(self, now: datetime) -> list[str]:
        """Return whom to judge now: of whom something is new, or whose last judgement has stood its time."""
        waiting = [one.contact.address for one in await self.store.watchlist() if is_due(one, now)]
        return sorted({*waiting, *await self.store.news()})

    async def review(self, now: datetime) -> list[Assessment]:
        """Judge who is due; everybody, where other sources than at the last review cannot be read."""
        blind = frozenset(source for source, reason in self.outages.items() if reason)
        everybody, self._blind = blind != self._blind, blind
        return await self.judge(now, None if everybody else await self.due(now))

    async def judge(self, now: datetime, addresses: Iterable[str] | None = None) -> list[Assessment]:
        """Judge these contacts (None: everybody), notice accounts in trouble, and return what we think.

        Where trouble with an account's mail begins or ends, everybody there is judged whom that concerns.
        """
        contacts = {contact.address: contact for contact in await self.store.contacts()}
        chosen = set(contacts) if addresses is None else set(addresses) & set(contacts)
        domains_of = domains_by_account(contacts.values())
        by_account: dict[str, list[Contact]] = {}
        for _, contact in sorted(contacts.items()):
            by_account.setdefault(contact.account_name, []).append(contact)
        ended, joined = await self._moments(FIRST_PASSES), await self._moments(JOINED)
        written = await self.our_days.known()
        concluded: dict[str, Assessment] = {}
        free = asyncio.Semaphore(AT_ONCE)

        async def judge_account(name: str, everybody: Sequence[Contact]) -> None:
            async with free:
                found = await self.store.people(domains_of[name]) if domains_of[name] else []
                people = [_sorted(person) for person in found]
                account = Account.of(
                    people,
                    domains_of[name],
                    written,
                    now,
                    self.rules.kinds,
                    self.our_domains,
                    await self._listed(people),
                )
                mine = [one for one in everybody if one.address in chosen or account.is_outdated(one)]
                for contact in mine:
                    since = Baseline(ended, joined.get(key_of(contact))) if self.baseline else None
                    concluded[contact.address] = await self._judge_safely(contact, account, now, since)
                for incident in account.incidents:
                    await self._notice(incident, mine[0], now, Baseline(ended) if self.baseline else None)
                await asyncio.sleep(0)

        asked = {contacts[address].account_name for address in chosen}
        await asyncio.gather(*(judge_account(name, by_account[name]) for name in sorted(asked)))
        return [found for _, found in sorted(concluded.items())]

    async def _listed(self, people: Iterable[Person]) -> list[Listed]:
        """Return whom the account's own page lists: one on which somebody watched was seen."""
        watched = (Past.of(person.observations) for person in people if person.contact is not None)
        seen = (each for past in watched for each in past.by_kind.get("page_present", ()))
        pages = {(each.source, str(each.facts.get("url"))) for each in seen}
        found: dict[str, Listed] = {}
        for source, url in sorted(pages):
            for name, title in listed_at(await self.store.cursor(source), url):
                found.setdefault(name, Listed(name, title))
        return list(found.values())

    async def _judge_safely(
        self,
        contact: Contact,
        account: Account,
        now: datetime,
        since: Since,
    ) -> Assessment:
        """Judge one person; a defect is logged with its traceback and keeps nobody else from being judged."""
        try:
            return await self._judge_one(contact, account, now, since)
        except Exception:
            log.exception("judgement.failed", account=contact.account_name)
            return Assessment(contact.address, now, Verdict.UNCHECKED, Strength.SOME, LEAST_PRIOR, NOT_JUDGED)

    async def _judge_one(
        self,
        contact: Contact,
        account: Account,
        now: datetime,
        since: Since,
    ) -> Assessment:
        known = account.people.get(contact.address)
        for _ in range(TRIES):
            kept = known or await self.store.person(contact.address) or Person(contact.address, contact)
            person = _sorted(kept)
            circumstances = self._circumstances(person, contact, account)
            assessment = assess(
                contact.address,
                person.observations,
                now,
                self.rules.kinds,
                derived=self.rules.derive(person, now),
                circumstances=circumstances,
                thresholds=self.rules.thresholds,
                scales=self.rules.scales,
                stands=person.assessment.verdict if person.assessment is not None else None,
            )
            assessment = account.escalated(contact, assessment)
            inhibited = account.inhibits(assessment) or self._outage(assessment, circumstances)
            decision, alert = alerts.decide(person, contact, assessment, since, self.demoted, inhibited)
            if decision.reason is Reason.UNCONFIRMED:
                assessment = replace(assessment, recheck=now + SECOND_LOOK)
            if alert is not None or self.suggests_always:
                assessment = account.completed(contact, person, assessment)
                alert = replace(alert, assessment=assessment) if alert is not None else None
            account.judged(person, assessment)
            if alert is None and not person.news and still_stands(person.assessment, assessment):
                return assessment
            known = None
            if await self.store.conclude(person.version, assessment, decision, alert):
                if alert is not None:
                    self.raised()
                return assessment
        log.warning("judgement.postponed", reason="news kept coming in", tries=TRIES)
        return assessment

    @staticmethod
    def _outage(assessment: Assessment, circumstances: Circumstances) -> Reason | None:
        """Say that an outage is why nothing can be said, where it is."""
        unseen = assessment.verdict is Verdict.UNCHECKED and (circumstances.unseen or circumstances.partly)
        return Reason.INHIBITED_BY_SOURCE_OUTAGE if unseen else None

    async def _notice(self, found: Incident, like: Contact, now: datetime, since: Since) -> None:
        """Raise one notice for an account whose mail is in trouble, once per incident."""
        contact, assessment = incidents.notice(found, like.account_name, like.owner, now)
        person = await self.store.person(contact.address) or Person(contact.address)
        decision, alert = alerts.notice(person, contact, assessment, since)
        if alert is not None or person.assessment is None:
            await self.store.conclude(person.version, assessment, decision, alert)

    async def _learned(self, source: str, now: datetime) -> datetime:
        """Return when what is read now is learned: after the first pass, by a clock set back too."""
        ended = (await self._moments(FIRST_PASSES)).get(source)
        return now if ended is None else max(now, ended + timedelta.resolution)

    async def _end_first_pass(self, source: str, now: datetime) -> None:
        """Note that a source was read through once: what comes from now on is news."""
        await self._add(FIRST_PASSES, {source: now})

    async def _moments(self, cursor: str) -> dict[str, datetime]:
        """Return the moments that a cursor holds, by name."""
        kept = await self.store.cursor(cursor)
        known = kept if isinstance(kept, dict) else {}
        return {name: datetime.fromisoformat(str(moment)) for name, moment in known.items()}

    async def _add(self, cursor: str, moments: Mapping[str, datetime]) -> None:
        """Add moments to a cursor; those it holds already stay."""
        added: dict[str, Json] = {name: when.isoformat() for name, when in moments.items()}
        if added.keys() - (await self._moments(cursor)).keys():
            await self.store.amend_cursor(
                cursor, lambda kept: {**added, **(kept if isinstance(kept, dict) else {})}
            )

    def _circumstances(self, person: Person, contact: Contact, account: Account) -> Circumstances:
        """Say whether the sources that saw the person can be read; of a stranger, whether any can.

        While one that would show their contact with us cannot be read, no silence counts, whatever else
        explains it.
        """
        out = {source: reason for source, reason in self.outages.items() if reason}
        seen_in = Past.of(person.observations).sources & set(self.outages) or set(self.outages)
        heard_in = {source for source in seen_in & set(out) if not is_glimpse(source)}
        reasons = "; ".join(sorted(out[source] for source in heard_in))
        unread = [
            (self._unread_since.get(source, account.now).date(), account.now.date()) for source in heard_in
        ]
        paused = [*account.pauses.explain(contact, account.now.date()), *unread]
        unseen = "; ".join(sorted(out[source] for source in seen_in)) if seen_in <= set(out) else ""
        concerning = account.incidents_of(contact.address)
        return Circumstances(unseen, reasons, concerning, paused, account.other_mail(contact))


def _sorted(person: Person) -> Person:
    """Return a person with their past sorted, and each mail in it once: all who judge look at it."""
    past = Past.of(person.observations)
    return once(person if past is person.observations else replace(person, observations=past))


def _genuine(past: Past) -> Past:
    return Past(seen for seen in past if not is_forged(seen)) if past.once(holds_forged) else past


def is_glimpse(source: str) -> bool:
    """Say whether a source shows what is, and no contact with us: to miss it explains no silence."""
    watcher = Watcher.registry.get(source.partition(":")[0])
    return watcher is not None and watcher.remembers


def read_for(source: str) -> str:
    """Name the cursor that holds whom a source was read for."""
    return f"read_for:{source}"


def key_of(contact: Contact) -> str:
    """Return what a contact is watched by: their domain, or their address at a domain that anybody uses."""
    return contact.address if contact.domain in FREE_MAIL else contact.domain


def domains_by_account(contacts: Iterable[Contact]) -> dict[str, frozenset[str]]:
    """Return the mail domains of each account; a domain that everybody may use is nobody's."""
    found: dict[str, set[str]] = {}
    for contact in contacts:
        found.setdefault(contact.account_name, set()).update({contact.domain} - FREE_MAIL)
    return {account: frozenset(domains) for account, domains in found.items()}


def still_stands(before: Assessment | None, now: Assessment) -> bool:
    """Say whether the last assessment says what a new one says, and is not due: nothing need be written."""
    if before is None or before.recheck is None or before.recheck <= now.at:
        return False
    return (before.verdict, before.strength, before.headline) == (now.verdict, now.strength, now.headline)


def is_due(watched: Watched, now: datetime) -> bool:
    """Say whether time alone may have changed what to think of somebody, or ended a snooze."""
    word = watched.settled
    if word is not None and word.choice is Choice.SNOOZE and watched.verdict in ALARMING:
        awake = word.until is None or word.until <= now.date()
    else:
        awake = False
    return awake or watched.recheck is None or watched.recheck <= now

"""Judge every day of the past, using only what was known on that day.

The pipeline of the service runs over history: mails are read once, by all processors, and then lived through
day by day. Contacts whose accounts and owners have nothing to do with each other are lived through apart.
"""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from signal import SIG_BLOCK, SIG_SETMASK, SIGINT, pthread_sigmask

from bot import activity, answers
from bot.backscatter import writer
from bot.backtest import past, replay, snapshots
from bot.backtest.past import Heard, Known
from bot.backtest.replay import Line, Lived, Outage, Part, Setting, Span, Story, Told
from bot.backtest.settings import Chosen
from bot.logs import configure
from bot.model import Contact, Observation
from bot.pipeline import Rules
from bot.routing import owners
from watchers import FREE_MAIL, Scope, derivers, kinds, load, load_readers

Progress = Callable[[str, int, int | None], None]

WORTH_A_PROCESS = 2 * past.PORTION
"""With fewer mails, starting other processes takes longer than what they would save."""


@dataclass(frozen=True)
class Outcome:
    """What a backtest found; the lines are in the order of days, then contacts."""

    contacts: tuple[Contact, ...]
    span: Span
    lines: tuple[Line, ...]
    told: tuple[Told, ...]
    stories: Mapping[str, Story]
    mails: int = 0
    broken: int = 0
    outages: tuple[Outage, ...] = ()
    empty: tuple[Path, ...] = ()
    """Where there was no mail at all."""
    arrived: tuple[datetime, datetime] | None = None
    """From when to when what is known of these contacts arrived; None where nothing is known."""


@dataclass(frozen=True)
class Backtest:
    """What to live through: whom, by which mail, on which days. `data` keeps what was read.

    `authenticators` are the mail servers of ours whose word is taken on whether a sender is forged.
    """

    contacts: tuple[Contact, ...]
    our_domains: tuple[str, ...]
    span: Span
    mail: tuple[Path, ...] = ()
    calendars: tuple[Path, ...] = ()
    pages: tuple[Path, ...] = ()
    outages: tuple[Outage, ...] = ()
    data: Path | None = None
    jobs: int = os.cpu_count() or 1
    authenticators: tuple[str, ...] = ()

    def run(self, settings: Sequence[Chosen], progress: Progress | None = None) -> list[Outcome]:
        """Read the past, and live through it once for each setting. Raises NeedsHuman."""
        told = progress or _silent
        scope = Scope.of(self.contacts, self.our_domains)
        cut = {
            path: past.portions(f"mailbox:{path}", path, scope, self.authenticators)
            for path in dict.fromkeys(path.resolve() for path in self.mail)
        }
        empty = tuple(path for path, found in cut.items() if not found)
        portions = [portion for found in cut.values() for portion in found]
        mails = sum(len(portion.mails) for portion in portions)
        with (
            _processes(self.jobs if mails >= WORTH_A_PROCESS else 1) as executor,
            _folder(self.data) as folder,
        ):
            looked_back = self._looked_back(scope, executor)
            heard: dict[int, Heard] = {}
            done = 0
            for number, one in past.read_all(portions, scope, folder, executor):
                heard[number] = one
                done += one.mails
                told("reading", done, mails)
            known = [one for number in sorted(heard) for one in heard[number].known]
            known += looked_back()
            sources = {portion.source for portion in portions} | {one.source for one in known}
            parts = _parts(self.contacts, known, sorted(sources))
            broken = sum(one.broken for one in heard.values())
            times = [one.at for one in known if one.at > past.ALWAYS]
            arrived = (min(times), max(times)) if times else None
            return [
                replace(
                    self._judge(parts, chosen, executor, told, mails=mails, broken=broken),
                    empty=empty,
                    arrived=arrived,
                )
                for chosen in settings
            ]

    def _looked_back(self, scope: Scope, executor: Executor | None) -> Callable[[], list[Known]]:
        """Begin to look back at calendars and pages, while mails are read; return what waits for the end."""
        if executor is None:
            return partial(_look_back, self, scope)
        return executor.submit(_look_back, self, scope).result

    def _judge(
        self,
        parts: Sequence[Part],
        chosen: Chosen,
        executor: Executor | None,
        told: Progress,
        *,
        mails: int,
        broken: int,
    ) -> Outcome:
        lived = list(self._live(parts, chosen, executor, told))
        lines = sorted(
            (line for one in lived for line in one.lines),
            key=lambda line: (line.day, line.account if line.contact is None else "", line.contact or ""),
        )
        alerts = sorted(
            (alert for one in lived for alert in one.told), key=lambda alert: (alert.day, alert.alert.key)
        )
        stories = {address: story for one in lived for address, story in one.stories.items()}
        return Outcome(
            self.contacts, self.span, tuple(lines), tuple(alerts), stories, mails, broken, self.outages
        )

    def _live(
        self, parts: Sequence[Part], chosen: Chosen, executor: Executor | None, told: Progress
    ) -> Iterator[Lived]:
        total = sum(len(part.contacts) for part in parts)
        jobs = [(part, chosen, frozenset(self.our_domains), self.span, self.outages) for part in parts]
        done = 0
        if executor is None:
            for part, job in zip(parts, jobs, strict=True):
                yield live(*job)
                done += len(part.contacts)
                told("judging", done, total)
            return
        futures = {executor.submit(live, *job): job[0] for job in jobs}
        for future in as_completed(futures):
            yield future.result()
            done += len(futures[future].contacts)
            told("judging", done, total)


def _look_back(backtest: Backtest, scope: Scope) -> list[Known]:
    """Return what calendars and pages said on earlier days."""
    return asyncio.run(_on_earlier_days(backtest, scope))


async def _on_earlier_days(backtest: Backtest, scope: Scope) -> list[Known]:
    known: list[Known] = []
    for path in backtest.calendars:
        known += await snapshots.calendars(path, scope)
    for folder in backtest.pages:
        known += await snapshots.pages(folder, backtest.contacts, scope)
    return known


def live(
    part: Part, chosen: Chosen, our_domains: frozenset[str], span: Span, outages: Sequence[Outage]
) -> Lived:
    """Live through the days with one part's contacts."""
    load()
    every = {**kinds(), **{kind.name: kind for kind in (*answers.KINDS, *activity.KINDS)}}
    rules = Rules(every, derivers(), chosen.thresholds, chosen.scales)
    setting = Setting(rules, chosen.routing, our_domains)
    gc.freeze()
    return asyncio.run(replay.Replay(part, setting, span, outages).live())


def _parts(contacts: Sequence[Contact], known: Sequence[Known], sources: Iterable[str]) -> list[Part]:
    """Sort contacts, and what is known, into parts that share neither an account, a domain nor an owner."""
    groups: dict[str, int] = {}
    members: dict[int, list[Contact]] = {}
    for number, contact in enumerate(contacts):
        keys = _keys(contact)
        joined = {groups[key] for key in keys if key in groups}
        members[number] = [contact, *(one for other in sorted(joined) for one in members.pop(other))]
        groups.update((key, number) for one in members[number] for key in _keys(one))
    part_of = {contact.address: number for number, found in members.items() for contact in found}
    part_of_domain = {
        contact.domain: part_of[contact.address] for contact in contacts if contact.domain not in FREE_MAIL
    }
    part_of_owner = {one: part_of[contact.address] for contact in contacts for one in owners(contact.owner)}
    every_source = dict.fromkeys(sources)
    pasts: dict[int, dict[str, list[Known]]] = {
        number: {source: [] for source in every_source} for number in members
    }
    elsewhere: dict[int, list[Known]] = {number: [] for number in members}
    for one in sorted(known, key=lambda item: item.at):
        concerned: dict[int, list[Observation]] = {}
        for seen in one.observations:
            where = part_of.get(seen.contact)
            if where is None:
                where = _part_at(seen.contact, part_of_domain)
            if where is not None:
                concerned.setdefault(where, []).append(seen)
            writers = part_of_owner.get(writer(seen))
            if writers is not None and writers != where:
                elsewhere[writers].append(Known(one.at, one.source, (seen,)))
        for number, mine in concerned.items():
            pasts[number][one.source].append(Known(one.at, one.source, tuple(mine)))
    return [
        Part(tuple(sorted(found, key=lambda contact: contact.address)), pasts[number], elsewhere[number])
        for number, found in sorted(members.items())
    ]


def _keys(contact: Contact) -> list[str]:
    """Return what a contact is judged or told together with: an account, a domain, each owner."""
    domain = [] if contact.domain in FREE_MAIL else [f"domain {contact.domain}"]
    return [f"account {contact.account_name}", *domain, *(f"owner {one}" for one in owners(contact.owner))]


def _part_at(address: str, part_of_domain: Mapping[str, int]) -> int | None:
    """Return the part of a colleague whom nobody watches, whose address may be at a sub-domain."""
    labels = address.rpartition("@")[2].split(".")
    domains = (".".join(labels[start:]) for start in range(len(labels) - 1))
    return next((part_of_domain[domain] for domain in domains if domain in part_of_domain), None)


def _begin() -> None:
    """Prepare a process that reads and judges, and keeps nearly all it makes: little is rubbish."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.set_threshold(100_000, 50, 100)
    configure()
    load_readers()


def _end_with_parent() -> None:
    """End this process once the one that started it is gone, were it killed: nobody else would end it."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _ready() -> None:
    """Do nothing: a process that can be asked this has started."""


@contextmanager
def _processes(jobs: int) -> Iterator[Executor | None]:
    if jobs < 2:  # noqa: PLR2004 - one process is this one
        yield None
        return
    # Fresh processes: a copy of this one would hold the locks of the thread that draws the progress.
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_begin) as executor:
        before = set(active_children())
        # Ctrl-C is for this process alone: it ends the others, and nobody reads of each how it was stopped.
        mask = pthread_sigmask(SIG_BLOCK, {SIGINT})
        try:
            for _ in range(jobs):
                executor.submit(_ready)
        finally:
            pthread_sigmask(SIG_SETMASK, mask)
        try:
            yield executor
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            for process in set(active_children()) - before:
                process.terminate()
            raise


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="stillthere-backtest-") as folder:
        yield Path(folder)


def _silent(what: str, done: int, total: int | None) -> None:
    """Show nothing."""

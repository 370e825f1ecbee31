"""Judge the viewer's own mail: files that were dropped on the page, kept for as long as that takes.

They lie in a temporary folder under names of our own, and are removed as soon as the report is made.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path

import structlog

from bot.backtest import Backtest, past
from bot.backtest.html import page
from bot.backtest.replay import Span
from bot.backtest.score import score
from bot.backtest.settings import Chosen
from bot.config import domain
from bot.crm.csv import decode, parse_contacts
from bot.model import Contact, NeedsHuman, SourceDown
from bot.web_demo.dropped import CONTACTS, Dropped, TooMuch
from watchers import Scope

log = structlog.get_logger()

A_YEAR = timedelta(days=365)
A_WEEK = timedelta(days=7)
"""What the last mails say is told within days: after the night, the weekend, or two days without a word."""


@dataclass
class State:
    """How far the trial is; `step` is what is counted now, `problem` what stopped it."""

    step: str = "waiting"
    done: int = 0
    total: int | None = None
    problem: str = ""
    left_out: list[str] = field(default_factory=list)


class Trial:
    """One trial at a time in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._dropped = Dropped(folder)
        self._work: asyncio.Task[None] | None = None
        self.state = State()
        self.report = ""

    async def take(self, name: str, content: AsyncIterator[bytes]) -> None:
        """Keep one file, for another report where one was made. Raises TooMuch."""
        if self._is_busy:
            raise TooMuch("The report is being made. Wait until it is there.")
        self.state = State()
        await self._dropped.take(name, content)

    def begin(self, our_domains: str) -> None:
        """Start to make the report; `state` says how far it is. Raises NeedsHuman."""
        domains = _domains(our_domains)
        if self._dropped.coming:
            raise NeedsHuman("files are still on their way", "wait until all of them are taken")
        kinds = set(self._dropped.kinds)
        if CONTACTS not in kinds:
            raise NeedsHuman("there is no list of contacts", "drop a CSV file with a column 'email' too")
        if not kinds - {CONTACTS}:
            raise NeedsHuman("there is no mail and no calendar", "drop .eml, .mbox or .ics files too")
        if not self._is_busy:
            self.state, self.report = State("reading"), ""
            self._work = asyncio.create_task(self._make(domains), name="trial")

    async def clear(self) -> None:
        """Remove every file, and begin anew."""
        if self._work is not None and not self._work.done():
            await asyncio.wait({self._work})
        await self._remove()
        self.state, self.report = State(), ""

    async def _remove(self) -> None:
        """Remove every file; what is still on its way is not kept either."""
        self._dropped = Dropped(self._folder)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
        await asyncio.to_thread(self._folder.mkdir, exist_ok=True)

    @property
    def _is_busy(self) -> bool:
        return self._work is not None and not self._work.done()

    async def _make(self, domains: tuple[str, ...]) -> None:
        """Make the report, and say so when the files are gone."""
        problem = await self._failed(domains)
        await self._remove()
        self.state.step, self.state.problem = "failed" if problem else "done", problem

    async def _failed(self, domains: tuple[str, ...]) -> str:
        """Make the report; returns what stopped that, empty where nothing did."""
        try:
            self.report = await asyncio.to_thread(self._judge, domains)
        except NeedsHuman as problem:
            return f"{problem.what}: {problem.how}.".replace(str(self._folder), "")
        except SourceDown as down:
            return f"{down.what}."
        except Exception:
            log.exception("trial.failed")
            return "This went wrong here, and the terminal says why."
        return ""

    def _judge(self, domains: tuple[str, ...]) -> str:
        """Read, choose the days, live through them, and write the report."""
        dropped = self._dropped
        listed = parse_contacts(decode(dropped.contacts.read_bytes()), dropped.list_name)
        contacts = listed.contacts
        self.state.left_out = [f"line {row.line}: {row.reason}" for row in listed.bad]
        if not contacts:
            raise NeedsHuman(
                f"{dropped.list_name}: no contact could be read",
                "write an address into its column 'email' for each of them",
            )
        mail, calendars, data = dropped.mail(), dropped.calendars(), self._folder / "read"
        asked = Backtest(
            contacts, domains, self._span(contacts, domains, mail, data), mail, calendars, data=data
        )
        (outcome,) = asked.run([Chosen()], self._told)
        self._told("writing", 0, None)
        return page(outcome, [score(outcome, None)], [Chosen().name], None)

    def _span(
        self, contacts: tuple[Contact, ...], domains: tuple[str, ...], mail: tuple[Path, ...], data: Path
    ) -> Span:
        """Return the year before the newest mail that says something, and a week; what is read is kept."""
        data.mkdir()
        scope = Scope.of(contacts, domains)
        portions = [portion for path in mail for portion in past.portions(f"mailbox:{path}", path, scope)]
        total, done = sum(len(portion.mails) for portion in portions), 0
        days: list[date] = []
        for _, heard in past.read_all(portions, scope, data, None):
            done += heard.mails
            self._told("reading", done, total)
            days += [known.at.date() for known in heard.known]
        if not days and mail:
            raise NeedsHuman(
                "none of this mail is with one of the contacts",
                "check the contacts' addresses, and your domain",
            )
        last = max(days, default=date.today())  # noqa: DTZ011 - the viewer's own day
        return Span(max(min(days, default=last - A_YEAR), last - A_YEAR), last + A_WEEK)

    def _told(self, step: str, done: int, total: int | None) -> None:
        self.state.step, self.state.done, self.state.total = step, done, total

    def as_json(self) -> dict[str, object]:
        """Return the state as the page takes it."""
        return {**asdict(self.state), "kinds": self._dropped.kinds, "skipped": self._dropped.skipped}


def _domains(text: str) -> tuple[str, ...]:
    """Read our own mail domains, as the command line takes them. Raises NeedsHuman."""
    try:
        domains = tuple(domain(one) for one in text.replace(",", " ").split())
    except ValueError:
        domains = ()
    if not domains:
        raise NeedsHuman("that is no mail domain", "write your own team's, such as us.example")
    return domains

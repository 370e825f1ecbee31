"""Judge the viewer's own mail: files that were dropped on the page, kept for as long as that takes.

They lie in a temporary folder under names of our own, and are removed as soon as the report is made.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path, PurePosixPath

import structlog

from bot.backtest import Backtest, past
from bot.backtest.html import page
from bot.backtest.replay import Span
from bot.backtest.score import score
from bot.backtest.settings import Chosen
from bot.crm.csv import read_contacts
from bot.model import Contact, NeedsHuman, SourceDown
from watchers import Scope

log = structlog.get_logger()

MOST_FILES = 20_000
MOST_BYTES = 500 * 2**20
LARGEST_CONTACTS = 20 * 2**20
LONGEST_NAME = 80
A_YEAR = timedelta(days=365)
A_WEEK = timedelta(days=7)
"""What the last mails say is told within days: after the night, the weekend, or two days without a word."""

MAIL, MBOX, CALENDAR, CONTACTS = "mail", "mbox", "calendar", "contacts"
BY_ENDING = {".eml": MAIL, ".mbox": MBOX, ".ics": CALENDAR, ".csv": CONTACTS}
DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}\.){1,8}[a-z][a-z0-9-]{0,62}")


class TooMuch(Exception):  # noqa: N818 - it is an answer, no error
    """Say that no more is taken."""


@dataclass
class State:
    """How far the trial is; `step` is what is counted now, `problem` what stopped it."""

    step: str = "waiting"
    done: int = 0
    total: int | None = None
    problem: str = ""
    files: int = 0
    skipped: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


class Trial:
    """One trial at a time in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bytes = 0
        self._work: asyncio.Task[None] | None = None
        self.state = State()
        self.report = ""

    async def take(self, name: str, content: AsyncIterator[bytes]) -> None:
        """Keep one file. Raises TooMuch where the bounds are reached; files of no use are skipped."""
        kind = kind_of(name)
        if self._is_busy:
            raise TooMuch("The report is being made. Wait until it is there.")
        if kind is None:
            self.state.skipped += 1
            return
        if self.state.files >= MOST_FILES:
            raise TooMuch(f"More than {MOST_FILES:,} files. Drop a smaller folder.")
        self.state.files += 1
        self.state.kinds[kind] = self.state.kinds.get(kind, 0) + 1
        path = self._folder / kind / f"{self.state.files:06}-{safe(name)}"
        if kind == CONTACTS:
            path = self._folder / kind / "contacts.csv"
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        size = 0
        with await asyncio.to_thread(path.open, "wb") as file:
            async for chunk in content:
                self._bytes += len(chunk)
                size += len(chunk)
                if self._bytes > MOST_BYTES or (kind == CONTACTS and size > LARGEST_CONTACTS):
                    raise TooMuch(f"More than {MOST_BYTES // 2**20} MB. Drop a smaller folder.")
                await asyncio.to_thread(file.write, chunk)

    def begin(self, our_domains: str) -> None:
        """Start to make the report; `state` says how far it is. Raises NeedsHuman."""
        domains = tuple(our_domains.lower().replace(",", " ").split())
        if not domains or not all(DOMAIN.fullmatch(one) for one in domains):
            raise NeedsHuman("that is no mail domain", "write your own team's, such as us.example")
        if not self.state.kinds.get(CONTACTS):
            raise NeedsHuman("there is no list of contacts", "drop a CSV file with a column 'email' too")
        if not set(self.state.kinds) - {CONTACTS}:
            raise NeedsHuman("there is no mail and no calendar", "drop .eml, .mbox or .ics files too")
        if not self._is_busy:
            self.state.step, self.state.done, self.state.total = "reading", 0, None
            self._work = asyncio.create_task(self._make(domains), name="trial")

    async def clear(self) -> None:
        """Remove every file, and begin anew."""
        if self._work is not None and not self._work.done():
            await asyncio.wait({self._work})
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
        await asyncio.to_thread(self._folder.mkdir, exist_ok=True)
        self.state, self.report, self._bytes = State(), "", 0

    @property
    def _is_busy(self) -> bool:
        return self._work is not None and not self._work.done()

    async def _make(self, domains: tuple[str, ...]) -> None:
        try:
            self.report = await asyncio.to_thread(self._judge, domains)
            self.state.step = "done"
        except NeedsHuman as problem:
            self._fail(f"{problem.what}: {problem.how}".replace(str(self._folder), ""))
        except SourceDown as down:
            self._fail(down.what)
        except Exception:
            log.exception("trial.failed")
            self._fail("This went wrong here, and the terminal says why.")
        finally:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            self.state.kinds, self.state.files, self.state.skipped, self._bytes = {}, 0, 0, 0

    def _fail(self, problem: str) -> None:
        self.state.step, self.state.problem = "failed", problem

    def _judge(self, domains: tuple[str, ...]) -> str:
        """Read, choose the days, live through them, and write the report."""
        listed = read_contacts(self._folder / CONTACTS / "contacts.csv")
        contacts = listed.contacts
        self.state.left_out = [f"line {row.line}: {row.reason}" for row in listed.bad]
        if not contacts:
            raise NeedsHuman("no contact could be read", "the CSV needs a column 'email'")
        mail = tuple(path for path in (self._folder / MAIL,) if path.exists())
        mail += tuple(sorted((self._folder / MBOX).glob("*")))
        calendars = tuple(path for path in (self._folder / CALENDAR,) if path.exists())
        data = self._folder / "read"
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
        return asdict(self.state)


def kind_of(name: str) -> str | None:
    """Say what a file is by its name, None where it is of no use; a Maildir's mails have no ending."""
    path = PurePosixPath(name)
    if path.parent.name in {"cur", "new"}:
        return MAIL
    if path.name.lower() == MBOX:
        return MBOX
    return BY_ENDING.get(path.suffix.lower())


def safe(name: str) -> str:
    """Return the last part of a name in letters that no file system minds."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", PurePosixPath(name).name)[-LONGEST_NAME:]

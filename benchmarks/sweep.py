"""Measure what the service costs while nothing much happens: an hour with twenty new mails.

    python -m benchmarks.sweep [--contacts 10000] [--mails 100000] [--hours 6] [--folder FOLDER]

A Maildir with that many mails to and from that many contacts is written and read through once, into a store
on disk, everybody is judged, and the process ends. A second process opens the store as the service does and
lives through some hours, each with twenty new mails: it looks at the mailbox, reads what is new, judges whom
it is about and whoever is due without news. Printed, as one line of JSON each: the first pass (CPU seconds,
peak memory), each hour (CPU seconds of looking, of judging the news, of the review, memory), and the whole.
CPU is that of the process (`time.process_time`: all threads), memory its resident set. Only the first pass
does not wait for the disk: it would take an hour where other programs use the disk as well.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
HOUR = timedelta(hours=1)
NEW_MAILS = 20
PEOPLE_AN_ACCOUNT = 10
REP = "rita@vendor.example"
SEED = 20260615
BODY = "Thank you, that works for us. Shall we talk about the details on Thursday?\n" * 8
SLOWING = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
"""What a container sets for Python and an installation does not: no process is measured with it."""


def address(number: int) -> str:
    """Return the address of a contact."""
    return f"person{number}@account{number // PEOPLE_AN_ACCOUNT}.example"


def mail(number: int, contact: int, at: datetime, *, theirs: bool) -> bytes:
    """Return a mail by the contact to the rep, or the other way round."""
    them = f"Person {contact} <{address(contact)}>"
    sender, to = (them, f"Rita Rep <{REP}>") if theirs else (f"Rita Rep <{REP}>", them)
    return (
        f"Received: from mx.example by mail.vendor.example; {format_datetime(at)}\r\n"
        f"From: {sender}\r\nTo: {to}\r\nSubject: About the offer\r\nDate: {format_datetime(at)}\r\n"
        f"Message-ID: <{number}@mail.example>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + BODY
    ).encode()


def write(folder: Path, mails: Iterator[bytes], first: int) -> None:
    """Deliver mails into a Maildir."""
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(mails, start=first):
        (folder / "cur" / f"{number}.mail.example:2,S").write_bytes(content)


def past(contacts: int, mails: int) -> Iterator[bytes]:
    """Yield a year of mail, contact by contact, theirs and ours in turn."""
    chance = random.Random(SEED)  # noqa: S311 - invented mail, no secret
    each = mails // contacts
    for number in range(mails):
        at = NOW - YEAR * chance.random()
        yield mail(number, number // each % contacts, at, theirs=number % 2 == 0)


def fresh(contacts: int, first: int, now: datetime) -> Iterator[bytes]:
    """Yield the new mails of one hour."""
    chance = random.Random(first)  # noqa: S311 - invented mail, no secret
    for number in range(first, first + NEW_MAILS):
        at = now - HOUR * chance.random()
        yield mail(number, chance.randrange(contacts), at, theirs=chance.random() < 0.5)  # noqa: PLR2004 - a coin


def resident() -> float:
    """Return the megabytes this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def peak() -> float:
    """Return the most megabytes this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def show(**figures: float | str) -> None:
    """Print one line of figures."""
    rounded = {
        name: round(value, 3) if isinstance(value, float) else value for name, value in figures.items()
    }
    print(json.dumps(rounded), flush=True)


async def live(folder: Path, contacts: int, mails: int, hours: int) -> None:
    """Open everything as the service does; read all that is there, or live through some hours."""
    from bot.model import Contact  # noqa: PLC0415 - what is imported is part of what is measured
    from bot.pipeline import Pipeline  # noqa: PLC0415
    from bot.service import rules  # noqa: PLC0415
    from bot.store.tiny import TinyStore  # noqa: PLC0415
    from watchers import load  # noqa: PLC0415
    from watchers.mail.files import FileMailbox  # noqa: PLC0415
    from watchers.mailbox import Mailbox  # noqa: PLC0415

    load()
    box = FileMailbox(kind="files", path=folder / "mail", name="rita")
    watcher = Mailbox(Mailbox.Config(mailboxes=(box,)))
    began = time.process_time()
    async with await TinyStore.open(folder / "data") as store:
        gc.collect()
        gc.freeze()
        pipeline = Pipeline(store, rules(), ["vendor.example"], baseline=True)
        if not hours:
            os.fsync = lambda fd: None  # noqa: ARG005 - what is only prepared need not outlive a power cut
            for number in range(contacts):
                await store.watch(
                    Contact(address(number), account=f"A{number // PEOPLE_AN_ACCOUNT}", owner=REP)
                )
            await pipeline.sweep(watcher, "mailbox:rita", NOW)
            read = time.process_time()
            await pipeline.judge(NOW)
            judged = time.process_time()
            show(what="first pass", read=read - began, judge=judged - read, peak_mb=peak())
            return
        show(what="start", cpu=time.process_time() - began, resident_mb=resident())
        spent = []
        for hour in range(1, hours + 1):
            now = NOW + HOUR * hour
            first = mails + NEW_MAILS * hour
            write(folder / "mail", fresh(contacts, first, now), first)
            marks = [time.process_time()]
            swept = await pipeline.sweep(watcher, "mailbox:rita", now)
            marks.append(time.process_time())
            await pipeline.judge(now, await store.news())
            marks.append(time.process_time())
            reviewed = await pipeline.review(now)
            marks.append(time.process_time())
            look, judge, review = (after - before for before, after in pairwise(marks))
            spent.append(look + judge)
            show(
                what=f"hour {hour}",
                mails=swept.items,
                look=look,
                judge=judge,
                review=review,
                reviewed=len(reviewed),
                resident_mb=resident(),
            )
        show(what="an hourly sweep", cpu_median=median(spent), cpu_worst=max(spent), peak_mb=peak())


def main() -> None:
    """Write the mail, and run both processes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--contacts", type=int, default=10_000)
    parser.add_argument("--mails", type=int, default=100_000)
    parser.add_argument("--hours", type=int, default=6)
    parser.add_argument("--folder", type=Path, help="an empty folder to work in; a temporary one otherwise")
    parser.add_argument("--live", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.live is not None:
        asyncio.run(live(options.folder, options.contacts, options.mails, options.live))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        write(folder / "mail", past(options.contacts, options.mails), 0)
        environment = {name: value for name, value in os.environ.items() if name not in SLOWING}
        for hours in (0, options.hours):
            command = [
                sys.executable,
                "-m",
                "benchmarks.sweep",
                "--folder",
                str(folder),
                "--live",
                str(hours),
            ]
            numbers = ["--contacts", str(options.contacts), "--mails", str(options.mails)]
            subprocess.run([*command, *numbers], check=True, env=environment)


if __name__ == "__main__":
    main()

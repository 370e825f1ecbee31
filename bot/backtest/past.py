"""Read what there is of the past once, and note of each thing since when it could be known.

Portions of the mail are read by several processes. What a portion said is kept as a file, so that a run that
was killed goes on where it stood and a second run reads nothing again.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import watchers
from bot.model import Json, NeedsHuman, Observation
from watchers import Scope
from watchers.mail import Item, RawMail, Skipped, mbox
from watchers.mail.folders import Found, look_through, read_file, reason
from watchers.mail.head import LIMITS, split_head
from watchers.mailbox import Mailbox

PORTION = 1000
"""How many mails are read at once, by one process."""

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""Since when that is known of which nobody can say when it arrived."""

Read = tuple[str, int, int]
"""A mail: its file, and from which offset to which it goes; (0, 0) is the whole file."""


@dataclass(frozen=True, slots=True)
class Known:
    """What one item of a source said, and since when it could be known."""

    at: datetime
    source: str
    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Portion:
    """Some mails of one source; `key` names what they and their reading depend on."""

    source: str
    mails: tuple[Read, ...]
    key: str
    authenticators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """What a portion said; `broken` counts the mails that could not be read."""

    known: tuple[Known, ...]
    mails: int = 0
    broken: int = 0


def portions(source: str, path: Path, scope: Scope, authenticators: Sequence[str] = ()) -> list[Portion]:
    """Cut the mail that lies under a path into portions. Raises NeedsHuman where there is none.

    `authenticators` are the mail servers whose word is taken on whether a sender is forged.
    """
    if not path.exists():
        raise NeedsHuman(
            f"{path}: there is nothing", "name a Maildir, an mbox, a folder of mails or one mail"
        )
    people = sorted((contact.address, contact.name) for contact in scope.contacts)
    about = _digest("scope", people, sorted(scope.domains), sorted(scope.our_domains), [*authenticators])
    reads = _reads(look_through([path]))
    found = []
    while some := tuple(islice(reads, PORTION)):
        states = [state for _, state in some]
        key = _digest(about, _readers(), states)
        found.append(Portion(source, tuple(read for read, _ in some), key, tuple(authenticators)))
    return found


def hear(portion: Portion, scope: Scope) -> Heard:
    """Read one portion with every reader, as the service does."""
    watcher = Mailbox(Mailbox.Config(authenticators=portion.authenticators))
    known: list[Known] = []
    for item in _items(portion):
        if isinstance(item, Skipped):
            watcher.broken[item.reason] += 1
            continue
        seen = tuple(watcher.read(item, scope))
        if seen:
            known.append(Known(arrival(item), portion.source, seen))
    return Heard(tuple(known), len(portion.mails), sum(watcher.broken.values()))


def arrival(item: RawMail) -> datetime:
    """Return when a mail arrived: its topmost Received header says so, else its Date."""
    start = item.content[: LIMITS.headers].replace(b"\r\n", b"\n")
    start = start.lstrip(b"\xef\xbb\xbf\n ")
    if start.startswith((b"From ", b">From ")):
        start = start.partition(b"\n")[2]
    head, _ = split_head(start, 0, len(start))
    return head.date or ALWAYS


def read_all(
    wanted: Sequence[Portion], scope: Scope, kept: Path, executor: Executor | None
) -> Iterator[tuple[int, Heard]]:
    """Yield what each portion said with its number, as soon as it is known; keep it in a folder."""
    try:
        kept.mkdir(parents=True, exist_ok=True)
        yield from _read_all(wanted, scope, kept, executor)
    except OSError as error:
        raise NeedsHuman(
            f"{kept}: what was read cannot be kept: {error.strerror}", "name a folder that can be written to"
        ) from error


def _read_all(
    wanted: Sequence[Portion], scope: Scope, kept: Path, executor: Executor | None
) -> Iterator[tuple[int, Heard]]:
    missing = []
    for number, portion in enumerate(wanted):
        heard = _kept(kept / f"{portion.key}.json.gz", portion.source)
        if heard is None:
            missing.append(number)
        else:
            yield number, heard
    if executor is None:
        for number in missing:
            yield number, _hear_and_keep(wanted[number], scope, kept)
        return
    jobs = {executor.submit(_hear_and_keep, wanted[number], scope, kept): number for number in missing}
    for job in as_completed(jobs):
        yield jobs[job], job.result()


def _hear_and_keep(portion: Portion, scope: Scope, kept: Path) -> Heard:
    heard = hear(portion, scope)
    path = kept / f"{portion.key}.json.gz"
    half = path.with_suffix(f".{os.getpid()}")
    with gzip.open(half, "wt", encoding="utf-8", compresslevel=1) as file:
        json.dump(
            {"mails": heard.mails, "broken": heard.broken, "known": list(map(_told, heard.known))}, file
        )
    half.replace(path)
    return heard


def _kept(path: Path, source: str) -> Heard | None:
    """Return what was kept of a portion; None where there is nothing, or nothing whole."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            document = json.load(file)
        known = tuple(_known(entry, source) for entry in document["known"])
        return Heard(known, document["mails"], document["broken"])
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None


def _told(known: Known) -> list[Json]:
    seen: list[Json] = [
        [one.contact, one.kind, one.at.isoformat(), one.sentence, one.group, dict(one.facts), [*one.because]]
        for one in known.observations
    ]
    return [known.at.isoformat(), seen]


def _known(entry: Sequence[Any], source: str) -> Known:
    at, told = entry
    return Known(
        datetime.fromisoformat(at),
        source,
        tuple(
            Observation(
                contact, kind, datetime.fromisoformat(when), source, sentence, group, facts, tuple(because)
            )
            for contact, kind, when, sentence, group, facts, because in told
        ),
    )


def _reads(files: Iterable[Found]) -> Iterator[tuple[Read, Json]]:
    """Yield each mail of these files, with what tells whether it is still the same."""
    for found in files:
        state: Json = [found.label, found.size, found.mtime]
        if not found.is_mbox:
            yield (found.path, 0, 0), state
            continue
        try:
            with Path(found.path).open("rb") as file:
                for begin, end in mbox.bounds(file):
                    yield (found.path, begin, end), [state, begin]
        except OSError:
            yield (found.path, 0, 0), state


def _items(portion: Portion) -> Iterator[Item]:
    for path, begin, end in portion.mails:
        if not end:
            yield read_file(Found(path, ""), portion.source)
            continue
        try:
            with Path(path).open("rb") as file:
                file.seek(begin)
                content = mbox.unquote(file.read(min(end - begin, LIMITS.mail)))
            yield RawMail(portion.source, f"{path}@{begin}", content)
        except OSError as error:
            yield Skipped(portion.source, path, reason(error))


@cache
def _readers() -> str:
    """Return what names the readers as they are: what an older version read is read again."""
    root = Path(watchers.__file__).parent
    files = sorted(path for path in root.rglob("*") if path.suffix in {".py", ".txt"})
    return _digest([hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest() for path in files])


def _digest(*values: Json | Sequence[Any] | Mapping[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(values).encode(), digest_size=16).hexdigest()

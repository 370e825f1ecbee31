"""Look at one page once: ask, read what changed, ask for what completes it, and remember."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from weakref import WeakKeyDictionary

from watchers.garbage import nothing_collected
from watchers.web.client import Answer
from watchers.web.findings import Finding, Report, State, Watched
from watchers.web.memory import Memory, Part, said, who
from watchers.web.pages import Fetched
from watchers.web.presence import look_again
from watchers.web.reading import Look, Opened, open_page, put_together
from watchers.web.revalidation import Validators

ROUNDS = 4
"""How often further pages are asked for, as long as somebody is missing."""

_SETTLED = frozenset((200, 404, 410))
_SEEN = frozenset((State.PRESENT, State.CHANGED, State.MOVED))
_READING: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
"""Pages are read one after the other, apart from the loop: a large one takes seconds and much memory.

A lock belongs to one loop.
"""


class Asks(Protocol):
    """Whoever answers for an address: a `Client`, or what was recorded of a site."""

    async def get(self, url: str, validators: Validators | None = None, digest: str = "") -> Answer:
        """Return a page, and say whether it is what was seen last."""


@dataclass(frozen=True, slots=True)
class News:
    """What a look found that was not said before.

    `notices` concern the page as a whole. `changed` and `gone` count the people whose title changed, or who
    vanished, at this one look, of `listed` who were looked for.
    """

    findings: tuple[Finding, ...] = ()
    notices: tuple[str, ...] = ()
    changed: int = 0
    gone: int = 0
    listed: int = 0


NOTHING = News()


async def visit(
    client: Asks, url: str, watched: Sequence[Watched], memory: Memory, now: datetime
) -> tuple[News, Memory]:
    """Look at a page and return what is new, and what to remember."""
    answers: dict[str, Answer] = {}
    if not memory.needs_text(who(watched)):
        parts, changed = await _changed(client, memory.parts)
        if changed is None:
            return NOTHING, memory.unchanged(now, parts)
        if not changed.fetched.status:
            return NOTHING, memory.failed(now, changed.fetched.error, changed.retry_at)
        if changed.fetched.url == url:
            answers[url] = changed
    if url not in answers:
        answers[url] = await client.get(url)
    report, seen = await _read(client, watched, memory, answers, now)
    why = _unjudged(report, seen, memory)
    if why:
        retry_at = max((each.retry_at for each in answers.values() if each.retry_at), default=None)
        return NOTHING, memory.failed(now, why, retry_at)
    return _news(report, memory), memory.read(now, report, _parts(answers), watched, seen.sighting.people)


async def _changed(client: Asks, parts: Sequence[Part]) -> tuple[list[Part], Answer | None]:
    """Ask whether the listing is what it was; return its parts, and the first answer that says otherwise."""
    same: list[Part] = []
    for part in parts:
        answer = await client.get(part.url, part.validators, part.digest)
        if not answer.unchanged:
            return same, answer
        same.append(Part(part.url, answer.validators, answer.digest))
    return same, None


async def _read(
    client: Asks,
    watched: Sequence[Watched],
    memory: Memory,
    answers: dict[str, Answer],
    now: datetime,
) -> tuple[Report, Look]:
    """Read a page with what completes it; as long as somebody is missing, more of it is asked for."""
    opened: dict[str, Opened] = {}
    for last in range(ROUNDS, -1, -1):
        new = {address: each.fetched for address, each in answers.items() if address not in opened}
        async with _READING.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            seen, report = await asyncio.to_thread(_look, opened, new, memory, watched, now)
        more = [further for further in seen.wanted if further not in answers]
        if not last or not more or not _misses(report, memory, watched):
            break
        for further in more:
            answers[further] = await client.get(further)
    return report, seen


def _look(
    opened: dict[str, Opened],
    new: Mapping[str, Fetched],
    memory: Memory,
    watched: Sequence[Watched],
    now: datetime,
) -> tuple[Look, Report]:
    """Read what came anew, into `opened`, and judge everything together."""
    with nothing_collected():
        opened |= {address: open_page(fetched) for address, fetched in new.items()}
        seen = put_together([*opened.values()])
        return seen, look_again(memory.kept, watched, seen.sighting, now.date())


def _misses(report: Report, memory: Memory, watched: Sequence[Watched]) -> bool:
    """Say whether somebody is missing of whom the rest of the listing may know.

    Who was gone before is not looked for all over again, and who was never seen only once.
    """
    known = (memory.kept or {}).get("people", {})
    is_first = who(watched) != memory.who
    missing = [found for found in report.findings if found.state not in _SEEN]
    before = [known[found.key] for found in missing if known.get(found.key, {}).get("seen")]
    return (is_first and len(before) < len(missing)) or any(one.get("state") != State.GONE for one in before)


def _unjudged(report: Report, seen: Look, memory: Memory) -> str:
    """Return why the page says nothing of anybody who was on it; empty where it says something."""
    if seen.sighting.reason:
        return seen.sighting.reason
    known = (memory.kept or {}).get("people", {})
    before = [found for found in report.findings if known.get(found.key, {}).get("seen")]
    if not before:
        return "" if seen.sighting.people else seen.sighting.guess()
    after = report.state.get("people", {})
    doubted = [
        found
        for found in before
        if found.state is State.UNKNOWN
        and found.person is None
        and known[found.key].get("missing") == after.get(found.key, {}).get("missing")
    ]
    return doubted[0].reason if len(doubted) == len(before) else ""


def _parts(answers: Mapping[str, Answer]) -> list[Part]:
    """Return what the listing consists of: the page first, and what else was asked for to find everybody.

    Where one of them could not be had, nothing is returned: then the listing is read anew the next time.
    """
    if any(each.fetched.status not in _SETTLED for each in answers.values()):
        return []
    return [Part(url, each.validators, each.digest) for url, each in answers.items()]


def _news(report: Report, memory: Memory) -> News:
    """Return what is new: changes are said by the reading once, presence and absence once by us."""
    found = tuple(
        each
        for each in report.findings
        if each.state in {State.CHANGED, State.MOVED}
        or (each.state is not State.UNKNOWN and memory.told.get(each.key) != said(each))
    )
    return News(
        findings=found,
        notices=report.notices,
        changed=sum(each.state is State.CHANGED for each in found),
        gone=sum(each.state is State.GONE for each in found),
        listed=len(report.findings),
    )

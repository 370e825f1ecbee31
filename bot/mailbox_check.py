"""Look at a source as the service would, and say of a mailbox how much mail there is in it."""

from __future__ import annotations

from typing import Any

from bot.finding import Finding, ok, warning
from bot.model import Json
from bot.slack.words import counted
from watchers import Batch, Scope, Watcher
from watchers.mail.imap import Census, ImapMailbox
from watchers.mailbox import Mailbox

EMPTY = "is it the right one, and read by the right user?"
FOLDERS_SHOWN = 8


async def look(
    watcher: Watcher[Any], source: str, scope: Scope, cursor: Json = None, also: str = ""
) -> list[Finding]:
    """Read a source up to its first batch, and say what is there; `also` is said with it.

    Nothing is kept. Raise SourceDown and NeedsHuman as the source does.
    """
    first = await _first(watcher, source, scope, cursor)
    said: list[str] = []
    found: list[Finding] = []
    box = _imap(watcher, source)
    if box is not None:
        census = await box.open(source).census()
        said.append(", ".join(f"{counted(mails, 'mail')} in {name}" for name, mails in census.mails.items()))
        found += _worth_a_look(source, census)
    elif isinstance(watcher, Mailbox) and first is not None and first.total is not None:
        said.append(counted(first.total, "new mail" if cursor else "mail"))
        if not first.total and not cursor:
            found.append(warning(source, "there is no mail in it", EMPTY))
    what = "; ".join(part for part in (": ".join(["can be read", *said]), also) if part)
    return [ok(source, what), *found]


def _worth_a_look(source: str, census: Census) -> list[Finding]:
    found = []
    if not any(census.mails.values()):
        found.append(warning(source, "there is no mail in it", EMPTY))
    if not census.has_sent:
        others = [name for name in census.folders if name not in census.mails]
        there = f"; there are also: {', '.join(others[:FOLDERS_SHOWN])}" if others else ""
        what = "no folder of sent mail is read: a bounce counts only for a mail that was seen to be ours"
        found.append(warning(source, what, f"name it under the mailbox's `folders`{there}"))
    return found


def _imap(watcher: Watcher[Any], source: str) -> ImapMailbox | None:
    boxes = watcher.config.mailboxes if isinstance(watcher, Mailbox) else ()
    named = (box for box in boxes if isinstance(box, ImapMailbox) and source == f"{watcher.name}:{box.label}")
    return next(named, None)


async def _first(watcher: Watcher[Any], source: str, scope: Scope, cursor: Json) -> Batch[Any] | None:
    batches = watcher.fetch(source, cursor, scope)
    try:
        async for batch in batches:
            return batch
    finally:
        await batches.aclose()  # type: ignore[attr-defined]  # every watcher's is a generator
    return None

"""Say what single mails mean, and why: for machines one line a mail, for people in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb

from bot.model import Json, Observation
from watchers import MailReader, Scope
from watchers.mail import Skipped
from watchers.mail.folders import mails
from watchers.mail.parse import Mail, parse

AUTOREPLY = frozenset({"departed", "on_leave", "role_change", "address_change", "acknowledgement"})
"""Kinds that are what an auto-reply says."""

PLAIN = frozenset({"wrote", "written_to", "copied"})
"""Kinds that any mail gives: worth keeping, not worth explaining."""


OF_MAIL = ("from", "date", "received", "message-id", "subject", "return-path")
"""Headers of which every mail has one (RFC 5322, section 3.6)."""
NO_MAIL = "it is no mail, as it has none of a mail's headers"


@dataclass(frozen=True)
class Reading:
    """What one mail was read as; `trouble` says why it could not be read, empty where it could."""

    file: str
    observations: tuple[Observation, ...] = ()
    notes: tuple[str, ...] = ()
    trouble: str = ""

    def as_json(self) -> dict[str, Json]:
        """Return the line that `read --json` prints for the mail."""
        line: dict[str, Json] = {"file": self.file, "readings": [said(seen) for seen in self.observations]}
        if self.notes:
            line["notes"] = list(self.notes)
        if self.trouble:
            line["trouble"] = self.trouble
        return line


def said(seen: Observation) -> dict[str, Json]:
    """Return one reading: an auto-reply `says` its kind, everything else is of its kind."""
    is_reply = seen.kind in AUTOREPLY
    reading: dict[str, Json] = {"kind": "autoreply", "says": seen.kind} if is_reply else {"kind": seen.kind}
    return {
        **reading,
        "recipient": seen.contact,
        "date": seen.at.isoformat(),
        **seen.facts,
        "sentence": seen.sentence,
        "because": list(seen.because),
    }


def read(paths: Sequence[Path], scope: Scope) -> Iterator[Reading]:
    """Read every mail of these paths with every reader, one after another.

    A mail of a folder that is read alone is named by its path within that folder.
    """
    readers = [reader() for reader in MailReader.registry.values()]
    folder = f"{paths[0]}/" if len(paths) == 1 and paths[0].is_dir() else ""
    for item in mails(paths):
        label = item.label.removeprefix(folder)
        if isinstance(item, Skipped):
            yield Reading(label, trouble=item.reason)
            continue
        yield _read(label, parse(item.content), readers, scope)


def _read(label: str, mail: Mail, readers: Sequence[MailReader], scope: Scope) -> Reading:
    """Hand one mail to every reader; of one that fails is said where, never on what."""
    found: list[Observation] = []
    for reader in readers:
        try:
            found.extend(reader.read(mail, scope))
        except Exception as error:  # noqa: BLE001 - it is a stranger's mail: one bug must not cost the others
            return Reading(label, tuple(found), mail.notes, _trouble(reader, error))
    if not found and not any(name in mail.head for name in OF_MAIL):
        return Reading(label, notes=mail.notes, trouble=NO_MAIL)
    return Reading(label, tuple(found), mail.notes)


def _trouble(reader: MailReader, error: Exception) -> str:
    frame = extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}, line {frame.lineno}"
    return f"the reader {reader.name} failed on it: {type(error).__name__} in {where}"

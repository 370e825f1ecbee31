"""What a contacts file comes to, in findings: how many it lists, and which rows were left out."""

from __future__ import annotations

from bot.crm.csv import Contacts
from bot.finding import Finding, ok, warning

SHOWN = 5


def findings(found: Contacts, name: str) -> list[Finding]:
    """Say what was read from the file of that name."""
    count = len(found.contacts)
    said = [ok("contacts", f"{count} contact{'' if count == 1 else 's'} in {name}")]
    if found.bad:
        lines = ", ".join(str(row.line) for row in found.bad[:SHOWN])
        many = "1 row was" if len(found.bad) == 1 else f"{len(found.bad)} rows were"
        at = "line" if len(found.bad) == 1 else "lines"
        what = f"{many} left out, {at} {lines}: {found.bad[0].reason}"
        said.append(warning("contacts", what, "correct these rows"))
    return said

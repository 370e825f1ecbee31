"""Read the fields of a delivery status (RFC 3464 section 2), also where they are damaged."""

from __future__ import annotations

import re

from watchers.mail.notices import ADDRESS, LONGEST_LINE, STATUS_FIELD

MOST_RECIPIENTS = 200
LONGEST_NAME = 60
"""No field of a report has a longer name."""

LONGEST_TYPE = 30
"""No type of an address or of a diagnosis is longer, such as `rfc822` and `X-Postfix`."""

_RECIPIENT_FIELDS = frozenset(
    "final-recipient original-recipient action status diagnostic-code remote-mta x-actual-recipient "
    "x-supplementary-info last-attempt-date will-retry-until".split(),
)


def split_fields(text: str) -> list[tuple[str, str]]:
    """Split a block of fields, blank lines included as fields without a name; damage is skipped."""
    fields: list[tuple[str, str]] = []
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if not line.strip():
            fields.append(("", ""))
        elif line[0] in " \t" and fields and fields[-1][0] and not STATUS_FIELD.match(line):
            last, before = fields[-1]
            if len(before) < LONGEST_LINE:
                fields[-1] = (last, f"{before} {line.strip()[:LONGEST_LINE]}")
        elif colon and len(name) < LONGEST_NAME:
            fields.append((name.strip().lower(), value.strip()[:LONGEST_LINE]))
    return fields


def statuses(text: str) -> tuple[str, list[dict[str, str]]]:
    """Return the reporting MTA and, for each recipient, the fields of a delivery status."""
    reporting_mta = ""
    groups: list[dict[str, str]] = [{}]
    for name, value in split_fields(text):
        current = groups[-1]
        if name in {"reporting-mta", "reporting-ua"}:
            reporting_mta = reporting_mta or host_in(value)
        elif name == "" and _names_recipient(current) and ("action" in current or "status" in current):
            groups.append({})
        elif name in _RECIPIENT_FIELDS:
            if name in current and name in {"final-recipient", "original-recipient", "action"}:
                groups.append({})
            if len(groups) > MOST_RECIPIENTS:
                break
            groups[-1].setdefault(name, value)
    whole: list[dict[str, str]] = []
    for group in groups:
        if _names_recipient(group):
            whole.append(group)
        elif whole:
            whole[-1] = {**group, **whole[-1]}
    return reporting_mta, whole


def _names_recipient(fields: dict[str, str]) -> bool:
    return "final-recipient" in fields or "original-recipient" in fields


def untyped(text: str) -> str:
    """Return a field's value without the type in front of it: `smtp; 550 no` is `550 no`."""
    kind, semicolon, value = text.partition(";")
    known = semicolon and len(kind) < LONGEST_TYPE and " " not in kind.strip() and "@" not in kind
    return (value if known else text).strip()


def address_in(text: str) -> str:
    """Return the address that a field names, in lower case; the whole value where it holds none."""
    value = untyped(text).strip("<>\"' \t").lower()
    found = ADDRESS.search(value)
    return value if found is None or " " in value.partition("@")[0] else found[0].rstrip(".>")


def host_in(text: str) -> str:
    """Return the host that a field names."""
    return untyped(text).strip("() \t").partition(" ")[0][:255]


_STATUS_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")


def status_code(text: str) -> str:
    """Return the enhanced status code in a field (RFC 3463), or the empty string."""
    found = _STATUS_CODE.search(text)
    return found[1] if found is not None else ""

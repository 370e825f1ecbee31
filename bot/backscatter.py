"""Does this bounce count? Pure: one bounce and the person's history -> why it does not, or nothing.

Anybody can send us a bounce. It is evidence only where it answers a mail of ours to that person, and only
where the address worked before: a first-ever mail that bounces is a typo, not a departure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.model import Json, Observation

NEVER_WROTE = "we never wrote to them, by the mail that was read"
NOT_OURS = "it answers a mail that was not ours"
NOT_TO_THEM = "the mail it answers was not to them"
FORWARDED = "it was refused where their mail is forwarded to"
UNKNOWN_ORIGINAL = "it does not show which mail of ours it answers"
NEVER_WORKED = "no earlier mail is known to have reached this address: perhaps a typo"

SETTLED_AFTER = timedelta(days=2)
"""A mail of ours that has not bounced for so long counts as delivered; most systems report sooner."""

HARD = "mailbox_gone"
CONTACT = frozenset({"wrote", "written_to", "copied"})
BOUNCES = frozenset({HARD, "domain_gone", "blocked", "full", "transient", "other"})
MAIL_WORKS = frozenset({"wrote", "on_leave", "acknowledgement", "meeting_accepted"})
"""What only a working mailbox can send."""


def objection(bounce: Observation, history: Sequence[Observation]) -> str:
    """Return why the bounce does not count, in words; empty where it does."""
    before = [seen for seen in history if seen.at <= bounce.at and seen.key != bounce.key]
    return _not_genuine(bounce, before) or ("" if worked_before(bounce, before) else NEVER_WORKED)


def _not_genuine(bounce: Observation, before: Sequence[Observation]) -> str:
    """Return why it is no report of a mail that we sent to the person; empty where it is one."""
    original = text(bounce.facts.get("original_message_id"))
    sent = {text(seen.facts.get("message_id")) for seen in before if seen.kind in {"written_to", "copied"}}
    if original and original in sent:
        return FORWARDED if is_forwarded(bounce) else ""
    found = ""
    if bounce.facts.get("ours") is False:
        found = NOT_OURS
    elif not any(seen.kind in CONTACT for seen in before):
        found = NEVER_WROTE
    elif not bounce.facts.get("ours"):
        found = UNKNOWN_ORIGINAL
    elif not _was_to_them(bounce):
        found = NOT_TO_THEM
    elif is_forwarded(bounce):
        found = FORWARDED
    return found


def _was_to_them(bounce: Observation) -> bool:
    """Say whether the returned mail names the person; where it names nobody, it may have."""
    named = bounce.facts.get("original_to")
    recipients = {text(address).lower() for address in named} if isinstance(named, list) else set()
    theirs = {bounce.contact, *(text(bounce.facts.get(name)).lower() for name in RECIPIENTS)} - {""}
    return not recipients or bool(recipients & theirs)


RECIPIENTS = ("original_recipient", "final_recipient", "expanded_from")


def is_forwarded(bounce: Observation) -> bool:
    """Say whether the mail had been forwarded to another organisation when it was refused."""
    final = text(bounce.facts.get("final_recipient")).lower()
    return "@" in final and not is_same_organisation(final, bounce.contact)


def is_same_organisation(one: str, other: str) -> bool:
    """Say whether two addresses look like one organisation's: a sub-domain, or the same name elsewhere.

    >>> is_same_organisation("jane@acme.onmicrosoft.com", "jane@acme.com")
    True
    """
    labels, others = (address.rpartition("@")[2].split(".") for address in (one, other))
    if labels[-2:] == others[-2:]:
        return True
    return bool(set(labels[:-1]) & set(others[:-1]) - COMMON_LABELS)


COMMON_LABELS = frozenset("ac co com edu gov mail mx net onmicrosoft org smtp www".split())


def worked_before(bounce: Observation, before: Sequence[Observation]) -> bool:
    """Say whether mail is known to have reached the address before the one that bounced."""
    bounced = {text(seen.facts.get("original_message_id")) for seen in before if seen.kind in BOUNCES}
    bounced.add(text(bounce.facts.get("original_message_id")))
    return any(
        seen.kind in MAIL_WORKS
        or (
            seen.kind == "written_to"
            and text(seen.facts.get("message_id")) not in bounced
            and bounce.at - seen.at >= SETTLED_AFTER
        )
        for seen in before
    )


def text(value: Json | object) -> str:
    """Return a fact that should be text; anything else is empty."""
    return value if isinstance(value, str) else ""

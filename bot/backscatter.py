"""Does this bounce count? Pure: one bounce and the person's history -> why it does not, or nothing.

Anybody can send us a bounce. It is evidence only where it answers a mail of ours, and only where the address
worked before: a first-ever mail that bounces is a typo, not a departure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.model import Observation

NEVER_WROTE = "we never wrote to them, by the mail that was read"
NOT_OURS = "it answers a mail that was not ours"
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
    original = str(bounce.facts.get("original_message_id") or "")
    sent = {
        str(seen.facts.get("message_id") or "") for seen in before if seen.kind in {"written_to", "copied"}
    }
    if original and original in sent:
        return "" if worked_before(original, before, bounce) else NEVER_WORKED
    if bounce.facts.get("ours") is False:
        return NOT_OURS
    if not any(seen.kind in CONTACT for seen in before):
        return NEVER_WROTE
    if not bounce.facts.get("ours"):
        return UNKNOWN_ORIGINAL
    return "" if worked_before(original, before, bounce) else NEVER_WORKED


def worked_before(original: str, before: Sequence[Observation], bounce: Observation) -> bool:
    """Say whether mail is known to have reached the address before the one that bounced."""
    bounced = {
        str(seen.facts.get("original_message_id") or "") for seen in before if seen.kind in BOUNCES
    } | {original}
    return any(
        seen.kind in MAIL_WORKS
        or (
            seen.kind == "written_to"
            and seen.facts.get("message_id") not in bounced
            and bounce.at - seen.at >= SETTLED_AFTER
        )
        for seen in before
    )

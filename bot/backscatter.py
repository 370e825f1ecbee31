"""Does this bounce count? Pure: one bounce and the person's history -> why it does not, or nothing.

Anybody can send us a bounce. It is evidence only where it answers a mail of ours to that person, and only
where the address worked before: a first-ever mail that bounces is a typo, not a departure.

Not every mail of ours is known: one of us may not have connected a mailbox, and a CRM or a calendar sends
under our names. Where mails to the person are known of whoever is said to have sent the returned one, several
of late, a report of another mail counts only if we wrote to the person within the week before, unanswered.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.doubles import LOGGED
from bot.model import Json, Observation

NEVER_WROTE = "we never wrote to them, by the mail that was read"
NOT_OURS = "it answers a mail that was not ours"
NOT_TO_THEM = "the mail it answers was not to them"
NOT_KNOWN = "the mail it answers is not known, and we awaited no answer of theirs"
ANSWERED = "they had answered the mail that it returns"
NEW_ADDRESS = "they had told that their address changes, on "
FORWARDED = "it was refused where their mail is forwarded to"
UNKNOWN_ORIGINAL = "it does not show which mail of ours it answers"
NEVER_WORKED = "no earlier mail is known to have reached this address: perhaps a typo"

SETTLED_AFTER = timedelta(days=2)
"""A mail of ours that has not bounced for so long counts as delivered; most systems report sooner."""

RETURNED_WITHIN = timedelta(days=7)
"""Mail systems give a mail up after four to five days (RFC 5321, section 4.5.4.1), and weekends are slow."""

KNOWN, LATELY = 3, timedelta(days=90)
"""Of whom so many mails to the person are known, so lately, we read the mail: one may be another's copy."""

CLOCKS_APART = timedelta(days=1)
"""A report may bear an earlier date than the mail it returns: clocks and time zones are set wrongly."""

OLD_ADDRESS_USED = timedelta(days=90)
"""Whoever still writes from an address so long after saying that it changes has kept it."""

HARD = "mailbox_gone"
SENT = "written_to"
WROTE = "wrote"
CHANGE = "address_change"
CONTACT = frozenset({"wrote", "written_to", "copied"})
BOUNCES = frozenset({HARD, "domain_gone", "blocked", "full", "transient", "other"})
REPLIES = frozenset({"departed", "farewell", "on_leave", "role_change", CHANGE, "acknowledgement"})
MAIL_WORKS = frozenset({"wrote", "on_leave", "acknowledgement", "meeting_accepted"})
"""What only a working mailbox can send."""


def objection(bounce: Observation, history: Sequence[Observation]) -> str:
    """Return why the bounce does not count, in words; empty where it does."""
    before = [seen for seen in history if seen.at <= bounce.at and seen.key != bounce.key]
    reason = _not_genuine(bounce, before, history) or _announced(before)
    return reason or ("" if worked_before(bounce, before) else NEVER_WORKED)


def _not_genuine(bounce: Observation, before: Sequence[Observation], history: Sequence[Observation]) -> str:
    """Return why it is no report of a mail that we sent to the person; empty where it is one."""
    original = text(bounce.facts.get("original_message_id"))
    answered = _answered(before)
    if original and original in _sent(bounce, history):
        if original in answered:
            return ANSWERED
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
    elif _is_read(bounce, before) and not _awaits(bounce, before, answered):
        found = NOT_KNOWN
    elif is_forwarded(bounce):
        found = FORWARDED
    return found


def _sent(bounce: Observation, history: Sequence[Observation]) -> set[str]:
    """Return the mails to the person that are known by then."""
    latest = bounce.at + CLOCKS_APART
    return {
        text(seen.facts.get("message_id"))
        for seen in history
        if seen.kind in {SENT, "copied"} and seen.at <= latest
    }


def _answered(before: Sequence[Observation]) -> set[str]:
    """Return the mails that the person answered; what was read as an automatic reply is no answer."""
    replies = {text(seen.facts.get("message_id")) for seen in before if seen.kind in REPLIES}
    return {
        text(seen.facts.get("answers"))
        for seen in before
        if seen.kind == WROTE
        and seen.facts.get("forged") is not True
        and text(seen.facts.get("message_id")) not in replies
    } - {""}


def _is_read(bounce: Observation, before: Sequence[Observation]) -> bool:
    """Say whether we read the mail of the one of us who is said to have sent the returned one."""
    sender, earliest = text(bounce.facts.get("original_from")), bounce.at - LATELY
    theirs = (seen for seen in before if seen.at >= earliest and writer(seen) == sender)
    return bool(sender) and sum(not seen.facts.get(LOGGED) for seen in theirs) >= KNOWN


def _awaits(bounce: Observation, before: Sequence[Observation], answered: set[str]) -> bool:
    """Say whether a mail or an invitation of ours may be on its way: a late one that nobody answered."""
    return any(
        bounce.at - seen.at <= RETURNED_WITHIN
        and (seen.kind == SENT or seen.facts.get("by_side") == "us")
        and text(seen.facts.get("message_id")) not in answered
        for seen in before
    )


def _announced(before: Sequence[Observation]) -> str:
    """Say when the person told that the address would change, if they did and then gave it up."""
    told = [seen.at for seen in before if seen.kind == CHANGE and seen.facts.get("forged") is not True]
    if not told:
        return ""
    last = max((seen.at for seen in before if seen.kind == WROTE), default=told[0])
    kept = last - max(told) > OLD_ADDRESS_USED
    return "" if kept else f"{NEW_ADDRESS}{max(told):%-d %B %Y}"


def writer(seen: Observation) -> str:
    """Return who of ours wrote the mail that was observed, empty where it is not known or not ours."""
    company = seen.facts.get("with")
    return text(company[0]) if seen.kind == SENT and isinstance(company, list) and company else ""


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
            seen.kind == SENT
            and text(seen.facts.get("message_id")) not in bounced
            and bounce.at - seen.at >= SETTLED_AFTER
        )
        for seen in before
    )


def text(value: Json | object) -> str:
    """Return a fact that should be text; anything else is empty."""
    return value if isinstance(value, str) else ""

"""Draw what /champion answers with: lists, single people, exposure, figures, help. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slackblocks import (
    ActionsBlock,
    Block,
    Button,
    ConfirmationDialogue,
    Element,
    PlainText,
    SectionBlock,
    Text,
)

from bot.alerts import GRAVITY
from bot.coverage import Coverage
from bot.exposure import WITHIN, Exposure, remaining
from bot.model import (
    Action,
    Alert,
    Answer,
    Assessment,
    Case,
    Choice,
    Contact,
    Decision,
    Person,
    Reason,
    Watched,
)
from bot.slack import cards, words
from bot.slack.adding import NAMED, Outcome
from bot.slack.cards import MARKS, Scene
from bot.slack.grammar import VERBS, Verb
from bot.slack.manifest import COMMAND
from bot.slack.mrkdwn import mailto, plain, quote, user
from bot.slack.parts import Card, section, small_print
from bot.stats import WINDOW, Precision

PAGE = 20
"""People on a page of a list."""

PAGE_ACTION = "contacts.page."
SHOW_ACTION = "contacts.show"
REMOVE_ACTION = "contacts.remove"
UNDO_ACTION = "contacts.undo"

ROWS = 40
"""Accounts that exposure shows: a message holds 50 blocks."""

ENOUGH = 5
"""Fewer answers say nothing about a kind of signal."""

_DECISIONS = 5
_NAMED = 5
_REASONS = {
    Reason.FIRST: "the first sign",
    Reason.STRONGER: "the evidence got stronger",
    Reason.REMINDER_DUE: "a snooze ran out",
    Reason.ANSWERED: "they were in touch again",
    Reason.BELOW_THRESHOLD: "not grave enough for an alert",
    Reason.ALREADY_SENT: "told before",
    Reason.UNCONFIRMED: "a second look is due",
    Reason.COOLING_DOWN: "a case ended a short while ago",
    Reason.SNOOZED: "snoozed",
    Reason.SETTLED: "settled",
    Reason.ON_LEAVE: "on leave",
    Reason.OVER_BUDGET: "enough alerts for the day",
    Reason.QUIET_HOURS: "quiet hours",
    Reason.AUDIT: "asked about in the digest",
    Reason.BASELINE: "found when their source was first read",
    Reason.INHIBITED_BY_SOURCE_OUTAGE: "a source could not be read",
    Reason.INHIBITED_BY_ACCOUNT_NOTICE: "told as a notice on the whole account",
}
_ACTIONS = {Action.SEND: "Told", Action.DIGEST: "Left to the digest", Action.HOLD: "Not told"}


@dataclass(frozen=True)
class Page:
    """Part of a list: the page's number from 0, whose list it is, who is on the page, and how many in all."""

    number: int
    everybody: bool
    watched: Sequence[Watched]
    total: int

    @classmethod
    def of(cls, watched: Sequence[Watched], number: int, *, everybody: bool) -> Page:
        """Return a page, gravest first, then by account and name; a number beyond the last shows that."""
        shown = min(max(number, 0), _last(len(watched)))
        # The first pages are asked for by far the most: thousands need not be put in order for them.
        first = heapq.nsmallest((shown + 1) * PAGE, watched, key=_gravest)
        return cls(shown, everybody, first[shown * PAGE :], len(watched))

    @property
    def last(self) -> int:
        """Return the number of the last page."""
        return _last(self.total)


@dataclass(frozen=True)
class State:
    """What the admins are told of the whole: no rep is singled out."""

    watched: Sequence[Watched]
    sources: Sequence[str]
    coverage: Coverage
    to_redact: int


def say(text: str) -> Card:
    """Return a message of one text (mrkdwn)."""
    return Card.of(text, [section("said", text)])


def usage(verb: Verb) -> str:
    """Return how to write a verb (mrkdwn)."""
    return f"`{COMMAND} {verb.usage}`"


def help_(*, is_admin: bool) -> Card:
    """List the verbs, those for admins to admins only."""
    verbs = [verb for verb in VERBS.values() if is_admin or not verb.for_admins]
    lines = [f"• {usage(verb)}: {verb.does}" for verb in verbs]
    who = "WHO is an address, a name or a part of it. A name with a comma goes into quotes."
    text = "Stillthere tells you when a champion slips away or leaves. " + ", ".join(
        f"{COMMAND} {verb.name}" for verb in verbs
    )
    opening = "*Stillthere* tells you when a champion slips away or leaves."
    return Card.of(text, [section("help", "\n".join([opening, *lines])), small_print("who", who)])


def unknown(verb: str, near: Verb | None) -> Card:
    """Say that there is no such verb, and which one was probably meant."""
    said = f"There is no verb “{quote(verb, 40)}”."
    if near is None:
        return say(f"{said} `{COMMAND} help` lists them all.")
    return say(f"{said} Did you mean {usage(near)}? It does this: {near.does}.")


def _last(people: int) -> int:
    return max(0, (people - 1) // PAGE)


def _gravest(one: Watched) -> tuple[int, str, str]:
    contact = one.contact
    return -GRAVITY.get(one.verdict, 0), contact.account_name.casefold(), contact.label.casefold()


def listed(page: Page, now: datetime) -> Card:
    """Draw a page of a list, each person with their verdict, and buttons to the other pages."""
    whose = "Everybody who is watched" if page.everybody else "Your people"
    if not page.watched:
        return say(f"{whose}: nobody so far. {usage(VERBS['add'])} adds somebody.")
    number, shown = page.number, page.watched
    span = f"{page.total} in all"
    if page.last:
        span = f"{number * PAGE + 1} to {number * PAGE + len(shown)} of {page.total}"
    blocks: list[Block] = [section("whose", f"*{whose}*, {span}, gravest first")]
    for i, one in enumerate(shown):
        blocks.append(_with_show(i, _row(one, now, with_owner=page.everybody), one.contact))
    turns: list[Element] = [
        Button(label, action_id=f"{PAGE_ACTION}{name}", value=f"{'all' if page.everybody else 'own'} {to}")
        for name, label, to in (("previous", "Previous", number - 1), ("next", "Next", number + 1))
        if 0 <= to <= page.last
    ]
    if turns:
        blocks.append(ActionsBlock(turns, block_id="turn"))
    names = "; ".join(f"{cards.name(one.contact)}: {one.verdict}" for one in shown[:NAMED])
    return Card.of(f"{whose}, {span}. {names}", blocks)


def _with_show(number: int, text: str, contact: Contact) -> SectionBlock:
    """Return text about somebody (mrkdwn) with the button that shows more."""
    button = Button("Show", action_id=SHOW_ACTION, value=contact.address[:2000])
    return SectionBlock(Text(text, verbatim=True), block_id=f"person-{number}", accessory=button)


def _row(one: Watched, now: datetime, *, with_owner: bool) -> str:
    contact = one.contact
    mark = f"{MARKS[one.verdict]} " if one.verdict in MARKS else ""
    reason = quote(words.reason(one.verdict, one.headline), 200).rstrip(".") or "not looked at yet"
    small = [
        f"last real contact {words.day(one.last_contact, now)}"
        if one.last_contact
        else "no real contact on record",
        f"back {words.day(one.returns, now)}" if one.returns else "",
        "a case is open" if one.is_open else _snoozed(one.settled, now),
        f"owner: {_owner(contact)}" if with_owner else "",
    ]
    who = f"{mark}*{cards.name(contact)}*, {quote(contact.account_name, 80)}"
    return f"{who}\n*{words.title(one.verdict)}*: {reason} · {' · '.join(part for part in small if part)}"


def shown(person: Person, contact: Contact, now: datetime, *, may_change: bool) -> Card:
    """Draw all that is known of a person: the verdict, its evidence, whom to turn to, what was decided."""
    facts = [
        mailto(contact.address, contact.address),
        quote(contact.title, 80),
        words.deal(contact.deal, now) if contact.deal else "no deal",
        f"owner: {_owner(contact)}",
        f"told on {words.day(contact.informed_on, now)} that we watch" if contact.informed_on else "",
        _snoozed(person.cases[-1].settled if person.cases else None, now),
    ]
    extra: list[Block] = [small_print("contact", " · ".join(fact for fact in facts if fact))]
    if person.decisions:
        extra.append(small_print("decisions", "\n".join(_decisions(person.decisions, now))))
    if may_change:
        extra.append(ActionsBlock([_remove(contact)], block_id="change"))
    why = cards.why(_as_alert(person, contact, now), Scene(now)) if person.assessment else _unjudged(contact)
    text = why.text.removeprefix("Why ")
    return Card(text[:1].upper() + text[1:], (*why.blocks, *Card.of(text, extra).blocks))


def _unjudged(contact: Contact) -> Card:
    text = f"*{cards.name(contact)}*, *{quote(contact.account_name, 80)}*\n*Unchecked*: not looked at yet"
    return Card.of(text.replace("*", "").replace("\n", ": "), [section("who", text)])


def _as_alert(person: Person, contact: Contact, now: datetime) -> Alert:
    assessment: Assessment | None = person.assessment
    assert assessment is not None, "only who was judged is drawn as an alert is"
    return Alert(contact, assessment, person.cases[-1].episode if person.cases else 1, now)


def _decisions(decisions: Sequence[Decision], now: datetime) -> list[str]:
    newest = list(reversed(decisions))[:_DECISIONS]
    return ["*Decisions*", *(f"{words.day(one.at, now)}  {_decision(one)}" for one in newest)]


def _decision(one: Decision) -> str:
    reason = _REASONS.get(one.reason, one.reason.replace("_", " "))
    return f"{_ACTIONS[one.action]}: {reason} ({one.verdict})"


def _remove(contact: Contact) -> Button:
    confirm = ConfirmationDialogue(
        title="Stop watching?",
        text=PlainText(f"{plain(contact.label, 100)} is not watched any more. It can be undone."),
        confirm="Stop watching",
        deny="Keep watching",
    )
    return Button("Stop watching", action_id=REMOVE_ACTION, value=contact.address[:2000], confirm=confirm)


def removed(contact: Contact) -> Card:
    """Say that somebody is no longer watched, and offer to undo it."""
    text = f"{cards.name(contact)} is not watched any more. What is known is kept, so this can be undone."
    button = Button("Undo", action_id=UNDO_ACTION, value=contact.address[:2000])
    return Card.of(text, [section("said", text), ActionsBlock([button], block_id="undo")])


def outcome(of: Outcome) -> str:
    """Say what became of the people who were added (mrkdwn)."""
    lines = []
    if of.added:
        lines.append(f"{_named(of.added)} {_is(of.added)} watched from now on{_for(of.added)}.")
    if of.changed:
        lines.append(f"{_named(of.changed)} {_was(of.changed)} watched already; what you wrote was added.")
    if of.known:
        lines.append(f"{_named(of.known)} {_was(of.known)} watched already; nothing was new.")
    if of.refused:
        some = [f"{quote(reason, 200)}." for reason in of.refused[:NAMED]]
        more = len(of.refused) - NAMED
        lines += ["Left out:" if lines else "Not added:", *some, *([f"and {more} more."] if more > 0 else [])]
    return "\n".join(lines) or "Nobody was added."


def _for(contacts: Sequence[Contact]) -> str:
    owners = {one.owner for one in contacts}
    return f", for {quote(owners.pop(), 80)}" if len(owners) == 1 else ""


def _named(contacts: Sequence[Contact]) -> str:
    names = [f"{cards.name(one)} ({quote(one.account_name, 80)})" for one in contacts[:NAMED]]
    more = len(contacts) - NAMED
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _is(contacts: Sequence[Contact]) -> str:
    return "is" if len(contacts) == 1 else "are"


def _was(contacts: Sequence[Contact]) -> str:
    return "was" if len(contacts) == 1 else "were"


def back(contact: Contact) -> Card:
    """Say that somebody is watched again."""
    return say(f"{cards.name(contact)} is watched again, as before.")


def no_case(contact: Contact) -> Card:
    """Say that there is nothing to snooze."""
    return say(f"{cards.name(contact)} has no open case, so there is nothing to snooze.")


def not_yours(contact: Contact) -> str:
    """Say whose contact it is, to somebody who may not change it (mrkdwn)."""
    whose = f"{quote(contact.owner, 80)}'s" if contact.owner else "nobody's: add them to make them yours"
    return (
        f"{cards.name(contact)} is {whose}. Only the owner and the admins may do that. Nothing was changed."
    )


def exposed(rows: Sequence[Exposure], now: datetime) -> Card:
    """Say on how many people each account rests, and what remains if the champion leaves."""
    if not rows:
        return say("None of your people has an open deal: there is nothing to rest on anybody.")
    days = WITHIN.days
    blocks: list[Block] = [
        section("exposure", f"*On how many people your deals rest*: real contact both ways in {days} days")
    ]
    blocks += [section(f"account-{i}", _exposure(row, now)) for i, row in enumerate(rows[:ROWS])]
    if len(rows) > ROWS:
        more = words.counted(len(rows) - ROWS, "more account", "more accounts")
        blocks.append(small_print("more", f"and {more} on no fewer people"))
    thin = [row for row in rows if len(row.in_touch) < 2]  # noqa: PLR2004 - one or nobody
    text = f"{words.counted(len(rows), 'account')} with open deals; "
    names = ", ".join(quote(row.account, 80) for row in thin[:NAMED])
    return Card.of(text + (f"on one person or nobody: {names}" if thin else "each on several people"), blocks)


def _exposure(row: Exposure, now: datetime) -> str:
    deals = "; ".join(words.deal(one.deal, now) or "a deal" for one in row.champions[:3] if one.deal)
    people = ", ".join(f"{quote(one.name, 80)} ({words.day(one.last, now)})" for one in row.in_touch[:_NAMED])
    count = len(row.in_touch)
    people += f" and {count - _NAMED} more" if count > _NAMED else ""
    who = f"{words.counted(count, 'person', 'people')}: {people}" if count else "Nobody is in real contact"
    lines = [f"*{quote(row.account, 80)}*: {deals}", f"{who}."]
    lines += [remaining(row, champion, cards.name(champion)) for champion in row.champions[:3]]
    return "\n".join(line for line in lines if line)


def figures(rows: Sequence[Precision]) -> Card:
    """Say how often each kind of signal was right, by the answers of the last months."""
    days = WINDOW.days
    if not rows:
        return say(f"No alert was answered in the last {days} days, so there is nothing to count.")
    lines = [f"*How often alerts were right*, by the answers of the last {days} days"]
    for row in rows[:ROWS]:
        said = f"{row.right} of {row.answers}"
        sure = f"between {row.low:.0%} and {row.high:.0%}"
        few = "too few answers to say more"
        lines.append(f"• {quote(row.signal, 60)}: {said} right, {sure if row.answers >= ENOUGH else few}")
    best = "; ".join(f"{quote(row.signal, 60)} {row.right} of {row.answers}" for row in rows[:NAMED])
    note = "“Still there” and “Nothing wrong” count as wrong, a snooze as no answer."
    return Card.of(
        f"How often alerts were right: {best}", [section("s", "\n".join(lines)), small_print("n", note)]
    )


def team(state: State, now: datetime) -> Card:
    """Tell the admins how the whole is: mailboxes, contacts without owner, cases without answer, outages."""
    down = {outage.source for outage in state.coverage.outages}
    boxes = [source for source in state.sources if source.startswith("mailbox:")]
    read = [box for box in boxes if box in state.coverage.read_at and box not in down]
    unowned = [one for one in state.watched if not one.contact.owner]
    open_ = [one for one in state.watched if one.is_open]
    oldest = min((one.opened_at for one in open_ if one.opened_at), default=None)
    since = f", the oldest of {words.day(oldest, now)}" if oldest else ""
    lines = [
        f"*Mailboxes connected:* {len(read)} of {len(boxes)}",
        f"*People watched:* {len(state.watched)}, {len(unowned)} without an owner{_some(unowned)}",
        f"*Cases without an answer:* {len(open_)}{since}",
        f"*Sources down:* {len(state.coverage.outages) or 'none'}",
    ]
    lines += [
        f"• {quote(words.source(one.source), 80)} since {words.day(one.since, now)}"
        f"{': somebody has to connect it again' if one.needs_human else ''}"
        for one in state.coverage.outages[:NAMED]
    ]
    if state.to_redact:
        lines.append(f"*Messages still to be redacted:* {state.to_redact}")
    text = "\n".join(lines)
    return Card.of(text.replace("*", "").replace("\n", ". "), [section("team", text)])


def _some(watched: Sequence[Watched]) -> str:
    names = ", ".join(cards.name(one.contact) for one in watched[:3])
    return f" ({names}{', …' if len(watched) > 3 else ''})" if names else ""  # noqa: PLR2004 - as many as named


def which(who: str, found: Sequence[Contact]) -> Card:
    """Ask whom somebody means, where several fit."""
    some = [
        f"{cards.name(one)}, {quote(one.account_name, 80)}: {quote(one.address, 80)}" for one in found[:NAMED]
    ]
    more = [f"and {len(found) - NAMED} more"] if len(found) > NAMED else []
    head = f"{len(found)} people fit “{quote(who, 80)}”. Write the address:"
    blocks: list[Block] = [section("which", head)]
    blocks += [_with_show(i, line, one) for i, (line, one) in enumerate(zip(some, found, strict=False))]
    blocks += [small_print("more", line) for line in more]
    return Card.of("\n".join([head, *(f"• {line}" for line in some), *more]), blocks)


def nobody(who: str, near: Sequence[Contact]) -> Card:
    """Say that nobody fits, and who is written almost like that."""
    if not who:
        return say("Say who: an address, a name or a part of it.")
    meant = " or ".join(f"{cards.name(one)} ({quote(one.address, 80)})" for one in near)
    said = f"Nobody you may see is called “{quote(who, 80)}”."
    return say(f"{said} Did you mean {meant}?" if meant else f"{said} `{COMMAND} list` shows your people.")


def snoozed(contact: Contact, case: Case, now: datetime) -> Card:
    """Say what became of a snooze."""
    word, name = case.settled, cards.name(contact)
    if word is None or word.is_final:
        by = f" by {user(word.by)}" if word else ""
        return say(f"The case of {name} was settled{by} already. Nothing was changed.")
    until = f" until {words.day(word.until, now)}" if word.until else ""
    return say(f"The case of {name} is snoozed{until}. Graver news is told sooner.")


def _snoozed(word: Answer | None, now: datetime) -> str:
    """Say until when the latest case is left alone; empty where it is not."""
    if word is None or word.choice is not Choice.SNOOZE:
        return ""
    return f"snoozed until {words.day(word.until, now)}" if word.until else "snoozed"


def _owner(contact: Contact) -> str:
    return quote(contact.owner, 80) if contact.owner else "nobody"

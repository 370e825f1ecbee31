"""Turn a rep's week into a direct message. Pure.

Each section is a heading and a few lines; what does not fit is counted. A week with nothing to say is one
line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from slackblocks import ActionsBlock, Block, Button, HeaderBlock, SectionBlock

from bot.audit import CHOICES
from bot.coverage import Gap
from bot.digest import Change, Due, Held, Week, monday_of
from bot.model import Choice, Contact, Reason, Watched
from bot.slack import charts, words
from bot.slack.cards import MARKS
from bot.slack.marks import Marks
from bot.slack.mrkdwn import quote
from bot.slack.names import Naming
from bot.slack.parts import Card, section, small_print
from bot.slack.suggestions import whom
from bot.stats import Precision

T = TypeVar("T")

AUDIT = "audit."
"""The buttons of the question carry this and their choice as action id; their value is its mark and week."""

AUDIT_LABELS = {Choice.STILL_THERE: "Still there", Choice.LEFT: "Has left"}

UNMARKED = Marks()

LINES = 8
"""Lines in a section at most; the rest is on the Home tab."""

ROOM = 2800
"""Characters for them: a section takes 3,000, with its heading and the count of what is left out."""

KINDS = 4
"""Kinds of signal named beside how right all alerts were."""

_WHY_HELD = {
    Reason.OVER_BUDGET: "over the alerts you want in a day",
    Reason.QUIET_HOURS: "came in your quiet hours",
    Reason.DEMOTED: "this kind of signal was wrong too often",
    Reason.COOLING_DOWN: "more of the same shortly after a case ended",
}
_NAMES = 3


def digest(
    week: Week, now: datetime, preface: str = "", marks: Marks = UNMARKED, *, charts_are_taken: bool = True
) -> Card:
    """Build the message; `now` is in the rep's time zone, `preface` (mrkdwn) stands before everything.

    Where Slack takes no charts, the quarter is drawn in plain text.
    """
    if week.is_silent:
        people = "the one person" if week.people == 1 else f"your {week.people} people"
        text = " ".join(part for part in (preface, f"Your week: nothing to report on {people}.") if part)
        return Card.of(text, [section("silent", text), *question(week.ask, now, marks)])
    blocks: list[Block] = [HeaderBlock(f"Your week, {words.day(now.date(), now)}", block_id="week")]
    if preface:
        blocks.insert(0, small_print("preface", preface))
    sections = [
        _lines("due", "Decisions due", week.due, lambda one: _due(one, now)),
        _lines("changes", "Changed since last week", week.changes, lambda one: _change(one, now)),
        _lines("slipping", "Still slipping", week.slipping, _still),
        _lines("alone", "Deals that hang on one person", week.alone, _alone),
        _lines("quiet", "Quiet beyond their own rhythm", week.quiet, _still),
        _lines("away", "On leave", week.away, lambda one: _away(one, now)),
        _lines("held", "Held back from you", week.held, _held),
        _lines("unchecked", "Unchecked", week.unchecked, lambda gap: unchecked(gap, now)),
    ]
    blocks += [section for section in sections if section]
    if (picture := charts.quarter(week.quarter)) is not None:
        shown = picture.block if charts_are_taken else section("chart", picture.drawn)
        blocks += [shown, small_print("chart-in-words", picture.alternative)]
    if week.overall.answers:
        blocks.append(small_print("precision", precision(week.overall, week.precision)))
    if week.due:
        blocks.append(small_print("how", "Answer under each alert, or on the Home tab of this app."))
    blocks += question(week.ask, now, marks)
    return Card.of(_summary(week, preface), blocks)


def question(about: Contact | None, now: datetime, marks: Marks) -> list[Block]:
    """Ask about one person who never alarmed; nothing where there is nobody to ask about."""
    if about is None:
        return []
    asked = (
        f"One question: is {name_and_account(about)}, still there? We never raised an alert about them; "
        "your answer shows what we miss."
    )
    value = f"{marks.of(about.address)} {monday_of(now.date()).isoformat()}"
    buttons = [Button(AUDIT_LABELS[choice], f"{AUDIT}{choice}", value=value) for choice in CHOICES]
    return [section("audit", asked), ActionsBlock([*buttons], block_id="audit-answers")]


def unchecked(gap: Gap, now: datetime) -> str:
    """Say who is unchecked and why: `2 unchecked: mailbox … disconnected since Tue 3 Aug (Al, Bo)`."""
    who = ", ".join(name(contact) for contact in gap.contacts[:_NAMES])
    more = f" and {len(gap.contacts) - _NAMES} more" if len(gap.contacts) > _NAMES else ""
    why = quote(gap.reason, 200) or "not looked at yet"
    if gap.outage is not None:
        mend = "; somebody has to connect it again" if gap.outage.needs_human else ""
        source, since = quote(words.source(gap.outage.source), 80), words.day(gap.outage.since, now)
        why = f"{source} disconnected since {since}{mend}"
    return f"{len(gap.contacts)} unchecked: {why} ({who}{more})"


def precision(overall: Precision, kinds: Sequence[Precision]) -> str:
    """Say how right the alerts were that somebody answered."""
    said = [f"{one.signal} {one.right} of {one.answers}" for one in kinds[:KINDS]]
    by_kind = f" By signal: {', '.join(said)}." if said else ""
    alerts = "alert" if overall.answers == 1 else "alerts"
    return f"Right in 90 days: {overall.right} of {overall.answers} {alerts} that were answered.{by_kind}"


def name(contact: Contact) -> str:
    """Return the person's name, or the address where none is known (mrkdwn)."""
    return quote(contact.name, 80) or quote(contact.address, 80)


def name_and_account(contact: Contact) -> str:
    """Name somebody in a list: `*Jane Doe*, Acme`."""
    return f"*{name(contact)}*, {quote(contact.account_name, 60)}"


def _due(one: Due, now: datetime) -> str:
    contact, assessment = one.alert.contact, one.alert.assessment
    if one.alert.contact.address.startswith("@"):
        return f"*{quote(contact.account_name, 60)}*: {quote(assessment.headline, 120)}"
    stake = f" ({words.deal(contact.deal, now)})" if contact.deal else ""
    mark = MARKS.get(assessment.verdict, "")
    told = f"since {words.day(one.alert.at, now)}{f' (held: {why_held(one.held)})' if one.held else ''}"
    reason = quote(assessment.headline, 120)
    turn_to = whom(assessment, Naming())
    said = f"{mark} {name_and_account(contact)}{stake}\n*{words.title(assessment.verdict)}* {told}: {reason}"
    return f"{said}\n{turn_to}" if turn_to else said


def _change(one: Change, now: datetime) -> str:
    watched = one.watched
    back = f", back {words.day(watched.returns, now)}" if watched.returns else ""
    verdict = f"*{words.title(watched.verdict)}* (was: {one.before}){back}"
    return f"{name_and_account(watched.contact)}: {verdict}, {quote(watched.headline, 120)}"


def _still(watched: Watched) -> str:
    return f"{name_and_account(watched.contact)}: {quote(watched.headline, 120)}"


def _alone(contact: Contact) -> str:
    deal = quote(contact.deal.name, 60) if contact.deal else ""
    of = f" ({deal})" if deal else ""
    return f"{name_and_account(contact)}{of}: if {name(contact)} leaves, 0 active contacts remain"


def _away(watched: Watched, now: datetime) -> str:
    back = f"back {words.day(watched.returns, now)}" if watched.returns else "no return date known"
    return f"{name_and_account(watched.contact)}: {back}"


def _held(one: Held) -> str:
    verdict = words.title(one.watched.verdict)
    return f"{name_and_account(one.watched.contact)}: *{verdict}* ({why_held(one.reason)})"


def why_held(reason: Reason) -> str:
    """Say in words why something was not told at once."""
    return _WHY_HELD.get(reason, reason.replace("_", " "))


def _lines(block_id: str, heading: str, items: Sequence[T], line: Callable[[T], str]) -> SectionBlock | None:
    """Build a section of the first items; None where there are none."""
    if not items:
        return None
    shown: list[str] = []
    for item in items[:LINES]:
        following = f"• {line(item)}"
        if sum(map(len, shown)) + len(shown) + len(following) > ROOM:
            break
        shown.append(following)
    if len(items) > len(shown):
        shown.append(f"and {len(items) - len(shown)} more, on the Home tab of this app")
    return section(block_id, "\n".join((f"*{heading}*", *shown)))


def _summary(week: Week, preface: str) -> str:
    """Say in one line of text what the blocks say."""
    parts = [
        _count(week.due, "decision due", "decisions due", (name(one.alert.contact) for one in week.due)),
        _count(week.changes, "change", "changes", (name(one.watched.contact) for one in week.changes)),
        _count(week.slipping, "still slipping", "still slipping", (name(o.contact) for o in week.slipping)),
        _count(week.alone, "deal that hangs on one person", "deals that hang on one person"),
        _count(week.quiet, "quiet", "quiet"),
        _count(week.away, "on leave", "on leave"),
        _count(week.held, "held back", "held back"),
        _count([c for gap in week.unchecked for c in gap.contacts], "unchecked", "unchecked"),
    ]
    return f"{preface} Your week: {'; '.join(part for part in parts if part)}.".strip()


def _count(items: Sequence[object], one: str, many: str, names: Iterable[str] = ()) -> str:
    if not items:
        return ""
    who = list(names)
    shown = f" ({', '.join(who[:_NAMES])}{', …' if len(who) > _NAMES else ''})" if who else ""
    return f"{len(items)} {one if len(items) == 1 else many}{shown}"

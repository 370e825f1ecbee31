"""Build the Home tab: what waits for this rep, whom we watch for them, what is not seen, what is kept. Pure.

Slack takes 100 blocks, so it is paged: decisions come first, then the watch list, gravest first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any

from slackblocks import (
    ActionsBlock,
    Block,
    Button,
    DividerBlock,
    Element,
    HeaderBlock,
    HomeTabView,
)

from bot.coverage import Coverage, gaps
from bot.digest import gravity
from bot.free_days import Period
from bot.model import Alert, Case, Evidence, Person, Verdict, Watched
from bot.preferences import WEEKDAYS, Preferences
from bot.slack import buttons, words
from bot.slack.cards import MARKS
from bot.slack.marks import Marks
from bot.slack.mrkdwn import quote, user
from bot.slack.parts import section, small_print
from bot.slack.week import name_and_account, unchecked

ROWS = 20
"""Cases and people on a page; a case takes three blocks, and its heading one."""

REASONS = 5

ADD = "home.add"
SETTINGS = "home.settings"
MAILBOX = "home.mailbox"
PREVIOUS = "home.previous"
NEXT = "home.next"

CALLBACK = "home"

MailboxButton = Callable[[str, str], tuple[str, str] | None]
"""Gives the label and the address of the button by which a user, of this address, connects their mailbox."""

NOBODY = "Nobody is watched for you so far. Add a person here, or write `/champion add jane@acme.example`."

_ORDER = {
    verdict: rank
    for rank, verdict in enumerate(
        (
            Verdict.LEFT,
            Verdict.LIKELY_LEFT,
            Verdict.SLIPPING,
            Verdict.QUIET,
            Verdict.UNCHECKED,
            Verdict.ON_LEAVE,
            Verdict.ACTIVE,
        )
    )
}

PRIVACY = (
    "*What is kept*\nFor the people you watch: name, address, title, account, deal; dated facts such as a "
    "bounce, an automatic reply or a moved meeting, with where they were seen; what we concluded; your "
    "answers. Never a mail body, never the reason of a leave. linkedin.com is never fetched.\n"
    "*How to forget somebody*\n`/champion remove address` stops watching and can be undone. An admin erases "
    "everything with `/champion forget address`; they are then not added again."
)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list: a case, or somebody who is watched where `watched` is set."""

    address: str
    case: str = ""
    watched: Watched | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the rep chose, and what holds where they chose nothing; `zone` is the name of their time zone."""

    chosen: Preferences
    quiet: tuple[time, time]
    alerts_a_day: int | None
    zone: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a rep's list: its number from 0, of how many, its rows, and what is kept of those on it.

    `due` is how many cases wait in all, `marks` by what buttons know them.
    """

    number: int
    of: int
    due: int
    rows: Sequence[Row]
    people: Mapping[str, Person]
    marks: Marks = field(default_factory=Marks)


def rows(mine: Sequence[Watched], notices: Sequence[Case], today: date) -> list[Row]:
    """Return the whole list: open cases, then everybody else who is watched, gravest first."""
    due = sorted((one for one in mine if is_open(one, today)), key=_gravest_and_oldest)
    told = [Row(case.contact, case.key) for case in notices if case.settled is None]
    told_of = {one.contact.address for one in due}
    people = sorted((one for one in mine if one.contact.address not in told_of), key=_gravest)
    cases = [Row(one.contact.address, one.case) for one in due]
    return [*cases, *told, *(Row(one.contact.address, watched=one) for one in people)]


def is_open(one: Watched, today: date) -> bool:
    """Say whether a case of theirs waits: nobody settled it, or it was put off until today at the latest."""
    word = one.settled
    ended = word is not None and not word.is_final and word.until is not None and word.until <= today
    return one.is_open or (bool(one.case) and ended)


def no_mailbox(user: str, address: str) -> None:
    """Offer no button: there is nothing to connect a mailbox by."""
    del user, address


def home(
    mine: Sequence[Watched],
    page: Page,
    coverage: Coverage,
    choices: Choices,
    now: datetime,
    mailbox: tuple[str, str] | None = None,
    absence: Period | None = None,
) -> dict[str, Any]:
    """Build the view; `now` is in the rep's time zone, `mailbox` the label and the address of its button.

    `absence` is when the rep was away last, as far as their own mail shows: nothing else tells it to anybody.
    """
    blocks: list[Block] = [
        HeaderBlock("Your champions", block_id="header"),
        small_print("count", _count(mine, page)),
        ActionsBlock(
            [
                Button("Add a person", action_id=ADD, style="primary"),
                Button("Settings", action_id=SETTINGS),
                *([Button(mailbox[0], action_id=MAILBOX, url=mailbox[1])] if mailbox else []),
            ],
            block_id="do",
        ),
    ]
    if not mine:
        blocks.append(section("nobody", NOBODY))
    blocks += _list(page, coverage, now)
    if page.of > 1:
        blocks += [small_print("page", f"Page {page.number + 1} of {page.of}"), _turn(page)]
    blocks += [
        DividerBlock(block_id="end"),
        section("coverage", _coverage(mine, coverage, now)),
        *([small_print("absence", _absence(absence))] if absence else []),
        section("settings", _settings(choices)),
        section("privacy", PRIVACY),
    ]
    return _view(blocks, page.number)


def only(text: str) -> dict[str, Any]:
    """Build a view that says just this (mrkdwn)."""
    return _view([section("only", text)], 0)


def page_of(text: str) -> int:
    """Return the number of a page as a view or a button carries it; the first where that is none."""
    return int(text[:6]) if text[:6].isascii() and text[:6].isdigit() else 0


def _absence(days: Period) -> str:
    """Say which days explain a silence because the rep was away."""
    first, last = days
    return (
        f"Only you see this: from {first.day} {first:%B} to {last.day} {last:%B} you wrote to none of the "
        "people you watch. Those days are nobody's silence, except where a colleague of yours wrote to the "
        "account."
    )


def _list(page: Page, coverage: Coverage, now: datetime) -> list[Block]:
    blocks: list[Block] = []
    heading = ""
    for i, row in enumerate(page.rows):
        above = "Decisions due" if row.case else "Watch list: everybody else"
        if above != heading:
            blocks.append(section(f"heading-{i}", f"*{above}*"))
            heading = above
        person = page.people.get(row.address)
        if row.watched is not None:
            blocks.append(section(f"person-{i}", _watched(row.watched, now)))
            judged_at = None if row.watched.verdict is Verdict.UNCHECKED else row.watched.judged_at
            blocks.append(small_print(f"known-{i}", _known(person, judged_at, coverage, now)))
            continue
        case = next((case for case in person.cases if case.key == row.case), None) if person else None
        if case is not None:
            about, answers = _case(i, person, case, page.marks, now)
            known = _known(person, case.alert.at, coverage, now)
            blocks += [about, small_print(f"known-{i}", known), answers]
    return blocks


def _case(i: int, person: Person | None, case: Case, marks: Marks, now: datetime) -> tuple[Block, Block]:
    raised = case.alert
    if person and person.contact:
        raised = replace(raised, contact=person.contact)
    text = _told(raised, case, now)
    if raised.is_notice:
        about, answers = section(f"case-{i}", text), buttons.understood(raised, marks, done=False)
    else:
        about, answers = (
            buttons.with_menu(raised, text, marks),
            buttons.answers(raised, case, marks, done=False),
        )
    answers.block_id = f"answers-{i}"
    return about, answers


def _told(raised: Alert, case: Case, now: datetime) -> str:
    """Say what a case is about: who and what is at stake, the verdict, and who is on it."""
    contact, assessment = raised.contact, raised.assessment
    stake = f" · {words.deal(contact.deal, now)}" if contact.deal else ""
    mark = f"{MARKS[assessment.verdict]} " if assessment.verdict in MARKS else ""
    verdict = "Notice" if raised.is_notice else words.title(assessment.verdict)
    state = ""
    if case.on_it is not None and case.is_taken:
        state = f"\n{user(case.on_it.by)} is on it, since {words.day(case.on_it.at, now)}"
    elif case.settled is not None:
        state = f"\nSnoozed until {words.day(case.settled.until or case.settled.at, now)}"
    who = f"*{quote(contact.account_name, 60)}*" if raised.is_notice else name_and_account(contact)
    reason = quote(assessment.headline, 300).rstrip(".")
    return f"{mark}{who}{stake}\n*{verdict}* since {words.day(raised.at, now)}: {reason}{state}"


def _watched(one: Watched, now: datetime) -> str:
    """Say what is thought of somebody, in words."""
    mark = f"{MARKS[one.verdict]} " if one.verdict in MARKS else ""
    back = f", back {words.day(one.returns, now)}" if one.returns else ""
    reason = quote(words.reason(one.verdict, one.headline), 150).rstrip(".") or "not looked at yet"
    return f"{mark}{name_and_account(one.contact)}\n*{words.title(one.verdict)}*{back}: {reason}"


def _known(person: Person | None, judged_at: datetime | None, coverage: Coverage, now: datetime) -> str:
    """Say what was seen last of somebody, and when their sources were last read."""
    last = _last_evidence(person)
    seen = (
        f"Last evidence {words.day(last.at, now)}: {quote(last.sentence, 150)}" if last else "No evidence yet"
    )
    is_unseen = judged_at is None and not (person and person.observations)
    checked = None if is_unseen else coverage.last_check(person.observations if person else ()) or judged_at
    if checked is None:
        return f"{seen} · not checked yet"
    return f"{seen} · last check {words.day(checked, now)}, {checked.astimezone(now.tzinfo):%H:%M}"


def _last_evidence(person: Person | None) -> Evidence | None:
    known = person.assessment.evidence if person and person.assessment else ()
    return max(known, key=lambda evidence: (evidence.at, evidence.key), default=None)


def _count(mine: Sequence[Watched], page: Page) -> str:
    due = f"{page.due} decision{'' if page.due == 1 else 's'} due"
    people = f"{len(mine)} {'person' if len(mine) == 1 else 'people'} watched for you"
    return f"{due} · {people}"


def _turn(page: Page) -> ActionsBlock:
    """Offer the pages before and after."""
    turns: list[Element] = [
        Button(label, action_id=action, value=str(to))
        for label, action, to in (("Previous", PREVIOUS, page.number - 1), ("Next", NEXT, page.number + 1))
        if 0 <= to < page.of
    ]
    return ActionsBlock(turns, block_id="turn")


def _coverage(mine: Sequence[Watched], coverage: Coverage, now: datetime) -> str:
    """Say who is not seen, and which source cannot be read, since when."""
    missing = gaps(mine, coverage)
    unseen = sum(len(gap.contacts) for gap in missing)
    named = {gap.outage for gap in missing}
    lines = [f"• {unchecked(gap, now)}" for gap in missing[:REASONS]]
    lines += [
        f"• {quote(words.source(outage.source), 80)} disconnected since {words.day(outage.since, now)}"
        for outage in coverage.outages
        if outage not in named
    ][:REASONS]
    if not mine:
        return "*Coverage*\nNobody to check."
    if coverage.missed:
        lines.append(f"• {coverage.missed}.")
    return "\n".join((f"*Coverage*\n{len(mine) - unseen} of {len(mine)} checked.", *lines))


def _settings(choices: Choices) -> str:
    """Say what the rep chose."""
    chosen = choices.chosen
    begin, end = chosen.quiet_hours(choices.quiet)
    quiet = f"{begin:%H:%M} to {end:%H:%M}, and weekends" if begin != end else "none"
    budget = choices.alerts_a_day if chosen.alerts_a_day is None else chosen.alerts_a_day
    hour = f"{chosen.digest_hour:02}:00"
    week = "paused" if chosen.digest_paused else f"{WEEKDAYS[chosen.digest_day]} at {hour}"
    parts = [
        f"Quiet hours: {quiet}",
        f"Weekly digest: {week}",
        f"Alerts a day: {'no limit' if budget is None else f'at most {budget}'}",
        f"Time zone, from your Slack profile: {quote(choices.zone, 60)}",
    ]
    return "*Settings*\n" + "\n".join(f"• {part}" for part in parts)


def _gravest(one: Watched) -> tuple[int, str, str, str]:
    contact = one.contact
    rank = _ORDER.get(one.verdict, len(_ORDER))
    return rank, contact.account_name.casefold(), contact.label.casefold(), contact.address


def _gravest_and_oldest(one: Watched) -> tuple[int, float, str]:
    return -gravity(one.verdict), one.opened_at.timestamp() if one.opened_at else 0.0, one.case


def _view(blocks: list[Block], number: int) -> dict[str, Any]:
    view = HomeTabView(blocks, private_metadata=str(number), callback_id=CALLBACK)
    return dict(view.to_dict())

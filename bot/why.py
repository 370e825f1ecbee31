"""Say why a contact is judged as they are: the verdict with its numbers, the decisions, the meetings.

What is shown is what was last concluded, and so what the alert said; or a judgement made anew as of a moment,
by the same pipeline, which keeps and sends nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot import activity, answers, check, timeline
from bot.history import is_forged
from bot.learning import SETTING, in_force, records
from bot.model import Action, Assessment, Contact, Decision, Json, NeedsHuman, Person, Reason, Strength
from bot.our_days import CURSOR
from bot.pipeline import Pipeline, Rules, domains_by_account
from bot.report import COLOURS, turn_to
from bot.slack.mrkdwn import clean
from bot.store.memory import MemoryStore
from watchers import FREE_MAIL, derivers, kinds
from watchers.mail.meetings import Meeting, Move, Snapshot, meetings

DECISIONS = 8
"""So many of the latest decisions are shown; `--json` has all that are kept."""

WIDEST = 120
CERTAIN = 0.999
UNKNOWN = "as if every source could be read then: past outages are not kept"

ACTIONS = {Action.SEND: "told", Action.DIGEST: "left to the digest", Action.HOLD: "not told"}
REASONS = {
    Reason.FIRST: "the first sign of this case",
    Reason.STRONGER: "the evidence got stronger",
    Reason.REMINDER_DUE: "a snooze ran out",
    Reason.ANSWERED: "they were in touch again",
    Reason.BELOW_THRESHOLD: "not grave enough for an alert",
    Reason.ALREADY_SENT: "said before, and nothing is graver",
    Reason.SNOOZED: "somebody snoozed the case",
    Reason.SETTLED: "somebody settled the case",
    Reason.UNCONFIRMED: "time alone made it so: a second look is due",
    Reason.COOLING_DOWN: "more of the same shortly after a case ended",
    Reason.ON_LEAVE: "on leave",
    Reason.OVER_BUDGET: "over the alerts a rep wants in a day",
    Reason.QUIET_HOURS: "the rep's quiet hours",
    Reason.AUDIT: "the digest asked, though nothing alarmed",
    Reason.BASELINE: "it was so before we watched",
    Reason.DEMOTED: "this kind of signal was wrong too often",
    Reason.INHIBITED_BY_SOURCE_OUTAGE: "a source could not be read",
    Reason.INHIBITED_BY_ACCOUNT_NOTICE: "told as a notice on the whole account",
}


class Readable(Protocol):
    """What is needed of a store: `bot.store.Store` and `bot.store.glance.Glance` have it."""

    async def person(self, address: str) -> Person | None:
        """Return all that is kept of a person, or None."""

    async def contacts(self) -> Sequence[Contact]:
        """Return whom we watch."""

    async def people(self, domains: frozenset[str]) -> list[Person]:
        """Return everybody whose address is at one of these domains, by address."""

    async def cursor(self, source: str) -> Json:
        """Return where reading of a source goes on, None where it was never read."""

    async def setting(self, name: str) -> Json:
        """Return a setting that somebody made while the service ran, None where nobody did."""


@dataclass(frozen=True)
class Explained:
    """A contact, what we think of them, what was decided of it, and their meetings until then.

    `anew` says that the judgement was made for this answer: it was neither kept nor told.
    """

    contact: Contact
    assessment: Assessment
    decisions: tuple[Decision, ...]
    meetings: tuple[Meeting, ...]
    anew: bool


async def explain(
    store: Readable, address: str, our_domains: Iterable[str], now: datetime, *, anew: bool
) -> Explained:
    """Say why a contact is judged as they are; as of `now` where `anew` or where nothing was concluded yet.

    Raise NeedsHuman where nothing is kept of them.
    """
    person = await store.person(address)
    if person is None:
        raise NeedsHuman(
            f"nothing is kept of {address}",
            "is it the address they write from, and are they among the contacts that are watched?",
        )
    contact = person.contact or person.former or Contact(address)
    anew = anew or person.assessment is None
    if anew or person.assessment is None:
        assessment = await _judged(store, contact, our_domains, now)
    else:
        assessment = person.assessment
    known = [seen for seen in person.observations if seen.at <= assessment.at and not is_forged(seen)]
    return Explained(
        contact,
        assessment,
        tuple(decision for decision in person.decisions if decision.at <= assessment.at),
        tuple(meeting for meeting in meetings(known) if meeting.is_theirs),
        anew,
    )


async def _judged(store: Readable, contact: Contact, our_domains: Iterable[str], now: datetime) -> Assessment:
    """Judge a contact anew in memory, with everybody at their account."""
    domains = domains_by_account(await store.contacts()).get(contact.account_name, frozenset())
    people = await store.people(domains | ({contact.domain} - FREE_MAIL))
    own = await store.person(contact.address)
    memory = MemoryStore()
    await memory.watch(contact)
    for person in {person.address: person for person in (*people, own) if person is not None}.values():
        if person.contact is not None:
            await memory.watch(person.contact)
        await memory.record(seen for seen in person.observations if seen.at <= now)
    known = (seen for person in people for seen in person.observations)
    for source in sorted({CURSOR, *(seen.source for seen in known if seen.kind == "page_present")}):
        await memory.save_cursor(source, await store.cursor(source))
    if own is not None:
        await _let_stand(memory, own, now)
    scales = in_force(records(await store.setting(SETTING)), now)
    every = {**kinds(), **{kind.name: kind for kind in (*answers.KINDS, *activity.KINDS)}}
    pipeline = Pipeline(memory, Rules(every, derivers(), scales=scales), our_domains, baseline=False)
    (assessment,) = await pipeline.judge(now, [contact.address])
    return assessment


async def _let_stand(memory: MemoryStore, own: Person, now: datetime) -> None:
    """Let the verdict stand that stood before: it takes less to stay than it took to rise."""
    before = [decision for decision in own.decisions if decision.at < now]
    known = await memory.person(own.address)
    if before and known is not None:
        last = before[-1]
        stood = Assessment(own.address, last.at, last.verdict, Strength.SOME, last.probability, "")
        await memory.conclude(known.version, stood, last)


def as_json(found: Explained) -> dict[str, Json]:
    """Return the line that `why --json` prints."""
    judged: dict[str, Json] = check.as_json(check.Checked(found.contact, found.assessment))
    return {
        **judged,
        "judged_at": found.assessment.at.isoformat(),
        "anew": found.anew,
        "decisions": [
            {
                "at": decision.at.isoformat(),
                "action": str(decision.action),
                "reason": str(decision.reason),
                "verdict": str(decision.verdict),
                "probability": decision.probability,
            }
            for decision in found.decisions
        ],
        "meetings": [_meeting_as_json(meeting) for meeting in found.meetings],
    }


def _meeting_as_json(meeting: Meeting) -> dict[str, Json]:
    def at(seen: Snapshot | None) -> Json:
        return seen.at.isoformat() if seen is not None else None

    return {
        "uid": meeting.uid,
        "set_at": meeting.first.at.isoformat(),
        "set_by": meeting.first.by,
        "starts": [start.isoformat() for start in timeline.starts_of(meeting)],
        "series": meeting.series,
        "moves": [_move_as_json(move) for move in meeting.moves],
        "days_lost": timeline.lost(meeting),
        "answer": meeting.partstat,
        "attended": meeting.attended is not None,
        "cancelled_at": at(meeting.cancelled),
        "dropped_at": at(meeting.dropped),
        "replaced_by": meeting.replaced_by,
        "taken_over_at": at(meeting.taken_over),
    }


def _move_as_json(move: Move) -> dict[str, Json]:
    return {
        "at": move.at.isoformat(),
        "from": move.before.isoformat(),
        "to": move.after.isoformat(),
        "days": move.days,
        "by": move.by,
        "side": move.side,
        "words": move.words,
    }


def show(found: Explained, console: Console) -> None:
    """Print all of it for a person at a terminal."""
    width = min(console.width, WIDEST)
    plain = _is_plain(console)
    _show_verdict(found, console, width)
    _show_evidence(found, console, width)
    _show_decisions(found, console, width)
    _heading(console, "Meetings")
    if not found.meetings:
        console.print(Text("no invitation, and no entry of a calendar, names them", "dim"), width=width)
        return
    left_out = len(found.meetings) - len(timeline.latest(found.meetings))
    for line in timeline.timeline(found.meetings, found.assessment.at, width, plain=plain):
        console.print(line, width=width, no_wrap=True, overflow="crop")
    console.print()
    console.print(timeline.moves(found.meetings, found.assessment.at, plain=plain), width=width)
    if left_out:
        console.print(Text(f"and {left_out} earlier; --json has them all", "dim"))


def _show_verdict(found: Explained, console: Console, width: int) -> None:
    contact, assessment = found.contact, found.assessment
    dot = "-" if _is_plain(console) else "·"
    about = [contact.address, contact.title, contact.account_name]
    who = Text(clean(contact.name or contact.address), "bold")
    known = [clean(part) for part in about if part and part != contact.label]
    who.append("  " + f" {dot} ".join(known), "dim")
    console.print(who, width=width)
    verdict = Text(str(assessment.verdict).capitalize(), COLOURS[assessment.verdict])
    verdict.append(f", {assessment.strength} evidence", "default not bold")
    verdict.append(f" {dot} {_chance(assessment.probability)} likely to have left", "default not bold")
    console.print(verdict, width=width)
    if assessment.headline:
        console.print(Text(clean(assessment.headline)), width=width)
    if assessment.other_explanations:
        console.print(Text(f"still possible: {'; '.join(assessment.other_explanations)}", "dim"), width=width)
    for suggestion in assessment.suggestions:
        console.print(turn_to(suggestion), width=width)
    made = "judged for this answer, as of" if found.anew else "concluded on"
    reserve = f"; {UNKNOWN}" if found.anew else ""
    console.print(Text(f"{made} {assessment.at:%-d %B %Y, %H:%M} UTC{reserve}", "dim"), width=width)


def _show_evidence(found: Explained, console: Console, width: int) -> None:
    usual = Counter(item.source for item in found.assessment.evidence).most_common(1)
    usually = usual[0][0] if usual else ""
    seen_in = f", from {clean(usually)} unless another is named" if usually else ""
    _heading(console, "Evidence", f"weights in nats{seen_in}")
    if not found.assessment.evidence:
        console.print(Text("none", "dim"))
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for item in found.assessment.evidence:
        sentence = Text(clean(item.sentence))
        source = item.source if item.source != usually else ""
        sentence.append(f"  {', '.join(filter(None, (item.kind, clean(source))))}", "dim")
        if item.note:
            sentence.append(f"\n{clean(item.note)}", "dim italic")
        style = "red" if item.weight > 0 else "green" if item.weight < 0 else "dim"
        weight = Text(f"{item.weight:+.2f}" if item.weight else "0", style)
        table.add_row(weight, f"{item.at:%-d %b %Y}", sentence)
    console.print(table, width=width)


def _show_decisions(found: Explained, console: Console, width: int) -> None:
    _heading(console, "Decisions")
    if not found.decisions:
        console.print(Text("none yet", "dim"))
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for decision in found.decisions[-DECISIONS:]:
        why = REASONS.get(decision.reason, str(decision.reason).replace("_", " "))
        what = Text(ACTIONS[decision.action], "bold" if decision.action is Action.SEND else "")
        judged = f"{decision.verdict}, {_chance(decision.probability)}"
        table.add_row(f"{decision.at:%-d %b %Y %H:%M}", what, Text(why).append(f"  {judged}", "dim"))
    console.print(table, width=width)


def _is_plain(console: Console) -> bool:
    """Say whether the terminal knows no letters beyond ASCII."""
    return not console.encoding.lower().startswith("utf")


def _chance(probability: float) -> str:
    """Return a probability in per cent; none is ever certain."""
    return "over 99.9%" if probability > CERTAIN else f"{probability:.1%}"


def _heading(console: Console, title: str, remark: str = "") -> None:
    heading = Text(f"\n{title}", "bold underline")
    if remark:
        heading.append(f"  {remark}", "dim not bold not underline")
    console.print(heading)

"""Turn model values into Slack messages: Block Kit, and a plain-text fallback that is a real summary. Pure.

An alert is at most six lines: who and what is at stake, the verdict, two or three dated facts, whom to turn
to, the last real contact. Once it is settled, who it is about, the verdict and who settled it remain.
Everything else is behind *Why?*. Slack speaks in words; numbers stay in the
command line. Marks repeat what the words say and never stand alone.
https://docs.slack.dev/block-kit
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from slackblocks import ActionsBlock, Block

from bot.model import Alert, Answer, Assessment, Case, Choice, Contact, Evidence, Suggestion, Verdict
from bot.slack import buttons, words
from bot.slack.marks import Marks
from bot.slack.mrkdwn import quote, user
from bot.slack.names import Names, Naming
from bot.slack.parts import Card, section, small_print

MARKS: Mapping[Verdict, str] = {
    Verdict.LEFT: ":red_circle:",
    Verdict.LIKELY_LEFT: ":large_orange_circle:",
    Verdict.SLIPPING: ":large_yellow_circle:",
}
CALM_MARK = ":white_circle:"
SETTLED_MARK = ":white_check_mark:"

FACTS = 3
"""Evidence lines on a card that has nobody to suggest; one fewer where it has."""

_WHY_FACTS = 10
_TURN_TO = 3
_REASONS = 3
_EXPLANATIONS = 2
_ADDRESSES = 5


@dataclass(frozen=True)
class Scene:
    """What a card needs to know beside its case.

    `mention` names the owner as Slack shows it (mrkdwn; empty: the owner as the contact has it). `names` says
    how people are named. `watched` are the addresses of those suggested whom we watch already. `before` is
    the case that this one opens again, `after` the one that opened this one again.
    """

    now: datetime
    mention: str = ""
    names: Names = "full"
    watched: Collection[str] = field(default_factory=frozenset)
    before: Case | None = None
    after: Case | None = None
    marks: Marks = field(default_factory=Marks)


def case(raised: Alert, of: Case | None, scene: Scene) -> Card:
    """Build the message of a case, in its newest state."""
    if raised.is_notice:
        return _notice(raised, of, scene)
    by, now = Naming.of(raised, scene.names), scene.now
    contact, assessment = raised.contact, raised.assessment
    word = of.settled if of else None
    settled = word is not None and word.is_final
    ranked = ranking(assessment)
    turn_to = "" if settled else whom(assessment, by, scene.watched)
    facts = [fact for fact in words.supporting(assessment) if fact.sentence != assessment.headline]
    owner = _owner(contact, scene)
    who = " · ".join(part for part in (_who(contact, by), _deal(contact, by, now), owner) if part)
    mark = SETTLED_MARK if settled else MARKS.get(assessment.verdict, CALM_MARK)
    again = _again(raised, by, scene)
    is_open = not settled and scene.after is None
    lines = [f"{mark} {who}", "" if settled else again, _verdict(assessment, by, now)]
    lines += [] if settled else _facts(facts[: FACTS - bool(turn_to)], by, now)
    lines += [turn_to] if is_open else []
    blocks: list[Block] = [buttons.with_menu(raised, "\n".join(line for line in lines if line), scene.marks)]
    if not settled:
        blocks.append(small_print("known", _known(assessment, by, now)))
    state = _state(raised, of, by, scene)
    if state:
        blocks.append(section("state", state))
    blocks.append(buttons.answers(raised, of, scene.marks, done=not is_open))
    if is_open and turn_to and (watch := buttons.watch(raised, ranked, scene.watched, by, scene.marks)):
        blocks.append(ActionsBlock(watch, block_id="watch"))
    summary = [state.replace("*", ""), again.replace("*", ""), _summary(raised, by, now, owner)]
    return Card.of(". ".join(part.rstrip(".") for part in summary if part), blocks)


def raised_again(raised: Alert, earlier: Alert, scene: Scene) -> Card:
    """Build the reply in the case's thread: what is new since the earlier alert."""
    by, now = Naming.of(raised, scene.names), scene.now
    assessment, before = raised.assessment, earlier.assessment
    known = {evidence.key for evidence in before.evidence}
    supporting = words.supporting(assessment)
    new = [evidence for evidence in supporting if evidence.key not in known] or supporting
    facts = [fact for fact in new if fact.sentence != assessment.headline][:FACTS]
    mark = MARKS.get(assessment.verdict, CALM_MARK)
    said = _headline(raised, by) if raised.is_notice else _verdict(assessment, by, now, before)
    opening = " ".join(part for part in (mark, scene.mention, said) if part)
    lines = [opening, *_facts(facts, by, now)]
    if (turn_to := whom(assessment, by)) and _first_choice(assessment) != _first_choice(before):
        lines.append(turn_to)
    summary = _summary(raised, by, now, scene.mention)
    return Card.of(f"Raised again. {summary}", [section("again", "\n".join(lines))])


def why(raised: Alert, scene: Scene) -> Card:
    """Build the answer to *Why?*: all evidence in words, with dates and sources, for and against."""
    by, now = Naming.of(raised, scene.names), scene.now
    contact, assessment = raised.contact, raised.assessment
    shown = list(assessment.evidence[:_WHY_FACTS])
    who = f"*{by.name(contact)}*, *{quote(contact.account_name, 80)}*"
    opening = _headline(raised, by) if raised.is_notice else f"{who}\n{_verdict(assessment, by, now)}"
    blocks: list[Block] = [section("who", opening)]
    blocks += [
        section(f"fact-{i}", f"• {_fact(evidence, by, now, note=True)}") for i, evidence in enumerate(shown)
    ]
    more = len(assessment.evidence) - len(shown)
    if more:
        blocks.append(small_print("more", f"and {more} more{'' if raised.is_notice else ' of less weight'}"))
    for i, suggestion in enumerate(ranking(assessment, _WHY_FACTS)):
        reasons = "; ".join(by.quote(reason, 150) for reason in suggestion.reasons[:5])
        person = _person(suggestion, by)
        blocks.append(section(f"person-{i}", f"*Turn to* {person}{f': {reasons}' if reasons else ''}"))
    blocks.append(
        small_print("known", _possible(assessment, by) if raised.is_notice else _known(assessment, by, now))
    )
    if raised.is_notice:
        return Card.of(f"Why there is an account notice: {_headline(raised, by).replace('*', '')}", blocks)
    return Card.of(
        f"Why {by.name(contact)} is {assessment.verdict}: {by.quote(assessment.headline, 300)}", blocks
    )


def ranking(assessment: Assessment, most: int = _TURN_TO) -> list[Suggestion]:
    """Return whom to turn to, the successor first."""
    return sorted(assessment.suggestions, key=lambda suggestion: not suggestion.successor)[:most]


def name(contact: Contact) -> str:
    """Return the person's name as Slack shows it, or the address where none is known (mrkdwn)."""
    return Naming().name(contact)


def _notice(raised: Alert, of: Case | None, scene: Scene) -> Card:
    """Build the message of an account in trouble: many addresses, not many departures."""
    by = Naming.of(raised, scene.names)
    word = of.settled if of else None
    done = (word is not None and word.is_final) or scene.after is not None
    owner = _owner(raised.contact, scene)
    mark = SETTLED_MARK if done else CALM_MARK
    opening = f"{mark} {_headline(raised, by)} {owner}".rstrip()
    again = _again(raised, by, scene)
    affected = _affected(raised, by)
    lines = [opening, again, _possible(raised.assessment, by), affected]
    blocks: list[Block] = [section("alert", "\n".join(line for line in lines if line))]
    state = _state(raised, of, by, scene)
    if state:
        blocks.append(section("state", state))
    blocks.append(buttons.understood(raised, scene.marks, done=done))
    told = [state, _headline(raised, by), f"Owner: {owner}" if owner else ""]
    return Card.of(". ".join(part.replace("*", "").rstrip(".") for part in told if part), blocks)


def _headline(raised: Alert, by: Naming) -> str:
    """Say an account notice in two sentences."""
    happened, _, reserve = raised.assessment.headline.partition(": ")
    said = [by.quote(part[:1].upper() + part[1:], 300) for part in (happened, reserve) if part]
    return f"*Account notice: {quote(raised.contact.account_name, 80)}.* {'. '.join(said)}."


def _possible(assessment: Assessment, by: Naming) -> str:
    others = [by.quote(text, 150) for text in assessment.other_explanations[:3]]
    return f"Possible: {'; '.join(others)}" if others else ""


def _affected(raised: Alert, by: Naming) -> str:
    """Name the addresses that are affected; in a channel without names, just how many."""
    addresses = sorted({evidence.sentence.partition(": ")[0] for evidence in raised.assessment.evidence})
    if not addresses or by.names == "initials":
        return ""
    shown = ", ".join(quote(address, 80) for address in addresses[:_ADDRESSES])
    more = len(addresses) - _ADDRESSES
    return f"Affected: {shown}{f' and {more} more' if more > 0 else ''}"


def _owner(contact: Contact, scene: Scene) -> str:
    return scene.mention or quote(contact.owner, 80)


def _who(contact: Contact, by: Naming) -> str:
    title = f", {by.quote(contact.title, 60)}" if contact.title else ""
    return f"*{by.name(contact)}*{title}, *{quote(contact.account_name, 80)}*"


def _deal(contact: Contact, by: Naming, now: datetime) -> str:
    return words.deal(contact.deal, now, by.quote) if contact.deal else ""


def _verdict(assessment: Assessment, by: Naming, now: datetime, before: Assessment | None = None) -> str:
    """Say the verdict, its reason in one sentence, and its strength; a reason that is a fact has its day."""
    was = f" (was: {before.verdict})" if before and before.verdict is not assessment.verdict else ""
    same = [fact.at for fact in assessment.evidence if fact.sentence == assessment.headline]
    on = f"{words.day(max(same), now)}; " if same else ""
    headline = by.quote(words.reason(assessment.verdict, assessment.headline), 300).rstrip(".")
    return f"*{words.title(assessment.verdict)}*{was}: {headline} ({on}{words.strength(assessment)})."


def _facts(evidence: list[Evidence], by: Naming, now: datetime) -> list[str]:
    newest_first = sorted(evidence, key=lambda fact: fact.at.date(), reverse=True)
    return [f"• {_fact(fact, by, now)}" for fact in newest_first]


def _fact(evidence: Evidence, by: Naming, now: datetime, *, note: bool = False) -> str:
    source = f" · _{by.source(words.source(evidence.source))}_" if evidence.source.strip() else ""
    reserve = f"\nCounts for less: {by.quote(evidence.note, 200)}" if note and evidence.note else ""
    return f"*{words.day(evidence.at, now)}*  {by.quote(evidence.sentence, 200)}{source}{reserve}"


def whom(assessment: Assessment, by: Naming, watched: Collection[str] = (), most: int = _TURN_TO) -> str:
    """Name whom to turn to with the reasons, the successor first, in the same words wherever it is told."""
    people = " or ".join(_suggestion(suggestion, by, watched) for suggestion in ranking(assessment, most))
    return f"*{_ask(assessment)}:* {people}" if people else ""


def _first_choice(assessment: Assessment) -> list[str]:
    return [suggestion.address for suggestion in ranking(assessment, 1)]


def _ask(assessment: Assessment) -> str:
    return "Ask for a second contact now" if assessment.verdict is Verdict.SLIPPING else "Turn to"


def _suggestion(suggestion: Suggestion, by: Naming, watched: Collection[str]) -> str:
    reasons = [by.quote(reason, 100) for reason in suggestion.reasons[:_REASONS]]
    if suggestion.address in watched:
        reasons.append("watched")
    if suggestion.guess:
        reasons.insert(0, _guessed(suggestion, by))
    told = f" ({'; '.join(reasons)})" if reasons else ""
    return f"{by.name(suggestion) if suggestion.guess else by.link(suggestion)}{told}"


def _person(suggestion: Suggestion, by: Naming) -> str:
    return f"{by.name(suggestion)} ({_guessed(suggestion, by)})" if suggestion.guess else by.link(suggestion)


def _guessed(suggestion: Suggestion, by: Naming) -> str:
    shown = f": {quote(suggestion.address, 80)}" if by.names == "full" else ""
    return f"guessed address{shown}"


def _known(assessment: Assessment, by: Naming, now: datetime) -> str:
    """Say in small print what must not be missing: what is at stake, last contact, what else it could be."""
    stakes = (by.quote(text, 150) for text in assessment.stakes)
    parts = [f"{text[:1].upper()}{text[1:]}" for text in stakes]
    if last := assessment.last_contact:
        parts.append(f"Last real contact {words.day(last, now)}, {words.ago(last, now)}")
    else:
        parts.append("No real contact on record")
    if assessment.returns:
        parts.append(f"Back {words.day(assessment.returns, now)}")
    others = [by.quote(text, 150) for text in assessment.other_explanations[:_EXPLANATIONS]]
    if others:
        parts.append(f"Still possible: {'; '.join(others)}")
    if not assessment.suggestions:
        parts.append("Nobody else is known there")
    return " · ".join(parts)


def _state(raised: Alert, of: Case | None, by: Naming, scene: Scene) -> str:
    """Say who decided what and when, or what settled the case by itself."""
    word, on_it = (of.settled, of.on_it) if of else (None, None)
    said = [_said(word, raised, by, scene.now)] if word else []
    if on_it is not None and (word is None or not word.is_final):
        said.append(f"{user(on_it.by)} is on it, since {words.day(on_it.at, scene.now)}")
    if scene.after is not None:
        said.append(f"Told again {words.day(scene.after.deliveries[0].alert.at, scene.now)}")
    return " · ".join(said)


def _said(word: Answer, raised: Alert, by: Naming, now: datetime) -> str:
    who, on = user(word.by), words.day(word.at, now)
    if word.choice is Choice.ANSWERED:
        return f"*Answered on {on}*: no longer a case"
    if word.choice is Choice.SNOOZE:
        return f"*Snoozed* by {who}, {on}{f', until {words.day(word.until, now)}' if word.until else ''}"
    if word.choice is Choice.UNDERSTOOD:
        return f"*Understood* by {who}, {on}"
    champion = next((one for one in raised.assessment.suggestions if one.address == word.champion), None)
    named = f". New champion: {by.name(champion)}" if champion and word.champion else ""
    return f"*Settled* by {who}, {on}: {words.ruling(word, by.name(raised.contact), now)}{named}"


def _again(raised: Alert, by: Naming, scene: Scene) -> str:
    """Say of a case that was open before how that one ended: the one line that tells that it is back."""
    word = scene.before.settled if scene.before else None
    if word is None:
        return ""
    who, now = user(word.by), scene.now
    if word.choice is Choice.SNOOZE:
        due = word.until is None or word.until <= raised.at.date()
        what = "*Reminder*" if due else "*Back before the snooze ended*, because it has become graver"
        until = f" until {words.day(word.until, now)}" if word.until else ""
        return f"{what}: snoozed by {who}{until}."
    if word.choice is Choice.UNDERSTOOD:
        return f"*Again*: understood by {who} on {words.day(word.at, now)}, and grown since."
    if word.choice is Choice.ANSWERED:
        return f"*Again*: they were in touch on {words.day(word.at, now)}; the signs are newer."
    ruling = words.ruling(word, by.name(raised.contact), now)
    return f"*Again*: {who} decided on {words.day(word.at, now)}: {ruling}; the signs are newer."


def _summary(raised: Alert, by: Naming, now: datetime, owner: str) -> str:
    """Say in one line of text what the blocks say."""
    contact, assessment = raised.contact, raised.assessment
    if raised.is_notice:
        return _headline(raised, by).replace("*", "")
    at_stake = _deal(contact, by, now)
    who = f"{by.name(contact)}, {quote(contact.account_name, 80)}{f' ({at_stake})' if at_stake else ''}"
    reason = by.quote(assessment.headline, 300).rstrip(".")
    names = " or ".join(by.name(person) for person in ranking(assessment))
    parts = [
        f"{words.title(assessment.verdict)}: {who}",
        reason[:1].upper() + reason[1:],
        f"{_ask(assessment)}: {names}" if names else "",
        f"Owner: {owner}" if owner else "",
    ]
    return ". ".join(part for part in parts if part).replace(".. ", ". ")  # initials end in a full stop

"""Turn model values into Slack messages: Block Kit, and a plain-text fallback that is a real summary. Pure.

An alert is at most six lines: who and what is at stake, the verdict, two or three dated facts, whom to turn
to, the last real contact. Everything else is behind *Why?*. Slack speaks in words; numbers stay in the
command line. Marks repeat what the words say and never stand alone.
https://docs.slack.dev/block-kit
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slackblocks import ActionsBlock, Block, Button, ContextBlock, SectionBlock, Text, WebhookMessage

from bot.model import Alert, Answer, Assessment, Case, Choice, Contact, Evidence, Suggestion, Verdict
from bot.slack import words
from bot.slack.mrkdwn import mailto, quote, user

WHY = "why"
"""The action id of *Why?*; the other buttons carry `ANSWER` and their choice."""

ANSWER = "answer."

BUTTONS: Mapping[Verdict, tuple[Choice, ...]] = {
    Verdict.LEFT: (Choice.LEFT, Choice.STILL_THERE, Choice.SNOOZE),
    Verdict.LIKELY_LEFT: (Choice.LEFT, Choice.STILL_THERE, Choice.SNOOZE),
    Verdict.SLIPPING: (Choice.ON_IT, Choice.NOTHING_WRONG, Choice.SNOOZE),
}
"""The answers that fit a verdict, the most helpful first."""

LABELS: Mapping[Choice, str] = {
    Choice.LEFT: "Confirm left",
    Choice.STILL_THERE: "Still there",
    Choice.ON_IT: "I'm on it",
    Choice.NOTHING_WRONG: "Nothing wrong",
    Choice.SNOOZE: "Snooze 1 week",
}

PROVISIONAL = frozenset({Choice.ON_IT, Choice.SNOOZE})
"""Words that leave the case open."""

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
_TURN_TO = 2
_REASONS = 2
_EXPLANATIONS = 2


@dataclass(frozen=True)
class Card:
    """A message: what notifications and screen readers say, and its blocks as Slack takes them."""

    text: str
    blocks: tuple[dict[str, Any], ...]


def alert(
    raised: Alert,
    case: Case | None,
    now: datetime,
    mention: str = "",
    said: Answer | None = None,
) -> Card:
    """Build the message of a case, in its newest state.

    `mention` names the owner as Slack shows it (mrkdwn; empty: the owner as the contact has it). `said` is
    who is on it, where somebody is.
    """
    contact, assessment = raised.contact, raised.assessment
    word = (case.settled if case else None) or said
    choice = word.choice if word else None
    final = choice is not None and choice not in PROVISIONAL
    turn_to = _turn_to(assessment)
    facts = words.supporting(assessment)[: FACTS - bool(turn_to)]
    owner = mention or quote(contact.owner, 80)
    who = " · ".join(part for part in (_who(contact), _deal(contact, now), owner) if part)
    mark = SETTLED_MARK if final else MARKS.get(assessment.verdict, CALM_MARK)
    lines = [f"{mark} {who}", _verdict(assessment, facts), *_facts(facts, now)]
    if turn_to and (not final or choice is Choice.LEFT):
        lines.append(turn_to)
    blocks: list[Block] = [_section("alert", "\n".join(lines)), _context("known", _known(assessment, now))]
    state = _said(word, contact, now) if word else ""
    if state:
        blocks.append(_section("state", state))
    blocks.append(_buttons(raised, word, final=final))
    summary = _summary(raised, now, owner)
    return _card(f"{state.replace('*', '')}. {summary}" if state else summary, blocks)


def raised_again(raised: Alert, earlier: Alert, now: datetime, mention: str = "") -> Card:
    """Build the reply in the case's thread: what is new since the earlier alert."""
    assessment, before = raised.assessment, earlier.assessment
    known = {evidence.key for evidence in before.evidence}
    supporting = words.supporting(assessment)
    facts = ([evidence for evidence in supporting if evidence.key not in known] or supporting)[:FACTS]
    mark = MARKS.get(assessment.verdict, CALM_MARK)
    opening = " ".join(part for part in (mark, mention, _verdict(assessment, facts, before)) if part)
    lines = [opening, *_facts(facts, now)]
    if (turn_to := _turn_to(assessment)) and _first_choice(assessment) != _first_choice(before):
        lines.append(turn_to)
    return _card(f"Raised again. {_summary(raised, now, mention)}", [_section("again", "\n".join(lines))])


def why(raised: Alert, now: datetime) -> Card:
    """Build the answer to *Why?*: all evidence in words, with dates and sources, for and against."""
    contact, assessment = raised.contact, raised.assessment
    who = f"*{name(contact)}*, *{quote(contact.account_name, 80)}*"
    shown = list(assessment.evidence[:_WHY_FACTS])
    blocks: list[Block] = [_section("who", f"{who}\n{_verdict(assessment, shown)}")]
    blocks += [
        _section(f"fact-{i}", f"• {_fact(evidence, now, note=True)}") for i, evidence in enumerate(shown)
    ]
    more = len(assessment.evidence) - len(shown)
    if more:
        blocks.append(_context("more", f"and {more} more of less weight"))
    for i, suggestion in enumerate(_ranked(assessment, _WHY_FACTS)):
        reasons = "; ".join(quote(reason, 150) for reason in suggestion.reasons[:5])
        person = _person(suggestion)
        blocks.append(_section(f"person-{i}", f"*Turn to* {person}{f': {reasons}' if reasons else ''}"))
    blocks.append(_context("known", _known(assessment, now)))
    return _card(f"Why {name(contact)} is {assessment.verdict}: {quote(assessment.headline, 300)}", blocks)


def _card(text: str, blocks: list[Block]) -> Card:
    return Card(text, tuple(WebhookMessage(text=text, blocks=blocks).to_dict()["blocks"]))


def _who(contact: Contact) -> str:
    title = f", {quote(contact.title, 60)}" if contact.title else ""
    return f"*{name(contact)}*{title}, *{quote(contact.account_name, 80)}*"


def name(contact: Contact) -> str:
    """Return the person's name as Slack shows it, or the address where none is known."""
    return quote(contact.name, 80) or quote(contact.address, 80)


def _deal(contact: Contact, now: datetime) -> str:
    return words.deal(contact.deal, now) if contact.deal else ""


def _verdict(assessment: Assessment, facts: list[Evidence], before: Assessment | None = None) -> str:
    """Say the verdict, its strength and, unless it stands among the facts, its reason in one sentence."""
    was = f" (was: {before.verdict})" if before and before.verdict is not assessment.verdict else ""
    strength = words.strength(assessment)
    if assessment.headline in {fact.sentence for fact in facts}:
        return f"*{words.title(assessment.verdict)}*{was}: {strength}."
    headline = quote(assessment.headline, 300).rstrip(".")
    return f"*{words.title(assessment.verdict)}*{was}: {headline} ({strength})."


def _facts(evidence: list[Evidence], now: datetime) -> list[str]:
    newest_first = sorted(evidence, key=lambda fact: fact.at.date(), reverse=True)
    return [f"• {_fact(fact, now)}" for fact in newest_first]


def _fact(evidence: Evidence, now: datetime, *, note: bool = False) -> str:
    source = f" · _{words.source(evidence.source)}_" if evidence.source.strip() else ""
    reserve = f"\nCounts for less: {quote(evidence.note, 200)}" if note and evidence.note else ""
    return f"*{words.day(evidence.at, now)}*  {quote(evidence.sentence, 200)}{source}{reserve}"


def _turn_to(assessment: Assessment) -> str:
    """Name whom to turn to, the successor first; empty where nobody is known."""
    people = " or ".join(_suggestion(suggestion) for suggestion in _ranked(assessment))
    return f"*{_ask(assessment)}:* {people}" if people else ""


def _ranked(assessment: Assessment, most: int = _TURN_TO) -> list[Suggestion]:
    return sorted(assessment.suggestions, key=lambda suggestion: not suggestion.successor)[:most]


def _first_choice(assessment: Assessment) -> list[str]:
    return [suggestion.address for suggestion in _ranked(assessment, 1)]


def _ask(assessment: Assessment) -> str:
    return "Ask for a second contact now" if assessment.verdict is Verdict.SLIPPING else "Turn to"


def _suggestion(suggestion: Suggestion) -> str:
    reasons = "; ".join(quote(reason, 100) for reason in suggestion.reasons[:_REASONS])
    return f"{_person(suggestion)}{f' ({reasons})' if reasons else ''}"


def _person(suggestion: Suggestion) -> str:
    if suggestion.guess:
        return f"{quote(suggestion.name, 80)} (guessed address: {quote(suggestion.address, 80)})"
    return mailto(suggestion.address, suggestion.name or suggestion.address)


def _known(assessment: Assessment, now: datetime) -> str:
    """Say what is small print, but must not be missing: last contact, what else it could be."""
    if assessment.last_contact:
        last = assessment.last_contact
        parts = [f"Last real contact {words.day(last, now)}, {words.ago(last, now)}"]
    else:
        parts = ["No real contact on record"]
    if assessment.returns:
        parts.append(f"Back {words.day(assessment.returns, now)}")
    others = [quote(text, 150) for text in assessment.other_explanations[:_EXPLANATIONS]]
    if others:
        parts.append(f"Still possible: {'; '.join(others)}")
    if not assessment.suggestions:
        parts.append("Nobody else is known there")
    return " · ".join(parts)


def _said(word: Answer, contact: Contact, now: datetime) -> str:
    """Say who decided, what and when."""
    who, on = user(word.by), words.day(word.at, now)
    if word.choice is Choice.ON_IT:
        return f"{who} is on it, since {on}"
    if word.choice is Choice.SNOOZE:
        return f"*Snoozed* by {who}, {on}{f', until {words.day(word.until, now)}' if word.until else ''}"
    return f"*Settled* by {who}, {on}: {words.ruling(word.choice, name(contact))}"


def _summary(raised: Alert, now: datetime, owner: str) -> str:
    """Say in one line of text what the blocks say."""
    contact, assessment = raised.contact, raised.assessment
    at_stake = _deal(contact, now)
    who = f"{name(contact)}, {quote(contact.account_name, 80)}{f' ({at_stake})' if at_stake else ''}"
    reason = quote(assessment.headline, 300).rstrip(".")
    names = " or ".join(quote(s.name or s.address, 80) for s in _ranked(assessment))
    parts = [
        f"{words.title(assessment.verdict)}: {who}",
        reason[:1].upper() + reason[1:],
        f"{_ask(assessment)}: {names}" if names else "",
        f"Owner: {owner}" if owner else "",
    ]
    return ". ".join(part for part in parts if part)


def _buttons(raised: Alert, word: Answer | None, *, final: bool) -> ActionsBlock:
    """Offer what can still be answered, and *Why?* always."""
    offered = [] if final else [*BUTTONS.get(raised.assessment.verdict, (Choice.SNOOZE,))]
    if word and word.choice in offered:
        offered.remove(word.choice)
    buttons = [
        Button(
            LABELS[choice],
            action_id=f"{ANSWER}{choice}",
            value=raised.case,
            style="primary" if choice is offered[0] and choice is not Choice.SNOOZE else None,
        )
        for choice in offered
    ]
    return ActionsBlock([*buttons, Button("Why?", action_id=WHY, value=raised.case)], block_id="answers")


def _section(block_id: str, text: str) -> SectionBlock:
    return SectionBlock(Text(text, verbatim=True), block_id=block_id)


def _context(block_id: str, text: str) -> ContextBlock:
    return ContextBlock([Text(text, verbatim=True)], block_id=block_id)

"""Turn model values into Slack messages: Block Kit, and a plain-text fallback that is a real summary. Pure.

An alert is a few lines: who and what is at stake, the verdict, one to three dated facts, whom to turn to, a
line each, the last real contact. Once it is settled, who it is about, the verdict and who settled it remain.
Everything else is behind *Why?*. Slack speaks in words; numbers stay in the command line. Marks repeat what
the words say and never stand alone.
https://docs.slack.dev/block-kit
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from slackblocks import ActionsBlock, Block

from bot.model import Alert, Answer, Assessment, Case, Choice, Contact, Evidence, Verdict
from bot.slack import buttons, suggestions, words
from bot.slack.marks import Marks
from bot.slack.mrkdwn import quote, user
from bot.slack.names import Names, Naming
from bot.slack.parts import Card, section, sections, small_print
from bot.slack.suggestions import ranking, whom

MARKS: Mapping[Verdict, str] = {
    Verdict.LEFT: ":red_circle:",
    Verdict.LIKELY_LEFT: ":large_orange_circle:",
    Verdict.SLIPPING: ":large_yellow_circle:",
}
CALM_MARK = ":white_circle:"
SETTLED_MARK = ":white_check_mark:"

FACTS = 3
"""Evidence lines on a card that has nobody to suggest; one fewer where it has.

With several people, a verdict whose reason is itself a dated fact has one line fewer again.
"""

_WHY_FACTS = 10
_WHY_REASONS = 5
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
    stated = _stated(assessment)
    facts = [fact for fact in words.supporting(assessment) if fact.sentence != assessment.headline]
    facts = [] if settled else facts[: FACTS - bool(turn_to) - bool(stated and len(ranked) > 1)]
    told = [*stated, *facts]
    source = _source(told)
    owner = _owner(contact, scene)
    who = " · ".join(part for part in (_who(contact, by), _deal(contact, by, now), owner) if part)
    mark = SETTLED_MARK if settled else MARKS.get(assessment.verdict, CALM_MARK)
    again = _again(raised, by, scene)
    is_open = not settled and scene.after is None
    lines = [f"{mark} {who}", "" if settled else again, _verdict(assessment, by, now, source)]
    lines += _facts(facts, by, now, source)
    blocks: list[Block] = [buttons.with_menu(raised, "\n".join(line for line in lines if line), scene.marks)]
    if is_open and turn_to:
        blocks.append(section("whom", turn_to))
    if not settled:
        blocks.append(small_print("known", _known(assessment, by, now, told)))
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
    told = [*_stated(assessment), *facts]
    source = _source(told)
    mark = MARKS.get(assessment.verdict, CALM_MARK)
    said = _headline(raised, by) if raised.is_notice else _verdict(assessment, by, now, source, before)
    opening = " ".join(part for part in (mark, scene.mention, said) if part)
    blocks: list[Block] = [section("again", "\n".join([opening, *_facts(facts, by, now, source)]))]
    if (turn_to := whom(assessment, by)) and _first_choice(assessment) != _first_choice(before):
        blocks.append(section("whom", turn_to))
    if source:
        blocks.append(small_print("source", _told_once(told, by)))
    summary = _summary(raised, by, now, scene.mention)
    return Card.of(f"Raised again. {summary}", blocks)


def why(raised: Alert, scene: Scene) -> Card:
    """Build the answer to *Why?*: all evidence in words, with dates and sources, for and against."""
    by, now = Naming.of(raised, scene.names), scene.now
    contact, assessment = raised.contact, raised.assessment
    shown = list(assessment.evidence[:_WHY_FACTS])
    source = _source(shown)
    who = f"*{by.name(contact)}*, *{quote(contact.account_name, 80)}*"
    opening = _headline(raised, by) if raised.is_notice else f"{who}\n{_verdict(assessment, by, now, source)}"
    blocks: list[Block] = [section("who", opening)]
    blocks += sections("facts", (f"• {_fact(fact, by, now, source, note=True)}" for fact in shown))
    more = len(assessment.evidence) - len(shown)
    if more:
        blocks.append(small_print("more", f"and {more} more{'' if raised.is_notice else ' of less weight'}"))
    for i, suggestion in enumerate(ranking(assessment, _WHY_FACTS)):
        reasons = "; ".join(by.quote(reason, 150) for reason in suggestion.reasons[:_WHY_REASONS])
        person = suggestions.person(suggestion, by)
        blocks.append(section(f"person-{i}", f"*Turn to* {person}{f': {reasons}' if reasons else ''}"))
    known = _known(assessment, by, now, shown)
    if raised.is_notice:
        known = " · ".join(part for part in (_possible(assessment, by), _told_once(shown, by)) if part)
    blocks += [small_print("known", known)] if known else []
    if raised.is_notice:
        return Card.of(f"Why there is an account notice: {_headline(raised, by).replace('*', '')}", blocks)
    reason = by.quote(assessment.headline, 300)
    return Card.of(f"Why {by.name(contact)} is judged “{assessment.verdict}”: {reason}", blocks)


def name(contact: Contact) -> str:
    """Return the person's name as Slack shows it, or the address where none is known (mrkdwn)."""
    return Naming().name(contact)


def _notice(raised: Alert, of: Case | None, scene: Scene) -> Card:
    """Build the message of an account in trouble: many addresses, not many departures."""
    by = Naming.of(raised, scene.names)
    word = of.settled if of else None
    is_settled = word is not None and word.is_final
    done = is_settled or scene.after is not None
    owner = _owner(raised.contact, scene)
    mark = SETTLED_MARK if done else CALM_MARK
    opening = f"{mark} {_headline(raised, by)} {owner}".rstrip()
    again = _again(raised, by, scene)
    affected = _affected(raised, by)
    lines = [opening] if is_settled else [opening, again, _possible(raised.assessment, by), affected]
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


def _verdict(
    assessment: Assessment, by: Naming, now: datetime, source: str, before: Assessment | None = None
) -> str:
    """Say the verdict, its reason in one sentence, and its strength; a reason that is a fact has its day.

    Where it was seen is said unless it is the source that is told once for all.
    """
    was = f" (was: {before.verdict})" if before and before.verdict is not assessment.verdict else ""
    same = _stated(assessment)
    on = f"{words.day(same[-1].at, now)}{_seen(same[-1], by, source, ', ')}; " if same else ""
    headline = by.quote(words.reason(assessment.verdict, assessment.headline).rstrip("."), 300)
    return f"*{words.title(assessment.verdict)}*{was}: {headline} ({on}{words.strength(assessment)})."


def _stated(assessment: Assessment) -> list[Evidence]:
    """Return the fact that is the verdict's reason, the newest of several; none where it is no fact."""
    same = [fact for fact in assessment.evidence if fact.sentence == assessment.headline]
    return sorted(same, key=lambda fact: fact.at)[-1:]


def _facts(evidence: list[Evidence], by: Naming, now: datetime, source: str) -> list[str]:
    newest_first = sorted(evidence, key=lambda fact: fact.at.date(), reverse=True)
    return [f"• {_fact(fact, by, now, source)}" for fact in newest_first]


def _fact(evidence: Evidence, by: Naming, now: datetime, source: str, *, note: bool = False) -> str:
    reserve = f" (counts for less: {by.quote(evidence.note, 200)})" if note and evidence.note else ""
    said = by.quote(evidence.sentence, 200)
    return f"*{words.day(evidence.at, now)}*  {said}{_seen(evidence, by, source, ' · ')}{reserve}"


def _source(evidence: Sequence[Evidence]) -> str:
    """Return the source that is told once for most of these facts; empty where each has its own."""
    sources = Counter(fact.source.strip() for fact in evidence)
    source, count = sources.most_common(1)[0] if sources else ("", 0)
    return source if count > 1 or len(sources) == 1 else ""


def _seen(evidence: Evidence, by: Naming, source: str, sign: str) -> str:
    """Say where a fact was seen, after a sign; nothing where that is told once for all."""
    where = evidence.source.strip()
    return f"{sign}_{by.source(words.source(where))}_" if where not in {"", source} else ""


def _told_once(evidence: Sequence[Evidence], by: Naming) -> str:
    """Say where these facts were seen, as far as their lines do not say it."""
    source = _source(evidence)
    others = any(fact.source.strip() != source for fact in evidence)
    return f"Source{', unless said' if others else ''}: {by.source(words.source(source))}" if source else ""


def _first_choice(assessment: Assessment) -> list[str]:
    return [suggestion.address for suggestion in ranking(assessment, 1)]


def _known(assessment: Assessment, by: Naming, now: datetime, told: Sequence[Evidence]) -> str:
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
    return " · ".join(part for part in [*parts, _told_once(told, by)] if part)


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
    reason = by.quote(assessment.headline.rstrip("."), 300)
    names = " or ".join(by.name(one) for one in ranking(assessment))
    parts = [
        f"{words.title(assessment.verdict)}: {who}",
        reason[:1].upper() + reason[1:],
        f"{suggestions.ask(assessment)}: {names}" if names else "",
        f"Owner: {owner}" if owner else "",
    ]
    return ". ".join(part for part in parts if part).replace(".. ", ". ")  # initials end in a full stop

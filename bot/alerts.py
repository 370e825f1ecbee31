"""Decide whether an assessment is told to anybody, with the reason. Pure: time is passed in.

An episode is one story: from the first alert until somebody settles it, or until the person is proven to be
there. Within it a contact is told about again only when it gets graver.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.history import DEPARTURES
from bot.model import (
    Action,
    Alert,
    Answer,
    Assessment,
    Case,
    Choice,
    Contact,
    Decision,
    Evidence,
    Means,
    Person,
    Reason,
    Strength,
    Verdict,
)

SECOND_LOOK = timedelta(minutes=4)
"""A second evaluation counts as one from so much later on."""

COOL_DOWN = timedelta(days=14)
"""So long after a case ended, signs of pulling away wait for the digest."""

FALLEN = frozenset({Reason.BELOW_THRESHOLD, Reason.ON_LEAVE})
"""Why an alert that waited is not told: what it says is not so any more."""

LOOK_AGAIN = timedelta(hours=1)
"""How long such an alert waits for the next look: it is told after all where it is so again."""

GRAVITY = {Verdict.SLIPPING: 1, Verdict.LIKELY_LEFT: 2, Verdict.LEFT: 3}
FIRMNESS = {Strength.SOME: 0, Strength.CLEAR: 1, Strength.STRONG: 2}


@dataclass(frozen=True)
class Baseline:
    """What was there before anybody asked us to watch, and therefore raises nothing.

    `ended` says when the first pass over each source ended; a source that is missing is still in it. `joined`
    is when the person was added later than that: then what happened before is old.
    """

    ended: Mapping[str, datetime]
    joined: datetime | None = None

    def knew(self, item: Evidence) -> bool:
        """Say whether this evidence belongs to it."""
        if self.joined is not None and item.at <= self.joined:
            return True
        return item.source not in self.ended or (item.seen or item.at) <= self.ended[item.source]


Since = Baseline | None
"""None judges from the first mail on."""


def decide(
    person: Person,
    contact: Contact,
    assessment: Assessment,
    since: Since,
    demoted: Collection[str] = (),
    inhibited: Reason | None = None,
) -> tuple[Decision, Alert | None]:
    """Return what to do with an assessment, and the alert where it is to be sent.

    What speaks by `demoted` kinds of evidence alone is left to the digest: they were wrong too often.
    `inhibited` says that no first alert of a person is raised, and why: a notice on the account tells it, or
    nothing can be seen of them.
    """
    action, reason, episode = _verdict(person, assessment, since)
    if action is Action.SEND and reason is not Reason.ANSWERED and rests_on(assessment, demoted):
        action, reason = Action.DIGEST, Reason.DEMOTED
    elif inhibited is not None and reason in {Reason.FIRST, Reason.BELOW_THRESHOLD}:
        action, reason = Action.HOLD, inhibited
    elif reason in {Reason.FIRST, Reason.STRONGER} and not is_confirmed(person, assessment):
        action, reason = Action.HOLD, Reason.UNCONFIRMED
    return _decided(contact, assessment, action, reason, episode)


def withheld(person: Person, alert: Alert, now: datetime) -> Decision | None:
    """Return why an alert is not told at the moment at which it would be, None where it still holds.

    While it waited for the morning, for the budget or for Slack, the person may have written, or what was
    seen may have been explained. A notice, and the end of a case, are told whatever came since.
    """
    found = person.assessment
    if found is None or alert.is_notice or alert.is_all_clear:
        return None
    if GRAVITY.get(found.verdict, 0) >= GRAVITY[alert.assessment.verdict]:
        return None
    reason = Reason.ON_LEAVE if found.verdict is Verdict.ON_LEAVE else Reason.BELOW_THRESHOLD
    return Decision(person.address, now, Action.HOLD, reason, found.verdict, found.probability)


def is_confirmed(person: Person, assessment: Assessment) -> bool:
    """Say whether a rise may be told: a new fact made it, or it was found before, some minutes ago.

    What time alone brings about, such as a silence or a threshold that is crossed, may be gone by the next
    look. A fact does not go, and the source's own word is a fact whenever it comes to count.
    """
    known = (
        {item.key for item in person.assessment.evidence if item.weight > 0} if person.assessment else set()
    )
    counted = [item for item in assessment.evidence if item.key and item.weight > 0]
    if any(item.explicit or item.key not in known for item in counted):
        return True
    if not person.decisions:
        return True
    before = person.decisions[-1]
    as_grave = GRAVITY.get(before.verdict, 0) >= GRAVITY[assessment.verdict]
    return as_grave and assessment.at - before.at >= SECOND_LOOK


def notice(
    person: Person, contact: Contact, assessment: Assessment, since: Since
) -> tuple[Decision, Alert | None]:
    """Decide the same for an account notice: once per incident, and again when it has grown much larger."""
    newest = person.cases[-1].episode if person.cases else 0
    if since is not None and all(since.knew(item) for item in assessment.evidence):
        return _decided(contact, assessment, Action.HOLD, Reason.BASELINE, newest)
    signs = {item.key for item in assessment.evidence}
    same = [case for case in person.cases if signs & _told_signs(case)]
    if not same:
        return _decided(contact, assessment, Action.SEND, Reason.FIRST, newest + 1)
    case = same[-1]
    if FIRMNESS[assessment.strength] > max(
        FIRMNESS[one.alert.assessment.strength] for one in case.deliveries
    ):
        again = case.episode if case.settled is None else newest + 1
        return _decided(contact, assessment, Action.SEND, Reason.STRONGER, again)
    return _decided(contact, assessment, Action.HOLD, Reason.ALREADY_SENT, case.episode)


def _told_signs(case: Case) -> set[str]:
    return {item.key for one in case.deliveries for item in one.alert.assessment.evidence}


def rests_on(assessment: Assessment, kinds: Collection[str]) -> bool:
    """Say whether all that speaks for a departure or a drift is of these kinds."""
    speaks = {
        item.kind
        for item in assessment.evidence
        if item.means in {Means.GONE, Means.SLIPPING} and item.weight > 0
    }
    return bool(speaks) and speaks <= set(kinds)


def _decided(
    contact: Contact, assessment: Assessment, action: Action, reason: Reason, episode: int
) -> tuple[Decision, Alert | None]:
    decision = Decision(
        contact=contact.address,
        at=assessment.at,
        action=action,
        reason=reason,
        verdict=assessment.verdict,
        probability=assessment.probability,
    )
    alert = Alert(contact, assessment, episode, assessment.at) if action is Action.SEND else None
    return decision, alert


def _verdict(person: Person, assessment: Assessment, since: Since) -> tuple[Action, Reason, int]:
    case = person.cases[-1] if person.cases else None
    episode = case.episode if case else 1
    if case is not None and _is_answered(case, assessment):
        return Action.SEND, Reason.ANSWERED, episode
    if assessment.verdict is Verdict.ON_LEAVE:
        return Action.HOLD, Reason.ON_LEAVE, episode
    if assessment.verdict not in GRAVITY:
        quiet = assessment.verdict is Verdict.QUIET
        return (Action.DIGEST if quiet else Action.HOLD), Reason.BELOW_THRESHOLD, episode
    if not _is_news(person, assessment, since):
        return Action.HOLD, Reason.BASELINE, episode
    return (Action.SEND, Reason.FIRST, episode) if case is None else _on_case(case, assessment)


def _on_case(case: Case, assessment: Assessment) -> tuple[Action, Reason, int]:
    """Decide where the person has a case already."""
    episode = case.episode
    if case.settled is not None:
        return _after_answer(case, case.settled, assessment)
    if _is_over(case, assessment):
        if assessment.last_contact is not None and _cools_down(assessment, assessment.last_contact, case):
            return Action.DIGEST, Reason.COOLING_DOWN, episode
        return Action.SEND, Reason.FIRST, episode + 1
    if gravity(assessment) > gravest(case):
        return Action.SEND, Reason.STRONGER, episode
    if _fell_untold(case, assessment, episode):
        return Action.SEND, Reason.FIRST, episode
    return Action.HOLD, Reason.ALREADY_SENT, episode


def _fell_untold(case: Case, assessment: Assessment, episode: int) -> bool:
    """Say whether all that the case raised was graver, fell back while it was held, and was never told."""
    claims = {delivery.alert.claim for delivery in case.deliveries}
    return (
        not _was_told(case)
        and Alert(case.alert.contact, assessment, episode, assessment.at).claim not in claims
    )


def _was_told(case: Case) -> bool:
    """Say whether anybody heard of the case, or will as soon as what holds it back is over."""
    return any(one.sent_at is not None or one.held not in FALLEN for one in case.deliveries)


def _after_answer(case: Case, answer: Answer, assessment: Assessment) -> tuple[Action, Reason, int]:
    """Decide after a rep's word: a snooze runs out, and news after any other answer is a new story."""
    graver = gravity(assessment) > gravest(case)
    if answer.choice is Choice.SNOOZE:
        if answer.until is not None and assessment.at.date() < answer.until and not graver:
            return Action.HOLD, Reason.SNOOZED, case.episode
        return Action.SEND, Reason.STRONGER if graver else Reason.REMINDER_DUE, case.episode + 1
    came_back = assessment.last_contact is not None and assessment.last_contact > answer.at
    if (answer.choice is Choice.LEFT and not came_back) or not (graver or _is_newer(assessment, answer.at)):
        return Action.HOLD, Reason.SETTLED, case.episode
    if _cools_down(assessment, answer.at, case):
        return Action.DIGEST, Reason.COOLING_DOWN, case.episode
    return Action.SEND, Reason.FIRST, case.episode + 1


def _cools_down(assessment: Assessment, ended: datetime, case: Case) -> bool:
    """Say whether a case ended so lately that more of the same is left to the digest.

    Signs of a departure, a goodbye that the case did not tell among them, and whatever is graver than what it
    told never wait; nor does anything after a case that nobody heard of.
    """
    soft = assessment.verdict is Verdict.SLIPPING and gravity(assessment) <= gravest(case)
    if not soft or not _was_told(case) or _says_goodbye_anew(assessment, case):
        return False
    return assessment.at - ended < COOL_DOWN


def _says_goodbye_anew(assessment: Assessment, case: Case) -> bool:
    """Say whether a goodbye counts that the case did not tell."""
    told = _told_signs(case)
    return any(
        item.kind in DEPARTURES and item.weight > 0 and item.key not in told for item in assessment.evidence
    )


def _is_news(person: Person, assessment: Assessment, since: Since) -> bool:
    """Say whether any evidence that counts became known, or came true, after the first pass over its source.

    A last day that was announced before comes true when it has passed.
    """
    if since is None:
        return True
    announced = (
        {item.key for item in person.assessment.evidence if not item.explicit} if person.assessment else set()
    )
    return any(
        not since.knew(item) or (item.explicit and item.key in announced)
        for item in assessment.evidence
        if _speaks(item)
    )


def _is_newer(assessment: Assessment, when: datetime) -> bool:
    """Say whether any evidence that counts came after that moment."""
    return any(item.at > when for item in assessment.evidence if _speaks(item))


def _speaks(item: Evidence) -> bool:
    """Say whether evidence can be news; a silence never is, it only grows."""
    return bool(item.key) and item.weight > 0


def _is_over(case: Case, assessment: Assessment) -> bool:
    """Say whether the person was proven to be there after the case's last alert: then it told its story."""
    told = max(delivery.alert.at for delivery in case.deliveries)
    return assessment.last_contact is not None and assessment.last_contact > told


def _is_answered(case: Case, assessment: Assessment) -> bool:
    """Say whether evidence settles an open case: they were in touch after its last signal, all is calm."""
    if assessment.verdict in GRAVITY or (case.settled is not None and case.settled.is_final):
        return False
    return assessment.last_contact is not None and assessment.last_contact > _last_signal(case.alert)


def _last_signal(alert: Alert) -> datetime:
    """Return when the newest fact happened that an alert rests on."""
    return max((item.at for item in alert.assessment.evidence if _speaks(item)), default=alert.at)


def gravity(assessment: Assessment) -> tuple[int, int]:
    """Rank an assessment: by verdict, and but for Likely left also by how firmly.

    A drift that goes on is worth telling, and so is a departure's own word, which often names a successor.
    """
    firmness = 0 if assessment.verdict is Verdict.LIKELY_LEFT else FIRMNESS[assessment.strength]
    return GRAVITY[assessment.verdict], firmness


def gravest(case: Case) -> tuple[int, int]:
    """Return the gravest thing that a case has told."""
    told = [delivery.alert for delivery in case.deliveries]
    return max(gravity(alert.assessment) for alert in told if not alert.is_all_clear)

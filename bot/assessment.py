"""Add the evidence up and say what to think of a person. Pure: time is passed in.

Log-odds (nats) add up within families of evidence that fail together. A family is capped, each further fact
in it counts half of the stronger one before, and beside the strongest family the others are damped, because
one cause often shows in several places.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot import silence
from bot.backscatter import HARD
from bot.evidence import EVEN, Leave, Scales, day, leave, returned, weigh
from bot.free_days import Period
from bot.history import DEPARTURES, NOTHING_DERIVED, Derived, History
from bot.incidents import Incident
from bot.model import Assessment, Evidence, Family, Kind, Means, Observation, Strength, Verdict
from bot.past import SKEW, Past
from bot.pauses import leaves
from bot.rechecks import recheck

A_YEAR = timedelta(days=365)
LEAVE_IN_A_YEAR = 0.22
"""The share of contacts who leave within a year: between 17 and 30 %, by docs/how-it-decides.md."""

LEAST_PRIOR, MOST_PRIOR = 0.005, 0.25
"""However lately somebody wrote, they may have left since; however long ago, that alone proves nothing."""

UNKNOWN_FOR = timedelta(days=30)
"""How long ago we take somebody of whom nothing at all is known to have been there."""

CAPS: Mapping[Family, float] = {
    Family.MAIL: 11.0,
    Family.PUBLIC: 6.5,
    Family.CALENDAR: 4.0,
    Family.SILENCE: math.log(8),
    Family.RESPONSE: 1.5,
    Family.ANSWER: 12.0,
}
"""The most a family can add. A "1 in 100" silence multiplies the odds of departure by only about 8."""

REPEAT = 0.5
"""What each further fact of a family is worth, relative to the stronger one before it."""

DEPENDENCE = 0.7
"""What a family is worth beside a stronger one."""

CLEARLY, STRONGLY = 1.3, 1.7
"""How much more than the least must add up for a clear and for a strong Slipping."""

NOTABLE_SILENCE = 0.2
"""From this improbability on a silence is worth mentioning."""

KNOWN_FOR = timedelta(days=180)
"""How long after they were last heard of we still call somebody active, whatever explains the silence."""

SILENT = "silent"

NO_LIFE = "nothing was found that shows them there"
NO_MAIL = "no mail with them was found"
NO_MAIL_ARRIVES = "mail to them came back on {when:%-d %B %Y}, and nothing was heard of them since"

KEPT = 60
"""How many items of evidence an assessment keeps."""

OTHER_EXPLANATIONS: Mapping[str, str] = {
    HARD: "a renamed address or a mail migration would bounce as well",
    "colleague_told": "somebody else of that name may be meant",
    "meeting_drift": "a full calendar, or a project date that moved on their side",
    "meeting_bare_update": "an assistant may have moved it for them",
    "meeting_replaced": "a colleague may only stand in for them, or know more of the matter",
    "meeting_no_show": "they may have come, and simply not have answered since",
    "farewell": "the last day may still change",
    "page_gone": "the page may have been made anew, or may name fewer people now",
    "page_moved": "somebody else may bear the same name",
    "page_former": "somebody else may bear the same name",
    "profile_moved": "their employer may have been renamed, or it is a second job",
    "record_moved": "bought records lag behind, and may be of somebody else of that name",
}


RISING = (Verdict.SLIPPING, Verdict.LIKELY_LEFT, Verdict.LEFT)
"""The verdicts that have a threshold, each harder to reach than the one before."""

STAYS = 0.85
"""So much of a threshold keeps a verdict that stands: signs of pulling away fade so far in two weeks."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on something is said; a backtest can try others.

    `likely_from` is the probability from which a departure is likely, `slipping_from` what the signs of
    pulling away must add up to, `support_from` what other families must add for a hard item to say Left,
    `quiet_from` the probability that a silence alone gives, from which it is Quiet: see docs/silence.md.
    """

    likely_from: float = 0.7
    slipping_from: float = 1.7
    support_from: float = 1.0
    quiet_from: float = 0.2

    def while_standing(self, verdict: Verdict | None) -> Thresholds:
        """Return the thresholds that a verdict which stands keeps to: it falls only when clearly below.

        Otherwise what lies at a threshold would rise and fall with every day that passes.
        """
        rank = RISING.index(verdict) + 1 if verdict in RISING else 0
        return replace(
            self,
            slipping_from=self.slipping_from * (STAYS if rank >= 1 else 1.0),
            likely_from=self.likely_from * (STAYS if rank >= 2 else 1.0),  # noqa: PLR2004 - its place
            support_from=self.support_from * (STAYS if rank >= 3 else 1.0),  # noqa: PLR2004 - its place
        )


SHIPPED = Thresholds()


@dataclass(frozen=True)
class Circumstances:
    """What is true beyond the person.

    `unseen` says why the sources that would show the person cannot be read, empty where they can; `partly`
    says so of some of them: then a silence is no silence. `incidents` are the times when mail to the whole
    account was in trouble. No silence counts on the days `paused`: see `pauses`. `other_mail` is the newest
    that the same person wrote from another address there.
    """

    unseen: str = ""
    partly: str = ""
    incidents: Sequence[Incident] = ()
    paused: Sequence[Period] = ()
    other_mail: Observation | None = None

    def hidden(self, now: datetime) -> str:
        """Say why we cannot see the person now; empty where we can."""
        current = [
            f"{found.sentence}: see the account notice" for found in self.incidents if found.hides(now)
        ]
        return self.unseen or next(iter(current), "")


NORMAL = Circumstances()


def assess(
    address: str,
    observations: Iterable[Observation],
    now: datetime,
    kinds: Mapping[str, Kind],
    *,
    derived: Derived = NOTHING_DERIVED,
    circumstances: Circumstances = NORMAL,
    thresholds: Thresholds = SHIPPED,
    scales: Scales = EVEN,
    stands: Verdict | None = None,
) -> Assessment:
    """Judge one person by what is known at `now`; `derived` is what the watchers concluded from it.

    `stands` is the verdict so far, which takes less to stay than it took to rise.
    """
    past = Past.of(observations)
    history = History.of(address, past, now + SKEW, kinds, derived.observations)
    last_contact = history.last_contact
    away = leave(history, kinds, now)
    evidence = weigh(
        history,
        now,
        kinds,
        circumstances.incidents,
        unread=circumstances.partly,
        paused=circumstances.paused,
        scales=scales,
        other_mail=circumstances.other_mail,
    )
    paused = [*circumstances.paused, *leaves(history, kinds)]
    activity = history.activity
    rhythm = silence.judge(activity, now, paused) if away is None else None
    before = prior(history, now)
    shown = by_family(evidence)
    alarming = alarm(evidence, shown, fused(shown, before), thresholds.while_standing(stands))
    if rhythm is not None and rhythm.surprise <= NOTABLE_SILENCE:
        evidence.append(silence_evidence(rhythm, before, now, circumstances.partly, scales.silence))
    probability = fused(by_family(evidence), before)
    evidence.sort(key=lambda item: (not leads(alarming, item), -item.at.timestamp(), -item.weight, item.key))
    unseen = circumstances.hidden(now) or circumstances.partly
    verdict = alarming or calm(
        rhythm=rhythm,
        away=away,
        heard=max(activity) if rhythm is not None or last_contact is not None else None,
        now=now,
        circumstances=circumstances,
        quiet_from=thresholds.quiet_from,
    )
    if verdict is Verdict.ACTIVE:
        back = returned(history, now, kinds, circumstances.other_mail)
        if back is not None:
            verdict, unseen = Verdict.UNCHECKED, NO_MAIL_ARRIVES.format(when=back.at)
    return Assessment(
        contact=address,
        at=now,
        verdict=verdict,
        strength=strength(verdict, evidence, probability, thresholds.slipping_from),
        probability=round(probability, 4),
        headline=headline(verdict, evidence, away, last_contact, unseen),
        evidence=tuple(evidence[:KEPT]),
        other_explanations=open_explanations(verdict, evidence),
        last_contact=last_contact,
        returns=day(away.said.facts.get("returns")) if away else None,
        recheck=recheck(
            verdict,
            history,
            now,
            away=away,
            last_contact=last_contact,
            derived_until=derived.until,
            ahead=(seen.at - SKEW for seen in past.after(now + SKEW)),
        ),
    )


def leads(verdict: Verdict | None, item: Evidence) -> bool:
    """Say whether evidence is of the sort that makes the verdict: it is told first."""
    if item.weight <= 0 or item.kind == SILENT:
        return False
    pulling_away = item.means is Means.SLIPPING or item.kind in DEPARTURES
    return pulling_away if verdict is Verdict.SLIPPING else item.means is Means.GONE


def prior(history: History, now: datetime) -> float:
    """Return the probability that somebody has left, before any evidence but the time.

    It grows with the time since they were last proven to be there: people leave at a steady rate.
    """
    known = history.life or next(iter(history.observations), None)
    return prior_after(now - known.at if known is not None else None)


def prior_after(since: timedelta | None) -> float:
    """Return the same by the time since then, None where nothing at all is known of them."""
    known = UNKNOWN_FOR if since is None else since
    stayed = math.exp(math.log(1 - LEAVE_IN_A_YEAR) * (known / A_YEAR))
    return min(max(1 - stayed, LEAST_PRIOR), MOST_PRIOR)


def silence_evidence(
    rhythm: silence.Silence, before: float, now: datetime, unread: str, scale: float = 1.0
) -> Evidence:
    """Turn a silence into evidence: how much likelier it makes a departure than the time alone does.

    It weighs nothing where some of what they wrote could not be read.
    """
    weight = scale * min(CAPS[Family.SILENCE], max(0.0, logit(rhythm.probability) - logit(before)))
    return Evidence(
        key="",
        kind=SILENT,
        means=Means.GONE,
        family=Family.SILENCE,
        at=now,
        source="correspondence",
        sentence=rhythm.sentence,
        weight=0.0 if unread else round(weight, 3),
        note=unread,
    )


def by_family(evidence: Iterable[Evidence]) -> dict[Family, float]:
    """Add up each family, capped."""
    return {family: min(CAPS[family], added) for family, added in sums(evidence).items()}


def sums(evidence: Iterable[Evidence]) -> dict[Family, float]:
    """Add up each family: the strongest fact in full, each further one at half of the one before."""
    weights: defaultdict[Family, list[float]] = defaultdict(list)
    for item in evidence:
        if item.weight > 0:
            weights[item.family].append(item.weight)
    return {
        family: sum(weight * REPEAT**place for place, weight in enumerate(sorted(found, reverse=True)))
        for family, found in weights.items()
    }


def together(families: Mapping[Family, float]) -> float:
    """Add up the families: the strongest in full, the others damped."""
    strongest = max(families.values(), default=0.0)
    return strongest + DEPENDENCE * (sum(families.values()) - strongest)


def fused(families: Mapping[Family, float], before: float) -> float:
    """Return the probability of departure, given that before any evidence."""
    return 1 / (1 + math.exp(-(logit(before) + together(families))))


def logit(probability: float) -> float:
    """Return the log-odds (nats) of a probability, which is kept off 0 and 1."""
    bounded = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))


def alarm(
    evidence: Sequence[Evidence], families: Mapping[Family, float], probability: float, least: Thresholds
) -> Verdict | None:
    """Return the verdict that asks for attention, or None.

    Left needs the source's own word, or a hard item together with another family, with a hard item of
    another sort from another source, or with a goodbye. No weak signal can say it. Silence is no part of
    what is asked here: it never makes the difference.
    """
    counted = [item for item in evidence if item.weight > 0]
    if any(item.explicit for item in counted):
        return Verdict.LEFT
    goodbye = any(item.kind in DEPARTURES for item in counted)
    hard = [item for item in counted if item.hard]
    if hard and probability >= least.likely_from:
        supported = goodbye or is_supported(hard, families, least.support_from)
        return Verdict.LEFT if supported else Verdict.LIKELY_LEFT
    return Verdict.SLIPPING if goodbye or drift(counted) >= least.slipping_from else None


def is_supported(hard: Sequence[Evidence], families: Mapping[Family, float], support_from: float) -> bool:
    """Say whether anything stands beside the strongest hard item that does not fail together with it."""
    strongest = max(hard, key=lambda item: (item.weight, item.key))
    support = sum(added for family, added in families.items() if family is not strongest.family)
    return support >= support_from or any(
        item.kind != strongest.kind and item.source != strongest.source for item in hard
    )


def drift(evidence: Iterable[Evidence]) -> float:
    """Return what the signs of pulling away add up to."""
    return together(by_family(item for item in evidence if item.means is Means.SLIPPING))


def calm(
    *,
    rhythm: silence.Silence | None,
    away: Leave | None,
    heard: datetime | None,
    now: datetime,
    circumstances: Circumstances,
    quiet_from: float,
) -> Verdict:
    """Return the verdict of somebody who alarms nobody; whom we cannot see is never called active.

    `heard` is when they last did anything, None where that is too little to know them by.
    """
    if away is not None:
        return Verdict.ON_LEAVE
    if circumstances.hidden(now):
        return Verdict.UNCHECKED
    if heard is None:
        return Verdict.UNCHECKED
    if now - heard <= KNOWN_FOR and (rhythm is None or rhythm.probability < quiet_from):
        return Verdict.ACTIVE
    return Verdict.UNCHECKED if circumstances.partly else Verdict.QUIET


def strength(
    verdict: Verdict, evidence: Sequence[Evidence], probability: float, slipping_from: float
) -> Strength:
    """Say in a word how strong the verdict is. Left is strong by the source's own word only."""
    if verdict is Verdict.LEFT:
        return Strength.STRONG if any(item.explicit for item in evidence) else Strength.CLEAR
    if verdict is Verdict.SLIPPING:
        score, clear, strong = drift(evidence), slipping_from * CLEARLY, slipping_from * STRONGLY
        if any(item.kind in DEPARTURES and item.weight > 0 for item in evidence):
            return Strength.STRONG
    else:
        score, clear, strong = probability, 0.85, 0.97
    if score >= strong:
        return Strength.STRONG
    return Strength.CLEAR if score >= clear else Strength.SOME


def headline(
    verdict: Verdict,
    evidence: Sequence[Evidence],
    away: Leave | None,
    last_contact: datetime | None,
    hidden: str,
) -> str:
    """Say the verdict's reason in one sentence, for the rep."""
    if verdict in {Verdict.LEFT, Verdict.LIKELY_LEFT, Verdict.SLIPPING}:
        return evidence[0].sentence
    if verdict is Verdict.ON_LEAVE and away is not None:
        return away.said.sentence
    if verdict is Verdict.UNCHECKED:
        return hidden or (NO_LIFE if evidence else NO_MAIL)
    silent = next((item.sentence for item in evidence if item.kind == SILENT), "")
    since = f"last heard of on {last_contact:%-d %B %Y}" if last_contact else ""
    return silent if verdict is Verdict.QUIET and silent else since


def open_explanations(verdict: Verdict, evidence: Iterable[Evidence]) -> tuple[str, ...]:
    """Return the innocent readings that the evidence leaves open."""
    if verdict not in {Verdict.LIKELY_LEFT, Verdict.SLIPPING}:
        return ()
    kinds = dict.fromkeys(item.kind for item in evidence if item.weight > 0)
    return tuple(OTHER_EXPLANATIONS[kind] for kind in kinds if kind in OTHER_EXPLANATIONS)

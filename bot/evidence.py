"""Weigh what was observed of one person, as it counts at one moment. Pure: time is passed in.

Nothing is thrown away: an observation that does not count stays as evidence of weight zero, with a note that
says why it does not. Decay, contradiction by proof of life and counting each fact once are here; adding up
and judging are in `assessment`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from bot.answers import NOTHING_WRONG, THERE
from bot.backscatter import HARD, objection
from bot.history import DEPARTURES, MEETING, History, is_forged, latest
from bot.incidents import DOMAIN, Incident
from bot.model import Evidence, Family, Kind, Means, Observation

ANSWERED = 0.5
"""What a sign of pulling away is worth once the person has written since: present, perhaps still drifting."""

LEAVE_GRACE = timedelta(days=3)
"""How long after their announced return a person on leave is not expected to answer yet."""

LONGEST_LEAVE = timedelta(days=3 * 365)
"""Parents take up to three years; a leave until 2099 is a placeholder."""

LEAVE_WITHOUT_DATE = timedelta(days=14)
"""How long a leave reply without a date is believed."""

ANNOUNCED = 0.6
"""What an announced departure is worth until its last day has passed."""

OWN_WORD = 9.0
"""What the source's own word of a departure weighs at least; a farewell is one once its last day is over."""

DENIALS = (THERE.name, NOTHING_WRONG.name)
"""A rep's word takes a goodbye back at once, also before the last day that it names."""

NEVER = date(9999, 1, 1)

BOUNCES_WEIGHED = 20
"""How many of a person's bounces are looked at; they are one voice anyway."""

FORGED = "its sender was found forged (DMARC)"
COUNTED_ONCE = "the same fact as a stronger sign"

WHILE_AWAY = 0.3
"""What a sign of pulling away is worth that came about while they were known to be on leave."""

DRIFT = "meeting_drift"
HABIT = 0.6
"""What a drift is worth of somebody who pushed another meeting long before, and stayed."""

BEFORE_LEAVE = timedelta(days=3)
"""Whoever goes on leave clears their calendar shortly before."""


LARGEST = 2.0
"""A family never counts for more than twice what it does as shipped, and never for less than half."""


@dataclass(frozen=True, slots=True)
class Scales:
    """What each family of evidence is worth, relative to what is shipped; learnt from answers.

    A rep's word has no scale, and neither has the source's own.
    """

    mail: float = 1.0
    public: float = 1.0
    calendar: float = 1.0
    silence: float = 1.0
    response: float = 1.0

    def of(self, family: Family) -> float:
        """Return a family's scale."""
        return 1.0 if family is Family.ANSWER else float(getattr(self, family))

    def with_one(self, family: str, scale: float) -> Scales:
        """Return the same with one of them changed, within its bounds."""
        bounded = min(max(scale, 1 / LARGEST), LARGEST)
        changed: dict[str, float] = {family: bounded}
        return replace(self, **changed)


EVEN = Scales()


@dataclass(frozen=True)
class Moment:
    """Everything an observation is weighed against: the history of its person, and the time.

    `incidents` are what happened to many at the account at once, `aways` when the person was on leave. `takes
    back` holds by family and group the latest sign of life that speaks of nothing else. `unread` says which
    sources cannot be read, and on the days `paused` nobody was expected to answer. `other_mail` is the newest
    that the same person wrote from another address.
    """

    now: datetime
    history: History
    incidents: Sequence[Incident] = ()
    aways: Sequence[tuple[datetime, datetime]] = ()
    takes_back: Mapping[tuple[Family, str], Observation] = field(default_factory=dict)
    unread: str = ""
    paused: Sequence[tuple[date, date]] = ()
    scales: Scales = EVEN
    other_mail: Observation | None = None

    def evidence(self, seen: Observation, kind: Kind) -> Evidence:
        """Weigh one observation."""
        weight, note = faded(kind, seen, self.now), ""
        if weight > 0:
            factor, note = self._worth(seen, kind)
            weight *= factor
        explicit = weight > 0 and not note and says_left(seen, kind)
        weight = max(weight, OWN_WORD) if explicit else weight * self.scales.of(kind.family)
        return Evidence(
            key=seen.key,
            kind=seen.kind,
            means=kind.means,
            family=kind.family,
            at=seen.at,
            source=seen.source,
            sentence=seen.sentence,
            weight=round(weight, 3),
            explicit=explicit,
            hard=kind.hard and weight > 0,
            note=note,
            seen=seen.seen,
        )

    def _worth(self, seen: Observation, kind: Kind) -> tuple[float, str]:
        """Return which part of its weight an observation keeps, and why not all of it."""
        reason = (
            (FORGED if is_forged(seen) else "")
            or self._happened_to_many(seen, kind)
            or (self._mail_objection(seen) if seen.kind == HARD else "")
            or self._contradiction(seen, kind)
            or self._superseded(seen)
            or (self.unread if kind.family is Family.RESPONSE else "")
        )
        return (0.0, reason) if reason else self._discount(seen, kind)

    def _happened_to_many(self, seen: Observation, kind: Kind) -> str:
        found = next((incident for incident in self.incidents if incident.explains(seen, kind)), None)
        return f"{found.sentence}: see the account notice" if found is not None else ""

    def _mail_objection(self, bounce: Observation) -> str:
        works = self.history.mail_worked
        if works is not None and works.at > bounce.at:
            return f"the mailbox answered again on {works.at:%-d %B %Y}"
        other = self.other_mail
        if other is not None and other.at > bounce.at:
            return f"they wrote from {other.contact} on {other.at:%-d %B %Y}"
        return objection(bounce, self.history.observations)

    def takes_no_mail(self, bounce: Observation, kind: Kind) -> bool:
        """Say whether a bounce is genuine and nothing was heard of the person since, whatever explains it."""
        return not (self._mail_objection(bounce) or self._contradiction(bounce, kind))

    def _superseded(self, seen: Observation) -> str:
        later = self._said_instead.get(seen.key) if seen.kind in DEPARTURES else None
        return f"on {later.at:%-d %B %Y} they named another last day" if later is not None else ""

    @cached_property
    def _said_instead(self) -> Mapping[str, Observation]:
        """Return by key, for each last day that they took back before it was over, the word that did so."""
        dated = [
            (last_day, seen)
            for name in DEPARTURES
            for seen in self.history.by_kind.get(name, ())
            if (last_day := leaves_on(seen)) is not None and not is_forged(seen)
        ]
        dated.sort(key=lambda one: (one[1].at, one[0]), reverse=True)
        found: dict[str, Observation] = {}
        after: tuple[date, Observation] | None = None
        other: Observation | None = None
        for last_day, seen in dated:
            if after is not None and after[0] != last_day:
                other = after[1]
            if other is not None and other.at < end_of(last_day):
                found[seen.key] = other
            after = last_day, seen
        return found

    @cached_property
    def _alive(self) -> str:
        """Say when and how the person was last proven to be there: many signs are held against it."""
        life = self.history.life
        return f"on {life.at:%-d %B %Y}: {life.sentence}" if life is not None else ""

    def _contradiction(self, seen: Observation, kind: Kind) -> str:
        back, life = self.takes_back.get((kind.family, seen.group)), self.history.life
        if back is not None and back.at > seen.at:
            return f"taken back on {back.at:%-d %B %Y}: {back.sentence}"
        if kind.means is not Means.GONE or life is None:
            return ""
        denied = any(word.at > seen.at for name in DENIALS for word in self.history.by_kind.get(name, ()))
        return f"contradicted {self._alive}" if denied or life.at > _holds_from(seen) else ""

    def _discount(self, seen: Observation, kind: Kind) -> tuple[float, str]:
        life = self.history.life
        if kind.means is Means.SLIPPING:
            if life is not None and life.at > seen.at:
                return ANSWERED, f"they were in touch since, {self._alive}"
            if any(begin <= seen.at <= end for begin, end in self.aways):
                return WHILE_AWAY, "they were on leave then"
            before = day(seen.facts.get("pushed_before")) if seen.kind == DRIFT else None
            if before is not None:
                return HABIT, f"they pushed another meeting on {before:%-d %B %Y}, and stayed"
            if kind.family is Family.RESPONSE and self._is_paused(seen.at.date()):
                return WHILE_AWAY, "no answer was to be expected then"
        last_day = leaves_on(seen) if seen.kind in DEPARTURES else None
        if last_day is not None and self.now < end_of(last_day):
            return ANNOUNCED, f"announced: their last day is {last_day:%-d %B %Y}"
        return 1.0, ""

    def _is_paused(self, when: date) -> bool:
        return any(first <= when <= last for first, last in self.paused)


def weigh(
    history: History,
    now: datetime,
    kinds: Mapping[str, Kind],
    incidents: Sequence[Incident] = (),
    *,
    unread: str = "",
    paused: Sequence[tuple[date, date]] = (),
    scales: Scales = EVEN,
    other_mail: Observation | None = None,
) -> list[Evidence]:
    """Weigh what was observed of a person: all that can count, and the newest of each kind of the rest.

    Of meetings only what they mean together is told: the invitations themselves are kept for everybody at
    the account.
    """
    aways, takes_back = absences(history, kinds), narrow_life(history, kinds)
    moment = Moment(now, history, incidents, aways, takes_back, unread, paused, scales, other_mail)
    weighed: list[Evidence] = []
    for name, found in history.by_kind.items():
        kind = kinds[name]
        if kind.weight > 0:
            chosen = found[-BOUNCES_WEIGHED:] if name == HARD else found
            weighed += _once([(moment.evidence(seen, kind), seen.group) for seen in chosen])
        elif name != MEETING:
            weighed.append(moment.evidence(found[-1], kind))
    return weighed


def returned(
    history: History, now: datetime, kinds: Mapping[str, Kind], other_mail: Observation | None = None
) -> Observation | None:
    """Return the newest genuine bounce since which nothing was heard of the person, None where there is none.

    Whether it was a mail migration, and how long ago it was, is no matter: their mail does not arrive.
    """
    moment = Moment(now, history, takes_back=narrow_life(history, kinds), other_mail=other_mail)
    return latest(
        next(
            (seen for seen in reversed(found[-BOUNCES_WEIGHED:]) if moment.takes_no_mail(seen, kinds[name])),
            None,
        )
        for name in (HARD, DOMAIN)
        if (found := history.by_kind.get(name))
    )


def faded(kind: Kind, seen: Observation, now: datetime) -> float:
    """Return what is left of a kind's weight by now; it halves every half-life."""
    if kind.half_life is None:
        return kind.weight
    return float(kind.weight * 0.5 ** ((now - seen.at) / kind.half_life))


@dataclass(frozen=True)
class Leave:
    """An absence that the person's own reply or a rep's word explains, and until when it does."""

    said: Observation
    until: datetime


def leave(history: History, kinds: Mapping[str, Kind], now: datetime) -> Leave | None:
    """Return the leave the person is on now, or None. Writing again, or the return date, ends it."""
    away = latest(
        seen
        for name, found in history.by_kind.items()
        if kinds[name].means is Means.AWAY
        for seen in found
        if not is_forged(seen)
    )
    if away is None or (history.life is not None and history.life.at > away.at):
        return None
    until = _until(away)
    return Leave(away, until) if now < until else None


def absences(history: History, kinds: Mapping[str, Kind]) -> list[tuple[datetime, datetime]]:
    """Return from when to when the person was on leave as they, or a rep, said; and the days before it."""
    return [
        (seen.at - BEFORE_LEAVE, _until(seen))
        for name, found in history.by_kind.items()
        if kinds[name].means is Means.AWAY
        for seen in found
        if not is_forged(seen)
    ]


def _until(away: Observation) -> datetime:
    back = day(away.facts.get("returns"))
    until = end_of(back) + LEAVE_GRACE if back else away.at + LEAVE_WITHOUT_DATE
    return min(until, away.at + LONGEST_LEAVE)


def narrow_life(history: History, kinds: Mapping[str, Kind]) -> dict[tuple[Family, str], Observation]:
    """Return by family and group the latest sign of life that speaks of nothing else."""
    return {
        (kinds[name].family, seen.group): seen
        for name, found in history.by_kind.items()
        if kinds[name].narrow
        for seen in found
    }


def leaves_on(seen: Observation) -> date | None:
    """Return the last day that a departure reply or farewell names."""
    return day(seen.facts.get("leaves"))


def day(value: object) -> date | None:
    """Read an ISO date from a fact; anything else is None."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) and value else None
    except ValueError:
        return None


def end_of(when: date) -> datetime:
    """Return the end of that day in UTC; of a day that only placeholders name, the end of time."""
    if when >= NEVER:
        return datetime.max.replace(tzinfo=UTC) - LEAVE_GRACE
    return datetime(when.year, when.month, when.day, tzinfo=UTC) + timedelta(days=1)


def _holds_from(seen: Observation) -> datetime:
    """Return from when on a mail speaks against it: whoever says goodbye writes until the last day."""
    last_day = leaves_on(seen) if seen.kind in DEPARTURES else None
    return seen.at if last_day is None else max(seen.at, end_of(last_day))


def says_left(seen: Observation, kind: Kind) -> bool:
    """Say whether it states that the person left: by its kind, or as a farewell that names the last day."""
    return kind.explicit or (seen.kind in DEPARTURES and leaves_on(seen) is not None)


def _once(sightings: list[tuple[Evidence, str]]) -> list[Evidence]:
    """Keep the weight of the strongest sighting of each fact of one kind; the others count nothing.

    Each comes with the group that names its fact.
    """
    if len(sightings) == 1:
        return [sightings[0][0]]
    strongest: dict[str, Evidence] = {}
    for item, group in sightings:
        best = strongest.get(group)
        if item.weight > 0 and (best is None or item.weight >= best.weight):
            strongest[group] = item
    return [
        replace(item, weight=0.0, explicit=False, note=COUNTED_ONCE)
        if item.weight > 0 and strongest[group] is not item
        else item
        for item, group in sightings
    ]

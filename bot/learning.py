"""Learn from what reps answer how much each family of evidence is worth. Pure: time is passed in.

There is one number for each family, a scale of its weights, and nothing else is learnt. The scales start at
one, are pulled back to it by a tight prior, and stay between a half and two: a handful of answers moves
little, and nobody's answers can silence a family or let it shout. In a team no rep's answers outweigh those
of the others. New scales are adopted only where they would have judged answers that they did not see no
worse, and each adoption is kept with its numbers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot import stats
from bot.alerts import GRAVITY
from bot.assessment import CAPS, SHIPPED, logit, prior_after, sums, together
from bot.evidence import EVEN, LARGEST, Scales
from bot.model import Assessment, Case, Choice, Family, Json, Means, Verdict

LEAST_LABELS = 20
"""With fewer answers nothing is learnt."""

REPS_HEARD = 4
"""One rep's answers weigh a quarter of all at most; where fewer reps answer, everybody's weigh the same."""

LEARNT_FROM = timedelta(days=365)
"""How far back answers are learnt from: further than precision is counted, because few come in 90 days."""

SPREAD = 0.25
"""The prior's standard deviation of ln(scale): two thirds of all scales between 0.78 and 1.28."""

FOLDS = 10
"""Into so many parts answers are divided; each is judged by scales that were learnt from the others."""

SWEEPS, STEPS = 6, 15
"""Each scale is looked for in turn, in so many steps (to within two thousandths), until none moves."""

SETTLED = 0.005
"""A sweep that moves no scale further than this is the last."""

GOLDEN = (math.sqrt(5) - 1) / 2

NOTICEABLE = 0.02
"""A smaller step of every ln(scale) is not worth a change."""

SETTING = "learning"
"""The setting that holds the records."""

MOST_RECORDS = 1000

NO_LABEL = frozenset({Choice.ON_LEAVE})
"""Neither a departure nor a false alarm."""

LEARNT = tuple(field.name for field in fields(Scales))


@dataclass(frozen=True, slots=True)
class Label:
    """What was thought when somebody was asked, and whether it was right.

    `before` is the log-odds before any evidence, `learnt` what the families add at a scale of one, before
    their caps, and `fixed` what the source's own word adds, which has no scale. `by` is who answered, and
    `weight` how much that counts: see `fair`.
    """

    at: datetime
    right: bool
    before: float
    learnt: Mapping[Family, float]
    fixed: Mapping[Family, float]
    by: str = ""
    weight: float = 1.0

    def probability(self, scales: Scales) -> float:
        """Return how likely it was right, by these scales."""
        scaled = {family: scales.of(family) * added for family, added in self.learnt.items()}
        families = {
            family: min(CAPS[family], scaled.get(family, 0.0) + self.fixed.get(family, 0.0))
            for family in {*scaled, *self.fixed}
        }
        return 1 / (1 + math.exp(-(self.before + together(families))))


def label(assessment: Assessment, scales: Scales, *, right: bool, at: datetime, by: str = "") -> Label:
    """Return what an answer by somebody says of an assessment that was made by these scales.

    Of a departure the model is that of the probability. Signs of pulling away are as likely as not right
    where they just reach the threshold from which they are told.
    """
    counted = [item for item in assessment.evidence if item.weight > 0]
    if assessment.verdict is Verdict.SLIPPING:
        before = -SHIPPED.slipping_from
        counted = [item for item in counted if item.means is Means.SLIPPING]
    else:
        since = assessment.at - assessment.last_contact if assessment.last_contact else None
        before = logit(prior_after(since))
    return Label(
        at,
        right,
        before,
        sums(
            replace(item, weight=item.weight / scales.of(item.family))
            for item in counted
            if not item.explicit
        ),
        sums(item for item in counted if item.explicit),
        by,
    )


def labels(cases: Iterable[Case], now: datetime, known: Sequence[Record] = ()) -> list[Label]:
    """Return what was answered in the last year about alerts that were told, oldest first.

    An answer is about the latest alert before it; `known` says by which scales that was judged.
    """
    found = []
    for case in cases:
        word = stats.label(case)
        if word is None or word.choice in NO_LABEL or not now - LEARNT_FROM < word.at <= now:
            continue
        alerts = [one.alert for one in case.deliveries if one.alert.at <= word.at]
        told = [alert for alert in alerts if alert.assessment.verdict in GRAVITY]
        if told:
            judged, right = told[-1].assessment, word.choice not in stats.FALSE_ALARMS
            scales = in_force(known, judged.at)
            found.append(label(judged, scales, right=right, at=word.at, by=word.by))
    return sorted(found, key=lambda one: one.at)


def asked(cases: Iterable[Case]) -> int:
    """Return how many reps were told anything: whoever is alone speaks for all."""
    return len({case.alert.contact.owner for case in cases if case.deliveries})


def fair(found: Sequence[Label], reps: int = 1) -> list[Label]:
    """Weigh answers so that nobody who presses the wrong button swings everybody's scales.

    Where `reps` are several, one who answers alone is not heard, and of those who answer nobody's word has
    more than a quarter of the weight; where they are fewer than four, all have the same.
    """
    counts = Counter(one.by for one in found)
    if len(counts) <= 1:
        return list(found) if reps <= 1 else []
    most = _most_of_one(sorted(counts.values(), reverse=True))
    return [replace(one, weight=min(1.0, most / counts[one.by])) for one in found]


def _most_of_one(counts: Sequence[int]) -> float:
    """Return the weight at which one rep's answers are capped, given how many each gave, most first."""
    heard = min(REPS_HEARD, len(counts))
    for capped in range(heard):
        most = sum(counts[capped:]) / (heard - capped)
        if most >= counts[capped]:
            return most
    return 0.0


def brier(found: Sequence[Label], scales: Scales) -> float:
    """Return the mean squared difference of what was said and what was so; 0 is best, of nothing 0."""
    return _mean_square([(one, one.probability(scales)) for one in found])


def _mean_square(said: Sequence[tuple[Label, float]]) -> float:
    total = sum(one.weight for one, _ in said)
    return (
        sum(one.weight * (probability - one.right) ** 2 for one, probability in said) / total if said else 0.0
    )


def fit(found: Sequence[Label], near: Scales = EVEN) -> Scales:
    """Return the scales that are most probable after these answers (MAP), within their bounds.

    `near` is where to begin to look.
    """
    scales = near
    present = [name for name in LEARNT if any(Family(name) in one.learnt for one in found)]
    for _ in range(SWEEPS):
        before = scales
        for name in present:
            scales = _best(found, scales, name)
        if all(abs(getattr(scales, name) - getattr(before, name)) <= SETTLED for name in present):
            break
    return scales


def _best(found: Sequence[Label], scales: Scales, name: str) -> Scales:
    """Return the scales with this one at its best, found by golden sections (Kiefer 1953)."""

    def loss(step: float) -> float:
        return _loss(found, scales.with_one(name, math.exp(step)))

    low, high = -math.log(LARGEST), math.log(LARGEST)
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    for _ in range(STEPS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = loss(right)
    return scales.with_one(name, round(math.exp((low + high) / 2), 3))


def _loss(found: Sequence[Label], scales: Scales) -> float:
    """Return the negative logarithm of the posterior, but for a constant."""
    total = sum(math.log(getattr(scales, name)) ** 2 for name in LEARNT) / (2 * SPREAD**2)
    for one in found:
        probability = one.probability(scales)
        total -= one.weight * math.log(max(probability if one.right else 1 - probability, 1e-12))
    return total


def left_out(found: Sequence[Label], near: Scales = EVEN) -> float:
    """Return the Brier score of answers by scales that were learnt without them."""
    folds = min(FOLDS, len(found))
    said: list[tuple[Label, float]] = []
    for fold in range(folds):
        scales = fit([one for number, one in enumerate(found) if number % folds != fold], near)
        said += [(one, one.probability(scales)) for one in found[fold::folds]]
    return _mean_square(said)


class What(StrEnum):
    """What a record tells of."""

    LEARNT = "learnt"
    RESET = "reset"
    OFF = "off"
    ON = "on"


@dataclass(frozen=True, slots=True)
class Record:
    """A change of the scales, with the numbers that speak for it.

    `old_brier` and `new_brier` are of the same answers; the new scales had not seen those they are tried on.
    """

    at: datetime
    what: What
    before: Scales
    after: Scales
    labels: int = 0
    old_brier: float | None = None
    new_brier: float | None = None

    def as_json(self) -> dict[str, Json]:
        """Return it as it is kept and shown."""
        return {
            "at": self.at.isoformat(),
            "what": self.what.value,
            "before": asdict(self.before),
            "after": asdict(self.after),
            "labels": self.labels,
            "old_brier": self.old_brier,
            "new_brier": self.new_brier,
        }


def records(kept: Json) -> list[Record]:
    """Read what is kept, oldest first; what cannot be read is left out."""
    found = [_record(one) for one in kept if isinstance(one, dict)] if isinstance(kept, list) else []
    return sorted((one for one in found if one is not None), key=lambda one: one.at)


def _record(kept: Mapping[str, Json]) -> Record | None:
    try:
        return Record(
            at=datetime.fromisoformat(str(kept["at"])),
            what=What(str(kept["what"])),
            before=_scales(kept["before"]),
            after=_scales(kept["after"]),
            labels=int(str(kept["labels"])),
            old_brier=_number(kept["old_brier"]),
            new_brier=_number(kept["new_brier"]),
        )
    except (KeyError, ValueError):
        return None


def _scales(kept: Json) -> Scales:
    found = kept if isinstance(kept, dict) else {}
    scales = EVEN
    for name in LEARNT:
        value = _number(found.get(name))
        if value is not None:
            scales = scales.with_one(name, value)
    return scales


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def in_force(known: Sequence[Record], at: datetime) -> Scales:
    """Return the scales by which was judged at a moment."""
    before = [one for one in known if one.at <= at]
    return before[-1].after if before else EVEN


def is_off(known: Sequence[Record]) -> bool:
    """Say whether somebody switched learning off."""
    switched = [one.what for one in known if one.what in {What.OFF, What.ON}]
    return switched[-1:] == [What.OFF]


def switched(known: Sequence[Record], what: What, now: datetime) -> Record:
    """Return the record of a reset, or of a switch: each of them puts every scale back to one."""
    return Record(now, what, in_force(known, now), EVEN)


def learnt(found: Sequence[Label], known: Sequence[Record], now: datetime, reps: int = 1) -> Record | None:
    """Return what new answers change in a team of so many reps, None where they change nothing.

    Nothing changes while learning is off, with fewer than twenty answers' weight, where the new scales are as
    good as the old, or where they judge answers that they have not seen worse than the old ones did. What was
    answered before somebody put the scales back is not learnt from again.
    """
    again = [one.at for one in known if one.what is not What.LEARNT]
    used = fair([one for one in found if not again or one.at > again[-1]], reps)
    if is_off(known) or round(sum(one.weight for one in used), 6) < LEAST_LABELS:
        return None
    before, after = in_force(known, now), fit(used)
    steps = (abs(math.log(getattr(after, name) / getattr(before, name))) for name in LEARNT)
    if max(steps) < NOTICEABLE:
        return None
    old, new = brier(used, before), left_out(used, after)
    if new > old:
        return None
    return Record(now, What.LEARNT, before, after, len(used), round(old, 4), round(new, 4))


def kept(known: Sequence[Record]) -> Json:
    """Return the records as they are kept: the latest thousand."""
    return [one.as_json() for one in known[-MOST_RECORDS:]]


def line(record: Record) -> str:
    """Say a record in one line."""
    day = f"{record.at:%-d %B %Y}"
    if record.what is not What.LEARNT:
        done = {What.RESET: "put back", What.OFF: "switched off", What.ON: "switched on"}[record.what]
        return f"{day}: {done}, all scales at 1"
    moved = ", ".join(
        f"{name} {getattr(record.before, name):.2f} to {getattr(record.after, name):.2f}"
        for name in LEARNT
        if abs(getattr(record.after, name) - getattr(record.before, name)) >= NOTICEABLE / 2
    )
    return (
        f"{day}: {moved}, by {record.labels} answers; Brier score {record.old_brier:.3f} before, "
        f"{record.new_brier:.3f} after"
    )


def summary(known: Sequence[Record]) -> dict[str, Json]:
    """Return what `learning show --json` prints."""
    return {
        "off": is_off(known),
        "scales": asdict(known[-1].after if known else EVEN),
        "records": [one.as_json() for one in known],
    }


def lines(known: Sequence[Record]) -> list[str]:
    """Return what `learning show` prints: the scales in force, then every change."""
    scales = known[-1].after if known else EVEN
    listed = ", ".join(f"{name} {getattr(scales, name):.2f}" for name in LEARNT)
    return [f"Scales: {listed}{' (learning is off)' if is_off(known) else ''}", *map(line, known)]

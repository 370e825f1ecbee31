"""What is known of one person at one moment, sorted out once for everything that judges it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple

from bot.backscatter import BOUNCES, MAIL_WORKS, REPLIES, text
from bot.model import Family, Kind, Means, Observation
from bot.past import Past

DEPARTURES = frozenset({"departed", "farewell"})
FAREWELL = "farewell"
MEETING = "meeting"
SENT = "written_to"
ACTIVITY = "activity"

_at = attrgetter("at")


class Derived(NamedTuple):
    """What the watchers conclude from what was observed, and until when time alone changes nothing of it."""

    observations: Sequence[Observation] = ()
    until: datetime | None = None


NOTHING_DERIVED = Derived()


@dataclass(frozen=True)
class History:
    """The observations of one person of kinds that are known, oldest first, and what they show at once.

    `life` is the latest proof that the person was there, `mail_worked` the latest that their mailbox was.
    `contact` is their real contact with us: mails, acceptances, farewells, and meetings moved with words.
    `moves` are the invitations that they sent.
    """

    by_kind: Mapping[str, Sequence[Observation]]
    life: Observation | None
    mail_worked: Observation | None
    contact: Sequence[Observation]
    last_contact: datetime | None
    moves: Sequence[Observation]

    @classmethod
    def of(
        cls,
        address: str,
        observations: Iterable[Observation],
        until: datetime,
        kinds: Mapping[str, Kind],
        derived: Iterable[Observation] = (),
    ) -> History:
        """Sort out what happened to the person of this address until then; `derived` is what it means."""
        past = Past.of(observations).until(until)
        meant = Past.of(seen for seen in derived if seen.at <= until)
        by_kind = {name: found for name, found in past.by_kind.items() if name in kinds}
        for name, found in meant.by_kind.items():
            if name in kinds:
                by_kind[name] = Past.of([*by_kind[name], *found]) if name in by_kind else found
        doubted = past.once(holds_forged) or holds_forged(meant)
        life = proofs_of_life(by_kind, kinds, doubted=doubted)
        moves = [seen for seen in by_kind.get(MEETING, ()) if seen.facts.get("by") == address]
        contact = [
            *(found for name, found in life.items() if kinds[name].family is not Family.ANSWER),
            by_kind.get(FAREWELL, []),
            [seen for seen in moves if seen.facts.get("words")],
        ]
        return cls(
            by_kind=by_kind,
            life=latest(found[-1] for found in life.values() if found),
            mail_worked=latest(_newest_genuine(by_kind.get(name, ())) for name in MAIL_WORKS),
            contact=[seen for found in contact for seen in found],
            last_contact=max((found[-1].at for found in contact if found), default=None),
            moves=moves,
        )

    @cached_property
    def observations(self) -> Sequence[Observation]:
        """Return everything that is known, oldest first."""
        return sorted((seen for found in self.by_kind.values() for seen in found), key=_at)

    @property
    def newest(self) -> datetime | None:
        """Return when the last thing happened that is known, None where nothing is."""
        return max((found[-1].at for found in self.by_kind.values() if found), default=None)

    @property
    def activity(self) -> list[datetime]:
        """Return when they did anything at all: a meeting moved without a word, or a login, is no silence."""
        return [seen.at for seen in (*self.contact, *self.moves, *self.by_kind.get(ACTIVITY, ()))]


def proofs_of_life(
    by_kind: Mapping[str, Sequence[Observation]], kinds: Mapping[str, Kind], *, doubted: bool
) -> dict[str, Sequence[Observation]]:
    """Return by kind what shows that the person was there: their own mail, an acceptance, a rep's word.

    A departure or leave reply that no header marks as automatic looks like a mail by the person; it is not.
    `doubted` says whether any of it was found forged.
    """
    automatic = {_ident(seen) for kind in REPLIES for seen in by_kind.get(kind, ()) if _ident(seen)[0]}
    alive = {
        name: found
        for name, found in by_kind.items()
        if kinds[name].means is Means.ALIVE and not kinds[name].narrow
    }
    if not (automatic or doubted):
        return alive
    return {
        name: [seen for seen in found if not (is_forged(seen) or _ident(seen) in automatic)]
        for name, found in alive.items()
    }


def _ident(seen: Observation) -> tuple[str, datetime]:
    return text(seen.facts.get("message_id")), seen.at


def holds_forged(past: Past) -> bool:
    """Say whether any of it was found forged, which is rare."""
    return any(map(is_forged, past))


def is_forged(seen: Observation) -> bool:
    """Say whether our own mail server found that the person's domain did not send the mail.

    Reports of mail servers rarely pass that test; they have one of their own, see `backscatter`.
    """
    return seen.facts.get("forged") is True and seen.kind not in BOUNCES


def _newest_genuine(found: Sequence[Observation]) -> Observation | None:
    return next((seen for seen in reversed(found) if not is_forged(seen)), None)


def latest(observations: Iterable[Observation | None]) -> Observation | None:
    """Return the newest observation, None of nothing."""
    return max(
        (seen for seen in observations if seen is not None),
        key=attrgetter("at", "kind", "group", "sentence"),
        default=None,
    )

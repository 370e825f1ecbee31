"""Decide, from one look at a page after another, who is still there.

Pure: the state of the last look, the page as read now, and the day go in; findings and a new state come out.
The state is a JSON value that the caller keeps, one for each page.

Nobody is gone because of one look: a miss counts only on a page that is still the same listing, and only when
a second look at least a day later confirms it. Whatever is not sure is unknown, with the reason.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from watchers.web.employers import employer, replaced, replaced_alone, replaced_note, same_company
from watchers.web.findings import Finding, Kept, Report, Sighting, State, Watched
from watchers.web.matching import Match
from watchers.web.names import may_be_slip, parse
from watchers.web.persons import Person
from watchers.web.roll import MANY, call_roll
from watchers.web.titles import difference, fold_title, same_title

CONFIRM_DAYS = 1
"""Between the look that missed somebody, or saw a change, and the one that confirms it."""
_REORGANISED = 3
_MASS_SHARE = 0.34
_MOST_OTHERS = 1_000
_QUOTED = 80


def look_again(state: Kept | None, watched: Sequence[Watched], seen: Sighting, day: date) -> Report:
    """Compare a page with what it said before.

    `state` is None at the first look, which only sets the baseline: people found are present, people missing
    are unknown.
    """
    if seen.reason:
        findings = tuple(Finding(each.key, State.UNKNOWN, seen.reason) for each in watched)
        return Report(findings, state or {})
    return _Look(state or {}, watched, seen, day).report()


class _Look:
    """One look at a page that could be read. What is kept of each person changes as they are judged."""

    def __init__(self, old: Kept, watched: Sequence[Watched], seen: Sighting, day: date) -> None:
        self.old = old
        self.watched = watched
        self.seen = seen
        self.day = day
        self.notices: list[str] = []
        self.roll = call_roll(old, watched, seen, day)
        self.before = dict(self.roll.before)
        self.company_of = {each.key: each.company for each in watched}
        self.formats = self._shared_changes()
        self.rebrands = self._rebrands()

    def report(self) -> Report:
        """Return what is found."""
        found = [self._find(each) for each in self.watched]
        self._notice_reorganisation(found)
        confirmed = any(finding.state is State.GONE for finding in found)
        return Report(tuple(found), self._new_state(confirmed=confirmed), tuple(self.notices))

    # What concerns the page as a whole.

    def _shared_changes(self) -> set[tuple[frozenset[str], frozenset[str]]]:
        """Return the changes of title that so many share that the page's style changed, not their jobs."""
        changes: Counter[tuple[frozenset[str], frozenset[str]]] = Counter()
        titled = 0
        for key, match in self.roll.here.items():
            was = self.before[key].get("title", "")
            if was and match.person.title:
                titled += 1
                changes[difference(was, match.person.title)] += 1
        least = max(_REORGANISED, math.ceil(titled / 2))
        return {change for change, count in changes.items() if count >= least and any(change)}

    def _rebrands(self) -> set[tuple[str, str]]:
        """Return the employers that changed for all their people alike: renamed, or bought."""
        pairs: Counter[tuple[str, str]] = Counter()
        staff: Counter[str] = Counter()
        for key, match in self.roll.here.items():
            was, now = self._employer_before(key), self._employer_now(key, match.person)
            staff[was] += bool(now)
            if was and now and not same_company(was, now):
                pairs[was, now] += 1
        found = {(was, now) for (was, now), count in pairs.items() if count > 1 and count * 2 > staff[was]}
        self.notices += [
            f"{was} is now {now} for {pairs[was, now]} people: renamed or acquired"
            for was, now in sorted(found)
        ]
        return found

    def _employer_before(self, key: str) -> str:
        """Return the employer at the last sight: as the page said, or else as the CRM does."""
        kept = self.before[key]
        company = self.company_of.get(key, "")
        return str(kept.get("org", "") or (company if kept.get("title") else ""))

    def _employer_now(self, key: str, person: Person) -> str:
        """Return the employer that the page names, if need be by the place where the last one stood."""
        kept, was = self.before[key], self._employer_before(key)
        named = employer(person, self.roll.companies)
        if named or not was:
            return named
        title = kept.get("title", "")
        alone = replaced_alone(title, kept.get("org", ""), person.title) if kept.get("org") else ""
        in_title = alone or replaced(title, was, person.title)
        return in_title or replaced_note(kept.get("notes", ()), was, person.notes)

    def _notice_reorganisation(self, findings: list[Finding]) -> None:
        changed = [finding for finding in findings if finding.state is State.CHANGED]
        if len(changed) >= _REORGANISED and len(changed) * 4 >= len(self.roll.here):
            self.notices.append(
                f"{len(changed)} of {len(self.roll.here)} titles changed at once: a reorganisation"
            )
        url, was = self.seen.url, self.old.get("url", "")
        if was and url and url != was and self.roll.found > 1:
            self.notices.append(f"the page moved to {url}")

    # What concerns one person.

    def _find(self, each: Watched) -> Finding:
        if each.key in self.roll.here:
            return self._present(each, self.roll.here[each.key])
        if each.key in self.roll.left:
            return self._departed(each, self.roll.left[each.key].person)
        return self._missing(each)

    def _missing(self, each: Watched) -> Finding:
        kept = self.before[each.key]
        if not kept.get("seen"):
            return Finding(each.key, State.UNKNOWN, "never seen on this page")
        if each.key in self.roll.ambiguous:
            return Finding(each.key, State.UNKNOWN, "several people on the page may be meant")
        if self.roll.doubt:
            return Finding(each.key, State.UNKNOWN, self.roll.doubt)
        if heir := self._respelled(each, kept):
            return Finding(each.key, State.UNKNOWN, f"may be listed as {heir[:_QUOTED]}")
        others = self.roll.known - (kept.get("state") != State.GONE)
        return self._confirm_gone(
            each, f"no longer on the page, where {self.roll.found} of {others} others still are", None
        )

    def _respelled(self, each: Watched, kept: Kept) -> str:
        """Return a name that came when this one went and may be it: misspelt, or the given name alone.

        It is remembered by its hash, and nobody is missing as long as it is listed.
        """
        title, before = kept.get("title", ""), set(self.old.get("names", ()))
        known = parse(kept.get("name", "") or each.name)
        taken = {match.person.name for match in self.roll.here.values()}
        for person in self.seen.people:
            name = parse(person.name)
            if person.former or person.name in taken or not may_be_slip(name, known):
                continue
            is_new = kept.get("missing") is None and name.digest not in before
            is_alike = bool(title) and fold_title(title) == fold_title(person.title)
            if name.digest == kept.get("heir") or (is_new and is_alike):
                self._keep(each.key, heir=name.digest)
                return person.name
        return ""

    def _departed(self, each: Watched, person: Person) -> Finding:
        why = (
            f"listed under \u201c{person.former}\u201d"
            if person.former
            else f"listed as \u201c{person.title}\u201d"
        )
        if len(self.roll.left) >= MANY and self.before[each.key].get("seen") and self.roll.doubt:
            return Finding(each.key, State.UNKNOWN, self.roll.doubt)
        return self._confirm_gone(each, why, person)

    def _confirm_gone(self, each: Watched, why: str, person: Person | None) -> Finding:
        """Say gone where an earlier look, at least a day ago, missed the person too."""
        kept = self.before[each.key]
        since = kept.get("missing")
        if since is None:
            self._keep(each.key, missing=self.day.isoformat())
            return Finding(each.key, State.UNKNOWN, f"{why}; a second look will confirm it", person=person)
        if kept.get("state") != State.GONE and (self.day - date.fromisoformat(since)).days < CONFIRM_DAYS:
            return Finding(each.key, State.UNKNOWN, f"{why}; a second look will confirm it", person=person)
        self._keep(each.key, state=State.GONE.value)
        return Finding(each.key, State.GONE, f"{why}, since {since}", person=person)

    def _keep(self, key: str, **values: str | list[str] | None) -> None:
        self.before[key] = {**self.before[key], **values}

    def _present(self, each: Watched, match: Match) -> Finding:
        person, kept = match.person, self.before[each.key]
        reason = f"listed as {person.name}" + (f", known again by {match.by}" if match.by else "")
        finding = Finding(each.key, State.PRESENT, reason, person=person)
        if kept.get("seen") and not self._cut_off():
            finding = self._moved(each, person, finding)
            if finding.state is State.PRESENT:
                finding = self._titled(each, person, finding)
        org = self._employer_now(each.key, person)
        pending = self.before[each.key].get("pending")
        waits = pending and pending["seen"] == self.day.isoformat()
        settled = not waits and finding.state is State.PRESENT
        self._keep(
            each.key,
            name=person.name,
            link=person.link or kept.get("link", ""),
            photo=person.photo or kept.get("photo", ""),
            email=person.email or kept.get("email", ""),
            handle=person.handle or kept.get("handle", ""),
            style=person.style,
            state=State.PRESENT.value,
            seen=self.day.isoformat(),
            missing=None,
        )
        if settled or finding.state is not State.PRESENT:
            self._keep(
                each.key,
                title=person.title or kept.get("title", ""),
                org=org or kept.get("org", ""),
                notes=list(person.notes),
                pending=None,
            )
        return finding

    def _cut_off(self) -> bool:
        """Say whether the page ends in the middle, so that its last words may be half of others."""
        return bool({"cut off", "damaged letters"} & self.seen.gaps - set(self.old.get("gaps", ())))

    def _moved(self, each: Watched, person: Person, finding: Finding) -> Finding:
        """See whether the page names another employer than before."""
        was = self._employer_before(each.key)
        now = self._employer_now(each.key, person)
        if (
            not was
            or not now
            or same_company(was, now)
            or (was, now) in self.rebrands
            or was.lower() in person.title.lower()
        ):
            return finding
        if self._is_confirmed(each.key, "moved", now):
            return replace(finding, state=State.MOVED, reason=f"now listed with {now}", was=was, now=now)
        return finding

    def _titled(self, each: Watched, person: Person, finding: Finding) -> Finding:
        """See whether the title says something else than before."""
        kept = self.before[each.key]
        was, now = kept.get("title", ""), person.title
        if (
            kept.get("pending", None)
            and kept["pending"]["kind"] == "moved"
            and kept["pending"]["seen"] == self.day.isoformat()
        ):
            return finding
        if same_title(was, now) or difference(was, now) in self.formats or self._restyled(kept, person):
            return finding
        if self._only_rebranded(each.key, person):
            return finding
        if self._is_confirmed(each.key, "changed", " ".join(sorted(fold_title(now)))):
            return replace(
                finding,
                state=State.CHANGED,
                reason=f"the title changed from {was} to {now}",
                was=was,
                now=now,
            )
        return finding

    def _restyled(self, kept: Kept, person: Person) -> bool:
        """Say whether the page was redesigned and the title only has more or less of the same words."""
        if kept.get("style") == person.style:
            return False
        went, came = difference(kept.get("title", ""), person.title)
        return not went or not came

    def _only_rebranded(self, key: str, person: Person) -> bool:
        """Say whether a title only names the employer by its new name."""
        was, now = self._employer_before(key), self._employer_now(key, person)
        went, came = difference(self.before[key].get("title", ""), person.title)
        return (was, now) in self.rebrands and went <= fold_title(was) and came <= fold_title(now)

    def _is_confirmed(self, key: str, kind: str, value: str) -> bool:
        """Say whether an earlier look, at least a day ago, saw the same change."""
        pending: Mapping[str, str] | None = self.before[key].get("pending")
        if pending and pending["kind"] == kind and pending["value"] == value:
            if (self.day - date.fromisoformat(pending["since"])).days >= CONFIRM_DAYS:
                return True
            since = pending["since"]
        else:
            since = self.day.isoformat()
        self.before[key] = {
            **self.before[key],
            "pending": {"kind": kind, "value": value, "since": since, "seen": self.day.isoformat()},
        }
        return False

    def _misses_somebody(self) -> bool:
        """Say whether somebody watched is neither listed nor known to be gone: gaps then stay what they were.

        Whoever stands behind a new button would else be gone as soon as we got used to the button.
        """
        found = self.roll.here.keys() | self.roll.left.keys()
        missing = (kept for key, kept in self.before.items() if key not in found)
        return any(kept.get("seen") and kept.get("state") != State.GONE for kept in missing)

    def _new_state(self, *, confirmed: bool) -> Kept:
        """Return the state to keep: people, hashes of the others' names, and what the page was like."""
        state: Kept = {**self.old, "people": {**self.old.get("people", {}), **self.before}}
        if self.roll.known and (self.seen.detour or not self.roll.is_the_list):
            return state
        mine = {self.roll.here[key].person.name for key in self.roll.here}
        others = [
            parse(person.name)
            for person in self.seen.people
            if not person.former and not person.weak and person.name not in mine
        ]
        full = confirmed or self.roll.found >= self.roll.known * (1 - _MASS_SHARE)
        if full:
            state["others"] = sorted({name.loose_digest for name in others})[:_MOST_OTHERS]
            if not self._misses_somebody():
                state["gaps"] = sorted(self.seen.gaps)
        state["names"] = sorted(
            {name.digest for name in others} | (set() if full else set(self.old.get("names", ())))
        )[:_MOST_OTHERS]
        state["url"] = self.seen.url
        return state

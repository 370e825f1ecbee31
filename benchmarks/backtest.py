"""Backtest a simulated world and print the figures beside those of simpler rules in the same world.

    python -m benchmarks.backtest --contacts 1000 --months 18 [--seed 1] [--folder KEPT/] [--html FILE]

benchmarks/world/README.md describes the world. Rules to compare with: alarm after so many days without a mail
by the person, alarm at any permanent bounce, and look at a public profile once a month.
"""

from __future__ import annotations

import argparse
import csv
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from bot.backtest import Backtest, Outcome, past
from bot.backtest.figures import days, interval, number
from bot.backtest.past import Known
from bot.backtest.replay import Span, Told
from bot.backtest.score import EARLY, FOUND_WITHIN, Found, Score, Share, is_in_time, is_right, score
from bot.backtest.settings import Chosen
from bot.backtest.truth import departures, outages
from bot.crm.csv import read_contacts
from bot.logs import configure
from bot.model import Verdict
from watchers import Scope, load

OURS = "vendor.example"
IN_TOUCH = timedelta(days=90)
PERMANENT = frozenset({"mailbox_gone", "domain_gone", "blocked"})
NUISANCES = {
    "migration refusing": "domain migration, old one refuses",
    "migration": "domain migration, old one works",
    "renamed": "another name or address",
    "blocked": "refused by policy (5.7.x)",
    "full": "full mailbox (4.2.2, 5.2.2)",
    "expired": "given up after days (4.x)",
    "delayed": "delayed (4.x)",
    "vacation": "vacation",
    "shutdown": "shutdown",
    "rep away": "idle rep",
}
"""What is no departure and may look like one, by its name in the world and in words; the rarest first."""

AFTERMATH = timedelta(days=14)
DAYS_A_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Truth:
    """What really happened in the world.

    `signs` are the days on which a mail reached a rep that spoke of a departure: a bounce, an automatic
    reply, a goodbye, or what a colleague wrote; whether our readers understood it or not.
    """

    departed: Mapping[str, date]
    signs: Mapping[str, Sequence[date]]
    endings: Mapping[str, str]
    nuisances: Mapping[str, Sequence[tuple[str, date, date]]]
    profiles: Mapping[str, date]

    @classmethod
    def of(cls, world: Path) -> Truth:
        """Read it from the world's folder."""
        nuisances: dict[str, list[tuple[str, date, date]]] = {}
        for row in _rows(world / "nuisances.csv"):
            span = (row["what"], date.fromisoformat(row["from"]), date.fromisoformat(row["to"]))
            nuisances.setdefault(row["email"], []).append(span)
        signs: dict[str, list[date]] = {}
        for row in _rows(world / "signs.csv"):
            signs.setdefault(row["email"], []).append(date.fromisoformat(row["on"]))
        return cls(
            departures(world / "departures.csv"),
            {who: sorted(days) for who, days in signs.items()},
            {row["email"]: row["ending"] for row in _rows(world / "departures.csv")},
            nuisances,
            {row["email"]: date.fromisoformat(row["says_left_on"]) for row in _rows(world / "profiles.csv")},
        )

    def slipping(self) -> dict[str, list[tuple[date, date]]]:
        """Return who pulled away for a while, from when to when: a warning then is right."""
        return {
            who: [(first, last) for what, first, last in spans if what == "cooling"]
            for who, spans in self.nuisances.items()
        }

    def within(self, who: str, what: str, day: date, after: timedelta = AFTERMATH) -> bool:
        """Say whether something of that name happened to a contact then, or shortly before."""
        return any(
            (name == what or (what == "renamed" and name.startswith(what))) and first <= day <= last + after
            for name, first, last in self.nuisances.get(who, ())
        )


@dataclass(frozen=True)
class Peer:
    """A simpler rule: its name, and whom it alarms about when."""

    name: str
    alarms: Sequence[tuple[str, date]]


def main() -> None:
    """Build the world where it is not there yet, live through it, and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--contacts", type=int, default=1000)
    parser.add_argument("--months", type=int, default=18)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep the world here")
    parser.add_argument("--html", type=Path, help="write the report with charts")
    parser.add_argument("--no-pages", action="store_true", help="judge by mail alone")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    configure()
    load()
    with tempfile.TemporaryDirectory() as temporary:
        world = asked.folder or Path(temporary)
        if not (world / "contacts.csv").exists():
            command = [sys.executable, "-m", "benchmarks.world", "--seed", str(asked.seed)]
            command += ["--contacts", str(asked.contacts), "--months", str(asked.months), str(world)]
            subprocess.run(command, check=True)
        _measure(world, asked)


def _measure(world: Path, asked: argparse.Namespace) -> None:
    truth = Truth.of(world)
    first, last = map(date.fromisoformat, (world / "span.txt").read_text().split())
    boxes = sorted((world / "mail").iterdir())
    sources = {box.name: f"mailbox:{box.resolve()}" for box in boxes}
    pages = world / "pages"
    backtest = Backtest(
        contacts=read_contacts(world / "contacts.csv").contacts,
        our_domains=(OURS,),
        span=Span(first, last),
        mail=tuple(boxes),
        pages=(pages,) if pages.exists() and not asked.no_pages else (),
        outages=outages(world / "outages.csv", sources),
        data=world / "kept",
        jobs=asked.jobs,
    )
    began, used = time.monotonic(), _cpu()
    (outcome,) = backtest.run([Chosen()], _say)
    seconds, cpu = time.monotonic() - began, _cpu() - used
    scored = score(outcome, truth.departed, truth.slipping())
    known = _known(backtest)
    print(
        f"\n{len(outcome.contacts)} contacts, {outcome.mails} mails, {len(outcome.span.days())} days: "
        f"{seconds:.0f} s, {cpu:.0f} s of CPU on {asked.jobs} processes"
    )
    _print_judgement(scored, truth, known)
    _print_peers(scored, truth, known, outcome)
    _print_nuisances(outcome, truth)
    _print_wrong(scored, truth)
    if asked.html:
        from bot.backtest.html import page  # noqa: PLC0415 - only where it is asked for

        asked.html.write_text(page(outcome, [scored], ["as shipped"], dict(truth.departed)), encoding="utf-8")


def _say(what: str, done: int, total: int | None) -> None:
    """Show how far it has come, where somebody looks."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{what} {done} of {total}  ")


def _print_judgement(scored: Score, truth: Truth, known: Sequence[Known]) -> None:
    signs = _first_signs(truth)
    print("\nThe judgement")
    for verdict, goal in ((Verdict.LEFT, 0.98), (Verdict.LIKELY_LEFT, 0.90), (Verdict.SLIPPING, 0.70)):
        _line(f"{verdict.value}: right", interval(scored.precision[verdict.value]), f">= {goal:.2f}")
    _print_recall(scored, signs, known)
    for ending, lag in (("closed", "<= 3 days"), ("reply", "0 days"), ("forwarded", ""), ("silent", "")):
        theirs = [one for one in scored.found if truth.endings[one.contact] == ending]
        told = [one.told for one in theirs if one.told is not None]
        after = [
            max(0, one.told - (signs[one.contact] - one.departed).days)
            for one in theirs
            if one.told is not None and one.contact in signs
        ]
        _line(f"{ending}: median lag after the first sign", _median(after), lag)
        _line(
            f"{ending}: median lag after the last day",
            f"{_median(told)} ({len(told)} of {len(theirs)} told)",
            "",
        )
    _line("false alarms in 100 person-months", number(scored.false_alarms), "<= 1")
    _line("alerts a rep and week: mean", f"{scored.mean_alerts:.2f}", "<= 2")
    _line("alerts a rep and week: most", str(scored.busiest), "")
    _line("calibration error", number(scored.ece, 3), "<= 0.03")
    for one in scored.bins:
        print(f"    said {one.said:6.1%}   so {one.so:6.1%}   of {one.count}")


def _print_recall(scored: Score, signs: Mapping[str, date], known: Sequence[Known]) -> None:
    """Print the share of departures that were told within 30 days, of several groups of them.

    Mail spoke where the truth says so, not where our readers heard it.
    """
    heard, wrote = _days_by_person(known, "wrote"), _days_by_person(known, "written_to")
    of: dict[str, list[Found]] = {
        "departures told within 30 days, of all": list(scored.found),
        "  of those in touch with us in 90 days before": [
            one for one in scored.found if _any_within(heard, one, -IN_TOUCH, timedelta())
        ],
        "  of those we wrote to in 30 days after": [
            one for one in scored.found if _any_within(wrote, one, timedelta(1), FOUND_WITHIN)
        ],
        "  of those of which any mail spoke in 30 days": [
            one
            for one in scored.found
            if one.contact in signs and signs[one.contact] <= one.departed + FOUND_WITHIN
        ],
    }
    for name, group in of.items():
        in_time = Share(sum(is_in_time(one.told) for one in group), len(group))
        _line(name, interval(in_time), ">= 0.80" if "spoke" in name else "")
    _line("told or warned of, of all", interval(scored.warned), "")


def _days_by_person(known: Sequence[Known], kind: str) -> dict[str, list[date]]:
    found: dict[str, list[date]] = {}
    for one in known:
        for seen in one.observations:
            if seen.kind == kind:
                found.setdefault(seen.contact, []).append(one.at.date())
    return found


def _any_within(days: Mapping[str, Sequence[date]], one: Found, first: timedelta, last: timedelta) -> bool:
    return any(one.departed + first <= day <= one.departed + last for day in days.get(one.contact, ()))


def _print_peers(scored: Score, truth: Truth, known: Sequence[Known], outcome: Outcome) -> None:
    print("\nBeside simpler rules in the same world")
    print(f"  {'':28}{'alarms':>8}{'right':>8}{'in 30 days':>12}{'median lag':>12}{'false /100 p-m':>16}")
    gone = [
        one for one in outcome.told if one.alert.assessment.verdict in {Verdict.LEFT, Verdict.LIKELY_LEFT}
    ]
    mine = [(one.alert.contact.address, one.day) for one in gone]
    for peer in (Peer("Left and Likely left", mine), *peers(truth, known, outcome.span)):
        right = [day <= EARLY + at for who, at in peer.alarms for day in [truth.departed.get(who, date.max)]]
        lags = []
        for one in scored.found:
            told = [day for who, day in peer.alarms if who == one.contact and day >= one.departed - EARLY]
            lags.append((min(told) - one.departed).days if told else None)
        found = [lag for lag in lags if lag is not None]
        in_time = sum(lag <= FOUND_WITHIN.days for lag in found)
        false = 100 * (len(right) - sum(right)) / scored.person_months
        share = f"{sum(right) / len(right):.2f}" if right else "-"
        recall = f"{in_time / len(lags):.2f}" if lags else "-"
        print(f"  {peer.name:28}{len(right):8}{share:>8}{recall:>12}{_median(found):>12}{false:16.2f}")


def peers(truth: Truth, known: Sequence[Known], span: Span) -> list[Peer]:
    """Return what simpler rules would have alarmed about."""
    wrote: dict[str, list[date]] = {}
    bounced: dict[str, date] = {}
    for one in known:
        for seen in one.observations:
            if seen.kind == "wrote":
                wrote.setdefault(seen.contact, []).append(one.at.date())
            elif seen.kind in PERMANENT and one.at.date() >= span.first:
                bounced.setdefault(seen.contact, one.at.date())
    watched = set(truth.nuisances) | set(truth.departed)
    return [
        Peer("30 days without a mail", _silent(wrote, watched, 30, span)),
        Peer("90 days without a mail", _silent(wrote, watched, 90, span)),
        Peer("any permanent bounce", [(who, day) for who, day in bounced.items() if who in watched]),
        Peer(
            "profile, looked at monthly",
            [
                (who, _next_first(day))
                for who, day in truth.profiles.items()
                if span.first <= _next_first(day) <= span.last
            ],
        ),
    ]


def _silent(
    wrote: Mapping[str, Sequence[date]], watched: Iterable[str], limit: int, span: Span
) -> list[tuple[str, date]]:
    found = []
    for who in watched:
        told = sorted(set(wrote.get(who, ())))
        for day, after in pairwise([*told, date.max]):
            alarm = day + timedelta(limit)
            if alarm < after and span.first <= alarm <= span.last:
                found.append((who, alarm))
    return found


def _print_nuisances(outcome: Outcome, truth: Truth) -> None:
    """Print how many wrong alarms came with what is no departure: 0 each is the goal, but for pushes."""
    slipping = truth.slipping()
    wrong = [
        one for one in outcome.told if not one.alert.is_notice and not is_right(one, truth.departed, slipping)
    ]
    print("\nWrong alarms that came with, or within 14 days after")
    calendar = [one for one in wrong if lead(one).startswith("meeting")]
    rest = [one for one in wrong if one not in calendar]
    causes = [_cause(one, truth) for one in rest]
    for what, words in NUISANCES.items():
        times = sum(
            name == what or (what == "renamed" and name.startswith(what))
            for spans in truth.nuisances.values()
            for name, _, _ in spans
        )
        _line(f"{words} ({times} times)", str(causes.count(what)), "0")
    own = [
        one
        for one in calendar
        if not truth.within(one.alert.contact.address, "pushed", one.raised, timedelta(90))
    ]
    _line(
        "own reschedules",
        str(sum(truth.within(one.alert.contact.address, "own reschedule", one.raised) for one in own)),
        "0",
    )
    _line("sync-token loss", "no calendars here: see the tests", "0")
    for what, days_of in _outage_days(outcome).items():
        _line(what, str(sum(one.raised in days_of.get(one.rep, ()) for one in rest)), "0")
    notices = [one for one in outcome.told if one.alert.is_notice]
    moved = {
        who.rpartition("@")[2]
        for who, spans in truth.nuisances.items()
        if any(name == "migration refusing" for name, _, _ in spans)
    }
    about = {one.alert.contact.domain for one in notices}
    _line(
        "accounts whose old domain refused all mail",
        f"{len(moved)}: {len(moved & about)} with a notice",
        "one each",
    )
    _line("account notices in all", str(len(notices)), "")


def _cause(told: Told, truth: Truth) -> str:
    """Return what a wrong alarm came with, the first of `NUISANCES` where several; empty where nothing."""
    who = told.alert.contact.address
    return next((what for what in NUISANCES if truth.within(who, what, told.raised)), "")


def _outage_days(outcome: Outcome) -> dict[str, dict[str, set[date]]]:
    """Return, for each sort of outage, the days of it and of its aftermath, by rep."""
    found: dict[str, dict[str, set[date]]] = {}
    reps = {contact.owner.partition("@")[0]: contact.owner for contact in outcome.contacts}
    for one in outcome.outages:
        rep = reps.get(one.source.rpartition("/")[2], "")
        length = (one.last - one.first + timedelta(3)).days
        span = {one.first + timedelta(number) for number in range(length)}
        found.setdefault(one.what, {}).setdefault(rep, set()).update(span)
    return found


def _print_wrong(scored: Score, truth: Truth) -> None:
    print("\nWrong alarms, by verdict, leading evidence and circumstance")
    kinds: dict[tuple[str, str, str], int] = {}
    for one in scored.wrong:
        who = one.alert.contact.address
        names = sorted(
            {
                name
                for name, first, last in truth.nuisances.get(who, ())
                if first <= one.raised <= last + AFTERMATH
            }
        )
        key = (one.alert.assessment.verdict.value, lead(one), ", ".join(names) or "nothing")
        kinds[key] = kinds.get(key, 0) + 1
    for (verdict, kind, around), count in sorted(kinds.items(), key=lambda item: -item[1])[:20]:
        print(f"  {count:4}  {verdict:12} {kind:22} {around}")


def lead(told: Told) -> str:
    """Return the kind of evidence that weighed most in an alert."""
    counted = [item for item in told.alert.assessment.evidence if item.weight > 0]
    return max(counted, key=lambda item: (item.means is not None, item.weight)).kind if counted else "nothing"


def _first_signs(truth: Truth) -> dict[str, date]:
    """Return the day on which any mail first spoke of each departure."""
    found: dict[str, date] = {}
    for who, gone in truth.departed.items():
        days = [day for day in truth.signs.get(who, ()) if day >= gone - FOUND_WITHIN]
        if days:
            found[who] = days[0]
    return found


def _known(backtest: Backtest) -> list[Known]:
    """Return what the mail said, which was kept."""
    scope = Scope.of(backtest.contacts, backtest.our_domains)
    assert backtest.data is not None
    portions = [
        one
        for path in backtest.mail
        for one in past.portions(f"mailbox:{path.resolve()}", path.resolve(), scope)
    ]
    heard = (one for _, one in past.read_all(portions, scope, backtest.data, None))
    return sorted((known for one in heard for known in one.known), key=lambda known: known.at)


def _next_first(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _median(values: Sequence[int]) -> str:
    return days(statistics.median(values)) if values else "-"


def _line(name: str, value: str, goal: str) -> None:
    print(f"  {name:46} {value:34} {goal}")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _cpu() -> float:
    """Return the CPU seconds of this process and of those it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main()

"""Measure whom is suggested in a simulated world, and how long suggesting takes.

    python -m benchmarks.suggest [--seeds 101 102] [--contacts 200] [--months 12] [--folder KEPT/]
    python -m benchmarks.suggest --speed

For each departure of the world, two weeks later, everything that the reps' mail said until then is kept in a
store and suggestions are asked for. The truth is the world's own: who stands in for whoever left, and who of
those who remain wrote to us most in the last 180 days. A departure counts where anybody who remains wrote or
was written to. In each account one person in twenty is forgotten first; strangers are copied on mails of the
account. A peer suggests whoever is on most mails of all time. benchmarks/world/README.md describes the world.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.world.cast import OURS, Account, World, populate
from benchmarks.world.cast import Person as Character
from bot.backtest import past
from bot.backtest.past import Known
from bot.crm.csv import read_contacts
from bot.logs import configure
from bot.model import (
    Action,
    Assessment,
    Contact,
    Decision,
    Json,
    Observation,
    Person,
    Reason,
    Strength,
    Suggestion,
    Verdict,
)
from bot.store.memory import MemoryStore
from bot.suggest import SHOWN, Circle, suggest
from watchers import Scope, load, under

LATER = timedelta(days=14)
"""How long after the last day we look: by then most departures are known."""

ENGAGED = timedelta(days=180)
HISTORY = 6
FORGOTTEN = 0.05
STRANGER = "consultant@elsewhere.example"
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
MAILS, PEOPLE, ROUNDS, GOES_ON = 5_000, 40, 15, 0.7


@dataclass(frozen=True)
class Case:
    """A departure: what was suggested, who took over, who of the others wrote most, and who was known."""

    suggested: tuple[frozenset[str], ...]
    successor: frozenset[str]
    most_engaged: frozenset[str]
    is_successor_known: bool
    peer: Sequence[str]
    wrong: int

    def has(self, who: frozenset[str]) -> bool:
        """Say whether somebody is among the first three."""
        return any(who & one for one in self.suggested)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102])
    parser.add_argument("--contacts", type=int, default=200)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--folder", type=Path, help="keep the worlds here")
    parser.add_argument("--speed", action="store_true", help="measure only how long it takes")
    asked = parser.parse_args()
    configure()
    load()
    if not asked.speed:
        with tempfile.TemporaryDirectory() as temporary:
            _quality(asked, asked.folder or Path(temporary))
    _speed()


def _quality(asked: argparse.Namespace, folder: Path) -> None:
    cases: list[Case] = []
    for seed in asked.seeds:
        place = folder / f"seed-{seed}"
        if not (place / "contacts.csv").exists():
            command = [
                sys.executable,
                "-m",
                "benchmarks.world",
                "--seed",
                str(seed),
                "--history",
                str(HISTORY),
            ]
            command += ["--contacts", str(asked.contacts), "--months", str(asked.months), str(place)]
            subprocess.run(command, check=True)
        cases += asyncio.run(_cases(place, populate(seed, asked.contacts, asked.months, HISTORY), seed))
    named = [case for case in cases if case.is_successor_known]
    figures: dict[str, Json] = {
        "seeds": asked.seeds,
        "departures": len(cases),
        "successor_or_most_engaged_in_first_three": _share(
            case.has(case.successor) or case.has(case.most_engaged) for case in cases
        ),
        "most_engaged_in_first_three": _share(case.has(case.most_engaged) for case in cases),
        "most_engaged_first": _share(
            bool(case.suggested) and bool(case.most_engaged & case.suggested[0]) for case in cases
        ),
        "successors_that_a_reply_names": len(named),
        "of_these_in_first_three": _share(case.has(case.successor) for case in named),
        "peer_successor_or_most_engaged": _share(
            bool((case.successor | case.most_engaged) & set(case.peer)) for case in cases
        ),
        "suggested_outside_forgotten_or_gone": sum(case.wrong for case in cases),
    }
    print(json.dumps(figures))


async def _cases(place: Path, world: World, seed: int) -> list[Case]:
    """Return every departure of a world that mail could tell something about."""
    contacts = {one.address: one for one in read_contacts(place / "contacts.csv").contacts}
    known = _heard(place, Scope.of(contacts.values(), [OURS]))
    times = [item.at for item in known]
    found = []
    for account in world.accounts:
        mine = [item for item in known if _is_about(item, account)]
        for one in account.people:
            leaving = one.departure
            if not one.watched or leaving is None or leaving.last_day + LATER > world.last:
                continue
            now = datetime.combine(leaving.last_day + LATER, datetime.min.time(), UTC)
            if now < times[0] + ENGAGED:
                continue
            until = mine[: bisect_right([item.at for item in mine], now)]
            chance = random.Random(f"{seed} {one.address}")  # noqa: S311 - a world needs seeded chance
            case = await _case(account, one, contacts, until, now, chance)
            if case is not None:
                found.append(case)
    return found


def _heard(place: Path, scope: Scope) -> list[Known]:
    known: list[Known] = []
    for box in sorted((place / "mail").iterdir()):
        wanted = past.portions(f"mailbox:{box.name}", box, scope)
        for _, heard in past.read_all(wanted, scope, place / "kept", None):
            known += heard.known
    return sorted(known, key=lambda item: item.at)


def _domains(account: Account) -> set[str]:
    return {account.domain} | ({account.migration.domain} if account.migration is not None else set())


def _is_about(item: Known, account: Account) -> bool:
    domains = frozenset(_domains(account))
    return any(under(seen.contact, domains) for seen in item.observations)


def _addresses(one: Character, account: Account) -> frozenset[str]:
    local = one.address.partition("@")[0]
    renamed = {one.rename.address} if one.rename is not None else set()
    return frozenset({f"{local}@{domain}" for domain in _domains(account)} | renamed)


async def _case(
    account: Account,
    left: Character,
    contacts: Mapping[str, Contact],
    known: Sequence[Known],
    now: datetime,
    chance: random.Random,
) -> Case | None:
    """Return one departure; None where nobody who remains is known."""
    day = now.date()
    there = [one for one in account.people if one is not left and not one.is_gone(day)]
    seen = [each for item in known for each in item.observations if each.at <= now]
    met = {each.contact for each in seen}
    forgotten = [one for one in there if chance.random() < FORGOTTEN]
    remaining = [one for one in there if one not in forgotten and _addresses(one, account) & met]
    if not remaining:
        return None
    store = MemoryStore()
    for contact in contacts.values():
        if under(contact.address, frozenset(_domains(account))):
            await store.watch(contact)
    await store.record([*seen, _stranger(account, now)])
    for one in forgotten:
        for address in _addresses(one, account):
            await store.forget(address)
    people = await store.people(frozenset(_domains(account)) | {STRANGER.partition("@")[2]})
    people = [one for one in people if one.address != STRANGER]
    person = next((one for one in people if one.address == left.address), Person(left.address))
    circle = Circle.of(people, now, {OURS})
    offered = suggest(contacts[left.address], person.observations, circle, now)
    suggested = await _kept(store, left.address, offered, now)
    wrote = Counter(each.contact for each in seen if each.kind == "wrote" and now - each.at <= ENGAGED)
    most = max(
        remaining, key=lambda one: (sum(wrote[each] for each in _addresses(one, account)), one.address)
    )
    standing_in = there[-1]
    named = _named(person.observations)
    all_time = Counter(each.contact for each in seen if each.contact not in _addresses(left, account))
    return Case(
        suggested=tuple(_who(one, account) for one in suggested),
        successor=_addresses(standing_in, account),
        most_engaged=_addresses(most, account),
        is_successor_known=bool(named & {*_addresses(standing_in, account), standing_in.name})
        and standing_in not in forgotten,
        peer=[address for address, _ in all_time.most_common(SHOWN)],
        wrong=sum(_is_wrong(one, account, [*forgotten, left]) for one in suggested),
    )


async def _kept(
    store: MemoryStore, address: str, offered: tuple[Suggestion, ...], now: datetime
) -> tuple[Suggestion, ...]:
    """Return what is left of suggestions once a store keeps them: it takes out whom it was to forget."""
    person = await store.person(address)
    judged = Assessment(address, now, Verdict.LEFT, Strength.STRONG, 0.99, "left", suggestions=offered)
    decision = Decision(address, now, Action.HOLD, Reason.ALREADY_SENT, Verdict.LEFT, 0.99)
    await store.conclude(person.version if person is not None else 0, judged, decision)
    after = await store.person(address)
    return after.assessment.suggestions if after is not None and after.assessment is not None else ()


def _stranger(account: Account, now: datetime) -> Observation:
    """Return a mail of a consultant who writes with an account's people, and is not one of them."""
    facts: dict[str, Json] = {
        "message_id": f"c@{account.domain}",
        "answers": "",
        "field": "",
        "name": "Al Cee",
    }
    return Observation(STRANGER, "wrote", now - timedelta(days=1), "mailbox:x", "wrote", facts=facts)


def _named(observations: Iterable[Observation]) -> set[str]:
    entries = (entry for seen in observations for entry in _list(seen.facts.get("successors")))
    told = (entry for entry in entries if isinstance(entry, dict))
    return {str(entry.get(key) or "") for entry in told for key in ("name", "address")} - {""}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _who(one: Suggestion, account: Account) -> frozenset[str]:
    """Return all addresses of whoever is suggested."""
    for each in account.people:
        addresses = _addresses(each, account)
        if one.address in addresses or (not one.address and one.name == each.name):
            return addresses
    return frozenset({one.address})


def _is_wrong(one: Suggestion, account: Account, nobody: Sequence[Character]) -> bool:
    """Say whether nobody should have suggested them: a stranger, forgotten, or the one who left."""
    outside = bool(one.address) and not under(one.address, frozenset(_domains(account)))
    return outside or any(one.address in _addresses(each, account) for each in nobody)


def _share(answers: Iterable[bool]) -> float:
    told = list(answers)
    return round(sum(told) / len(told), 3) if told else 0.0


def _speed() -> None:
    """Print how long suggesting takes for an account with many mails."""
    contact, people = _busy_account(MAILS, PEOPLE)
    mails = len({seen.facts["message_id"] for one in people for seen in one.observations})
    took = []
    for _ in range(ROUNDS):
        began = time.process_time()
        circle = Circle.of(people, NOW, {OURS})
        found = suggest(contact, people[0].observations, circle, NOW)
        took.append(1000 * (time.process_time() - began))
    print(
        json.dumps(
            {
                "messages": mails,
                "people": len(people),
                "observations": sum(len(one.observations) for one in people),
                "suggested": len(found),
                "median_cpu_ms": round(statistics.median(took), 1),
                "worst_cpu_ms": round(max(took), 1),
            }
        )
    )


def _busy_account(mails: int, count: int) -> tuple[Contact, list[Person]]:
    """Return an account where many people wrote many mails in threads, some of them copied."""
    chance = random.Random(8)  # noqa: S311 - a world needs seeded chance
    names = [f"Given{number:02} Family{number:02}" for number in range(count)]
    addresses = [f"{name.replace(' ', '.').lower()}@acme.example" for name in names]
    found: defaultdict[str, list[Observation]] = defaultdict(list)
    before = ""
    for number in range(mails):
        at = NOW - timedelta(hours=number * 2)
        ident = f"<{number}@acme.example>"
        who = chance.choices(range(count), [1 / (1 + rank) for rank in range(count)], k=1)[0]
        company = chance.sample(range(count), k=chance.choice((0, 0, 1, 2)))
        facts: dict[str, Json] = {"message_id": ident, "answers": before, "field": "to"}
        for each in {who, *company}:
            kind = ("wrote", "written_to")[number % 2] if each == who else "copied"
            others: list[Json] = [f"rita@{OURS}", *(addresses[one] for one in company if one != each)]
            found[addresses[each]].append(
                Observation(
                    addresses[each],
                    kind,
                    at,
                    "mailbox:rita",
                    kind,
                    facts={**facts, "with": others, "name": names[each]},
                )
            )
        before = ident if chance.random() < GOES_ON else ""
    people = [Person(address, observations=tuple(found[address])) for address in addresses]
    return Contact(addresses[0], names[0], "VP Operations", "Acme"), people


if __name__ == "__main__":
    main()

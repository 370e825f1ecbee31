"""`python -m benchmarks.world --seed 1 --contacts 1000 --months 18 OUT/`: write a world to a folder."""

from __future__ import annotations

import argparse
import csv
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

from benchmarks.world import pages
from benchmarks.world.cast import World, populate
from benchmarks.world.correspondence import Correspondence
from benchmarks.world.meetings import Calendars
from benchmarks.world.post import Mail


def main() -> None:
    """Write a world and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="OUT")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--contacts", type=int, default=1000)
    parser.add_argument("--months", type=int, default=18, help="how many months are judged")
    parser.add_argument("--history", type=int, default=6, help="how many months of mail there are before")
    asked = parser.parse_args()
    world = populate(asked.seed, asked.contacts, asked.months, asked.history)
    mails = write(world, asked.folder, asked.seed)
    left = sum(
        one.departure is not None and one.departure.last_day <= world.last for _, one in world.watched()
    )
    print(
        f"{mails} mails, {sum(1 for _ in world.watched())} contacts at {len(world.accounts)} accounts, "
        f"{left} departures; judge from {world.begins} to {world.last}"
    )


def write(world: World, folder: Path, seed: int) -> int:
    """Write mail, pages, contacts, and the truth about them; return how many mails there are."""
    counts: Counter[str] = Counter()

    def deliver(mail: Mail) -> None:
        box = mail.rep.partition("@")[0]
        counts[box] += 1
        place = folder / "mail" / box / f"{mail.at:%Y-%m}"
        if counts[f"{box} {place.name}"] == 0:
            place.mkdir(parents=True, exist_ok=True)
        counts[f"{box} {place.name}"] += 1
        (place / f"{counts[box]:06}.eml").write_bytes(mail.content)

    moved: list[tuple[str, str, date]] = []
    signs: list[tuple[str, date, str]] = []
    for account in world.accounts:
        mail = Correspondence(world, account, deliver)
        mail.happen()
        calendars = Calendars(mail)
        calendars.happen()
        moved += calendars.moved + mail.failures
        signs += mail.signs
        if account.has_page:
            pages.write(world, account, folder / "pages" / account.domain)
    watched = {one.address for _, one in world.watched()}
    moved = [row for row in moved if row[0] in watched]
    _write_truth(world, folder, moved, random.Random(f"{seed} truth"))
    told = sorted({row for row in signs if row[0] in watched and row[1] <= world.last})
    _table(folder / "signs.csv", ("email", "on", "by"), told)
    return sum(count for name, count in counts.items() if " " not in name)


def _write_truth(
    world: World, folder: Path, moved: Iterable[tuple[str, str, date]], chance: random.Random
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    watched = list(world.watched())
    _table(
        folder / "contacts.csv",
        ("email", "name", "title", "account", "owner", "country"),
        (
            (
                one.address,
                one.name,
                one.title,
                account.name.capitalize(),
                account.rep,
                account.language.upper(),
            )
            for account, one in watched
        ),
    )
    _table(
        folder / "departures.csv",
        ("email", "departed", "ending", "mailbox_closed"),
        (
            (one.address, gone.last_day, gone.ending, gone.closes or "")
            for _, one in watched
            if (gone := one.departure) is not None and gone.last_day <= world.last
        ),
    )
    moves = ((who, what, day, day) for who, what, day in moved)
    _table(folder / "nuisances.csv", ("email", "what", "from", "to"), [*_nuisances(world), *moves])
    _table(
        folder / "outages.csv",
        ("source", "from", "to", "what"),
        _outages(world, chance),
    )
    _table(folder / "profiles.csv", ("email", "says_left_on"), _profiles(world, chance))
    (folder / "span.txt").write_text(f"{world.begins} {world.last}\n", encoding="utf-8")


def _nuisances(world: World) -> Iterable[Sequence[object]]:
    """Yield everything that is no departure and may look like one; `cooling` is true slipping."""
    for account, one in world.watched():
        for away in one.aways:
            shut = any(shut.first == away.first for shut in account.shutdowns)
            yield one.address, "shutdown" if shut else "vacation", away.first, away.last
        for what, spans in (("cooling", one.cooling), ("full", one.full), ("blocked", account.blocks)):
            for first, last in spans:
                yield one.address, what, first, last
        leaving = one.departure
        if leaving is not None and leaving.pulls:
            yield one.address, "cooling", leaving.announced, leaving.last_day
        if one.rename is not None:
            yield one.address, f"renamed {one.rename.old}", one.rename.day, world.last
        moved = account.migration
        if moved is not None:
            what = "migration refusing" if moved.refuses else "migration"
            yield one.address, what, moved.day, world.last
        for away in world.reps[account.rep].aways:
            yield one.address, "rep away", away.first, away.last


def _outages(world: World, chance: random.Random) -> Iterable[Sequence[object]]:
    """Yield when mailboxes could not be read, and when one was numbered anew and read again."""
    for rep in world.reps:
        box = rep.partition("@")[0]
        for what in ("token expired", "server down", "UIDVALIDITY changed"):
            first = world.begins + timedelta(
                chance.randrange(20, max(21, (world.last - world.begins).days - 30))
            )
            days = {"token expired": chance.randint(4, 25), "server down": chance.randint(1, 3)}.get(what, 0)
            yield box, first, first + timedelta(days), what


def _profiles(world: World, chance: random.Random) -> Iterable[Sequence[object]]:
    """Yield when a public profile says that somebody left: weeks late, of some never, of some wrongly."""
    months = (world.last - world.first).days / 30.4
    for _, one in world.watched():
        gone = one.departure
        if gone is not None and gone.last_day <= world.last and chance.random() < 0.8:
            told = gone.last_day + timedelta(round(chance.lognormvariate(3.4, 0.9)))
            if told <= world.last:
                yield one.address, told
        elif chance.random() < 0.002 * months:
            yield one.address, world.first + timedelta(chance.randrange((world.last - world.first).days))


def _table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(
            [value.isoformat() if isinstance(value, date) else value for value in row] for row in rows
        )


if __name__ == "__main__":
    main()

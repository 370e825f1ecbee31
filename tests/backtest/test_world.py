from __future__ import annotations

import ast
import csv
import hashlib
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks import world as package
from benchmarks.world.__main__ import write
from benchmarks.world.cast import OURS, Server, populate
from benchmarks.world.clock import is_holiday, next_working
from benchmarks.world.post import Letter
from benchmarks.world.reports import Refusal, Report, render
from watchers import Scope, load
from watchers.mail import RawMail
from watchers.mailbox import Mailbox

load()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world whose people leave."""
    folder = tmp_path_factory.mktemp("world")
    write(populate(seed=11, contacts=40, months=6, history=3), folder, seed=11)
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def digest(folder: Path) -> str:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    told = "".join(
        f"{file.relative_to(folder)} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files
    )
    return hashlib.sha256(told.encode()).hexdigest()


def test_the_same_seed_makes_the_same_world_and_another_seed_another(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write(populate(seed=seed, contacts=6, months=2, history=1), tmp_path / name, seed=seed)
    assert digest(tmp_path / "a") == digest(tmp_path / "b") != digest(tmp_path / "c")


def test_the_world_knows_nothing_of_how_it_is_judged() -> None:
    for file in Path(package.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.partition(".")[0] in {"bot", "watchers", "tests"}], (
                file
            )


def test_every_mail_of_the_world_can_be_read(made: Path) -> None:
    contacts = [row["email"] for row in rows(made / "contacts.csv")]
    domains = frozenset(address.rpartition("@")[2] for address in contacts)
    scope = Scope(frozenset({OURS}), frozenset(contacts), domains)
    watcher = Mailbox()
    kinds: dict[str, int] = {}
    for file in sorted((made / "mail").rglob("*.eml")):
        for seen in watcher.read(RawMail("", file.name, file.read_bytes()), scope):
            kinds[seen.kind] = kinds.get(seen.kind, 0) + 1
            assert seen.at.tzinfo is UTC
            assert seen.at > datetime(2024, 6, 30, tzinfo=UTC)
    assert not watcher.broken
    assert set(kinds) >= {"wrote", "written_to", "meeting", "on_leave", "departed"}


def test_nobody_writes_after_their_last_day(made: Path) -> None:
    contacts = [row["email"] for row in rows(made / "contacts.csv")]
    domains = frozenset(address.rpartition("@")[2] for address in contacts)
    scope = Scope(frozenset({OURS}), frozenset(contacts), domains)
    left = {row["email"]: date.fromisoformat(row["departed"]) for row in rows(made / "departures.csv")}
    watcher = Mailbox()
    assert left
    for file in sorted((made / "mail").rglob("*.eml")):
        for seen in watcher.read(RawMail("", file.name, file.read_bytes()), scope):
            if seen.kind == "wrote" and seen.contact in left:
                assert seen.at.date() <= left[seen.contact] + timedelta(1), (file, seen)


def test_nobody_is_at_work_on_a_public_holiday_or_on_leave() -> None:
    christmas = datetime(2025, 12, 24, 20, tzinfo=UTC)
    free = {date(2025, 12, 29), date(2025, 12, 30)}
    chance = random.Random(1)  # noqa: S311 - a seeded chance, no secret
    for _ in range(50):
        found = next_working(chance, christmas, "Europe/Berlin", "DE", lambda day: day in free).date()
        assert not is_holiday("DE", found)
        assert found not in free


def test_the_truth_lists_only_contacts_and_days_of_the_world(made: Path) -> None:
    contacts = {row["email"] for row in rows(made / "contacts.csv")}
    for name in ("departures.csv", "nuisances.csv", "profiles.csv"):
        assert {row["email"] for row in rows(made / name)} <= contacts
    last = max(date.fromisoformat(row["departed"]) for row in rows(made / "departures.csv"))
    assert last <= date.fromisoformat((made / "span.txt").read_text().split()[1])


@pytest.mark.parametrize("server", ["exchange", "google", "postfix", "exim", "gateway"])
@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("gone", "mailbox_gone"),
        ("blocked", "blocked"),
        ("full", "full"),
        ("delayed", "transient"),
        ("expired", "transient"),
    ],
)
def test_every_report_of_every_server_says_what_happened(what: Refusal, kind: str, server: Server) -> None:
    jane, ann = ("Jane Doe", "jane@acme.example"), ("Ann Rep", f"ann@{OURS}")
    letter = Letter(datetime(2026, 3, 2, 9, tzinfo=UTC), ann, (jane,), "Pilot", "Hello", f"m-1@{OURS}")
    report = Report(letter.at + timedelta(hours=5), letter, jane[1], what, server)
    mail = RawMail("", "", render(report, random.Random(1)))  # noqa: S311 - a seeded chance, no secret
    scope = Scope(frozenset({OURS}), frozenset({jane[1]}), frozenset({"acme.example"}))
    found = Mailbox().read(mail, scope)
    assert [(seen.kind, seen.contact, seen.facts["original_message_id"]) for seen in found] == [
        (kind, jane[1], letter.ident)
    ]

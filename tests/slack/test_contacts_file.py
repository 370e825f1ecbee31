"""What the contacts file says, beside what is said in Slack."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from rich.console import Console

from bot import config
from bot.model import Contact
from bot.service import Service
from bot.store import Store
from bot.store.memory import MemoryStore
from bot.terminal import TerminalPoster

HEADER = "email,name,account,owner\n"
JANE = "jane@acme.example"
RITA, MAX = "rita@vendor.example", "max@vendor.example"


def service(folder: Path, store: Store) -> Service:
    """Return a service of that folder's configuration, as it is after a start."""
    return Service(config.load(folder / "config.yaml"), store, TerminalPoster(Console(file=StringIO())))


async def test_an_owner_chosen_in_slack_stays_until_the_file_names_another(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    (tmp_path / "config.yaml").write_text("team:\n  domains: [vendor.example]\ncontacts: contacts.csv\n")
    store = MemoryStore()

    async def take(row: str) -> Contact:
        path.write_text(f"{HEADER}{row}\n")
        await service(tmp_path, store).take_contacts()
        [contact] = await store.contacts()
        return contact

    given = await take(f"{JANE},Jane Doe,Acme,{RITA}")
    assert given.owner == RITA
    await store.watch(Contact(JANE, "Jane Doe", account="Acme", owner="U0MAX0001"))
    renamed = await take(f"{JANE},Jane Roe,Acme Group,{RITA}")
    assert (renamed.name, renamed.account, renamed.owner) == ("Jane Roe", "Acme Group", "U0MAX0001")
    assert (await take(f"{JANE},Jane Roe,Acme Group,{MAX}")).owner == MAX
    assert (await take(f"{JANE},Jane Roe,Acme Group,{RITA}")).owner == RITA


async def test_whoever_is_forgotten_is_not_kept_as_a_row_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_text(f"{HEADER}{JANE},Jane Doe,Acme,{RITA}\n")
    (tmp_path / "config.yaml").write_text("team:\n  domains: [vendor.example]\ncontacts: contacts.csv\n")
    store = MemoryStore()
    await service(tmp_path, store).take_contacts()
    await store.forget(JANE)
    assert await store.contacts() == []
    assert JANE not in str(await store.setting("owners in the contacts file"))

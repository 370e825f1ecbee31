"""`stillthere pages`: find the pages that list the contacts, and say which are to be watched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.console import finish, load_everything, note, print_json, start
from bot.cli.parameters import examples, settings_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.model import Contact
    from watchers.public_pages import PublicPages
    from watchers.web.known_pages import KnownPage

AT_ONCE = 8
"""Accounts that are searched at the same time; each is asked one thing at a time."""


@click.command(
    epilog=examples(
        "stillthere pages propose",
        "stillthere pages propose --account Acme",
        "stillthere pages confirm https://www.acme.example/team",
        "stillthere pages decline https://www.acme.example/news",
        "stillthere pages list --json",
    )
)
@click.argument("what", type=click.Choice(["propose", "list", "confirm", "decline"]))
@click.argument("urls", nargs=-1, metavar="[URL]...")
@settings_file
@click.option("--account", "accounts", multiple=True, help="Search these accounts only. Repeatable.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a page.")
def command(
    what: str, urls: tuple[str, ...], config_file: Path, accounts: tuple[str, ...], as_json: bool
) -> None:
    """Find pages that list the contacts; watch those that somebody confirms.

    `propose` searches the accounts' own sites, politely, for pages that list people. What it finds is written
    to the file of pages and watched only after `confirm`; the running service sees that by itself.
    """
    from bot.model import NeedsHuman
    from watchers.web import known_pages

    start()
    load_everything()
    watcher, contacts = _settings(config_file)
    file = watcher.config.confirmed
    known = known_pages.read(file)
    if what == "propose":
        if not contacts:
            raise NeedsHuman(
                f"{config_file}: no file of contacts is named, or nobody is in it",
                "set contacts to a file; for contacts of a CRM or of Slack, name their pages in "
                "watchers.public_pages.pages",
            )
        found = finish(_found(watcher, contacts, known, {name.lower() for name in accounts}))
        known_pages.write(file, known_pages.propose(known, found))
        shown = [page for page in known_pages.read(file) if page not in known]
    elif what == "list":
        shown = known
    else:
        status = known_pages.Status.CONFIRMED if what == "confirm" else known_pages.Status.DECLINED
        if not urls:
            raise NeedsHuman("no page is named", f"write stillthere pages {what} URL")
        for url in urls:
            try:
                known = known_pages.decide(known, url, status)
            except KeyError:
                raise NeedsHuman(
                    f"nobody proposed {url}",
                    "see stillthere pages list, or name the page in watchers.public_pages.pages",
                ) from None
        known_pages.write(file, known)
        shown = [page for page in known if page.url in urls]
    _show(shown, as_json=as_json)
    if not shown:
        note("no page was found that lists people" if what == "propose" else "no page is known")


def _settings(config_file: Path) -> tuple[PublicPages, list[Contact]]:
    """Return the watcher as it is set up, and the contacts of the file."""
    from bot import config
    from bot.crm.csv import read_contacts
    from bot.model import NeedsHuman
    from watchers.public_pages import PublicPages

    plan = config.load(config_file)
    watcher = next((one for one, _ in plan.watchers if isinstance(one, PublicPages)), None)
    if watcher is None or not watcher.config.contact:
        raise NeedsHuman(
            f"{config_file}: public pages are not set up",
            "add watchers.public_pages with a contact address, see docs/public-pages.md",
        )
    path = plan.config.contacts
    return watcher, list(read_contacts(path).contacts) if path else []


async def _found(
    watcher: PublicPages, contacts: list[Contact], known: list[KnownPage], accounts: set[str]
) -> list[KnownPage]:
    """Search the site of every account of which no page is known yet, or of those named."""
    import asyncio

    from watchers import FREE_MAIL
    from watchers.web.discovery import discover, sites
    from watchers.web.findings import Watched
    from watchers.web.known_pages import KnownPage, Status

    people: dict[tuple[str, str], list[Watched]] = {}
    settled = {page.account.lower() for page in known}
    for one in contacts:
        name = one.account_name
        wanted = name.lower() in accounts if accounts else name.lower() not in settled
        if wanted and one.name and one.domain not in FREE_MAIL:
            watched = Watched(one.address, one.name, one.title, one.account, one.address)
            people.setdefault((name, one.domain), []).append(watched)
    free = asyncio.Semaphore(AT_ONCE)

    async def search(account: str, domain: str, watched: list[Watched]) -> list[KnownPage]:
        async with free, watcher.client() as client:
            found = await discover(client, sites(domain), watched)
        return [KnownPage(account, page.url, Status.PROPOSED, page.why) for page in found]

    searches = [search(account, domain, watched) for (account, domain), watched in people.items()]
    return [page for pages in await asyncio.gather(*searches) for page in pages]


def _show(pages: Iterable[KnownPage], *, as_json: bool) -> None:
    for page in pages:
        if as_json:
            print_json({"account": page.account, "url": page.url, "status": page.status, "why": page.why})
        else:
            click.echo(
                f"{page.status:<9}  {page.account}: {page.url}" + (f" ({page.why})" if page.why else "")
            )

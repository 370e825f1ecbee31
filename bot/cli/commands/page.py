"""`stillthere page`: say what a page shows of a person, or whom it lists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.console import console, finish, note, print_json, start
from bot.cli.parameters import examples, settings_file

if TYPE_CHECKING:
    from datetime import date

    from watchers.web.client import Client
    from watchers.web.findings import Sighting, Watched
    from watchers.web.pages import Fetched

IS_URL = ("http://", "https://")
_BY_HAND = "open it in a browser yourself; a page of your own network can be saved and read as a file"


@click.command(
    epilog=examples(
        "stillthere page https://www.acme.example/team",
        'stillthere page https://www.acme.example/team --person "Jane Doe" --title "VP Sales"',
        'stillthere page team.html --person "Jane Doe" --previous last-month.html',
        "stillthere page team.html --json",
    )
)
@click.argument("page", metavar="URL_OR_FILE")
@click.option("--person", help="The name to look for. Without it, everybody who is listed is shown.")
@click.option("--title", default="", help="The title that you know them by.")
@click.option("--employer", default="", help="The employer that you know them with.")
@click.option(
    "--previous",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An earlier copy of the page: compare with it, as the watcher does.",
)
@click.option(
    "--contact",
    default="",
    help="A web or mail address at which a webmaster reaches you; every request names it. "
    "Default: the one in the settings.",
)
@settings_file
@click.option("--json", "as_json", is_flag=True, help="A line of JSON: the person's, or one for each listed.")
def command(
    page: str,
    person: str | None,
    title: str,
    employer: str,
    previous: Path | None,
    contact: str,
    config_file: Path,
    as_json: bool,
) -> None:
    """Say what a page shows of a person, or whom it lists.

    With --person: whether they are present, have another title, stand among former people, are gone, or moved
    to another employer, and why. What is not sure is unknown, with the reason.

    A URL is asked for as the service does it: robots.txt and limits are kept to, LinkedIn is never read.
    """
    from datetime import UTC, datetime

    from bot.model import NeedsHuman
    from watchers.web.findings import Watched

    start()
    if person is None and (title or employer or previous):
        raise NeedsHuman("nobody is named to look for", 'add --person "First Last"')
    if person is not None and not person.strip():
        raise NeedsHuman("the name to look for is empty", 'write it in quotes: --person "First Last"')
    watched = Watched("", person.strip(), title, employer) if person else None
    is_url = page.lower().startswith(IS_URL)
    seen = finish(_asked(page, _presenting(contact, config_file), watched)) if is_url else _opened(Path(page))
    if watched is None:
        _show_everybody(page, seen, as_json=as_json)
    else:
        before = _opened(previous) if previous else None
        _show_person(page, seen, before, watched, datetime.now(UTC).date(), as_json=as_json)


def _show_everybody(page: str, seen: Sighting, *, as_json: bool) -> None:
    """Print whom a page lists."""
    from bot import page_report, page_view
    from bot.model import NeedsHuman, SourceDown
    from watchers.web.guard import NOT_PUBLIC

    if NOT_PUBLIC in seen.reason:
        raise NeedsHuman(f"{page} is not asked for: {NOT_PUBLIC}", _BY_HAND)
    if seen.reason:
        raise SourceDown(f"{page}: {seen.reason}")
    listed, url = page_view.listed(seen), seen.url or page
    if as_json:
        for each in listed:
            print_json(page_view.line_of(each, url))
    elif listed:
        page_report.people(listed, url, console())
    if not listed:
        note(f"nobody is listed ({page_view.likely(seen)})")


def _show_person(
    page: str, seen: Sighting, before: Sighting | None, watched: Watched, day: date, *, as_json: bool
) -> None:
    """Print what a page says of a person."""
    from bot import page_report, page_view

    found, url = page_view.view(watched, seen, day, before), seen.url or page
    if as_json:
        print_json(found.as_json(url))
    else:
        page_report.person(found, url, console())


def _presenting(contact: str, config_file: Path) -> str:
    """Return the address that every request names."""
    from bot.model import NeedsHuman

    if contact:
        return contact
    if config_file.is_file():
        from bot import config
        from bot.cli.console import load_everything
        from watchers.public_pages import PublicPages

        load_everything()
        watchers = (one for one, _ in config.load(config_file).watchers if isinstance(one, PublicPages))
        contact = next((one.config.contact for one in watchers), "")
    if not contact:
        raise NeedsHuman(
            "no contact address is set, and a polite robot says who asks",
            "add --contact with a web or mail address at which a webmaster reaches you",
        )
    return contact


async def _asked(url: str, contact: str, watched: Watched | None) -> Sighting:
    """Ask for a page, and for what completes it: more where it is paged, or where somebody is missing."""
    from datetime import UTC, datetime

    from bot.model import NeedsHuman
    from watchers.web.client import Client, Courtesy, Manners
    from watchers.web.guard import PUBLIC, Refused
    from watchers.web.pace import Pace

    try:
        PUBLIC.checked(url)
    except Refused as refusal:
        raise NeedsHuman(f"{url} is not asked for: {refusal}", _BY_HAND) from None

    def clock() -> datetime:
        return datetime.now(UTC)

    async with Client(Manners(contact), Courtesy(Pace(clock)), clock) as client:
        return await _completed(client, url, watched)


async def _completed(client: Client, url: str, watched: Watched | None) -> Sighting:
    """Return what a page and its further pages show together."""
    from watchers.web.reading import look
    from watchers.web.visits import ROUNDS

    answers: list[Fetched] = [(await client.get(url)).fetched]
    seen = look(answers)
    for _ in range(ROUNDS):
        is_missing = watched is not None and not _is_named(watched, seen.sighting)
        if not seen.wanted or not (is_missing or seen.sighting.unread):
            break
        answers += [(await client.get(further)).fetched for further in seen.wanted]
        seen = look(answers)
    return seen.sighting


def _is_named(watched: Watched, seen: Sighting) -> bool:
    from watchers.web.matching import Matcher, Sought

    return bool(Matcher(seen.people).run([Sought("", (watched.name,))]))


def _opened(path: Path) -> Sighting:
    """Read a page that was saved."""
    from datetime import UTC, datetime

    from bot.model import NeedsHuman
    from watchers.web.pages import MOST_BYTES, Fetched
    from watchers.web.reading import look

    try:
        with path.open("rb") as file:
            body = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise NeedsHuman(
            f"{path} cannot be read: {error.strerror}", "name a file, or an address with https:// before it"
        ) from None
    fetched = Fetched(200, str(path), str(path), body, datetime.now(UTC).date())
    return look([fetched]).sighting

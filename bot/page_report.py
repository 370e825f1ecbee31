"""Show a person at a terminal what a page lists, and what it says of somebody."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.page_view import ALARMS, Seen, View, by_section, reached
from bot.slack.mrkdwn import clean
from watchers.web.persons import Person

COLOURS = {
    Seen.PRESENT: "bold green",
    Seen.CHANGED: "bold yellow",
    Seen.FORMER: "bold red",
    Seen.GONE: "bold red",
    Seen.MOVED: "bold red",
    Seen.UNKNOWN: "bold cyan",
}
OTHERS = 8
"""How many of the other people are named beside the one who was looked for."""
LONGEST = 200
INDENT = "  "
GAP = 2
NARROWEST, WIDEST_NAME, WIDEST_REACH = 12, 24, 32


def person(found: View, url: str, console: Console) -> None:
    """Print what a page says of one person, and why."""
    headline = Text.assemble((_said(found.name), "bold"), ": ", (str(found.state), COLOURS[found.state]))
    console.print(headline)
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    for label, value in _facts(found, url):
        rows.add_row(label, Text(_said(value)))
    console.print(Padding(rows, (0, 0, 0, 2)))
    if found.state in ALARMS:
        console.print(
            Text("\nThe watcher says so only after a second look, at least a day later.", style="dim")
        )
    shown = [each for each in found.others if not each.former]
    console.print()
    if not shown:
        console.print(Text("Nobody else is listed.", style="dim"))
        return
    console.print(Text(f"{_people(len(shown))} listed beside them", style="bold"))
    named = shown[:OTHERS]
    console.print(_table(named, url, _widths(named, url, console.width - len(INDENT))))
    if len(shown) > OTHERS:
        console.print(Text(f"  and {len(shown) - OTHERS} more; without --person all are shown", style="dim"))


def _facts(found: View, url: str) -> list[tuple[str, str]]:
    """Return what is known, each with its label."""
    facts = [("why", found.reason)]
    if found.state in {Seen.CHANGED, Seen.MOVED}:
        facts += [("before", found.was), ("now", found.now)]
    who = found.person
    if who is not None:
        facts += [
            ("named", who.name if who.name != found.name else ""),
            ("title", who.title if found.state is not Seen.CHANGED else ""),
            ("employer", who.org if found.state is not Seen.MOVED else ""),
            ("under", who.section),
            ("e-mail", who.email),
            ("link", reached(who.link, url) or reached(who.handle, url)),
        ]
    facts += [("note", notice) for notice in found.notices]
    return [(label, value) for label, value in facts if value]


def people(listed: Sequence[Person], url: str, console: Console) -> None:
    """Print everybody whom a page lists, by heading."""
    here = sum(not each.former for each in listed)
    former = len(listed) - here
    words = f"{_people(here)} listed" + (f", and {former} as former" if former else "")
    console.print(Text(words, style="bold"))
    widths = _widths(listed, url, console.width - len(INDENT))
    for section, members in by_section(listed):
        heading = _said(section) or ("Former" if members[0].former else "")
        console.print()
        if heading:
            mark = " (former)" if members[0].former else ""
            console.print(Text.assemble((heading, "bold cyan"), (mark, "red")))
        console.print(_table(members, url, widths))


def _widths(members: Sequence[Person], url: str, room: int) -> tuple[int, int, int]:
    """Return how wide names, titles and the ways to reach people are shown."""
    name = min(max((len(_said(each.name)) for each in members), default=0), WIDEST_NAME)
    reach = min(max((len(_reach(each, url)) for each in members), default=0), WIDEST_REACH)
    left = room - name - (reach + 2 * GAP if reach else GAP)
    title = min(max((len(_titled(each)) for each in members), default=0), max(left, NARROWEST))
    return name, title, reach


def _table(members: Sequence[Person], url: str, widths: tuple[int, int, int]) -> Table:
    """Return one line for each: name, title, and how to reach them."""
    name, title, reach = widths
    table = Table.grid(padding=(0, GAP, 0, 0))
    table.add_column(width=len(INDENT) - GAP)
    table.add_column(width=name, overflow="fold")
    table.add_column(width=title, overflow="fold")
    table.add_column(width=max(reach, 1), overflow="fold", style="dim")
    for each in members:
        table.add_row("", *map(Text, (_said(each.name), _titled(each), _reach(each, url))))
    return table


def _titled(who: Person) -> str:
    return _said(", ".join(part for part in (who.title, who.org) if part)) or "-"


def _reach(who: Person, url: str) -> str:
    """Return the e-mail address, or else the link; one of the same site without the site's name."""
    link = who.email or reached(who.link, url) or reached(who.handle, url)
    bare = link.rpartition("://")[2]
    host = url.partition("://")[2].partition("/")[0]
    return _said(bare.removeprefix(host) if host and bare.startswith(f"{host}/") else bare)


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _said(text: str) -> str:
    """Return text from outside on one line, without what a terminal would obey."""
    return clean(text[:LONGEST])

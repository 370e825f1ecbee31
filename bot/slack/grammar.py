"""Read what people type after /champion. Pure.

Slack rewrites addresses to `<mailto:…|…>` and keyboards rewrite quotes; both are undone before anything is
read. What stands in double quotes is one piece, commas and all.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from html import unescape
from itertools import islice

from bot.crm.csv import ADDRESS as ONE_ADDRESS
from bot.crm.csv import Contacts, day, parse_contacts, recognise, tidy
from bot.model import Contact, NeedsHuman
from bot.preferences import WEEKDAYS

LONGEST = 12_000
"""So many characters are read: more than Slack lets anybody type."""

LONGEST_SNOOZE = timedelta(days=366)
SNOOZED_FOR = timedelta(weeks=1)
NEAR_AMONG = 2_000
"""Among so many people somebody is looked for who is written almost like that: it takes long."""

MOST_ROWS = 2_000
"""So many people can be added at once."""

ADDRESS = re.compile(
    r"[^\s@<>()\[\],;:\"'|=][^\s@<>()\[\],;:\"|=]{0,63}@[A-Za-z0-9](?:[A-Za-z0-9-]|\.(?=[A-Za-z0-9])){0,251}"
)
LINK = re.compile(r"<([^<>|\s]{1,3000})(?:\|([^<>|]{0,3000}))?>")
PIECE = re.compile(r'"([^"]*)"?|([^",]+)|(,)')
COLUMNS = re.compile(r'"[^"]*"|[;\t]')
SPAN = re.compile(r"(\d{1,3})\s?(d|w)(?:ays?|eeks?)?", re.IGNORECASE)
OTHER_SPAN = re.compile(
    r"\d{1,4} ?(?:h|hours?|mo?|mins?|minutes?|months?|q|quarters?|y|yrs?|years?)", re.IGNORECASE
)
"""Spans that nobody can put a case off for, recognised to say so."""

TOMORROW = "tomorrow"
DAYS = tuple(name.lower() for name in WEEKDAYS)
JOINING = frozenset({"for", "till", "until"})
"""What people write between whom and until when."""

QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"') | dict.fromkeys("‘’‚‛＇", "'"))  # noqa: RUF001 - these are the quotes to undo


@dataclass(frozen=True)
class Verb:
    """A verb of /champion: how to write it, and what it does in a few words."""

    name: str
    usage: str
    does: str
    for_admins: bool = False


VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb("add", "add jane@acme.example Jane Doe, Acme", "watch somebody; alone, it opens a form"),
        Verb("list", "list", "your people and how they are; `list all` shows everybody's to admins"),
        Verb("show", "show WHO", "all that is known of somebody, with dates and sources"),
        Verb("snooze", "snooze WHO [1d|1w|2026-09-01]", "leave an open case alone for a while"),
        Verb("remove", "remove WHO", "stop watching; can be undone"),
        Verb("exposure", "exposure", "on how many people each of your deals rests"),
        Verb("stats", "stats", "how often each kind of signal was right"),
        Verb("settings", "settings", "your quiet hours, digest and alerts a day"),
        Verb("drill", "drill", "a test alert through every stage, seen by you alone"),
        Verb("help", "help", "this list"),
        Verb("team", "team", "mailboxes, contacts without owner, cases without answer", for_admins=True),
        Verb("forget", "forget WHO", "erase somebody for good, on their request", for_admins=True),
    )
}

MEANT = {
    "watch": "add",
    "new": "add",
    "import": "add",
    "ls": "list",
    "who": "show",
    "why": "show",
    "status": "show",
    "info": "show",
    "mute": "snooze",
    "delete": "remove",
    "unwatch": "remove",
    "stop": "remove",
    "erase": "forget",
    "config": "settings",
    "preferences": "settings",
    "digest": "settings",
    "pause": "settings",
    "quiet": "settings",
    "test": "drill",
}
"""Other words for the verbs: they are no verbs themselves, but tell which one was meant."""


@dataclass(frozen=True)
class Command:
    """What was typed: a verb as written, in lower case, and the rest."""

    verb: str
    rest: str = ""

    @property
    def known(self) -> Verb | None:
        """Return the verb, None where there is none of that name."""
        return VERBS.get(self.verb)


@dataclass(frozen=True)
class Typed:
    """People as somebody typed them, and what could not be read, each with its reason."""

    contacts: tuple[Contact, ...] = ()
    problems: tuple[str, ...] = ()


def read(text: str) -> Command:
    """Read the text of a command; without any it is `help`."""
    first, _, rest = plain(text).strip().partition(" ")
    verb, newline, more = first.partition("\n")
    return Command(verb.lower() or "help", f"{more}{newline and ' '}{rest}".strip())


def nearest(verb: str) -> Verb | None:
    """Return the verb that was probably meant."""
    if verb in MEANT:
        return VERBS[MEANT[verb]]
    if "@" in verb:
        return VERBS["show"]
    near = difflib.get_close_matches(verb[:40], [*VERBS, *MEANT], 1, 0.6)
    return VERBS[MEANT.get(near[0], near[0])] if near else None


def plain(text: str) -> str:
    """Return the text as it was typed: without Slack's links, entities and curly quotes."""
    shown = LINK.sub(_shown, text[:LONGEST])
    return unescape(shown).translate(QUOTES).replace("\N{NO-BREAK SPACE}", " ")


def addresses(text: str) -> list[str]:
    """Return the e-mail addresses in a text, in lower case, each once."""
    return list(dict.fromkeys(found[0].lower() for found in ADDRESS.finditer(text)))


def person(text: str) -> Contact | str:
    """Read `jane@acme.example Jane Doe, Acme`, in any order of address and name; or say what is wrong."""
    found = addresses(text)
    if not found:
        return (
            f"There is no e-mail address in “{text[:80].strip()}”."
            if text.strip()
            else "There is no e-mail address."
        )
    if len(found) > 1:
        return "There is more than one e-mail address: to add several people, type `/champion add` alone."
    address = found[0]
    if not ONE_ADDRESS.fullmatch(address):
        return f"“{address[:80]}” is no e-mail address."
    if "." not in address.rpartition("@")[2]:
        return f"“{address[:80]}” is no whole e-mail address: it ends too early."
    parts = fields(re.sub(rf"<?{re.escape(address)}>?", ",", text, flags=re.IGNORECASE))
    if len(parts) > 2:  # noqa: PLR2004 - a name and an account
        return "There are too many parts: put a name with a comma into quotes."
    name, account = (*parts, "", "")[:2]
    return Contact(address, tidy(name), account=tidy(account))


def fields(text: str) -> list[str]:
    """Split at commas and at quoted pieces; what is empty is left out."""
    found = [""]
    for quoted, bare, comma in PIECE.findall(text):
        if comma:
            found.append("")
        elif quoted:
            found += [quoted, ""]
        else:
            found[-1] += bare
    return [part for piece in found if (part := " ".join(piece.split()))]


def people(text: str, where: str = "The list") -> Typed:
    """Read many people: CSV with a header, or one a line as for one person, or as mail programs list them."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    if "@" not in header and _is_header(header):
        try:
            return _of_csv(parse_contacts(text, where))
        except NeedsHuman as problem:
            return Typed(problems=(f"{problem.what}: {problem.how}.",))
    contacts: dict[str, Contact] = {}
    problems = []
    for number, line in enumerate(_lines(text), start=1):
        if number > MOST_ROWS:
            problems.append(f"Only the first {MOST_ROWS} lines were read.")
            break
        one = person(line)
        if isinstance(one, str):
            problems.append(f"Line {number}: {one}")
        elif one.address in contacts:
            problems.append(f"Line {number}: {one.address} stands in an earlier line.")
        else:
            contacts[one.address] = one
    return Typed(tuple(contacts.values()), tuple(problems))


def until(text: str, today: date) -> date | str:
    """Read `1d`, `2w`, `tomorrow`, `friday` or a date, at most a year ahead; or say what is wrong."""
    word = text.strip().lower()
    when: date | None
    if span := SPAN.fullmatch(word):
        when = today + int(span[1]) * (timedelta(days=1) if span[2] == "d" else timedelta(weeks=1))
    elif word == TOMORROW:
        when = today + timedelta(days=1)
    elif word in DAYS:
        when = today + timedelta(days=(DAYS.index(word) - today.weekday() - 1) % len(DAYS) + 1)
    else:
        when = day(text.strip())
    if when is None:
        return f"'{text[:40]}' is no time: write 1d, 2w or a date such as {today + SNOOZED_FOR}."
    if when <= today:
        return f"{when} is over: write a day after today."
    return f"{when} is too far ahead: at most a year." if when - today > LONGEST_SNOOZE else when


def who_until(rest: str, today: date) -> tuple[str, date | str]:
    """Split `Jane Doe 1w` into whom and until when; a week where nothing is said."""
    words = rest.replace('"', " ").split()
    for count in (2, 1):
        if len(words) > count and _is_time(" ".join(words[-count:])):
            who = words[:-count]
            if len(who) > 1 and who[-1].lower() in JOINING:
                who.pop()
            return " ".join(who), until(" ".join(words[-count:]), today)
    return " ".join(words), today + SNOOZED_FOR


def matching(who: str, contacts: Iterable[Contact]) -> list[Contact]:
    """Return whom somebody means: by address, else by full name, else by a part of name or address."""
    wanted = " ".join(who.replace('"', " ").split()).casefold().removeprefix("mailto:")
    if not wanted:
        return []
    known = list(contacts)
    tests = (
        lambda one: one.address == wanted,
        lambda one: one.name.casefold() == wanted,
        lambda one: wanted in one.name.casefold() or wanted in one.address,
    )
    return next((found for test in tests if (found := [one for one in known if test(one)])), [])


def near(who: str, contacts: Iterable[Contact]) -> list[Contact]:
    """Return up to three people whose names or addresses look like what was typed."""
    by_name: dict[str, Contact] = {}
    for one in islice(contacts, NEAR_AMONG):
        by_name.setdefault(one.address, one)
        by_name.setdefault(one.name.casefold(), one)
    found = difflib.get_close_matches(who.casefold()[:80], [name for name in by_name if name], 3, 0.7)
    return list(dict.fromkeys(by_name[name] for name in found))


def _shown(link: re.Match[str]) -> str:
    """Return what a link of Slack's was made of: an address, a URL or the label of a mention."""
    target, label = link[1], link[2] or ""
    if target.startswith("mailto:"):
        return target.removeprefix("mailto:")
    if target.startswith(("@", "#", "!")):
        return f"{target[0]}{label or target[1:]}"
    is_address = ADDRESS.fullmatch(target)
    return f"<{target}>" if is_address and not label else target


def _is_time(text: str) -> bool:
    is_named = text.lower() in {TOMORROW, *DAYS}
    return is_named or bool(SPAN.fullmatch(text) or OTHER_SPAN.fullmatch(text)) or day(text) is not None


def _is_header(line: str) -> bool:
    return any("email" in recognise(line.split(mark)) for mark in ",;\t|")


def _lines(text: str) -> Iterator[str]:
    """Yield one person at a time; a line with several addresses is parted as mail programs join them.

    In a line about one person, semicolons and tabs part the columns as commas do.
    """
    for line in re.split(r"[\n\r]+", text):
        for piece in line.split(";") if len(addresses(line)) > 1 else [line]:
            if not piece.strip():
                continue
            parts = re.split(r"[,\t]", piece) if len(addresses(piece)) > 1 else [piece]
            for part in parts:
                several = addresses(part)
                if len(several) > 1:
                    yield from several
                elif several or len(parts) == 1:
                    yield COLUMNS.sub(_comma, plain(part))


def _comma(piece: re.Match[str]) -> str:
    return piece[0] if piece[0].startswith('"') else ","


def _of_csv(found: Contacts) -> Typed:
    problems = tuple(f"Line {row.line}: {row.reason}." for row in found.bad)
    if len(found.contacts) > MOST_ROWS:
        problems = (f"Only the first {MOST_ROWS} people were read.", *problems)
    return Typed(found.contacts[:MOST_ROWS], problems)

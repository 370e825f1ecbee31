"""Read a page into people: who is listed, as what, under which heading, and what else tells them."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate

from watchers.web.blocks import Asset, Document, Line, Piece, Place, lay_out, semantic
from watchers.web.certain import CARD_LINES, MOST_TITLE, Design, certain
from watchers.web.folding import EDGES, clean, fold, words
from watchers.web.headings import Kind, kind_of
from watchers.web.hints import Hint, Hints
from watchers.web.mentions import Mention, mentions, without_photos
from watchers.web.namelike import Look, has_title_word, look
from watchers.web.names import is_degree, parse
from watchers.web.persons import Person
from watchers.web.sections import Standing, standings
from watchers.web.structured import people_in_scripts
from watchers.web.titles import is_prose, same_title

_NOTE, _MOST_NOTES = 80, 4
_AFTER_DEGREE = re.compile(r"([^,|\u2013\u2014-]{1,20})[,|\u2013\u2014-](.*)", re.DOTALL)
_PRONOUNS = re.compile(r"\s*[(\[](?:she|he|they|ze|xe|any)\s?[/,][^()\[\]]{0,24}[)\]]", re.IGNORECASE)
_JOINED_AT = re.compile(r"\S@\S")
_IN_BRACKETS = re.compile(r"\(([^()]{2,60})\)$")
_LOWEST_HEADING = 6
_AHEAD = 6
_CLIMB = 8
_HANDLES = (
    "github.com/",
    "twitter.com/",
    "x.com/",
    "linkedin.com/in/",
    "gitlab.com/",
    "orcid.org/",
    "bsky.app/profile/",
)
_NO_TITLES = frozenset((Hint.BIO, Hint.CONTACT, Hint.OTHER, Hint.NAME, Hint.FIRST, Hint.LAST))
_TEAMS = frozenset("team people staff us members".split())
_GENERIC_LINKS = frozenset(("", "#", "/"))


@dataclass(frozen=True, slots=True)
class Listing:
    """What a page says of people. `members` are listed now, `former` among those who left."""

    document: Document
    people: tuple[Person, ...]

    @property
    def members(self) -> tuple[Person, ...]:
        """Return those listed as being there, without names that stand alone."""
        return tuple(person for person in self.people if not person.former and not person.weak)


def read(text: str) -> Listing:
    """Read the people of a page, given as decoded text.

    >>> [(p.name, p.title) for p in read("<ul><li>Jane Doe - CEO<li>Bob Roe - CTO</ul>").members]
    [('Jane Doe', 'CEO'), ('Bob Roe', 'CTO')]
    """
    doc = lay_out(text)
    visible = _Reader(doc).people()
    hidden = people_in_scripts(doc.scripts)
    return Listing(doc, tuple(_merged([*visible, *hidden])))


def from_json(text: str) -> Listing:
    """Read the people of a page that is JSON."""
    found = people_in_scripts([("application/json", text)])
    return Listing(Document(title=clean(text[:300])), tuple(_merged(found)))


def _merged(people: list[Person]) -> list[Person]:
    """Join the records of one name; the first place of each is kept."""
    merged: list[Person] = []
    places: dict[tuple[str, ...], list[int]] = {}
    for person in people:
        key = parse(person.name).key
        same = [place for place in places.get(key, ()) if _is_one(merged[place], person)]
        if same:
            merged[same[0]] = merged[same[0]].filled(person)
        elif key:
            places.setdefault(key, []).append(len(merged))
            merged.append(person)
    return merged


def _is_one(one: Person, other: Person) -> bool:
    """Say whether two records of one name are of one person, not of namesakes in one list."""
    if one.source != other.source or one.former or other.former or one.weak or other.weak:
        return True
    if any(
        a and b and a != b
        for a, b in ((one.link, other.link), (one.email, other.email), (one.photo, other.photo))
    ):
        return False
    initials = len(parse(one.name).given) == 1
    return one.style != other.style or (same_title(one.title, other.title) and not initials)


class _Reader:
    """Turns the mentions of a document into people."""

    def __init__(self, doc: Document) -> None:
        self.doc = doc
        self.hints = Hints(doc)
        self.standings: list[Standing] = standings(doc)
        self.found = mentions(doc, self.standings, self.hints)
        self.design = Design(doc)

    def people(self) -> list[Person]:
        """Return the people in order."""
        sure = certain(self.doc, self.found, self.standings, self.design)
        named = [0] * (len(self.doc.lines) + 1)
        shown = without_photos(sure)
        for mention in shown:
            named[mention.line + 1] = 1
        self.counts = list(accumulate(named))
        self.starts = [mention.line for mention in shown]
        people = [self._person(mention) for mention in shown]
        kept = {id(mention) for mention in shown}
        alone = [mention for mention in self.found if id(mention) not in kept and mention.shape != "alt"]
        return people + [self._weak(mention) for mention in alone]

    def _named_in(self, first: int, last: int) -> int:
        return self.counts[min(last, len(self.counts) - 1)] - self.counts[first]

    def _card(self, mention: Mention) -> tuple[int, int, int]:
        """Return the lines that belong to a mention, and the element that holds them or -1.

        The card is the largest element in which nobody else is named; where names stand side by side in one
        element, what follows a name up to the next is theirs.
        """
        card, box = -1, self.doc.lines[mention.line].box
        for step, index in enumerate(self.doc.up(box)):
            inside = self.doc.boxes[index]
            if (
                step > _CLIMB
                or inside.last - inside.first > 2 * CARD_LINES
                or inside.tag in {"main", "body", "html"}
            ):
                break
            if self._named_in(inside.first, inside.last) > 1:
                break
            card = index
        if card >= 0:
            inside = self.doc.boxes[card]
            if inside.last - inside.first > 1 or (self.doc.boxes[card].tag in {"li", "tr", "article"}):
                return inside.first, inside.last, card
        after = bisect_left(self.starts, mention.line + 1)
        limit = self.starts[after] if after < len(self.starts) else len(self.doc.lines)
        parent = (
            self.doc.boxes[self.doc.boxes[box].parent]
            if self.doc.boxes[box].parent >= 0
            else self.doc.boxes[box]
        )
        last = min(limit, mention.line + CARD_LINES, max(parent.last, mention.line + 1))
        return mention.line, last + (last == mention.line + 1 < limit and self._is_title(last)), -1

    def _is_title(self, number: int) -> bool:
        """Say whether a line is a title, wherever it stands: builders of sites wrap each line by itself."""
        line = self.doc.lines[number]
        short = len(line.text) <= _NOTE and not line.alt and not line.heading
        return short and has_title_word(line.text) and not is_prose(line.text)

    def _person(self, mention: Mention) -> Person:
        first, last, card = self._card(mention)
        title, org, status, notes = self._parts(mention, first, last, card)
        name = _bare(mention.name)
        aside = _IN_BRACKETS.search(name)
        # "Jane Doe (Acme)": what it is, only what stands there later can tell.
        notes = (*notes, aside[1])[-_MOST_NOTES:] if aside else notes
        where = self.standings[mention.line]
        assets = self._assets(mention, card)
        former = where.former
        if not former and Place.FORMER in self.doc.boxes[self.doc.lines[mention.line].box].place:
            former = "marked as former"
        if not former and status and (kind_of(status) is Kind.FORMER or fold(status) in {"inactive", "left"}):
            former = status
        return Person(
            name=name,
            title=title,
            org=org,
            section=where.text,
            link=assets["link"],
            photo=assets["photo"],
            email=assets["email"],
            handle=assets["handle"],
            former=former,
            style=f"{mention.shape}:{self.design.style(self.doc.lines[mention.line].box)}",
            notes=notes,
        )

    def _weak(self, mention: Mention) -> Person:
        where = self.standings[mention.line]
        marked = Place.FORMER in self.doc.boxes[self.doc.lines[mention.line].box].place
        former = where.former or ("marked as former" if marked else "")
        return Person(_bare(mention.name), section=where.text, former=former, weak=True, style="alone")

    def _parts(
        self, mention: Mention, first: int, last: int, card: int
    ) -> tuple[str, str, str, tuple[str, ...]]:
        """Return title, employer and status as the card gives them, and what else it says in short."""
        if mention.shape == "list":
            return self._title_above(mention), "", "", ()
        title, org, status, best = "", "", "", 0
        notes: list[str] = []
        own = self._own_parts(mention)
        after = [
            (piece.text, piece.box)
            for line in self._following(mention, last, card)
            for piece in _parts_of(line)
        ]
        ahead = [
            (piece.text, piece.box)
            for line in self.doc.lines[max(first, mention.line - 3) : mention.line]
            if not line.alt
            for piece in _parts_of(line)
        ]
        if self.doc.boxes[self.doc.lines[mention.line].box].tag == "dd":
            after, ahead = [], [*ahead, *self._term(mention.line)]
        given = next(iter(words(mention.name)), "")
        for order, part in enumerate((own, after, ahead)):
            for text, box in part:
                hint = self.hints.of(box) if box >= 0 else Hint.NONE
                if hint is Hint.ORG and not org:
                    org = text
                elif hint is Hint.STATUS and not status:
                    status = text
                else:
                    score = _score(text, hint, given, order)
                    if score and len(text) <= _NOTE:
                        notes.append(text)
                    if score > best:
                        title, best = text, score
        if not title and card < 0 and mention.line and self.doc.lines[mention.line - 1].heading:
            title = self._title_above(mention)
        kept = tuple(note for note in notes if note != title)[:_MOST_NOTES]
        return _trimmed(title), org[:200], status[:80], kept

    def _title_above(self, mention: Mention) -> str:
        """Return the heading above a name where it is a title: "Treasurers", but not "Our team"."""
        heading = self.standings[mention.line].text
        return heading if has_title_word(heading) and not _TEAMS & set(words(heading)) else ""

    def _following(self, mention: Mention, last: int, card: int) -> list[Line]:
        """Return the lines after a name that may still be of the person: up to the next heading."""
        own = self.doc.lines[mention.line].heading
        level = own or _LOWEST_HEADING
        kept: list[Line] = []
        start = mention.line + (2 if mention.shape == "two" else 1)
        for line in self.doc.lines[start : min(last, mention.line + 1 + _AHEAD)]:
            if line.heading and line.heading <= level and (own or card < 0):
                break
            if card < 0 and self._stands_apart(line, mention):
                break
            kept.append(line)
        return kept

    def _stands_apart(self, line: Line, mention: Mention) -> bool:
        """Say whether a line stands in a quotation, in news, in a section that the name is not in."""
        here = {
            outer
            for outer in self.doc.up(self.doc.lines[mention.line].box)
            if semantic(self.doc.boxes[outer])
        }
        return any(
            semantic(self.doc.boxes[outer]) or self.doc.boxes[outer].place & ~Place.OWN & ~Place.FORMER
            for outer in self.doc.up(line.box)
            if outer not in here
        )

    def _term(self, line: int) -> list[tuple[str, int]]:
        """Return the term that a definition list gives the title in, before the name."""
        for number in range(line - 1, max(-1, line - CARD_LINES), -1):
            before = self.doc.lines[number]
            if self.doc.boxes[before.box].tag == "dt":
                return [(before.text, before.box)]
        return []

    def _own_parts(self, mention: Mention) -> list[tuple[str, int]]:
        """Return what the mention's own line says beside the name."""
        if mention.before:
            return [(mention.before, -1)]
        if mention.shape != "piece":
            return [(mention.rest, -1)] if mention.rest else []
        line = self.doc.lines[mention.line]
        parts = [(piece.text.strip(EDGES), piece.box) for piece in line.pieces[1:]]
        return [(text, box) for text, box in parts if text and text not in mention.name]

    def _assets(self, mention: Mention, card: int) -> dict[str, str]:
        """Return profile link, photo, e-mail and handle of the card."""
        if card >= 0:
            box = self.doc.boxes[card]
            found = self.doc.assets[box.first_asset : box.last_asset][:20]
        else:
            start = bisect_left(self.doc.assets, mention.line, key=lambda asset: asset.line)
            found = [
                asset
                for asset in self.doc.assets[start : start + 20]
                if asset.line == mention.line and asset.kind != "photo"
            ]
        return _known_by(found, mention.name)


def _parts_of(line: Line) -> list[Piece]:
    """Return the pieces of a line, or the line as one where nothing marks them."""
    return (
        line.pieces if len(line.pieces) > 1 and len(line.text) > 0 else [Piece(line.text, line.pieces[0].box)]
    )


def _known_by(assets: list[Asset], name: str) -> dict[str, str]:
    """Sort the links and photos of a card."""
    known = {"link": "", "photo": "", "email": "", "handle": ""}
    for asset in assets:
        value = asset.value.strip()
        low = value.lower()
        if asset.kind == "photo":
            kind = "photo"
        elif low.startswith("mailto:"):
            kind, value = "email", low[7:].split("?")[0]
        elif any(site in low for site in _HANDLES):
            kind = "handle"
        elif (
            asset.kind == "link"
            and value not in _GENERIC_LINKS
            and not low.startswith(("tel:", "javascript:", "data:", "#"))
        ):
            kind = "link"
        else:
            continue
        if kind == "link" and known["link"] and look(asset.text) is Look.YES and asset.text == name:
            known["link"] = value
        known[kind] = known[kind] or value
    return known


def _score(text: str, hint: Hint, given: str, order: int) -> int:  # noqa: PLR0911 - each return is a rule
    """Say how much a text looks like the title of the person beside it; 0 is none."""
    if not text or len(text) > MOST_TITLE or hint in _NO_TITLES:
        return 0
    if _is_address(text) or is_prose(text, given) or not any(letter.isalpha() for letter in text):
        return 0
    if hint is Hint.TITLE:
        return 8 - order
    if is_degree(text) or _is_label(text):
        return 0
    if hint is Hint.LABEL and look(text) is not Look.YES:
        return 6 - order
    if has_title_word(text):
        return 5 - order
    return 2 if order == 0 else 1 if order == 1 else 0


def _is_address(text: str) -> bool:
    """Say whether a text is an address or a handle, unlike "Engineer @ Acme"."""
    return "://" in text or (
        "@" in text and (_JOINED_AT.search(text) is not None or not has_title_word(text))
    )


_LABELS = frozenset(
    "read more|learn more|more|view profile|profile|view bio|bio|full "
    "bio|biography|email|e-mail|contact|linkedin|twitter|github|website|"
    "facebook|instagram|he/him|she/her|they/them|mehr|mehr erfahren|en savoir plus|leer mas|saiba "
    "mais|vcard|download vcard|x|"
    "mastodon|homepage|blog|cv|call|phone|orcid|google scholar|close|open|+|show more|read bio|see "
    "more|follow|connect".split("|"),
)


def _is_label(text: str) -> bool:
    return fold(text).strip(" .:→»>()") in _LABELS


def _bare(name: str) -> str:
    return _PRONOUNS.sub("", name).strip(EDGES)


def _trimmed(title: str) -> str:
    """Return a title without the brackets around it and the degrees before it."""
    found = _AFTER_DEGREE.match(title)
    if found and is_degree(found[1]):
        title = found[2]
    title = title.strip(EDGES)
    return title[1:-1] if title[:1] == "(" and title[-1:] == ")" and title.count("(") == 1 else title

"""What the author's own marks say about a piece of text: its class, its microdata, its column's heading."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from watchers.web.blocks import Box, Document
from watchers.web.folding import words


class Hint(StrEnum):
    """Which part of a person's card a text is."""

    NONE = ""
    NAME = "name"
    FIRST = "first"
    LAST = "last"
    LABEL = "label"
    """Marked as a title: of the card, which is the name, or of the person."""
    TITLE = "title"
    ORG = "org"
    BIO = "bio"
    CONTACT = "contact"
    STATUS = "status"
    OTHER = "other"


_TOKENS: dict[str, Hint] = {
    **dict.fromkeys(
        "role roles position jobtitle job function designation occupation poste funktion rolle subtitle "
        "cargo headline "
        "rank funcion funcao ruolo functie titel tytul stanowisko beruf amt".split(),
        Hint.TITLE,
    ),
    **dict.fromkeys(
        "org organization organisation company employer affiliation firm institution worksfor employer "
        "firma "
        "unternehmen entreprise empresa societe azienda".split(),
        Hint.ORG,
    ),
    **dict.fromkeys("bio biography description desc note excerpt bios blurb".split(), Hint.BIO),
    **dict.fromkeys(
        "email mail phone tel telephone social socials links button btn cta twitter linkedin github handle "
        "contact icon "
        "icons fax".split(),
        Hint.CONTACT,
    ),
    **dict.fromkeys(
        "location city country office region timezone pronouns pronoun year years since tags tag skills "
        "department dept division area team".split(),
        Hint.OTHER,
    ),
    **dict.fromkeys("status".split(), Hint.STATUS),
    **dict.fromkeys("fn fullname displayname".split(), Hint.NAME),
    **dict.fromkeys("firstname givenname forename vorname prenom".split(), Hint.FIRST),
    **dict.fromkeys("lastname familyname surname nachname".split(), Hint.LAST),
}

_COLUMNS: dict[str, Hint] = {
    **dict.fromkeys(
        "name names member person employee mitarbeiter nom nombre nome naam namn navn nimi nazwisko jmeno "
        "nev isim имя фио "
        "氏名 名前 姓名 이름 staff contact fullname who".split(),
        Hint.NAME,
    ),
    **dict.fromkeys(
        "role roles title titles position job function responsibility responsibilities designation funktion"
        " rolle poste "
        "fonction cargo funcion funcao ruolo functie titel befattning stilling tehtava stanowisko funkce "
        "beosztas unvan должность "
        "役職 职位 職位 직책 duty what aufgabe aufgaben rank office".split(),
        Hint.TITLE,
    ),
    **dict.fromkeys(
        "company organization organisation organizations affiliation employer institution firma unternehmen"
        " entreprise "
        "empresa azienda bedrijf foretag virksomhed компания 会社 所属 公司 소속 "
        "org institute university".split(),
        Hint.ORG,
    ),
    **dict.fromkeys("status state active membership".split(), Hint.STATUS),
    **dict.fromkeys(
        "email e-mail mail phone telephone tel telefon telephone telefono mobile fax website links github "
        "twitter".split(),
        Hint.CONTACT,
    ),
    **dict.fromkeys("bio biography about notes interests remarks".split(), Hint.BIO),
    **dict.fromkeys(
        "location office city country room building timezone department team since until joined term years "
        "dates date".split(),
        Hint.OTHER,
    ),
}
_FIRST_COLUMNS = frozenset(
    "first given forename firstname vorname prenom fornamn fornavn voornaam nombres".split()
)
_LAST_COLUMNS = frozenset(
    "last family surname lastname nachname apellido apellidos achternaam efternamn etternavn cognome".split()
)
_LEVELS = 3
_CARD_TOKENS = frozenset(
    "card cards member members team person people profile grid list item wrapper col column box row".split()
)


@lru_cache(maxsize=8_192)
def _by_tokens(tokens: frozenset[str]) -> Hint:  # noqa: PLR0911 - each return is a rule
    """Judge by the words of class, id and itemprop; a card's own class says nothing of its parts."""
    if {"job", "title"} <= tokens or "jobtitle" in tokens:
        return Hint.TITLE
    if {"first", "name"} <= tokens or {"given", "name"} <= tokens:
        return Hint.FIRST
    if {"last", "name"} <= tokens or {"family", "name"} <= tokens:
        return Hint.LAST
    for hint in (Hint.NAME, Hint.FIRST, Hint.LAST, Hint.ORG, Hint.CONTACT, Hint.TITLE, Hint.BIO, Hint.STATUS):
        if any(_TOKENS.get(token) is hint for token in tokens):
            return hint
    if tokens & {"name", "nombre"} and not tokens & {"company", "org"}:
        return Hint.NAME
    if "title" in tokens or "heading" in tokens:
        return Hint.LABEL
    return (
        Hint.OTHER if any(_TOKENS.get(token) is Hint.OTHER for token in tokens - _CARD_TOKENS) else Hint.NONE
    )


class Hints:
    """The hints of a document, with the headings of its tables' columns."""

    def __init__(self, doc: Document) -> None:
        self._doc = doc
        self._columns: dict[int, Hint] = {}
        self._cache: dict[int, Hint] = {}
        self._read_tables()

    def of(self, index: int) -> Hint:
        """Return what the marks around a text say; the innermost mark counts."""
        if index in self._cache:
            return self._cache[index]
        hint = Hint.NONE
        for level, outer in enumerate(self._doc.up(index)):
            box = self._doc.boxes[outer]
            if outer in self._columns:
                hint = self._columns[outer]
            elif level < _LEVELS and _fits_a_part(box):
                hint = _by_tokens(box.tokens) if box.tokens else Hint.NONE
                if hint is Hint.NAME and "itemprop" in box.attrs and self._of_company(outer):
                    hint = Hint.ORG
            if hint is not Hint.NONE or box.tag in {"tr", "li", "article", "section", "table", "body"}:
                break
        self._cache[index] = hint
        return hint

    def _of_company(self, index: int) -> bool:
        """Say whether microdata names something else than a person here."""
        for outer in self._doc.up(self._doc.boxes[index].parent):
            box = self._doc.boxes[outer]
            if "itemscope" in box.attrs:
                return "person" not in box.attrs.get("itemtype", "person").lower()
        return False

    def _read_tables(self) -> None:
        """Give every cell of a table with headed columns the hint of its column."""
        tables: dict[int, list[list[int]]] = {}
        row_of: dict[int, int] = {}
        for index, box in enumerate(self._doc.boxes):
            if box.tag == "tr":
                table = next(
                    (outer for outer in self._doc.up(index) if self._doc.boxes[outer].tag == "table"), -1
                )
                tables.setdefault(table, []).append([])
                row_of[index] = len(tables[table]) - 1
            elif box.tag in {"td", "th"} and box.parent in row_of:
                table = next(
                    (outer for outer in self._doc.up(index) if self._doc.boxes[outer].tag == "table"), -1
                )
                tables[table][row_of[box.parent]].append(index)
        for rows in tables.values():
            self._read_table(rows)

    def _read_table(self, rows: list[list[int]]) -> None:
        heads = [self._head(cell) for cell in rows[0]] if rows else []
        if len(heads) < 2 or sum(hint is not Hint.NONE for hint in heads) < 2:  # noqa: PLR2004 - one word is no row of headings
            return
        for row in rows[1:]:
            if len(row) == len(heads):
                self._columns.update(
                    (cell, hint) for cell, hint in zip(row, heads, strict=True) if hint is not Hint.NONE
                )

    def _head(self, cell: int) -> Hint:
        box = self._doc.boxes[cell]
        text = (
            " ".join(line.text for line in self._doc.lines[box.first : box.first + 1])
            if box.last > box.first
            else ""
        )
        found = words(text)
        if not found or len(found) > 4:  # noqa: PLR2004 - a column's heading is short
            return Hint.NONE
        if found[0] in _FIRST_COLUMNS:
            return Hint.FIRST
        if found[0] in _LAST_COLUMNS:
            return Hint.LAST
        return next((_COLUMNS[word] for word in reversed(found) if word in _COLUMNS), Hint.NONE)


def _fits_a_part(box: Box) -> bool:
    return box.last - box.first <= 4  # noqa: PLR2004 - a part of a card is short; more is the card

"""Read people out of the data in a page's scripts: JSON-LD, and the state that a framework renders from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from watchers.web.folding import clean, fold
from watchers.web.headings import Kind, kind_of
from watchers.web.namelike import Look, look
from watchers.web.persons import Person

MOST_SCRIPT = 3_000_000
MOST_NODES = 100_000
MOST_PEOPLE = 5_000
_MOST_DEPTH = 60
_STATUS_LETTERS = 60

_STARTS = re.compile(r"(?:=|\(|^)\s{0,20}(?=[{\[])")
_PARSED = re.compile(r"JSON\.parse\(\s{0,20}(?=[\"'])")
_PUSHED = re.compile(r"self\.__next_f\.push\((?=\[)")
_MOST_STARTS = 50

_NAME = ("fullname", "displayname", "name", "personname", "membername", "employeename", "title")
_FIRST = ("firstname", "first", "givenname", "given", "forename", "vorname", "prenom", "nombre")
_LAST = ("lastname", "last", "familyname", "family", "surname", "nachname", "nom", "apellido", "apellidos")
_TITLE = (
    "jobtitle", "role", "position", "jobrole", "title", "designation", "occupation", "function",
    "headline", "job",
    "hasoccupation",
    "subtitle", "roles", "positiontitle", "jobposition", "funktion", "poste", "cargo", "tagline",
)  # fmt: skip
_ORG = (
    "worksfor",
    "company",
    "organization",
    "organisation",
    "org",
    "employer",
    "affiliation",
    "institution",
    "companyname",
)
_PHOTO = ("image", "photo", "avatar", "picture", "headshot", "img", "photourl", "imageurl", "portrait")
_LINK = ("url", "link", "href", "profileurl", "permalink", "path", "slug")
_EMAIL = ("email", "mail", "emailaddress")
_HANDLE = ("github", "twitter", "linkedin", "handle", "githubusername", "username", "login")
_SECTION = ("department", "team", "group", "section", "category", "division")
_STATUS = ("status", "state", "type", "group", "category", "membership", "section", "tag", "label")
_LEFT = (
    "former",
    "isformer",
    "alumni",
    "isalumni",
    "alumnus",
    "emeritus",
    "retired",
    "deceased",
    "left",
    "departed",
    "inactive",
)
_HEADINGS = ("title", "name", "heading", "label", "headline", "group", "section")
_NOT_MEMBERS = frozenset(
    "author authors creator publisher posts post news articles article blog events event testimonials "
    "testimonial quotes quote "
    "reviews review reviewedby customers clients jobs vacancies products product speakers podcast comments "
    "contributor editor nav menu footer mentions sponsor award alumniof".split(),
)
_FORMER_KEYS = frozenset(
    "alumni formermembers former formerteam past pastmembers pastteam emeritus emeriti inmemoriam memoriam "
    "retired "
    "previous previousmembers departed exmembers alumnae formerstaff inactive ehemalige".split(),
)

_TAG = re.compile(r"<[^<>]{0,200}>")
_KEY = re.compile(r"[^a-z]")

Node = dict[str, Any]


def people_in_scripts(scripts: list[tuple[str, str]]) -> list[Person]:
    """Return the people in a page's scripts, in order; what cannot be read is skipped."""
    found: list[Person] = []
    for kind, text in scripts:
        if not text or len(text) > MOST_SCRIPT:
            continue
        linked = "ld+json" in kind
        for value in _values(kind, text):
            found += _people(value, linked=linked)
            if len(found) > MOST_PEOPLE:
                return found[:MOST_PEOPLE]
    return found


def _values(kind: str, text: str) -> Iterator[Any]:
    """Yield the JSON values that a script holds: alone, parsed, pushed, or assigned."""
    if "json" in kind:
        value = _decode(text.strip().removeprefix("<!--").removesuffix("-->"))
        if value is not None:
            yield value
        return
    if kind not in {"", "module"} and "javascript" not in kind:
        return
    yield from _parsed(text)
    yield from _pushed(text)
    at = 0
    for _ in range(_MOST_STARTS):
        found = _STARTS.search(text, at)
        if not found:
            return
        value, length = _decode_at(text, found.end())
        at = found.end() + max(1, length)
        if length > 20:  # noqa: PLR2004 - shorter holds nobody
            yield value


def _parsed(text: str) -> Iterator[Any]:
    """Yield what JSON.parse is given as a string."""
    for match in list(_PARSED.finditer(text))[:_MOST_STARTS]:
        inner = _decode(text[match.end() :])
        if isinstance(inner, str) and (value := _decode(inner)) is not None:
            yield value


def _pushed(text: str) -> Iterator[Any]:
    """Yield the values in the stream that the newer Next.js sends: strings with JSON after a mark."""
    for match in list(_PUSHED.finditer(text))[:_MOST_STARTS]:
        pushed = _decode(text[match.end() :])
        for part in pushed if isinstance(pushed, list) else ():
            starts = [part.find(mark) for mark in "[{"] if isinstance(part, str) else []
            start = min((place for place in starts if place >= 0), default=-1)
            if start >= 0 and (value := _decode(part[start:])) is not None:
                yield value


def _decode(text: str) -> Any:
    return _decode_at(text, 0)[0]


def _decode_at(text: str, start: int) -> tuple[Any, int]:
    """Decode the JSON value that begins there; None and no length where there is none."""
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, 0
    return value, end - start


def _people(value: Any, *, linked: bool) -> list[Person]:
    """Walk a value without recursion and return the people in it."""
    found: list[Person] = []
    # Each with the key it stands under, why those below left, the heading above, and how deep it lies.
    todo: list[tuple[Any, str, str, str, int]] = [(value, "", "", "", 0)]
    nodes = 0
    while todo and nodes < MOST_NODES:
        node, key, former, heading, depth = todo.pop()
        nodes += 1
        if depth > _MOST_DEPTH:
            continue
        if isinstance(node, list):
            todo += [(item, key, former, heading, depth + 1) for item in reversed(node)]
        elif isinstance(node, dict):
            folded = {_KEY.sub("", fold(str(name))): item for name, item in list(node.items())[:200]}
            person = _person(folded, key, former, heading, linked=linked)
            if person:
                found.append(person)
                continue
            below = _heading(folded) or heading
            for raw, item in reversed(list(node.items())):
                name = _KEY.sub("", fold(str(raw)))
                if isinstance(item, dict | list) and name not in _NOT_MEMBERS:
                    why = (
                        former
                        or _former_key(name)
                        or (below if below != heading and kind_of(below) is Kind.FORMER else "")
                    )
                    todo.append((item, name, why, below, depth + 1))
    return found


def _former_key(name: str) -> str:
    return name if name in _FORMER_KEYS else ""


def _heading(node: Node) -> str:
    return next(
        (clean(node[key])[:120] for key in _HEADINGS if isinstance(node.get(key), str) and node[key].strip()),
        "",
    )


def _string(value: Any) -> str:
    """Return the text of a value that may be wrapped: {"label": "CEO"}, ["CEO"], {"src": "a.png"}."""
    for _ in range(4):
        if isinstance(value, str):
            return clean(unescape(_TAG.sub(" ", value[:2_000])))[:500]
        if isinstance(value, list):
            if value and all(isinstance(item, str) for item in value):
                return clean("; ".join(value)[:500])
            value = value[0] if value else ""
        elif isinstance(value, dict):
            keys = (
                "label",
                "name",
                "title",
                "text",
                "value",
                "rendered",
                "src",
                "url",
                "sourceurl",
                "en",
                "rolename",
            )
            low = {_KEY.sub("", fold(str(key))): item for key, item in value.items()}
            value = next((low[key] for key in keys if low.get(key)), "")
        else:
            return ""
    return ""


def _first(node: Node, keys: tuple[str, ...]) -> str:
    return next((text for key in keys if key in node and (text := _string(node[key]))), "")


def _person(node: Node, key: str, former: str, heading: str, *, linked: bool) -> Person | None:
    """Return the person that a node describes, or None."""
    kinds = node.get("type")
    named = {fold(str(kind)).rpartition("/")[2] for kind in (kinds if isinstance(kinds, list) else [kinds])}
    if linked and "person" not in named and not ({"employee", "member"} & named):
        return None
    if key in _NOT_MEMBERS:
        return None
    parts = (_first(node, _FIRST), _first(node, _LAST))
    name = " ".join(parts) if all(parts) else _first(node, _NAME)
    seen = look(name)
    used = (
        next((place for place in _NAME if place in node and _string(node[place])), "")
        if not all(parts)
        else ""
    )
    title = _first(node, tuple(place for place in _TITLE if place != used))
    roled = any(place in node for place in _TITLE if place not in {"title", used})
    extras = roled + sum(
        bool(_first(node, keys)) for keys in (_PHOTO, _EMAIL, _HANDLE, ("bio", "biography", "description"))
    )
    sure = linked or all(parts) or "person" in named
    if seen is Look.NO and not (sure and 0 < len(name) < 80 and name):  # noqa: PLR2004 - a name is short
        return None
    if not sure and not title and extras + (key in _LISTS) < (1 if seen is Look.YES else 2):
        return None
    if seen is Look.MAYBE and not sure and not (title or key in _LISTS):
        return None
    return Person(
        name=name[:120],
        title="" if title == name else title,
        org=_first(node, _ORG),
        section=_first(node, _SECTION) or heading,
        link=_first(node, _LINK)[:300],
        photo=_first(node, _PHOTO)[:300],
        email=_first(node, _EMAIL).removeprefix("mailto:")[:200].lower(),
        handle=_first(node, _HANDLE)[:200],
        former=former or _left(node),
        source="jsonld" if linked else "json",
        style="json",
    )


_LISTS = frozenset(
    "members member people person team staff employees employee users persons teammembers profiles "
    "directory board leadership "
    "teammember committee maintainers contributors items nodes".split(),
)


def _left(node: Node) -> str:
    """Return why a person's own data says that they left, or nothing."""
    for name in _LEFT:
        if node.get(name) is True:
            return name
    if any(node.get(name) is False for name in ("active", "isactive", "current", "iscurrent")):
        return "not active"
    for name in _STATUS:
        text = _string(node.get(name))
        if (
            text
            and len(text) < _STATUS_LETTERS
            and (kind_of(text) is Kind.FORMER or fold(text) in {"inactive", "left", "alumni"})
        ):
            return text
    end = node.get("deathdate")
    return "deceased" if isinstance(end, str) and end else ""

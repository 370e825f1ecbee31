"""Read the texts of notes: those that come with Stillthere, and the team's own in their place.

Every text is tried when it is read, so that a slip is found at the start and not by the rep who needs it.
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from jinja2 import TemplateError, TemplateSyntaxError

from bot.model import NeedsHuman
from bot.notes import FACTS, Template, Wording

Language = Literal["en", "de"]

SHIPPED = Path(__file__).with_name("templates")
ABOUT: Mapping[Language, str] = {"en": "our project with {}", "de": "unserem Projekt mit {}"}
ENDING = ".txt"
LARGEST = 20_000
"""Bytes of one text; nobody copies a longer note."""

SAMPLES = (
    {
        "first": "Jane",
        "name": "Jane Doe",
        "champion": "Ann Lee",
        "account": "Acme",
        "deal": "Renewal",
        "subject": "Renewal",
    },
    {**FACTS, "champion": "ann@acme.example", "account": "acme.example", "subject": "our project"},
)


@cache
def shipped(language: Language = "en") -> Wording:
    """Return the texts that come with Stillthere."""
    return Wording(_texts(SHIPPED / language), ABOUT[language])


def load(folder: Path | None, language: Language) -> Wording:
    """Return the texts of a language, with those of the folder in their place.

    Raise NeedsHuman with file and line where a text of the folder is broken or is none of ours.
    """

    def stop(problem: NeedsHuman) -> None:
        raise problem

    return usable(folder, language, stop)


def usable(folder: Path | None, language: Language, told: Callable[[NeedsHuman], None]) -> Wording:
    """Return the same, with our own text in the place of each that is broken; `told` hears of every one."""
    if folder is None:
        return shipped(language)
    ours, own = _texts(SHIPPED / language), {}
    try:
        paths = _files(folder)
    except NeedsHuman as problem:
        told(problem)
        paths = []
    for path in paths:
        try:
            template, text = _template(path), _read(path)
            _try(Wording({template.value: text}, ABOUT[language]), template, path)
            own[template.value] = text
        except NeedsHuman as problem:
            told(problem)
    return Wording({**ours, **own}, ABOUT[language], shipped(language))


def _texts(folder: Path) -> dict[str, str]:
    return {one.value: (folder / f"{one}{ENDING}").read_text(encoding="utf-8") for one in Template}


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ENDING)
    except OSError as error:
        how = "name a folder with 'notes.folder' in config.yaml, or leave it out"
        raise NeedsHuman(f"{folder}: {error.strerror}", how) from error


def _template(path: Path) -> Template:
    if path.stem in set(Template):
        return Template(path.stem)
    near = difflib.get_close_matches(path.stem, list(Template), 1)
    known = ", ".join(f"{one}{ENDING}" for one in Template)
    how = f"did you mean {near[0]}{ENDING}?" if near else f"known are: {known}"
    raise NeedsHuman(f"{path}: there is no note of that name", how)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise NeedsHuman(f"{path}: {error.strerror}", "let the service read it, or remove it") from error
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise NeedsHuman(f"{path}:{line}: is not text in UTF-8", "save it as UTF-8") from error
    if len(raw) > LARGEST:
        raise NeedsHuman(f"{path}: is longer than {LARGEST} bytes", "shorten it: a note is a few sentences")
    return text


def _try(wording: Wording, template: Template, path: Path) -> None:
    """Fill a text with samples; raise NeedsHuman with file and line where that fails."""
    try:
        text = [wording.templates.get_template(template.value).render(facts) for facts in SAMPLES]
    except TemplateSyntaxError as error:
        raise NeedsHuman(f"{path}:{error.lineno}: {error.message}", "put that right") from error
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        line = _line(error)
        how = f"a note knows: {', '.join(FACTS)}"
        raise NeedsHuman(f"{path}:{line}: {str(error)[:200]}", how) from error
    if not all(one.strip() for one in text):
        raise NeedsHuman(f"{path}:1: says nothing", "write the note, or remove the file to use ours")


def _line(error: Exception) -> int:
    """Return the line of the template on which an error arose: Jinja writes it into the traceback."""
    lines = [
        frame.lineno or 1
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == "<template>"
    ]
    return lines[-1] if lines else 1

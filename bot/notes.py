"""Draft a short note to the champion, the successor or somebody who remains, for the rep to copy. Pure.

Nothing is ever sent, and the rep's mail program signs. A draft says only what the reader may know we know: no
bounce, no signal, no guess about their colleague. Words of farewell are written only to somebody who left by
their own word. The texts are templates that the team can edit (`bot.wording` reads them).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from jinja2 import DictLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.model import Alert, Assessment, Family, Means, Verdict

NAME = 60
LONGEST = 2000
"""Characters of a whole draft; names are cut long before."""


class To(StrEnum):
    """Whom a note is for."""

    CHAMPION = "champion"
    SUCCESSOR = "successor"
    COLLEAGUE = "colleague"


class Template(StrEnum):
    """Which text a note is made of; the file of each is called like it."""

    SECOND_CONTACT = "second_contact"
    STILL_YOU = "still_you"
    FAREWELL = "farewell"
    SUCCESSOR = "successor"
    COLLEAGUE = "colleague"


@dataclass(frozen=True, slots=True)
class Note:
    """A draft: for whom, under which name they are known, and the text."""

    to: To
    name: str
    address: str
    text: str


FACTS = {"first": "", "name": "", "champion": "", "account": "", "deal": "", "subject": ""}
"""What a template may name: the reader's first and full name, empty where unknown; the champion; the account;
the deal, empty where there is none; and what it is about, the deal or else "our project with" the account."""


class Wording:
    """The texts of one language, each as a template; what a broken one says, the shipped one says instead.

    Templates run in a sandbox: they see the facts and nothing else, and what is not a fact is an error.
    """

    def __init__(
        self, texts: Mapping[str, str], about: str = "our project with {}", shipped: Wording | None = None
    ) -> None:
        self.about = about
        self._shipped = shipped
        loader = DictLoader(dict(texts))
        self.templates = ImmutableSandboxedEnvironment(
            loader=loader,
            undefined=StrictUndefined,
            autoescape=False,
            keep_trailing_newline=False,
        )

    def fill(self, template: Template, facts: Mapping[str, str]) -> str:
        """Return a note's text."""
        try:
            return self.templates.get_template(template.value).render(facts).strip()[:LONGEST]
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError):
            # It was tried when it was loaded; what fails for these facts alone must not fail the rep.
            if self._shipped is None:
                raise
            return self._shipped.fill(template, facts)


def drafts(raised: Alert, wording: Wording) -> list[Note]:
    """Return a draft for everybody who could be written to, the most useful first.

    To somebody who has left the note comes last: nobody is handed a farewell unasked.
    """
    assessment = raised.assessment
    people = sorted(assessment.suggestions, key=lambda one: not one.successor)
    others = [
        Note(
            To.SUCCESSOR if one.successor else To.COLLEAGUE,
            _line(one.name or one.address),
            _line(one.address),
            _fill(Template.SUCCESSOR if one.successor else Template.COLLEAGUE, raised, one.name, wording),
        )
        for one in people
    ]
    contact = raised.contact
    text = _fill(_to_champion(assessment), raised, contact.name, wording)
    champion = Note(To.CHAMPION, _line(contact.label), _line(contact.address), text)
    return [champion, *others] if assessment.verdict is Verdict.SLIPPING else [*others, champion]


def _to_champion(assessment: Assessment) -> Template:
    if assessment.verdict is Verdict.LEFT and _said_it_themselves(assessment):
        return Template.FAREWELL
    gone = assessment.verdict in {Verdict.LEFT, Verdict.LIKELY_LEFT}
    return Template.STILL_YOU if gone else Template.SECOND_CONTACT


def _said_it_themselves(assessment: Assessment) -> bool:
    """Say whether they left by their own word: a goodbye, or their mailbox's reply."""
    return any(
        item.explicit and item.means is Means.GONE and item.family is Family.MAIL and item.weight > 0
        for item in assessment.evidence
    )


def _fill(template: Template, raised: Alert, name: str, wording: Wording) -> str:
    contact = raised.contact
    deal = _line(contact.deal.name) if contact.deal else ""
    account = _line(contact.account_name)
    facts = {
        "first": next(iter(_words(name[:NAME])), ""),
        "name": _line(name),
        "champion": _line(contact.label),
        "account": account,
        "deal": deal,
        "subject": deal or wording.about.format(account),
    }
    return wording.fill(template, facts)


def _line(text: str) -> str:
    """Return text from outside on one line, without what cannot be seen, cut to the length of a name."""
    return " ".join(_words(text))[:NAME].strip()


def _words(text: str) -> Iterator[str]:
    shown = "".join(one if one.isprintable() else " " for one in text[: 4 * NAME])
    return iter(shown.split())

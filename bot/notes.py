"""Draft a short note to the champion, the successor or somebody who remains, for the rep to copy. Pure.

Nothing is ever sent, and the rep's mail program signs. A draft says only what the reader may know we know: no
bounce, no signal, no guess about their colleague. Words of farewell are written only to somebody who left by
their own word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot.model import Alert, Verdict

NAME = 60
LONGEST = 2000
"""Characters of a whole draft; names are cut long before."""


class To(StrEnum):
    """Whom a note is for."""

    CHAMPION = "champion"
    SUCCESSOR = "successor"
    COLLEAGUE = "colleague"


@dataclass(frozen=True, slots=True)
class Note:
    """A draft: for whom, under which name they are known, and the text."""

    to: To
    name: str
    address: str
    text: str


CHECK_IN = """Hi {first},

I know that plans move, so just a short word about {subject}. Is the timing still right for you, or should \
we plan it differently? If somebody else should be in the loop, tell me whom, and I will sum up where we are.

Best regards"""

STILL_YOU = """Hi {first},

I was not sure whether my last message reached you. Are you still the right person for {subject}? If it \
moved to a colleague, a name would help me a lot.

Best regards"""

FAREWELL = """Hi {first},

thank you for the work together on {subject}. I wish you all the best for what comes next, and I would be \
glad to stay in touch.

Best regards"""

TO_SUCCESSOR = """Hi {first},

{champion} named you as the contact for our work with {account}. I would be glad to bring you up to date on \
{subject}: where we stand, what comes next and who is involved. Would 20 minutes this week or next suit you?

Best regards"""

TO_COLLEAGUE = """Hi {first},

we have been working on {subject} with {champion}, and I would like to have a second contact at {account} \
so that nothing is left lying. Would you be the right person, or could you name who is? I am glad to sum up \
where we stand in 20 minutes.

Best regards"""


def drafts(raised: Alert) -> list[Note]:
    """Return a draft for everybody who could be written to, the most useful first.

    To somebody who has left the note comes last: nobody is handed a farewell unasked.
    """
    people = sorted(raised.assessment.suggestions, key=lambda one: not one.successor)
    others = [
        Note(
            To.SUCCESSOR if one.successor else To.COLLEAGUE,
            _line(one.name or one.address),
            _line(one.address),
            _fill(TO_SUCCESSOR if one.successor else TO_COLLEAGUE, raised, one.name),
        )
        for one in people
    ]
    contact = raised.contact
    text = {Verdict.LEFT: FAREWELL, Verdict.LIKELY_LEFT: STILL_YOU}.get(raised.assessment.verdict, CHECK_IN)
    champion = Note(
        To.CHAMPION, _line(contact.label), _line(contact.address), _fill(text, raised, contact.name)
    )
    return [champion, *others] if raised.assessment.verdict is Verdict.SLIPPING else [*others, champion]


def _fill(template: str, raised: Alert, name: str) -> str:
    contact = raised.contact
    deal = _line(contact.deal.name) if contact.deal else ""
    facts = {
        "first": next(iter(_words(name)), "") or "there",
        "champion": _line(contact.label),
        "account": _line(contact.account_name),
        "subject": deal or f"our project with {_line(contact.account_name)}",
    }
    return template.format_map(facts)[:LONGEST]


def _line(text: str) -> str:
    """Return text from outside on one line, without what cannot be seen, cut to the length of a name."""
    return " ".join(_words(text))[:NAME].strip()


def _words(text: str) -> Iterator[str]:
    shown = "".join(one if one.isprintable() else " " for one in text[: 4 * NAME])
    return iter(shown.split())

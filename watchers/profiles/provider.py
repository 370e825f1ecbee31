"""The seam to whoever sells records of people: one class with one method is a provider.

A provider is opened for one pass (`async with`), asked for one contact at a time, and answers with a `Record`
or None. It raises `NeedsHuman` for what only the operator can mend (a refused key, no credits left) and
`SourceDown` for what passes (limits, outages). When to ask, whom, and what a record means, others decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from types import TracebackType
from typing import ClassVar, Protocol, Self

from bot.model import Contact


@dataclass(frozen=True, slots=True)
class Record:
    """What a provider knows of somebody's present job; what it does not know is empty or None.

    `site` is the employer's domain. `since` is when the job began, `changed` when the provider saw the job
    change. `likelihood` is how sure it is, from 1 to 10, that the record is of the person asked for.
    """

    employer: str
    site: str = ""
    title: str = ""
    since: date | None = None
    changed: date | None = None
    likelihood: int = 0


class Provider(Protocol):
    """Looks people up, for money."""

    label: ClassVar[str]
    """The name that sentences give as the source."""

    async def __aenter__(self) -> Self:
        """Open the line."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the line."""

    async def look_up(self, contact: Contact) -> Record | None:
        """Return what is known of a contact's present job; None where nobody is found.

        One call is one request: the caller counts them. Raises `SourceDown` and `NeedsHuman`.
        """

"""Look people up at People Data Labs, with the operator's own key.

https://docs.peopledatalabs.com/docs/reference-person-enrichment-api: one request is one person; a match costs
a credit, 404 costs none. Only what is read is asked for. Limits: /docs/usage-limits, errors: /docs/errors.
"""

from __future__ import annotations

import re
from contextlib import AbstractAsyncContextManager
from datetime import date, timedelta
from http import HTTPStatus
from types import TracebackType
from typing import ClassVar, Self

from bot.model import Contact, NeedsHuman, SourceDown
from watchers.profiles.line import Line, text
from watchers.profiles.provider import Record

API = "https://api.peopledatalabs.com"
FIELDS = ("job_company_name", "job_company_website", "job_title", "job_start_date", "job_last_changed")
WINDOW = timedelta(minutes=1)
"""Requests are counted by the minute: after that, another may be sent."""

_CURES = {
    401: ("refuses the key", "put a valid one into {key_env}"),
    402: ("has no credits left for us", "buy some, or turn watchers.data_provider off until the next term"),
    403: ("does not let this key look people up", "see what its plan allows"),
}
_DATE = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?(?:[T ].{0,30})?")


class PeopleDataLabs(AbstractAsyncContextManager["PeopleDataLabs"]):
    """The person enrichment interface, version 5."""

    label: ClassVar[str] = "People Data Labs"

    def __init__(self, key: str, key_env: str, min_likelihood: int, api: str = "") -> None:
        self._key_env = key_env
        self._min_likelihood = min_likelihood
        self._line = Line(api or API, {"X-Api-Key": key, "Accept": "application/json"})

    async def __aenter__(self) -> Self:
        """Return the provider; its line opens with the first request."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the line."""
        await self._line.__aexit__(kind, error, trace)

    async def look_up(self, contact: Contact) -> Record | None:
        """Ask for a person by address, and by name and company where they are known."""
        asked = {
            "email": contact.address,
            "name": contact.name,
            "company": contact.account,
            "min_likelihood": str(self._min_likelihood),
            "required": FIELDS[0],
            "data_include": ",".join(FIELDS),
            "titlecase": "true",
        }
        reply = await self._line.get(
            "/v5/person/enrich", {key: value for key, value in asked.items() if value}
        )
        if reply.status in _CURES:
            what, how = _CURES[reply.status]
            raise NeedsHuman(f"{self.label} {what}", how.format(key_env=self._key_env))
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise SourceDown(f"{self.label} asks for fewer requests", reply.retry_after or WINDOW)
        if reply.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}:
            return None
        told, likelihood = reply.fields.get("data"), reply.fields.get("likelihood")
        if reply.status != HTTPStatus.OK or not isinstance(told, dict) or not isinstance(likelihood, int):
            raise SourceDown(f"{self.label} answers in a form that is not documented ({reply.status})")
        employer = text(told.get(FIELDS[0])).strip()
        if not employer or likelihood < self._min_likelihood:
            return None
        return Record(
            employer=employer,
            site=text(told.get("job_company_website")).strip().lower(),
            title=text(told.get("job_title")).strip(),
            since=day(told.get("job_start_date")),
            changed=day(told.get("job_last_changed")),
            likelihood=likelihood,
        )


def day(value: object) -> date | None:
    """Return the first day of a date that is as exact as a day, a month or a year; None of anything else.

    >>> day("2026-04"), day("soon")
    (datetime.date(2026, 4, 1), None)
    """
    found = _DATE.fullmatch(text(value, 40))
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    except ValueError:
        return None

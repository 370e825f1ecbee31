"""Read and write HubSpot's CRM objects (v3), their associations (v4) and owners.

A search ends after 10,000 results, so none is paged to its end: each page begins behind the last id of the
page before. https://developers.hubspot.com/docs/api-reference/crm-objects-v3/guide
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pydantic import Field

from bot.model import NeedsHuman, SourceDown
from watchers.crm.line import Dialect, Line, number, pages, text, under
from watchers.mail.tokens import SAFE_ADDRESS
from watchers.secret import Secret
from watchers.settings import Settings
from watchers.values import objects

API = "https://api.hubapi.com/"
PAUSE = timedelta(seconds=0.25)
"""Between two requests: a search may be asked five times a second."""

PAGE = 100
ASSOCIATIONS_PAGE = 500
LISTED_PAGE = 250
GONE = "OBJECT_NOT_FOUND"
"""What a batch says of an id that is gone, and of a record without associations."""

MOST_RESULTS = 10_000
"""So many results a search gives at most, over all of its pages."""

READS = (
    "crm.objects.contacts.read",
    "crm.objects.companies.read",
    "crm.objects.deals.read",
    "crm.objects.owners.read",
)
"""The scopes that reading takes; logged mails and meetings count as part of their contacts."""

LISTS = "crm.lists.read"
MAILS = "sales-email-read"
WRITES = ("crm.objects.contacts.write",)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
A_MILLISECOND = timedelta(milliseconds=1)
"""What HubSpot dates to; a search also finds what changed earlier within the same one."""

Filter = Mapping[str, str]


class HubSpotAccess(Settings):
    """How HubSpot is opened: the token of a private app, in a variable or a file."""

    token_env: str = Field(default="HUBSPOT_TOKEN", description="the variable with a private app's token")
    token_file: Path | None = Field(
        default=None, description="the file with that token, instead of the variable"
    )
    api: str = Field(default=API, pattern=f"^{SAFE_ADDRESS}$", description="where HubSpot is")

    def line(self) -> Line:
        """Return a line to HubSpot."""
        return Line(self.api, _PrivateApp(self), DIALECT, PAUSE)


@dataclass(frozen=True)
class _PrivateApp:
    access: HubSpotAccess

    async def token(self, refused: str = "") -> str:
        """Return the token; it is read anew each time, so that it can be replaced while we run."""
        secret = Secret(self.access.token_env, self.access.token_file, "HubSpot's private app").read()
        if secret == refused:
            raise NeedsHuman(
                "HubSpot refuses the token: it is wrong, expired or revoked",
                "create a private app (Settings, Integrations, Private Apps) with the scopes "
                f"{', '.join(READS)} and put its token there",
            )
        return secret


@dataclass(frozen=True)
class Record:
    """A record of a CRM: what it is, its id, and its properties as they came."""

    what: str
    ident: str
    values: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Return a property as text; empty where it is not set."""
        return text(self.values.get(name))

    def moment(self, name: str) -> datetime | None:
        """Return a property that is a moment; None where it is none."""
        return moment(self.values.get(name))


def moment(value: object) -> datetime | None:
    """Read a moment in ISO 8601 or, as HubSpot also writes it, in milliseconds; None where it is none."""
    written = text(value)
    try:
        if re.fullmatch(r"\d{10,14}", written):
            return EPOCH + timedelta(milliseconds=int(written))
        read = datetime.fromisoformat(written.replace("+0000", "+00:00"))
    except (ValueError, OverflowError):
        return None
    try:
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None


class HubSpot:
    """What we ask of HubSpot, in our words."""

    def __init__(self, line: Line) -> None:
        self.line = line

    async def every(
        self, what: str, filters: Sequence[Filter], properties: Sequence[str]
    ) -> AsyncIterator[Record]:
        """Yield every record that fits all filters, by id."""
        behind = ""
        for _ in pages(self.line.host):
            after = [{"propertyName": "hs_object_id", "operator": "GT", "value": behind}] if behind else []
            found, is_last = await self._search(what, [*filters, *after], properties, "hs_object_id")
            if behind in {record.ident for record in found}:
                raise SourceDown(f"{self.line.host} does not go on where it was asked to")
            for record in found:
                yield record
            if is_last:
                return
            behind = found[-1].ident

    async def changed(
        self, what: str, stamp: str, since: datetime, properties: Sequence[str], *filters: Filter
    ) -> AsyncIterator[list[Record]]:
        """Yield pages of what changed since then, oldest first; `stamp` is the property that says when.

        Where one moment holds more than a page, as after an import, it is gone through by id.
        """
        at = since.replace(microsecond=since.microsecond // 1000 * 1000)
        wanted = [*properties, stamp]
        for _ in pages(self.line.host):
            newer = {"propertyName": stamp, "operator": "GTE", "value": _milliseconds(at)}
            found, is_last = await self._search(what, [newer, *filters], wanted, stamp)
            if found:
                yield found
            if is_last:
                return
            last = found[-1].moment(stamp)
            if last is None or last < at - A_MILLISECOND:
                raise SourceDown(f"{self.line.host} does not sort what it finds")
            if last <= at:
                exactly = {"propertyName": stamp, "operator": "EQ", "value": _milliseconds(at)}
                page: list[Record] = []
                async for record in self.every(what, [exactly, *filters], wanted):
                    page.append(record)
                    if len(page) == PAGE:
                        yield page
                        page = []
                if page:
                    yield page
                last = at + A_MILLISECOND if at < datetime.max.replace(tzinfo=UTC) - A_MILLISECOND else at
            at = last

    async def count(self, what: str, filters: Sequence[Filter] = ()) -> int:
        """Return how many records fit all filters."""
        return number(under(await self._ask(what, filters, (), "hs_object_id", 1), "total"))

    async def _search(
        self, what: str, filters: Sequence[Filter], properties: Sequence[str], by: str
    ) -> tuple[list[Record], bool]:
        """Return a page of records, and whether it is the last one: what is no record counts as one there."""
        told = await self._ask(what, filters, properties, by, PAGE)
        found, count = records(what, told), len(objects(under(told, "results")))
        if count >= PAGE and not found:
            raise SourceDown(f"{self.line.host} answers with a page of nothing that can be read")
        return found, count < PAGE

    async def _ask(
        self, what: str, filters: Sequence[Filter], properties: Sequence[str], by: str, limit: int
    ) -> Any:
        groups = [{"filters": [dict(one) for one in filters]}] if filters else []
        return await self.line.post(
            f"crm/v3/objects/{what}/search",
            {
                "filterGroups": groups,
                "properties": list(properties),
                "sorts": [{"propertyName": by, "direction": "ASCENDING"}],
                "limit": limit,
            },
        )

    async def batch(
        self, what: str, idents: Iterable[str], properties: Sequence[str]
    ) -> AsyncIterator[Record]:
        """Yield the records of these ids; one that is gone is left out (HubSpot answers 207 then)."""
        wanted = list(dict.fromkeys(idents))
        for begin in range(0, len(wanted), PAGE):
            inputs = [{"id": ident} for ident in wanted[begin : begin + PAGE]]
            told = await self._batch(
                f"crm/v3/objects/{what}/batch/read", {"inputs": inputs, "properties": list(properties)}
            )
            for record in records(what, told):
                yield record

    async def _batch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask for a batch. Raises `SourceDown` where something is left out that may be there."""
        told = await self.line.post(path, body)
        if any(text(error.get("category")) != GONE for error in objects(under(told, "errors"))):
            raise SourceDown(f"{self.line.host} answers a batch only in part")
        return told

    async def associated(self, what: str, idents: Sequence[str], to: str) -> dict[str, list[str]]:
        """Return the ids of the records of another type that are associated with each of these."""
        found: dict[str, list[str]] = {}
        for begin in range(0, len(idents), PAGE):
            inputs = [{"id": ident} for ident in idents[begin : begin + PAGE]]
            told = await self._batch(f"crm/v4/associations/{what}/{to}/batch/read", {"inputs": inputs})
            for one in objects(under(told, "results")):
                ident = text(under(one, "from", "id"))
                if not ident.isdigit():
                    continue
                found[ident] = _idents(one.get("to"), "toObjectId")
                if under(one, "paging", "next", "after"):
                    found[ident] = await self.neighbours(what, ident, to)
        return found

    async def neighbours(self, what: str, ident: str, to: str) -> list[str]:
        """Return the ids of everything of one type that is associated with one record."""
        found: list[str] = []
        path = f"crm/v4/objects/{what}/{ident}/associations/{to}"
        async for told in self._pages(path, {"limit": str(ASSOCIATIONS_PAGE)}):
            found += _idents(under(told, "results"), "toObjectId")
        return found

    async def owners(self) -> dict[str, str]:
        """Return the e-mail address of each active owner by id."""
        found: dict[str, str] = {}
        async for told in self._pages("crm/v3/owners", {"limit": str(PAGE), "archived": "false"}):
            for one in objects(under(told, "results")):
                if one.get("archived") is not True:
                    found[text(one.get("id"))] = text(one.get("email")).lower()
        return {ident: address for ident, address in found.items() if ident and address}

    async def members(self, listed: str) -> list[str]:
        """Return the ids of the records in a list."""
        found: list[str] = []
        path = f"crm/v3/lists/{listed}/memberships"
        async for told in self._pages(path, {"limit": str(LISTED_PAGE)}):
            found += _idents(under(told, "results"), "recordId")
        return found

    async def stages(self) -> dict[str, str]:
        """Return what the stages of all deal pipelines are called, by id."""
        told = await self.line.get("crm/v3/pipelines/deals")
        pipelines = objects(under(told, "results"))
        stages = [stage for pipeline in pipelines for stage in objects(pipeline.get("stages"))]
        return {text(stage.get("id")): text(stage.get("label")) for stage in stages}

    async def _pages(self, path: str, params: Mapping[str, str]) -> AsyncIterator[Any]:
        """Yield the pages of a listing. Raises `SourceDown` where one leads back to where it came from."""
        after, seen = "", set[str]()
        for _ in pages(self.line.host):
            told = await self.line.get(path, {**params, **({"after": after} if after else {})})
            yield told
            after = text(under(told, "paging", "next", "after"))
            if not after:
                return
            if after in seen:
                raise SourceDown(f"{self.line.host} answers with pages that lead back")
            seen.add(after)


def records(what: str, told: object) -> list[Record]:
    """Return the records of an answer."""
    found = [
        Record(what, text(one.get("id")), one["properties"])
        for one in objects(under(told, "results"))
        if isinstance(one.get("properties"), dict)
    ]
    return [one for one in found if one.ident]


def _idents(entries: object, name: str) -> list[str]:
    """Return the ids in a list of an answer; what has none is left out."""
    return [ident for one in objects(entries) if (ident := text(one.get(name))).isdigit()]


def _milliseconds(at: datetime) -> str:
    return str((at - EPOCH) // A_MILLISECOND)


def _code(told: object) -> str:
    code = text(under(told, "category"))
    return code if re.fullmatch(r"[A-Z_]{1,60}", code) else ""


def _cure(status: int, code: str, told: object) -> NeedsHuman | None:
    if code == "EXPIRED_AUTHENTICATION" or status == HTTPStatus.UNAUTHORIZED:
        return NeedsHuman(
            "HubSpot refuses the token", f"put the token of a private app with {', '.join(READS)} there"
        )
    if status != HTTPStatus.FORBIDDEN:
        return None
    missing = sorted(set(_scopes(told)))
    return NeedsHuman(
        "HubSpot's private app may not do this",
        f"grant it the scope {', '.join(missing)}" if missing else f"grant it the scopes {', '.join(READS)}",
    )


def _scopes(told: object) -> list[str]:
    """Return the scopes that a refusal says are missing."""
    contexts = [under(told, "context"), *(one.get("context") for one in objects(under(told, "errors")))]
    names = ("requiredGranularScopes", "requiredScopes")
    named = [under(context, name) for context in contexts for name in names]
    scopes = [scope for one in named if isinstance(one, list) for scope in one]
    return [scope for scope in scopes if isinstance(scope, str) and re.fullmatch(r"[a-z0-9._-]{3,80}", scope)]


DIALECT = Dialect(_code, _cure, frozenset({"RATE_LIMITS"}))

"""Read the calendars of a CalDAV server (RFC 4791) without changing anything in them.

Changes come by `sync-collection` (RFC 6578). A server without it is asked for the tags of what lies in the
window, and a server that lost the token likewise: what is listed again unchanged means nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Iterable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Literal

import httpx
import structlog
from pydantic import BaseModel, Field, model_validator

from bot.model import Json, NeedsHuman, SourceDown
from watchers import Settings
from watchers.calendar import MOST_ENTRIES, Entry, Page, Pass, dav, overfull, versions
from watchers.calendar.dav import CAL, CS, DAV, Multistatus, Resource
from watchers.calendar.line import Answer, Line, TooLarge
from watchers.calendar.split import entries
from watchers.cursor import Cursor
from watchers.secret import Secret

log = structlog.get_logger()

LARGEST = 20 * 2**20
AT_ONCE = 50
"""So many events are fetched with one request."""

MOST_CALENDARS = 50
MOST_STEPS = 100
"""So many answers a server may take to list what changed."""

THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})
LOST = frozenset({400, 403, 409, 410, 412})
"""How servers refuse a sync token they no longer know; RFC 6578 3.2 asks for 403 or 409."""


class CaldavCalendar(Settings):
    """Calendars on a CalDAV server: all of an account's own, those of some names, or one."""

    kind: Literal["caldav"]
    url: str = Field(pattern=r"^https?://\S+$", description="the server, the account, or one calendar")
    user: str = ""
    name: str = Field(default="", description="what to call it; user and host where empty")
    password_env: str = ""
    password_file: Path | None = None
    token_env: str = Field(default="", description="an OAuth 2 access token; read anew at each connection")
    token_file: Path | None = None
    calendars: tuple[str, ...] = Field(
        default=(), description="names of calendars; all of the account's own where empty"
    )
    history_days: int = Field(default=365, ge=1, le=1000, description="how far the first pass looks back")
    timeout_seconds: float = Field(default=60, gt=0, description="how long one answer may take")

    @property
    def label(self) -> str:
        """Return what the calendar is called."""
        return self.name or f"{self.user}@{httpx.URL(self.url).host}".removeprefix("@")

    @property
    def secret(self) -> Secret:
        """Return where the password or token stands."""
        variable, path = self.password_env or self.token_env, self.password_file or self.token_file
        return Secret(variable, path, self.user or self.label)

    def open(self) -> CaldavSource:
        """Return the source of its meetings."""
        return CaldavSource(self)

    def auth(self) -> httpx.Auth:
        """Return how to log in. Raises NeedsHuman where there is no secret."""
        if self.token_env or self.token_file:
            return _Bearer(self.secret.token())
        return httpx.BasicAuth(self.user, self.secret.read())

    @model_validator(mode="after")
    def _is_safe(self) -> CaldavCalendar:
        secrets = [self.password_env, self.password_file, self.token_env, self.token_file]
        if sum(map(bool, secrets)) != 1:
            raise ValueError("give exactly one of password_env, password_file, token_env, token_file")
        if (self.password_env or self.password_file) and not self.user:
            raise ValueError("a password needs a user")
        if self.url.startswith("http://") and httpx.URL(self.url).host not in THIS_MACHINE:
            raise ValueError("http:// would send the password in the clear; only this machine allows it")
        return self


class _Bearer(httpx.Auth):
    """Sends an access token (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add it to a request."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class _Reached(BaseModel):
    """How far one calendar was read: by token, or by the tag of the calendar and digests of what it held."""

    token: str = ""
    tag: str = ""
    held: str = ""


class _State(Cursor):
    """How far each calendar of the account was read, by its path."""

    calendars: dict[str, _Reached] = Field(default_factory=dict)


class CaldavSource:
    """The meetings in the calendars of one account."""

    def __init__(self, calendar: CaldavCalendar) -> None:
        self.calendar = calendar

    async def pages(self, state: Json, look: Pass) -> AsyncIterator[Page]:
        """Yield what changed, calendar by calendar; each is done when its state moves on."""
        reached = _State.of(state)
        async with Line(LARGEST, self.calendar.timeout_seconds, self.calendar.auth()) as line:
            asking = _Asking(line, self.calendar)
            found = await asking.calendars()
            paths = {_path(place) for place, _ in found}
            reached.calendars = {path: done for path, done in reached.calendars.items() if path in paths}
            for place, resource in found:
                before = reached.calendars.get(_path(place), _Reached())
                async for page, after in _Collection(asking, place, resource, look).pages(before):
                    if after is not None:
                        reached.calendars[_path(place)] = after
                    yield Page(reached.model_dump(), page.entries, gone=page.gone)


class _Asking:
    """Asks a CalDAV server, and says in the words of the house what its refusals mean."""

    def __init__(self, line: Line, calendar: CaldavCalendar) -> None:
        self.line = line
        self.calendar = calendar

    async def propfind(self, url: httpx.URL, depth: int, *names: str) -> tuple[httpx.URL, Multistatus]:
        """Return what there is at an address, and where that was after redirects."""
        answer = await self._ask("PROPFIND", url, depth, dav.propfind(*names))
        self.must_answer(answer)
        return answer.url, dav.multistatus(answer.body, url.host)

    async def report(self, url: httpx.URL, depth: int, body: bytes) -> Answer:
        """Return what a report answers, or its refusal where only the caller knows the meaning."""
        answer = await self._ask("REPORT", url, depth, body)
        if answer.status not in LOST:
            self.must_answer(answer)
        return answer

    async def calendars(self) -> list[tuple[httpx.URL, Resource]]:
        """Find the calendars of the account, or the one that the address names (RFC 6764 6, RFC 4791 6.2)."""
        start = httpx.URL(self.calendar.url)
        asked = ("d:resourcetype", "d:current-user-principal", "c:calendar-home-set", *ABOUT_CALENDAR)
        url, told = await self._first(start, asked)
        if not told.resources:
            raise _nothing_at(url)
        root = told.resources[0]
        if root.holds(f"{DAV}resourcetype", f"{CAL}calendar"):
            return [(url, root)]
        home = root.link(f"{CAL}calendar-home-set")
        if not home and (principal := root.link(f"{DAV}current-user-principal")):
            url, told = await self.propfind(_below(url, principal), 0, "c:calendar-home-set")
            home = told.resources[0].link(f"{CAL}calendar-home-set") if told.resources else ""
        url = _below(url, home) if home else url
        url, told = await self.propfind(url, 1, *ABOUT_CALENDARS)
        found = [
            (_below(url, one.href), one)
            for one in told.resources
            if one.holds(f"{DAV}resourcetype", f"{CAL}calendar") and self._is_wanted(one)
        ]
        if not found:
            which = " of these names" if self.calendar.calendars else " of its own"
            raise NeedsHuman(
                f"{self.calendar.label} shows no calendars{which}",
                "correct `url` or `user`, or name the calendars to read under `calendars`",
            )
        return found[:MOST_CALENDARS]

    async def _first(self, start: httpx.URL, asked: Sequence[str]) -> tuple[httpx.URL, Multistatus]:
        """Ask the address itself, and where it names nobody, the well-known one (RFC 6764 5)."""
        url, told = await self.propfind(start, 0, *asked)
        names = ("resourcetype", "current-user-principal")
        useful = any(one.props.get(f"{DAV}{name}") is not None for one in told.resources for name in names)
        if told.resources and useful:
            return url, told
        return await self.propfind(start.join("/.well-known/caldav"), 0, *asked)

    def _is_wanted(self, resource: Resource) -> bool:
        components = resource.props.get(f"{CAL}supported-calendar-component-set")
        kinds = {kind.get("name", "") for kind in components} if components is not None else {"VEVENT"}
        names = self.calendar.calendars
        return "VEVENT" in kinds and (
            resource.text(f"{DAV}displayname") in names if names else _own(resource)
        )

    async def _ask(self, method: str, url: httpx.URL, depth: int, body: bytes) -> Answer:
        headers = {"Depth": str(depth), "Content-Type": "application/xml; charset=utf-8"}
        return await self.line.ask(method, url, headers, body)

    def must_answer(self, answer: Answer) -> None:
        """Raise what a refusal means."""
        if answer.status == HTTPStatus.MULTI_STATUS:
            return
        calendar, host = self.calendar, answer.url.host
        if answer.status == HTTPStatus.UNAUTHORIZED:
            what = "token" if calendar.token_env or calendar.token_file else "password"
            raise NeedsHuman(
                f"{host} refuses the {what} of {calendar.user or calendar.label}",
                f"put the right one into {calendar.secret.where}; where the account has a second factor, "
                "make a password for this application",
            )
        if answer.status == HTTPStatus.FORBIDDEN:
            raise NeedsHuman(
                f"{host} does not let {calendar.user or calendar.label} read {answer.url.path[:100]}",
                "share the calendar with this account; reading is enough",
            )
        if answer.status == HTTPStatus.NOT_FOUND:
            raise _nothing_at(answer.url)
        raise SourceDown(f"{host} answers {answer.status}")


ABOUT_CALENDAR = (
    "d:displayname",
    "d:sync-token",
    "d:supported-report-set",
    "c:supported-calendar-component-set",
    "s:getctag",
)
ABOUT_CALENDARS = ("d:resourcetype", "d:owner", "d:current-user-principal", *ABOUT_CALENDAR)


class _Collection:
    """One calendar during one pass."""

    def __init__(self, asking: _Asking, place: httpx.URL, resource: Resource, look: Pass) -> None:
        self.asking = asking
        self.place = place
        self.path = _path(place)
        self.resource = resource
        self.look = look
        inside = self.path.rstrip("/") + "/"
        self.known = {ident for ident in look.known if ident.startswith(inside)}

    async def pages(self, before: _Reached) -> AsyncIterator[tuple[Page, _Reached | None]]:
        """Yield what changed; the last page comes with how far that reaches."""
        can_sync = self.resource.holds(f"{DAV}supported-report-set", f"{DAV}sync-collection")
        if can_sync and before.token:
            changed = await self._changed(before.token)
            if changed is not None:
                hrefs, removed, token = changed
                async for page in self._fetched(hrefs):
                    yield page, None
                yield Page(None, gone=self._idents(removed)), _Reached(token=token)
                return
            log.warning("calendar_resync", calendar=self.asking.calendar.label)
        token = await self._token() if can_sync else ""
        tag = self.resource.text(f"{CS}getctag")
        if not token and tag and tag == before.tag:
            return
        listed = await self._listed()
        held = versions.unpack(before.held)
        fresh = [href for href, version in listed.items() if version not in held]
        async for page in self._fetched(fresh):
            yield page, None
        missing = {_resource_of(ident) for ident in self.known} - set(listed)
        packed = "" if token else versions.pack(listed.values())
        yield Page(None, gone=self._idents(missing)), _Reached(token=token, tag=tag, held=packed)

    async def _token(self) -> str:
        """Return the calendar's sync token as it is now, before anything is listed."""
        token = self.resource.text(f"{DAV}sync-token")
        if token:
            return token
        changed = await self._changed("")
        return changed[2] if changed else ""

    async def _changed(self, token: str) -> tuple[list[str], list[str], str] | None:
        """Return what changed and what was removed since a token, and the next; None where it is lost."""
        hrefs: list[str] = []
        removed: list[str] = []
        for _ in range(MOST_STEPS):
            answer = await self.asking.report(self.place, 0, dav.sync_collection(token))
            if answer.status != HTTPStatus.MULTI_STATUS:
                return None
            told = dav.multistatus(answer.body, self.place.host)
            more = False
            for one in told.resources:
                path = _path(_joined(self.place, one.href))
                more = more or one.status == HTTPStatus.INSUFFICIENT_STORAGE
                if path != self.path and one.status != HTTPStatus.INSUFFICIENT_STORAGE:
                    (removed if one.status == HTTPStatus.NOT_FOUND else hrefs).append(path)
            token = told.token
            if len(hrefs) + len(removed) > MOST_ENTRIES:
                raise overfull(self.asking.calendar.label)
            if not more or not token:
                return hrefs, removed, token
        raise SourceDown(f"{self.place.host} lists changes without an end")

    async def _listed(self) -> dict[str, bytes]:
        """Return what lies in the window, each with a digest of its version."""
        answer = await self.asking.report(self.place, 1, dav.calendar_query(self.look.since))
        self.asking.must_answer(answer)
        told = dav.multistatus(answer.body, self.place.host).resources
        tags = [(_path(_joined(self.place, one.href)), one.text(f"{DAV}getetag")) for one in told]
        held = {path: versions.digest(f"{path}\0{tag}".encode("utf-8", "replace")) for path, tag in tags}
        held.pop(self.path, None)
        return held

    async def _fetched(self, hrefs: Sequence[str]) -> AsyncIterator[Page]:
        """Yield these resources, some at a time; what is not there any more is gone."""
        waiting = [hrefs[start : start + AT_ONCE] for start in range(0, len(hrefs), AT_ONCE)]
        while waiting:
            some = waiting.pop(0)
            try:
                answer = await self.asking.report(self.place, 1, dav.multiget(some))
            except TooLarge:
                half = len(some) // 2
                if half:
                    waiting[:0] = [some[:half], some[half:]]
                else:
                    log.warning("calendar_event_skipped", reason="too large")
                continue
            self.asking.must_answer(answer)
            found, missing = await asyncio.to_thread(self._read, answer.body)
            yield Page(None, found, gone=self._idents(missing))

    def _read(self, body: bytes) -> tuple[list[Entry], list[str]]:
        """Return the meetings in an answer, and what it says is not there."""
        found: list[Entry] = []
        missing = []
        for one in dav.multistatus(body, self.place.host).resources:
            path = _path(_joined(self.place, one.href))
            if one.status == HTTPStatus.NOT_FOUND:
                missing.append(path)
            elif calendar := one.text(f"{CAL}calendar-data"):
                found += entries(calendar.encode(), self.look.scope, self._uids(calendar, path), path)
        if len(found) > MOST_ENTRIES:
            raise overfull(self.asking.calendar.label)
        return found, missing

    def _uids(self, calendar: str, path: str) -> Sequence[str]:
        """Return the UID of a resource that is followed already: it counts whoever is left in it."""
        if path not in self.known:
            return ()
        return [line[4:].strip() for line in calendar.splitlines() if line[:4].upper() == "UID:"]

    def _idents(self, paths: Iterable[str]) -> list[str]:
        """Return what is followed of these resources: a meeting, and its changed occurrences."""
        wanted = set(paths)
        return [ident for ident in self.known if _resource_of(ident) in wanted]


def _nothing_at(url: httpx.URL) -> NeedsHuman:
    return NeedsHuman(f"{url.host} has no calendar at {url.path[:100]}", "correct its `url`")


def _own(resource: Resource) -> bool:
    """Say whether a calendar is the account's own: whose it shares with us did not connect it."""
    owner, we = resource.link(f"{DAV}owner"), resource.link(f"{DAV}current-user-principal")
    return not owner or not we or owner.rstrip("/") == we.rstrip("/")


def _path(url: httpx.URL) -> str:
    """Return the path as it is sent."""
    return url.raw_path.decode("ascii")


def _joined(url: httpx.URL, href: str) -> httpx.URL:
    try:
        return url.join(href)
    except httpx.InvalidURL:
        raise SourceDown(f"{url.host} names an address that is none") from None


def _below(url: httpx.URL, href: str) -> httpx.URL:
    """Return an address that the server names; it must be the server's own."""
    target = _joined(url, href)
    if (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port):
        raise NeedsHuman(
            f"{url.host} keeps the calendars at {target.host[:80]}, where no password is sent unasked",
            f"write {target.scheme}://{target.host[:80]}{target.path[:100]} as `url` if you trust it",
        )
    return target


def _resource_of(ident: str) -> str:
    return ident.partition("#")[0]

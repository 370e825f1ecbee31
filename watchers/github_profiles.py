"""Read the contacts' public GitHub profiles: the employer they name, and their public memberships."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from pydantic import Field

from bot.model import Contact, Family, Json, Kind, Means, NeedsHuman, Observation, SourceDown
from watchers import Batch, Example, Scope, Settings, Watcher
from watchers.asking import LONGEST_WAIT
from watchers.profiles.colleagues import are_colleagues, is_shared
from watchers.profiles.line import Line, Reply, text
from watchers.profiles.sightings import Sighted
from watchers.profiles.words import Said, Stand, is_account, names_of, read_profile

API = "https://api.github.com"
SITE = "github.com"
MOST_AT_ONCE = 25
"""Profiles in one pass: two requests each stay below what GitHub gives to strangers in an hour, 60."""
AFTER_REFUSAL = timedelta(minutes=1)
"""The least wait after a limit that names no time, as GitHub's documentation asks."""
READING = 1
"""Raised when reading gets better, so that profiles that have not changed are read anew."""

_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")
_NO_LOGINS = frozenset(
    "about apps blog codespaces collections contact customer-stories enterprise events explore features "
    "issues join login marketplace new notifications organizations orgs pricing pulls search security "
    "settings site sponsors stars team topics trending users".split()
)
_YEAR = timedelta(days=365)
_HALF_A_YEAR = timedelta(days=182)
_NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)

_HERE, _MOVED, _RENAMED, _LEFT_ORG = "here", "moved", "renamed", "left"


@dataclass(frozen=True, slots=True)
class Glimpse:
    """News of one profile: a kind, and what it names (another employer, an organisation)."""

    contact: str
    login: str
    kind: str
    name: str
    account: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What is remembered of one profile: facts and validators, none of its words.

    `ident` is GitHub's number of the account, which outlives a change of its name. `was_here` says that the
    profile once named the contact's account as the employer. `org` is the account's organisation they were a
    public member of.
    """

    login: str = ""
    ident: int = 0
    asked: str = ""
    etags: Mapping[str, str] = field(default_factory=dict)
    stand: str = Stand.SILENT.value
    employer: str = ""
    was_here: bool = False
    org: str = ""
    is_member: bool = False
    work: Sighted = field(default_factory=Sighted)
    membership: Sighted = field(default_factory=Sighted)
    next_look: str = ""

    @classmethod
    def from_json(cls, value: object) -> Kept:
        """Read what `as_json` wrote; of anything else nothing is remembered."""
        if not isinstance(value, dict):
            return cls()
        try:
            kept = cls(**value)
            return replace(kept, work=Sighted(**value["work"]), membership=Sighted(**value["membership"]))
        except (KeyError, TypeError):
            return cls()

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        return asdict(self)

    def is_due(self, now: datetime) -> bool:
        """Say whether it is time to look."""
        return not self.next_look or now >= datetime.fromisoformat(self.next_look)


class GithubProfiles(Watcher[Glimpse]):
    """Public GitHub profiles: the employer that a contact names there, and leaving their organisation."""

    name = "github_profiles"
    every = timedelta(hours=1)
    remembers = True
    kinds = (
        Kind(
            "profile_present",
            Means.ALIVE,
            Family.PUBLIC,
            narrow=True,
            example="github.com/janedoe names Acme as the employer",
        ),
        Kind(
            "profile_moved",
            Means.GONE,
            Family.PUBLIC,
            weight=6.2,
            half_life=_YEAR,
            hard=True,
            example="github.com/janedoe now names Globex as the employer, no longer Acme",
        ),
        Kind(
            "profile_renamed",
            Means.NOTED,
            Family.PUBLIC,
            example="github.com/janedoe and others of Acme now name Globex: renamed or acquired",
        ),
        Kind(
            "org_left",
            Means.GONE,
            Family.PUBLIC,
            weight=1.4,
            half_life=_HALF_A_YEAR,
            example="no longer a public member of the GitHub organisation acme",
        ),
    )
    examples = (
        Example(Glimpse("jane@acme.example", "janedoe", _HERE, "", "Acme", _NOON), ("profile_present",)),
        Example(Glimpse("jane@acme.example", "janedoe", _MOVED, "Globex", "Acme", _NOON), ("profile_moved",)),
        Example(Glimpse("jane@acme.example", "janedoe", _MOVED, "", "Acme", _NOON), ("profile_moved",)),
        Example(
            Glimpse("jane@acme.example", "janedoe", _RENAMED, "Globex", "Acme", _NOON), ("profile_renamed",)
        ),
        Example(Glimpse("jane@acme.example", "janedoe", _LEFT_ORG, "acme", "Acme", _NOON), ("org_left",)),
    )

    class Config(Settings):
        """How GitHub is asked."""

        token_env: str = Field(
            default="",
            description="the variable with a token without any scope: 5,000 requests an hour instead of 60",
        )
        days: int = Field(default=1, ge=1, le=30, description="days between two looks at one profile")
        api: str = Field(
            default=API,
            pattern=r"^https?://",
            description="the address of the interface; GitHub's own by default",
        )

    config: Config

    def __init__(
        self, config: Settings | None = None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(config)
        self._clock = clock

    def sources(self, scope: Scope) -> Sequence[str]:
        """Name GitHub where a contact has a profile there."""
        return [self.name] if any(login_of(contact) for contact in scope.contacts) else []

    async def fetch(self, source: str, cursor: Json, scope: Scope) -> AsyncIterator[Batch[Glimpse]]:
        """Look at the profiles that are due, the longest waiting first."""
        contacts = {contact.address: contact for contact in scope.contacts if login_of(contact)}
        remembered = cursor if isinstance(cursor, dict) else {}
        kept = {address: Kept.from_json(remembered.get(address)) for address in contacts}
        if not remembered.keys() <= kept.keys():
            # Of those who are no longer watched, nothing is remembered.
            yield Batch(source, [], _memory(kept))
        due = [address for address, one in kept.items() if one.is_due(self._clock())]
        due.sort(key=lambda address: (kept[address].next_look, address))
        async with Line(self.config.api, self._headers()) as line:
            for address in due[:MOST_AT_ONCE]:
                contact, now = contacts[address], self._clock()
                seen = await self._look(line, contact, kept[address], now)
                others = [kept[other] for other in contacts if are_colleagues(contact, contacts[other])]
                kept[address], news = concluded(contact, seen, others, now)
                yield Batch(source, news, _memory(kept))

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        if not self.config.token_env:
            return headers
        token = os.environ.get(self.config.token_env, "").strip()
        if not token:
            raise NeedsHuman(
                f"{self.config.token_env} is not set",
                "put a GitHub token there, or remove watchers.github_profiles.token_env",
            )
        return {**headers, "Authorization": f"Bearer {token}"}

    async def _look(self, line: Line, contact: Contact, kept: Kept, now: datetime) -> Kept:
        """Ask for a profile and its public memberships; return what they say now."""
        login = login_of(contact)
        asked = f"{READING} {login} {contact.account} {contact.domain}"
        if kept.asked != asked:
            kept = Kept(login=login, asked=asked)
        days = 1 if kept.work.waits or kept.membership.waits else self.config.days
        kept = replace(kept, next_look=(now + timedelta(days=days)).isoformat())
        # By its number an account is found again under a new name, and nobody else under its old one.
        path = f"/user/{kept.ident}" if kept.ident else f"/users/{login}"
        profile = await self._ask(line, path, kept, now)
        if profile.status == HTTPStatus.OK:
            kept = _read(kept, contact, path, profile)
        elif profile.status != HTTPStatus.NOT_MODIFIED:
            return replace(kept, stand=Stand.SILENT.value, employer="", etags={})
        if not kept.ident:
            return kept
        path = f"/users/{kept.login}/orgs"
        listed = await self._ask(line, path, kept, now, {"per_page": "100"})
        return _joined(kept, contact, path, listed) if listed.status == HTTPStatus.OK else kept

    async def _ask(
        self, line: Line, path: str, kept: Kept, now: datetime, params: Mapping[str, str] | None = None
    ) -> Reply:
        """Ask GitHub, once. Raises SourceDown at a limit and NeedsHuman for a token that is refused."""
        known = kept.etags.get(path, "")
        reply = await line.get(path, params, {"If-None-Match": known} if known else None)
        if reply.status == HTTPStatus.UNAUTHORIZED:
            raise NeedsHuman(
                "GitHub refuses the token",
                f"put a valid one into {self.config.token_env or 'the environment'}",
            )
        if reply.status in {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}:
            raise SourceDown(f"{line.host} asks for fewer requests", waiting(reply.headers, now))
        return reply

    def read(self, raw: Glimpse, scope: Scope) -> list[Observation]:
        """Say what is new on a profile."""
        if not scope.covers(raw.contact):
            return []
        where = f"{SITE}/{raw.login}"
        kind, sentence, because = _worded(raw, where)
        facts: dict[str, Json] = {"url": f"https://{where}"}
        if raw.name:
            facts |= {"org" if raw.kind == _LEFT_ORG else "now": raw.name}
        return [
            Observation(
                contact=raw.contact,
                kind=kind,
                at=raw.at,
                source=self.name,
                sentence=sentence,
                group=f"{where} {raw.name}" if raw.kind == _LEFT_ORG else where,
                facts=facts,
                because=(because,),
            )
        ]


def _memory(kept: Mapping[str, Kept]) -> Json:
    return {address: one.as_json() for address, one in kept.items()}


def login_of(contact: Contact) -> str:
    """Return the name of the contact's GitHub account, as their links give it; empty where none does.

    >>> login_of(Contact("jane@acme.example", links=("https://github.com/JaneDoe/",)))
    'JaneDoe'
    """
    for link in contact.links:
        bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", link.strip()[:200], count=1, flags=re.IGNORECASE)
        host, _, path = bare.partition("/")
        login = re.split(r"[?#]", path)[0].rstrip("/")
        if host.lower() == SITE and _LOGIN.fullmatch(login) and login.lower() not in _NO_LOGINS:
            return login
    return ""


def waiting(headers: Mapping[str, str], now: datetime) -> timedelta:
    """Return how long GitHub asks to wait: Retry-After, or the moment at which the limit is set anew."""
    named = headers.get("retry-after", "").strip()
    if named.isascii() and named.isdigit():
        return min(max(timedelta(seconds=int(named[:9])), AFTER_REFUSAL), LONGEST_WAIT)
    reset = headers.get("x-ratelimit-reset", "").strip()
    if headers.get("x-ratelimit-remaining", "").strip() == "0" and reset.isascii() and reset.isdigit():
        left = timedelta(seconds=int(reset[:12]) - now.timestamp())
        return min(max(left, AFTER_REFUSAL), LONGEST_WAIT)
    return AFTER_REFUSAL


def concluded(
    contact: Contact, seen: Kept, colleagues: Sequence[Kept], now: datetime
) -> tuple[Kept, list[Glimpse]]:
    """Return what to remember, and what is new: what was seen twice, and that the account is still named.

    Where most colleagues with a profile now name the same other employer, theirs was renamed or acquired.
    """
    fact = ""
    if seen.stand == Stand.HERE:
        fact = _HERE
    elif seen.stand == Stand.LEFT or (seen.stand == Stand.ELSEWHERE and seen.was_here):
        fact = _MOVED
    if fact == _MOVED and _is_rename(seen, colleagues):
        fact = _RENAMED
    work, is_news = seen.work.again(
        f"{fact} {seen.employer}".strip() if fact else "", now, at_once=fact == _HERE
    )
    news = [_glimpse(contact, seen, fact, seen.employer, now)] if is_news else []
    left = bool(seen.org) and not seen.is_member
    membership, is_news = seen.membership.again(
        f"{_LEFT_ORG} {seen.org}" if left else f"{_HERE} {seen.org}" if seen.org else "",
        now,
        at_once=not left,
    )
    news += [_glimpse(contact, seen, _LEFT_ORG, seen.org, now)] if is_news and left else []
    was_here = seen.was_here or seen.stand == Stand.HERE
    return replace(seen, work=work, membership=membership, was_here=was_here), news


def _is_rename(seen: Kept, colleagues: Sequence[Kept]) -> bool:
    named = (one for one in colleagues if one.was_here)
    return is_shared(seen.employer, ("" if one.stand == Stand.HERE else one.employer for one in named))


def _glimpse(contact: Contact, seen: Kept, kind: str, name: str, now: datetime) -> Glimpse:
    return Glimpse(contact.address, seen.login, kind, name, contact.account_name, now)


def _read(kept: Kept, contact: Contact, path: str, profile: Reply) -> Kept:
    """Return what a profile says; of an organisation's, or of another account than before, nothing."""
    told = profile.fields
    ident, login = told.get("id"), text(told.get("login"), 40)
    is_person = told.get("type") == "User" and _LOGIN.fullmatch(login) is not None
    if not isinstance(ident, int) or kept.ident not in {0, ident} or not is_person:
        return replace(kept, stand=Stand.SILENT.value, employer="")
    said: Said = read_profile(text(told.get("company")), text(told.get("bio"), 400), names_of(contact))
    etags = {f"/user/{ident}": profile.headers.get("etag", "")} if path.startswith("/user/") else {}
    return replace(
        kept,
        ident=ident,
        login=login,
        etags={key: value for key, value in {**kept.etags, **etags}.items() if value},
        stand=said.stand.value,
        employer=said.employer,
    )


def _joined(kept: Kept, contact: Contact, path: str, listed: Reply) -> Kept:
    """Return whether the account's organisation is among those that a profile shows."""
    rows = listed.told if isinstance(listed.told, list) else []
    logins = [text(row.get("login"), 40) for row in rows if isinstance(row, dict)]
    names = names_of(contact)
    theirs = next((login for login in logins if _LOGIN.fullmatch(login) and is_account(login, names)), "")
    etag = listed.headers.get("etag", "")
    etags = {**kept.etags, path: etag} if etag else kept.etags
    return replace(kept, org=theirs or kept.org, is_member=bool(theirs), etags=etags)


def _worded(raw: Glimpse, where: str) -> tuple[str, str, str]:
    """Return the kind, the sentence, and why it was read so."""
    if raw.kind == _HERE:
        return "profile_present", f"{where} names {raw.account} as the employer", "their own profile says so"
    twice = "their own profile says so, on two looks at least a day apart"
    if raw.kind == _RENAMED:
        said = f"{where} and others of {raw.account} now name {raw.name}: renamed or acquired"
        return "profile_renamed", said, "most colleagues with a profile name the same other employer"
    if raw.kind == _LEFT_ORG:
        said = f"no longer a public member of the GitHub organisation {raw.name}"
        return "org_left", said, "not among the public memberships, on two looks; it may just be hidden now"
    if raw.name:
        said = f"{where} now names {raw.name} as the employer, no longer {raw.account}"
    else:
        said = f"{where} names {raw.account} as a former employer"
    return "profile_moved", said, twice

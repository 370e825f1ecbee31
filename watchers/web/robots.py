"""Keep to robots.txt (RFC 9309): what a site asks robots to leave alone is not read."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from protego import Protego

TOKEN = "Stillthere"  # noqa: S105 - the product token that robots.txt knows us by
MOST_BYTES = 500 * 2**10
"""What is read of a robots.txt (section 2.5)."""
MOST_REDIRECTS = 5
"""Followed for a robots.txt (section 2.3.1.2)."""
KEPT_FOR = timedelta(hours=24)
"""How long a robots.txt counts (section 2.4)."""
KEPT_UNREACHABLE = timedelta(hours=1)
MOST_KEPT = 2**23
"""Characters of robots.txt that are remembered."""

_AGENT = re.compile(r"[ \t]*user[ \t-]?agent[ \t]*:[ \t]*([^#\r\n]*)", re.IGNORECASE)
_OTHERS = "user-agent: somebody-else"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a site asks of us: the lines that concern us, or why nothing may be read.

    `since` is when they were read.
    """

    since: datetime
    text: str = ""
    unreachable: str = ""

    def is_current(self, now: datetime) -> bool:
        """Say whether the rules need not be asked for again."""
        return now - self.since < (KEPT_UNREACHABLE if self.unreachable else KEPT_FOR)

    def verdict(self, url: str) -> tuple[str, timedelta | None]:
        """Return why an address is not to be read, empty where it may be, and the pause that is asked for."""
        if self.unreachable:
            return self.unreachable, None
        if not self.text:
            return "", None
        parsed = Protego.parse(self.text)
        delay = parsed.crawl_delay(TOKEN)
        pause = timedelta(seconds=min(delay, KEPT_FOR.total_seconds())) if delay else None
        return ("" if parsed.can_fetch(url, TOKEN) else "robots.txt asks robots not to read it"), pause

    def sitemaps(self) -> tuple[str, ...]:
        """Return the sitemaps that are named."""
        return tuple(Protego.parse(self.text).sitemaps) if self.text else ()


def understood(status: int, body: bytes, now: datetime) -> Rules:
    """Return what an answer to the request for robots.txt means (section 2.3.1).

    None to be had (4xx) allows everything, and a server in trouble (5xx, 429) allows nothing.
    """
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return Rules(now, unreachable=f"robots.txt cannot be read ({status})")
    if not 200 <= status < 300:  # noqa: PLR2004 - the answers that carry a file
        return Rules(now)
    return Rules(now, concerning(body[:MOST_BYTES].decode("utf-8", "replace").removeprefix("\ufeff")))


def concerning(text: str) -> str:
    r"""Return the lines that concern us or everybody, and the limits of the groups.

    Groups of others are not kept: a file that names ten thousand robots, each with ten thousand rules, would
    take memory that grows with the square of its length.

    >>> concerning("User-agent: a\nUser-agent: b\nDisallow: /x\nUser-agent: *\nDisallow: /y")
    'user-agent: somebody-else\nuser-agent: *\nDisallow: /y'
    """
    kept: list[str] = []
    ours = in_agents = False
    for line in text.splitlines():
        found = _AGENT.match(line)
        if found:
            name = found[1].strip().lower().partition("/")[0].rstrip("*") or "*"
            mine = name in {TOKEN.lower(), "*"}
            ours = mine or (ours and in_agents)
            in_agents = True
            agent = f"user-agent: {name}" if mine else _OTHERS
            if not kept or kept[-1] != agent:
                kept.append(agent)
        elif line.strip() and not line.lstrip().startswith("#"):
            is_sitemap = line.lstrip().lower().startswith("sitemap")
            in_agents = in_agents and is_sitemap
            if ours or is_sitemap:
                kept.append(line.strip())
    return "\n".join(kept)


class Robots:
    """The rules of the sites that were asked lately."""

    def __init__(self) -> None:
        self._rules: OrderedDict[str, Rules] = OrderedDict()
        self._size = 0

    def known(self, origin: str, now: datetime) -> Rules | None:
        """Return the rules of a site; None where they are to be asked for."""
        found = self._rules.get(origin)
        return found if found is not None and found.is_current(now) else None

    def keep(self, origin: str, rules: Rules) -> None:
        """Remember the rules of a site; those asked for longest ago are dropped where there are too many."""
        before = self._rules.pop(origin, None)
        self._rules[origin] = rules
        self._size += _size(origin, rules) - (_size(origin, before) if before else 0)
        while self._size > MOST_KEPT and len(self._rules) > 1:
            self._size -= _size(*self._rules.popitem(last=False))


def _size(origin: str, rules: Rules) -> int:
    return len(origin) + len(rules.text) + 200

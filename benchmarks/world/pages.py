"""Team pages, once a month: who left stands there for weeks, some for ever; sometimes the page is broken."""

from __future__ import annotations

import json
from datetime import date, timedelta
from html import escape
from pathlib import Path

from benchmarks.world.cast import Account, World

EVERY = timedelta(days=30)
BROKEN = 0.03
_WALL = "<!doctype html><title>Just a moment</title><p>Enable JavaScript and cookies to continue</p>"


def write(world: World, account: Account, folder: Path) -> None:
    """Write an account's snapshots: `site.json` says what was fetched when."""
    chance = account.chance
    folder.mkdir(parents=True, exist_ok=True)
    listed = {
        one.address: timedelta(days=min(chance.lognormvariate(3.4, 0.8), 400)) for one in account.people
    }
    fetches, day = [], world.first + timedelta(chance.randrange(30))
    url = f"https://www.{account.domain}/team"
    while day <= world.last:
        name, status = f"{day.isoformat()}.html", 200
        if chance.random() < BROKEN:
            status = chance.choice((200, 503, 404))
            text = _WALL if status == 200 else "<h1>Sorry</h1>"
        else:
            text = _page(account, day, listed)
        (folder / name).write_text(text, encoding="utf-8")
        fetches.append({"date": day.isoformat(), "status": status, "url": url, "file": name})
        day += EVERY
    site = {"url": url, "account": account.name.capitalize(), "domain": account.domain, "fetches": fetches}
    (folder / "site.json").write_text(json.dumps(site, indent=1), encoding="utf-8")


def _page(account: Account, day: date, listed: dict[str, timedelta]) -> str:
    cards = "".join(
        f'<li class="person"><h3>{escape(one.name)}</h3><p>{escape(one.title)}</p></li>'
        for one in account.people
        if one.departure is None or day <= one.departure.last_day + listed[one.address]
    )
    company = escape(account.name.capitalize())
    return (
        f"<!doctype html><html><head><title>Our team - {company}</title></head><body><nav>"
        f"<a href='/'>Home</a></nav><main><h1>Our team</h1><p>The people behind {company}.</p>"
        f"<ul>{cards}</ul></main>"
        f"<footer>© {company}</footer></body></html>"
    )

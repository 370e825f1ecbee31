"""One look at one page, whatever loop it is taken in."""

from __future__ import annotations

import asyncio
import gc

from tests.web.site import START, Clock, client, serving
from tests.web.team_pages import TEAM, cards, page
from watchers.web.findings import Watched
from watchers.web.memory import Memory
from watchers.web.visits import visit

JANE = (Watched("jane@acme.example", "Jane Doe", "VP Sales", "Acme"),)


async def many() -> int:
    """Look at many pages at once; return how many show Jane."""
    async with serving() as site, client(site, Clock()) as asking:
        paths = [f"/team/{number}" for number in range(8)]
        for path in paths:
            site.says(path, page(cards(TEAM)))
        looks = [visit(asking, site.url(path), JANE, Memory(), START) for path in paths]
        return sum(bool(news.findings) for news, _ in await asyncio.gather(*looks))


def test_pages_are_read_in_one_loop_after_another() -> None:
    assert [asyncio.run(many()) for _ in range(2)] == [8, 8]
    assert gc.isenabled()
